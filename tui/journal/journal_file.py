"""The journal's file: several programs append to it; when it is large, a new one is begun.

Everything here waits for the disk, so it belongs in a thread.
"""

from __future__ import annotations

import errno
import fcntl
import os
import stat
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from itertools import accumulate, count
from pathlib import Path

from tui.journal.open_lines import lines_to_carry_over

CAP = 2 * 2**20
"""From this size on, in bytes, the file is put aside and a new one begun: some 8,000 lines."""

FileState = tuple[int, int, int, int]
"""What tells that a file has changed: device, inode, size and time."""


@contextmanager
def opened(path: Path) -> Iterator[int]:
    """Open the journal to append, making it and its directory, which nobody else may look into.

    Other programs wait meanwhile, where the file system knows locks. A file above CAP is put aside
    first. Raises OSError, ValueError.
    """
    while True:
        descriptor = _open(path)
        try:
            with suppress(OSError):  # not every file system has locks
                fcntl.flock(descriptor, fcntl.LOCK_EX)
            if _is_at(path, descriptor) and not _put_aside(path, descriptor):
                yield descriptor
                return
        finally:
            os.close(descriptor)


def append(descriptor: int, lines: Sequence[bytes]) -> int:
    """Append `lines` in one write, so that others' stay whole; they are not on the disk yet.

    Returns how many of them are in the file as a whole: fewer than all on a full disk. Raises
    OSError.
    """
    size = os.fstat(descriptor).st_size
    is_torn = bool(size) and os.pread(descriptor, 1, size - 1) != b"\n"
    written = os.write(descriptor, b"\n" * is_torn + b"".join(lines)) - is_torn
    return sum(end <= written for end in accumulate(map(len, lines)))


def read_lines(path: Path, last_state: FileState | None) -> tuple[FileState, list[bytes]]:
    """Return the file's state and its lines; no lines where the state is still the last one.

    Raises OSError, ValueError.
    """
    descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_NOFOLLOW | os.O_CLOEXEC)
    with open(descriptor, "rb") as file:  # noqa: PTH123  # Path cannot open a descriptor
        _insist_on_own_file(descriptor)
        status = os.fstat(descriptor)
        state = (status.st_dev, status.st_ino, status.st_size, status.st_mtime_ns)
        return state, [] if state == last_state else file.read().split(b"\n")


def _open(path: Path) -> int:
    flags = os.O_RDWR | os.O_APPEND | os.O_CREAT | os.O_NONBLOCK | os.O_NOFOLLOW | os.O_CLOEXEC
    try:
        descriptor = os.open(path, flags, 0o600)
    except FileNotFoundError:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
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


def _is_at(path: Path, descriptor: int) -> bool:
    """Tell whether the file that was opened is still the journal: another program may be faster."""
    try:
        return os.path.samestat(path.lstat(), os.fstat(descriptor))
    except FileNotFoundError:
        return False


def _put_aside(path: Path, descriptor: int) -> bool:
    """Begin a new file with what is not over yet, where this one is large; tell whether it was.

    The old one stays, named by the date. Where that can't be done the journal goes on growing.
    """
    if os.fstat(descriptor).st_size <= CAP:
        return False
    with open(os.dup(descriptor), "rb") as file:  # noqa: PTH123  # Path cannot open a descriptor
        file.seek(0)
        lines = lines_to_carry_over(file.read().split(b"\n"), CAP // 2)
    if sum(map(len, lines)) > CAP // 2:
        return False  # nearly all of it is open
    new = path.with_name(f"{path.name}.new")
    try:
        _write_new(new, lines)
        os.link(path, _name_aside(path))
        new.replace(path)
    except OSError:
        new.unlink(missing_ok=True)
        return False
    return True


def _write_new(path: Path, lines: Sequence[bytes]) -> None:
    path.unlink(missing_ok=True)
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
    with open(os.open(path, flags, 0o600), "wb") as file:  # noqa: PTH123  # as above
        file.writelines(line + b"\n" for line in lines)
        file.flush()
        os.fsync(file.fileno())


def _name_aside(path: Path) -> Path:
    """Return a name for an old file that is not taken: `journal-20260115T120000Z.jsonl`."""
    stamp = f"{path.stem}-{datetime.now(UTC):%Y%m%dT%H%M%SZ}"
    names = (f"{stamp}{f'-{number}' if number else ''}{path.suffix}" for number in count())
    return next(path.with_name(name) for name in names if not path.with_name(name).exists())
