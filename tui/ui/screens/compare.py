"""What several keys may do, side by side."""

from __future__ import annotations

from collections.abc import Sequence

from rich.table import Table
from rich.text import Text
from textual.app import ComposeResult
from textual.content import Content
from textual.widgets import Static

from tui.api.grants import Catalogue
from tui.api.models import Key
from tui.text import count, mask, short
from tui.ui.screens.dialog import Dialog
from tui.ui.widgets.button import Button

FEWEST, MOST = 2, 6
"""How many keys can be compared."""


class CompareScreen(Dialog[None]):
    """Shows the grants of some keys: first those in which the keys differ."""

    AUTO_FOCUS = "#no"
    declined = None
    only_tells = True

    def __init__(self, keys: Sequence[Key], catalogue: Catalogue) -> None:
        super().__init__(
            f"Grants of {count(len(keys), 'key')}", Content("✓ granted  · not granted")
        )
        self._keys, self._catalogue = keys, catalogue

    def question(self) -> ComposeResult:
        """Which keys they are, the grants in which they differ, and those that all have."""
        yield Static(_legend(self._keys))
        every = self._catalogue.ordered(grant for key in self._keys for grant in key.grants)
        shared = [grant for grant in every if all(grant in key.grants for key in self._keys)]
        differing = [grant for grant in every if grant not in shared]
        if differing:
            yield Static(self._matrix("Not the same", differing))
        if shared:
            yield Static(self._matrix("The same", shared))
        if not every:
            yield Static("No marked key holds a grant.")
        elif not differing:
            yield Static("All marked keys hold the same grants.")

    def buttons(self) -> ComposeResult:
        """Only back."""
        yield Button("Close", id="no", compact=True)

    def _matrix(self, title: str, grants: Sequence[str]) -> Table:
        """Return a line for each grant, with a column for each key."""
        table = _grid()
        numbers = (str(number) for number, _ in enumerate(self._keys, start=1))
        table.add_row(Text(title), *numbers, style="bold")
        for grant in grants:
            cells = ("✓" if grant in key.grants else "·" for key in self._keys)
            table.add_row(Text(self._catalogue.label(grant)), *cells)
        table.add_row("")
        return table


def _legend(keys: Sequence[Key]) -> Table:
    """Return which number stands for which key."""
    table = Table.grid(padding=(0, 2, 0, 0), expand=True)
    table.add_column(style="bold")
    table.add_column(ratio=1, no_wrap=True, overflow="ellipsis")
    table.add_column()
    for number, key in enumerate(keys, start=1):
        label = short(key.label) or "(no label)"
        table.add_row(str(number), Text(label), Text(mask(key.short_key)))
    table.add_row("")
    return table


def _grid() -> Table:
    table = Table.grid(padding=(0, 2, 0, 0), expand=True)
    table.add_column(ratio=1, no_wrap=True, overflow="ellipsis")
    return table
