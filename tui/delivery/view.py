"""Showing a secret on the ordinary screen, where any terminal can select it by mouse."""

from __future__ import annotations

import os
import sys
import termios
import unicodedata
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING

from tui.text import plain

if TYPE_CHECKING:
    from pydantic import SecretStr


def plain_view(
    secret: SecretStr,
    heading: str,
    read_line: Callable[[], object],
    write: Callable[[str], object],
    columns: Callable[[], int],
) -> None:
    """Show `secret` on the ordinary screen, where any terminal can select it, until Enter.

    The caller has suspended the app; `read_line` returns at the end of a line, `write` flushes,
    and `columns` tells the terminal's width of the moment. Ctrl+C and the end of input count as
    Enter. Exactly the rows that were written are erased, or a few more if the window was resized.
    """
    value = secret.get_secret_value()
    shown = plain(value)
    lines = [*map(plain, heading.splitlines()), shown, "Press Enter to erase this and go back."]
    if shown != value:
        lines.insert(-1, "Some characters are shown as marks: save it to a file instead.")
    before = columns()
    with _no_echo():
        try:
            with suppress(KeyboardInterrupt, EOFError):
                write("\r" + "\r\n".join(lines))
                read_line()
        finally:
            rows = max(sum(_rows(line, width) for line in lines) for width in (before, columns()))
            up = f"\x1b[{rows - 1}A" if rows > 1 else ""
            write(f"\r{up}\x1b[J")


def _rows(line: str, columns: int) -> int:
    """Return how many rows `line` takes where the terminal breaks it after `columns` cells."""
    rows, used = 1, 0
    for character in line:
        cells = _cells(character)
        if used + cells > columns:
            rows, used = rows + 1, 0
        used += cells
    return rows


def _cells(character: str) -> int:
    if unicodedata.category(character) in ("Mn", "Me"):
        return 0
    return 2 if unicodedata.east_asian_width(character) in "WF" else 1


@contextmanager
def _no_echo() -> Iterator[None]:
    """Keep what is typed off the screen, so that it moves no cursor; forget it afterwards."""
    descriptor = sys.__stdin__.fileno() if sys.__stdin__ and not sys.__stdin__.closed else -1
    if descriptor < 0 or not os.isatty(descriptor):
        yield
        return
    before = termios.tcgetattr(descriptor)
    quiet = [*before]
    quiet[3] &= ~(termios.ECHO | termios.ECHONL)
    termios.tcsetattr(descriptor, termios.TCSADRAIN, quiet)
    try:
        yield
    finally:
        termios.tcsetattr(descriptor, termios.TCSAFLUSH, before)
