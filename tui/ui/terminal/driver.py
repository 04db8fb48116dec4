"""The terminal: given back as it was found, however the program ends, and whatever is sent."""

from __future__ import annotations

import asyncio
import os
import re
import selectors
import signal
import sys
import time
from codecs import getincrementaldecoder, register_error
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any, TextIO, cast

from rich.cells import cell_len
from rich.color import ColorSystem
from textual._xterm_parser import XTermParser
from textual.drivers.linux_driver import LinuxDriver
from textual.filter import NoColor
from textual.message import Message

from tui.delivery.plain_view import ENDING
from tui.ui.terminal.ordinary_screen import erasing

if TYPE_CHECKING:
    from textual.app import App

PASTE_SECONDS = 2.0
"""How long a paste whose end never comes keeps the keys from being keys, in seconds."""

_PASTE_BEGINS, _PASTE_ENDS = "\x1b[200~", "\x1b[201~"


_PLAIN = {
    ord(fine): plain
    for plain, all_fine in {
        "-": "─━", "|": "│┃▏", "+": "╭╮╰╯┌┐└┘├┤┬┴┼", "_": "▁", "#": "█", ">": "▌›→▸", "^": "↑",
        "v": "↓✓", "x": "✗×", "*": "•", ".": "·…⋯", "'": "’", '"': "“”",
    }.items()
    for fine in all_fine
}  # fmt: skip
"""What is drawn in place of a character that the terminal's encoding lacks."""


_MONOCHROME = re.compile(r"vt(52|1\d\d|220|320|420|5[12]0)(-.*)?|.*-(m|mono)")
"""What TERM is called on terminals that have no colours."""

_FEW_COLORS = re.compile(r".*-(8|16|88)color")

_256_COLORS = frozenset({
    "alacritty", "contour", "domterm", "foot", "ghostty", "gnome", "hterm", "iterm", "iterm2",
    "iterm2.app", "iterm.app", "kitty", "konsole", "mintty", "mlterm", "ms", "nsterm", "putty",
    "rio", "st", "terminator", "terminology", "termite", "tmux", "vscode", "vte", "warp", "wezterm",
    "zellij",
})  # fmt: skip
"""Parts of what TERM is called on terminals that have 256 colours without saying so in it."""


def color_system(environ: Mapping[str, str]) -> ColorSystem | None:
    """Return how many colours the terminal has by COLORTERM and TERM; None where it has none.

    SSH passes on TERM alone, so where that names a terminal known to have 256 it has as many.
    """
    name = environ.get("TERM", "").strip().lower()
    in_screen = bool(environ.get("STY"))  # which passes on the COLORTERM around it, and can't do it
    if environ.get("COLORTERM", "").strip().lower() in {"truecolor", "24bit"} and not in_screen:
        return ColorSystem.TRUECOLOR
    if "-direct" in name:
        return ColorSystem.TRUECOLOR
    if _MONOCHROME.fullmatch(name):
        return None
    if _FEW_COLORS.fullmatch(name):
        return ColorSystem.STANDARD
    if "256color" in name or environ.get("TMUX") or _256_COLORS & {*name.split("-")}:
        return ColorSystem.EIGHT_BIT
    return ColorSystem.STANDARD


class Ended(Message):
    """The program is to end at once: a signal says so, or its terminal is gone."""

    def __init__(self, number: signal.Signals) -> None:
        super().__init__()
        self.exit_code = 128 + number


def _plainly(error: UnicodeError) -> tuple[str, int]:
    """Replace what can't be encoded, cell by cell: `errors` of a codec."""
    if not isinstance(error, UnicodeEncodeError):
        raise error
    lost = error.object[error.start : error.end].translate(_PLAIN)
    shown = "".join(c if c.isascii() else "?" * cell_len(c) for c in lost)
    return shown, error.end


register_error("plainly", _plainly)


