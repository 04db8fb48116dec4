"""Writing a secret to a new file that only its owner may read."""

from __future__ import annotations

import errno
import os
import re
import stat
import unicodedata
from contextlib import suppress
from enum import Enum
from pathlib import Path
from typing import TYPE_CHECKING

from tui.text import plain

if TYPE_CHECKING:
    from pydantic import SecretStr

LONGEST_NAME = 64
"""How many characters a suggested file name has at most."""


class Reason(Enum):
    """Why a secret could not be written to a file."""

    EXISTS = "exists"
    SYMLINK = "symlink"
    IS_DIRECTORY = "is directory"
    NO_DIRECTORY = "no directory"
    NOT_PERMITTED = "not permitted"
    NOT_PRIVATE = "not private"
    NO_SPACE = "no space"
    BAD_NAME = "bad name"
    OTHER = "other"


class DeliveryFailed(Exception):
    """A secret did not get where it was to go; the message says what was wrong and what to do."""

    def __init__(self, reason: Reason, sentence: str) -> None:
        super().__init__(sentence)
        self.reason = reason
        self.sentence = sentence


def write_secret_file(path: Path, secret: SecretStr) -> Path:
    """Write `secret` and a newline to a new file that only its owner may read; return its path.

    A leading `~` is expanded. Nothing that exists is overwritten or followed, the file is on the
    disk when this returns, and no part of it is left behind when this raises `DeliveryFailed`.
    """
    try:
        whole = path.expanduser().absolute()
        flags = os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_WRONLY | os.O_CLOEXEC
        descriptor = os.open(whole, flags, 0o600)
    except (OSError, RuntimeError, ValueError) as error:
        raise _failure(path, error) from None
    try:
        with open(descriptor, "wb") as file:  # noqa: PTH123  # Path cannot open a descriptor
            os.fchmod(descriptor, 0o600)
            _insist_on_privacy(descriptor, whole)
            file.write(secret.get_secret_value().encode() + b"\n")
            file.flush()
            os.fsync(descriptor)
        _sync_directory(whole.parent)
    except BaseException as error:
        whole.unlink(missing_ok=True)
        if isinstance(error, OSError):
            raise _failure(whole, error) from None
        raise
    return whole


def _insist_on_privacy(descriptor: int, path: Path) -> None:
    """Refuse a file system that shows every file to everybody, whatever mode is asked for."""
    if stat.S_IMODE(os.fstat(descriptor).st_mode) & 0o077:
        raise DeliveryFailed(
            Reason.NOT_PRIVATE,
            f"The file system of {_folder(path)} cannot keep a file private, so nothing was "
            "written. Choose a directory on another one, such as your home.",
        )


def _sync_directory(directory: Path) -> None:
    """Make the new name last; a directory that does not let itself be synced is no failure."""
    try:
        descriptor = os.open(directory, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
    except OSError as error:
        if error.errno not in (errno.EACCES, errno.EINVAL, errno.ENOTSUP):
            raise


_REASONS = {
    errno.ENOENT: Reason.NO_DIRECTORY,
    errno.ENOTDIR: Reason.NO_DIRECTORY,
    errno.EISDIR: Reason.IS_DIRECTORY,
    errno.ELOOP: Reason.SYMLINK,
    errno.EACCES: Reason.NOT_PERMITTED,
    errno.EPERM: Reason.NOT_PERMITTED,
    errno.EROFS: Reason.NOT_PERMITTED,
    errno.ENOSPC: Reason.NO_SPACE,
    errno.EDQUOT: Reason.NO_SPACE,
    errno.ENAMETOOLONG: Reason.BAD_NAME,
}

_SENTENCES = {
    Reason.EXISTS: "There is already a file {path}. It was left as it is: choose another name.",
    Reason.SYMLINK: "{path} is a symbolic link, which is not followed. Name the file itself.",
    Reason.IS_DIRECTORY: "{path} is a directory. Add a file name to it.",
    Reason.NO_DIRECTORY: "There is no directory {folder}. Create it first, or choose another.",
    Reason.NOT_PERMITTED: "You may not create files in {folder}. Choose a directory of your own.",
    Reason.NO_SPACE: "No space is left for {path}, so nothing was kept. Choose another disk.",
    Reason.BAD_NAME: "{path} cannot be a file name here. Choose another, shorter or simpler one.",
    Reason.OTHER: "{path} could not be written: {word}. Choose another place.",
}


def _failure(path: Path, error: OSError | RuntimeError | ValueError) -> DeliveryFailed:
    """Put what the system said into words: it answers `exists` for three different things."""
    word = ""
    if not isinstance(error, OSError):
        reason = Reason.BAD_NAME  # no such user behind the ~, or a character that no name may hold
    elif error.errno != errno.EEXIST:
        reason = _REASONS.get(error.errno or 0, Reason.OTHER)
        word = plain(error.strerror or "unknown error").lower()
    elif path.expanduser().is_symlink():
        reason = Reason.SYMLINK
    else:
        reason = Reason.IS_DIRECTORY if path.expanduser().is_dir() else Reason.EXISTS
    sentence = _SENTENCES[reason]
    return DeliveryFailed(
        reason, sentence.format(path=plain(str(path)), folder=_folder(path), word=word)
    )


def _folder(path: Path) -> str:
    with suppress(RuntimeError):
        path = path.expanduser()
    return plain(str(path.absolute().parent))


def suggested_file_name(label: str, short_key: str) -> str:
    """Return a file name for a key's secret that is safe everywhere: `billing-mailer-9ac1.key`."""
    ending = _slug(short_key)[:12].strip("-")
    tail = f"-{ending}.key" if ending else ".key"
    stem = _slug(label)[: LONGEST_NAME - len(tail)].strip("-")
    return f"{stem or 'api-key'}{tail}"


def _slug(text: str) -> str:
    ascii_text = unicodedata.normalize("NFKD", text).encode("ascii", "ignore").decode()
    return re.sub("[^a-z0-9]+", "-", ascii_text.lower()).strip("-")
