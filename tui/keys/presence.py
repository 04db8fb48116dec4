"""What instances of this program are working on: a file each, in the journal's folder.

Instances on one host, or with one shared home, leave each other's work alone by it. A file that
was not touched for a minute is of an instance that has died.
"""

from __future__ import annotations

import asyncio
import json
import os
import threading
from collections import Counter
from collections.abc import AsyncIterator, Mapping
from concurrent.futures import Future
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from getpass import getuser
from pathlib import Path
from socket import gethostname

from tui.text import plain
from tui.waiting import seen_through, start_thread

BEAT_SECONDS = 15.0
"""How often the file is touched while there is work."""
STALE_SECONDS = 60.0
"""After how long a file that nobody touched counts no more."""
WRITE_SECONDS = 2.0
"""How long is waited for a file system that hangs; the work goes on all the same."""
_LARGEST = 4 * 2**20


@dataclass(frozen=True, slots=True)
class Worker:
    """Another instance of this program at work: who runs it, and on which host."""

    user: str
    host: str

    def __str__(self) -> str:
        return f"{self.user or 'somebody'} on {self.host or 'some host'}"


class Presence:
    """This instance's file in `folder`, and what those of others say; None: neither.

    Names are ids of keys and of attempts. Times are compared by the folder's own clock.
    """

    def __init__(self, folder: Path | None, server: str) -> None:
        self._folder, self._server = folder, server
        self._name = f"{os.urandom(8).hex()}.json"
        self._held = Counter[str]()
        self._names = frozenset[str]()
        """The names that are held; the file is to say them."""
        self._written = frozenset[str]()
        """The names that the file says."""
        self._writing: Future[None] | None = None
        """The last write of the file that was begun."""
        self._is_queued = False
        """Whether that one still waits for its turn."""
        self._lock = threading.Lock()
        self._beat: asyncio.Task[None] | None = None
        self._others: dict[str, Worker] = {}

    @property
    def others(self) -> Mapping[str, Worker]:
        """Who works on what, by name, as last read."""
        return self._others

    def holds(self, name: str) -> bool:
        """Tell whether this instance works on it."""
        return self._held[name] > 0

    async def hold(self, *names: str) -> None:
        """Say that work on these begins; returns once the file says so, or cannot."""
        self._held.update(name for name in names if name)
        self._names = frozenset(self._held)
        is_written = self._writing is None or self._writing.done()
        if self._folder is None or (is_written and self._names <= self._written):
            return
        if self._beat is None or self._beat.done():
            self._beat = asyncio.create_task(self._keep_beating())
        await self._write()

    def release(self, *names: str) -> None:
        """Say that work on these has ended; the file follows with its next beat."""
        self._held -= Counter(name for name in names if name)
        self._names = frozenset(self._held)
        if not self._held:
            self.close()

    def close(self) -> None:
        """End all work, and have the file removed; the end of the program waits for that."""
        self._held.clear()
        self._names = frozenset()
        if self._beat is not None:
            self._beat.cancel()
            self._beat = None
            self._write()

    @asynccontextmanager
    async def holding(self, *names: str) -> AsyncIterator[None]:
        """Say that these are worked on; of two instances that say so, then look, one refrains."""
        await self.hold(*names)
        try:
            yield
        finally:
            self.release(*names)

    async def refresh(self) -> None:
        """Read the files of the other instances in a thread, for as long as a write may take."""
        reading = asyncio.ensure_future(asyncio.to_thread(self.read))
        await asyncio.wait({reading}, timeout=WRITE_SECONDS)

    def read(self) -> None:
        """Read the files of the other instances; blocks, so it belongs in a thread."""
        if self._folder is None:
            return
        try:
            paths = [path for path in self._folder.iterdir() if path.suffix == ".json"]
        except OSError:
            paths = []
        others = [path for path in paths if path.name != self._name]
        now = 0.0  # so that every file counts where the folder's clock can't be read
        with suppress(OSError):
            now = self._clock() if others else 0.0
        work: dict[str, Worker] = {}
        for path in others:
            with suppress(OSError, ValueError):
                work |= self._read_file(path, now)
        self._others = work

    @property
    def _path(self) -> Path:
        return (self._folder or Path()) / self._name

    def _clock(self) -> float:
        """Return what a file written just now is dated, in the time of the file's server."""
        probe = self._path.with_suffix(f".{threading.get_ident()}.now")
        probe.touch(mode=0o600)
        try:
            return probe.stat().st_mtime
        finally:
            probe.unlink(missing_ok=True)

    def _read_file(self, path: Path, now: float) -> dict[str, Worker]:
        status = path.stat()
        if now - status.st_mtime > STALE_SECONDS or status.st_size > _LARGEST:
            return {}
        said = json.loads(path.read_text("utf-8"))
        if not isinstance(said, dict) or said.get("server") != self._server:
            return {}
        if said.get("host") == gethostname() and not _is_running(said.get("pid")):
            return {}
        names = said.get("names")
        worker = Worker(plain(str(said.get("user", ""))), plain(str(said.get("host", ""))))
        return dict.fromkeys(map(str, names), worker) if isinstance(names, list) else {}

    def _write(self) -> asyncio.Task[None]:
        """Begin to write the file, or to remove it where nothing is held, in a thread.

        What waits for its turn writes what is held by then, so that one such thread is enough.
        """
        if self._writing is None or not self._is_queued:
            self._is_queued = True
            self._writing = start_thread(self._write_file)
        return seen_through(_wait_for(self._writing))

    def _write_file(self) -> None:
        with self._lock:
            self._is_queued = False
            names = self._names
            with suppress(OSError):
                if names:
                    self._replace_file(names)
                else:
                    self._path.unlink(missing_ok=True)
                self._written = names

    def _replace_file(self, names: frozenset[str]) -> None:
        said = {
            "server": self._server,
            "host": gethostname(),
            "user": _user(),
            "pid": os.getpid(),
            "names": sorted(names),
        }
        new = self._path.with_suffix(".new")
        new.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        new.touch(mode=0o600)
        new.write_text(json.dumps(said), "utf-8")
        new.replace(self._path)

    async def _keep_beating(self) -> None:
        while self._held:
            await asyncio.sleep(BEAT_SECONDS)
            await self._write()


async def _wait_for(writing: Future[None]) -> None:
    # The file system may hang, and must hold nobody up: the thread is then left to itself.
    await asyncio.wait({asyncio.wrap_future(writing)}, timeout=WRITE_SECONDS)


def _is_running(pid: object) -> bool:
    """Tell whether a process of this host may be running still."""
    if not isinstance(pid, int) or pid <= 0:
        return True
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except (OSError, OverflowError):
        return True
    return True


def _user() -> str:
    try:
        return getuser()
    except (KeyError, OSError):
        return str(os.geteuid())
