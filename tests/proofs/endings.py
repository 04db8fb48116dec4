"""What becomes of terminal, processes and secret, however and wherever the program ends.

Run by hand: `python -m tests.proofs.endings [STATE …] [--end END]`. It prints a table: a row for
each state, a column for each way to end, and in a cell the exit status, where the secret is, and ✓
or ✗. What is wrong stands below. A cell is right if

- the exit status is the documented one, and came in time; what was under way was seen through,
- the terminal's modes and settings are as before, and its screen shows no secret,
- no process is left, and the processor was not kept busy,
- the secret is where it ought to be, and no secret, password or token is anywhere else.
"""

from __future__ import annotations

import argparse
import os
import signal
import sys
import tempfile
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from tests.node import Node
from tests.program.program import FIRST_ROW, Program
from tests.proofs.states import STATES, Place, Scene, new_node

PROMPT_SECONDS = 5.0
"""How long the program may take to end where nothing is under way, in seconds."""
BUSY_SECONDS, BUSY_SHARE = 1.5, 0.3
"""How long the processor may work, beside a share of the time that passes."""
UNDER_WAY_SECONDS = 0.7
"""How long it is looked whether the program sees through what is under way."""

IGNORING_HANG_UP = """
import signal
from tui import cli
signal.signal(signal.SIGHUP, signal.SIG_IGN)
cli.run()
"""
_PLAIN_VIEW, _ERASED = "Press Enter to erase this", "Shown plain, and erased again."
MARK = "MOMENTUM_KEYS_PROOF"

End = Callable[[Scene], int]


class Wrong(Exception):
    """What is not as it should be."""


def _signal(number: signal.Signals) -> End:
    def end(scene: Scene) -> int:
        scene.program.signal(number)
        if number == signal.SIGINT and _PLAIN_VIEW in scene.program.text:
            scene.program.shows(_ERASED)  # where it counts as Enter
            return _signal(signal.SIGTERM)(scene)
        return -number if number == signal.SIGKILL else 128 + number

    return end


def _stop_and_go_on(scene: Scene) -> int:
    """Stop and continue the program as shells do, look at the terminal meanwhile, then end it."""
    program = scene.program
    is_plain_view = _PLAIN_VIEW in program.text
    program.signal(signal.SIGTSTP)
    if is_plain_view:
        program.shows(_ERASED)
    else:
        os.waitid(os.P_PID, program.process.pid, os.WSTOPPED)
        if not scene.is_stalled:
            program.wait_bytes(b"\x1b[?1049l")
            program.wait_for(lambda _: program.restored())
            _no_secret(program.text, scene.secrets, "on the screen while stopped")
        mark = program.mark
        program.signal(signal.SIGCONT)
        if scene.is_stalled:
            program.keep_up()
        program.wait_bytes(FIRST_ROW, since=mark)
    program.signal(signal.SIGTERM)
    return 128 + signal.SIGTERM


def _hang_up(scene: Scene) -> int:
    scene.program.hang_up()
    scene.is_stalled = False
    return 128 + signal.SIGHUP


def _end_input(scene: Scene) -> int:
    scene.program.unplug()
    return 128 + signal.SIGHUP


ENDS: dict[str, tuple[End, dict[str, object]]] = {
    "SIGTERM": (_signal(signal.SIGTERM), {}),
    "SIGHUP": (_signal(signal.SIGHUP), {}),
    "SIGINT": (_signal(signal.SIGINT), {}),
    "SIGQUIT": (_signal(signal.SIGQUIT), {}),
    "TSTP+CONT": (_stop_and_go_on, {}),
    "closed": (_hang_up, {}),
    "HUP ign.": (_hang_up, {"driver": IGNORING_HANG_UP}),
    "stdin EOF": (_end_input, {"has_own_keyboard": True}),
    "SIGKILL": (_signal(signal.SIGKILL), {}),
}
"""For each way to end: what is done, and how the program is started for it."""


def cell(state: str, end: str) -> str:
    """Return what became of it; raises Wrong or AssertionError."""
    reach, after, after_kill = STATES[state]
    do, options = ENDS[end]
    secrets: list[str] = []
    with new_node(secrets) as node, tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        home = folder / "home"
        (home / "runtime").mkdir(parents=True, mode=0o700)
        to = ("--url", node.url, "--username", node.username)
        mark = f"{os.getpid()}-{time.monotonic_ns()}"
        with Program(*to, state=home, env={MARK: mark}, **options) as program:  # type: ignore[arg-type]
            scene = Scene(program, node, folder, secrets)
            count = len(node.keys())
            reach(scene)
            status = _ended(scene, do)
            place = after_kill if end == "SIGKILL" else after
            _judge_terminal(scene, end)
            _judge_processes(mark)
            _judge_secrets(scene, place, count, node)
        if place in {Place.NEVER_STORED, Place.CUT_OFF, Place.PERHAPS_STORED}:
            _told_at_next_start(place, home, node)
        return f"{status} {place}"


