"""The marks at the end of labels, which tell everybody on any host what a key's part is.

A successor carries a mark from its create on: `Billing mailer (replaces 85f0 #1d677327-7e2a9c)`.
It names the predecessor, by short key for people and by a digest of its id for programs, and the
attempt that made it. Earlier versions marked predecessors: `Billing mailer (retiring 2026-11-23)`.
"""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass
from datetime import date

from tui.keys.paused_mark import without_paused_mark

NONCE_LENGTH = 6
"""How many hexadecimal digits of an attempt's id its successor's label carries."""

_REPLACES = re.compile(
    r"(?:^| )\(replaces (?:(?P<short>[a-z0-9_-]{1,12}) )?"
    rf"#(?P<reference>[0-9a-f]{{8}})-(?P<nonce>[0-9a-f]{{{NONCE_LENGTH}}})\)\Z",
    re.ASCII | re.IGNORECASE,
)
_TORN = re.compile(
    r" \(replaces(?: [a-z0-9_-]{0,12})?(?: |(?: ?#[0-9a-f]{0,8}(?:-[0-9a-f]{0,6})?))?\Z",
    re.ASCII | re.IGNORECASE,
)
"""What is left of a mark on a server that cuts labels; it tells nothing any more."""
_RETIRING = re.compile(r" \(retiring ([0-9]{4}-[0-9]{2}-[0-9]{2})\)\Z", re.ASCII)
_SHORT_KEY = re.compile(r"[A-Za-z0-9_-]{1,12}", re.ASCII)
_LONGEST_MARK = 130
"""More characters than any mark has: no more of a label is searched for one."""


@dataclass(frozen=True, slots=True)
class Mark:
    """What a successor's label tells: which key it replaces, and the attempt that made it.

    `reference` is the predecessor's `key_reference`, `nonce` is the attempt's `nonce_of`; both are
    lower case. `short_key` is the predecessor's, or nothing.
    """

    reference: str
    nonce: str
    short_key: str = ""


def key_reference(key_id: str) -> str:
    """Return the digest of an id that stands in marks: 8 lower-case hexadecimal digits."""
    return hashlib.sha256(key_id.encode("utf-8", "surrogatepass")).hexdigest()[:8]


def nonce_of(attempt_id: str) -> str:
    """Return what stands in marks for the attempt with this id."""
    return attempt_id[:NONCE_LENGTH]


def successor_label(label: str, predecessor_id: str, short_key: str, nonce: str) -> str:
    """Return the label that marks a successor of the key with this id and short key."""
    short = f"{short_key} " if _SHORT_KEY.fullmatch(short_key) else ""
    return f"{base_label(label)} (replaces {short}#{key_reference(predecessor_id)}-{nonce})"


def mark_of(label: str) -> Mark | None:
    """Return the mark that makes a key a successor, or None; letter case does not matter."""
    end = _end_without(label, (_RETIRING,))
    match = _search(_REPLACES, label, end)
    if match is None:
        return None
    return Mark(match["reference"].lower(), match["nonce"].lower(), match["short"] or "")


def may_name(mark: Mark, short_key: str) -> bool:
    """Tell whether a mark, if its reference fits, may be about a key with this short key."""
    return not mark.short_key or not short_key or mark.short_key.lower() == short_key.lower()


def has_torn_mark(label: str) -> bool:
    """Tell whether a label ends in the beginning of a successor's mark, the rest being cut off."""
    return bool(_TORN.search(label[-_LONGEST_MARK:]))


def retiring_since(label: str) -> date | None:
    """Return the day since which a key is marked as retiring, or None."""
    match = _search(_RETIRING, label, len(label))
    return _day(match) if match else None


def base_label(label: str) -> str:
    """Return the label without any mark, or what a server has left of one."""
    label = _whole(label)
    return label[: _end_without(label, (_REPLACES, _RETIRING))]


def shown_label(label: str) -> str:
    """Return the label without the marks of successors and of pauses, as lists show it."""
    if "(" not in label:  # as nearly all labels of a long list
        return label
    label = _whole(label)
    return label[: _end_without(label, (_REPLACES,))]


def _whole(label: str) -> str:
    """Return the label without the torn mark that it may end in."""
    match = _TORN.search(label[-_LONGEST_MARK:])
    return label[: len(label) - len(match[0])] if match else label


def _end_without(label: str, marks: tuple[re.Pattern[str], ...]) -> int:
    """Return where the label ends once such marks, and those of pauses, are taken off."""
    end, before = len(label), -1
    while end != before:
        before = end
        tail = label[max(0, end - _LONGEST_MARK) : end]
        end -= len(tail) - len(without_paused_mark(tail))
        for mark in marks:
            match = _search(mark, label, end)
            if match and (mark is not _RETIRING or _day(match)):
                end -= len(match[0])
    return end


def _search(mark: re.Pattern[str], label: str, end: int) -> re.Match[str] | None:
    """Find a mark that ends there; most labels have none, and there may be very many."""
    if not label.endswith(")", 0, end):
        return None
    return mark.search(label[max(0, end - _LONGEST_MARK) : end])


def _day(match: re.Match[str]) -> date | None:
    try:
        return date.fromisoformat(match[1])
    except ValueError:
        return None
