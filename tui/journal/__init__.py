"""What is remembered on this host: the journal of what was done with keys."""

from tui.journal.creates import CreateRecord, create_records, open_attempts
from tui.journal.lines import (
    LONGEST,
    LONGEST_IPS,
    LONGEST_SHORT_KEY,
    PROOFS,
    Action,
    JournalEntry,
    Phase,
)
from tui.journal.log import (
    Attempt,
    Journal,
    JournalSnapshot,
    journal_at_home,
    journal_path,
    new_attempt_id,
)

__all__ = [
    "LONGEST",
    "LONGEST_IPS",
    "LONGEST_SHORT_KEY",
    "PROOFS",
    "Action",
    "Attempt",
    "CreateRecord",
    "Journal",
    "JournalEntry",
    "JournalSnapshot",
    "Phase",
    "create_records",
    "journal_at_home",
    "journal_path",
    "new_attempt_id",
    "open_attempts",
]
