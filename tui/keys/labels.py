"""The marks at the end of labels: on any host they tell which key a successor replaces.

A successor carries a mark from its create on: `Billing mailer (replaces 85f0 #1d677327-7e2a9c)`.
It names the predecessor, by short key for people and by a digest of its id for programs, and the
attempt that made it. Earlier versions marked predecessors: `Billing mailer (retiring 2026-11-23)`.
"""

from __future__ import annotations

import hashlib
import re
import unicodedata
from dataclasses import dataclass
from datetime import date

from tui.journal import LONGEST
from tui.keys.paused_mark import without_paused_mark

NONCE_LENGTH = 6
"""How many hexadecimal digits of an attempt's id its successor's label carries."""

REFERENCE_LENGTH = 8
"""How many hexadecimal digits a mark carries of the digest of the predecessor's id."""

SHORTEST_REFERENCE = 4
"""How many of them tell a key, where the mark has its short key, too."""

SHORTEST_CUT = 16
"""From how many characters on a label may be what is left of a longer one that a server cut."""

_REPLACES = re.compile(
    r"(?:^| )\(replaces (?:(?P<short>[a-z0-9_-]{1,12}) )?"
    rf"#(?P<reference>[0-9a-f]{{8}})-(?P<nonce>[0-9a-f]{{{NONCE_LENGTH}}})\)\Z",
    re.ASCII | re.IGNORECASE,
)
_TORN = re.compile(
    r" \(replaces(?: (?P<short>[a-z0-9_-]{0,12}))?"
    r"(?: |(?: ?#(?P<reference>[0-9a-f]{0,8})(?:-[0-9a-f]{0,6})?))?\Z",
    re.ASCII | re.IGNORECASE,
)
"""What is left of a mark on a server that cuts labels."""
_RETIRING = re.compile(r" \(retiring ([0-9]{4}-[0-9]{2}-[0-9]{2})\)\Z", re.ASCII)
_SHORT_KEY = re.compile(r"[A-Za-z0-9_-]{1,12}", re.ASCII)
_LONGEST_MARK = 130
"""More characters than any mark has: no more of a label is searched for one."""


@dataclass(frozen=True, slots=True)
class Mark:
    """What a successor's label tells: which key it replaces, and the attempt that made it.

    `reference` is the predecessor's `key_reference`, `nonce` is the attempt's `nonce_of`; both are
    lower case. `short_key` is the predecessor's, or nothing. Where the server has cut the mark,
    `reference` may be the beginning of one, and `nonce` is nothing.
    """

    reference: str
    nonce: str
    short_key: str = ""

    def is_about(self, key_id: str) -> bool:
        """Tell whether the reference is that of a key with this id."""
        return key_reference(key_id).startswith(self.reference)

    def may_name(self, short_key: str) -> bool:
        """Tell whether the mark, if its reference fits, may be about a key with this short key."""
        return not self.short_key or not short_key or self.short_key.lower() == short_key.lower()


def key_reference(key_id: str) -> str:
    """Return the digest of an id that stands in marks, in lower-case hexadecimal digits."""
    digest = hashlib.sha256(key_id.encode("utf-8", "surrogatepass")).hexdigest()
    return digest[:REFERENCE_LENGTH]


def nonce_of(attempt_id: str) -> str:
    """Return what stands in marks for the attempt with this id."""
    return attempt_id[:NONCE_LENGTH]


def successor_label(label: str, predecessor_id: str, short_key: str, nonce: str) -> str:
    """Return the label that marks a successor of the key with this id and short key."""
    short = f"{short_key} " if _SHORT_KEY.fullmatch(short_key) else ""
    return f"{base_label(label)} (replaces {short}#{key_reference(predecessor_id)}-{nonce})"


