"""The journal's lines that are not understood, and what they may be about."""

from __future__ import annotations

import json
import re
from collections.abc import Collection
from datetime import UTC, datetime

from tui.text import count


class Unclear:
    """The lines that a newer version may have written, or that are torn, and what they are about.

    A request is named by its attempt or its key's id, else a key by short key or label; a line
    that names none may be about whatever was noted before it.
    """

    def __init__(self) -> None:
        self._newer = 0
        self._requests = set[tuple[str, str]]()
        self._keys = set[tuple[str, str]]()
        self._all_until: dict[str, datetime] = {}

    @property
    def problem(self) -> str:
        """In a sentence, how many whole lines are not understood, or nothing."""
        if not self._newer:
            return ""
        lines = count(self._newer, "line")
        return f"{lines} of the journal can't be understood: a newer version may have been at work."

    def add(self, line: bytes, after: datetime, *, is_entry: bool) -> None:
        """Take in a line, perhaps an entry with more to it; `after` is the date of that before."""
        self._newer += not is_entry and _is_object(line)
        server = _texts(_SERVER, line)[:1] or [""]
        named = {(server[0], text) for text in _texts(_TEXT, line)}
        if _texts(_NAMES_REQUEST, line):
            self._requests |= named
        elif _texts(_NAMES_KEY, line):
            self._keys |= named
        else:
            self._all_until[server[0]] = after

    def doubts(
        self, server: str, request: Collection[str], key: Collection[str], when: datetime
    ) -> bool:
        """Tell whether a line may say more of a request noted at `when`, or of its key.

        `request` holds its attempt and its key's id, `key` the short key and the label, or nothing.
        """
        return any(
            any((said, name) in self._requests for name in request if name)
            or any((said, name) in self._keys for name in key if name)
            or when <= self._all_until.get(said, LONG_AGO)
            for said in (server, "")
        )


LONG_AGO = datetime.min.replace(tzinfo=UTC)
_TEXT = re.compile(rb'"((?:[^"\\]|\\.)+)"')
_SERVER = re.compile(rb'"server"\s*:\s*"((?:[^"\\]|\\.)+)"')
_NAMES_REQUEST = re.compile(rb'"(?:attempt|key_id)"\s*:\s*"((?:[^"\\]|\\.)+)"')
_NAMES_KEY = re.compile(rb'"(?:short_key|label)"\s*:\s*"((?:[^"\\]|\\.)+)"')


def _texts(pattern: re.Pattern[bytes], line: bytes) -> list[str]:
    """Return the JSON texts that a pattern finds in a line, which need not be JSON as a whole."""
    quoted = (match.decode("utf-8", "replace") for match in pattern.findall(line))
    return [_unquoted(text) for text in quoted]


def _unquoted(text: str) -> str:
    try:
        return str(json.loads(f'"{text}"', strict=False))
    except ValueError:
        return text


def _is_object(line: bytes) -> bool:
    try:
        return isinstance(json.loads(line), dict)
    except (ValueError, RecursionError):
        return False