class Output:
    """Writes to a terminal as long as there is one, and then nowhere.

    Textual's writer would die of the error, and whoever writes to it wait for ever.
    """

    def __init__(self, file: TextIO) -> None:
        self._file = file

    def write(self, text: str) -> None:
        """Write `text` at once: what is kept for later would be lost where a write is not done."""
        data = text.encode(self._file.encoding, "plainly")
        try:
            while data:
                data = data[self._written(data) :]
        except OSError:
            self._let_go()

    def flush(self) -> None:
        """Do nothing, as nothing is kept back."""

    def fileno(self) -> int:
        """Return the descriptor that is written to."""
        return self._file.fileno()

    def _written(self, data: bytes) -> int:
        """Return how much of `data` was written; another program may have made that not wait."""
        try:
            return os.write(self.fileno(), data)
        except BlockingIOError:
            os.set_blocking(self.fileno(), True)
            return 0

    def _let_go(self) -> None:
        """Have the rest go nowhere, also what Python itself flushes at its end."""
        nowhere = os.open(os.devnull, os.O_WRONLY | os.O_CLOEXEC)
        os.dup2(nowhere, self.fileno())
        os.close(nowhere)


class TerminalDriver(LinuxDriver):
    """Textual's driver, which posts `Ended` to the app, and takes no harm from what it reads.

    It draws on standard output, which was found to be a terminal; standard error may be a log.
    """

    def __init__(
        self,
        app: App[Any],
        *,
        debug: bool = False,
        mouse: bool = True,
        size: tuple[int, int] | None = None,
    ) -> None:
        super().__init__(app, debug=debug, mouse=mouse, size=size)
        colors = color_system(os.environ)
        app.console._color_system = colors or ColorSystem.STANDARD
        if colors is None:
            app.no_color = True
            app._filters.append(NoColor())
        self._file = cast("Any", Output(cast("TextIO", sys.__stdout__)))

    def start_application_mode(self) -> None:
        """Take the terminal, once whatever ends the program is sure to give it back.

        A SIGHUP that is ignored stays so, as `nohup` wants it; shells have SIGINT and SIGQUIT
        ignored by every background job, which is not meant for a program with a terminal.
        """
        loop = asyncio.get_running_loop()
        for number in ENDING:
            if number != signal.SIGHUP or signal.getsignal(number) is not signal.SIG_IGN:
                loop.add_signal_handler(number, self._tell_end, number)
        super().start_application_mode()  # type: ignore[no-untyped-call]

    def stop_application_mode(self) -> None:
        """Give the terminal back, without the program's picture on it."""
        self.write(erasing(os.environ))
        super().stop_application_mode()

    def _run_input_thread(self) -> None:
        try:
            self.run_input_thread()
        except Exception as error:  # noqa: BLE001  # the crash hook of this thread
            self._app.call_later(self._app._handle_exception, error)

    def run_input_thread(self) -> None:
        """Read what is typed until the app takes no more of it, or the terminal is gone."""
        parser, paste = XTermParser(), _Paste()
        decode = getincrementaldecoder("utf-8")("replace").decode
        with selectors.SelectSelector() as selector:
            selector.register(self.fileno, selectors.EVENT_READ)
            while not self.exit_event.is_set():
                text = ""
                if selector.select(0.1):
                    data = self._read()
                    if data == b"":
                        self._tell_end(signal.SIGHUP)
                        self.exit_event.wait()
                        return
                    text = decode(data or b"")
                if text := text + paste.ending(text):
                    self._process(parser.feed(text))
                self._process(parser.tick())

    def _tell_end(self, number: signal.Signals) -> None:
        self._app.post_message(Ended(number))

    def _read(self) -> bytes | None:
        """Return what was typed, b"" where the terminal is gone, None where nothing was there.

        That can be where another program has made reading not wait, and took it first.
        """
        try:
            return os.read(self.fileno, 4096)
        except BlockingIOError:
            os.set_blocking(self.fileno, True)
            return None
        except OSError:
            return b""

    def _process(self, messages: Iterable[Message]) -> None:
        for message in messages:
            self.process_message(message)


class _Paste:
    """Tells a paste whose end got lost on the way."""

    def __init__(self) -> None:
        self._tail = ""
        self._since: float | None = None

    def ending(self, text: str) -> str:
        """Take in what was read; return what ends a paste after which nothing more came."""
        now = time.monotonic()
        if text:
            seen = self._tail + text
            begun, ended = seen.rfind(_PASTE_BEGINS), seen.rfind(_PASTE_ENDS)
            self._tail = seen[1 - len(_PASTE_ENDS) :]
            if begun > ended or (self._since is not None and ended < 0):
                self._since = now
            elif ended >= 0:
                self._since = None
        elif self._since is not None and now - self._since > PASTE_SECONDS:
            self._since = None
            return _PASTE_ENDS
        return ""
