"""What a query is made of: terms that occur in a text or don't, and how they are combined.

Texts are in their normal form everywhere in this module (`normal_form.normalised`).
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from enum import Enum
from functools import cached_property
from itertools import pairwise

_MOST_RUNS = 10_000
"""How many texts without a fuzzy word are remembered for each."""


class Wildcard(Enum):
    """What stands for characters that are no blanks: any number of them, or one."""

    ANY = "*"
    ONE = "?"


@dataclass(frozen=True, slots=True)
class Literal:
    """A word or phrase: occurs wherever its characters stand, inside of longer words as well."""

    value: str

    def spans(self, text: str) -> Iterator[tuple[int, int]]:
        """Yield where the term occurs in `text`."""
        start = text.find(self.value)
        while start >= 0:
            end = start + len(self.value)
            yield start, end
            start = text.find(self.value, end)


@dataclass(frozen=True)
class Pattern:
    """A word with wildcards, which whole words are compared with; `rot*` is how words begin."""

    parts: tuple[str | Wildcard, ...]
    """A literal is never next to another, nor `ANY` to `ANY`; `ANY` is never alone."""

    @cached_property
    def literals(self) -> tuple[str, ...]:
        """The texts that stand in every match, the longest first."""
        return tuple(sorted((p for p in self.parts if isinstance(p, str)), key=len, reverse=True))

    @property
    def clues(self) -> tuple[str, ...]:
        """A text that every match has, so that most rows are ruled out by a cheap look."""
        return self.literals[:1]

    @cached_property
    def _core(self) -> re.Pattern[str]:
        """The pattern of a match, without the wildcards at its beginning and end."""
        parts = self.parts
        first, last = parts[0] is Wildcard.ANY, parts[-1] is Wildcard.ANY
        core = _expression(parts[first : len(parts) - last])
        end = "" if last else _word_end(parts[-1])
        begin = "" if first else _word_begin(parts[0])
        if begin and isinstance(parts[0], str):
            # A literal in front is found fast; that a word begins with it is looked at afterwards.
            literal = re.escape(parts[0])
            return re.compile(rf"{literal}(?<!\w{literal}){core.removeprefix(literal)}{end}")
        return re.compile(begin + core + end)

    @cached_property
    def _whole(self) -> re.Pattern[str]:
        """What tells where a match begins and ends."""
        begin = r"(?<!\S)" if self.parts[0] is Wildcard.ANY else _word_begin(self.parts[0])
        end = "" if self.parts[-1] is Wildcard.ANY else _word_end(self.parts[-1])
        return re.compile(begin + _expression(self.parts) + end)

    def occurs_in(self, text: str) -> bool:
        """Tell whether the term occurs in `text`."""
        return self._core.search(text) is not None

    def spans(self, text: str) -> Iterator[tuple[int, int]]:
        """Yield where the term occurs in `text`."""
        return (match.span() for match in self._whole.finditer(text))


def _expression(parts: tuple[str | Wildcard, ...]) -> str:
    """Return the parts as a regular expression whose time grows with the text alone.

    What stands between two `ANY` is looked for once, as its first place is as good as any other.
    """
    segments = [""]
    for part in parts:
        if part is Wildcard.ANY:
            segments.append("")
        else:
            segments[-1] += re.escape(part) if isinstance(part, str) else r"\S"
    first, *middle, last = segments if len(segments) > 1 else ("", *segments)
    atomic = "".join(rf"(?>\S*?{segment})" for segment in middle)
    return first + atomic + (rf"\S*{last}" if len(segments) > 1 else last)


def _word_begin(part: str | Wildcard) -> str:
    return r"(?<!\w)" if part is Wildcard.ONE or re.match(r"\w", str(part)) else ""


def _word_end(part: str | Wildcard) -> str:
    return r"(?!\w)" if part is Wildcard.ONE or re.search(r"\w\Z", str(part)) else ""


@dataclass(frozen=True)
class Fuzzy:
    """A word that may be misspelt: whole words occur that are at most `edits` changes away.

    `edits` is less than the length of `value`, as otherwise any word would do.
    A change is a character added, left out or replaced, or two neighbours swapped.
    """

    value: str
    edits: int

    @cached_property
    def words(self) -> re.Pattern[str]:
        """What is a word: letters and digits, or all between blanks if the term has more."""
        return re.compile(r"\w+" if re.fullmatch(r"\w+", self.value) else r"\S+")

    @cached_property
    def clues(self) -> tuple[str, ...]:
        """Texts of which every match contains one: they rule out most rows cheaply.

        Of `edits + 1` pieces one is left unchanged, unless the last character of a piece and the
        first of the next one are swapped.
        """
        count = self.edits + 1
        cuts = [len(self.value) * n // count for n in range(count + 1)]
        pieces = [self.value[a:b] for a, b in pairwise(cuts)]
        swapped = [
            self._swapped(cuts[first + 1 : last + 1])[cuts[first] : cuts[last + 1]]
            for first in range(count)
            for last in range(first + 1, count)
        ]
        shortest_first = sorted({*pieces, *swapped}, key=lambda clue: (len(clue), clue))
        clues: list[str] = []
        for clue in shortest_first:
            if not any(shorter in clue for shorter in clues):
                clues.append(clue)
        return tuple(clues)

    def _swapped(self, places: list[int]) -> str:
        """Return the word with the characters around each of the places swapped."""
        characters = list(self.value)
        for n in places:
            characters[n - 1], characters[n] = characters[n], characters[n - 1]
        return "".join(characters)

    @cached_property
    def _close_runs(self) -> set[str]:
        """Texts without blanks in which the term is known to occur: most come many times."""
        return set()

    @cached_property
    def _other_runs(self) -> set[str]:
        """Texts without blanks in which the term is known not to occur."""
        return set()

    def occurs_in(self, text: str) -> bool:
        """Tell whether the term occurs in `text`."""
        runs = text.split()
        if not self._close_runs.isdisjoint(runs):
            return True
        others = self._other_runs
        return any(run not in others and self._occurs_in_run(run) for run in runs)

    def _occurs_in_run(self, run: str) -> bool:
        for clue in self.clues:
            if clue in run and any(map(self.is_close, self.words.findall(run))):
                self._close_runs.add(run)
                return True
        if len(self._other_runs) < _MOST_RUNS:
            self._other_runs.add(run)
        return False

    def is_close(self, word: str) -> bool:
        """Tell whether a word is at most `edits` changes away."""
        return is_close(self.value, word, self.edits)

    def spans(self, text: str) -> Iterator[tuple[int, int]]:
        """Yield where the term occurs in `text`."""
        return (m.span() for m in self.words.finditer(text) if self.is_close(m.group()))


def is_close(left: str, right: str, limit: int) -> bool:
    """Tell whether the two are within `limit` changes (optimal string alignment)."""
    if abs(len(left) - len(right)) > limit:
        return False
    before: list[int] = []
    row = list(range(len(right) + 1))
    for i, a in enumerate(left, 1):
        older, before, row = before, row, [i]
        for j, b in enumerate(right, 1):
            least = min(before[j] + 1, row[j - 1] + 1, before[j - 1] + (a != b))
            if i > 1 and j > 1 and a == right[j - 2] and left[i - 2] == b:
                least = min(least, older[j - 2] + 1)
            row.append(least)
        if min(row) > limit and min(before) > limit:
            return False
    return row[-1] <= limit


@dataclass(frozen=True, slots=True)
class And:
    """Matches what all of its parts match; without parts, everything."""

    parts: tuple[Node, ...] = ()


@dataclass(frozen=True, slots=True)
class Or:
    """Matches what at least one of its parts matches."""

    parts: tuple[Node, ...]


@dataclass(frozen=True, slots=True)
class Not:
    """Matches what its part does not."""

    part: Node


EVERYTHING = And()

Term = Literal | Pattern | Fuzzy
Node = Term | And | Or | Not


def negated(node: Node) -> Node:
    """Return what matches all that `node` does not."""
    return node.part if isinstance(node, Not) else Not(node)


def depth(node: Node) -> int:
    """Return how many combinations are inside of each other."""
    match node:
        case And(parts) | Or(parts):
            return 1 + max(map(depth, parts), default=0)
        case Not(part):
            return 1 + depth(part)
    return 0


def positive_terms(node: Node) -> Iterator[Term]:
    """Yield the terms that a match may contain: those that are not excluded."""
    match node:
        case And(parts) | Or(parts):
            for part in parts:
                yield from positive_terms(part)
        case Not():
            return
        case term:
            yield term


def implies(narrow: Node, wide: Node) -> bool:
    """Tell whether everything that `narrow` matches is sure to be matched by `wide`.

    False where it isn't obvious.
    """
    if narrow == wide:
        return True
    match narrow, wide:
        case _, And(parts):
            return all(implies(narrow, part) for part in parts)
        case Or(parts), _:
            return all(implies(part, wide) for part in parts)
        case And(parts), _ if any(implies(part, wide) for part in parts):
            return True
        case _, Or(parts):
            return any(implies(narrow, part) for part in parts)
        case Not(excluded), Not(excluded_before):
            return implies(excluded_before, excluded)
        case Literal(value), Literal(part_of_it):
            return part_of_it in value
        case Pattern(), Literal(part_of_it):
            return any(part_of_it in literal for literal in narrow.literals)
    return False
