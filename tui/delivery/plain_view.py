"""Showing a secret on the ordinary screen, where any terminal can select it by mouse."""

from __future__ import annotations

import os
import select
import signal
import sys
import termios
import threading
import unicodedata
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from types import FrameType
from typing import TYPE_CHECKING

from tui.text import plain
from tui.waiting import LOOK_SECONDS, clock_in_sleep

if TYPE_CHECKING:
    from pydantic import SecretStr


ENDING = (signal.SIGHUP, signal.SIGINT, signal.SIGQUIT, signal.SIGTERM)
"""The signals that end a program."""


def plain_view(
    secret: SecretStr,
    heading: str,
    read_line: Callable[[], object],
    write: Callable[[str], object],
    columns: Callable[[], int],
    *,
    seconds: float | None = None,
) -> bool:
    """Show `secret` on the ordinary screen, where any terminal can select it, until Enter.

    After `seconds` it is erased without Enter, which False tells; None: never.

    The caller has suspended the app; `read_line` returns at the end of a line, `write` flushes,
    and `columns` returns the terminal's present width. Ctrl+C, the end of input and a signal to
    end or to stop count as Enter. Exactly the rows that were written are erased, or a few more if
    the window was resized.
    """
    value = secret.get_secret_value()
    shown = plain(value)
    lines = [*map(plain, heading.splitlines()), shown, "Press Enter to erase this and go back."]
    if shown != value:
        lines.insert(-1, "Some characters are shown as marks: save it to a file instead.")
    before, is_left = columns(), True
    with _signals_kept_from_loop() as wakes, _ending_signals_handled_by(_ignore_signal), _no_echo():
        try:
            with (
                suppress(KeyboardInterrupt, EOFError, OSError),  # the terminal may be gone
                _ending_signals_handled_by(signal.default_int_handler),
            ):
                write("\r" + "\r\n".join(lines))
                is_left = _wait_for_input(wakes, seconds)
                if is_left:
                    read_line()
        finally:
            rows = max(sum(_rows(line, width) for line in lines) for width in (before, columns()))
            up = f"\x1b[{rows - 1}A" if rows > 1 else ""
            write(f"\r{up}\x1b[J")
    return is_left


def _wait_for_input(wakes: int | None, seconds: float | None) -> bool:
    """Wait for a line on the terminal, or for a signal, which makes `wakes` readable.

    Return False where neither came within `seconds`, in which the machine may sleep. A signal that
    comes just before a read begins would be heard only once the read is over.
    """
    stdin = sys.__stdin__
    if wakes is None or not stdin or stdin.closed or not os.isatty(stdin.fileno()):
        return True
    since, left = clock_in_sleep(), seconds
    while left is None or left > 0:
        patience = None if left is None else min(left, LOOK_SECONDS)
        if select.select([stdin.fileno(), wakes], [], [], patience)[0]:
            return True
        left = seconds and seconds - (clock_in_sleep() - since)
    return False


def _ignore_signal(_number: int, _frame: FrameType | None) -> None:
    """Let a second Ctrl+C interrupt neither the erasing nor the program around it."""


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
        with suppress(termios.error):  # the terminal may be gone
            termios.tcsetattr(descriptor, termios.TCSAFLUSH, before)


@contextmanager
def _ending_signals_handled_by(act: Callable[[int, FrameType | None], object]) -> Iterator[None]:
    """Have Ctrl+C, Ctrl+Z and each ending signal that the loop attends to do `act` for a while."""
    before = {number: signal.getsignal(number) for number in (*ENDING, signal.SIGTSTP)}
    if not _in_main_thread():
        yield
        return
    # What the system does of itself at SIGTSTP would leave the secret on the shell's screen.
    handled = [
        number
        for number, handler in before.items()
        if callable(handler) or number == signal.SIGTSTP
    ]
    for number in handled:
        signal.signal(number, act)
    try:
        yield
    finally:
        for number in handled:
            signal.signal(number, before[number])


@contextmanager
def _signals_kept_from_loop() -> Iterator[int | None]:
    """Keep Ctrl+C and Ctrl+Z, which count as Enter, from the loop; it gets the others later.

    Yields a descriptor that is readable once a signal came; None where none is heard.
    """
    if not _in_main_thread():
        yield None
        return
    outlet, inlet = os.pipe()
    os.set_blocking(inlet, False)
    loop = signal.set_wakeup_fd(inlet)
    try:
        yield outlet
    finally:
        signal.set_wakeup_fd(loop)
        os.close(inlet)
        others = os.read(outlet, 4096).translate(None, bytes([signal.SIGINT, signal.SIGTSTP]))
        os.close(outlet)
        if loop >= 0 and others:
            os.write(loop, others)


def _in_main_thread() -> bool:
    return threading.current_thread() is threading.main_thread()
