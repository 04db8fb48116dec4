r"""The query language, which is the one of the web interface's own search box.

- `mail` finds what contains these letters, in any case. `rest injection` finds what contains either
  word, as `rest OR injection` and `rest || injection` do. `"rest injection"` finds the phrase.
- `rest AND port` (or `&&`) finds what contains both. AND binds tighter than OR; `( )` group.
- `+port` must occur and `-port` may not; `NOT port` and `!port` are the same as `-port`. Beside a
  word with `+`, words without one need not occur. OR before an exclusion changes nothing: `a OR -b`
  is `a -b`. Exclusions alone, as in `NOT port`, find everything else.
- `rot*` and `t?st`: words with wildcards are compared with whole words, so `rot*` finds words that
  begin so. `*` stands for any number of characters, `?` for one; neither stands for a blank.
- `mailr~` finds whole words of similar spelling: one change from three letters on, two from
  six on; `mailr~1` and `mailr~2` set the number of changes.
- `\` makes the next character an ordinary one. Special are `+ - && || ! ( ) { } [ ] ^ " ~ * ? : \`;
  `+`, `-` and `!` only where a word begins, AND, OR and NOT only in upper case.
- Fields (`label:x`), ranges (`[a TO z]`) and boosts (`x^2`) are not supported; an error says so.
"""

from __future__ import annotations

import re
from collections.abc import Collection
from dataclasses import dataclass
from enum import Enum
from functools import lru_cache
from typing import TYPE_CHECKING, Protocol, cast

from tui.search.normal_form import normalised
from tui.search.terms import (
    EVERYTHING,
    And,
    Fuzzy,
    Literal,
    Node,
    Or,
    Pattern,
    Term,
    Wildcard,
    depth,
    negated,
    positive_terms,
)

if TYPE_CHECKING:
    from lark import Token

    class QueryParser(Protocol):
        """What the parser is once it builds queries."""

        def parse(self, text: str) -> Node:
            """Return the query's root."""
            ...


LONGEST = 1_000
"""How many characters a query may have."""

DEEPEST = 20
"""How many groups may be open at once."""

_GRAMMAR = r"""
?start:    clauses
clauses:   clause (_OR? clause)*
clause:    _signed (_AND _signed)*
_signed:   term | phrase | group | sign
sign:      SIGN _signed
group:     OPEN clauses _CLOSE
term:      TERM
phrase:    PHRASE

_AND.2:    /AND(?=[\s()"]|$)|&&/
_OR.2:     /OR(?=[\s()"]|$)|\|\|/
SIGN.2:    /NOT(?=[\s()"]|$)|[+\-!]/
TERM:      /(\\[\s\S]|&(?!&)|\|(?!\|)|[^\s\\&|(){}\[\]^"~:])+(~[0-9.]*)?/
PHRASE:    /"(\\[\s\S]|[^"\\])*"/
OPEN:      "("
_CLOSE:    ")"
%ignore /\s+/
"""

_ESCAPED = re.compile(r"\\([\s\S])")
_WORD_PART = re.compile(r"[*?]|(?:\\[\s\S]|[^*?\\])+")
_WILDCARDS = {"*": Wildcard.ANY, "?": Wildcard.ONE}
_FUZZY_END = re.compile(r"(?<!\\)~([0-9.]*)\Z")
_SIMILARITY = re.compile(r"0\.[0-9]*|\.[0-9]+")
"""How alike words must be, as older versions of the language write it: `mailr~0.8`."""
_NEEDS_MORE = re.compile(r"(AND|OR|NOT|&&|\|\||[+\-!(])\s*\Z")


class QueryError(Exception):
    """The query is faulty at `column`, which counts characters from 1; `message` says how."""

    def __init__(self, column: int, message: str) -> None:
        super().__init__(f"column {column}: {message}")
        self.column = column
        self.message = message


