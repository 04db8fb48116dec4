"""What is remembered on this host: the journal of what was done with keys."""

from tui.journal.log import (
    LONGEST,
    PROOFS,
    Action,
    Attempt,
    Journal,
    JournalEntry,
    Phase,
    Successor,
    journal_path,
    successors,
)

__all__ = [
    "LONGEST",
    "PROOFS",
    "Action",
    "Attempt",
    "Journal",
    "JournalEntry",
    "Phase",
    "Successor",
    "journal_path",
    "successors",
]
