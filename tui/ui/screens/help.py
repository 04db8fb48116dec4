"""Every key that works, from the table of bindings."""

from __future__ import annotations

from typing import ClassVar

from rich.padding import Padding
from rich.table import Table
from rich.text import Text
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical, VerticalScroll
from textual.content import Content
from textual.screen import ModalScreen
from textual.widgets import Footer, Static

from tui.ui.bindings import Place, key_rows
from tui.ui.widgets.too_small import TooSmall


class HelpScreen(ModalScreen[None]):
    """The keys of every place; `first` is the place that the operator came from."""

    CSS_PATH = "help.tcss"
    AUTO_FOCUS = "#keys"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape,q,question_mark,f1", "dismiss(None)", "Close", key_display="Esc"),
        Binding("j", "scroll_down", show=False),
        Binding("k", "scroll_up", show=False),
    ]

    def __init__(self, first: Place | None) -> None:
        super().__init__()
        self._first = first

    def compose(self) -> ComposeResult:
        """One table a place."""
        places = sorted(Place, key=lambda place: place is not self._first)
        yield TooSmall()
        with Vertical(id="box"):
            yield Static("Keys", id="title")
            with VerticalScroll(id="keys"):
                for place in places:
                    yield Static(Content.styled(place.value, "bold $text-accent"))
                    yield Static(_table(place))
        yield Footer(show_command_palette=False, compact=True)

    def action_scroll_down(self) -> None:
        """Scroll one line down."""
        self.query_one("#keys").scroll_down(animate=False)

    def action_scroll_up(self) -> None:
        """Scroll one line up."""
        self.query_one("#keys").scroll_up(animate=False)


def _table(place: Place) -> Padding:
    """Return the keys of a place, and what they do, which may take more than one line."""
    table = Table.grid(padding=(0, 2, 0, 0))
    table.add_column(width=14, style="bold")
    table.add_column()
    for keys, description in key_rows(place):
        table.add_row(Text(keys), Text(description))
    return Padding(table, (0, 0, 1, 2))
