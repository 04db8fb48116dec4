"""The checks of labels, grants, allowed IPs and passwords that need no server."""

from __future__ import annotations

import ipaddress
import re

from tui.text import count, short


def split_ips(text: str) -> tuple[str, ...]:
    """Return the addresses and networks in `text`, which commas or white space keep apart."""
    return tuple(part for part in re.split(r"[,\s]+", text) if part)


def wrong_label(label: str) -> str:
    """Return what is wrong with a label, or nothing."""
    return "" if label.strip() else "A key needs a label."


def wrong_password(password: str) -> str:
    """Return what is wrong with a typed account password, or nothing."""
    return "" if password else "Required to securely authorize this addition to your account."


def wrong_grants(grants: tuple[str, ...]) -> str:
    """Return what is wrong with a choice of grants, or nothing."""
    return "" if grants else "Choose at least one grant: Space selects the one under the cursor."


def wrong_ips(ips: tuple[str, ...]) -> str:
    """Return what is wrong with allowed IPs, or nothing; they are IPv4 or CIDR (contract 4)."""
    wrong = [ip for ip in ips if not _is_ipv4(ip)]
    if not wrong:
        return ""
    more = f" and {count(len(wrong) - 1, 'other')}" if len(wrong) > 1 else ""
    return f"{short(wrong[0], 40)}{more}: not an IPv4 address or CIDR network like 192.0.2.0/24."


def wrong_subaccount(text: str) -> str:
    """Return what is wrong with a typed subaccount, or nothing; empty is the primary account."""
    if re.fullmatch(r"[0-9]{0,9}", text.strip(), re.ASCII):
        return ""
    return "A subaccount is a number; empty makes a key of the primary account."


def _is_ipv4(text: str) -> bool:
    try:
        ipaddress.IPv4Network(text, strict=False)
    except ValueError:
        return False
    return re.fullmatch(r"[0-9.]+(/[0-9]{1,2})?", text) is not None
