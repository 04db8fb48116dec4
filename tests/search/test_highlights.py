"""Where a query matches in a text as it is shown."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tui.search.highlights import spans
from tui.search.normal_form import aligned, normalised
from tui.search.query import parse_query


@pytest.mark.parametrize(
    ("query", "text", "expected"),
    [
        ("mail", "Mail, e-mail, MAILER", ["Mail", "mail", "MAIL"]),
        ("ss", "Straße", ["ß"]),
        ("strasse", "Die Straße", ["Straße"]),
        ("caf\u00e9", "x cafe\u0301 y", ["cafe\u0301"]),
        ("cafe\u0301", "x caf\u00e9 y", ["caf\u00e9"]),
        ("fi", "ofﬁce", ["ﬁ"]),
        ('"a b"', "xa \t b", ["a \t b"]),
        ("ma*", "the mailer-daemon", ["mailer-daemon"]),
        ("*ing", "Billing mailing", ["Billing", "mailing"]),
        ("mailr~", "The Mailer is up", ["Mailer"]),
        ("mailer -billing", "billing mailer", ["mailer"]),
        ("NOT (billing NOT mailer)", "billing mailer", list[str]()),
        ("mail ailer", "mailer", ["mailer"]),
        ("", "mailer", list[str]()),
        ("\u1100\u1161", "가나", ["가"]),
    ],
)
def test_what_is_highlighted(query: str, text: str, expected: list[str]) -> None:
    assert [text[start:end] for start, end in spans(parse_query(query), text)] == expected


unicode_texts = st.one_of(
    st.text(max_size=30),
    st.text(
        st.sampled_from("aeßﬁ \t\u0301\u0323\u1100\u1161\u11a8가İ\u00b4ｶﾞ…\u0345x"), max_size=30
    ),
)


@given(unicode_texts)
def test_the_normal_form_is_aligned_with_the_text(text: str) -> None:
    alignment = aligned(text)
    assert alignment.normal == normalised(text)
    assert normalised(alignment.normal) == alignment.normal
    for n in range(len(alignment.normal)):
        start, end = alignment.original_span(n, n + 1)
        assert 0 <= start < end <= len(text)


@given(unicode_texts, unicode_texts, unicode_texts)
def test_a_phrase_is_highlighted_where_it_stands(before: str, phrase: str, after: str) -> None:
    text = f"{before}|{phrase}|{after}"
    quoted = f"|{phrase}|".replace("\\", "\\\\").replace('"', '\\"')
    highlighted = spans(parse_query(f'"{quoted}"'), text)
    assert highlighted
    for (_, end), (start, _) in pairwise(highlighted):
        assert end < start
    for start, end in highlighted:
        assert 0 <= start < end <= len(text)
        assert normalised(f"|{phrase}|").strip() in normalised(text[start:end])
