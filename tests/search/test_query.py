"""What a query finds, beginning with the examples of the manual."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tui.search.index import Finder, Index
from tui.search.query import LONGEST, Query, QueryError, UnfinishedQuery, parse_query
from tui.search.terms import is_close

TEXTS = (
    "REST Injection",
    "REST port",
    "SMTP injection over a port",
    "B0/00-11719-46C328D4:default:",
    "Straße",
    "cafe\u0301",
    "metrics/view",
    "Billing mailer",
    "wow! 100% (sure)",
    "",
)
INDEX = Index([(text,) for text in TEXTS])


def matches(query: str) -> list[str]:
    return [TEXTS[row] for row in INDEX.matches(parse_query(query))]


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("rest", {0, 1}),
        ("REST Injection", {0, 1, 2}),
        ("REST OR Injection", {0, 1, 2}),
        ("REST || Injection", {0, 1, 2}),
        ('"REST Injection"', {0}),
        ('"rest   injection"', {0}),
        ("rest AND port", {1}),
        ("rest && port", {1}),
        ("rest and port", {0, 1, 2}),
        ("rest NOT port", {0}),
        ("rest !port", {0}),
        ("rest -port", {0}),
        ("+port rest", {1, 2}),
        ("+port -rest", {2}),
        ("(rest OR smtp) AND port", {1, 2}),
        ("smtp OR rest AND port", {1, 2}),
        ("NOT NOT smtp", {2}),
        ("NOT port -injection", {3, 4, 5, 6, 7, 8, 9}),
        (r"B0/00-11719-46C328D4\:default\:", {3}),
        ("STRASSE", {4}),
        ("caf\u00e9", {5}),
        ("CAFE\u0301", {5}),
        ("cafe", set[int]()),
        ("metrics/view", {6}),
        ("mail", {7}),
        ("mail*", {7}),
        ("*mail", set[int]()),
        ("*mail*", {7}),
        ("m?iler", {7}),
        ("b*g", {7}),
        ("b*r", set[int]()),
        ("metrics/v*", {6}),
        ("mailr~", {7}),
        ("amiler~1", {7}),
        ("biling~", {7}),
        ("mlr~", set[int]()),
        ("mlr~2", set[int]()),
        ("billing~0.8", {7}),
        ("metrics/veiw~", {6}),
        ("wow!", {8}),
        (r"\(sure\)", {8}),
        ('"(sure)"', {8}),
        (r"\*", set[int]()),
        ("*", {*range(10)}),
        ("  ", {*range(10)}),
        ("ANDROID", set[int]()),
    ],
)
def test_what_a_query_finds(query: str, expected: set[int]) -> None:
    assert set(INDEX.matches(parse_query(query))) == expected


@pytest.mark.parametrize("special", ["+", "-", "&&", "||", "!", *'(){}[]^"~*?:\\'])
def test_a_backslash_makes_every_special_character_an_ordinary_one(special: str) -> None:
    index = Index([(f"a{special}b",), ("ab",), (f"{special}b",)])
    escaped = "".join(f"\\{character}" for character in special)
    assert index.matches(parse_query(f"a{escaped}b")) == [0]
    assert index.matches(parse_query(f"{escaped}b")) == [0, 2]


@pytest.mark.parametrize(
    ("query", "column", "message"),
    [
        ("label:x", 6, r"Fields are not supported; to find : itself, type \:."),
        ("a [b TO c]", 3, r"Ranges are not supported; to find [ itself, type \[."),
        ("a^2", 2, r"Weights are not supported; to find ^ itself, type \^."),
        ("a AND OR b", 7, "Something is missing before OR."),
        ("AND b", 1, "Something is missing before AND."),
        ("a )", 3, "No group is open that this ) could close."),
        ("()", 2, "Something is missing before )."),
        ('a ""', 3, "The phrase is empty."),
        ("mailr~7", 6, "After ~ stands how many changes there may be: 0, 1 or 2."),
        ("ma*r~", 5, "~ does not go with * and ? in one word."),
        ("a ~", 3, r"~ must follow a word at once; to find ~ itself, type \~."),
        ('"a b"~', 6, "~ goes with a word, not with a phrase."),
        ("x" * 1_001, LONGEST + 1, "A query has at most 1,000 characters."),
    ],
)
def test_a_faulty_query_says_where_and_why(query: str, column: int, message: str) -> None:
    with pytest.raises(QueryError) as refusal:
        parse_query(query)
    assert (refusal.value.column, refusal.value.message) == (column, message)


@pytest.mark.parametrize(
    ("query", "message"),
    [
        ('a "foo', 'A closing " is missing.'),
        ('"foo\\"', 'A closing " is missing.'),
        ("(a", "A closing ) is missing."),
        ("(a OR", "Something must follow OR."),
        ("foo AND", "Something must follow AND."),
        ("foo &&", "Something must follow &&."),
        ("foo NOT ", "Something must follow NOT."),
        ("-", "Something must follow -."),
        ("(", "Something must follow (."),
        ("foo\\", r"The character that \ is about is missing."),
    ],
)
def test_an_unfinished_query_says_what_is_missing(query: str, message: str) -> None:
    with pytest.raises(UnfinishedQuery) as refusal:
        parse_query(query)
    assert refusal.value.message == message


def test_groups_cannot_be_nested_without_end() -> None:
    parse_query("(" * 400 + "a" + ")" * 400)
    with pytest.raises(QueryError, match="Too many groups"):
        parse_query("(a -" * 100 + "b" + ")" * 100)
    with pytest.raises(QueryError, match="Too many groups"):
        parse_query("(a AND (b OR " * 60 + "c" + "))" * 60)


def test_a_pattern_takes_no_longer_on_a_hostile_text() -> None:
    index = Index([("a" * 20_000,), ("xaxaxa",)])
    assert index.matches(parse_query("a*a*a*a*a*a*a*a*a*b")) == []
    assert index.matches(parse_query("*a*a*a*a*a*a*a*?b")) == []


syntax = st.text(st.sampled_from(' ab:"()+-!&|~*?\\^[]{}12.ß\u0301\nANDORNOT'), max_size=30)
words = st.sampled_from(
    ["rest", "port", "injection", "m*r", "mailr~", '"rest injection"', "b?lling", "view", "+port"]
)
clauses = st.recursive(
    words,
    lambda inner: st.one_of(
        st.builds("({} {})".format, inner, inner),
        st.builds("({} AND {})".format, inner, inner),
        st.builds("({} OR NOT {})".format, inner, inner),
        st.builds("(NOT {})".format, inner),
        st.builds("(+{} {} -{})".format, inner, inner, inner),
    ),
    max_leaves=6,
)


@given(st.one_of(syntax, st.text(max_size=20)), syntax)
def test_a_query_is_understood_or_refused_in_one_of_two_ways(query: str, text: str) -> None:
    try:
        parsed = parse_query(query)
    except QueryError as error:
        column, message = error.column, error.message
    except UnfinishedQuery as error:
        column, message = 1, error.message
    else:
        Index([(text,)]).matches(parsed)
        return
    assert message
    assert 1 <= column <= len(query) + 1


@given(clauses)
def test_not_finds_all_the_others(query: str) -> None:
    others = INDEX.matches(parse_query(f"NOT ({query})"))
    assert sorted([*INDEX.matches(parse_query(query)), *others]) == [*range(len(TEXTS))]


@given(clauses, clauses, st.sampled_from([" AND ", " && ", " OR ", " || ", " "]))
def test_the_order_around_an_operator_makes_no_difference(a: str, b: str, operator: str) -> None:
    assert matches(f"{a}{operator}{b}") == matches(f"{b}{operator}{a}")


@given(clauses, clauses)
def test_a_blank_is_or(a: str, b: str) -> None:
    assert parse_query(f"{a} {b}") == parse_query(f"{a} OR {b}")


@settings(max_examples=20)
@given(st.lists(st.one_of(clauses, words), min_size=1, max_size=3))
def test_typing_on_finds_the_same_as_asking_anew(queries: list[str]) -> None:
    finder = Finder(INDEX)
    for query in queries:
        for end in range(len(query) + 1):
            try:
                parsed = parse_query(query[:end])
            except (QueryError, UnfinishedQuery):
                continue
            assert finder.matches(parsed) == INDEX.matches(parsed)
        assert finder.matches(Query()) == [*range(len(TEXTS))]


letters = st.text("abc", min_size=1, max_size=7)


@given(letters, st.lists(letters, max_size=5), st.integers(0, 2))
def test_a_fuzzy_word_finds_every_word_that_is_close(
    word: str, others: list[str], edits: int
) -> None:
    edits = min(edits, len(word) - 1)
    index = Index([(other, "common") for other in others])
    expected = [row for row, other in enumerate(others) if is_close(word, other, edits)]
    assert index.matches(parse_query(f"{word}~{edits}")) == expected


@given(letters, letters, st.integers(0, 2), letters)
def test_close_words_are_so_both_ways(a: str, b: str, limit: int, c: str) -> None:
    assert is_close(a, b, limit) == is_close(b, a, limit)
    assert is_close(a, a + c, limit) == (len(c) <= limit)
