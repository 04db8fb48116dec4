"""Walks many episodes and prints what they met; exit code 1 where something did not hold."""

from __future__ import annotations

import argparse
import multiprocessing
import sys
from collections import Counter, defaultdict
from contextlib import nullcontext
from time import perf_counter

from tests.model.breaking import CHECKS, without_check, without_guard
from tests.model.crowd import rotate_crowd
from tests.model.episode import Result, Spec, walk
from tests.model.shrinking import kept, shrink
from tests.model.truth import KINDS


def main() -> int:
    """Walk the episodes that the arguments ask for, or one again with its trace."""
    parser = argparse.ArgumentParser("tests.model", description=__doc__)
    parser.add_argument("--episodes", type=int, default=1_000)
    parser.add_argument("--seed", type=int, default=0, help="that of the first episode")
    parser.add_argument("--jobs", type=int, default=1, help="how many processes walk")
    parser.add_argument("--shrink", action="store_true", help="print the shortest trace of a kind")
    parser.add_argument("--kind", choices=KINDS, help="the only kind to shrink")
    parser.add_argument("--replay", metavar="SPEC", help="an episode, as '17 -late -a3'")
    parser.add_argument("--kept", action="store_true", help="walk the episodes of seeds.txt again")
    parser.add_argument("--crowd", action="store_true", help="rotate many keys, often killed")
    parser.add_argument("--no-guard", action="store_true", help="delete whatever the guard says")
    parser.add_argument("--no-check", choices=CHECKS, help="have the guard lack one of its checks")
    options = parser.parse_args()
    with (
        without_guard() if options.no_guard else nullcontext(),
        without_check(options.no_check) if options.no_check else nullcontext(),
    ):
        return walk_as_asked(options)


def walk_as_asked(options: argparse.Namespace) -> int:
    """Walk crowds, kept episodes, one again, or many."""
    if options.crowd:
        return walk_crowds(options)
    if options.kept:
        return walk_kept()
    if options.replay:
        result = walk(Spec.parse(options.replay))
        if options.shrink and result.kinds:
            result = shrink(result, options.kind or min(result.kinds))
        say("\n".join([str(result.spec), *result.trace]))
        return int(bool(result.violations))
    return walk_many(options)


def walk_many(options: argparse.Namespace) -> int:
    """Walk one episode after the other and print the figures."""
    began = perf_counter()
    specs = [Spec(options.seed + number) for number in range(options.episodes)]
    if options.jobs > 1:
        with multiprocessing.get_context("spawn").Pool(options.jobs) as pool:
            results = pool.map(walk, specs, chunksize=10)
    else:
        results = [walk(spec) for spec in specs]
    seconds = perf_counter() - began
    met: dict[str, list[Result]] = defaultdict(list)
    for result in results:
        for kind in result.kinds:
            met[kind].append(result)
    totals = Counter[str]()
    for result in results:
        totals.update(actions=result.actions, steps=result.steps, kills=result.kills)
    say(
        f"{len(results):,} episodes in {seconds:.0f} s: {totals['actions']:,} actions, "
        f"{totals['steps']:,} steps of single rotations, {totals['kills']:,} kills"
    )
    broken = sum(bool(result.kinds) for result in results)
    say(f"{broken:,} episodes in which something did not hold")
    for kind in KINDS:
        seeds = ", ".join(str(result.spec.seed) for result in met[kind][:8])
        say(f"{len(met[kind]):7,}  {kind:<20} {f'seeds {seeds}' if seeds else ''}".rstrip())
    if options.shrink:
        for kind in KINDS:
            if met[kind] and options.kind in (None, kind):
                shortest = shrink(min(met[kind], key=lambda result: len(result.trace)), kind)
                say("\n".join(["", f"{kind}: --replay '{shortest.spec}'", *shortest.trace]))
    return int(bool(broken))


def walk_crowds(options: argparse.Namespace) -> int:
    """Have crowds rotated, as many as episodes are asked for, and print their figures."""
    has_failed = False
    for seed in range(options.seed, options.seed + options.episodes):
        result, figures = rotate_crowd(seed)
        kinds = Counter(violation.kind for violation in result.violations)
        met = ", ".join(f"{number} {kind}" for kind, number in kinds.items())
        say(f"seed {seed}: {figures}. Violations: {met or 'none'}.")
        has_failed |= bool(kinds)
    return int(has_failed)


def walk_kept() -> int:
    """Walk the episodes that once showed a violation, and print which still do."""
    results = [walk(spec) for spec in kept()]
    for result in results:
        say(f"{result.spec}: {', '.join(sorted(result.kinds)) or 'holds'}")
    broken = sum(bool(result.kinds) for result in results)
    say(f"{broken} of {len(results)} kept episodes show a violation")
    return int(bool(broken))


def say(text: str) -> None:
    """Print a text."""
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    raise SystemExit(main())
