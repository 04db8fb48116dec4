"""What the bytes of a terminal mean: keys, pasted text, the mouse, or nothing.

Everything that a terminal sends passes here once. A sequence may come in pieces, with pauses, too
long, or cut short; answers to questions that an earlier program asked may come late. What is not
understood is dropped: no part of it is ever typed.
"""

from __future__ import annotations

import re
from collections.abc import Callable

from textual import events
from textual.geometry import Size
from textual.message import Message
from textual.messages import TerminalSupportsSynchronizedOutput

from tui.ui.terminal import key_names

FAST_ESCAPE_SECONDS = 0.1
"""How long ESC waits for the rest of a sequence, on a fast line, before it is the key Esc."""
SLOW_ESCAPE_SECONDS = 0.3
"""The same where the terminal answered late, or not at all."""
KITTY_ESCAPE_SECONDS = 1.0
"""The same where the terminal reports Esc in kitty's way: a lone ESC is half a sequence there."""
ALT_SECONDS = 0.05
"""How long after ESC a character still counts as typed with alt."""
REST_SECONDS = 3.0
"""How long the rest of a sequence is waited for, in seconds without a byte."""
AFTER_ESCAPE_SECONDS = 1.0
"""How long after the key Esc the rest of a sequence is still taken for that, not for text."""
PASTE_SECONDS = 2.0
"""After how long without a byte a paste can be given up, by a key that no paste holds."""

LONGEST_SEQUENCE = 256
"""How many bytes of a sequence are kept; one that is longer means nothing."""
LONGEST_PASTE = 65_536
"""How many bytes of a paste are kept."""

_ESC, _BEL, _CAN, _SUB = 0x1B, 0x07, 0x18, 0x1A
_LEAVING_KEYS = b"\x03\x11"
"""ctrl+c and ctrl+q: keys even where they cut a sequence short."""
_STRINGS = b"P]X^_"
"""What follows ESC to begin a string that a terminator ends: DCS, OSC, SOS, PM, APC."""
_ANSWERS = {ord("]"): b"0123456789lLI", ord("P"): b"0123456789>!$+|", ord("_"): b"G"}
"""How the strings begin that terminals send as answers."""
_C1 = {0x8F: "O", 0x90: "P", 0x9B: "[", 0x9D: "]"}
"""The control characters that stand for ESC and another character."""

_PASTE_END = b"\x1b[201~"
_GIVES_UP_PASTE = re.compile(rb"\x03|\x11|\x1b\[(?:27|99;5|113;5)(?:;1)?(?::1)?u")
"""Keys that no paste holds: ctrl+c, ctrl+q, and Esc where it comes in kitty's way."""
_REST_OF_SEQUENCE = re.compile(rb"\[[0-?]*[ -/]*[@-~]|\]\d+;|P[01>][$+|>]")
"""What is the rest of a sequence whose ESC came far ahead, and hardly what somebody types."""

_MOUSE = re.compile(r"<(\d{1,3});(\d{1,5});(\d{1,5})")
_WHEEL = (
    events.MouseScrollUp,
    events.MouseScrollDown,
    events.MouseScrollLeft,
    events.MouseScrollRight,
)


