"""All lines of the journal about one create together, and the attempts that are open."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from datetime import datetime

from tui.journal.lines import DELIVERIES, PROOFS, JournalEntry


@dataclass(frozen=True, slots=True)
class CreateRecord:
    """One create: its `lines`, oldest first, and what other lines say of it.

    `is_doubted` says that lines which are not understood may be about the created key.
    """

    lines: tuple[JournalEntry, ...]
    is_deleted: bool = False
    is_doubted: bool = False

    @property
    def newest(self) -> JournalEntry:
        """The newest line, which holds all that is known of the key's names."""
        return self.lines[-1]

    @property
    def key_id(self) -> str:
        """The id of the created key, or nothing while it is not known."""
        return self.newest.key_id

    @property
    def attempt_id(self) -> str:
        """What links the lines."""
        return self.newest.attempt

    @property
    def began(self) -> datetime:
        """When the request went out; of a create whose first lines are cut off, not before that."""
        return self.lines[0].when

    @property
    def predecessor(self) -> str:
        """The id of the key that the created one is to succeed, or nothing."""
        return self.newest.predecessor

    @property
    def is_stored(self) -> bool:
        """Whether the secret was stored, or may have been.

        It may have been where there is doubt or where the first lines are cut off: only a whole
        account tells that a secret was never stored.
        """
        is_whole = self.lines[0].phase == "begun"
        return self.is_doubted or not is_whole or any(line.phase == "stored" for line in self.lines)

    @property
    def is_in_delivery(self) -> bool:
        """Whether a delivery of the secret began and no line tells how it ended."""
        deliveries = [line.phase for line in self.lines if line.phase in DELIVERIES]
        return deliveries[-1:] == ["delivering"]

    @property
    def is_verified(self) -> bool:
        """Whether the key was verified, the last time that it was verified."""
        proofs = [line.phase for line in self.lines if line.phase in PROOFS]
        return proofs[-1:] == ["verified"] and not self.is_doubted

    @property
    def unstored(self) -> JournalEntry | None:
        """The newest line about a key that may exist and whose secret is not known to be stored.

        After `begun` and `unknown` only the server knows whether the key exists. A program that
        runs beside this one may be about to store the secret of a recent create.
        """
        outcomes = self._outcomes
        if self.is_deleted or not outcomes or any(line.phase == "stored" for line in outcomes):
            return None
        return None if outcomes[-1].phase == "refused" else outcomes[-1]

    @property
    def _outcomes(self) -> list[JournalEntry]:
        return [line for line in self.lines if line.phase not in PROOFS]


def create_records(
    entries: Iterable[JournalEntry], doubts: Callable[[JournalEntry], bool] = lambda _: False
) -> tuple[CreateRecord, ...]:
    """Return the creates that `entries`, oldest first, are about.

    They are in the order in which their keys' ids became known, so that older keys come first.
    `doubts` tells of an entry whether lines which are not understood may say more.
    """
    lines: dict[str, list[JournalEntry]] = {}
    deleted = set[tuple[str, ...]]()
    for entry in entries:
        if entry.action == "create":
            earlier = lines.get(entry.attempt, [])
            if earlier and entry.key_id and not earlier[-1].key_id:
                del lines[entry.attempt]
            lines[entry.attempt] = [*earlier, entry]
        elif entry.action == "delete" and entry.phase == "done":
            deleted |= {_name(entry), _name(replace(entry, key_id=""))}
    return tuple(
        CreateRecord(
            tuple(of_one),
            is_deleted=_name(of_one[-1]) in deleted,
            is_doubted=any(doubts(line) for line in of_one if line.key_id),
        )
        for of_one in lines.values()
    )


def open_attempts(entries: Iterable[JournalEntry]) -> tuple[JournalEntry, ...]:
    """Return the updates and deletions without a known outcome; `entries` are oldest first.

    Each is an attempt's newest line, dated as its first one: when the request went out.
    """
    newest: dict[str, JournalEntry] = {}
    for entry in entries:
        if entry.action != "create":
            first = newest.get(entry.attempt, entry)
            newest[entry.attempt] = replace(entry, when=first.when)
    return tuple(entry for entry in newest.values() if entry.phase in {"begun", "unknown"})


def _name(entry: JournalEntry) -> tuple[str, ...]:
    """Return what an entry knows its key by: the id, else short key and label (contract 4)."""
    if entry.key_id:
        return (entry.server, entry.key_id)
    if entry.short_key:
        return (entry.server, entry.short_key, entry.label)
    return (entry.attempt,)
