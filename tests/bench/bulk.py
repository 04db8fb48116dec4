"""What rotating many keys costs, on the screen and without, against a bare loop of the requests.

Run by hand: `python -m tests.bench.bulk`, with `--keys 200 --delay 0.02` for a first look. A node
in a process of its own answers each request after a delay. Every line is a process of its own, so
that its CPU is that of one side alone; the screen is drawn on a pseudo-terminal of 80x24. All make
a successor for each of the keys, verify it, and then delete the predecessors.

CPU is per key. A stall is how much later than asked for the event loop came back to somebody who
slept for 2 ms; the column beside it counts only what the process itself had computed meanwhile,
which is what remains of it on a host that does nothing else.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import fcntl
import json
import os
import pty
import struct
import subprocess
import sys
import tempfile
import termios
import threading
import time
from collections.abc import AsyncIterator, Callable, Iterator
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import httpx
from pydantic import SecretStr
from starlette.types import ASGIApp, Receive, Scope, Send
from textual.pilot import Pilot
from textual.widgets import Static

from tests.node import Node
from tui.api.address import parse_server
from tui.api.client import Client
from tui.api.session import Session
from tui.cli.start import SWITCH_SECONDS
from tui.delivery import FileDelivery
from tui.journal import Journal
from tui.keys.labels import successor_label
from tui.keys.rotation import BulkRotation
from tui.keys.rotation.pair import LONG_LIST
from tui.keys.rotation.throttle import MOST_AT_ONCE
from tui.keys.service import KeyService
from tui.ui.app import KeysApp
from tui.ui.screens.bulk import BulkScreen
from tui.ui.screens.login import SignInDefaults
from tui.ui.widgets.key_table import KeyTable

API = "/api/v1/api-keys"
GRANT, PROBE = "metrics/view", "/api/v1/metrics/"
NAP = 0.002
LISTS = (1_000, 100_000)
"""How many keys the server has, those that are rotated included."""


@dataclass(frozen=True)
class Errand:
    """What a measured process is to do: `count` keys to rotate at `url`, with these credentials."""

    url: str
    username: str
    password: str
    token: str
    count: int


@dataclass(frozen=True)
class Cost:
    """What it took in all, in seconds, and the largest stall: as it was felt, and of own CPU."""

    wall: float
    cpu: float
    stall: float = 0.0
    own_stall: float = 0.0


class Clock:
    """Measures from `start()` on, and watches how late the event loop comes back."""

    def __init__(self) -> None:
        self.stall = self.own_stall = 0.0
        self._wall = self._cpu = 0.0

    @contextlib.asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Measure what is done meanwhile; several times add up."""
        watcher = asyncio.create_task(self._watch())
        wall, cpu = time.perf_counter(), time.process_time()
        yield
        self._wall += time.perf_counter() - wall
        self._cpu += time.process_time() - cpu
        watcher.cancel()

    async def _watch(self) -> None:
        while True:
            wall, cpu = time.perf_counter(), time.process_time()
            await asyncio.sleep(NAP)
            self.stall = max(self.stall, time.perf_counter() - wall - NAP)
            self.own_stall = max(self.own_stall, time.process_time() - cpu)

    @property
    def cost(self) -> Cost:
        return Cost(self._wall, self._cpu, self.stall, self.own_stall)


# The server


def serve(count: int, delay: float) -> None:
    """Serve a node with so many keys, each answer late, until the input ends."""
    with Node(seeds=False) as node:
        for number in range(count):
            node.add_key(f"Mailer {number:06}", (GRANT,), secret=f"{number:040x}")
        node._faults.app = _late(node._faults.app, delay)
        errand = Errand(node.url, node.username, node.password, node.token(), 0)
        print(json.dumps(asdict(errand)), flush=True)  # noqa: T201  # the answer to who started it
        sys.stdin.read()


def _late(app: ASGIApp, delay: float) -> ASGIApp:
    async def late(scope: Scope, receive: Receive, send: Send) -> None:
        await asyncio.sleep(delay)
        await app(scope, receive, send)

    return late


# What is measured