class InputStage:
    """Turns bytes into Textual's events; times are those of a steady clock, in seconds.

    `size` is the terminal's: what the mouse does beyond it is dropped.
    """

    def __init__(self, size: Size, now: float) -> None:
        self.size = size
        self.expires: float | None = None
        """When `expire` is to be called, because what has come so far waits for its rest."""
        self._escape_seconds = SLOW_ESCAPE_SECONDS
        self._reports_escape = False
        self._started = self._now = now
        self._events: list[Message] = []
        self._state: Callable[[int], None] = self._ground
        self._sequence = bytearray()
        self._character = b""
        self._is_rest = False  # of a sequence that means nothing without its ESC
        self._escape_key_at = float("-inf")
        self._paste_gives_up = False
        self._mouse_at = (0, 0)

    @property
    def escape_seconds(self) -> float:
        """How long ESC waits for the rest of a sequence, in seconds."""
        return KITTY_ESCAPE_SECONDS if self._reports_escape else self._escape_seconds

    def feed(self, data: bytes, now: float) -> list[Message]:
        """Return what `data` means, after what came before it."""
        since, self._now = now - self._now, now
        if self._state == self._paste:
            data = self._end_lost_paste(data, since)
        elif self._state == self._ground:
            is_late = now - self._escape_key_at < AFTER_ESCAPE_SECONDS
            if is_late and _REST_OF_SEQUENCE.match(data):
                self._state, self._is_rest = self._after_escape, True
        elif since > ALT_SECONDS and self._was_key(data[:1]):
            self._expire()
        self._escape_key_at = float("-inf")
        for byte in data:
            self._state(byte)
        self.expires = now + seconds if (seconds := self._patience()) else None
        return self._take_events()

    def expire(self, now: float) -> list[Message]:
        """Return what the bytes so far mean, now that nothing more has come in time."""
        if self.expires is not None and now >= self.expires:
            self._expire()
            self._escape_key_at = now
        return self._take_events()

    # States: what the next byte means

    def _ground(self, byte: int) -> None:
        if self._character:
            if self._continue_character(byte):
                return
            self._character = b""
        if byte == _ESC:
            self._begin(self._after_escape)
        elif byte < 0x20 or byte == 0x7F:
            self._emit(key_names.key_of_control(byte))
        elif byte < 0x80:
            self._emit(key_names.key_of_character(chr(byte)))
        elif byte in _C1:
            self._after_escape(ord(_C1[byte]))
        elif 0xC2 <= byte <= 0xF4:
            self._character = bytes([byte])

    def _after_escape(self, byte: int) -> None:
        if byte == ord("["):
            self._begin(self._csi)
        elif byte == ord("O"):
            self._begin(self._ss3)
        elif byte in _STRINGS:
            self._begin(self._string)
            self._sequence.append(byte)
        elif byte == _ESC:
            self._emit(key_names.key_of_control(_ESC))
            self._begin(self._after_escape)
        else:
            self._end()
            if byte in _LEAVING_KEYS or not self._shows_alt(byte):
                self._emit(key_names.key_of_control(_ESC))
                self._ground(byte)
            elif byte < 0x80:
                self._emit(key_names.key_with_alt(chr(byte)))

    def _shows_alt(self, byte: int) -> bool:
        """Tell whether ESC and `byte` came together because alt was held.

        On a slow line any two keys come together; but Esc and Backspace in a row make no sense.
        """
        return self.escape_seconds == FAST_ESCAPE_SECONDS or byte in b"\x08\x7f"

    def _csi(self, byte: int) -> None:
        sequence = self._sequence
        if byte == _ESC:
            self._begin(self._after_escape)
        elif byte < 0x20 or byte >= 0x7F:
            self._cut_short(byte)
        elif byte == ord("[") and not sequence:
            self._state = self._console_key
        elif byte == ord("M") and not sequence:
            self._state = self._old_mouse
        elif byte == ord("$") and sequence.isdigit() and len(sequence) <= 2:
            self._end_csi("$")  # rxvt's Home with shift and the like
        elif byte < 0x40:
            if len(sequence) <= LONGEST_SEQUENCE:
                sequence.append(byte)
        else:
            self._end_csi(chr(byte))

    def _ss3(self, byte: int) -> None:
        if byte == _ESC:
            self._begin(self._after_escape)
        elif byte < 0x20 or byte >= 0x7F:
            self._cut_short(byte)
        elif byte < 0x40:
            if len(self._sequence) <= LONGEST_SEQUENCE:
                self._sequence.append(byte)
        else:
            keys = key_names.keys_of_ss3(self._sequence.decode("ascii"), chr(byte))
            self._emit(*keys)
            self._end()

    def _console_key(self, byte: int) -> None:
        self._emit(key_names.key_of_console(chr(byte)))
        self._end()

    def _old_mouse(self, byte: int) -> None:
        """Drop three bytes: where the mouse is, from a terminal that knows no better way."""
        if byte == _ESC:
            self._begin(self._after_escape)
            return
        self._sequence.append(byte)
        if byte < 0x20:
            self._cut_short(byte)
        elif len(self._sequence) == 3:
            self._end()

    def _string(self, byte: int) -> None:
        """Drop a string: the program asks for none, so it answers somebody else."""
        if byte == _ESC:
            self._state = self._string_end
        elif byte in (_BEL, _CAN, _SUB):
            self._end()
        elif len(self._sequence) == 1:
            self._sequence.append(byte)

    def _string_end(self, byte: int) -> None:
        if byte == ord("\\"):
            self._end()
        else:
            self._begin(self._after_escape)
            self._after_escape(byte)

    def _paste(self, byte: int) -> None:
        self._sequence.append(byte)
        if self._sequence.endswith(_PASTE_END):
            del self._sequence[-len(_PASTE_END) :]
            self._end_paste()
        elif len(self._sequence) > LONGEST_PASTE + len(_PASTE_END):
            del self._sequence[LONGEST_PASTE]

    # From state to state

    def _begin(self, state: Callable[[int], None]) -> None:
        self._state = state
        self._sequence.clear()
        self._character = b""

    def _end(self) -> None:
        self._begin(self._ground)
        self._is_rest = False

    def _cut_short(self, byte: int) -> None:
        """Drop a sequence that such a byte can't be part of."""
        self._end()
        if byte in _LEAVING_KEYS:
            self._emit(key_names.key_of_control(byte))

    def _end_csi(self, final: str) -> None:
        parameters = self._sequence.decode("ascii")
        if f"{parameters}{final}" == "200~":
            self._begin(self._paste)
            self._paste_gives_up = False
            return
        if len(parameters) <= LONGEST_SEQUENCE:
            self._emit_meaning(parameters, final)
        self._end()

    def _end_paste(self) -> None:
        text = self._sequence[:LONGEST_PASTE].decode("utf-8", "ignore").replace("\0", "")
        self._end()
        if text:
            self._emit(events.Paste(text))

    def _continue_character(self, byte: int) -> bool:
        """Take the byte in as part of a character of several; False where it isn't any."""
        if not 0x80 <= byte <= 0xBF:
            return False
        self._character += bytes([byte])
        first = self._character[0]
        if len(self._character) == 2 + (first >= 0xE0) + (first >= 0xF0):
            text, self._character = self._character.decode("utf-8", "ignore"), b""
            if text and ord(text) in _C1:
                self._after_escape(ord(_C1[ord(text)]))
            elif text:
                self._emit(key_names.key_of_character(text))
        return True

    # Time

    def _patience(self) -> float | None:
        """Return how many seconds the rest is waited for; None where nothing is unfinished."""
        if self._state == self._ground:
            return None
        if self._state == self._paste:
            return self.escape_seconds if self._paste_gives_up else None
        return self.escape_seconds if self._was_key(b"") else REST_SECONDS

    def _was_key(self, data: bytes) -> bool:
        """Tell whether what came so far was a key after all, when `data` comes after a pause."""
        if self._state == self._after_escape:
            return not data or data[0] not in b"[O" + _STRINGS
        if self._state != self._string or len(self._sequence) > 1:
            return False
        begins = _ANSWERS.get(self._sequence[0])
        return begins is None or (data != b"" and data[0] not in begins)

    def _expire(self) -> None:
        """End what is unfinished: it was a key, or it is dropped."""
        self.expires = None
        if self._state == self._paste:
            del self._sequence[-1:]  # the ESC that gave it up
            self._end_paste()
            return
        if self._state == self._after_escape:
            self._emit(key_names.key_of_control(_ESC))
        elif self._state == self._string and len(self._sequence) == 1:
            self._emit(key_names.key_with_alt(chr(self._sequence[0])))
        self._end()

    def _end_lost_paste(self, data: bytes, since: float) -> bytes:
        """End a paste whose end got lost, where one of the keys comes alone that no paste holds.

        The key is used up by that, so that nothing before the end of a paste is ever a key.
        """
        self._paste_gives_up = False
        if since > PASTE_SECONDS:
            if _GIVES_UP_PASTE.fullmatch(data):
                self._end_paste()
                return b""
            self._paste_gives_up = data == bytes([_ESC])
        return data

    # Meaning

    def _take_events(self) -> list[Message]:
        taken, self._events = self._events, []
        return taken

    def _emit(self, *meanings: Message | None) -> None:
        if not self._is_rest:
            self._events.extend(event for event in meanings if event is not None)

    def _emit_meaning(self, parameters: str, final: str) -> None:
        """Emit what `ESC [ parameters final` means."""
        if final in "Mm" and (match := _MOUSE.fullmatch(parameters)):
            self._emit(self._mouse(*map(int, match.groups()), is_press=final == "M"))
        elif parameters[:1] == "?":
            self._answer(parameters[1:], final)
        else:
            self._emit(*key_names.keys_of_csi(parameters, final))

    def _answer(self, parameters: str, final: str) -> None:
        """Take in an answer to what the driver asks for when it starts."""
        if final == "y" and parameters in {"2026;1$", "2026;2$", "2026;3$"}:
            self._emit(TerminalSupportsSynchronizedOutput())
        elif final == "u" and parameters.isdecimal() and int(parameters) & 1:
            self._reports_escape = True
        elif final == "c" and self._now - self._started <= FAST_ESCAPE_SECONDS:
            self._escape_seconds = FAST_ESCAPE_SECONDS

    def _mouse(self, buttons: int, column: int, row: int, *, is_press: bool) -> Message | None:
        if not (1 <= column <= self.size.width and 1 <= row <= self.size.height):
            return None
        x, y = column - 1, row - 1
        moved = x - self._mouse_at[0], y - self._mouse_at[1]
        self._mouse_at = x, y
        button = 0 if buttons & 64 else (buttons + 1) & 3
        kind: type[events.MouseEvent]
        if buttons & 64:
            kind = _WHEEL[buttons & 3]
        elif buttons & 32 or button == 0:
            kind = events.MouseMove
        else:
            kind = events.MouseDown if is_press else events.MouseUp
        held = bool(buttons & 4), bool(buttons & 8), bool(buttons & 16)
        return kind(None, x, y, *moved, button, *held, screen_x=x, screen_y=y)
