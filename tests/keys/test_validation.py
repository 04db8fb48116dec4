"""The checks of what is typed, which need no server."""

from __future__ import annotations

import ipaddress

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from tui.keys.validation import split_ips, wrong_grants, wrong_ips, wrong_label, wrong_password
from tui.sandbox.answers import BadRequest
from tui.sandbox.key_routes import parse_draft

ADDRESSES = st.ip_addresses(v=4).map(str)
NETWORKS = st.builds("{}/{}".format, ADDRESSES, st.integers(0, 32))
GAPS = st.sampled_from([",", ", ", " ", "\n", "\t,\r\n", " ,, "])


@given(st.lists(st.tuples(ADDRESSES | NETWORKS, GAPS)), GAPS)
def test_addresses_are_kept_apart_by_commas_or_white_space(
    given_: list[tuple[str, str]], before: str
) -> None:
    text = before + "".join(address + gap for address, gap in given_)
    addresses = tuple(address for address, _ in given_)
    assert split_ips(text) == addresses
    assert wrong_ips(addresses) == ""


@given(st.text())
@example("")
@example("\u00a0192.0.2.1\u2003")
def test_whatever_is_typed_is_split_without_a_rest(text: str) -> None:
    parts = split_ips(text)
    assert "".join(parts) == "".join(text.replace(",", " ").split())
    assert all(part and "," not in part for part in parts)


@given(st.text(st.sampled_from("0123456789./:abf٣ ")) | ADDRESSES | NETWORKS | st.text())
@example("192.0.2.1/255.255.255.0")
@example("192.0.2.1/+8")
@example("192.0.2.01")
@example("\N{ARABIC-INDIC DIGIT ONE}92.0.2.1")
@example("2001:db8::1")
@example("192.0.2.7/24")
def test_an_address_is_right_just_where_the_server_takes_it(address: str) -> None:
    fields: dict[str, object] = {"label": "x", "grants": [], "valid_ips": [address]}
    try:
        parse_draft(fields, set())
    except BadRequest:
        taken = False
    else:
        taken = True
        ipaddress.IPv4Network(address, strict=False)
    assert (wrong_ips((address,)) == "") is taken


def test_the_first_wrong_address_is_named_and_the_others_are_counted() -> None:
    assert wrong_ips(("192.0.2.1", "mail", "x")).startswith("mail and 1 other: not an IPv4 address")
    assert wrong_ips(("a", "b", "c")).startswith("a and 2 others: ")
    assert wrong_ips(("mail",)).startswith("mail: not an IPv4 address or CIDR network like ")


@given(st.text(min_size=1).filter(lambda text: bool(wrong_ips((text,)))))
@example("\x1b]52;c;aGk=\x07" * 1_000)
def test_a_wrong_address_is_named_safely(address: str) -> None:
    sentence = wrong_ips((address,))
    assert sentence.isprintable()
    assert len(sentence) < 120


@pytest.mark.parametrize("label", ["", " ", "\t\n", "\u3000"])
def test_a_key_needs_a_label(label: str) -> None:
    assert wrong_label(label) == "A key needs a label."


@given(st.text().filter(str.strip))
def test_any_other_label_will_do(label: str) -> None:
    assert wrong_label(label) == ""


def test_a_key_needs_grants_and_a_create_a_password() -> None:
    assert wrong_grants(()).startswith("Choose at least one grant")
    assert wrong_grants(("anything",)) == ""
    assert wrong_password("").startswith("Required")
    assert wrong_password(" ") == "", "a password may be made of anything"
