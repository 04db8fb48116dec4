"""The questions before a key of a rotation is deleted; Cancel has the focus in each."""

from __future__ import annotations

from textual.content import Content

from tui.text import mask
from tui.ui.screens.dialog import ConfirmScreen

_LOCKED_OUT = "whoever uses its secret already is locked out at once."


def ask_unverified() -> ConfirmScreen:
    """Ask whether a predecessor is to go though its successor was not shown to work."""
    body = Content(
        "The successor was not shown to work from here. Deleting the predecessor now may lock out "
        "everybody who uses this key."
    )
    title = "Delete the predecessor all the same?"
    return ConfirmScreen(title, body, yes="Delete predecessor", danger=True)


def ask_undo() -> ConfirmScreen:
    """Ask whether the successor is to go, and the predecessor to stay as it is."""
    body = Content(f"The successor is deleted: {_LOCKED_OUT} The predecessor stays as it is.")
    return ConfirmScreen("Undo the rotation?", body, yes="Delete successor", danger=True)


def ask_replace(short_key: str) -> ConfirmScreen:
    """Ask whether the successor is to give way to another one."""
    named = f" {mask(short_key)}" if short_key else ""
    body = Content(
        f"The successor{named} is deleted: {_LOCKED_OUT} Then another one is made. The predecessor "
        "stays as it is."
    )
    return ConfirmScreen("Replace the successor?", body, yes="Delete successor", danger=True)
