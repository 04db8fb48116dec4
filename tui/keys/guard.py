"""What must hold before a key is deleted; every deletion goes through `check_deletion`."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from tui.api.models import Key
from tui.keys.labels import mark_of
from tui.keys.paused_mark import is_paused
from tui.keys.presence import Worker
from tui.keys.write_outcomes import CannotGoOn, OpenWrite
from tui.text import short


@dataclass(frozen=True, slots=True)
class Staying:
    """The key that is to stay when another one goes, as the operator was shown it.

    A successor `is_known_here` as such where the journal or this run of the program made it; else
    its mark alone tells.
    """

    key: Key
    is_successor: bool = False
    is_known_here: bool = False


class OtherWriteOpen(CannotGoOn):
    """A write that goes the other way may still take effect."""

    def __init__(self, write: OpenWrite) -> None:
        super().__init__()
        until = write.until.astimezone()
        what = "deletion" if write.action == "delete" else "update"
        self.sentence = (
            f"Nothing was done: the {what} of the other key was not answered, and may still take "
            f"effect until {until:%H:%M}. Only the same step can be taken until then."
        )


class UpdateOpen(CannotGoOn):
    """An earlier update of the same key may still take effect."""

    def __init__(self, write: OpenWrite) -> None:
        super().__init__()
        self.sentence = (
            "Nothing was changed: an earlier update of this key was not answered, and may still "
            f"take effect until {write.until.astimezone():%H:%M}. It can be repeated as it was."
        )


class OtherInstanceAtWork(CannotGoOn):
    """Another instance of this program works on the key."""

    def __init__(self, worker: Worker) -> None:
        super().__init__()
        self.sentence = (
            f"Nothing was done: another instance of this program ({short(str(worker), 60)}) is "
            "working on this key."
        )


class StayingKeyChanged(CannotGoOn):
    """The key that is to stay is not what the operator was shown."""

    def __init__(self, what: str) -> None:
        super().__init__()
        self.sentence = (
            f"Nothing was deleted: the key that is to stay has {what} than was shown. Look at the "
            "list, then decide."
        )


class MarkContradicts(CannotGoOn):
    """The key that is to stay does not say any more that it replaces the one to be deleted."""

    sentence = (
        "Nothing was deleted: the mark of the key that is to stay has changed, so that it is not "
        "known any more which key it replaces."
    )


def check_deletion(
    key: Key, partners: Iterable[OpenWrite], workers: Iterable[Worker], *, insist: bool
) -> None:
    """Refuse to delete a key while that may be undone by what else goes on.

    `partners` are the open writes to the keys that would be left; `workers` are other instances
    that work on any of them, which count no more where the operator insists.

    Raises:
        OtherWriteOpen, OtherInstanceAtWork: see there.
    """
    for write in partners:
        if write.action == "delete" and write.key_id != key.id:
            raise OtherWriteOpen(write)
    if not insist:
        for worker in workers:
            raise OtherInstanceAtWork(worker)


def check_staying(key: Key, staying: Staying, now: Key) -> None:
    """Refuse to delete `key` where the one that is to stay is `now` not what was shown.

    What the server did not tell at either time is not compared.

    Raises:
        StayingKeyChanged, MarkContradicts: see there.
    """
    shown = staying.key
    for what, before, after in (
        ("other grants", shown.raw_grants, now.raw_grants),
        ("other allowed addresses", shown.raw_valid_ips, now.raw_valid_ips),
    ):
        if before is not None and after is not None and set(before) != set(after):
            raise StayingKeyChanged(what)
    if shown.raw_username is not None and now.raw_username not in (None, shown.raw_username):
        raise StayingKeyChanged("another owner")
    if staying.is_successor:
        mark = mark_of(now.raw_label or "")
        is_lost = mark is None and not staying.is_known_here
        if is_lost or (mark is not None and not mark.is_about(key.id)):
            raise MarkContradicts


def differences(predecessor: Key, successor: Key) -> str:
    """Return in which of `grants` and `allowed IPs` two keys differ, in words, or nothing.

    What the server does not tell is not compared, nor are the addresses of a paused key.
    """
    pairs = {"grants": (predecessor.raw_grants, successor.raw_grants)}
    if not is_paused(predecessor.raw_valid_ips):
        pairs["allowed IPs"] = predecessor.raw_valid_ips, successor.raw_valid_ips
    differing = [
        name
        for name, (before, after) in pairs.items()
        if before is not None and after is not None and set(before) != set(after)
    ]
    return " and ".join(differing)


def is_open(write: OpenWrite | None, now: datetime) -> bool:
    """Tell whether a write may still take effect."""
    return write is not None and now < write.until
