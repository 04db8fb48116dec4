"""Reading back the secrets that were written to a file, to see whether they work."""

from __future__ import annotations

import csv
import errno
import json
import os
import re
import shlex
import stat
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from tui.text import plain

if TYPE_CHECKING:
    from pydantic import SecretStr

MOST_CHARACTERS = 4 * 2**20
"""How long such a file may be."""

_ID_COMMENT = re.compile(r"# .*\bid (\S+)\)")


class NoSecretsRead(Exception):
    """A file holds no secrets in a form that this program writes; `sentence` says why."""

    def __init__(self, sentence: str) -> None:
        super().__init__(sentence)
        self.sentence = sentence


def read_secrets(path: Path) -> dict[str, SecretStr]:
    """Return the secrets in a file that `FileDelivery` wrote, by the ids of their keys.

    The ending tells the form. Raises NoSecretsRead, which never holds what the file holds.
    """
    from pydantic import SecretStr  # it is loaded by now, and too heavy for whoever imports this

    shown = plain(str(path))
    read = _READERS.get(path.suffix)
    if read is None:
        raise NoSecretsRead("Name a file that ends in .env, .json or .csv.")
    try:
        text = _text(path)
    except OSError as error:
        raise NoSecretsRead(f"{shown} can't be read: {error.strerror}.") from None
    except (RuntimeError, ValueError):  # no such user behind the ~, or not UTF-8
        raise NoSecretsRead(f"{shown} can't be read: it is not what this program writes.") from None
    if len(text) > MOST_CHARACTERS:
        raise NoSecretsRead(f"{shown} is larger than {MOST_CHARACTERS >> 20} MiB.")
    try:
        secrets = {key_id: SecretStr(secret) for key_id, secret in read(text)}
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError, csv.Error):
        raise NoSecretsRead(f"{shown} is not in the form that this program writes.") from None
    if not secrets:
        raise NoSecretsRead(f"{shown} holds no secrets.")
    return secrets


def _text(path: Path) -> str:
    """Return a file's text, cut above MOST_CHARACTERS; a pipe without a writer blocks nothing."""
    descriptor = os.open(path.expanduser(), os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    with open(descriptor, encoding="utf-8") as file:  # noqa: PTH123  # Path cannot open a descriptor
        if not stat.S_ISREG(os.fstat(descriptor).st_mode):
            raise OSError(errno.EINVAL, "not an ordinary file")
        return file.read(MOST_CHARACTERS + 1)


def _from_env(text: str) -> Iterator[tuple[str, str]]:
    key_id = ""
    for line in text.splitlines():
        if match := _ID_COMMENT.fullmatch(line):
            key_id = match[1]
        elif key_id and "=" in line:
            (value,) = shlex.split(line.partition("=")[2])
            yield key_id, value
            key_id = ""


def _from_json(text: str) -> Iterator[tuple[str, str]]:
    for entry in json.loads(text):
        yield str(entry["id"]), str(entry["secret"])


def _from_csv(text: str) -> Iterator[tuple[str, str]]:
    for row in csv.DictReader(text.splitlines()):
        yield row["id"], row["secret"]


_READERS = {".env": _from_env, ".json": _from_json, ".csv": _from_csv}
