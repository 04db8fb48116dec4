"""What rotating many keys would do, told before it begins."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass

from tui.api.models import Key, User
from tui.keys.rotation.retiring_label import retiring_since
from tui.keys.rotation.unfinished import Unfinished
from tui.text import count

_RETIRING = "retiring already"
_FOREIGN = "of a subaccount, where no keys can be created from here"
_BEGUN = "in a rotation that was begun before: f finishes it"
_UNTOLD = "the server does not tell the grants"
_REASONS = (_RETIRING, _FOREIGN, _BEGUN, _UNTOLD)


@dataclass(frozen=True, slots=True)
class Plan:
    """The keys that will get successors, those left out, and both put into sentences.

    Of the keys, those in `replaced` have successors already, whose secrets were never stored.
    """

    keys: tuple[Key, ...]
    left_out: tuple[Key, ...]
    replaced: tuple[Unfinished, ...]
    sentences: tuple[str, ...]


def plan_rotations(keys: Iterable[Key], me: User | None, begun: Iterable[Unfinished] = ()) -> Plan:
    """Return what rotating `keys` would do; `me` is who is signed in, as far as that is known.

    Keys that have a part in one of the rotations `begun` before are left out, but for those whose
    successors are known never to have been stored.
    """
    begun = [unfinished for unfinished in begun if unfinished.successors]
    lost = {one.predecessor.id: one for one in begun if one.known and not one.known.is_stored}
    parts = {key.id for one in begun for key in (one.predecessor, *one.successors)} - lost.keys()
    once = {key.id: key for key in keys}
    left: dict[str, list[Key]] = {}
    chosen: list[Key] = []
    for key in once.values():
        why = _why_left_out(key, parts)
        (left.setdefault(why, []) if why else chosen).append(key)
    theirs = sum(me is not None and key.raw_username not in (None, me.username) for key in chosen)
    gets = "a successor" if len(chosen) == 1 else "successors"
    will = f"{count(len(chosen), 'key')} will get {gets}"
    sentences = [f"{will}; {_be(theirs)} not yours." if theirs else f"{will}."]
    if theirs:
        sentences.append(
            "Successors of keys that are not yours will be yours, and the server may not let you "
            "delete their predecessors."
        )
    replaced = tuple(lost[key.id] for key in chosen if key.id in lost)
    if replaced:
        one = len(replaced) == 1
        have = "has a successor whose secret was" if one else "have successors whose secrets were"
        which = "that one is" if one else "those are"
        sentences.append(f"{len(replaced):,} {have} never stored: {which} deleted first.")
    sentences += [f"{_be(len(left[why]))} left out: {why}." for why in _REASONS if why in left]
    sentences.append("No predecessor is deleted before its successor works and you confirm it.")
    left_out = tuple(key for why in _REASONS for key in left.get(why, ()))
    return Plan(tuple(chosen), left_out, replaced, tuple(sentences))


def _why_left_out(key: Key, parts: Collection[str]) -> str:
    if retiring_since(key.raw_label or "") is not None:
        return _RETIRING
    if key.subaccount_id:
        return _FOREIGN
    if key.id in parts:
        return _BEGUN
    return _UNTOLD if key.raw_grants is None else ""


def _be(number: int) -> str:
    return f"{number:,} {'is' if number == 1 else 'are'}"
