"""What this operator did, and when, a line of JSON each; never a secret: no field is for one.

A line is on the disk before a write request goes out, and one more once it is known what came of
it. So whatever interrupts the program, a key whose secret was never stored can be told later on.
"""

from __future__ import annotations

import errno
import json
import os
import stat
from collections.abc import Callable, Iterable, Mapping
from dataclasses import asdict, dataclass, fields, replace
from datetime import UTC, datetime
from functools import lru_cache
from pathlib import Path
from typing import Literal, cast, get_args

from tui.journal.unclear import LONG_AGO, Unclear
from tui.text import plain

CAP = 2 * 2**20
"""How much of the journal's end is read, in bytes: some 8,000 lines."""

LONGEST = 1_000
"""Where labels and all other texts are cut, in characters."""

LONGEST_SHORT_KEY = 12
"""Where short keys are cut, should a server call more of the secret a short key."""

Action = Literal["create", "update", "delete"]
Phase = Literal["begun", "done", "refused", "unknown", "verified", "unverified", "stored"]

PROOFS = ("verified", "unverified")
"""The phases that tell what a created key was good for, and nothing of the request."""


@dataclass(frozen=True, slots=True)
class JournalEntry:
    """One line; `attempt` links those about the same request. Texts are raw, not fit to be shown.

    `detail` says how a secret was stored or why a request was refused; `predecessor` is the id of
    the key that a created one is to succeed.
    """

    when: datetime
    server: str
    username: str
    action: Action
    phase: Phase
    attempt: str
    key_id: str = ""
    label: str = ""
    short_key: str = ""
    detail: str = ""
    predecessor: str = ""


@dataclass(frozen=True, slots=True)
class Successor:
    """What is known here of a key that was made to succeed another one."""

    key_id: str
    predecessor: str
    is_stored: bool = False
    is_verified: bool = False


class Attempt:
    """One write request, from before it goes out until what came of it is known."""

    def __init__(self, journal: Journal, entry: JournalEntry) -> None:
        self._journal, self._entry = journal, entry
        self._last: tuple[Phase, str] = (entry.phase, entry.detail)

    @property
    def id(self) -> str:
        """What links the lines about this request."""
        return self._entry.attempt

    @property
    def when(self) -> datetime:
        """When it was begun."""
        return self._entry.when

    def done(
        self, *, key_id: str = "", label: str = "", short_key: str = "", detail: str = ""
    ) -> None:
        """The server did it; what it told about the key takes the place of what was known."""
        known = self._entry
        self._entry = replace(
            known,
            key_id=key_id or known.key_id,
            label=label or known.label,
            short_key=short_key or known.short_key,
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
        """Note what has become known, unless that was the last thing that did."""
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
        self.unreadable = 0
        """How many lines the last reading skipped: torn ones, or not this program's."""
        self._unclear = Unclear()
        self._now = now
        self._unwritten: list[bytes] = []
        self._not_written = self._not_read = self._not_understood = ""

    @property
    def problem(self) -> str:
        """Why nothing is being noted, else why what was noted is not all known, or nothing."""
        return self._not_written or self._not_read or self._not_understood

    def prepare(self) -> None:
        """Find out whether the file can be written, making it where there is none."""
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
    ) -> Attempt:
        """Note that a request is about to go out; what comes of it is noted by the Attempt."""
        entry = JournalEntry(
            self._now(), server, username, action, "begun", os.urandom(8).hex(), key_id, label,
            short_key, predecessor=predecessor,
        )  # fmt: skip
        self.note(entry)
        return Attempt(self, entry)

    def resume(self, entry: JournalEntry) -> Attempt:
        """Return the attempt that `entry` is about, to note what became of it after all."""
        return Attempt(self, entry)

    def note(self, entry: JournalEntry) -> None:
        """Append a line, dated now, and return once it is on the disk."""
        self._unwritten.append(_encoded(replace(entry, when=self._now())))
        self._write_all()

    def entries(self) -> list[JournalEntry]:
        """Return what was noted, newest first; of a huge file only what its last 2 MiB hold."""
        lines = [*self._read(), *(line.strip() for line in self._unwritten)]
        lines = [line for line in lines if line.strip()]
        found = [_decoded(line) for line in lines]
        self.unreadable = found.count(None)
        self._unclear = _unclear(lines, found)
        self._not_understood = self._unclear.problem
        return [entry for entry in reversed(found) if entry is not None]

    def doubts(self, entry: JournalEntry) -> bool:
        """Tell whether lines that were not understood may say more of what `entry` is about."""
        request, key = {entry.attempt, entry.key_id}, {entry.short_key, entry.label}
        return self._unclear.doubts(entry.server, request, key, entry.when)

    def unstored(self) -> list[JournalEntry]:
        """Return of each create whose secret nobody is known to have its last line, newest first.

        `done` is a key that is there; of `begun` and `unknown` only the server knows whether it
        is. A program that runs beside this one may be about to store the secret of a recent one.
        """
        last: dict[str, JournalEntry] = {}
        deleted = set[tuple[str, ...]]()
        for entry in reversed(self.entries()):
            if entry.action == "create" and entry.phase not in PROOFS:
                last.pop(entry.attempt, None)
                last[entry.attempt] = entry
            elif entry.action == "delete" and entry.phase == "done":
                deleted |= {_name(entry), _name(replace(entry, key_id=""))}
        return [
            entry
            for entry in reversed(last.values())
            if entry.phase in {"begun", "done", "unknown"} and _name(entry) not in deleted
        ]

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

    def _read(self) -> Iterable[bytes]:
        self._not_read = ""
        if self.path is None:
            return []
        try:
            return _last_lines(self.path)
        except FileNotFoundError:
            return []
        except (OSError, ValueError) as error:
            self._not_read = _problem(self.path, error, "read: what was noted is not shown")
            return []


