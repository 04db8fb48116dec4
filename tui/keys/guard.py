"""What must hold before a key is deleted; every deletion goes through `check_deletion`."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

from tui.api.models import Key
from tui.keys.key_reader import is_same
from tui.keys.labels import is_same_name, mark_of
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
    """The deletion of the other key may still take effect."""

    def __init__(self, write: OpenWrite) -> None:
        super().__init__()
        until = write.until.astimezone()
        self.sentence = (
            "Nothing was done: the deletion of the other key was not answered, and may still take "
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


class ShownKeyChanged(CannotGoOn):
    """The key that is to go, or the one that is to stay, is not what the operator was shown."""

    def __init__(self, part: Literal["go", "stay"], what: str) -> None:
        super().__init__()
        self.sentence = (
            f"Nothing was deleted: the key that is to {part} {what} than was shown. Look at the "
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
    """Refuse to delete a key while a partner may be deleted, or another instance works on it.

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


def check_going(shown: Key, now: Key, *, is_alone: bool) -> None:
    """Refuse to delete a key that is `now` not what was `shown`.

    With nothing to take its place, it goes `is_alone`: then its mark must be as shown, too, as a
    key that lost its mark is in use.

    Raises:
        ShownKeyChanged: see there.
    """
    _check_shown("go", shown, now)
    labels = shown.raw_label, now.raw_label
    if is_alone and None not in labels and len({mark_of(label or "") for label in labels}) > 1:
        raise ShownKeyChanged("go", "has another mark")


def check_staying(key: Key, staying: Staying, now: Key) -> None:
    """Refuse to delete `key` where the one that is to stay is `now` not what was shown.

    Raises:
        ShownKeyChanged, MarkContradicts: see there.
    """
    _check_shown("stay", staying.key, now)
    if staying.is_successor:
        mark = mark_of(now.raw_label or "")
        is_lost = mark is None and not staying.is_known_here
        if is_lost or (mark is not None and not mark.is_about(key.id)):
            raise MarkContradicts


def _check_shown(part: Literal["go", "stay"], shown: Key, now: Key) -> None:
    """Compare what the server told at both times; it may have changed a label that was sent."""
    if not is_same(shown, now):
        raise ShownKeyChanged(part, "is another key")
    if shown.raw_username and now.raw_username and shown.raw_username != now.raw_username:
        raise ShownKeyChanged(part, "has another owner")
    grants = shown.raw_grants, now.raw_grants
    if None not in grants and len({frozenset(each or ()) for each in grants}) > 1:
        raise ShownKeyChanged(part, "has other grants")
    ips = shown.raw_valid_ips, now.raw_valid_ips
    if None not in ips and len({frozenset(each or ()) for each in ips}) > 1:
        raise ShownKeyChanged(part, "has other allowed addresses")
    if shown.raw_label and now.raw_label and not is_same_name(shown.raw_label, now.raw_label):
        raise ShownKeyChanged(part, "has another label")


def differences(predecessor: Key, successor: Key) -> str:
    """Return what a successor has else than its predecessor, as "other grants", or nothing.

    Labels count as people read them. What the server does not tell is not compared, nor are the
    addresses of a paused key.
    """
    grants, ips = [], []
    labels = predecessor.raw_label or "", successor.raw_label or ""
    label = [] if "" in labels or is_same_name(*labels) else ["another label"]
    if predecessor.raw_grants is not None and successor.raw_grants is not None:
        grants = ["grants"] * (set(predecessor.raw_grants) != set(successor.raw_grants))
    if not is_paused(predecessor.raw_valid_ips):  # a list may leave out that any address will do
        before, after = predecessor.raw_valid_ips or (), successor.raw_valid_ips or ()
        ips = ["allowed IPs"] * (set(before) != set(after))
    others = [f"other {' and '.join(grants + ips)}"] if grants or ips else []
    return " and ".join(label + others)
