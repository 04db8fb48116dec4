"""Leaves out of an episode what its violation does not need."""

from __future__ import annotations

from dataclasses import replace

from tests.model.episode import ACTIONS, Result, walk


def shrink(result: Result, kind: str) -> Result:
    """Return the episode with as few habits and actions as still violate what `kind` says."""
    spec = result.spec
    names = ["kills", *sorted(spec.habits)]
    names += [f"{operator}{number}" for number in reversed(range(ACTIONS)) for operator in "ba"]
    best, has_changed = result, True
    while has_changed:
        has_changed = False
        for name in names:
            if name in best.spec.without:
                continue
            shorter = walk(replace(best.spec, without=best.spec.without | {name}))
            if kind in shorter.kinds:
                best, has_changed = shorter, True
    return best
