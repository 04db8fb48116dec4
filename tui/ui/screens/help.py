"""Every key that works, from the table of bindings."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from rich.padding import Padding
from rich.table import Table
from rich.text import Text
from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical, VerticalScroll
from textual.content import Content
from textual.screen import ModalScreen
from textual.widgets import Footer, Static

from tui.search.index import Index
from tui.search.matches import TextSearch
from tui.ui.bindings import Place, key_rows
from tui.ui.widgets.search_row import SearchRow
from tui.ui.widgets.too_small import TooSmall


class HelpScreen(ModalScreen[None]):
    """The keys of every place; `first` is the place that the operator came from."""

    CSS_PATH = "help.tcss"
    AUTO_FOCUS = "#keys"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape,q,question_mark,f1", "dismiss(None)", "Close", key_display="Esc"),
        Binding("slash", "find", "Find", key_display="/"),
        Binding("j", "cursor_down", show=False),
        Binding("k", "cursor_up", show=False),
    ]

    def __init__(self, first: Place | None) -> None:
        super().__init__()
        places = sorted(Place, key=lambda place: place is not first)
        self._rows = [(place, *row) for place in places for row in key_rows(place)]
        self._places = places
        self._search_row = SearchRow(self, "line")

    def compose(self) -> ComposeResult:
        """One table a place."""
        yield TooSmall()
        with Vertical(id="box"):
            yield Static("Keys", id="title")
            yield self._search_row
            with VerticalScroll(id="keys"):
                for place in self._places:
                    with Vertical(id=f"place-{place.name.lower()}", classes="place"):
                        yield Static(Content.styled(place.value, "bold $text-accent"))
                        yield Static(_table(key_rows(place)), classes="table")
        yield Footer(show_command_palette=False, compact=True)

    @on(SearchRow.Narrowed)
    def _narrow(self, event: SearchRow.Narrowed) -> None:
        """Show only the lines that match, under the places that they belong to."""
        for place in self._places:
            rows = [self._rows[row] for row in event.matches.rows if self._rows[row][0] is place]
            block = self.query_one(f"#place-{place.name.lower()}")
            block.display = bool(rows)
            table = _table([(keys, description) for _, keys, description in rows])
            block.query_one(".table", Static).update(table)
        self.query_one("#keys").scroll_home(animate=False)

    def action_find(self) -> None:
        """Search the lines."""
        self._search_row.open()
        lines = [(place.value, keys, description) for place, keys, description in self._rows]
        self._search_row.use(TextSearch(Index(lines)))

    @on(SearchRow.Submitted)
    def _go_to_lines(self) -> None:
        self.query_one("#keys").focus()

    @on(SearchRow.Cleared)
    def _end_search(self) -> None:
        self._search_row.close()
        self.query_one("#keys").focus()

    def action_cursor_down(self) -> None:
        """Scroll one line down."""
        self.query_one("#keys").scroll_down(animate=False)

    def action_cursor_up(self) -> None:
        """Scroll one line up."""
        self.query_one("#keys").scroll_up(animate=False)

    def action_page_down(self) -> None:
        """Scroll one screen down."""
        self.query_one("#keys").scroll_page_down(animate=False)

    def action_page_up(self) -> None:
        """Scroll one screen up."""
        self.query_one("#keys").scroll_page_up(animate=False)


def _table(rows: Sequence[tuple[str, str]]) -> Padding:
    """Return keys and what they do, which may take more than one line."""
    table = Table.grid(padding=(0, 2, 0, 0))
    table.add_column(width=14, style="bold")
    table.add_column()
    for keys, description in rows:
        table.add_row(Text(keys), Text(description))
    return Padding(table, (0, 0, 1, 2))
