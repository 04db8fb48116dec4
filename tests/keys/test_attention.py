"""Which keys ask for attention, and what is said of their permissions and ages in little room."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from tui.api.grants import MOMENTUM, Catalogue, letters
from tui.api.models import Key
from tui.keys.attention import Attention
from tui.keys.rotation_policy import RotationPolicy
from tui.text import age
from tui.ui.widgets.columns import Column, cell, permissions

NOW = datetime(2026, 1, 15, 12, tzinfo=UTC)
POLICY = RotationPolicy(timedelta(days=90), {"staging*": None})


def key(label: str = "Mailer", *grants: str, days: float = 0, ips: tuple[str, ...] = ()) -> Key:
    made = (NOW - timedelta(days=days)).isoformat()
    return Key("1", label, raw_grants=grants, raw_valid_ips=ips, raw_created_at=made)


@pytest.mark.parametrize(
    ("grants", "said"),
    [
        ("", "---"),
        ("metrics/view", "r--"),
        ("templates/preview", "r--"),
        ("webhooks/modify", "-w-"),
        ("smtp/inject", "--s"),
        ("transmissions/modify", "-ws"),
        ("transmissions/view transmissions/modify", "rws"),
        ("something/new", "-w-"),
        ("odd", "-w-"),
    ],
)
def test_the_letters_tell_what_a_key_may_do(grants: str, said: str) -> None:
    assert letters(grants.split()) == said


@pytest.mark.parametrize(
    ("days", "said"),
    [
        (0, "< 1 h"),
        (0.5, "12 h"),
        (20, "20 d"),
        (63, "2 mo"),
        (365, "12 mo"),
        (611, "20 mo"),
        (730, "23 mo"),
        (731, "2 y"),
        (1534, "4 y"),
        (-1, "\N{EN DASH}"),
    ],
)
def test_ages_in_little_room(days: float, said: str) -> None:
    assert age(NOW - timedelta(days=days), NOW) == said


def test_keys_are_due_by_the_policy_for_their_labels() -> None:
    attention = Attention(POLICY, NOW)
    assert attention.is_due(key(days=90))
    assert not attention.is_due(key(days=89))
    assert not attention.is_due(key("Staging relay", days=900))
    assert not attention.is_due(Key("1", "Mailer"))
    assert not Attention(RotationPolicy(), NOW).is_due(key(days=900))
    paused = "Staging relay (paused 2026-01-01, from any)"
    assert Attention(RotationPolicy(timedelta(1), {"*relay": None}), NOW).is_due(key(days=2))
    assert not attention.is_due(key(paused, days=900)), "a mark is no part of the label"


def test_keys_that_send_from_any_address() -> None:
    attention = Attention(are_ips_told=True)
    assert attention.is_exposed(key("Mailer", "smtp/inject"))
    assert not attention.is_exposed(key("Mailer", "smtp/inject", ips=("192.0.2.1",)))
    assert not attention.is_exposed(key("Mailer", "transmissions/view"))
    assert not Attention().is_exposed(key("Mailer", "smtp/inject")), "the server does not tell"


@pytest.mark.parametrize(
    ("ips", "said"),
    [
        ((), "any"),
        (("192.0.2.25",), "1 addr"),
        (("192.0.2.25/32", "192.0.2.26"), "2 addr"),
        (("10.8.0.0/16",), "1 net"),
        (("192.0.2.25", "10.8.0.0/16"), "2 nets"),
        (("192.0.2.0/32",), "none"),
    ],
)
def test_addresses_in_little_room(ips: tuple[str, ...], said: str) -> None:
    assert cell(Column.FROM, key(ips=ips), 8, Catalogue(), NOW) == said


def test_permissions_are_never_cut_in_the_middle_of_a_word() -> None:
    mailer = key("Mailer", "templates/view", "transmissions/modify", "transmissions/view")
    labels = "View Templates, View Transmissions, Modify Transmissions"
    assert permissions(mailer, 80, Catalogue()) == labels
    assert permissions(mailer, 30, Catalogue()) == "rws  transmissions, templates"
    assert permissions(mailer, 22, Catalogue()) == "rws  transmissions +1"
    assert permissions(mailer, 12, Catalogue()) == "rws  2 areas"
    everything = key("All", *(grant.key for grant in MOMENTUM))
    said = "rws  transmissions, smtp, webhooks, templates, recipient_lists, metrics +1"
    assert permissions(everything, 80, Catalogue()) == said
    assert permissions(Key("1", "Old"), 30, Catalogue()) == ""
    assert permissions(key(), 30, Catalogue()) == "---"
