"""A program on a pseudo-terminal of 80x24 whose steps are timed, for all benches of the whole.

Times run to the moment at which bytes were read, by a thread that does nothing else. CPU is that of
the program alone, all its threads, as the kernel counts it.
"""

from __future__ import annotations

import resource
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from functools import cache, partial
from pathlib import Path
from statistics import median
from typing import NamedTuple

from tests.bench.long_list import Served
from tests.node import Node
from tests.terminal import Terminal

QUIET = 0.4
"""After so many seconds without output, a step is over."""
PATIENCE = 300.0
LOADING_SECONDS = 4.0
"""How long the modules may take that are loaded while somebody types."""
_CLOCK_OF_PROCESS = 2
"""What in the number of a clock, as Linux makes it of a process, asks for its CPU time."""


class Cost(NamedTuple):
    """What one step takes: bytes to the terminal, seconds to the first and to the last of them."""

    bytes: float
    first: float
    last: float


class Program(Terminal):
    """A program that is timed; `began` is when its start was asked for."""

    def __init__(
        self,
        *arguments: str,
        command: str = sys.executable,
        env: Mapping[str, str] | None = None,
    ) -> None:
        self.began = time.perf_counter()
        super().__init__([command, *arguments], env=env)

    def until(self, wanted: bytes, since: int = 0) -> float:
        """Wait until these bytes (none: any) were written after a mark; return when they came."""
        with self._news:  # not by the screen: to draw it would hold up the thread that reads

            def came() -> bool:
                return len(self.raw) > since and wanted in self.raw[since:]

            self._news.wait_for(lambda: came() or self._ended, PATIENCE)
            assert came(), self._report(f"{wanted!r} never came")
            at = self.raw.find(wanted, since) + len(wanted)
            return next(when for end, when in self.arrivals if end > since and end >= at)

    def settle(self, since: int, began: float, quiet: float = QUIET) -> Cost:
        """Wait until nothing more comes; return what came since then, and when."""
        with self._news:
            while self._news.wait(quiet):
                pass
        times = [when for end, when in self.arrivals if end > since] or [began]
        return Cost(self.mark - since, times[0] - began, times[-1] - began)

    def does(self, *keys: str, quiet: float = QUIET) -> Cost:
        """Press keys, wait until something comes and nothing more does; return the cost."""
        mark, began = self.mark, time.perf_counter()
        self.press(*keys)
        self.until(b"", mark)
        return self.settle(mark, began, quiet)

    @property
    def cpu(self) -> float:
        """The CPU seconds that all its threads have taken so far, those that have ended as well."""
        return time.clock_gettime((~self.process.pid << 3) | _CLOCK_OF_PROCESS)

    @property
    def resident(self) -> float:
        """The MiB of memory that it holds."""
        return self._status("VmRSS") / 1024

    @property
    def most_resident(self) -> float:
        """The most MiB of memory that it ever held."""
        return self._status("VmHWM") / 1024

    @property
    def wake_ups(self) -> int:
        """How often any of its threads went to sleep, and so was woken, so far."""
        tasks = Path(f"/proc/{self.process.pid}/task")
        return sum(_number(task / "status", "voluntary_ctxt_switches") for task in tasks.iterdir())

    def _status(self, name: str) -> int:
        return _number(Path(f"/proc/{self.process.pid}/status"), name)


def _number(status: Path, name: str) -> int:
    lines = status.read_text(encoding="utf-8").splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith(f"{name}:"))


def options(node: Served | Node) -> list[str]:
    """Return what starts momentum-keys beside a node."""
    return ["-m", "tui", "--url", node.url, "--username", node.username, "--allow-http"]


def first_row(program: Program, node: Served | Node, wanted: str) -> float:
    """Sign in once all that loads meanwhile is there; return the seconds to the first such text."""
    program.until(b"Password")
    program.settle(0, program.began)
    program.send(node.password)  # modules are loaded from the first key on
    time.sleep(LOADING_SECONDS)
    mark, began = program.mark, time.perf_counter()
    program.press("enter")
    return program.until(wanted.encode(), mark) - began


def sign_in(program: Program, node: Served | Node, wanted: str) -> None:
    """Sign in, and wait until all of the list is there."""
    first_row(program, node, wanted)
    program.settle(0, program.began, quiet=1.0)


def timed(run: Callable[[], object]) -> tuple[float, float]:
    """Return the seconds, and the CPU seconds of child processes, that something took."""
    before, began = resource.getrusage(resource.RUSAGE_CHILDREN), time.perf_counter()
    run()
    took, after = time.perf_counter() - began, resource.getrusage(resource.RUSAGE_CHILDREN)
    return took, after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def python(*arguments: str) -> tuple[float, float]:
    """Run the interpreter to its end; return the medians of seconds and CPU seconds."""
    command = [sys.executable, *arguments]
    run = partial(subprocess.run, command, check=True, stdout=subprocess.DEVNULL)
    took, used = zip(*(timed(run) for _ in range(21)), strict=True)
    return median(took), median(used)


SHIM = cache(lambda: python("-I", "-S", "-c", "import fcntl, os, signal, sys, termios"))
"""What the terminal takes to hand over to a program, which is not the program's."""


def print_line(
    name: str, *figures: str, most: str = "", is_met: bool | None = None, width: int = 34
) -> None:
    """Print a row of a table, and whether it meets its target where it has one."""
    verdict = "" if is_met is None else "met" if is_met else "MISSED"
    columns = "".join(f"{figure:>11}" for figure in (*figures, most))
    print(f"{name:<{width}}{columns}  {verdict}".rstrip(), flush=True)  # noqa: T201  # a script's output