class UnfinishedQuery(Exception):
    """The query is fine as far as it goes; `message` says what is missing.

    While somebody types, the last result is kept and the message shown beside it.
    """

    def __init__(self, message: str) -> None:
        super().__init__(message)
        self.message = message


@dataclass(frozen=True, slots=True)
class Query:
    """A query that was understood; equal ones match the same."""

    root: Node = EVERYTHING

    @property
    def matches_all(self) -> bool:
        """Whether nothing was asked for, so that everything matches."""
        return self.root == EVERYTHING

    @property
    def terms(self) -> tuple[Term, ...]:
        """The terms that matches contain, each once; without those that are excluded."""
        return tuple(dict.fromkeys(positive_terms(self.root)))


@lru_cache(maxsize=64)
def parse_query(text: str) -> Query:
    """Return the query that `text` is; an empty one matches everything.

    Raises:
        QueryError: The text is faulty, however it goes on.
        UnfinishedQuery: Something is missing at the end.
    """
    if not text.strip():
        return Query()
    if len(text) > LONGEST:
        raise QueryError(LONGEST + 1, f"A query has at most {LONGEST:,} characters.")
    from lark.exceptions import UnexpectedCharacters, UnexpectedToken  # loaded when first needed

    try:
        return Query(_parser().parse(text))
    except UnexpectedToken as error:
        raise _wrong_token(text, error.token, error.expected) from None
    except UnexpectedCharacters as error:
        raise _wrong_character(text, error.pos_in_stream or 0) from None


def prepare() -> None:
    """Load the parser, so that the first query does not wait for it; fit for a thread."""
    _parser()


@lru_cache(maxsize=1)
def _parser() -> QueryParser:
    from lark import Lark

    # The contextual lexer would take a misplaced AND for a word.
    return cast("QueryParser", Lark(_GRAMMAR, parser="lalr", lexer="basic", transformer=_Build()))


def _wrong_token(
    text: str, token: Token, expected: Collection[str]
) -> QueryError | UnfinishedQuery:
    if token.type == "$END":
        if "_CLOSE" in expected:
            return UnfinishedQuery("A closing ) is missing.")
        operator = _NEEDS_MORE.search(text)
        return UnfinishedQuery(f"Something must follow {operator[1] if operator else text[-1]}.")
    column = (token.start_pos or 0) + 1
    if "TERM" not in expected:
        return QueryError(column, f"No group is open that this {token} could close.")
    return QueryError(column, f"Something is missing before {token}.")


def _wrong_character(text: str, place: int) -> QueryError | UnfinishedQuery:
    character = text[place]
    literally = rf"to find {character} itself, type \{character}"
    match character:
        case '"':
            return UnfinishedQuery('A closing " is missing.')
        case "\\":
            return UnfinishedQuery(r"The character that \ is about is missing.")
        case ":":
            message = f"Fields are not supported; {literally}"
        case "^":
            message = f"Weights are not supported; {literally}"
        case "~" if text[place - 1 : place] == '"':
            message = "~ goes with a word, not with a phrase"
        case "~":
            message = f"~ must follow a word at once; {literally}"
        case _:
            message = f"Ranges are not supported; {literally}"
    return QueryError(place + 1, f"{message}.")


class _Occur(Enum):
    """What a sign says of a clause."""

    SHOULD = ""
    MUST = "+"
    MUST_NOT = "-"


@dataclass(frozen=True, slots=True)
class _Clause:
    occur: _Occur
    node: Node

    @property
    def meaning(self) -> Node:
        """What the clause says where it stands alone."""
        return negated(self.node) if self.occur is _Occur.MUST_NOT else self.node


