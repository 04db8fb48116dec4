"""Where in a TOML text each key and each value stands, which `tomllib` doesn't tell."""

from __future__ import annotations

import re
import tomllib
from dataclasses import dataclass

from tui.config.config_file import FIRST, Position

TomlPath = tuple[str | int, ...]
"""The way to a value: names of keys, and numbers of elements counted from 0."""

_BLANK = re.compile(r"[ \t]*")
_BLANK_LINES = re.compile(r"(?:[ \t\n]|#[^\n]*)*")
_BARE_KEY = re.compile(r"[A-Za-z0-9_-]+")
_TEXT = re.compile(
    r'"""(?:[^\\]|\\.)*?"{3,5}' r"|'''.*?'{3,5}" r'|"(?:[^"\\\n]|\\.)*"' r"|'[^'\n]*'", re.DOTALL
)
_OTHER_VALUE = re.compile(r"[^,\]}#\n]+")


@dataclass
class TomlPositions:
    """The positions of all keys and values of a text that `tomllib` can read."""

    text: str

    def __post_init__(self) -> None:
        self._at = 0
        self._keys: dict[TomlPath, int] = {}
        self._values: dict[TomlPath, int] = {}
        self._tables: dict[TomlPath, int] = {}
        self._read()

    def of_key(self, path: TomlPath) -> Position:
        """Return where the last key of a path stands, or else what holds it."""
        return self._position(self._keys, path)

    def of_value(self, path: TomlPath) -> Position:
        """Return where a value begins; a table's position is its name's."""
        return self._position({**self._keys, **self._values}, path)

    def _position(self, offsets: dict[TomlPath, int], path: TomlPath) -> Position:
        while path and path not in offsets:
            path = path[:-1]
        return position_of(self.text, offsets[path]) if path else FIRST

    def _read(self) -> None:
        table: TomlPath = ()
        while self._skip(_BLANK_LINES) < len(self.text):
            if self.text[self._at] == "[":
                table = self._table_header()
            else:
                self._pair(table)

    def _table_header(self) -> TomlPath:
        """Read `[a.b]` or `[[a.b]]`; return the path of what follows."""
        is_array = self.text.startswith("[[", self._at)
        self._at += 1 + is_array
        path = self._key(())
        if is_array:
            number = self._tables[path] = self._tables.get(path, -1) + 1
            path = (*path, number)
        self._skip(_BLANK)
        self._at += 1 + is_array
        return path

    def _pair(self, table: TomlPath) -> None:
        path = self._key(table)
        self._skip(_BLANK)
        self._at += 1  # the equals sign
        self._skip(_BLANK)
        self._value(path)

    def _key(self, table: TomlPath) -> TomlPath:
        """Read a key, dotted perhaps; return its path."""
        path = table
        while True:
            self._skip(_BLANK)
            start = self._at
            match = _BARE_KEY.match(self.text, start) or _TEXT.match(self.text, start)
            if match is None:
                raise ValueError(f"no key at {position_of(self.text, start)}")
            self._at = match.end()
            path = (*path, _decoded(match[0]))
            self._keys.setdefault(path, start)
            self._skip(_BLANK)
            if not self.text.startswith(".", self._at):
                return path
            self._at += 1

    def _value(self, path: TomlPath) -> None:
        self._values[path] = self._at
        if match := _TEXT.match(self.text, self._at):
            self._at = match.end()
        elif self.text.startswith("[", self._at):
            self._array(path)
        elif self.text.startswith("{", self._at):
            self._inline_table(path)
        elif match := _OTHER_VALUE.match(self.text, self._at):
            self._at = match.end()

    def _array(self, path: TomlPath) -> None:
        self._at += 1
        number = 0
        while not self.text.startswith("]", self._skip(_BLANK_LINES)):
            self._value((*path, number))
            number += 1
            self._skip(_BLANK_LINES)
            self._at += self.text.startswith(",", self._at)
        self._at += 1

    def _inline_table(self, path: TomlPath) -> None:
        self._at += 1
        while not self.text.startswith("}", self._skip(_BLANK_LINES)):
            self._pair(path)
            self._skip(_BLANK_LINES)
            self._at += self.text.startswith(",", self._at)
        self._at += 1

    def _skip(self, pattern: re.Pattern[str]) -> int:
        match = pattern.match(self.text, self._at)
        self._at = match.end() if match else self._at
        return self._at


def position_of(text: str, offset: int) -> Position:
    """Return the line and column of a character."""
    start = text.rfind("\n", 0, offset) + 1
    return Position(text.count("\n", 0, offset) + 1, offset - start + 1)


def _decoded(key: str) -> str:
    """Return the name that a key spells, in quotes perhaps."""
    if key[0] not in "\"'":
        return key
    return str(tomllib.loads(f"key = {key}")["key"])
