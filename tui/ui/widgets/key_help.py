"""A list of keys and what they do, under the places where they work."""

from __future__ import annotations

from collections.abc import Container, Mapping, Sequence
from itertools import groupby

from textual import events
from textual.content import Content
from textual.widgets.option_list import Option

from tui.search.query import Query
from tui.ui.bindings import Command, drawn_keys, shown_keys
from tui.ui.widgets.marked_list import MarkedList
from tui.ui.widgets.search_row import highlighted

KEYS_WIDTH = 15
"""The columns that the keys take, before what they do."""
_BESIDE = 4
"""The columns for the mark, the gap, and the scrollbar."""


class KeyHelp(MarkedList):
    """Lists commands; those that are possible now stand out."""

    def __init__(
        self,
        key_map: Mapping[str, str],
        possible: Container[Command],
        *,
        id: str,  # noqa: A002  # as every widget calls it
    ) -> None:
        super().__init__(id=id, compact=True)
        self._key_map, self._possible = key_map, possible
        self._commands: Sequence[Command] = ()
        self._query = Query()
        self._command_in_row: dict[int, Command] = {}
        self._drawn_width = 0

    @property
    def command(self) -> Command | None:
        """The command under the cursor."""
        return self._command_in_row.get(self.highlighted or 0)

    def show(self, commands: Sequence[Command], query: Query) -> None:
        """Show these commands, with what a query matches highlighted; the cursor is at the top."""
        self._commands, self._query = commands, query
        self._draw()
        self.highlighted = 1 if commands else None

    def on_resize(self, event: events.Resize) -> None:
        """Break the lines anew."""
        if event.size.width != self._drawn_width:
            row = self.highlighted
            self._draw()
            self.highlighted = row

    def _draw(self) -> None:
        self._drawn_width = self.size.width
        self._command_in_row.clear()
        options: list[Option] = []
        for place, commands in groupby(self._commands, key=lambda command: command.place):
            title = Content.styled(place.value, "bold $text-accent")
            options.append(Option(Content("\n") + title if options else title, disabled=True))
            for command in commands:
                self._command_in_row[len(options)] = command
                options.append(Option(self._line(command)))
        self.clear_options()
        self.add_options(options)

    def _line(self, command: Command) -> Content:
        """Return the keys and what they do, which may take more than one line."""
        keys = drawn_keys(shown_keys(command, self._key_map), self.app)
        text = Content.styled(command.help, "" if command in self._possible else "$text-muted")
        room = max(self._drawn_width - KEYS_WIDTH - _BESIDE, 16)
        lines = highlighted(text, self._query).wrap(room)
        beneath = "\n" + " " * (KEYS_WIDTH + 1)
        gap = beneath if len(keys) > KEYS_WIDTH else " " * (KEYS_WIDTH + 1 - len(keys))
        return Content.styled(keys, "bold") + Content(gap) + Content(beneath).join(lines)
