"""Which lines of a journal that has grown large are copied into the next file."""

from __future__ import annotations

from collections.abc import Sequence

from tui.journal.creates import CreateRecord, create_records
from tui.journal.lines import JournalEntry, decode


def lines_to_carry_over(lines: Sequence[bytes], most_bytes: int) -> list[bytes]:
    """Return the lines of requests that are not over yet, in their order.

    Those are requests without a known outcome, secrets that were never stored, rotations whose
    predecessor is still there, keys that are paused, and whatever this version does not understand.
    The creates of keys
    that may still exist follow, newest first, as far as all of it stays within `most_bytes`.
    """
    entries = [decode(line) for line in lines]
    known = [entry for entry in entries if entry is not None]
    deleted = {
        (entry.server, entry.key_id)
        for entry in known
        if entry.action == "delete" and entry.phase == "done" and entry.key_id
    }
    records = create_records(known)
    carried = {entry.attempt for entry in known} - _ended_attempts(known)
    carried -= {record.newest.attempt for record in records}
    carried |= {record.newest.attempt for record in records if _is_open(record, deleted)}
    carried |= _attempts_of_pauses(known)
    sizes: dict[str, int] = {}
    size = 0
    for line, entry in zip(lines, entries, strict=True):
        if entry is None:
            size += len(line) * line.startswith(b"{")
        else:
            sizes[entry.attempt] = sizes.get(entry.attempt, 0) + len(line) + 1
    size += sum(sizes[attempt] for attempt in carried)
    for record in reversed(records):
        attempt = record.newest.attempt
        if attempt not in carried and not record.is_deleted and record.newest.phase != "refused":
            size += sizes[attempt]
            if size > most_bytes:
                break
            carried.add(attempt)
    return [
        line
        for line, entry in zip(lines, entries, strict=True)
        if (line.startswith(b"{") if entry is None else entry.attempt in carried)
    ]


def _ended_attempts(entries: Sequence[JournalEntry]) -> set[str]:
    """Return the attempts whose outcome is known."""
    last = {entry.attempt: entry.phase for entry in entries}
    return {attempt for attempt, phase in last.items() if phase not in {"begun", "unknown"}}


def _attempts_of_pauses(entries: Sequence[JournalEntry]) -> set[str]:
    """Return the attempts that paused keys which were neither resumed nor deleted since."""
    paused: dict[tuple[str, str], str] = {}
    for entry in entries:
        key = entry.server, entry.key_id
        if entry.phase == "done" and entry.action == "pause":
            paused[key] = entry.attempt
        elif entry.phase == "done" and entry.action in {"resume", "delete"}:
            paused.pop(key, None)
    return set(paused.values())


def _is_open(record: CreateRecord, deleted: set[tuple[str, str]]) -> bool:
    """Tell whether a secret was never stored, or a predecessor is still there."""
    if record.unstored is not None:
        return True
    if record.is_deleted or record.newest.phase == "refused" or not record.predecessor:
        return False
    return (record.newest.server, record.predecessor) not in deleted
