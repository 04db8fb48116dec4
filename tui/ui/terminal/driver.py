"""The terminal: taken when the program starts, given back as it was however the program ends."""

from __future__ import annotations

import asyncio
import os
import select
import signal
import sys
import termios
from collections.abc import Callable, Iterable
from contextlib import suppress
from typing import Any, TextIO, cast

from rich.color import ColorSystem
from textual import events
from textual.app import App
from textual.geometry import Offset, Size
from textual.message import Message

from tui.ui.terminal.input_stage import InputStage
from tui.ui.terminal.ordinary_screen import erasing
from tui.ui.terminal.output import Output, open_again
from tui.ui.terminal.pen import erases_in_colour
from tui.ui.terminal.picture import Picture
from tui.ui.terminal.textual_internals import ScreenPiece, SendingDriver
from tui.ui.terminal.type_ahead import TypeAhead

USUAL, LARGEST = Size(80, 24), Size(500, 200)
"""The size of a terminal that doesn't tell its own, and the largest that is believed."""
MOST_TYPED_AHEAD = 20_000
"""With so many messages before the app, nothing more is read: the terminal keeps it."""
_READ_BYTES = 4096
_PAUSE_SECONDS = 0.02
"""How long reading pauses then, in seconds."""

ENDING = (signal.SIGHUP, signal.SIGINT, signal.SIGQUIT, signal.SIGTERM)
"""The signals that end the program."""

_LFLAGS = termios.ECHO | termios.ICANON | termios.IEXTEN | termios.ISIG
_IFLAGS = termios.IXON | termios.IXOFF | termios.ICRNL | termios.INLCR | termios.IGNCR
_ON = "\x1b[?1049h\x1b[?25l\x1b[?7l\x1b[?2004h"
"""Alternate screen, no cursor, no line wrapping, bracketed paste."""
_OFF = "\x1b[m\x1b[r\x1b[?2004l\x1b[?7h"
"""Plain text on all rows, in case a frame was cut off; no bracketed paste, lines wrapped."""
_BACK = "\x1b[?1049l\x1b[?25h"
_MOUSE_ON = "\x1b[?1000h\x1b[?1003h\x1b[?1006h"
_MOUSE_OFF = "\x1b[?1006l\x1b[?1003l\x1b[?1000l"
_AT_ONCE_BEGIN, _AT_ONCE_END = "\x1b[?2026h", "\x1b[?2026l"
_LONG_FRAME = 200
"""Longer frames, in characters, are shown at once where the terminal can do that."""
_KITTY_ON, _KITTY_OFF = "\x1b[>1u", "\x1b[<u"
"""Esc, and keys with ctrl and alt, tell themselves apart from the begin of a sequence."""
_ASK_SYNCHRONIZED = "\x1b[?2026$p"
_ASK_KITTY_AND_KIND = "\x1b[?u\x1b[c"
"""The last question, which every terminal answers, tells how fast answers come."""


