"""What searching 100,000 keys costs, key stroke by key stroke.

Run by hand: `python -m tests.bench.search`. Every query is typed character by character, as on a
screen: parse, then find. Processor time of this process is printed, so that a busy machine disturbs
little.
"""

from __future__ import annotations

import hashlib
import time
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from statistics import median, quantiles

from tui.api.grants import MOMENTUM, Catalogue
from tui.api.models import Key
from tui.search.highlights import spans
from tui.search.index import Finder
from tui.search.key_rows import index_of_keys
from tui.search.query import QueryError, UnfinishedQuery, parse_query, prepare

KEYS = 100_000

WORDS = ("billing", "mailer", "nightly", "metrics export", "partner portal", "Straße", "staging")

QUERIES = (
    "mailer",
    "billing 4711",
    '"nightly metrics"',
    "rest AND port",
    "billing AND transmissions/modify",
    "transmissions/modify -billing",
    "NOT billing",
    "+mailer +user7 -smtp",
    "(billing OR partner) AND metrics/view",
    "192.0.2.*",
    "9a?1",
    "bill* AND *port*",
    "*ing",
    "b*g",
    "mailr~",
    "biling~ AND user7",
    "trasnmissions~",
    "nightlly~2 export",
    "strasse",
)


def made_up_keys() -> list[Key]:
    """Return keys with labels, grants and ids as an installation may have them."""
    combinations = [
        tuple(grant.key for grant in MOMENTUM[first : first + n])
        for first in range(8)
        for n in range(5)
    ]
    keys = []
    for n in range(KEYS):
        digest = hashlib.sha256(str(n).encode()).hexdigest()
        label = f"{WORDS[n % 7]} {WORDS[n // 7 % 7]} {n * 7919 % 100_003}"
        addresses = (f"192.0.2.{n % 250}/32",) * (n % 3 == 0)
        grants = combinations[n % len(combinations)]
        owner = f"user{n % 50}"
        keys.append(Key(digest[:32], label, digest[32:36], grants, addresses, None, owner))
    return keys


def timed(step: Callable[[], object]) -> float:
    """Return the milliseconds of processor time that a step takes."""
    began = time.process_time()
    step()
    return (time.process_time() - began) * 1000


def typed(finder: Finder, text: str) -> tuple[list[float], int]:
    """Type a query; return the time of each key stroke, and how many keys it matches."""
    times, count = [], 0
    for end in range(1, len(text) + 1):
        began = time.process_time()
        with suppress(QueryError, UnfinishedQuery):
            count = len(finder.matches(parse_query(text[:end])))
        times.append((time.process_time() - began) * 1000)
    return times, count


def measure() -> None:
    """Print the table of all figures."""
    keys = made_up_keys()
    show("parser loaded and built", timed(prepare))
    index = index_of_keys(keys, Catalogue())
    show(
        f"index of {KEYS:,} keys",
        median(timed(lambda: index_of_keys(keys, Catalogue())) for _ in range(3)),
    )
    print(f"\n{'typed':<42}{'keys':>8}{'median ms':>12}{'worst ms':>12}")  # noqa: T201  # a script's output
    every: list[float] = []
    for text in QUERIES:
        parse_query.cache_clear()
        times, count = typed(Finder(index), text)
        every += times
        print(f"{text:<42}{count:>8,}{median(times):>12.1f}{max(times):>12.1f}")  # noqa: T201  # a script's output
    print()  # noqa: T201  # a script's output
    show(f"all {len(every)} key strokes, median", median(every))
    show("... 95th percentile", quantiles(every, n=20)[-1])
    whole = [timed(partial(index.matches, parse_query(text))) for text in QUERIES]
    show("whole queries at once, median", median(whole))
    query = parse_query("billing OR mailr~ OR user*")
    cells = [key.label for key in keys[:1_000]]
    highlighting = timed(lambda: [spans(query, cell) for cell in cells])
    show("highlights of 100 cells", highlighting / 10)


def show(name: str, milliseconds: float) -> None:
    """Print one line."""
    print(f"{name:<50}{milliseconds:>12.1f} ms")  # noqa: T201  # a script's output


if __name__ == "__main__":
    measure()
