"""The journal: each write that was sent and its outcome, as lines of JSON without any secret.

A line is on the disk before a write request goes out, and one more once its outcome is known. So
whatever interrupts the program, a key whose secret was never stored is recognised later.
"""

from __future__ import annotations

import asyncio
import errno
import os
from collections.abc import Callable, Mapping
from concurrent.futures import Future
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path
from threading import Lock
from typing import cast

from tui.journal.journal_file import FileState, append, opened, read_lines
from tui.journal.lines import Action, JournalEntry, Phase, decode, encode, holds_more
from tui.journal.unclear import LONG_AGO, Unclear
from tui.state_folder import state_folder
from tui.text import plain
from tui.waiting import FILE_SECONDS, start_thread, time_limit

GATHER_SECONDS = 0.05
"""How long a line that nobody waits for may wait for others, to be synced with them, in seconds."""


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
        self.is_stored = False
        """Whether the secret was noted as stored by way of this object."""

    @property
    def entry(self) -> JournalEntry:
        """The first line about it, with what has become known of its key since."""
        return self._entry

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

    def delivering(self) -> None:
        """The secret is about to leave the program: from here on it may be stored."""
        self._note("delivering", "")

    def undelivered(self, why: str) -> None:
        """The delivery failed, so that the secret is stored nowhere by it."""
        self._note("undelivered", why)

    def stored(self, how: str) -> None:
        """The secret of the key that was created is where the operator wants it."""
        self.is_stored = True
        self._note("stored", how)

    def proven(self, works: bool) -> None:
        """The key that was created was verified, or it was not."""
        self._note("verified" if works else "unverified", "")

    async def settled(self) -> None:
        """Wait until what was noted is on the disk, or the journal says why it is not."""
        await self._journal.settled()

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
    Threads read and write, so that a file system that hangs costs a notice. `why_no_file` is the
    sentence for a journal that has no file though it should.
    """

    def __init__(
        self,
        path: Path | None,
        *,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
        why_no_file: str = "",
    ) -> None:
        self.path = path
        self._now = now
        self._why_no_file = why_no_file
        self._unwritten: list[bytes] = []
        self._not_written = self._not_read = ""
        self._last_read: tuple[_JournalState | None, JournalSnapshot] = (None, JournalSnapshot())
        self._writing: Future[None] | None = None
        self._stuck: Future[None] | None = None
        self._is_writing = False
        self._gathering_in: asyncio.AbstractEventLoop | None = None
        """The loop in which lines wait for others; a loop that has ended never writes them."""
        self._stuck_reading: Future[JournalSnapshot] | None = None
        self._lines_lock = Lock()
        """Guards the unwritten lines, for a moment."""
        self._file_lock = Lock()
        """Is held by threads while they read or write: a line is in the file or unwritten."""

    @property
    def problem(self) -> str:
        """Why nothing is being noted, else why what was noted is not all known, or nothing."""
        unread = self._last_read[1].unclear.problem
        return self._why_no_file or self.not_noted or self._not_read or unread

    @property
    def not_noted(self) -> str:
        """Why what is done now is not on the disk, in a sentence, or nothing."""
        if self.path is not None and self._is_stuck:
            return f"The journal {plain(str(self.path))} does not answer: {_NOT_NOTED}."
        return self._not_written

    def now(self) -> datetime:
        """Return the time by the journal's clock, in UTC."""
        return self._now()

    def prepare(self) -> None:
        """Find out whether the file can be written, making it where there is none.

        Within an event loop this only begins, as `note` does.
        """
        self._write_soon()
        if not _in_event_loop():
            self.wait()

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
        """Append a line, dated now.

        Within an event loop this returns at once, and `settled` once the line is on the disk; it is
        written after GATHER_SECONDS, or as soon as that is waited for.
        """
        with self._lines_lock:
            self._unwritten.append(encode(replace(entry, when=self._now())))
        if _in_event_loop():
            self._write_gathered()
        else:
            self._write_soon()
            self.wait()

    def wait(self) -> None:
        """Block until what was noted is on the disk, or `not_noted` says why it is not."""
        self._end_gathering()
        if self._writing is not None and not self._is_stuck:
            try:
                self._writing.result(FILE_SECONDS)
            except TimeoutError:
                self._stuck = self._writing

    async def settled(self) -> None:
        """Wait until what was noted is on the disk, or `not_noted` says why it is not.

        A file system that hangs is waited for once; after that, only until it answers again.
        """
        self._end_gathering()
        writing = self._writing
        if writing is None or self._is_stuck:
            return
        try:
            async with time_limit(FILE_SECONDS):
                await asyncio.shield(asyncio.wrap_future(writing))
        except TimeoutError:
            self._stuck = writing

    def read(self) -> JournalSnapshot:
        """Return what was noted.

        While the file stays as it is, the same snapshot is returned again. Reading takes
        milliseconds at least, so the event loop leaves it to a thread; one of a file system that
        hangs returns what was read before.
        """
        if self._stuck_reading is None or self._stuck_reading.done():
            reading = start_thread(self._read_now)
            try:
                return reading.result(FILE_SECONDS)
            except TimeoutError:
                self._stuck_reading = reading
                self._not_read = f"The journal {plain(str(self.path))} does not answer."
        return self._last_read[1]

    @property
    def _is_stuck(self) -> bool:
        """Whether a write that was waited for has not come to an end yet."""
        return self._stuck is not None and not self._stuck.done()

    def _write_gathered(self) -> None:
        loop = asyncio.get_running_loop()
        if self._gathering_in is not loop:
            self._gathering_in = loop
            loop.call_later(GATHER_SECONDS, self._end_gathering)

    def _end_gathering(self) -> None:
        if self._gathering_in is not None:
            self._write_soon()

    def _write_soon(self) -> None:
        self._gathering_in = None
        if self.path is None:
            return
        with self._lines_lock:
            was_writing, self._is_writing = self._is_writing, True
        if not was_writing:
            self._writing = start_thread(self._write_all)

    def _write_all(self) -> None:
        while True:
            with self._file_lock:
                self._write_waiting()
            with self._lines_lock:
                if not self._unwritten or self._not_written:
                    self._is_writing = False
                    return

    def _write_waiting(self) -> None:
        path = cast("Path", self.path)
        try:
            with opened(path) as descriptor:
                self._append_lines(descriptor)
        except (OSError, ValueError) as error:
            self._not_written = _problem(path, error, f"written: {_NOT_NOTED}")
        else:
            self._not_written = ""

    def _append_lines(self, descriptor: int) -> None:
        with self._lines_lock:
            lines = tuple(self._unwritten)
        written = append(descriptor, lines) if lines else 0
        if written:
            os.fsync(descriptor)
            with self._lines_lock:
                del self._unwritten[:written]
        if written < len(lines):
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    def _read_now(self) -> JournalSnapshot:
        last_state, snapshot = self._last_read
        with self._file_lock:
            with self._lines_lock:
                unwritten = tuple(self._unwritten)
            not_read = ""
            try:
                file_state, file_lines = self._read_file(unwritten, last_state)
            except (OSError, ValueError) as error:
                not_read = _problem(
                    cast("Path", self.path), error, "read: what was noted is not shown"
                )
                file_state, file_lines = None, []
        state = file_state, unwritten
        if file_state is not None and state == last_state:
            self._not_read = not_read
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
        self._not_read = not_read
        return snapshot

    def _read_file(
        self, unwritten: tuple[bytes, ...], last_state: _JournalState | None
    ) -> tuple[FileState | None, list[bytes]]:
        """Return the file's state and, unless nothing has changed since the last one, its lines."""
        if self.path is None:
            return None, []
        last = last_state[0] if last_state is not None and last_state[1] == unwritten else None
        try:
            return read_lines(self.path, last)
        except FileNotFoundError:
            return None, []


_JournalState = tuple[FileState | None, tuple[bytes, ...]]
"""What tells that the journal has changed: the state of its file, and the unwritten lines."""

_NOT_NOTED = "what you do is not being noted"


def _in_event_loop() -> bool:
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        return False
    return True


NO_HOME = (
    "What you do is remembered only until you leave: HOME names no directory. Set it, or "
    "XDG_STATE_HOME, to keep a journal."
)


def journal_at_home(environ: Mapping[str, str] = os.environ) -> Journal:
    """Return the journal of this user, which says so where it has no place to be."""
    path = journal_path(environ)
    return Journal(path, why_no_file="" if path else NO_HOME)


def new_attempt_id() -> str:
    """Return what links the lines about one request: 16 random hexadecimal digits."""
    return os.urandom(8).hex()


def journal_path(environ: Mapping[str, str] = os.environ) -> Path | None:
    """Return where the journal is by the XDG rules; None where no directory is named as a whole."""
    folder = state_folder(environ)
    return folder / "journal.jsonl" if folder is not None else None


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
