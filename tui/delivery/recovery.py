"""Secrets that were not stored when the program ended, kept in memory for its next start."""

from __future__ import annotations

import json
import os
import re
import stat
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from tui.delivery.new_secret import encoded
from tui.text import plain

if TYPE_CHECKING:
    from pydantic import SecretStr

MOST_BYTES = 2**20
"""How large a file of a kept secret may be."""

_NAME = re.compile(r"[0-9a-f]{1,64}\.json")
_TEXTS = ("server", "username", "attempt", "key_id", "label", "short_key", "predecessor")


@dataclass(frozen=True, slots=True)
class KeptSecret:
    """A secret that nobody has stored, and what names its key; texts are raw.

    `attempt` is the create's in the journal, hexadecimal; `kept_at` is when it was kept, in UTC.
    The secret takes no part in comparisons.
    """

    secret: SecretStr = field(compare=False)
    server: str
    username: str
    attempt: str
    key_id: str
    label: str
    short_key: str
    predecessor: str
    grants: tuple[str, ...]
    valid_ips: tuple[str, ...]
    subaccount_id: int | None
    kept_at: datetime


class NotKept(Exception):
    """A secret could not be kept; `sentence` says why."""

    def __init__(self, sentence: str) -> None:
        super().__init__(sentence)
        self.sentence = sentence


class RecoveryFolder:
    """The folder `momentum-keys` under `$XDG_RUNTIME_DIR`, which is in memory and one user's own.

    A secret is a file of mode 0600 in it. Nothing is written where the variable names no folder
    of this user that is closed to everybody else: there is no other place for a secret.
    """

    def __init__(self, environ: Mapping[str, str] = os.environ) -> None:
        self._runtime = environ.get("XDG_RUNTIME_DIR", "")

    @property
    def path(self) -> Path:
        """Where secrets are kept."""
        return Path(self._runtime) / "momentum-keys"

    def keep(self, kept: KeptSecret) -> Path:
        """Write a secret to a new file, once for each attempt; return its path.

        Raises NotKept.
        """
        name = _file_name(kept.attempt)
        try:
            with self._opened(make=True) as folder:
                flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
                try:
                    _write(os.open(name, flags, 0o600, dir_fd=folder), kept, name, folder)
                except FileExistsError:
                    if _content(name, folder) != _encoded(kept):
                        raise
        except (OSError, ValueError) as error:
            reason = _reason(error) if isinstance(error, OSError) else str(error)
            raise NotKept(f"{plain(str(self.path))}: {reason}") from None
        return self.path / name

    def read(self, server: str) -> tuple[tuple[KeptSecret, ...], tuple[str, ...]]:
        """Return the secrets that are kept for a server, oldest first, and what can't be read.

        The latter are sentences.
        """
        secrets: list[KeptSecret] = []
        complaints: list[str] = []
        try:
            with self._opened(make=False) as folder:
                for name in filter(_NAME.fullmatch, os.listdir(folder)):  # noqa: PTH208  # of a descriptor
                    try:
                        secrets.append(_decoded(_content(name, folder)))
                    except FileNotFoundError:
                        continue  # another instance was faster
                    except (OSError, ValueError, TypeError, KeyError, RecursionError):
                        shown = plain(str(self.path / name))
                        complaints.append(f"{shown} should hold a secret, but can't be read.")
        except (FileNotFoundError, NotKept):
            return (), ()  # nothing was ever kept
        except OSError as error:
            return (), (f"{plain(str(self.path))} can't be read: {_reason(error)}.",)
        of_server = [kept for kept in secrets if kept.server == server]
        return tuple(sorted(of_server, key=lambda kept: kept.kept_at)), tuple(complaints)

    def attempts(self) -> frozenset[str]:
        """Return the attempts of which secrets are kept, of all servers; none on any fault."""
        with suppress(OSError, NotKept), self._opened(make=False) as folder:
            names = filter(_NAME.fullmatch, os.listdir(folder))  # noqa: PTH208  # of a descriptor
            return frozenset(name.removesuffix(".json") for name in names)
        return frozenset()

    def remove(self, attempt: str) -> None:
        """Remove the file of a secret that was stored or is of no use, if there is one.

        Raises OSError.
        """
        with suppress(FileNotFoundError, NotKept), self._opened(make=False) as folder:
            os.unlink(_file_name(attempt), dir_fd=folder)

    @contextmanager
    def _opened(self, *, make: bool) -> Iterator[int]:
        """Open the folder, itself and not what may be put in its place meanwhile."""
        if not self._runtime:
            raise NotKept("there is no XDG_RUNTIME_DIR, which would be in memory and yours alone")
        if not Path(self._runtime).is_absolute():
            raise NotKept("XDG_RUNTIME_DIR names no whole path")
        runtime = _private_folder(self._runtime)
        try:
            if make:
                with suppress(FileExistsError):
                    os.mkdir("momentum-keys", 0o700, dir_fd=runtime)
            folder = _private_folder("momentum-keys", runtime)
        finally:
            os.close(runtime)
        try:
            yield folder
        finally:
            os.close(folder)


