"""What rotating many keys would do, told before it begins."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from tui.api.models import Key, User
from tui.rotation.marks import retiring_since
from tui.rotation.unfinished import Unfinished
from tui.text import count


@dataclass(frozen=True, slots=True)
class Plan:
    """The keys that will get successors, those left out, and both put into sentences."""

    keys: tuple[Key, ...]
    left_out: tuple[Key, ...]
    sentences: tuple[str, ...]


def plan(keys: Iterable[Key], me: User | None, begun: Iterable[Unfinished] = ()) -> Plan:
    """Return what rotating `keys` would do; `me` is who is signed in, as far as that is known.

    Keys that have a part in one of the rotations `begun` before are left out.
    """
    parts = {
        key.id
        for unfinished in begun
        if unfinished.successors
        for key in (unfinished.predecessor, *unfinished.successors)
    }
    once = tuple({key.id: key for key in keys}.values())
    retiring = [key for key in once if retiring_since(key.raw_label or "") is not None]
    foreign = [key for key in once if key.subaccount_id and key not in retiring]
    rotated = [key for key in once if key.id in parts and key not in (*retiring, *foreign)]
    untold = [
        key for key in once if key.raw_grants is None and key not in (*retiring, *foreign, *rotated)
    ]
    left_out = (*retiring, *foreign, *rotated, *untold)
    chosen = tuple(key for key in once if key not in left_out)
    theirs = sum(me is not None and key.raw_username not in (None, me.username) for key in chosen)
    gets = "a successor" if len(chosen) == 1 else "successors"
    will = f"{count(len(chosen), 'key')} will get {gets}"
    sentences = [f"{will}; {_be(theirs)} not yours." if theirs else f"{will}."]
    if theirs:
        sentences.append(
            "Successors of keys that are not yours will be yours, and the server may not let you "
            "delete their predecessors."
        )
    sentences += [
        f"{_be(len(left))} left out: {why}."
        for left, why in (
            (retiring, "retiring already"),
            (foreign, "of a subaccount, where no keys can be created from here"),
            (rotated, "in a rotation that was begun before: f finishes it"),
            (untold, "the server does not tell the grants"),
        )
        if left
    ]
    sentences.append("No predecessor is deleted before its successor works and you confirm it.")
    return Plan(chosen, left_out, tuple(sentences))


def _be(number: int) -> str:
    return f"{number:,} {'is' if number == 1 else 'are'}"
