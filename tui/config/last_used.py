"""What was used last, by server: user, delivery command and folder; never a secret."""

from __future__ import annotations

import json
import os
import stat
import threading
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass, fields, replace
from pathlib import Path

from tui.waiting import in_thread, seen_through

MOST_SERVERS = 20
"""How many servers are remembered."""
WRITE_SECONDS = 2.0
"""How long is waited for a file system that hangs; the work goes on all the same."""

_VERSION = 1
_MOST_BYTES = 2**18
_LONGEST = 4096


@dataclass(frozen=True, slots=True)
class ServerUse:
    """How one server was used last: by what name of the configuration, by whom, and what for."""

    url: str
    name: str = ""
    user: str = ""
    command: str = ""
    folder: str = ""


class LastUsed:
    """What was used last, kept in the file at `path`; None: only as long as the program runs.

    A file that is damaged, or can't be written, keeps nobody from working: nothing is offered then.
    """

    def __init__(self, path: Path | None = None) -> None:
        self._path = path
        self._lock = threading.Lock()
        self.servers: tuple[ServerUse, ...] = ()
        """The servers, the one that was signed in to last first."""

    def read(self) -> None:
        """Read what was used last; waits for the disk."""
        self.servers = self._stored() if self._path else ()

    def forget(self) -> None:
        """Remove the file; waits for the disk."""
        if self._path is not None:
            with suppress(OSError):  # there is none, or nobody can remove it
                self._path.unlink()

    def of(self, url: str) -> ServerUse:
        """Return how a server was used last; nothing is known of a new one."""
        return next((use for use in self.servers if use.url == url), ServerUse(url))

    def note_sign_in(self, url: str, *, name: str, user: str) -> None:
        """Note who signed in to a server; it is the last one from now on."""
        use = replace(self.of(url), name=name, user=user)
        others = [other for other in self.servers if other.url != url]
        self.servers = (use, *others)[:MOST_SERVERS]
        self._note(url)

    def note_delivery(self, url: str, *, command: str = "", folder: str = "") -> None:
        """Note where a server's secret went; what is empty stays as it was."""
        use = self.of(url)
        use = replace(use, command=command or use.command, folder=folder or use.folder)
        self.servers = _joined(use, self.servers, is_last=False)
        self._note(url)

    def _note(self, url: str) -> None:
        """Write it in a thread; only the end of the program waits for that."""
        if self._path is not None:
            seen_through(self._write(url))

    async def _write(self, url: str) -> None:
        with suppress(OSError, TimeoutError):  # it is only a convenience
            await in_thread(lambda: self._store(url), WRITE_SECONDS)

    def _store(self, url: str) -> None:
        """Write the file anew, with what other instances noted meanwhile; raises OSError.

        What is known of the server by now is written: threads may take their turn in any order.
        """
        if self._path is None:
            return
        with self._lock:
            is_last = self.servers[0].url == url
            servers = _joined(self.of(url), self._stored(), is_last=is_last)
            content = {"version": _VERSION, "servers": [asdict(server) for server in servers]}
            self._path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            new = self._path.with_name(f"{self._path.name}.{os.getpid()}.new")
            with suppress(FileNotFoundError):
                new.unlink()
            flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
            with os.fdopen(os.open(new, flags, 0o600), "w", encoding="utf-8") as file:
                json.dump(content, file, ensure_ascii=False, indent=1)
            new.replace(self._path)

    def _stored(self) -> tuple[ServerUse, ...]:
        """Return what the file tells; nothing where it is damaged, or of a later version."""
        try:
            content = json.loads(self._content())
            servers = content["servers"] if content["version"] == _VERSION else []
            uses = [_server_use(server) for server in servers[:MOST_SERVERS]]
        except (OSError, ValueError, KeyError, TypeError, RecursionError):
            return ()
        return tuple(use for use in uses if use is not None)

    def _content(self) -> bytes:
        if self._path is None:
            return b""
        flags = os.O_RDONLY | os.O_NONBLOCK | os.O_NOFOLLOW | os.O_CLOEXEC
        with os.fdopen(os.open(self._path, flags), "rb") as file:
            status = os.fstat(file.fileno())
            is_own = stat.S_ISREG(status.st_mode) and status.st_uid == os.geteuid()
            return file.read(_MOST_BYTES) if is_own else b""


def _joined(
    use: ServerUse, servers: Sequence[ServerUse], *, is_last: bool
) -> tuple[ServerUse, ...]:
    """Return the servers with this one in its place; a new one is the first, or else the second."""
    if not is_last and any(server.url == use.url for server in servers):
        return tuple(use if server.url == use.url else server for server in servers)
    others = [server for server in servers if server.url != use.url]
    before = [] if is_last else others[:1]
    return (*before, use, *others[len(before) :])[:MOST_SERVERS]


def _server_use(fields_of_file: object) -> ServerUse | None:
    """Return one server of the file; None where that is no such thing."""
    if not isinstance(fields_of_file, dict):
        return None
    texts = {field.name: fields_of_file.get(field.name, "") for field in fields(ServerUse)}
    is_fit = all(
        isinstance(text, str) and text.isprintable() and len(text) <= _LONGEST
        for text in texts.values()
    )
    return ServerUse(**texts) if is_fit and texts["url"] else None


@dataclass(frozen=True, slots=True)
class DeliveryMemory:
    """Where the secrets of one server can go: named commands, and what was used last."""

    last_used: LastUsed
    url: str
    commands: Mapping[str, str]
    """Commands by name, as the configuration has them, in its order."""

    @property
    def last_command(self) -> str:
        """The command that took a secret last, of this server if possible; nothing if none did."""
        return self._last([use.command for use in self._uses])

    @property
    def last_folder(self) -> str:
        """The folder in which a secret was written last; nothing where none was."""
        return self._last([use.folder for use in self._uses])

    @property
    def _uses(self) -> tuple[ServerUse, ...]:
        return (self.last_used.of(self.url), *self.last_used.servers)

    @staticmethod
    def _last(texts: Sequence[str]) -> str:
        return next(filter(None, texts), "")

    def note_command(self, command: str) -> None:
        """Note that a command took a secret."""
        self.last_used.note_delivery(self.url, command=command)

    def note_folder(self, folder: Path) -> None:
        """Note in which folder a file with secrets was written."""
        self.last_used.note_delivery(self.url, folder=str(folder))
