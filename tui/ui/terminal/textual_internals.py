"""Every private name of Textual that the program touches; tests/ui checks each one of them."""

from __future__ import annotations

from abc import abstractmethod
from typing import Any, TypeVar

from rich.text import Text
from textual.app import App

Result = TypeVar("Result")


class DiscreetApp(App[Result]):
    """An app that a fault ends with one sentence.

    Textual's own way would print a traceback with the values of all variables.
    """

    @abstractmethod
    def fault_sentence(self, error: Exception) -> str:
        """Return what the operator reads after the program ended because of `error`."""

    def _handle_exception(self, error: Exception) -> None:
        self._return_code = 1
        if self._exception is None:
            self._exception = error
            self._exception_event.set()
            self._exit_renderables.append(Text(self.fault_sentence(error)))
        self._close_messages_no_wait()


def write_to_terminal(app: App[Any], sequence: str) -> None:
    """Write an escape sequence to the app's terminal.

    `App.copy_to_clipboard` is no way to send a secret: it keeps what it sends.
    """
    driver = app._driver
    if driver is not None:
        driver.write(sequence)
        driver.flush()
