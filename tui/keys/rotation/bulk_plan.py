"""What rotating many keys would do, in sentences to show before it starts."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass

from tui.api.models import Key, User
from tui.keys.rotation.retiring_label import retiring_since
from tui.keys.rotation.unfinished import Unfinished
from tui.text import count

_RETIRING = "retiring already"
_UNFINISHED = "in a rotation that was begun before: f finishes it"
_GRANTS_UNKNOWN = "the server does not tell the grants"
_REASONS = (_RETIRING, _UNFINISHED, _GRANTS_UNKNOWN)


@dataclass(frozen=True, slots=True)
class Plan:
    """The keys that will get successors, those left out, and both put into sentences.

    Of the keys, those in `replaced` have successors already, whose secrets were never stored.
    """

    keys: tuple[Key, ...]
    left_out: tuple[Key, ...]
    replaced: tuple[Unfinished, ...]
    sentences: tuple[str, ...]


def plan_rotations(
    keys: Iterable[Key], me: User | None, unfinished: Iterable[Unfinished] = ()
) -> Plan:
    """Return what rotating `keys` would do; `me` is who is signed in, as far as that is known.

    Keys that have a part in one of the `unfinished` rotations are left out, but for those whose
    successors are known never to have been stored.
    """
    lost: dict[str, Unfinished] = {}
    involved: set[str] = set()
    for earlier in unfinished:
        if not earlier.successors:
            continue
        involved.update(key.id for key in (earlier.predecessor, *earlier.successors))
        if earlier.known is not None and not earlier.known.is_stored:
            lost[earlier.predecessor.id] = earlier
    involved -= lost.keys()
    once = {key.id: key for key in keys}
    left: dict[str, list[Key]] = {}
    chosen: list[Key] = []
    for key in once.values():
        reason = _why_left_out(key, involved)
        (left.setdefault(reason, []) if reason else chosen).append(key)
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
        is_one = len(replaced) == 1
        have = (
            "has a successor whose secret was" if is_one else "have successors whose secrets were"
        )
        which = "that one is" if is_one else "those are"
        sentences.append(f"{len(replaced):,} {have} never stored: {which} deleted first.")
    sentences += [
        f"{_be(len(left[reason]))} left out: {reason}." for reason in _REASONS if reason in left
    ]
    sentences.append("No predecessor is deleted before its successor works and you confirm it.")
    left_out = tuple(key for reason in _REASONS for key in left.get(reason, ()))
    return Plan(tuple(chosen), left_out, replaced, tuple(sentences))


def _why_left_out(key: Key, involved: Collection[str]) -> str:
    if retiring_since(key.raw_label or "") is not None:
        return _RETIRING
    if key.id in involved:
        return _UNFINISHED
    return _GRANTS_UNKNOWN if key.raw_grants is None else ""


def _be(number: int) -> str:
    return f"{number:,} {'is' if number == 1 else 'are'}"
