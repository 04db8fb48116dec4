"""Reading back the secrets that were written to a file, to see whether they work."""

from __future__ import annotations

import codecs
import csv
import errno
import json
import os
import re
import shlex
import stat
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from tui.delivery.file_set import Form, form_of
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

    The name tells the form. What editors and spreadsheets make of such a file is read as well: a
    byte order mark, UTF-16, `;` or tabs in place of commas. Raises NoSecretsRead, which never holds
    what the file holds.
    """
    from pydantic import SecretStr  # it is loaded by now, and too heavy for whoever imports this

    shown = plain(str(path))
    form = form_of(path)
    if form is None:
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
        secrets = {key_id: SecretStr(secret) for key_id, secret in _READERS[form](text)}
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError, csv.Error):
        raise NoSecretsRead(f"{shown} is not in the form that this program writes.") from None
    if not secrets:
        raise NoSecretsRead(f"{shown} holds no secrets.")
    return secrets


def _text(path: Path) -> str:
    """Return a file's text, cut above MOST_CHARACTERS; a pipe without a writer blocks nothing."""
    descriptor = os.open(path.expanduser(), os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    with open(descriptor, "rb") as file:  # noqa: PTH123  # Path cannot open a descriptor
        if not stat.S_ISREG(os.fstat(descriptor).st_mode):
            raise OSError(errno.EINVAL, "not an ordinary file")
        content = file.read(4 * MOST_CHARACTERS + 4)
    return content.decode(_encoding(content))[: MOST_CHARACTERS + 1]


def _encoding(content: bytes) -> str:
    """Return how a text is encoded, by its byte order mark or by where its zeros are."""
    for mark, encoding in _MARKS.items():
        if content.startswith(mark):
            return encoding
    if content[1:2] == b"\0":
        return "utf-16-le"
    return "utf-16-be" if content[:1] == b"\0" else "utf-8"


_MARKS = {
    codecs.BOM_UTF8: "utf-8-sig",
    codecs.BOM_UTF16_LE: "utf-16",
    codecs.BOM_UTF16_BE: "utf-16",
}


def _from_env(text: str) -> Iterator[tuple[str, str]]:
    key_id = ""
    for line in map(str.strip, text.splitlines()):
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
    lines = text.splitlines()
    head = lines[0] if lines else ""
    for row in csv.DictReader(lines, delimiter=max(",;\t", key=head.count)):
        key_id, secret = row["id"], row["secret"]
        if not key_id or not secret:
            raise ValueError("a row without an id or a secret")
        yield key_id, secret


_READERS: dict[Form, Callable[[str], Iterator[tuple[str, str]]]] = {
    "env": _from_env, "json": _from_json, "csv": _from_csv
}  # fmt: skip
