"""What a key stroke in the search costs on the screen, with 100,000 keys at 80x24.

Run by hand: `python -m tests.bench.search_row`. Each query is typed character by character into the
row above the table; a time is the processor time from the key to the painted screen.
"""

from __future__ import annotations

import asyncio
import time
from datetime import UTC, datetime
from statistics import median, quantiles

from textual.app import App, ComposeResult

from tests.bench.search import QUERIES, made_up_keys
from tui.api.grants import Catalogue
from tui.search.key_search import KeySearch
from tui.search.query import parse_query
from tui.ui.widgets.columns import Column
from tui.ui.widgets.field import QuietInput
from tui.ui.widgets.key_list_panel import KeyListPanel


class Bench(App[None]):
    """The panel of the keys, and nothing else."""

    CSS = "KeyTable { height: 1fr; }"

    def compose(self) -> ComposeResult:
        """Lay out the panel."""
        yield KeyListPanel()


async def typed(app: App[None], panel: KeyListPanel, text: str) -> list[float]:
    """Type a query; return the milliseconds of each key stroke."""
    times = []
    row = panel.search_row.query_one(QuietInput)
    for character in text:
        began = time.process_time()
        row.insert_text_at_cursor(character)
        for _ in range(3):  # the row's message, the panel's, the table's
            painted = asyncio.Event()
            app.screen.call_after_refresh(painted.set)
            await painted.wait()
        times.append((time.process_time() - began) * 1000)
    return times


async def measure() -> None:
    """Print the table of all figures."""
    keys, catalogue = made_up_keys(), Catalogue()
    search = KeySearch(keys, catalogue)
    app = Bench()
    async with app.run_test(size=(80, 24)):
        panel = app.query_one(KeyListPanel)
        panel.show(keys, catalogue, datetime(2026, 1, 1, tzinfo=UTC))
        panel.search(search)
        for order in (None, Column.LABEL):
            if order is not None:
                panel.table.sort(order)
            every: list[float] = []
            for text in QUERIES:
                parse_query.cache_clear()
                panel.open_search()
                times = await typed(app, panel, text)
                every += times
                print(f"{text:<42}{panel.table.count:>8,}{median(times):>9.1f}{max(times):>9.1f}")  # noqa: T201  # a script's output
                panel.end_search()
                await asyncio.sleep(0.05)
            print(  # noqa: T201  # a script's output
                f"ordered by {order}: median {median(every):.1f} ms, "
                f"95th percentile {quantiles(every, n=20)[-1]:.1f} ms\n"
            )


if __name__ == "__main__":
    asyncio.run(measure())
