"""A pseudo-terminal that runs a whole program, types into it, and reads its screen.

The environment is made up, so that nothing of the developer's own terminal, multiplexer or display
reaches the program: HOME names no directory unless a test gives one.
"""

from __future__ import annotations

import codecs
import fcntl
import os
import re
import select
import selectors
import signal
import struct
import subprocess
import sys
import termios
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from typing import Self

import pyte
from rich.cells import cell_len

PATIENCE = 60.0
"""How long is waited for what must come, in seconds; a busy machine takes long."""
KEYS = {
    "backspace": "\x7f",
    "delete": "\x1b[3~",
    "down": "\x1b[B",
    "end": "\x1b[F",
    "enter": "\r",
    "escape": "\x1b",
    "home": "\x1b[H",
    "insert": "\x1b[2~",
    "left": "\x1b[D",
    "pagedown": "\x1b[6~",
    "pageup": "\x1b[5~",
    "right": "\x1b[C",
    "shift+tab": "\x1b[Z",
    "space": " ",
    "tab": "\t",
    "up": "\x1b[A",
    **{f"f{number}": f"\x1bO{final}" for number, final in enumerate("PQRS", start=1)},
    **{
        f"f{number}": f"\x1b[{code}~"
        for number, code in enumerate((15, 17, 18, 19, 20, 21, 23, 24), start=5)
    },
}

_START = """
import fcntl, os, signal, sys, termios
fcntl.ioctl(1, termios.TIOCSCTTY, 0)
for number in (signal.SIGHUP, signal.SIGINT, signal.SIGPIPE, signal.SIGQUIT, signal.SIGTERM):
    signal.signal(number, signal.SIG_DFL)
os.environ.pop("LC_CTYPE", None)
os.execvp(sys.argv[1], sys.argv[1:])
"""
"""Makes the pseudo-terminal the controlling one; safe where a fork beside threads is not.

The program ignores no signal to begin with, also where the tests run as a background job. Python
sets LC_CTYPE in a locale such as C; the program is to find what the test gave it.
"""

_SEQUENCE = re.compile(
    r"\x1b\[[0-?]*[ -/]*[@-~]"  # CSI
    r"|\x1b\][^\x07\x1b]*(?:\x07|\x1b\\)"  # OSC
    r"|\x1b[PX^_](?:[^\x1b]|\x1b[^\\])*\x1b\\"  # DCS, SOS, PM, APC
    r"|\x1b[ -/]*[0-OQ-WYZ\\`-~]"  # the short ones
)
_UNFINISHED = re.compile(
    r"\x1b(?:\[[0-?]*[ -/]*|\][^\x07\x1b]*\x1b?|[PX^_](?:[^\x1b]|\x1b[^\\])*\x1b?|[ -/]*)\Z"
)
_UNDERSTOOD = re.compile(r"\x1b(?:\[[\d;]*[@A-HJ-MPXadefghlmr`]|\[\?[\d;]*[JKhl]|[78DEHMc])")
_ALTERNATE = {"\x1b[?1049h": True, "\x1b[?1049l": False}

_MODES = re.compile(rb"\x1b\[\?([\d;]+)([hl])|\x1b\[([<>])[\d;]*u")
_USUAL = {
    7: ("line wrapping", True),
    25: ("visible cursor", True),
    47: ("alternate screen", False),
    1000: ("mouse clicks", False),
    1002: ("mouse drags", False),
    1003: ("mouse moves", False),
    1004: ("focus reports", False),
    1006: ("mouse reports, SGR", False),
    1015: ("mouse reports, urxvt", False),
    1047: ("alternate screen", False),
    1049: ("alternate screen", False),
    2004: ("bracketed paste", False),
    2026: ("held-back output", False),
    2048: ("in-band resizes", False),
}


