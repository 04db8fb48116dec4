"""How long a session waits for a line of 9,600 baud, with this program and with other versions.

Run by hand: `python -m tests.proofs.baud_line [CHECKOUT …]`; each checkout is a folder with another
version. Between the program and its terminal, 960 bytes pass in a second. Each step is timed from
its keys to the last byte that they cause, so that what has to be waited for is all there.
"""

from __future__ import annotations

import os
import select
import sys
import tempfile
import time
from collections.abc import Mapping
from pathlib import Path

from tests.node import Node
from tests.terminal import Terminal

BYTES_A_SECOND = 960
_TICK_SECONDS = 0.01
QUIET_SECONDS = 1.0
"""After so long without a byte a step is over."""
PATIENCE = 180.0


class BaudLine(Terminal):
    """The program at the far end of such a line."""

    def _read(self) -> None:
        """Take no more bytes than pass, until the program ends."""
        began, taken = time.perf_counter(), 0
        while not select.select([self._waker], [], [], _TICK_SECONDS)[0]:
            now = time.perf_counter()
            if not select.select([self._master], [], [], 0)[0]:
                began, taken = now, 0  # the line has been idle
                continue
            if not (room := int((now - began) * BYTES_A_SECOND) - taken):
                continue
            try:
                data = os.read(self._master, room)
            except OSError:  # the program's side is closed
                break
            taken += len(data)
            with self._news:
                self.raw += data
                self.arrivals.append((len(self.raw), time.perf_counter()))
                self._news.notify_all()
        with self._news:
            self._ended = True
            self._news.notify_all()

    def does(self, *keys: str, wanted: str = "") -> float:
        """Press keys; return the seconds until all is there that they cause."""
        mark, began = self.mark, time.perf_counter()
        self.press(*keys)
        return self.settled(mark, began, wanted)

    def settled(self, mark: int, began: float, wanted: str = "") -> float:
        """Return the seconds until a text stands there, and nothing more comes."""
        with self._news:
            assert self._news.wait_for(lambda: len(self.raw) > mark, PATIENCE)
        self.wait_for(wanted, PATIENCE)
        with self._news:
            while self._news.wait(QUIET_SECONDS) and not self._ended:
                pass
            return self.arrivals[-1][1] - began


def session(node: Node, checkout: Path, folder: str) -> dict[str, float]:
    """Sign in, move, look at the help, create a key, see its secret, leave; time each step."""
    env: Mapping[str, str] = {"PYTHONPATH": str(checkout), "XDG_STATE_HOME": folder}
    how = ["--url", node.url, "--username", node.username, "--allow-http"]
    began = time.perf_counter()
    with BaudLine([sys.executable, "-m", "tui", *how], env=env, cwd=checkout) as program:
        steps = {"start, until the form stands there": program.settled(0, began, "Password")}
        program.does(*node.password)
        steps["Enter, until the list is there"] = program.does("enter", wanted="Sender 1")
        steps["cursor down"] = program.does("down")
        steps["page down"] = program.does("pagedown")
        steps["help opens"] = program.does("f1")
        steps["help closes"] = program.does("escape")
        steps["form opens"] = program.does("n")
        steps["five letters typed"] = program.does(*"A key")
        program.does("tab", *node.password, "tab", "tab", "space")
        steps["saved, until the secret is there"] = program.does("ctrl+s", wanted="was created")
        steps["stored, until the list is back"] = program.does("s")
        if "Have you stored" in program.text:  # not every version asks
            steps["stored, until the list is back"] += program.does("tab", "enter")
        mark, began = program.mark, time.perf_counter()
        program.press("q")
        program.wait_exit(PATIENCE)
        steps["left"] = program.settled(mark, began)
        steps["bytes in all"] = program.mark
    return steps


def main(others: list[str]) -> None:
    """Print the steps of each version beside each other."""
    checkouts = [Path(__file__).parents[2], *map(Path, others)]
    columns = []
    for checkout in checkouts:
        with Node(seeds=False) as node, tempfile.TemporaryDirectory() as folder:
            for number in range(40):
                node.add_key(f"Sender {number}")
            columns.append(session(node, checkout.resolve(), folder))
    lines = ["seconds at 9,600 baud".ljust(38) + "".join(f"{c.name:>14}" for c in checkouts)]
    lines += [
        step.ljust(38) + "".join(f"{column[step]:14,.1f}" for column in columns)
        for step in columns[0]
    ]
    sys.stdout.write("\n".join([*lines, ""]))


if __name__ == "__main__":
    main(sys.argv[1:])
