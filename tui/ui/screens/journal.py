"""The journal: what this operator did, when and where, and whether each secret was stored."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from datetime import UTC, date, datetime
from pathlib import Path
from typing import ClassVar

from textual import on, work
from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import Horizontal, Vertical
from textual.content import Content
from textual.screen import Screen
from textual.widgets import Static
from textual.widgets.option_list import Option

from tui.api.models import Key
from tui.journal import JournalSnapshot
from tui.search.index import Index
from tui.search.matches import Matches, TextSearch
from tui.search.query import Query, prepare
from tui.text import count, mask, plain
from tui.ui.bindings import JOURNAL_BINDINGS, Place, bindings_for
from tui.ui.screens.dialog import Dialog
from tui.ui.widgets.button import Button
from tui.ui.widgets.facts_pane import BREAKPOINTS, FactsText, room_beside
from tui.ui.widgets.key_footer import KeyFooter
from tui.ui.widgets.marked_list import MarkedList
from tui.ui.widgets.search_row import SearchRow, highlighted
from tui.ui.widgets.top_bar import TopBar
from tui.ui.widgets.write_request import WriteRequest, write_requests

MOST = 2_000
"""How many requests are shown at most."""

SLICE = 100
"""How many of them are shown at once; a wide screen has room for fewer."""


def _zone() -> str:
    """Return the local time zone: `CET (UTC+01:00)`."""
    now = datetime.now(UTC).astimezone()
    name, offset = now.tzname() or "", f"{now:%z}"
    return name if name == "UTC" else f"{name} (UTC{offset[:3]}:{offset[3:]})"


class _Requests(MarkedList):
    """The requests, whose Enter the footer tells."""

    BINDINGS: ClassVar[list[BindingType]] = [*JOURNAL_BINDINGS]


class JournalScreen(Screen[None]):
    """Lists what the journal holds; what is typed narrows it."""

    CSS_PATH = "journal.tcss"
    AUTO_FOCUS = "Input"
    PLACE = Place.JOURNAL
    BINDINGS: ClassVar[list[BindingType]] = list(bindings_for(PLACE))
    HORIZONTAL_BREAKPOINTS: list[tuple[int, str]] | None = BREAKPOINTS

    def __init__(
        self, journal: JournalSnapshot, path: Path | None, who: str, keys: Sequence[Key] = ()
    ) -> None:
        """Show a journal; the listed `keys` tell the short keys of predecessors."""
        super().__init__()
        short_keys = {key.id: key.short_key for key in keys if key.short_key}
        self._requests = write_requests(journal.entries, who, journal.doubts, short_keys)[:MOST]
        self._matches = Matches(range(len(self._requests)))
        self._width = 0
        self._day: date | None = None
        self._listed: list[WriteRequest | None] = []
        self._unreadable = journal.unreadable
        self._path, self._who = path, who
        self._options = _Requests(id="requests", compact=True)
        self._search_row = SearchRow(self._options, "request", stays_open=True)

    def compose(self) -> ComposeResult:
        """The search, and the list."""
        yield TopBar("Settings › Journal", self._who)
        with Horizontal(id="page"):
            with Vertical(id="list"):
                where = plain(str(self._path)) if self._path else "Kept while the program runs"
                skipped = (
                    f" · {count(self._unreadable, 'line')} unreadable" if self._unreadable else ""
                )
                about = f"{where}{skipped} · never a secret · times in {_zone()}"
                yield Static(Content(about), id="where")
                yield self._search_row
                yield self._options
                yield Static(id="empty", markup=False)
            yield FactsText(classes="beside")
        yield KeyFooter()

    def on_mount(self) -> None:
        """Show everything; what is typed narrows it."""
        self._show(self._matches)
        self._prepare_search()

    @work(group="search", description="prepare the search")
    async def _prepare_search(self) -> None:
        matches = self._search_row.search_in(await asyncio.to_thread(self._index))
        if self._search_row.text and matches is not None:
            self._show(matches)

    def _index(self) -> TextSearch:
        prepare()
        return TextSearch(Index([(request.searched,) for request in self._requests]))

    def action_close(self) -> None:
        """End the search; else go back to the list of keys."""
        if self._search_row.text:
            self._search_row.close()
        else:
            self.dismiss(None)

    def action_find(self) -> None:
        """Go back to the search."""
        self._search_row.open()

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Offer to search where letters don't do so anyway."""
        return not (action == "find" and self._search_row.is_typed_in)

    @on(SearchRow.ListRequested)
    def _go_to_list(self) -> None:
        if self._options.display:
            self._options.focus()

    @on(SearchRow.Cleared)
    def _end_search(self) -> None:
        self._search_row.close()

    @on(SearchRow.Narrowed)
    def _narrowed(self, event: SearchRow.Narrowed) -> None:
        self._show(event.matches)

    def on_resize(self) -> None:
        """Cut the lines anew."""
        self.call_after_refresh(self._show_at_width)

    def _show_at_width(self) -> None:
        if self._room != self._width:
            self._show(self._matches)

    @property
    def _room(self) -> int:
        """How wide a line may be: beside the mark of the list, its scrollbar and its edges."""
        return room_beside(self.size.width) - 4

    def _show(self, matches: Matches) -> None:
        self._matches, self._width, self._day = matches, self._room, None
        self._listed.clear()
        self._options.clear_options()
        self._options.display = bool(matches.rows)
        self._add(matches.rows[:SLICE], matches.highlighted)
        self._options.action_first()
        self._add_rest(matches)
        if not matches.rows:
            self._show_facts(None)
        empty = self.query_one("#empty", Static)
        empty.display = not matches.rows
        text = "Nothing matches. Esc shows everything again."
        empty.update(Content(text if self._requests else "The journal has no entries yet."))

    def _add(self, rows: Sequence[int], query: Query) -> None:
        """List requests, a heading before the first one of each day."""
        options: list[Option] = []
        for request in (self._requests[row] for row in rows):
            day = request.last.when.astimezone().date()
            if day != self._day:
                self._day = day
                self._listed.append(None)
                heading = Content.styled(f"{day:%a} {day.day} {day:%B %Y}", "bold $text-accent")
                options.append(Option(heading, disabled=True))
            self._listed.append(request)
            options.append(Option(highlighted(request.line(self._width), query)))
        self._options.add_options(options)

    @work(group="rest", exclusive=True, description="show the rest of the journal")
    async def _add_rest(self, matches: Matches) -> None:
        """Show what is not seen at first slice by slice, so that the next key is not held up."""
        for start in range(SLICE, len(matches.rows), SLICE):
            await asyncio.sleep(0)
            self._add(matches.rows[start : start + SLICE], matches.highlighted)

    @on(MarkedList.OptionHighlighted)
    def _highlighted(self, event: MarkedList.OptionHighlighted) -> None:
        if event.option_index < len(self._listed):
            self._show_facts(self._listed[event.option_index])

    def _show_facts(self, request: WriteRequest | None) -> None:
        """Show a request whole, where the screen is wide."""
        text_for = request.text if request is not None else lambda _: Content("")
        self.query_one(FactsText).show_text(text_for, request)

    @on(MarkedList.OptionSelected)
    def _open(self, event: MarkedList.OptionSelected) -> None:
        """Show a request whole."""
        if (request := self._listed[event.option_index]) is not None:
            self.app.push_screen(RequestScreen(request))


class RequestScreen(Dialog[None]):
    """Shows all lines of the journal about one request."""

    AUTO_FOCUS = "#no"
    declined = None
    only_tells = True

    def __init__(self, request: WriteRequest) -> None:
        last = request.last
        facts = [
            ("Short key", mask(last.short_key)),
            *request.facts,
            ("Other tries", request.failed_deliveries),
        ]
        body = Content.assemble(request.sign, " ", request.outcome or "done")
        title = f"{last.action.capitalize()}: {request.label}"
        super().__init__(title, body, [(name, text) for name, text in facts if text])

    def buttons(self) -> ComposeResult:
        """Only back."""
        yield Button("Close", id="no", compact=True)