class Terminal:
    """A terminal with one program in it; everything it ever wrote is kept in `raw`.

    `env` comes on top of a small environment of its own; without `has_alternate` there is only the
    shell's own screen, as in GNU screen and on a VT100. With `has_own_keyboard` what is typed comes
    through another pseudo-terminal than what is drawn, so that it can end alone. `wait_for` and its
    kin raise `AssertionError` with the screen in the message.
    """

    def __init__(
        self,
        argv: Sequence[str],
        columns: int = 80,
        rows: int = 24,
        env: Mapping[str, str] | None = None,
        cwd: str | os.PathLike[str] | None = None,
        *,
        has_alternate: bool = True,
        has_own_keyboard: bool = False,
    ) -> None:
        self._has_alternate = has_alternate
        self.raw = bytearray()
        self.arrivals: list[tuple[int, float]] = []
        """How much of `raw` was there when more had been read, and when (`perf_counter`)."""
        self._news = threading.Condition()
        self._ended = self._stalled = False
        self._alternate = False
        self._screens = (pyte.Screen(columns, rows), pyte.Screen(columns, rows))
        self._streams = tuple(map(pyte.Stream, self._screens))
        self._decode = codecs.getincrementaldecoder("utf-8")("replace").decode
        self._held = ""
        self._shown = 0  # how much of `raw` the screen has got: it is drawn when somebody looks
        self._master, slave = os.openpty()
        self._keyboard, keyboard = os.openpty() if has_own_keyboard else (self._master, slave)
        os.set_blocking(self._keyboard, False)  # `send` has a deadline of its own
        self._settings = termios.tcgetattr(slave)
        self._waker, self._wake = os.pipe()
        self._set_size(columns, rows)
        try:
            self.process = subprocess.Popen(  # noqa: S603  # running what a test names is its task
                [sys.executable, "-I", "-S", "-c", _START, *argv],
                stdin=keyboard,
                stdout=slave,
                stderr=slave,
                env={**_environment(), **(env or {})},
                cwd=cwd,
                start_new_session=True,
            )
        finally:
            for descriptor in {slave, keyboard}:
                os.close(descriptor)
        self._start_reading()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    # What goes in

    def send(self, text: str | bytes) -> None:
        """Type `text`, or send raw bytes; what is not taken within PATIENCE fails."""
        data = text.encode() if isinstance(text, str) else text
        deadline = time.monotonic() + PATIENCE
        while data:
            left = max(0, deadline - time.monotonic())
            _, writable, _ = select.select((), (self._keyboard,), (), left)
            assert writable, self._report(f"{len(data):,} bytes were typed and never read")
            with suppress(BlockingIOError):
                data = data[os.write(self._keyboard, data) :]

    def press(self, *keys: str) -> None:
        """Press keys by name: `enter`, `ctrl+c`, `alt+x`, `f5`, or a single character."""
        for key in keys:
            self.send(_code(key))

    @property
    def size(self) -> tuple[int, int]:
        """The window's columns and rows."""
        return self._screens[0].columns, self._screens[0].lines

    def resize(self, columns: int, rows: int) -> None:
        """Change the window's size, which tells the program so by SIGWINCH."""
        with self._news:
            self._screen()
            for screen in self._screens:
                screen.resize(rows, columns)
        self._set_size(columns, rows)

    def signal(self, number: signal.Signals) -> None:
        """Send a signal to the program alone."""
        self.process.send_signal(number)

    def hang_up(self) -> None:
        """Take the terminal away, as a lost SSH connection or a closed window does."""
        self._stop_reading()
        for descriptor in {self._master, self._keyboard} - {-1}:
            os.close(descriptor)
        self._master = self._keyboard = -1

    def unplug(self) -> None:
        """Take away the keyboard alone, where it is one of its own: that ends the input."""
        os.close(self._keyboard)
        self._keyboard = -1

    def stall(self) -> None:
        """Take no more of what the program writes, as a stalled connection, until `keep_up`."""
        self._stalled = True
        self._stop_reading()

    def keep_up(self) -> None:
        """Take what the program writes again."""
        self._stalled = False
        self._start_reading()

    # What comes out

    @property
    def text(self) -> str:
        """The screen as it is now, rows joined by line ends, without spaces at the end of a row."""
        with self._news:
            return self._text()

    @property
    def cursor(self) -> tuple[int, int]:
        """The cursor's column and row, from 0."""
        with self._news:
            cursor = self._screen().cursor
            return cursor.x, cursor.y

    @property
    def mark(self) -> int:
        """A place in the output, for `bytes_since`."""
        with self._news:
            return len(self.raw)

    def bytes_since(self, mark: int) -> bytes:
        """Return what the program wrote after `mark`, unfiltered."""
        with self._news:
            return bytes(self.raw[mark:])

    def wait_for(self, wanted: str | Callable[[str], object], seconds: float = PATIENCE) -> str:
        """Wait until the screen holds a text, or a predicate of it is true; return the screen."""
        what = repr(wanted) if isinstance(wanted, str) else "what was waited for"
        return self._wait(_finder(wanted), f"The screen never showed {what}", seconds)

    def wait_gone(self, text: str, seconds: float = PATIENCE) -> str:
        """Wait until `text` is no longer on the screen; return the screen."""
        return self._wait(lambda now: text not in now, f"The screen still shows {text!r}", seconds)

    def wait_bytes(self, wanted: bytes, seconds: float = PATIENCE, since: int = 0) -> None:
        """Wait until the program has written `wanted` after the mark `since`."""
        self._wait(lambda _: wanted in self.raw[since:], f"{wanted!r} was never written", seconds)

    def wait_quiet(self, silence: float = 0.2, seconds: float = PATIENCE) -> str:
        """Wait until nothing was written for `silence` seconds; return the screen."""
        deadline = time.monotonic() + seconds
        with self._news:
            while self._news.wait(silence) and not self._ended:
                assert time.monotonic() < deadline, self._report("The program never fell silent")
            return self._text()

    def wait_exit(self, seconds: float = PATIENCE) -> int:
        """Wait for the end of the program and its output; return its exit status, or -signal."""
        try:
            status = self.process.wait(seconds)
        except subprocess.TimeoutExpired:
            message = self._report(f"The program was still running after {seconds:g} seconds")
            raise AssertionError(message) from None
        if self._master >= 0:
            self._reader.join(20)
        return status

    # How it was left

    def restored(self) -> bool:
        """Tell whether the program left the terminal as it found it."""
        return not self.left_behind()

    def left_behind(self) -> list[str]:
        """Name what the program switched and did not switch back, from all that it wrote."""
        state = {mode: usual for mode, (_, usual) in _USUAL.items()}
        keyboards = 0
        for numbers, final, kitty in _MODES.findall(self.bytes_since(0)):
            keyboards = max(0, keyboards + {b">": 1, b"<": -1}.get(kitty, 0))
            state.update(dict.fromkeys(map(int, filter(None, numbers.split(b";"))), final == b"h"))
        left = [name for mode, (name, usual) in _USUAL.items() if state[mode] != usual]
        if keyboards:
            left.append("kitty keyboard")
        if self._master >= 0 and termios.tcgetattr(self._master)[:4] != self._settings[:4]:
            left.append("terminal settings (raw mode, echo)")
        return left

    def close(self) -> None:
        """Kill what still runs, and give back everything; a second time does nothing."""
        if self._wake < 0:
            return
        self._stop_reading()
        with suppress(ProcessLookupError, PermissionError):
            os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait()
        for descriptor in {self._master, self._keyboard, self._waker, self._wake} - {-1}:
            os.close(descriptor)
        self._master = self._keyboard = self._waker = self._wake = -1

    # Inside

    def _wait(self, seen: Callable[[str], object], complaint: str, seconds: float) -> str:
        deadline = time.monotonic() + seconds
        with self._news:
            while not seen(now := self._text()):
                left = deadline - time.monotonic()
                assert not self._ended, self._report(f"{complaint}, and the program has ended")
                assert left > 0, self._report(f"{complaint} within {seconds:g} seconds")
                self._news.wait(left)
            return now

    def _report(self, complaint: str) -> str:
        edge = "─" * self._screens[0].columns
        return f"{complaint}. The screen:\n{edge}\n{self.text}\n{edge}"

    def _screen(self) -> pyte.Screen:
        new, self._shown = bytes(self.raw[self._shown :]), len(self.raw)
        self._feed(self._held + self._decode(new))
        return self._screens[self._alternate]

    def _text(self) -> str:
        screen = self._screen()
        return "\n".join(_row(screen, y).rstrip() for y in range(screen.lines))

    def _set_size(self, columns: int, rows: int) -> None:
        fcntl.ioctl(self._master, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))

    def _start_reading(self) -> None:
        self._reader = threading.Thread(target=self._read, name="terminal", daemon=True)
        self._reader.start()

    def _stop_reading(self) -> None:
        os.write(self._wake, b"!")
        self._reader.join()
        os.read(self._waker, 1)

    def _read(self) -> None:
        with selectors.DefaultSelector() as selector:
            selector.register(self._master, selectors.EVENT_READ)
            selector.register(self._waker, selectors.EVENT_READ)
            while self._waker not in {key.fd for key, _ in selector.select()}:
                try:
                    data = os.read(self._master, 65536)
                except OSError:  # the program's side is closed
                    break
                when = time.perf_counter()
                with self._news:
                    self.raw += data
                    self.arrivals.append((len(self.raw), when))
                    self._news.notify_all()
        with self._news:
            self._ended = not self._stalled
            self._news.notify_all()

    def _feed(self, text: str) -> None:
        """Show `text`, without the sequences that pyte would print or stumble over."""
        at = 0
        while (start := text.find("\x1b", at)) >= 0:
            self._streams[self._alternate].feed(text[at:start])
            if _UNFINISHED.match(text, start):
                self._held = text[start:]
                return
            match = _SEQUENCE.match(text, start)
            if match is None:
                at = start + 1
                continue
            if (switch := _ALTERNATE.get(match[0])) is not None:
                switch = switch and self._has_alternate
                self._alternate = switch
                if switch:
                    self._screens[True].reset()
            elif _UNDERSTOOD.fullmatch(match[0]):
                self._streams[self._alternate].feed(match[0])
            at = match.end()
        self._held = ""
        self._streams[self._alternate].feed(text[at:])


def _environment() -> dict[str, str]:
    # Coverage counts what runs in here as well: it reads its settings from the environment.
    kept = ("PATH", "TMPDIR", "USER", "COVERAGE_PROCESS_CONFIG")
    own = {name: os.environ[name] for name in kept if name in os.environ}
    return {**own, "HOME": "/nonexistent", "TERM": "xterm-256color", "LANG": "C.UTF-8"}


def _finder(wanted: str | Callable[[str], object]) -> Callable[[str], object]:
    return (lambda now: wanted in now) if isinstance(wanted, str) else wanted


def _code(key: str) -> str:
    if key in KEYS or len(key) == 1:
        return KEYS.get(key, key)
    modifier, _, rest = key.partition("+")
    if modifier == "ctrl" and len(rest) == 1:
        return chr(ord(rest) & 0x1F)
    assert modifier == "alt", f"no such key: {key}"
    return "\x1b" + _code(rest)


def _row(screen: pyte.Screen, y: int) -> str:
    """Return a row; half of a wide character is a blank, as a frame may be read in the middle."""
    cells = [screen.buffer[y][x].data for x in range(screen.columns)]
    before = ["", *cells]
    return "".join(cell or " " * (cell_len(before[x]) != 2) for x, cell in enumerate(cells))
