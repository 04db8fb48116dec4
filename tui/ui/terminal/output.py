"""What is written to the terminal, without ever waiting for it."""

from __future__ import annotations

import asyncio
import os
import select
import termios
import time
from codecs import register_error
from collections.abc import Callable
from contextlib import suppress
from typing import TextIO

from rich.cells import cell_len
from textual.geometry import Size

BYTES_A_CELL = 2
"""How many bytes may wait for a terminal that doesn't keep up, for each cell of its screen.

That is more than a small change takes. With as many as a whole screen takes, a slow line would show
for a long time what has long changed.
"""
FINISH_SECONDS = 0.5
"""How long the end waits for such a terminal, in seconds."""

_CANCEL = "\x18"
"""Ends a sequence that was cut off in the middle."""

PLAIN_SIGNS = {
    ord(sign): plain
    for plain, signs in {
        "+": "╭╮╰╯┌┐└┘├┤┬┴┼✓", "-": "─\N{EN DASH}", "=": "━", "|": "│┃▏▕", "_": "▁", "#": "█",
        ">": "▌›→▸", "<": "←", "^": "↑▲" + "".join(map(chr, range(0x2400, 0x2422))), "v": "↓▼",
        "x": "✗×", "*": "•●", ".": "·⋯", "~": "…",
        "'": "\N{LEFT SINGLE QUOTATION MARK}’", '"': "“”",
    }.items()
    for sign in signs
}  # fmt: skip
"""The ASCII sign for each that the program draws; cells of tables keep their widths."""


def _replace_unencodable(error: UnicodeError) -> tuple[str, int]:
    """Replace what can't be encoded, cell by cell: `errors` of a codec."""
    if not isinstance(error, UnicodeEncodeError):
        raise error
    lost = error.object[error.start : error.end].translate(PLAIN_SIGNS)
    shown = "".join(c if c.isascii() else "?" * cell_len(c) for c in lost)
    return shown, error.end


register_error("plainly", _replace_unencodable)


def write_and_wait(file: TextIO, text: str) -> None:
    """Write `text` to a terminal that the app has given back, or nowhere if that is gone."""
    data = text.encode(file.encoding, "plainly")
    try:
        while data:
            try:
                data = data[os.write(file.fileno(), data) :]
            except BlockingIOError:  # another program has made writing not wait
                select.select((), (file,), ())
    except OSError:
        _redirect_to_devnull(file.fileno())


def open_again(descriptor: int) -> int | None:
    """Return a new descriptor of the same terminal, which doesn't wait; None where that fails.

    To make `descriptor` itself not wait would change it for the shell and all other programs that
    share it. A terminal of another user, as `su` leaves it, can't be opened again.
    """
    try:
        flags = os.O_RDWR | os.O_NONBLOCK | os.O_NOCTTY | os.O_CLOEXEC
        return os.open(os.ttyname(descriptor), flags)
    except OSError:
        return None


class Output:
    """Sends frames to a terminal; one that doesn't keep up costs frames, never time.

    What waits is bounded by the size of the screen. A frame beyond that is dropped, with all that
    follow until the terminal has taken everything; then `on_caught_up` has the screen painted anew.
    """

    def __init__(
        self, file: TextIO, on_caught_up: Callable[[], None], *, has_plain_signs: bool = False
    ) -> None:
        self._most_bytes = 0
        self._encoding, self._shared = file.encoding, file.fileno()
        self._own = open_again(self._shared)
        self._on_caught_up, self._has_plain_signs = on_caught_up, has_plain_signs
        self._loop = asyncio.get_running_loop()
        self._frame: list[str] = []
        self._waiting = bytearray()
        self._is_behind = self._is_watched = self._is_gone = False

    @property
    def is_gone(self) -> bool:
        """Whether there is no terminal any more; everything goes nowhere then."""
        return self._is_gone

    def set_size(self, size: Size) -> None:
        """Take in how large the screen is."""
        self._most_bytes = BYTES_A_CELL * size.area

    @property
    def is_ready(self) -> bool:
        """Whether the terminal has taken everything; else `on_caught_up` is called once it has."""
        self._is_behind = self._is_behind or bool(self._waiting)
        return not self._is_behind

    def write(self, text: str) -> None:
        """Add to the frame that `flush` completes."""
        self._frame.append(text)

    def flush(self) -> None:
        """Send the frame, or drop it."""
        frame = self._take_frame()
        is_too_much = bool(self._waiting) and len(self._waiting) + len(frame) > self._most_bytes
        self._is_behind = self._is_behind or is_too_much
        if not self._is_behind:
            self._send(frame)

    def send(self, text: str) -> None:
        """Send what must not be dropped: a secret for the clipboard, a mode of the terminal."""
        self._frame.append(text)
        self._send(self._take_frame())

    def finish(self, text: str) -> None:
        """Send the last words; what waits before them is thrown away if it is not taken soon."""
        self._watch(False)
        self._frame.clear()
        self._waiting += text.encode(self._encoding, "plainly")
        deadline = time.monotonic() + FINISH_SECONDS
        while self._waiting and time.monotonic() < deadline:
            self._write_waiting()
            if self._waiting:
                select.select((), (self._descriptor,), (), FINISH_SECONDS / 10)
        if self._waiting:
            with suppress(termios.error):
                termios.tcflush(self._descriptor, termios.TCOFLUSH)
            self._waiting[:] = (_CANCEL + text).encode(self._encoding, "plainly")
            self._write_waiting()
        self._waiting.clear()
        self._is_behind = False

    def close(self) -> None:
        """Let go of the terminal."""
        self._watch(False)
        if self._own is not None:
            os.close(self._own)
            self._own = None

    @property
    def _descriptor(self) -> int:
        return self._shared if self._own is None else self._own

    def _take_frame(self) -> bytes:
        frame = "".join(self._frame)
        self._frame.clear()
        if self._has_plain_signs:
            frame = frame.translate(PLAIN_SIGNS)
        return frame.encode(self._encoding, "plainly")

    def _send(self, data: bytes) -> None:
        self._waiting += data
        if not self._is_watched:
            self._write_waiting()
            self._watch(bool(self._waiting))

    def _write_more(self) -> None:
        """Write what waits, now that the terminal takes more."""
        self._write_waiting()
        if self._waiting:
            return
        self._watch(False)
        if self._is_behind:
            self._is_behind = False
            self._on_caught_up()

    def _write_waiting(self) -> None:
        """Write as much as the terminal takes now."""
        try:
            while self._waiting and not self._is_gone:
                del self._waiting[: self._write(self._waiting)]
        except BlockingIOError:
            return
        except OSError:
            self._is_gone = True
            _redirect_to_devnull(self._shared)
        if self._is_gone:
            self._waiting.clear()

    def _write(self, data: bytearray) -> int:
        if self._own is not None:
            return os.write(self._own, data)
        if not select.select((), (self._shared,), (), 0)[1]:
            raise BlockingIOError
        return os.write(self._shared, data[:1])  # more might wait, as this is the shared descriptor

    def _watch(self, wanted: bool) -> None:
        if wanted and not self._is_watched and not self._is_gone:
            self._loop.add_writer(self._descriptor, self._write_more)
        elif self._is_watched and not wanted:
            self._loop.remove_writer(self._descriptor)
        self._is_watched = wanted and not self._is_gone


def _redirect_to_devnull(descriptor: int) -> None:
    """Have the rest go nowhere, also what Python itself flushes at its end."""
    nowhere = os.open(os.devnull, os.O_WRONLY | os.O_CLOEXEC)
    os.dup2(nowhere, descriptor)
    os.close(nowhere)
