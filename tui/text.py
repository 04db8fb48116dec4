"""Text made safe and short for a terminal."""

from __future__ import annotations

import unicodedata
from calendar import monthrange
from collections.abc import Iterable
from datetime import datetime

LONGEST = 200
"""How much of a server's text is ever shown in one piece, in characters."""


def plain(text: str) -> str:
    """Return `text` with every character that a terminal may act on turned into a visible mark.

    Control, format (bidirectional overrides among them), surrogate, private and unassigned
    characters become `␛`-like pictures or `<U+202E>`; line and paragraph separators become spaces.
    Emoji selectors go: terminals differ in how wide they make what stands before one.
    """
    text = text.replace("\ufe0f", "")
    if text.isprintable():
        return text
    return "".join(map(_visible, text))


def _visible(character: str) -> str:
    if character.isprintable():
        return character
    code = ord(character)
    if code < 0x20:
        return chr(0x2400 + code)
    if code == 0x7F:
        return "␡"
    if unicodedata.category(character).startswith("Z"):
        return " "
    return f"<U+{code:04X}>"


def short(text: str, longest: int = LONGEST) -> str:
    """Return `plain(text)`, cut to `longest` characters with an ellipsis."""
    shown = plain(text[: longest + 1])
    return shown if len(shown) <= longest else shown[: longest - 1] + "…"


def mask(short_key: str) -> str:
    """Return a short key as the web UI shows it: `9ac1••••`, or nothing where there is none."""
    return f"{short(short_key, 12)}••••" if short_key else ""


def ago(moment: datetime, now: datetime) -> str:
    """Return how long before `now` the `moment` lies, in words: `3 days ago`.

    Days count for two months, then months and years by the calendar, each full on its anniversary.
    A moment in the future, as clocks that differ produce it, is `just now` within a minute and
    the plain date beyond it.
    """
    seconds = (now - moment).total_seconds()
    if -60 < seconds < 60:
        return "just now"
    if seconds < 0:
        return f"{moment:%Y-%m-%d}"
    months = _months(moment, now.astimezone(moment.tzinfo))
    for number, unit in (
        (months // 12, "year"),
        (months if months > 1 else 0, "month"),
        (int(seconds // 86_400), "day"),
        (int(seconds // 3_600), "hour"),
    ):
        if number:
            return f"{number} {unit}{'s' * (number > 1)} ago"
    return f"{int(seconds // 60)} min ago"


def age(moment: datetime, now: datetime) -> str:
    """Return how old something is, in little room: `13 d`, `20 mo`, `2 y`; months up to two years.

    A moment in the future has no age, which a dash tells.
    """
    seconds = (now - moment).total_seconds()
    if seconds < 0:
        return "< 1 h" if seconds > -60 else "\N{EN DASH}"
    months = _months(moment, now.astimezone(moment.tzinfo))
    for number, unit in (
        (months // 12 if months >= 24 else 0, "y"),
        (months if months > 1 else 0, "mo"),
        (int(seconds // 86_400), "d"),
        (int(seconds // 3_600), "h"),
    ):
        if number:
            return f"{number} {unit}"
    return "< 1 h"


def _months(moment: datetime, now: datetime) -> int:
    """Return how many months are full; a month without that day is full on its last one."""
    months = 12 * (now.year - moment.year) + now.month - moment.month
    _, last_day = monthrange(now.year, now.month)
    full = (min(moment.day, last_day), moment.time())
    return months - ((now.day, now.time()) < full)


def count(number: int, noun: str) -> str:
    """Return `1 key`, `2 keys`, `1,000 keys`."""
    return f"{number:,} {noun}{'' if number == 1 else 's'}"


def did_you_mean(name: str, known: Iterable[str], similarity: float = 0.6) -> str:
    """Return `; did you mean NAME?` with the known name that is spelt nearly so, or nothing.

    `similarity` is how alike they must be, from 0 to 1; case does not count.
    """
    from difflib import get_close_matches  # seldom needed

    names = {each.lower(): each for each in known}
    close = get_close_matches(name.lower(), names, 1, similarity)
    return f"; did you mean {names[close[0]]}?" if close else ""