async def bare(errand: Errand) -> Cost:
    """Send the same requests with httpx alone, as many at once, and keep nothing.

    The program has a list read before each phase and one at the end.
    """
    me, clock = {"Authorization": errand.token}, Clock()

    async with httpx.AsyncClient(base_url=errand.url, timeout=60, trust_env=False) as client:
        all_keys = (await client.get(API, headers=me)).json()["results"]
        listed = all_keys[: errand.count]
        successors: dict[str, str] = {}

        is_long = len(all_keys) > LONG_LIST

        async def make(key: dict[str, Any]) -> None:
            if is_long:
                (await client.get(f"{API}/{key['id']}", headers=me)).raise_for_status()
            label = successor_label(key["label"], key["id"], key["short_key"], "7e2a9c")
            draft = {"label": label, "grants": key["grants"], "valid_ips": []}
            made = (await client.post(API, json=draft, headers=me)).json()["results"]
            successors[key["id"]] = made["link"]["href"]
            answer = await client.get(PROBE, headers={"Authorization": made["key"]})
            assert answer.status_code == 200

        async def finish(key: dict[str, Any]) -> None:
            (await client.get(f"{API}/{key['id']}", headers=me)).raise_for_status()
            (await client.get(successors[key["id"]], headers=me)).raise_for_status()
            (await client.delete(f"{API}/{key['id']}", headers=me)).raise_for_status()
            draft = {"label": key["label"], "grants": key["grants"], "valid_ips": []}
            answer = await client.put(successors[key["id"]], json=draft, headers=me)
            answer.raise_for_status()

        async with clock.running():
            if not is_long:
                (await client.get(API, headers=me)).raise_for_status()
            for step in (make, finish):
                keys = iter(listed)

                async def work(step: Any = step, keys: Iterator[dict[str, Any]] = keys) -> None:  # noqa: ANN401  # either step
                    for key in keys:
                        await step(key)

                await asyncio.gather(*(work() for _ in range(MOST_AT_ONCE)))
            (await client.get(API, headers=me)).raise_for_status()
    return clock.cost


async def without_screen(errand: Errand, folder: Path) -> Cost:
    """Run a bulk rotation as the screen does, with nobody watching."""
    clock = Clock()
    session = Session(Client(parse_server(errand.url)))
    await session.enter_with_token(errand.username, SecretStr(errand.token))
    service = KeyService(session, Journal(folder / "journal.jsonl"))
    keys = (await service.load()).keys[: errand.count]
    delivery = FileDelivery(folder / "secrets.env", "env")
    delivery.check()
    run = BulkRotation(service, keys, delivery)
    async with clock.running():
        await run.run(SecretStr(errand.password))
        await run.finish_verified()
    assert run.progress == (errand.count, errand.count), run.failed[:3]
    delivery.close()
    await session.close()
    return clock.cost


def on_screen(errand: Errand, folder: Path) -> Cost:
    """Press the keys that rotate the first keys of the list, in the program on this terminal."""
    clock = Clock()
    sys.setswitchinterval(SWITCH_SECONDS)  # as the program is started
    password = SecretStr(errand.password)
    defaults = SignInDefaults(url=errand.url, username=errand.username, password=password)
    app = KeysApp(defaults, journal=Journal(folder / "journal.jsonl"))

    async def press_keys(pilot: Pilot[Any]) -> None:
        async def until(is_so: Callable[[], object]) -> None:
            while not is_so():  # noqa: ASYNC110  # nothing tells but the screen
                await asyncio.sleep(0.1)
            await pilot.pause(0.3)

        def says(text: str) -> bool:
            return text in str(app.screen.query_one("#progress", Static).content)

        await until(lambda: app.screen.query("#password"))
        await pilot.press("enter")
        await until(lambda: app.screen.query(KeyTable) and app.screen.query_one(KeyTable).count)
        await pilot.pause(2)
        for _ in range(errand.count - 1):
            app.screen.query_one(KeyTable).stretch(1)
        await pilot.press("r")
        await until(lambda: app.screen.query("#start"))
        await pilot.press(*errand.password, "tab", *str(folder / "secrets.env"))
        done = f"{errand.count:,} of {errand.count:,} · done"
        async with clock.running():
            await pilot.press("enter")
            await until(lambda: says(done))
        await pilot.press("d")
        await until(lambda: app.screen.query("#yes"))
        await pilot.press("tab")
        async with clock.running():
            await pilot.press("enter")
            await until(lambda: isinstance(app.screen, BulkScreen) and says(done))
        app.exit()

    app.run(auto_pilot=press_keys)
    return replace(clock.cost, wall=clock.cost.wall - 0.6)  # what is waited for at the two ends


