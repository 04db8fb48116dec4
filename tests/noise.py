"""What terminals send besides keys, made up at random: none of it is ever a key."""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence
from itertools import pairwise

ESC = b"\x1b"
PASTE, PASTED = b"\x1b[200~", b"\x1b[201~"
KEYS = {
    b"j": "j",
    b"\r": "enter",
    b"\x1b[B": "down",
    b"\x1bOP": "f1",
    b"\x1b[3~": "delete",
    b"\x1b[27u": "escape",
    b"\x1b[97;5u": "ctrl+a",
    b"\xc3\xa9": "é",
}
"""Keys among the noise, and what they are called."""
SHORT_PAUSE, LONG_PAUSE = 0.02, 2.7
"""How long a stream may pause in an escape sequence's first bytes, and elsewhere, in seconds."""

_PARAMETERS = b"0123456789;:?>=<!\" '"
_FINALS = b"cnytgmsxhl"
_BEGINS = (b"]", b"P", b"X", b"^", b"_")
_STRING_BYTES = bytes([*range(0x08, 0x18), *range(0x20, 0x7F), *range(0xA0, 0x100)]).translate(
    None, b"\x07"
)
_PASTED_BYTES = bytes([*range(0x20, 0x7F), *b"\r\n\t", *range(0xC3, 0xF0)])
_NEVER_IN_TEXT = b"\xc0\xc1\xf5\xf8\xfe\xff"


class Noise:
    """Makes up what is no key; with `has_pastes`, also texts that are pasted."""

    def __init__(self, seed: int, *, has_pastes: bool = True) -> None:
        self._random = random.Random(seed)  # noqa: S311  # no secret
        self._kinds = [
            self._report, self._report, self._cut_short, self._string, self._kitty, self._mouse,
            self._no_text, self._cursor, self._wide_report,
        ]  # fmt: skip
        if has_pastes:
            self._kinds.append(self._paste)

    def sequence(self) -> bytes:
        """Return one sequence."""
        return self._random.choice(self._kinds)()

    def stream(self, sequences: int) -> tuple[bytes, list[str]]:
        """Return so many sequences with keys between them, and what those are called."""
        data, names = [], []
        for _ in range(sequences):
            data.append(self.sequence())
            if self._random.random() < 0.5:
                key = self._random.choice(list(KEYS))
                data.append(key)
                names.append(KEYS[key])
        return b"".join(data), names

    def cut(self, data: bytes, most: int = 4) -> Iterator[tuple[bytes, float]]:
        """Cut `data` anywhere; return the parts, and how long nothing comes after each."""
        places = self._random.choices(range(len(data) + 1), k=self._random.randint(0, most))
        cuts = sorted({0, *places, len(data)})
        for start, end in pairwise(cuts):
            is_begin = ESC in data[max(0, end - 2) : end]
            pauses = (SHORT_PAUSE,) if is_begin else (0.0, SHORT_PAUSE, LONG_PAUSE)
            yield data[start:end], self._random.choice(pauses)

    def mutated(self, data: bytes) -> bytes:
        """Return `data` with some bytes changed, left out, put in, or doubled."""
        bytes_now = bytearray(data)
        for _ in range(self._random.randint(1, 4)):
            at = self._random.randrange(len(bytes_now) + 1)
            match self._random.randrange(4):
                case 0:
                    bytes_now[at : at + 1] = self._random.randbytes(1)
                case 1:
                    del bytes_now[at : at + self._random.randint(1, 5)]
                case 2:
                    bytes_now[at:at] = self._random.randbytes(self._random.randint(1, 4))
                case _:
                    bytes_now[at:at] = bytes_now[at : at + self._random.randint(1, 9)]
        return bytes(bytes_now)

    def _bytes(self, among: bytes, most: int) -> bytes:
        return bytes(self._random.choices(among, k=self._random.randint(0, most)))

    def _one(self, among: Sequence[bytes]) -> bytes:
        return self._random.choice(among)

    def _report(self) -> bytes:
        """Return an answer like those about attributes, modes and sizes."""
        introducer = self._one((b"\x1b[", b"\x1b[", b"\x9b", b"\xc2\x9b"))
        first = self._one((b"?", b">", b"=", b"0;", b"8;"))
        final = bytes([self._random.choice(_FINALS)])
        return introducer + first + self._bytes(_PARAMETERS, 12) + final

    def _wide_report(self) -> bytes:
        return ESC + b"[" + self._bytes(b"0123456789;", 900) + b"n"

    def _cursor(self) -> bytes:
        return b"\x1b[%d;%dR" % (self._random.randint(1, 999), self._random.randint(1, 999))

    def _cut_short(self) -> bytes:
        return (
            self._one((b"\x1b[", b"\x1bO", b"\x1b]", b"\x1bP1"))
            + self._bytes(b"0123;?", 6)
            + b"\x1b[0n"
        )

    def _string(self) -> bytes:
        """Return a string such as the answers about colours, the version, the clipboard."""
        most = 3000 if self._random.random() < 0.01 else 30
        end = self._one((b"\x07", b"\x1b\\"))
        return ESC + self._one(_BEGINS) + self._bytes(_STRING_BYTES, most) + end

    def _kitty(self) -> bytes:
        """Return the release of a key, or a report about a code point that no key types."""
        if self._random.random() < 0.5:
            return b"\x1b[%d;%d:3u" % (self._random.randint(1, 60000), self._random.randint(1, 256))
        return b"\x1b[%d;%du" % (
            self._random.randint(0x110000, 9999999),
            self._random.randint(1, 256),
        )

    def _mouse(self) -> bytes:
        """Return a report of the mouse far beyond the screen, or in the oldest form."""
        if self._random.random() < 0.5:
            return b"\x1b[M" + bytes(self._random.choices(range(0x20, 0x7F), k=3))
        return b"\x1b[<%d;%d;999%s" % (
            self._random.randint(0, 255), self._random.randint(600, 9999), self._one((b"M", b"m")),
        )  # fmt: skip

    def _no_text(self) -> bytes:
        """Return bytes that are in no text, and the begin of a character without its end."""
        return (
            self._bytes(_NEVER_IN_TEXT, 4)
            + self._one((b"\xc3", b"\xe2\x82", b"\xf0\x9f\x98"))
            + b"\x1b[0n"
        )

    def _paste(self) -> bytes:
        return PASTE + self._bytes(_PASTED_BYTES, 40) + PASTED
