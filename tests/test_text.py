"""Text from outside, made safe and short."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from rich.cells import cell_len
from textual.content import Content

from tui.comparing import as_read, natural_order, unwrapped
from tui.text import LONGEST, ago, count, mask, plain, short

NOW = datetime(2026, 1, 15, 12, 0, tzinfo=UTC)

ANYTHING = st.text(st.characters(exclude_categories=()))
"""Every code point there is, halves of surrogate pairs among them."""

WICKED = "\x1b]52;c;aGk=\x07 \x1b]0;owned\x1b\\ \u202egnp\u2066 \x9b31m \ud800 \ue000 \u0378\x00"


@given(ANYTHING)
@example(WICKED)
def test_nothing_that_a_terminal_may_act_on_is_left(text: str) -> None:
    shown = plain(text)
    assert shown.isprintable()
    assert plain(shown) == shown
    assert len(shown) >= len(text), "nothing vanishes"


@given(st.text(st.characters(categories=("L", "N", "P", "S")), max_size=50))
@example("Grüße 日本語 🚀 [$x] [@click=app.quit]x[/] a\\")
def test_what_is_harmless_stays_as_it_is(text: str) -> None:
    assert plain(text) == text


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("\x1b[2J", "␛[2J"),
        ("\x00\t\n\x7f", "␀␉␊␡"),
        ("\x9b", "<U+009B>"),
        ("a\u202eb", "a<U+202E>b"),
        ("a\u200bb", "a<U+200B>b"),
        ("\ud83d", "<U+D83D>"),
        ("a\u00a0b\u2028c\u3000d", "a b c d"),
        ("", ""),
    ],
)
def test_what_is_not_becomes_a_visible_mark(text: str, shown: str) -> None:
    assert plain(text) == shown


@given(ANYTHING, st.integers(1, 300))
@example("\u202e" * 40, 200)
@example("x" * (LONGEST + 1), LONGEST)
def test_a_short_text_is_short_and_says_that_it_was_cut(text: str, longest: int) -> None:
    shown = short(text, longest)
    assert len(shown) <= longest
    if len(plain(text)) > longest:
        assert shown.endswith("…")
        assert plain(text).startswith(shown[:-1])
    else:
        assert shown == plain(text)


def test_a_megabyte_costs_no_more_than_its_beginning() -> None:
    class Long(str):
        """A text that can be cut, but not gone through."""

        __slots__ = ()

        def isprintable(self) -> bool:
            raise AssertionError("gone through")

    assert short(Long("\x1b" * 1_000_000)) == "␛" * (LONGEST - 1) + "…"


@given(ANYTHING)
@example("[link=file:///etc]9ac1[/link]")
def test_a_masked_key_shows_its_beginning_only(text: str) -> None:
    shown = mask(text)
    assert shown == (f"{short(text, 12)}••••" if text else "")
    assert len(shown) <= 16
    assert Content(shown).plain == shown


def test_a_masked_key_as_the_web_shows_it() -> None:
    assert mask("9ac1") == "9ac1••••"


@pytest.mark.parametrize(
    ("before", "said"),
    [
        (timedelta(0), "just now"),
        (timedelta(seconds=59), "just now"),
        (timedelta(seconds=60), "1 min ago"),
        (timedelta(minutes=59, seconds=59), "59 min ago"),
        (timedelta(hours=1), "1 hour ago"),
        (timedelta(hours=23, minutes=59), "23 hours ago"),
        (timedelta(days=1), "1 day ago"),
        (timedelta(days=30), "30 days ago"),
        (timedelta(days=60), "60 days ago"),
        (timedelta(days=62), "2 months ago"),
        (timedelta(days=364), "11 months ago"),
        (timedelta(days=365), "1 year ago"),
        (timedelta(days=731), "2 years ago"),
        (timedelta(days=1_000), "2 years ago"),
        (timedelta(seconds=-59), "just now"),
        (timedelta(seconds=-60), "2026-01-15"),
        (timedelta(days=-400), "2027-02-19"),
    ],
)
def test_how_long_ago(before: timedelta, said: str) -> None:
    assert ago(NOW - before, NOW) == said


@pytest.mark.parametrize(
    ("moment", "now", "said"),
    [
        ("2025-12-31T10:00", "2026-02-27T10:00", "58 days ago"),
        ("2025-12-31T10:00", "2026-02-28T09:59", "58 days ago"),
        ("2025-12-31T10:00", "2026-02-28T10:00", "2 months ago"),
        ("2025-12-15T10:00", "2026-02-15T10:00", "2 months ago"),
        ("2024-02-29T10:00", "2025-02-28T09:59", "11 months ago"),
        ("2024-02-29T10:00", "2025-02-28T10:00", "1 year ago"),
        ("2025-01-15T12:00", "2026-01-15T11:59", "11 months ago"),
        ("2023-12-31T23:59", "2025-12-30T00:00", "1 year ago"),
        ("2016-01-15T12:00", "2026-01-15T12:00", "10 years ago"),
    ],
)
def test_months_and_years_are_full_on_their_anniversaries(moment: str, now: str, said: str) -> None:
    made, today = (datetime.fromisoformat(text).replace(tzinfo=UTC) for text in (moment, now))
    assert ago(made, today) == said
    assert ago(made.astimezone(timezone(timedelta(hours=2))), today) == said


@given(st.datetimes(timezones=st.just(UTC)), st.datetimes(timezones=st.just(UTC)))
def test_every_moment_has_words_that_fit_into_a_column(moment: datetime, now: datetime) -> None:
    said = ago(moment, now)
    assert 0 < cell_len(said) <= 14
    assert said.isprintable()


@pytest.mark.parametrize(
    ("number", "said"), [(0, "0 keys"), (1, "1 key"), (2, "2 keys"), (1_234_567, "1,234,567 keys")]
)
def test_how_many(number: int, said: str) -> None:
    assert count(number, "key") == said


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("é", "e\u0301"),
        ("Büro “Süd”", 'BÜRO "süd"'),
        ("It’s", "it's"),
        ("A \u2013 B", "a - b"),
        ("two  blanks ", "two blanks"),
        ("no\u00a0break", "no break"),
        ("❤\ufe0f mail", "❤ mail"),
        ("zero\u200bwidth", "zerowidth"),
        ("Straße", "STRASSE"),
        ("ﬁle", "file"),
    ],
)
def test_texts_that_people_read_as_the_same_are_the_same(one: str, other: str) -> None:
    assert as_read(one) == as_read(other)


@pytest.mark.parametrize(("one", "other"), [("a", "b"), ("e", "é"), ("key 1", "key1"), ("", "a")])
def test_texts_that_people_tell_apart_are_not_the_same(one: str, other: str) -> None:
    assert as_read(one) != as_read(other)


@pytest.mark.parametrize(
    "copied",
    [
        "123456",
        "123 456",
        " 123456\n",
        '"123456"',
        "\u2018123 456\u2019",
        "\u200b123\u00a0456\u200b",
        "`123456`",
    ],
)
def test_what_comes_along_with_a_copied_code_is_taken_off(copied: str) -> None:
    assert unwrapped(copied) == "123456"


def test_what_is_part_of_a_secret_stays() -> None:
    assert unwrapped("a\"b'c") == "a\"b'c"
    assert unwrapped('""') == '""'


def test_numbers_and_accents_are_sorted_as_people_do() -> None:
    labels = ["key10", "Key2", "Zebra", "Ärger", "key 1", "Arger 2", "argon", "key2b", "Éclair"]
    assert sorted(labels, key=natural_order) == [
        "Ärger", "Arger 2", "argon", "Éclair", "key 1", "Key2", "key2b", "key10", "Zebra"
    ]  # fmt: skip
