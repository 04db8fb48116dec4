"""One of the keys, found by typing: its grants are given to another one."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

from textual import events, on
from textual.app import ComposeResult
from textual.content import Content
from textual.widgets.option_list import Option

from tui.api.grants import Catalogue
from tui.api.models import Key
from tui.keys.labels import shown_label
from tui.search.index import Index
from tui.search.matches import Matches, TextSearch
from tui.text import mask, short
from tui.ui.screens.dialog import Dialog
from tui.ui.widgets.button import Button
from tui.ui.widgets.marked_list import MarkedList
from tui.ui.widgets.search_row import SearchRow, highlighted

MOST_KEYS = 50
"""How many keys are offered at a time; what is typed on narrows them."""


class ChooseKeyScreen(Dialog["Key | None"]):
    """Offers keys with their grants, and returns the one that is chosen."""

    AUTO_FOCUS = "Input"
    declined = None
    CSS = """
    ChooseKeyScreen {
        SearchRow { padding: 0; margin-bottom: 1; }
        MarkedList { height: auto; max-height: 50vh; margin-bottom: 1; border: none; padding: 0;
            background: transparent; text-wrap: nowrap; text-overflow: ellipsis; }
        #body { display: none; }
    }
    """

    def __init__(self, title: str, keys: Sequence[Key], catalogue: Catalogue) -> None:
        super().__init__(title, Content(""))
        self._keys, self._catalogue = keys, catalogue
        self._offered: Sequence[Key] = ()
        self._list = MarkedList(compact=True)
        self._list.can_focus = False
        self._row = SearchRow(self._list, "key", stays_open=True)

    def question(self) -> ComposeResult:
        """The line to search with, and what matches."""
        yield self._row
        yield self._list

    def buttons(self) -> ComposeResult:
        """Cancel; Enter takes the key under the cursor."""
        yield Button("Cancel", id="no", compact=True)
        yield Button("Select its grants", id="yes", variant="primary", compact=True)

    async def on_mount(self) -> None:
        """Offer the first keys at once, and search as soon as the index is there."""
        self._offer(Matches(range(len(self._keys))))
        index = await asyncio.to_thread(Index, [self._texts(key) for key in self._keys])
        if (matches := self._row.search_in(TextSearch(index))) is not None:
            self._offer(matches)

    def _texts(self, key: Key) -> tuple[str, ...]:
        grants = ", ".join(map(self._catalogue.label, key.grants))
        return shown_label(key.raw_label or ""), key.short_key, grants

    def _offer(self, matches: Matches) -> None:
        self._offered = [self._keys[row] for row in matches.rows[:MOST_KEYS]]
        self._list.clear_options()
        for key in self._offered:
            label, _, grants = self._texts(key)
            names = Content(short(label, 40)) + Content.styled(
                f"  {mask(key.short_key)}", "$text-muted"
            )
            may = Content.styled(f"  {short(grants)}", "$text-muted")
            line = Content("\n").join(
                highlighted(text, matches.highlighted) for text in (names, may)
            )
            self._list.add_option(Option(line))
        self._list.highlighted = 0 if self._offered else None

    @on(SearchRow.Narrowed)
    def _narrow(self, event: SearchRow.Narrowed) -> None:
        if event.is_current:
            self._offer(event.matches)

    @on(SearchRow.Cleared)
    def _clear(self) -> None:
        self._row.close()

    @on(SearchRow.ListRequested)
    @on(Button.Pressed, "#yes")
    @on(MarkedList.OptionSelected)
    def _choose(self, event: events.Event) -> None:
        event.stop()
        if isinstance(event, MarkedList.OptionSelected):
            self._list.highlighted = event.option_index
        if self._list.highlighted is not None:
            self.dismiss(self._offered[self._list.highlighted])
