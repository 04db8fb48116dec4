"""The mark of a key that is being retired: a suffix of its label, so that everybody sees it."""

from __future__ import annotations

import re
from datetime import date

from tui.keys.paused_mark import without_paused_mark

_MARK = re.compile(r" \(retiring ([0-9]{4}-[0-9]{2}-[0-9]{2})\)")
_LENGTH = len(" (retiring 2026-11-23)")


def retiring_label(label: str, day: date) -> str:
    """Return the label marked as retiring since `day`; an older mark gives way."""
    return f"{base_label(label)} (retiring {day.isoformat()})"


def retiring_since(label: str) -> date | None:
    """Return the day that the label's mark tells, or None where it has none."""
    return _mark(label, len(label))


def base_label(label: str) -> str:
    """Return the label without any mark, whether of a retiring key or of a paused one."""
    while True:
        end = len(label)
        while _mark(label, end):
            end -= _LENGTH
        stripped = without_paused_mark(label[:end])
        if stripped == label:
            return label
        label = stripped


def _mark(label: str, end: int) -> date | None:
    """Return the day of the mark that ends there; an impossible day makes no mark."""
    if not label.endswith(")", 0, end):
        return None  # as most labels, of which there may be very many
    match = _MARK.fullmatch(label, max(0, end - _LENGTH), end)
    try:
        return date.fromisoformat(match[1]) if match else None
    except ValueError:
        return None