def _ended(scene: Scene, do: End) -> int:
    """End the program, judge how it did, and return its exit status."""
    process = scene.program.process
    used, busy, start = 0.0, _busy_seconds(process.pid), time.monotonic()
    wanted = do(scene)
    is_killed = wanted < 0
    if scene.go_on is not None:
        if not is_killed:
            time.sleep(UNDER_WAY_SECONDS)
            if process.poll() is not None:
                raise Wrong(f"ended with {process.returncode} while a write was under way")
        scene.go_on()
    while process.poll() is None:
        with suppress(OSError):
            used = _busy_seconds(process.pid) - busy
        if time.monotonic() - start > PROMPT_SECONDS + UNDER_WAY_SECONDS * 5:
            raise Wrong(f"still running after {time.monotonic() - start:.1f} s")
        time.sleep(0.02)
    passed = time.monotonic() - start
    if used > BUSY_SECONDS + BUSY_SHARE * passed:
        raise Wrong(f"the processor worked {used:.1f} s in {passed:.1f} s")
    if scene.is_stalled:
        scene.program.keep_up()
    status = scene.program.wait_exit()
    if status != wanted:
        raise Wrong(f"exit status {status}, not {wanted}")
    return status


def _busy_seconds(process_id: int) -> float:
    fields = Path(f"/proc/{process_id}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def _judge_terminal(scene: Scene, end: str) -> None:
    if end in {"closed", "HUP ign.", "SIGKILL"}:
        return  # nobody is left to see it, or nothing could be done
    if left := scene.program.left_behind():
        raise Wrong(f"left behind: {', '.join(left)}")
    _no_secret(scene.program.text, scene.secrets, "on the screen")


def _judge_processes(mark: str) -> None:
    """No process that the program started is left, half a second later at most."""
    deadline = time.monotonic() + 0.5
    while left := _processes(mark):
        if time.monotonic() > deadline:
            raise Wrong(f"processes left: {left}")
        time.sleep(0.02)


def _processes(mark: str) -> list[str]:
    left = []
    for process in Path("/proc").glob("[0-9]*"):
        with suppress(OSError):
            if f"{MARK}={mark}".encode() in (process / "environ").read_bytes():
                left.append((process / "cmdline").read_bytes().replace(b"\0", b" ").decode())
    return left


def _judge_secrets(scene: Scene, place: Place, count: int, node: Node) -> None:
    """Each secret is where it ought to be, and no secret, password or token is anywhere else."""
    made = tuple(key.short_key for key in node.keys()[count:])
    new = [s for s in scene.secrets if s.startswith(made) and s != node.password]
    hidden = [s for s in scene.secrets if not (scene.shows_secret and s in new)]
    _no_secret(scene.program.raw.decode("latin-1"), hidden, "in what was drawn")
    kept, stored = _kept_and_stored(scene)
    if place in {Place.KEPT, Place.STORED} and not new:
        raise Wrong("no key was created")
    if place not in {Place.KEPT, Place.STORED} and kept + stored:
        raise Wrong("a secret was kept or stored that should not be")
    for secret in new:
        if place is Place.KEPT and secret not in kept:
            raise Wrong("a secret is not kept")
        if place is Place.STORED and (secret in stored) == (secret in kept):
            raise Wrong("a secret is neither stored nor kept, or both")


def _kept_and_stored(scene: Scene) -> tuple[str, str]:
    """Return what was kept for the next start, and what commands stored; judges all other files."""
    kept, stored = "", ""
    for path in filter(Path.is_file, scene.folder.rglob("*")):
        text = path.read_bytes().decode("latin-1")
        if path.is_relative_to(scene.program.state / "runtime"):
            kept += text
            if (path.stat().st_mode | path.parent.stat().st_mode) & 0o077:
                raise Wrong(f"{path.name} is open to others")
        elif path.name.startswith("stored"):
            stored += text
        else:
            _no_secret(text, scene.secrets, f"in {path.name}")
    return kept, stored


def _no_secret(text: str, secrets: list[str], where: str) -> None:
    for secret in secrets:
        if secret in text:
            raise Wrong(f"a secret, password or token {where}")


def _told_at_next_start(place: Place, home: Path, node: Node) -> None:
    with Program("--url", node.url, "--username", node.username, state=home) as program:
        program.sign_in(node)
        program.shows(place)


def main() -> int:
    """Print the table and what is wrong; returns how many cells are."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("states", nargs="*", metavar="STATE", help="all, or some of the states")
    parser.add_argument("--end", action="append", choices=ENDS, help="these ways to end alone")
    options = parser.parse_args()
    ends = options.end or list(ENDS)
    wrong = []
    _line("", ends)
    for state in options.states or STATES:
        cells = []
        for end in ends:
            try:
                cells.append(f"{cell(state, end)} ✓")
            except (Wrong, AssertionError, OSError) as error:
                cells.append("✗")
                wrong.append(f"{state} × {end}: {error}")
        _line(state, cells)
    sys.stdout.write("\n".join(["", *wrong, f"{len(wrong)} cells are wrong\n"]))
    return min(len(wrong), 100)


def _line(state: str, cells: list[str]) -> None:
    sys.stdout.write(" | ".join([f"{state:22}", *(f"{text:16}" for text in cells)]) + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    raise SystemExit(main())
