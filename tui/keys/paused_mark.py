"""The mark at the end of a paused key's label: since when, and the IPs it worked from."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Collection
from dataclasses import dataclass
from datetime import date

PAUSED_IPS = ("192.0.2.0/32",)
"""The allowed IPs of a paused key: an address kept for documentation, so nobody's (RFC 5737)."""

LONGEST_LISTED = 60
"""Up to how many characters the mark lists addresses; of longer lists it holds a digest."""

_NOBODYS = frozenset({"192.0.2.0/32", "192.0.2.0"})
_MARK = re.compile(
    r" \(paused (?P<day>[0-9]{4}-[0-9]{2}-[0-9]{2}), from "
    rf"(?:(?P<any>any)|#(?P<digest>[0-9a-f]{{8}})|(?P<ips>[0-9./ ]{{1,{LONGEST_LISTED}}}))\)\Z",
    re.ASCII | re.IGNORECASE,
)
_LONGEST_MARK = len(" (paused 2026-11-26, from )") + LONGEST_LISTED


@dataclass(frozen=True, slots=True)
class PausedMark:
    """What the label of a paused key tells.

    `valid_ips` are the addresses that it worked from, none for any; None where there were too many
    to list, and `digest` is that of the list.
    """

    since: date
    valid_ips: tuple[str, ...] | None
    digest: str = ""

    def may_stand_for(self, valid_ips: Collection[str]) -> bool:
        """Tell whether the key may have worked from these addresses."""
        if self.valid_ips is None:
            return self.digest == _digest(valid_ips)
        return set(self.valid_ips) == set(valid_ips)


def is_paused(valid_ips: Collection[str] | None) -> bool:
    """Tell whether a key with these allowed IPs works from no address."""
    return bool(valid_ips) and _NOBODYS.issuperset(valid_ips or ())


def paused_label(label: str, day: date, valid_ips: Collection[str]) -> str:
    """Return the label of a key that is paused from `day` on and worked from `valid_ips`."""
    listed = " ".join(valid_ips) or "any"
    if len(listed) > LONGEST_LISTED or not re.fullmatch(r"any|[0-9./ ]+", listed):
        listed = f"#{_digest(valid_ips)}"
    return f"{label} (paused {day.isoformat()}, from {listed})"


def paused_mark(label: str) -> PausedMark | None:
    """Return the mark at the end of a label, or None; an impossible day makes no mark."""
    match = _match(label)
    if match is None:
        return None
    try:
        since = date.fromisoformat(match["day"])
    except ValueError:
        return None
    if match["digest"]:
        return PausedMark(since, None, match["digest"].lower())
    return PausedMark(since, tuple((match["ips"] or "").split()))


def without_paused_mark(label: str) -> str:
    """Return the label without the mark at its end, if it has one."""
    match = _match(label) if paused_mark(label) else None
    return label[: len(label) - len(match[0])] if match else label


def _match(label: str) -> re.Match[str] | None:
    """Match the mark; most labels have none, and there may be very many."""
    return _MARK.search(label[-_LONGEST_MARK:]) if label.endswith(")") else None


def _digest(valid_ips: Collection[str]) -> str:
    """Return 8 hexadecimal digits that tell a list of addresses from others."""
    text = " ".join(valid_ips)
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:8]