class _Build:
    """What the parser calls for each rule of the grammar, innermost first."""

    def clauses(self, clauses: list[_Clause]) -> Node:
        """Combine what blanks and OR keep apart, by the signs of each."""
        nodes = {
            occur: tuple(clause.node for clause in clauses if clause.occur is occur)
            for occur in _Occur
        }
        parts = nodes[_Occur.MUST]
        if not parts and nodes[_Occur.SHOULD]:
            parts = (_single(Or, nodes[_Occur.SHOULD]),)
        return _single(And, parts + tuple(map(negated, nodes[_Occur.MUST_NOT])))

    def clause(self, clauses: list[_Clause]) -> _Clause:
        """Combine what AND joins; a `+` inside makes all of it necessary."""
        if len(clauses) == 1:
            return clauses[0]
        is_necessary = any(clause.occur is _Occur.MUST for clause in clauses)
        node = And(tuple(clause.meaning for clause in clauses))
        return _Clause(_Occur.MUST if is_necessary else _Occur.SHOULD, node)

    def sign(self, children: tuple[Token, _Clause]) -> _Clause:
        """Apply a sign to what follows it."""
        sign, clause = children
        return _Clause(_Occur.MUST if sign == "+" else _Occur.MUST_NOT, clause.meaning)

    def group(self, children: tuple[Token, Node]) -> _Clause:
        """Make a clause of what stands in parentheses."""
        opening, node = children
        if depth(node) > DEEPEST:
            raise QueryError(_column(opening), "Too many groups inside of each other.")
        return _Clause(_Occur.SHOULD, node)

    def phrase(self, children: tuple[Token]) -> _Clause:
        """Make a clause of a phrase."""
        (token,) = children
        phrase = normalised(_ESCAPED.sub(r"\1", token[1:-1])).strip()
        if not phrase:
            raise QueryError(_column(token), "The phrase is empty.")
        return _Clause(_Occur.SHOULD, Literal(phrase))

    def term(self, children: tuple[Token]) -> _Clause:
        """Make a clause of a word, which may have wildcards or be fuzzy."""
        (token,) = children
        is_fuzzy = _FUZZY_END.search(token)
        if not is_fuzzy:
            return _Clause(_Occur.SHOULD, _word(_parts(token)))
        word, edits = token[: is_fuzzy.start()], is_fuzzy[1]
        return _Clause(_Occur.SHOULD, _fuzzy(_parts(word), edits, _column(token) + len(word)))


def _single(combine: type[And] | type[Or], parts: tuple[Node, ...]) -> Node:
    return parts[0] if len(parts) == 1 else combine(parts)


def _column(token: Token) -> int:
    return (token.start_pos or 0) + 1


def _parts(word: str) -> tuple[str | Wildcard, ...]:
    """Return the literal texts and the wildcards of a word; `**` is `*`."""
    parts: list[str | Wildcard] = []
    for match in _WORD_PART.finditer(word):
        part = match.group()
        wildcard = _WILDCARDS.get(part)
        if wildcard is None:
            parts.append(normalised(_ESCAPED.sub(r"\1", part)))
        elif wildcard is Wildcard.ONE or parts[-1:] != [Wildcard.ANY]:
            parts.append(wildcard)
    return tuple(parts)


def _word(parts: tuple[str | Wildcard, ...]) -> Node:
    match parts:
        case (Wildcard.ANY,):
            return EVERYTHING
        case (str(literal),) | (Wildcard.ANY, str(literal), Wildcard.ANY):
            return Literal(literal)
    return Pattern(parts)


def _fuzzy(parts: tuple[str | Wildcard, ...], edits: str, column: int) -> Fuzzy:
    match parts:
        case (str(word),):
            pass
        case _:
            raise QueryError(column, "~ does not go with * and ? in one word.")
    if not edits:
        limit = 0 if len(word) < 3 else 1 if len(word) < 6 else 2
    elif edits in {"0", "1", "2"}:
        limit = int(edits)
    elif _SIMILARITY.fullmatch(edits):
        limit = min(2, int((1 - float(edits)) * len(word)))
    else:
        raise QueryError(column, "After ~ stands how many changes there may be: 0, 1 or 2.")
    return Fuzzy(word, min(limit, len(word) - 1))
