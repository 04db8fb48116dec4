"""Writing many keys' secrets to one new file, each on the disk before the next key is made."""

from __future__ import annotations

import csv
import io
import json
import os
import shlex
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from threading import Lock
from typing import Literal, get_args

from tui.delivery.names import variable_name
from tui.delivery.new_secret import DeliveryFailed, DeliveryFault, NewSecret, Sent
from tui.delivery.secret_file import (
    create_private,
    does_not_answer,
    put_into_words,
    sync_directory,
)
from tui.text import plain, short
from tui.waiting import in_thread, see_through

Form = Literal["env", "json", "csv"]
"""How the secrets stand in the file: shell variables, an array of objects, or a table."""


def form_of(path: Path) -> Form | None:
    """Return the form that a file's name asks for: `.env`, `.env.production`, `X.CSV`; or None."""
    name = path.name.lower()
    ending = next((form for form in get_args(Form) if name.endswith(f".{form}")), None)
    return ending or ("env" if name.startswith(".env.") else None)


_FORMULA = ("=", "+", "-", "@", "＝", "＋", "－", "＠")  # noqa: RUF001  # spreadsheets take wide ones, too


class FileDelivery:
    """Writes the secrets of a whole set to one new file that only its owner may read.

    JSON is an array whose closing bracket each secret moves on in a single write: such a file is
    one JSON text at any moment, which JSON lines are not; and nothing is renamed or copied, so
    that no secret is anywhere else. What was written before is never touched.
    """

    def __init__(self, path: Path, form: Form) -> None:
        self._path, self._form, self._shape = path, form, _SHAPES[form]
        self._descriptor = -1
        self._size = self._written = 0
        self._variables: set[str] = set()
        self._lock = Lock()
        """Is held while a secret is being written."""

    def check(self, labels: Sequence[str] = ()) -> None:
        """Create the file, still empty, so that a path that will not do costs no key."""
        if self._descriptor >= 0:
            return
        self._path, self._descriptor = create_private(self._path)
        try:
            sync_directory(self._path.parent)
        except OSError as error:
            self.close()
            raise put_into_words(self._path, error) from None

    def close(self) -> None:
        """Be done with the file, and remove it if nothing was written."""
        if self._descriptor < 0:
            return
        if not self._written:
            with suppress(OSError, DeliveryFailed):
                self._insist_on_own_file()
                self._path.unlink()
        os.close(self._descriptor)
        self._descriptor = -1

    async def deliver(self, new_secret: NewSecret) -> Sent:
        """Append one secret; it is on the disk when this returns, and the file is whole.

        Whatever goes wrong, the file is left as it was before. The write goes on in a thread
        though nobody waits for it any more, and so it does where the file system hangs.
        """
        return await see_through(self._deliver(new_secret))

    async def _deliver(self, new_secret: NewSecret) -> Sent:
        if not self._lock.acquire(blocking=False):
            raise does_not_answer(self._path)
        try:
            return await in_thread(partial(self._write_entry, new_secret))
        except TimeoutError:
            raise does_not_answer(self._path) from None

    def _write_entry(self, new_secret: NewSecret) -> Sent:
        try:
            return self._write_now(new_secret)
        finally:
            self._lock.release()

    def _write_now(self, new_secret: NewSecret) -> Sent:
        self.check()
        variable = variable_name(new_secret.label, new_secret.short_key, self._variables)
        try:
            self._insist_on_own_file()
            self._append(self._shape.entry(new_secret, variable))
        except OSError as error:
            failure = put_into_words(self._path, error)
            kept = " What was written before is kept." if self._written else ""
            raise DeliveryFailed(failure.reason, failure.sentence + kept) from None
        self._variables.add(variable)
        name = f" as {variable}" if self._form == "env" else ""
        return Sent(
            f"Written to {plain(str(self._path))}{name}, which only you can read.",
            "It is there in the clear: remove the file once its secrets are stored.",
        )

    def _append(self, entry: str) -> None:
        shape, size = self._shape, self._size
        before = shape.between if self._written else shape.before
        place = size - len(shape.after) if self._written else 0
        data = before + entry.encode("utf-8", "surrogatepass") + shape.after
        try:
            _write(self._descriptor, data, place)
            os.fsync(self._descriptor)
            self._size = place + len(data)
            self._insist_on_own_file()
        except BaseException:  # raised again: no half of an entry stays
            self._size = size
            with suppress(OSError):
                os.ftruncate(self._descriptor, size)
                _write(self._descriptor, shape.after if size else b"", place)
                os.fsync(self._descriptor)
            raise
        self._written += 1

    def _insist_on_own_file(self) -> None:
        """Refuse to go on where somebody else took the file away, or wrote to it."""
        opened = os.fstat(self._descriptor)
        with suppress(FileNotFoundError):
            named = self._path.lstat()
            if os.path.samestat(opened, named) and opened.st_size == self._size:
                return
        raise DeliveryFailed(
            DeliveryFault.CHANGED,
            f"{plain(str(self._path))} was moved, removed or changed meanwhile, so this secret was "
            "not written. Choose another file.",
        )


def _write(descriptor: int, data: bytes, place: int) -> None:
    while data:
        written = os.pwrite(descriptor, data, place)
        data, place = data[written:], place + written


@dataclass(frozen=True, slots=True)
class _Shape:
    """What stands before the first entry, between two, and after the last one."""

    before: bytes
    between: bytes
    after: bytes
    entry: Callable[[NewSecret, str], str]


def _env(new_secret: NewSecret, variable: str) -> str:
    names = short(new_secret.short_key, 12), f"id {short(new_secret.key_id, 64)}"
    about = ", ".join(filter(None, names))
    value = shlex.quote(new_secret.secret.get_secret_value())
    return f"# {short(new_secret.label)} ({about})\n{variable}={value}\n"


def _json(new_secret: NewSecret, _: str) -> str:
    """Return the object in ASCII: no reader or terminal can take a label for something else."""
    fields = {"label": new_secret.label, "id": new_secret.key_id, "short_key": new_secret.short_key}
    return "  " + json.dumps({**fields, "secret": new_secret.secret.get_secret_value()})


def _csv(new_secret: NewSecret, _: str) -> str:
    """Return the row; a label that a spreadsheet would run as a formula gets a `'` before it."""
    texts = [plain(text) for text in (new_secret.label, new_secret.key_id, new_secret.short_key)]
    safe = [f"'{text}" if text.lstrip().startswith(_FORMULA) else text for text in texts]
    row = io.StringIO()
    secret = new_secret.secret.get_secret_value()
    end = "\r\n" if "\r" in secret else "\n"  # what ends a line is what gets quoted
    csv.writer(row, lineterminator=end).writerow([*safe, secret])
    return row.getvalue()


_SHAPES = {
    "env": _Shape(b"", b"", b"", _env),
    "json": _Shape(b"[\n", b",\n", b"\n]\n", _json),
    "csv": _Shape(b"label,id,short_key,secret\n", b"", b"", _csv),
}
