"""Which keys are due for rotation."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone

import pytest

from tui.keys.rotation_policy import RotationPolicy, parse_age

NOW = datetime(2026, 1, 15, 12, 0, tzinfo=UTC)


def days(number: float) -> timedelta:
    return timedelta(days=number)


@pytest.mark.parametrize(
    ("text", "age"), [("1d", 1), ("90d", 90), ("12w", 84), ("1y", 365), ("99999d", 99999)]
)
def test_an_age_is_a_number_and_a_unit(text: str, age: int) -> None:
    assert parse_age(text) == days(age)


@pytest.mark.parametrize("text", ["", "90", "d", "0d", "-1d", "1.5d", "90 d", "90D", "1m", "٣d"])
def test_anything_else_is_no_age(text: str) -> None:
    with pytest.raises(ValueError, match=r'"90d" \(days\)'):
        parse_age(text)


def test_a_key_is_due_on_the_day_it_is_as_old_as_it_may_become() -> None:
    policy = RotationPolicy(days(90))
    assert policy.is_due("any", NOW - days(90), NOW)
    assert not policy.is_due("any", NOW - days(89.999), NOW)
    assert policy.is_due("any", NOW - days(100), NOW)
    assert not policy.is_due("any", NOW - days(60), NOW)


def test_of_a_key_without_a_date_nothing_is_known() -> None:
    assert not RotationPolicy(days(90)).is_due("any", None, NOW)


def test_dates_at_the_ends_of_the_calendar() -> None:
    policy = RotationPolicy(days(90))
    first = datetime(1, 1, 1, tzinfo=timezone(timedelta(hours=14)))
    last = datetime(9999, 12, 31, 23, tzinfo=timezone(timedelta(hours=-12)))
    assert policy.is_due("any", first, NOW)
    assert not policy.is_due("any", last, NOW)


@pytest.mark.parametrize(
    ("label", "age"),
    [
        ("Billing", 90),
        ("batch-7", 30),
        ("BATCH-7", 30),
        ("batch-archive", None),
        ("[x]", 7),
        ("x", 90),
        ("batch", 90),
        ("two\nlines end", 14),
    ],
)
def test_the_pattern_with_the_most_characters_of_its_own_counts(
    label: str, age: int | None
) -> None:
    patterns = {
        "batch-*": days(30), "*": days(90), "batch-arch*": None, "[x]": days(7), "*end": days(14)
    }  # fmt: skip
    assert RotationPolicy(days(365), patterns).age_for(label) == (age and days(age))


def test_a_policy_without_a_limit_makes_nothing_due() -> None:
    assert not RotationPolicy()
    assert not RotationPolicy(None, {"a": None})
    assert RotationPolicy(None, {"a": days(1)})
    assert not RotationPolicy().is_due("any", NOW - days(9999), NOW)
