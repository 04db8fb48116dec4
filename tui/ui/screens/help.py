"""Every key that works, from the table of keys; the one that is chosen is carried out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import ClassVar

from textual import events, on
from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import Horizontal, Vertical
from textual.screen import ModalScreen
from textual.widgets import Static

from tui.search.index import Index
from tui.search.matches import Matches, TextSearch
from tui.ui.bindings import COMMANDS, Place, bindings_for, shown_keys
from tui.ui.screens.possible_actions import PossibleAction
from tui.ui.widgets.key_footer import KeyFooter
from tui.ui.widgets.key_help import KeyHelp
from tui.ui.widgets.marked_list import MarkedList
from tui.ui.widgets.search_row import SearchRow
from tui.ui.widgets.too_small import TooSmall

TWO_COLUMNS = 110
"""From this width in cells on, the keys of other places stand beside those of here."""


class HelpScreen(ModalScreen["PossibleAction | None"]):
    """The keys of every place, the `nearest` ones first; returns what the operator chose to do.

    `actions` are what was possible where the operator came from; a wide screen has a column for
    the nearest, and one for all other places.
    """

    CSS_PATH = "help.tcss"
    AUTO_FOCUS = "#keys"
    PLACE = Place.HELP
    BINDINGS: ClassVar[list[BindingType]] = list(bindings_for(PLACE))

    def __init__(
        self,
        nearest: Sequence[Place],
        actions: Sequence[PossibleAction],
        key_map: Mapping[str, str],
    ) -> None:
        super().__init__()
        places = [*nearest, *(place for place in Place if place not in nearest)]
        commands = [command for command in COMMANDS if command.help]
        self._commands = sorted(commands, key=lambda command: places.index(command.place))
        self._nearest, self._key_map = nearest, key_map
        self._actions = {action.command: action for action in actions}
        self._keys = KeyHelp(key_map, self._actions, id="keys")
        self._other_keys = KeyHelp(key_map, self._actions, id="other-keys")
        self._search_row = SearchRow(self, "line")
        self._matches = Matches(range(len(self._commands)))

    def compose(self) -> ComposeResult:
        """The search, the keys of here, and those of other places."""
        yield TooSmall()
        with Vertical(id="box"):
            yield Static("Keys", id="title")
            yield self._search_row
            with Horizontal(id="columns"):
                yield self._keys
                yield self._other_keys
            yield Static(id="hint")
        yield KeyFooter()

    def on_resize(self, event: events.Resize) -> None:
        """Lay the keys out in as many columns as there is room for."""
        self.set_class(event.size.width >= TWO_COLUMNS, "-wide")
        self._show()

    @on(SearchRow.Narrowed)
    def _narrow(self, event: SearchRow.Narrowed) -> None:
        """Show only the lines that match, under the places that they belong to."""
        self._matches = event.matches
        self._show()

    def _show(self) -> None:
        commands = [self._commands[row] for row in self._matches.rows]
        nearest = [command for command in commands if command.place in self._nearest]
        is_wide = self.has_class("-wide") and 0 < len(nearest) < len(commands)
        self._other_keys.display = is_wide
        self._keys.show(nearest if is_wide else commands, self._matches.highlighted)
        if is_wide:
            self._other_keys.show(commands[len(nearest) :], self._matches.highlighted)

    @on(MarkedList.OptionHighlighted)
    @on(events.DescendantFocus)
    def _tell_what_enter_does(self) -> None:
        """Say whether Enter does what the cursor is on."""
        options = self.focused if isinstance(self.focused, KeyHelp) else self._keys
        hint = "This is not available on the screen that you came from."
        self.query_one("#hint", Static).update(
            "Enter runs it." if self._action_in(options) else hint
        )

    @on(MarkedList.OptionSelected)
    def _choose(self, event: MarkedList.OptionSelected) -> None:
        """Return what the cursor is on, where it is possible."""
        if action := self._action_in(event.option_list):
            self.dismiss(action)

    def _action_in(self, options: object) -> PossibleAction | None:
        """Return what the line under the cursor of a list does, where it is possible."""
        command = options.command if isinstance(options, KeyHelp) else None
        return self._actions.get(command) if command is not None else None

    def action_find(self) -> None:
        """Search the lines."""
        self._search_row.open()
        lines = [(c.place.value, shown_keys(c, self._key_map), c.help) for c in self._commands]
        self._search_row.search_in(TextSearch(Index(lines)))

    @on(SearchRow.ListRequested)
    def _go_to_lines(self) -> None:
        self._keys.focus()

    @on(SearchRow.Cleared)
    def _end_search(self) -> None:
        self._search_row.close()
        self._keys.focus()

    async def action_manual(self) -> None:
        """Leave the help for the manual."""
        self.dismiss(None)
        await self.run_action("app.manual")

    def action_close(self) -> None:
        """Go back."""
        self.dismiss(None)

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Offer to search where letters don't do so anyway."""
        return not (action == "find" and self._search_row.is_typed_in)

    def action_cursor_up(self) -> None:
        """Go up by a line, while somebody types."""
        self._keys.action_cursor_up()

    def action_cursor_down(self) -> None:
        """Go down by a line."""
        self._keys.action_cursor_down()

    def action_page_up(self) -> None:
        """Go up by a screen."""
        self._keys.page_up()

    def action_page_down(self) -> None:
        """Go down by a screen."""
        self._keys.page_down()
