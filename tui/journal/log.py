"""What this operator did, and when, a line of JSON each; never a secret: no field is for one.

A line is on the disk before a write request goes out, and one more once its outcome is known. So
whatever interrupts the program, a key whose secret was never stored is recognised later.
"""

from __future__ import annotations

import errno
import os
import stat
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import BinaryIO

from tui.journal.lines import Action, JournalEntry, Phase, decode, encode, holds_more
from tui.journal.unclear import LONG_AGO, Unclear
from tui.text import plain

CAP = 2 * 2**20
"""How much of the journal's end is read, in bytes: some 8,000 lines."""


@dataclass(frozen=True, slots=True)
class JournalSnapshot:
    """The journal at one moment: its entries, newest first.

    `unreadable` counts the lines that were skipped: torn ones, or not this program's. `unclear`
    are those of them, and of the entries, that may say more than is understood.
    """

    entries: tuple[JournalEntry, ...] = ()
    unreadable: int = 0
    unclear: Unclear = field(default_factory=Unclear)

    def doubts(self, entry: JournalEntry) -> bool:
        """Tell whether lines that were not understood may say more of what `entry` is about."""
        request, key = {entry.attempt, entry.key_id}, {entry.short_key, entry.label}
        return self.unclear.doubts(entry.server, request, key, entry.when)


class Attempt:
    """One write request, from before it goes out until its outcome is known."""

    def __init__(self, journal: Journal, entry: JournalEntry) -> None:
        self._journal, self._entry = journal, entry
        self._last: tuple[Phase, str] = (entry.phase, entry.detail)

    @property
    def id(self) -> str:
        """What links the lines about this request."""
        return self._entry.attempt

    @property
    def when(self) -> datetime:
        """When it began."""
        return self._entry.when

    def done(
        self, *, key_id: str = "", label: str = "", short_key: str = "", detail: str = ""
    ) -> None:
        """The server did it; what its answer says of the key replaces what was known."""
        entry = self._entry
        self._entry = replace(
            entry,
            key_id=key_id or entry.key_id,
            label=label or entry.label,
            short_key=short_key or entry.short_key,
        )
        self._note("done", detail)

    def refused(self, why: str) -> None:
        """Nothing was done."""
        self._note("refused", why)

    def unknown(self, why: str) -> None:
        """It may have been done or not."""
        self._note("unknown", why)

    def stored(self, how: str) -> None:
        """The secret of the key that was created is where the operator wants it."""
        self._note("stored", how)

    def proven(self, works: bool) -> None:
        """The key that was created was shown to work, or it was not."""
        self._note("verified" if works else "unverified", "")

    def _note(self, phase: Phase, detail: str) -> None:
        """Note what has become known, unless the last line says so already."""
        if (phase, detail) != self._last:
            self._last = phase, detail
            self._journal.note(replace(self._entry, phase=phase, detail=detail))


class Journal:
    """The lines in the file at `path`, or only in memory where that is None.

    Several programs may write at once. A file that cannot be written keeps nobody from working:
    revoking a leaked key matters more than noting it, on a full disk too. `problem` then says so
    in a sentence that is to stand on the screen, and the lines wait in memory for a better time.
    """

    def __init__(
        self, path: Path | None, *, now: Callable[[], datetime] = lambda: datetime.now(UTC)
    ) -> None:
        self.path = path
        self._now = now
        self._unwritten: list[bytes] = []
        self._not_written = self._not_read = ""
        self._last_read: tuple[_JournalState | None, JournalSnapshot] = (None, JournalSnapshot())
        # Lines are noted on the event loop and read by threads: what is being written stands in
        # the file or among the unwritten lines, and never in neither.
        self._lock = threading.Lock()

    @property
    def problem(self) -> str:
        """Why nothing is being noted, else why what was noted is not all known, or nothing."""
        return self._not_written or self._not_read or self._last_read[1].unclear.problem

    def now(self) -> datetime:
        """Return the time by the journal's clock, in UTC."""
        return self._now()

    def prepare(self) -> None:
        """Find out whether the file can be written, making it where there is none."""
        with self._lock:
            self._write_all()

    def begin(
        self,
        action: Action,
        *,
        server: str,
        username: str = "",
        key_id: str = "",
        label: str = "",
        short_key: str = "",
        predecessor: str = "",
        attempt_id: str = "",
        valid_ips: str = "",
    ) -> Attempt:
        """Note that a request is about to go out; its outcome is noted by the Attempt."""
        entry = JournalEntry(
            self._now(), server, username, action, "begun", attempt_id or new_attempt_id(), key_id,
            label, short_key, predecessor=predecessor, valid_ips=valid_ips,
        )  # fmt: skip
        self.note(entry)
        return Attempt(self, entry)

    def resume(self, entry: JournalEntry) -> Attempt:
        """Return the attempt that `entry` is about, to note its outcome in a later session."""
        return Attempt(self, entry)

    def note(self, entry: JournalEntry) -> None:
        """Append a line, dated now, and return once it is on the disk."""
        with self._lock:
            self._unwritten.append(encode(replace(entry, when=self._now())))
            self._write_all()

    def read(self) -> JournalSnapshot:
        """Return what was noted; of a huge file only what its last 2 MiB hold.

        While the file stays as it is, the same snapshot is returned again. Reading takes
        milliseconds at least, so the event loop leaves it to a thread.
        """
        last_state, snapshot = self._last_read
        with self._lock:
            unwritten = tuple(self._unwritten)
            state, file_lines = self._read_file(unwritten, last_state)
        if state is not None and state == last_state:
            return snapshot
        lines = [*file_lines, *(line.strip() for line in unwritten)]
        lines = [line for line in lines if line.strip()]
        entries = [decode(line) for line in lines]
        snapshot = JournalSnapshot(
            tuple(entry for entry in reversed(entries) if entry is not None),
            entries.count(None),
            _unclear_lines(lines, entries),
        )
        self._last_read = state, snapshot
        return snapshot

    def _write_all(self) -> None:
        if self.path is None:
            return
        try:
            descriptor = _opened(self.path)
            try:
                while self._unwritten:
                    _write(descriptor, self._unwritten[0])
                    del self._unwritten[0]
            finally:
                os.close(descriptor)
        except (OSError, ValueError) as error:
            self._not_written = _problem(
                self.path, error, "written: what you do is not being noted"
            )
        else:
            self._not_written = ""

    def _read_file(
        self, unwritten: tuple[bytes, ...], last_state: _JournalState | None
    ) -> tuple[_JournalState | None, list[bytes]]:
        """Return the file's state and, unless that is still the last one, its lines."""
        self._not_read = ""
        if self.path is None:
            return (None, unwritten), []
        try:
            with _opened_to_read(self.path) as file:
                status = os.fstat(file.fileno())
                identity = (status.st_dev, status.st_ino, status.st_size, status.st_mtime_ns)
                state: _JournalState = (identity, unwritten)
                return state, [] if state == last_state else _last_lines(file)
        except FileNotFoundError:
            return None, []
        except (OSError, ValueError) as error:
            self._not_read = _problem(self.path, error, "read: what was noted is not shown")
            return None, []