def _private_folder(name: str, parent: int | None = None) -> int:
    """Open a folder, no link to one, that is this user's and closed to everybody else."""
    flags = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
    descriptor = os.open(name, flags, dir_fd=parent)
    status = os.fstat(descriptor)
    if status.st_uid == os.geteuid() and not stat.S_IMODE(status.st_mode) & 0o077:
        return descriptor
    os.close(descriptor)
    raise NotKept(f"{plain(name)} is not yours alone")


def _write(descriptor: int, kept: KeptSecret, name: str, folder: int) -> None:
    try:
        with open(descriptor, "wb") as file:
            file.write(_encoded(kept))
            file.flush()
            os.fsync(descriptor)
    except BaseException:  # raised again: no half of a file stays
        os.unlink(name, dir_fd=folder)
        raise


def _content(name: str, folder: int) -> bytes:
    flags = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
    with open(os.open(name, flags, dir_fd=folder), "rb") as file:  # noqa: PTH123  # by its folder's descriptor
        status = os.fstat(file.fileno())
        if not stat.S_ISREG(status.st_mode) or status.st_uid != os.geteuid():
            raise ValueError("not an ordinary file of this user")
        return file.read(MOST_BYTES)


def _encoded(kept: KeptSecret) -> bytes:
    texts = {name: getattr(kept, name) for name in _TEXTS}
    others = {
        "grants": kept.grants,
        "valid_ips": kept.valid_ips,
        "subaccount_id": kept.subaccount_id,
    }
    when = kept.kept_at.isoformat(timespec="seconds")
    secret = encoded(kept.secret).decode("utf-8", "surrogatepass")
    return json.dumps({**texts, **others, "kept_at": when, "secret": secret}).encode("ascii")


def _decoded(content: bytes) -> KeptSecret:
    """Return what a file holds; raises ValueError, TypeError or KeyError where it is another's."""
    from pydantic import SecretStr  # it is loaded by now, and too heavy for whoever imports this

    fields = json.loads(content)
    server, username, attempt, key_id, label, short_key, predecessor = texts = [
        fields[name] for name in _TEXTS
    ]
    grants, valid_ips = tuple(fields["grants"]), tuple(fields["valid_ips"])
    if not all(isinstance(text, str) for text in (*texts, *grants, *valid_ips, fields["secret"])):
        raise TypeError("texts are wanted")
    if not isinstance(subaccount_id := fields["subaccount_id"], int | None):
        raise TypeError("a number is wanted")
    kept_at = datetime.fromisoformat(fields["kept_at"]).astimezone(UTC)
    return KeptSecret(
        SecretStr(fields["secret"]), server, username, attempt, key_id, label, short_key,
        predecessor, grants, valid_ips, subaccount_id, kept_at,
    )  # fmt: skip


def _file_name(attempt: str) -> str:
    name = f"{attempt}.json"
    if not _NAME.fullmatch(name):
        raise ValueError("no attempt of the journal")
    return name


def _reason(error: OSError) -> str:
    return plain(error.strerror or "unknown error").lower()
