"""Every private name of Textual that the program touches; tests/ui checks each one of them."""

from __future__ import annotations

from abc import abstractmethod
from contextlib import suppress
from typing import Any, TypeVar

from rich.color import ColorSystem
from rich.text import Text
from textual.app import App
from textual.driver import Driver
from textual.filter import Monochrome, NoColor
from textual.keys import _character_to_key

Result = TypeVar("Result")


class DiscreetApp(App[Result]):
    """An app that a fault ends with one sentence.

    Textual's own way would print a traceback with the values of all variables.
    """

    @abstractmethod
    def fault_sentence(self, error: Exception) -> str:
        """Return what the operator reads after the program ended because of `error`."""

    def crash(self, error: Exception) -> None:
        """End because of a fault outside of Textual's own handlers."""
        self._handle_exception(error)

    def _handle_exception(self, error: Exception) -> None:
        self._return_code = 1
        if self._exception is None:
            self._exception = error
            self._exception_event.set()
            self._exit_renderables.append(Text(self.fault_sentence(error)))
        self._close_messages_no_wait()

    def _print_error_renderables(self) -> None:
        """Say why the program ended, where its terminal is still there."""
        with suppress(OSError):
            super()._print_error_renderables()


class SendingDriver(Driver):
    """A driver that drops frames, but not everything."""

    @abstractmethod
    def send(self, sequence: str) -> None:
        """Send a sequence that must not be dropped."""


def limit_colours(app: App[Any], colours: ColorSystem | None) -> None:
    """Have an app draw in these colours at most, whatever Textual makes of the environment.

    Where there are none, greys are none either: bold, underlined and reversed text remains.
    """
    app.console._color_system = colours or ColorSystem.STANDARD
    app.no_color = colours is None
    app._filters = [f for f in app._filters if not isinstance(f, Monochrome | NoColor)]
    if colours is None:
        app._filters.append(NoColor())


def write_to_terminal(app: App[Any], sequence: str) -> None:
    """Send an escape sequence to the app's terminal, if it has one.

    `App.copy_to_clipboard` is no way to send a secret: it keeps what it sends.
    """
    if isinstance(app._driver, SendingDriver):
        app._driver.send(sequence)


def name_of_character(character: str) -> str:
    """Return Textual's name for the key that types a character: `a`, `question_mark`, `space`."""
    return _character_to_key(character)