class TerminalDriver(SendingDriver):
    """Reads from standard input and draws on standard output, both on the event loop.

    Standard error may be a log. Textual's own driver would read in a thread, block the loop while
    the terminal takes nothing, and heed variables of the environment.
    """

    def __init__(
        self,
        app: App[Any],
        *,
        debug: bool = False,
        mouse: bool = True,
        size: tuple[int, int] | None = None,
    ) -> None:
        self._input = cast("TextIO", sys.__stdin__).fileno()
        super().__init__(app, debug=debug, mouse=mouse, size=size or self._measure())
        self._program = cast("TypeAhead[Any]", app)
        self._event_loop = asyncio.get_running_loop()
        self._uses_mouse = mouse and not os.environ.get("STY")  # GNU screen holds Esc back for it
        self._output = Output(
            cast("TextIO", sys.__stdout__),
            self._send_changes,
            has_plain_signs=self._program.has_plain_signs,
        )
        self._picture = Picture(
            erases_in_colour=erases_in_colour(os.environ), sends_all=self._program.sends_all
        )
        self._shows_at_once = False
        self._own_input: int | None = None
        self._stage: InputStage | None = None
        self._timer: asyncio.TimerHandle | None = None
        self._settings: list[Any] | None = None
        self._is_taken = False

    @property
    def can_suspend(self) -> bool:
        """The terminal can be given back for a while."""
        return True

    # Out

    def write(self, data: str) -> None:
        """Add to the frame that `flush` completes."""
        self._output.write(data)

    def flush(self) -> None:
        """Send the frame, unless the terminal doesn't keep up."""
        self._output.flush()

    def send(self, sequence: str) -> None:
        """Send a sequence that must not be dropped."""
        self._output.send(sequence)

    def draw(
        self,
        pieces: Iterable[ScreenPiece],
        cursor: Offset,
        colours: ColorSystem,
        *,
        at_once: bool,
    ) -> None:
        """Draw these, and send what changed by that as soon as the terminal takes it."""
        self._picture.draw(pieces, cursor, colours)
        self._shows_at_once = at_once
        self._send_changes()

    def redraw(self) -> None:
        """Send everything that is to be on the screen, whatever was sent before."""
        self._picture.forget()
        self._send_changes()

    def _send_changes(self) -> None:
        """Send what is not on the terminal yet; one that doesn't keep up gets it all later."""
        if not self._is_taken or not self._output.is_ready:
            return
        changes = self._picture.changes()
        if self._shows_at_once and len(changes) > _LONG_FRAME:
            changes = _AT_ONCE_BEGIN + changes + _AT_ONCE_END
        self._output.write(changes)
        self._output.flush()

    # From start to end

    def start_application_mode(self) -> None:
        """Take the terminal, once whatever ends the program is sure to give it back.

        A SIGHUP that is ignored stays so, as `nohup` wants it; shells have SIGINT and SIGQUIT
        ignored by every background job, which is not meant for a program with a terminal.
        """
        for number in ENDING:
            if number != signal.SIGHUP or signal.getsignal(number) is not signal.SIG_IGN:
                self._event_loop.add_signal_handler(number, self._program.end_at_once, number)
        self._is_taken = True
        with suppress(termios.error):
            self._settings = termios.tcgetattr(self._input)
        self._take_settings()
        self._event_loop.add_signal_handler(signal.SIGWINCH, self._resized)
        self._event_loop.add_signal_handler(signal.SIGTSTP, self._stop)
        self._event_loop.add_signal_handler(signal.SIGCONT, self._continued)
        self._output.send(self._modes() + _KITTY_ON + self._questions())
        self._stage = InputStage(self._measure(), self._event_loop.time())
        self._own_input = open_again(self._input)
        self._read_on()
        self._resized()

    def disable_input(self) -> None:
        """Read no more, and forget what was typed and not read."""
        if self._stage is None:
            return
        self._stage = None
        self._pause()
        if self._own_input is not None:
            os.close(self._own_input)
            self._own_input = None
        for number in (signal.SIGWINCH, signal.SIGTSTP, signal.SIGCONT):
            self._event_loop.remove_signal_handler(number)
        with suppress(termios.error):
            termios.tcflush(self._input, termios.TCIFLUSH)

    def stop_application_mode(self) -> None:
        """Give the terminal back."""
        self.disable_input()
        if not self._is_taken:
            return
        self._is_taken = False
        if self._settings is not None:
            with suppress(termios.error):
                termios.tcsetattr(self._input, termios.TCSANOW, self._settings)
        mouse = _MOUSE_OFF if self._uses_mouse else ""
        self._output.finish(erasing(os.environ) + mouse + _OFF + _KITTY_OFF + _BACK)

    def close(self) -> None:
        """Do nothing: the terminal may be taken once more after this."""

    def _modes(self) -> str:
        return _ON + (_MOUSE_ON if self._uses_mouse else "")

    def _questions(self) -> str:
        # Apple's terminal doesn't know the first one, and shows a part of it.
        is_known = os.environ.get("TERM_PROGRAM", "") != "Apple_Terminal"
        return (_ASK_SYNCHRONIZED if is_known else "") + _ASK_KITTY_AND_KIND

    def _take_settings(self) -> None:
        """Have every key come at once, as it is, without echo; ctrl+c is a key, too."""
        with suppress(termios.error):
            raw = termios.tcgetattr(self._input)
            raw[0] &= ~_IFLAGS
            raw[3] &= ~_LFLAGS
            raw[6][termios.VMIN] = 1
            termios.tcsetattr(self._input, termios.TCSANOW, raw)

    def _stop(self) -> None:
        """Stop as other programs do at SIGTSTP, with the terminal given back meanwhile."""
        self.stop_application_mode()
        signal.raise_signal(signal.SIGSTOP)
        self.start_application_mode()

    def _continued(self) -> None:
        """Take the terminal once more: a shell may have changed it meanwhile."""
        self._take_settings()
        self._output.send(self._modes())
        self.redraw()

    # The window

    def _measure(self) -> Size:
        """Return the window's size, which a terminal may tell wrongly, or not at all."""
        try:
            width, height = os.get_terminal_size(cast("TextIO", sys.__stdout__).fileno())
        except OSError:
            width = height = 0
        width, height = width or USUAL.width, height or USUAL.height
        return Size(min(width, LARGEST.width), min(height, LARGEST.height))

    def _resized(self) -> None:
        size = self._measure()
        self._output.set_size(size)
        is_other = self._picture.resize(size)
        if self._stage is not None:
            self._stage.size = size
        if not is_other:
            # It may have been another one for a moment, in which the terminal lost rows.
            self._send_changes()
        self.send_message(events.Resize(size, size))

    # In

    def send_message(self, message: Message) -> None:
        """Send a message to the app; like everything here, this runs on its event loop."""
        self._program.post_message(message)

    @property
    def _descriptor(self) -> int:
        return self._input if self._own_input is None else self._own_input

    def _guard(self, callback: Callable[[], None]) -> None:
        """Call back; without what is read from the terminal the program can't go on."""
        try:
            callback()
        except Exception as error:  # noqa: BLE001  # the crash hook of these callbacks
            self._pause()
            self._program.crash(error)

    def _read_on(self) -> None:
        if self._stage is not None:
            self._event_loop.add_reader(self._descriptor, self._guard, self._read)
            self._plan()

    def _read(self) -> None:
        """Take in what was typed; where there is an end to it, the terminal is gone."""
        try:
            data = os.read(self._descriptor, _READ_BYTES)
        except BlockingIOError:
            return
        except OSError:
            data = b""
        if self._stage is None:
            return
        if data:
            self._process(self._stage.feed(data, self._event_loop.time()))
        else:
            self._pause()
            self._program.end_at_once(signal.SIGHUP)

    def _expire(self) -> None:
        """Have done with what is unfinished, unless its rest has come and only waits to be read."""
        if select.select((self._descriptor,), (), (), 0)[0]:
            self._read()
        elif self._stage is not None:
            self._process(self._stage.expire(self._event_loop.time()))

    def _process(self, messages: list[Message]) -> None:
        for message in messages:
            self.process_message(message)
        self._plan()

    def _plan(self) -> None:
        """Look after what is unfinished in time; read no more while the app is far behind."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        if self._stage is None:
            return
        if self._program.typed_ahead > MOST_TYPED_AHEAD:
            self._event_loop.remove_reader(self._descriptor)
            self._timer = self._event_loop.call_later(_PAUSE_SECONDS, self._read_on)
        elif self._stage.expires is not None:
            self._timer = self._event_loop.call_at(self._stage.expires, self._guard, self._expire)

    def _pause(self) -> None:
        self._event_loop.remove_reader(self._descriptor)
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