def mark_of(label: str) -> Mark | None:
    """Return the mark that makes a key a successor, or None; letter case does not matter.

    One that the server has cut counts as long as it tells the predecessor.
    """
    if not label.endswith(")"):
        return _torn_mark(label)
    match = _search(_REPLACES, label, _end_without_marks(label, (_RETIRING,)))
    if match is None:
        return None
    return Mark(match["reference"].lower(), match["nonce"].lower(), match["short"] or "")


def _torn_mark(label: str) -> Mark | None:
    match = _search_torn(label)
    if match is None:
        return None
    short_key, reference = match["short"] or "", (match["reference"] or "").lower()
    is_enough = len(reference) >= (SHORTEST_REFERENCE if short_key else REFERENCE_LENGTH)
    return Mark(reference, "", short_key) if is_enough else None


def has_torn_mark(label: str) -> bool:
    """Tell whether a label ends in the beginning of a successor's mark, the rest being cut off."""
    return _search_torn(label) is not None


def retiring_since(label: str) -> date | None:
    """Return the day since which a key is marked as retiring, or None."""
    match = _search(_RETIRING, label, len(label))
    return _date_in(match) if match else None


def base_label(label: str) -> str:
    """Return the label without any mark, or what a server has left of one."""
    label = _without_torn_mark(label)
    return label[: _end_without_marks(label, (_REPLACES, _RETIRING))]


def shown_label(label: str) -> str:
    """Return the label without the marks of successors and of pauses, as lists show it."""
    if "(" not in label:  # as nearly all labels of a long list
        return label
    label = _without_torn_mark(label)
    return label[: _end_without_marks(label, (_REPLACES,))]


def _without_torn_mark(label: str) -> str:
    """Return the label without the torn mark that it may end in."""
    match = _search_torn(label)
    return label[: len(label) - len(match[0])] if match else label


def may_come_of(label: str, sent: str, *, short_key_fits: bool = False) -> bool:
    """Tell whether a label may be what a server made of one that was sent.

    Servers trim, fold, normalise and cut labels. One that is cut before its mark counts only where
    the short key fits, too: it may be another key's plain label.
    """
    kept, asked = folded(label), folded(sent)
    is_cut = bool(kept) and asked.startswith(kept)
    return kept == asked or (is_cut and (short_key_fits or has_torn_mark(label)))


def is_same_name(label: str, other: str) -> bool:
    """Tell whether two labels name the same, whatever marks they carry and a server cut off."""
    name, longer = sorted((comparable(label), comparable(other)), key=len)
    return name == longer or (len(name) >= SHORTEST_CUT and longer.startswith(name))


def comparable(label: str) -> str:
    """Return a label without marks as servers that trim, fold and normalise would all keep it."""
    return folded(base_label(label[:LONGEST].strip()))


def folded(label: str) -> str:
    """Return a label as servers that trim, fold and normalise would all keep it."""
    return unicodedata.normalize("NFC", label[:LONGEST].strip()).strip().casefold()


def _end_without_marks(label: str, marks: tuple[re.Pattern[str], ...]) -> int:
    """Return where the label ends once such marks, and those of pauses, are taken off."""
    end, before = len(label), -1
    while end != before:
        before = end
        tail = label[max(0, end - _LONGEST_MARK) : end]
        end -= len(tail) - len(without_paused_mark(tail))
        for mark in marks:
            match = _search(mark, label, end)
            if match and (mark is not _RETIRING or _date_in(match)):
                end -= len(match[0])
    return end


def _search_torn(label: str) -> re.Match[str] | None:
    """Find what is left of a mark; most labels have none, and there may be very many."""
    tail = label[-_LONGEST_MARK:]
    return _TORN.search(tail) if "(" in tail else None


def _search(mark: re.Pattern[str], label: str, end: int) -> re.Match[str] | None:
    """Find a mark that ends there; most labels have none, and there may be very many."""
    if not label.endswith(")", 0, end):
        return None
    return mark.search(label[max(0, end - _LONGEST_MARK) : end])


def _date_in(match: re.Match[str]) -> date | None:
    try:
        return date.fromisoformat(match[1])
    except ValueError:
        return None
