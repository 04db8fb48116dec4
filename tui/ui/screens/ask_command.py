"""Asks for a command that a secret is handed to."""

from __future__ import annotations

from textual.app import ComposeResult
from textual.content import Content

from tui.config.last_used import DeliveryMemory
from tui.ui.screens.dialog import TextDialog
from tui.ui.widgets.command_field import CommandField
from tui.ui.widgets.field import Field


class AskCommandScreen(TextDialog[str]):
    """Asks for a command; those of the `memory` and of what is installed are on offer."""

    CSS = """
    AskCommandScreen {
        #box { width: 92; }
        .field--label { width: 10; }
        .field--error { padding-left: 11; }
        CommandField { margin-bottom: 1; }
        Field { margin-bottom: 0; }
    }
    """

    def __init__(self, memory: DeliveryMemory, *, value: str = "", refusal: str = "") -> None:
        body = Content(
            "The command gets the secret on its standard input; no shell is used. {label}, {id} "
            "and {short_key} are filled in. The arrow keys choose a command, to run or to change."
        )
        field = Field("Command", value or memory.last_command, id="answer")
        super().__init__(
            "Hand the secret to a command", body, field, str, yes="Run", refusal=refusal
        )
        self._command = CommandField(field, memory)

    def question(self) -> ComposeResult:
        """The field, and the commands on offer."""
        yield self._command