# The table


@contextlib.contextmanager
def server(count: int, delay: float) -> Iterator[Errand]:
    """Start a server, and end it."""
    command = [sys.executable, "-m", __spec__.name, "--serve", str(count), "--delay", str(delay)]
    process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE)  # noqa: S603  # our own interpreter
    assert process.stdin is not None
    assert process.stdout is not None
    try:
        yield Errand(**json.loads(process.stdout.readline()))
    finally:
        process.stdin.close()
        process.wait()


def measured(what: str, errand: Errand) -> Cost:
    """Have a process do `what`, its terminal a pseudo-terminal that is read all the time."""
    with tempfile.TemporaryDirectory() as folder:
        result = Path(folder) / "result.json"
        main, side = pty.openpty()
        fcntl.ioctl(side, termios.TIOCSWINSZ, struct.pack("HHHH", 24, 80, 0, 0))
        command = [sys.executable, "-m", __spec__.name, "--measure", what, folder]
        environ = {**os.environ, "TERM": "xterm-256color", "ERRAND": json.dumps(asdict(errand))}
        process = subprocess.Popen(  # noqa: S603  # our own interpreter
            command, stdin=side, stdout=side, stderr=side, env=environ, start_new_session=True
        )
        os.close(side)
        output = bytearray()
        reader = threading.Thread(target=_drain, args=(main, output), daemon=True)
        reader.start()
        try:
            process.wait()
        finally:
            process.kill()
        reader.join()
        os.close(main)
        assert result.exists(), output[-3000:].decode("utf-8", "replace")
        return Cost(**json.loads(result.read_text()))


def _drain(descriptor: int, output: bytearray) -> None:
    with contextlib.suppress(OSError):
        while piece := os.read(descriptor, 65_536):
            output += piece


def measure(what: str, folder: Path) -> None:
    """Do `what` in this process, and write down what it cost."""
    errand = Errand(**json.loads(os.environ["ERRAND"]))
    if what == "bare":
        cost = asyncio.run(bare(errand))
    elif what == "run":
        cost = asyncio.run(without_screen(errand, folder))
    else:
        cost = on_screen(errand, folder)
    (folder / "result.json").write_text(json.dumps(asdict(cost)))


NAMES = {"bare": "bare httpx", "run": "the run without a screen", "screen": "the program, a r"}


def print_table(keys: int, delay: float, lists: tuple[int, ...]) -> None:
    """Print the table of all figures."""
    heads = ("wall s", "ratio", "CPU ms", "ratio", "stall ms", "own ms")
    print(f"{keys:,} keys, {delay * 1000:g} ms a request, {MOST_AT_ONCE} at once")  # noqa: T201  # a script's output
    print(f"{'':<44}" + "".join(f"{head:>10}" for head in heads))  # noqa: T201
    for total in lists:
        costs: dict[str, Cost] = {}
        for what, name in NAMES.items():
            with server(max(total, keys), delay) as errand:
                costs[what] = cost = measured(what, replace(errand, count=keys))
            base = costs["bare"]
            figures = (
                f"{cost.wall:.1f}", f"{cost.wall / base.wall:.2f}",
                f"{cost.cpu / keys * 1000:.1f}", f"{cost.cpu / base.cpu:.2f}",
                f"{cost.stall * 1000:.0f}", f"{cost.own_stall * 1000:.0f}",
            )  # fmt: skip
            title = f"{name}, among {max(total, keys):,}"
            print(f"{title:<44}" + "".join(f"{text:>10}" for text in figures), flush=True)  # noqa: T201


def main() -> None:
    """Print the table, or take a part in it."""
    parser = argparse.ArgumentParser(description="What rotating many keys costs.")
    parser.add_argument("--keys", type=int, default=1_000)
    parser.add_argument("--delay", type=float, default=0.1)
    parser.add_argument("--among", type=int, nargs="*", default=list(LISTS))
    parser.add_argument("--serve", type=int, help=argparse.SUPPRESS)
    parser.add_argument("--measure", nargs=2, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.serve is not None:
        serve(options.serve, options.delay)
    elif options.measure:
        measure(options.measure[0], Path(options.measure[1]))
    else:
        print_table(options.keys, options.delay, tuple(options.among))


if __name__ == "__main__":
    main()
