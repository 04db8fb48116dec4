"""The form in which texts are compared: case, compatible forms and blanks make no difference."""

from __future__ import annotations

import re
from dataclasses import dataclass
from itertools import accumulate, pairwise
from unicodedata import category, normalize

_BLANKS = re.compile(r"\s+")


def normalised(text: str) -> str:
    """Return `text` as it is compared: case-folded, in NFKC, every run of white space one blank."""
    if text.isascii():
        folded = text.lower()
    else:
        folded = normalize("NFKC", normalize("NFD", text).casefold())
        folded = normalize("NFKC", folded.casefold())
    if folded.isprintable() and "  " not in folded:  # no white space but single blanks
        return folded
    return _BLANKS.sub(" ", folded)


@dataclass(frozen=True, slots=True)
class AlignedText:
    """A text in its normal form, and where each character of it comes from.

    Character `n` of `normal` comes from `original[starts[n]:ends[n]]`. Characters that combine are
    one unit: an `e` and its accent, or `ß`, which becomes `ss`.
    """

    normal: str
    starts: tuple[int, ...]
    ends: tuple[int, ...]

    def original_span(self, start: int, end: int) -> tuple[int, int]:
        """Return the part of the original that `normal[start:end]` comes from; it isn't empty."""
        return self.starts[start], self.ends[end - 1]


def aligned(text: str) -> AlignedText:
    """Return the normal form of `text` with the places in `text` that its characters come from."""
    normal = normalised(text)
    if text.isascii() and len(normal) == len(text):
        places = tuple(range(len(text) + 1))
        return AlignedText(normal, places[:-1], places[1:])
    characters: list[str] = []
    starts: list[int] = []
    ends: list[int] = []
    for start, end in _units(text):
        for character in normalised(text[start:end]):
            if character == " " and characters and characters[-1] == " ":
                ends[-1] = end
                continue
            characters.append(character)
            starts.append(start)
            ends.append(end)
    if "".join(characters) != normal:  # a combination that the units don't know
        return AlignedText(normal, (0,) * len(normal), (len(text),) * len(normal))
    return AlignedText(normal, tuple(starts), tuple(ends))


def _units(text: str) -> list[tuple[int, int]]:
    """Return the parts of `text` that are normalised independently of each other."""
    lengths: list[int] = []
    for character in text:
        if lengths and _joins(character):
            lengths[-1] += 1
        else:
            lengths.append(1)
    places = [0, *accumulate(lengths)]
    return list(pairwise(places))


def _joins(character: str) -> bool:
    """Tell whether a character can combine with the one before it."""
    first = normalize("NFKC", character)[0]
    is_jamo_vowel_or_final = "\u1160" <= first <= "\u11ff"
    return category(first).startswith("M") or is_jamo_vowel_or_final
