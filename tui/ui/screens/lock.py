"""The lock screen: hides everything until the password is typed."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING

from textual import on, work
from textual.app import ComposeResult
from textual.containers import Center, Vertical
from textual.content import Content
from textual.screen import Screen
from textual.widgets import Input, Static

from tui.api.errors import ApiError, SignInRefused
from tui.api.session import SessionProblem
from tui.problems import describe
from tui.ui.widgets.button import Button
from tui.ui.widgets.field import Field
from tui.ui.widgets.status import Status

if TYPE_CHECKING:
    from pydantic import SecretStr

Unlock = Callable[["SecretStr"], Awaitable[bool]]
"""Checks the password, or the access token; False where it is wrong."""


class LockScreen(Screen[None]):
    """Hides everything without losing any of it, and asks for `credential` to go on.

    One that comes to light again after `is_locked` has become false closes by itself.
    """

    AUTO_FOCUS = "Input"
    CSS = """
    LockScreen { align: center middle; }
    LockScreen #lock {
        width: 64; max-width: 100%; height: auto; padding: 1 2; border: round $border;
    }
    LockScreen #title { text-style: bold; margin-bottom: 1; }
    LockScreen #why { margin-bottom: 1; }
    """

    def __init__(
        self, who: str, credential: str, unlock: Unlock, is_locked: Callable[[], bool]
    ) -> None:
        super().__init__()
        self._who, self._credential = who, credential
        self._unlock, self._is_locked = unlock, is_locked

    def compose(self) -> ComposeResult:
        """Why there is nothing to see, and the way back."""
        with Center(), Vertical(id="lock"):
            yield Static("Locked", id="title")
            yield Static(
                Content(
                    f"No key was pressed for a while. The screen of {self._who} is hidden; work "
                    "under way continues."
                ),
                id="why",
            )
            yield Field(self._credential, id="password", masked=True)
            yield Status()
            yield Button("Unlock", id="unlock", variant="primary", compact=True)

    def on_screen_resume(self) -> None:
        """Close, where another one was unlocked meanwhile."""
        if not self._is_locked():
            self.dismiss(None)

    @on(Button.Pressed, "#unlock")
    @on(Input.Submitted)
    @work(group="unlock", exclusive=True, description="unlock")
    async def _check(self) -> None:
        from pydantic import SecretStr  # it is loaded by now, and too heavy for the first paint

        field = self.query_one("#password", Field)
        if not field.value:
            return
        typed = SecretStr(field.value)
        with self.prevent(Input.Changed):  # which would take away what is shown beneath
            field.value = ""
        try:
            with self.query_one(Status).working("Checking"):
                is_right = await self._unlock(typed)
        except SignInRefused:
            is_right = False
        except (ApiError, SessionProblem) as error:
            field.error = f"It could not be checked. {describe(error).title}."
            return
        if is_right:
            self.dismiss(None)
        else:
            field.error = "It was not accepted."
