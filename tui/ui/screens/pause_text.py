"""Pausing and resuming keys: the words, and the questions before."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date

from textual.content import Content

from tui.api.grants import sends
from tui.api.models import Key
from tui.keys.paused_mark import without_paused_mark
from tui.text import plain, short
from tui.ui.screens.dialog import ConfirmScreen, Facts

_MONTHS = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"]


def paused_since(day: date, today: date) -> str:
    """Return what stands beside a paused key, with the year where it is another one."""
    year = "" if day.year == today.year else f" {day.year}"
    return f"paused since {day.day} {_MONTHS[day.month - 1]}{year}"


def ips_text(valid_ips: Sequence[str]) -> str:
    """Return from where a key works."""
    return (
        f"only from {short(', '.join(map(plain, valid_ips)), 120)}"
        if valid_ips
        else ("from any address")
    )


def ask_pause(key: Key, facts: Facts, resume_key: str) -> ConfirmScreen:
    """Ask whether a key is to be paused; `facts` is what is told of it."""
    parts = [
        Content(
            f"The server refuses whatever uses this key until {resume_key} resumes it: its allowed "
            "IPs are replaced by an address that nobody has. Its grants stay, and its label says "
            "that it is paused."
        ),
    ]
    if sends(key.grants):
        parts.append(Content.styled("! It sends mail: what uses it stops.", "$text-warning"))
    title = f"Pause API Key: {short(key.label, 40)}"
    return ConfirmScreen(title, Content("\n").join(parts), facts, yes="Pause API Key", danger=True)


def ask_resume(key: Key, valid_ips: Sequence[str]) -> ConfirmScreen:
    """Ask whether a paused key is to work again."""
    body = Content(f"It will work {ips_text(valid_ips)}, as before.")
    label = short(without_paused_mark(key.raw_label or ""), 40)
    return ConfirmScreen(f"Resume API Key: {label}", body, yes="Resume API Key")
