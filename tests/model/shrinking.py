"""Leaves out of an episode what its violation does not need; such episodes are kept."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from tests.model.episode import ACTIONS, Result, Spec, walk

KEPT = Path(__file__).with_name("seeds.txt")


def kept() -> list[Spec]:
    """Return the episodes that once showed a violation."""
    lines = (line.partition("#")[0].strip() for line in KEPT.read_text("utf-8").splitlines())
    return [Spec.parse(line) for line in lines if line]


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