_JournalState = tuple[tuple[int, int, int, int] | None, tuple[bytes, ...]]
"""What tells that the journal has changed: the file's identity, size and time; unwritten lines."""


def new_attempt_id() -> str:
    """Return what links the lines about one request: 16 random hexadecimal digits."""
    return os.urandom(8).hex()


def journal_path(environ: Mapping[str, str] = os.environ) -> Path | None:
    """Return where the journal is by the XDG rules; None for a user without any home."""
    state = Path(environ.get("XDG_STATE_HOME", ""))
    if not state.is_absolute():
        try:
            state = Path.home() / ".local" / "state"
        except RuntimeError:
            return None
    return state / "momentum-keys" / "journal.jsonl"


def _opened(path: Path) -> int:
    """Open the journal to append, making it and its directory, which nobody else may look into."""
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    flags = os.O_RDWR | os.O_APPEND | os.O_CREAT | os.O_NONBLOCK | os.O_NOFOLLOW | os.O_CLOEXEC
    descriptor = os.open(path, flags, 0o600)
    try:
        _insist_on_own_file(descriptor)
        if stat.S_IMODE(os.fstat(descriptor).st_mode) != 0o600:
            os.fchmod(descriptor, 0o600)
    except OSError:
        os.close(descriptor)
        raise
    return descriptor


def _insist_on_own_file(descriptor: int) -> None:
    status = os.fstat(descriptor)
    if not stat.S_ISREG(status.st_mode):
        raise OSError(errno.EINVAL, "not an ordinary file")
    if status.st_uid != os.geteuid():
        raise OSError(errno.EPERM, "it belongs to somebody else")


def _write(descriptor: int, line: bytes) -> None:
    """Append `line` at once, so that others' lines stay whole, and see it to the disk."""
    size = os.fstat(descriptor).st_size
    if size and os.pread(descriptor, 1, size - 1) != b"\n":
        line = b"\n" + line  # the last one was torn
    if os.write(descriptor, line) != len(line):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
    os.fsync(descriptor)


def _opened_to_read(path: Path) -> BinaryIO:
    descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_NOFOLLOW | os.O_CLOEXEC)
    file = open(descriptor, "rb")  # noqa: PTH123, SIM115  # Path cannot open a descriptor
    try:
        _insist_on_own_file(descriptor)
    except OSError:
        file.close()
        raise
    return file


def _last_lines(file: BinaryIO) -> list[bytes]:
    start = max(0, os.fstat(file.fileno()).st_size - CAP)
    file.seek(start)
    lines = file.read(CAP).split(b"\n")
    return lines[1:] if start else lines


def _unclear_lines(lines: list[bytes], entries: list[JournalEntry | None]) -> Unclear:
    """Return the lines that are this program's, but not wholly understood."""
    unclear, after = Unclear(), LONG_AGO
    for number, (line, entry) in enumerate(zip(lines, entries, strict=True)):
        was_torn = number + 1 < len(lines) and lines[number + 1].startswith(line)
        if line.startswith(b"{") and not was_torn and (entry is None or holds_more(line)):
            unclear.add(line, after, is_entry=entry is not None)
        after = entry.when if entry is not None else after
    return unclear


def _problem(path: Path, error: OSError | ValueError, what: str) -> str:
    word = plain(error.strerror or "") if isinstance(error, OSError) else "not a possible path"
    reason = (word[:1].lower() + word[1:]) or "unknown error"
    return f"The journal {plain(str(path))} can't be {what} ({reason})."