def successors(entries: Iterable[JournalEntry]) -> list[Successor]:
    """Return the keys that were made to succeed others, oldest first; `entries` are newest first.

    Those whose ids never became known are left out. One whose first lines are cut off counts as
    stored: only a whole account tells that a secret never was.
    """
    found: dict[str, Successor] = {}
    whole = set[str]()
    for entry in reversed(list(entries)):
        if entry.phase == "begun":
            whole.add(entry.attempt)
        if entry.action == "create" and entry.predecessor and entry.key_id:
            at_first = Successor(entry.key_id, entry.predecessor, entry.attempt not in whole)
            known = found.get(entry.attempt, at_first)
            if entry.phase == "stored":
                known = replace(known, is_stored=True)
            elif entry.phase in PROOFS:
                known = replace(known, is_verified=entry.phase == "verified")
            found[entry.attempt] = known
    return list(found.values())


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
    found = os.fstat(descriptor)
    if not stat.S_ISREG(found.st_mode):
        raise OSError(errno.EINVAL, "not an ordinary file")
    if found.st_uid != os.geteuid():
        raise OSError(errno.EPERM, "it belongs to somebody else")


def _write(descriptor: int, line: bytes) -> None:
    """Append `line` at once, so that others' lines stay whole, and see it to the disk."""
    size = os.fstat(descriptor).st_size
    if size and os.pread(descriptor, 1, size - 1) != b"\n":
        line = b"\n" + line  # the last one was torn
    if os.write(descriptor, line) != len(line):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
    os.fsync(descriptor)


def _last_lines(path: Path) -> list[bytes]:
    descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_NOFOLLOW | os.O_CLOEXEC)
    with open(descriptor, "rb") as file:  # noqa: PTH123  # Path cannot open a descriptor
        _insist_on_own_file(descriptor)
        start = max(0, os.fstat(descriptor).st_size - CAP)
        file.seek(start)
        lines = file.read(CAP).split(b"\n")
    return lines[1:] if start else lines


def _encoded(entry: JournalEntry) -> bytes:
    texts = asdict(entry) | {"when": entry.when.astimezone(UTC).isoformat(timespec="milliseconds")}
    texts["short_key"] = entry.short_key[:LONGEST_SHORT_KEY]
    told = {name: text[:LONGEST] for name, text in texts.items() if text}
    return json.dumps(told, separators=(",", ":")).encode("ascii") + b"\n"


def _name(entry: JournalEntry) -> tuple[str, ...]:
    """Return what an entry knows its key by: the id, else short key and label (contract 4)."""
    if entry.key_id:
        return (entry.server, entry.key_id)
    if entry.short_key:
        return (entry.server, entry.short_key, entry.label)
    return (entry.attempt,)


_TEXTS = (
    "server", "username", "attempt", "key_id", "label", "short_key", "detail", "predecessor"
)  # fmt: skip
_ACTIONS, _PHASES = get_args(Action), get_args(Phase)


@lru_cache(maxsize=CAP // 128)
def _decoded(line: bytes) -> JournalEntry | None:
    """Return the entry that `line` holds; None for what this program cannot have written."""
    try:
        found = json.loads(line.decode("utf-8"))
        when = datetime.fromisoformat(found["when"])
        utc = when.astimezone(UTC)
        texts = {name: found.get(name, "") for name in _TEXTS}
    except (ValueError, TypeError, KeyError, AttributeError, OverflowError, RecursionError):
        return None
    action, phase = found.get("action"), found.get("phase")
    if (
        when.tzinfo is None
        or action not in _ACTIONS
        or phase not in _PHASES
        or not all(isinstance(text, str) for text in texts.values())
        or not texts["server"]
        or not texts["attempt"]
    ):
        return None
    return JournalEntry(when=utc, action=cast(Action, action), phase=cast(Phase, phase), **texts)


def _unclear(lines: list[bytes], found: list[JournalEntry | None]) -> Unclear:
    """Return the lines that are this program's, but not wholly understood."""
    unclear, after = Unclear(), LONG_AGO
    for number, (line, entry) in enumerate(zip(lines, found, strict=True)):
        was_torn = number + 1 < len(lines) and lines[number + 1].startswith(line)
        if line.startswith(b"{") and not was_torn and (entry is None or _holds_more(line)):
            unclear.add(line, after, is_entry=entry is not None)
        after = entry.when if entry is not None else after
    return unclear


@lru_cache(maxsize=CAP // 128)
def _holds_more(line: bytes) -> bool:
    """Tell whether a line that is an entry has fields that entries do not have."""
    return not json.loads(line).keys() <= {field.name for field in fields(JournalEntry)}


def _problem(path: Path, error: OSError | ValueError, what: str) -> str:
    word = plain(error.strerror or "") if isinstance(error, OSError) else "not a possible path"
    reason = (word[:1].lower() + word[1:]) or "unknown error"
    return f"The journal {plain(str(path))} can't be {what} ({reason})."
