"""The questions before a key of a rotation is deleted; Cancel has the focus in each."""

from __future__ import annotations

from textual.content import Content

from tui.api.models import Key
from tui.keys.labels import shown_label
from tui.text import mask, short
from tui.ui.screens.dialog import ConfirmScreen

_LOCKED_OUT = "whoever uses its secret already is locked out at once."


def ask_unverified() -> ConfirmScreen:
    """Ask whether a predecessor is to go though its successor was not verified."""
    body = Content(
        "The successor was not verified from here. Deleting the predecessor now may lock out "
        "everybody who uses this key."
    )
    title = "Delete the predecessor all the same?"
    return ConfirmScreen(title, body, yes="Delete predecessor", danger=True)


def ask_unlike(differences: str) -> ConfirmScreen:
    """Ask whether a predecessor is to go though its successor is unlike, and in what."""
    body = Content(
        f"The successor has {differences} than the predecessor. What the predecessor alone "
        "may do stops working."
    )
    return ConfirmScreen(
        "Delete the predecessor all the same?", body, yes="Delete predecessor", danger=True
    )


def ask_any_address(change_key: str) -> ConfirmScreen:
    """Ask whether a successor may work from anywhere, where the server tells no addresses."""
    body = Content(
        "The server does not return this key's allowed IPs. Its successor will work from any "
        f"address. To enter allowed IPs, choose Cancel and press {change_key}."
    )
    title = "Let the successor work from any address?"
    return ConfirmScreen(title, body, yes="Any address")


def ask_insist(sentence: str) -> ConfirmScreen:
    """Ask whether a key is to be deleted though another instance works on it."""
    body = Content(f"{sentence} Deleting the key now may leave a secret that opens nothing.")
    return ConfirmScreen("Delete it all the same?", body, yes="Delete API Key", danger=True)


def ask_orphan(key: Key, heirs: str) -> ConfirmScreen:
    """Ask whether a key is to go whose secret nobody has, `heirs` having taken its place."""
    named = f" {mask(key.short_key)}" if key.short_key else ""
    body = Content(
        f"The key{named} was made by a request that got no answer, so nobody has its secret. "
        f"{heirs} was made afterwards, and stays."
    )
    title = f"Delete the unused {short(shown_label(key.label), 40)}?"
    return ConfirmScreen(title, body, yes="Delete API Key", danger=True)


def ask_undo(differences: str) -> ConfirmScreen:
    """Ask whether the successor is to go, and the predecessor to stay as it is."""
    text = f"The successor is deleted: {_LOCKED_OUT} The predecessor stays as it is."
    if differences:
        text += f" It has {differences} than the successor."
    body = Content(text)
    return ConfirmScreen("Undo the rotation?", body, yes="Delete successor", danger=True)


def ask_replace(short_key: str) -> ConfirmScreen:
    """Ask whether the successor is to give way to another one."""
    named = f" {mask(short_key)}" if short_key else ""
    body = Content(
        f"The successor{named} is deleted: {_LOCKED_OUT} Then another one is made. The predecessor "
        "stays as it is."
    )
    return ConfirmScreen("Replace the successor?", body, yes="Delete successor", danger=True)
