"""What instances of this program are working on: a file each, in the journal's folder.

Instances on one host, or with one shared home, leave each other's work alone by it. A file that
was not touched for a minute is of an instance that has died.
"""

from __future__ import annotations

import asyncio
import json
import os
import stat
import threading
from collections import Counter
from collections.abc import AsyncIterator, Mapping
from concurrent.futures import Future, wait
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from getpass import getuser
from pathlib import Path
from socket import gethostname
from time import time

from tui.text import plain
from tui.waiting import seen_through, start_thread

BEAT_SECONDS = 15.0
"""How often the file is touched while there is work."""
STALE_SECONDS = 60.0
"""After how long a file that nobody touched counts no more."""
WRITE_SECONDS = 2.0
"""How long is waited for a file system that hangs; the work goes on all the same."""
READ_SECONDS = 2.0
"""The same for reading, for which the list of keys waits, too."""
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
        self._reading: Future[None] | None = None
        """The last reading of the others' files that was begun."""
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
        """Read the files of the other instances as they are now, for some seconds at most."""
        reading = asyncio.ensure_future(asyncio.to_thread(self._read_anew))
        await asyncio.wait({reading}, timeout=WRITE_SECONDS)

    def _read_anew(self) -> None:
        if self._reading is not None:  # it may have missed what was written since it began
            wait((self._reading,), READ_SECONDS)
        self.read()
        if self._reading is not None:
            wait((self._reading,), READ_SECONDS)

    def read(self) -> None:
        """Read the files of the other instances; blocks, so it belongs in a thread.

        A file system that hangs is waited for once; meanwhile what was read last counts.
        """
        if self._folder is None or (self._reading is not None and not self._reading.done()):
            return
        self._reading = start_thread(self._read_files)
        if wait((self._reading,), READ_SECONDS).done:
            self._reading.result()

    def _read_files(self) -> None:
        try:
            paths = [path for path in self._path.parent.iterdir() if path.suffix == ".json"]
        except OSError:
            paths = []
        others = [path for path in paths if path.name != self._name]
        now = self._clock() if others else 0.0
        workers: dict[str, Worker] = {}
        for path in others:
            with suppress(OSError, ValueError, RecursionError):
                workers |= self._read_file(path, now)
        self._others = workers

    @property
    def _path(self) -> Path:
        return (self._folder or Path()) / self._name

    def _clock(self) -> float:
        """Return what a file written just now is dated, in the time of the file's server.

        Where none can be written, that is this host's time.
        """
        probe = self._path.with_suffix(".now")
        try:
            probe.touch(mode=0o600)
            return probe.stat().st_mtime
        except OSError:
            return time()
        finally:
            with suppress(OSError):
                probe.unlink(missing_ok=True)

    def _read_file(self, path: Path, now: float) -> dict[str, Worker]:
        flags = os.O_RDONLY | os.O_NONBLOCK | os.O_NOFOLLOW | os.O_CLOEXEC
        with open(os.open(path, flags), encoding="utf-8") as file:  # noqa: PTH123  # Path cannot open a descriptor
            status = os.fstat(file.fileno())
            is_old = now - status.st_mtime > STALE_SECONDS
            if is_old or not stat.S_ISREG(status.st_mode) or status.st_size > _LARGEST:
                return {}
            said = json.load(file)
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
