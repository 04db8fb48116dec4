"""Writing a secret to a new file that only its owner may read."""

from __future__ import annotations

import errno
import os
import stat
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

from tui.delivery.new_secret import DeliveryFailed, DeliveryFault, encoded
from tui.text import plain
from tui.waiting import FILE_SECONDS

if TYPE_CHECKING:
    from pydantic import SecretStr


def typed_path(text: str) -> Path:
    """Return the path of a new file as it was typed, without blanks around it.

    Raises `DeliveryFailed` where it ends as a directory's does, as in `vault/`: no file is meant.
    """
    typed = text.strip()
    if typed.endswith(("/", "/.")):
        sentence = f"{plain(typed)} is the name of a directory. Add a file name to it."
        raise DeliveryFailed(DeliveryFault.IS_DIRECTORY, sentence)
    return Path(typed)


def write_secret_file(path: Path, secret: SecretStr) -> Path:
    """Write `secret` and a newline to a new file that only its owner may read; return its path.

    A leading `~` is expanded. Nothing that exists is overwritten or followed, the file is on the
    disk when this returns, and no part of it is left behind when this raises `DeliveryFailed`.
    """
    whole, descriptor = create_private(path)
    try:
        with open(descriptor, "wb") as file:  # noqa: PTH123  # Path cannot open a descriptor
            file.write(encoded(secret) + b"\n")
            file.flush()
            os.fsync(descriptor)
        sync_directory(whole.parent)
    except BaseException as error:
        whole.unlink(missing_ok=True)
        if isinstance(error, OSError):
            raise put_into_words(whole, error) from None
        raise
    return whole


def create_private(path: Path) -> tuple[Path, int]:
    """Create an empty file that only its owner may read; return its whole path and a descriptor.

    A leading `~` is expanded. Nothing that exists is overwritten or followed, and nothing is left
    behind when this raises `DeliveryFailed`.
    """
    try:
        whole = path.expanduser().absolute()
        flags = os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_WRONLY | os.O_CLOEXEC
        descriptor = os.open(whole, flags, 0o600)
    except (OSError, RuntimeError, ValueError) as error:
        raise put_into_words(path, error) from None
    try:
        os.fchmod(descriptor, 0o600)
        _insist_on_privacy(descriptor, whole)
    except BaseException as error:
        os.close(descriptor)
        whole.unlink(missing_ok=True)
        if isinstance(error, OSError):
            raise put_into_words(whole, error) from None
        raise
    return whole, descriptor


def _insist_on_privacy(descriptor: int, path: Path) -> None:
    """Refuse a file system that shows every file to everybody and ignores modes."""
    if stat.S_IMODE(os.fstat(descriptor).st_mode) & 0o077:
        raise DeliveryFailed(
            DeliveryFault.NOT_PRIVATE,
            f"The file system of {_folder(path)} cannot keep a file private, so nothing was "
            "written. Choose a directory on another one, such as your home.",
        )


def sync_directory(directory: Path) -> None:
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


def does_not_answer(path: Path) -> DeliveryFailed:
    """Return the failure of a file system that hangs, as one on another machine may."""
    return DeliveryFailed(
        DeliveryFault.TOO_SLOW,
        f"{plain(str(path))} did not answer within {FILE_SECONDS:g} s. Whether the secret will be "
        "there is not known: choose another disk.",
    )


_REASONS = {
    errno.ENOENT: DeliveryFault.NO_DIRECTORY,
    errno.ENOTDIR: DeliveryFault.NO_DIRECTORY,
    errno.EISDIR: DeliveryFault.IS_DIRECTORY,
    errno.ELOOP: DeliveryFault.SYMLINK,
    errno.EACCES: DeliveryFault.NOT_PERMITTED,
    errno.EPERM: DeliveryFault.NOT_PERMITTED,
    errno.EROFS: DeliveryFault.NOT_PERMITTED,
    errno.ENOSPC: DeliveryFault.NO_SPACE,
    errno.EDQUOT: DeliveryFault.NO_SPACE,
    errno.ENAMETOOLONG: DeliveryFault.BAD_NAME,
}

_SENTENCES = {
    DeliveryFault.EXISTS: (
        "There is already a file {path}. It was left as it is: choose another name."
    ),
    DeliveryFault.SYMLINK: (
        "{path} is a symbolic link, which is not followed. Name the file itself."
    ),
    DeliveryFault.IS_DIRECTORY: "{path} is a directory. Add a file name to it.",
    DeliveryFault.NO_DIRECTORY: (
        "There is no directory {folder}. Create it first, or choose another."
    ),
    DeliveryFault.NOT_PERMITTED: (
        "You may not create files in {folder}. Choose a directory of your own."
    ),
    DeliveryFault.NO_SPACE: "No space is left for {path}, so it was not kept. Choose another disk.",
    DeliveryFault.BAD_NAME: (
        "{path} cannot be a file name here. Choose another, shorter or simpler one."
    ),
    DeliveryFault.OTHER: "{path} could not be written: {word}. Choose another place.",
}


def put_into_words(path: Path, error: OSError | RuntimeError | ValueError) -> DeliveryFailed:
    """Put what the system said into words: it answers `exists` for three different things."""
    word = ""
    if not isinstance(error, OSError):
        reason = (
            DeliveryFault.BAD_NAME
        )  # no such user behind the ~, or a character that no name may hold
    elif error.errno != errno.EEXIST:
        reason = _REASONS.get(error.errno or 0, DeliveryFault.OTHER)
        word = plain(error.strerror or "unknown error").lower()
    elif path.expanduser().is_symlink():
        reason = DeliveryFault.SYMLINK
    else:
        reason = DeliveryFault.IS_DIRECTORY if path.expanduser().is_dir() else DeliveryFault.EXISTS
    sentence = _SENTENCES[reason]
    return DeliveryFailed(
        reason, sentence.format(path=plain(str(path)), folder=_folder(path), word=word)
    )


def _folder(path: Path) -> str:
    with suppress(RuntimeError):
        path = path.expanduser()
    with suppress(OSError):  # the working directory may be gone
        path = path.absolute()
    return plain(str(path.parent))
