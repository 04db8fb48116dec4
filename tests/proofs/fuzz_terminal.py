"""The whole program under a storm of what terminals send besides keys: nothing may come of it.

Run by hand: `python -m tests.proofs.fuzz_terminal SEQUENCES [SEED]`. Half of the sequences come
over the list, half over a new secret, cut anywhere, some with pauses. Afterwards the screen is the
same, the server was asked nothing, and a signal in the middle of a last storm is heard at once.
"""

from __future__ import annotations

import random
import signal
import sys
import tempfile
import threading
import time
from pathlib import Path

from tests.node import Node
from tests.noise import Noise
from tests.program.program import SECRET, Program

PACKET, LONGEST_PAUSE, PATIENCE = 3000, 0.03, 0.5
LONG, LONG_SHARE = b"\x1b]52;" + b"d\r" * 10_000 + b"\x07", 0.0005
"""An answer that is far too long, and how often it comes."""


class Storm:
    """Sends what is no key to a program."""

    def __init__(self, program: Program, seed: int) -> None:
        self._program, self._random = program, random.Random(seed)  # noqa: S311  # no secret
        self._noise = Noise(seed)
        self._is_over = threading.Event()

    def blow(self, sequences: int) -> None:
        """Send so many sequences, or fewer where the program has ended."""
        chance = self._random.random
        while sequences > 0 and not self._is_over.is_set():
            number = min(sequences, self._random.randrange(1, 200))
            sequences -= number
            data = b"".join(
                LONG if chance() < LONG_SHARE else self._noise.sequence() for _ in range(number)
            )
            while data and not self._is_over.is_set():
                size = self._random.randrange(1, PACKET)
                self._program.send(data[:size])
                data = data[size:]
                if chance() < 0.1:
                    time.sleep(chance() * LONGEST_PAUSE)

    def end(self) -> None:
        """Send no more."""
        self._is_over.set()


def main(sequences: int, seed: int) -> None:
    """Run the storms over the list, over a secret, and until a signal."""
    with Node() as node, tempfile.TemporaryDirectory() as folder:
        to = ("--url", node.url, "--username", node.username)
        with Program(*to, state=Path(folder)) as program:
            storm = Storm(program, seed)
            program.sign_in(node)
            before, requests = program.wait_quiet(seconds=60), len(node.requests)
            storm.blow(sequences // 2)
            assert program.wait_quiet(seconds=60) == before
            assert len(node.requests) == requests

            program.send(f"nMade here\t{node.password}\t\t\t \r")
            program.shows("The API key was created")
            secret, requests = program.secret, len(node.requests)
            storm.blow(sequences // 2)
            program.wait_quiet(seconds=60)
            assert SECRET.findall(program.text) == [secret]
            assert len(node.requests) == requests

            blowing = threading.Thread(target=storm.blow, args=(sequences,), daemon=True)
            blowing.start()
            time.sleep(1)
            sent = time.monotonic()
            program.signal(signal.SIGTERM)
            assert program.wait_exit() == 128 + signal.SIGTERM
            heard = time.monotonic() - sent
            storm.end()
            blowing.join(1)
            assert heard < PATIENCE, heard
    sys.stdout.write(
        f"{sequences:,} sequences: no action, no end; ended by a signal in {heard:.2f} s\n"
    )


if __name__ == "__main__":
    main(int(sys.argv[1]), int(sys.argv[2]) if len(sys.argv) > 2 else 0)
