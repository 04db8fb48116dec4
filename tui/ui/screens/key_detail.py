"""The details of a key, if the screen is too narrow to show them beside the list."""

from __future__ import annotations

from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import BindingType
from textual.screen import Screen

from tui.api.models import Key
from tui.ui.bindings import Place, bindings_for, changing_actions
from tui.ui.screens.key_states import word_for_state
from tui.ui.widgets.key_facts import KeyFacts
from tui.ui.widgets.key_footer import KeyFooter
from tui.ui.widgets.table_line import KeyContext, RowState
from tui.ui.widgets.top_bar import TopBar


class KeyDetailScreen(Screen[str]):
    """Shows one key; returns what to do with it, or nothing."""

    PLACE = Place.DETAIL
    BINDINGS: ClassVar[list[BindingType]] = list(bindings_for(PLACE))
    CSS = """
    KeyDetailScreen KeyFacts { padding: 1 2; }
    .-short KeyDetailScreen KeyFacts { padding: 0 2; }
    """

    def __init__(
        self,
        key: Key,
        context: KeyContext,
        who: str,
        state: RowState | None = None,
        *,
        is_read_only: bool = False,
    ) -> None:
        super().__init__()
        self._is_read_only = is_read_only
        self._key, self._key_context, self._who, self._state = key, context, who, state

    def compose(self) -> ComposeResult:
        """The key, on the whole screen."""
        yield TopBar("Settings › API keys › Details", self._who)
        facts = KeyFacts()
        facts.can_focus = True  # it is all that is there, so the arrow keys scroll it
        yield facts
        yield KeyFooter()

    def on_mount(self) -> None:
        """Show the facts of the key."""
        self.query_one(KeyFacts).show(self._key, self._key_context, self._state)

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Offer nothing that changes a key of a server that is only read."""
        return not (self._is_read_only and action in changing_actions(self.PLACE))

    def footer_word(self, action: str) -> str | None:
        """Return what a key does with this one, as the list does."""
        return word_for_state(action, self._state.kind if self._state is not None else "")

    def action_edit(self) -> None:
        """Go on to editing the key."""
        self.dismiss("edit")

    def action_delete(self) -> None:
        """Go on to deleting the key."""
        self.dismiss("delete")

    def action_rotate(self) -> None:
        """Go on to rotating the key."""
        self.dismiss("rotate")

    def action_finish(self) -> None:
        """Go on to finishing the rotation of the key."""
        self.dismiss("finish")

    def action_verify(self) -> None:
        """Go on to verifying the key."""
        self.dismiss("verify")

    def action_pause(self) -> None:
        """Go on to pausing the key, or resuming it."""
        self.dismiss("pause")

    def action_copy(self) -> None:
        """Go on to copying a name of the key."""
        self.dismiss("copy")

    def action_close(self) -> None:
        """Go back to the list."""
        self.dismiss("")
