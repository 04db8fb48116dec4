"""Text made safe and short for a terminal."""

from __future__ import annotations

import re
import unicodedata
from calendar import monthrange
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


def as_read(text: str) -> str:
    """Return what two texts share that people read as the same.

    Forms of accents, upper case, curly quotation marks, long dashes and blanks make no difference,
    and neither does what is not seen.
    """
    if not text.isascii():
        composed = unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", text).casefold())
        text = "".join(c for c in composed if unicodedata.category(c) not in _NOT_SEEN)
    return " ".join(text.casefold().translate(_READ_ALIKE).split())


_READ_ALIKE = {
    ord(fine): plain_one
    for plain_one, all_fine in {"'": "\u2018\u2019\u201a\u201b\u2032\u00b4`", '"': "\u201c\u201d\u201e\u201f\u2033\u00ab\u00bb", "-": "\u2010\u2011\u2012\u2013\u2014\u2015\u2212"}.items()  # noqa: RUF001  # these are the point
    for fine in all_fine
}
_NOT_SEEN = {"Cf", "Mn"}
"""The categories of format characters, and of the marks that no letter takes in (NFKC)."""


def unwrapped(text: str) -> str:
    """Return a code, token or secret without the blanks and quotation marks around and in it.

    Those come along from where it was copied; a password is never one of these, as it may have
    them.
    """
    text = "".join(c for c in text if c.isprintable() and not c.isspace())
    for opening, closing in ('""', "''", "``", "“”", "\u2018\u2019", "„“", "«»"):
        if len(text) > 2 and text.startswith(opening) and text.endswith(closing):
            return text[1:-1]
    return text


def natural_order(text: str) -> str:
    """Return by what to sort a text as people do: key2 before key10, Ärger beside Arger."""
    letters = text.casefold()
    if not letters.isascii():
        decomposed = unicodedata.normalize("NFKD", letters)
        letters = "".join(c for c in decomposed if not unicodedata.combining(c))
    return _NUMBER.sub(_padded, letters)


_NUMBER = re.compile("[0-9]+")


def _padded(number: re.Match[str]) -> str:
    return number[0].zfill(20)


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


def _months(moment: datetime, now: datetime) -> int:
    """Return how many months are full; a month without that day is full on its last one."""
    months = 12 * (now.year - moment.year) + now.month - moment.month
    _, last_day = monthrange(now.year, now.month)
    full = (min(moment.day, last_day), moment.time())
    return months - ((now.day, now.time()) < full)


def count(number: int, noun: str) -> str:
    """Return `1 key`, `2 keys`, `1,000 keys`."""
    return f"{number:,} {noun}{'' if number == 1 else 's'}"
