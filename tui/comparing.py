"""Texts as people read them: what they take for the same, and in which order."""

from __future__ import annotations

import re
import unicodedata


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
    for plain_one, all_fine in {
        "'": "\u2018\u2019\u201a\u201b\u2032\u00b4`",
        '"': "\u201c\u201d\u201e\u201f\u2033\u00ab\u00bb",
        "-": "\u2010\u2011\u2012\u2013\u2014\u2015\u2212",
    }.items()
    for fine in all_fine
}
"""Quotation marks and dashes, by what people read them as."""

_NOT_SEEN = {"Cf", "Mn"}
"""The categories of format characters, and of the marks that no letter takes in (NFKC)."""


def unwrapped(text: str) -> str:
    """Return a code, token or secret without the blanks and quotation marks around and in it.

    Those come along from where it was copied; a password is never one of these, as it may have
    them.
    """
    text = "".join(c for c in text if c.isprintable() and not c.isspace())
    for opening, closing in (
        '""',
        "''",
        "``",
        "\u201c\u201d",
        "\u2018\u2019",
        "\u201e\u201c",
        "\u00ab\u00bb",
    ):
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
