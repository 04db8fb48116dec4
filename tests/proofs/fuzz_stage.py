"""A million sequences of what terminals send, and what they don't, into the input stage.

Run by hand: `python -m tests.proofs.fuzz_stage [SEQUENCES] [SEED]`. Half of them are noise with
keys in between, cut anywhere, with pauses: just those keys must be heard. The others are mutated:
nothing is typed that is not in them, and the stage listens again afterwards.
"""

from __future__ import annotations

import re
import sys
import time

from textual import events
from textual.message import Message

from tests.noise import PASTED, Noise
from tui.ui.terminal.driver import USUAL
from tui.ui.terminal.input_stage import InputStage

LONG = 60.0
"""Seconds after which nothing is waited for any more."""
A_STREAM = 8
"""How many sequences come in a row."""
KEYPAD = "0123456789./*-+=,\r"
"""What a keypad types by letters."""
_CODES = re.compile(rb"\d+")


class Typist:
    """Feeds a stage, and waits as a terminal would."""

    def __init__(self) -> None:
        self._stage, self._now = InputStage(USUAL, 0.0), 0.0
        self.messages: list[Message] = []

    def send(self, data: bytes, pause: float) -> None:
        """Send `data`, then nothing for `pause` seconds."""
        self.messages += self._stage.feed(data, self._now)
        until = self._now + pause
        while self._stage.expires is not None and self._stage.expires <= until:
            self._now = self._stage.expires
            self.messages += self._stage.expire(self._now)
        self._now = until

    @property
    def keys(self) -> list[events.Key]:
        """The keys that were heard."""
        return [message for message in self.messages if isinstance(message, events.Key)]


def heard_are_the_keys(noise: Noise, sequences: int) -> None:
    """Raise AssertionError where something else is heard than the keys between the noise."""
    data, names = noise.stream(sequences)
    parts = list(noise.cut(data))
    typist = Typist()
    for part, pause in parts:
        typist.send(part, pause)
    typist.send(b"", LONG)
    heard = [key.character if key.key.startswith("latin") else key.key for key in typist.keys]
    assert heard == names, (parts, heard, names)


def goes_on(noise: Noise, sequences: int) -> None:
    """Raise AssertionError where mutated sequences type what is not in them, or leave it deaf."""
    data = noise.mutated(noise.stream(sequences)[0])
    typist = Typist()
    for part, pause in noise.cut(data):
        typist.send(part, pause)
    codes = {chr(int(code)) for code in _CODES.findall(data) if int(code) < 0x110000}
    there = {*data.decode("utf-8", "ignore"), *data.decode("latin-1"), *codes, *KEYPAD}
    for key in typist.keys:
        character = key.character
        assert character is None or character in there or character.lower() in there, (data, key)
    for part in (b"", b"\x1b[27u", b"", PASTED, b"", b"x"):
        typist.send(part, LONG)
    assert typist.keys[-1].key == "x", data


def main(sequences: int, seed: int) -> None:
    """Go through so many sequences, and say how it went."""
    start, noise = time.monotonic(), Noise(seed)
    for _ in range(sequences // A_STREAM // 2):
        heard_are_the_keys(noise, A_STREAM)
        goes_on(noise, A_STREAM)
    passed = time.monotonic() - start
    sys.stdout.write(f"{sequences:,} sequences in {passed:.0f} s: no key that nobody pressed\n")


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 1_000_000, int(*sys.argv[2:3]))
