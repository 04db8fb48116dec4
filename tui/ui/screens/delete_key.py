"""Delete API Key: shows the key, and asks whether to delete it."""

from __future__ import annotations

from datetime import datetime

from rich.cells import cell_len
from textual import events, on
from textual.app import ComposeResult
from textual.content import Content
from textual.widgets import Input

from tui.api.grants import Catalogue, sends
from tui.api.models import Key
from tui.comparing import as_read
from tui.keys.labels import shown_label
from tui.keys.paused_mark import is_paused
from tui.text import ago, mask, short
from tui.ui.screens.dialog import ConfirmScreen, Facts
from tui.ui.widgets.field import Field

LONGEST_TYPED = 40
"""Up to how many cells a label is asked to be typed before a key that sends is deleted."""
LONGEST_FACT = 100
"""How many characters of grants and of addresses are told: the question stays in view."""


class DeleteKeyScreen(ConfirmScreen):
    """Asks whether a key is to go; one that sends mail wants `typed` typed first."""

    def __init__(
        self, title: str, body: Content, facts: Facts, *, typed: str = "", prompt: str = ""
    ) -> None:
        super().__init__(title, body, facts, yes="Delete API Key", danger=True)
        self._typed, self._prompt = typed, prompt

    def question(self) -> ComposeResult:
        """The label, where it must be typed."""
        if self._typed:
            yield Field(self._prompt, id="typed", placeholder="to delete it")

    def on_key(self, event: events.Key) -> None:
        """Take what is typed into the field, also while Cancel has the focus."""
        if self._typed and event.is_printable and not isinstance(self.focused, Input):
            event.stop()
            self._add(event.character or "")

    def on_paste(self, event: events.Paste) -> None:
        """Take what is pasted into the field, also while Cancel has the focus."""
        if self._typed and not isinstance(self.focused, Input):
            event.stop()
            self._add(next(iter(event.text.strip().splitlines()), ""))

    def _add(self, text: str) -> None:
        field = self.query_one("#typed", Field)
        field.value += text
        field.focus_input()

    @on(Input.Submitted)
    def confirm(self) -> None:
        """Answer yes, once the label is typed."""
        if self._typed:
            field = self.query_one("#typed", Field)
            if as_read(field.value) != as_read(self._typed):
                field.error = f"That is something else than {short(self._typed)}."
                field.focus_input()
                return
        super().confirm()


def ask_delete(key: Key, catalogue: Catalogue, now: datetime) -> DeleteKeyScreen:
    """Return the dialog that asks whether a key is to go."""
    label = short(shown_label(key.label)) or "(no label)"
    parts = [
        Content(
            "Are you sure? Access is revoked at once for every client that uses this key, "
            "and it can't be undone."
        )
    ]
    typed = prompt = ""
    if sends(key.grants):
        parts.append(Content.styled("! It sends mail: what uses it stops.", "$text-warning"))
        names = {
            "Type its label": key.label.strip(),
            "Type its short key": key.short_key.strip(),
            "Type delete": "delete",
        }
        prompt, typed = next(
            (words, name) for words, name in names.items() if 0 < cell_len(name) <= LONGEST_TYPED
        )
    title = f"Delete API Key: {short(label, 60)}"
    facts = facts_of(key, catalogue, now)
    return DeleteKeyScreen(title, Content("\n").join(parts), facts, typed=typed, prompt=prompt)


def facts_of(key: Key, catalogue: Catalogue, now: datetime) -> list[tuple[str, str]]:
    """Return what a key may do, from where, and where it comes from: names and safe texts."""
    grants = ", ".join(map(catalogue.label, catalogue.ordered(key.grants))) or "nothing"
    addresses = ", ".join(map(short, key.allowed_ips)) or "any address"
    if is_paused(key.raw_valid_ips):
        addresses = "nowhere: it is paused"
    made = [ago(key.created_at, now)] if key.created_at else []
    made += [f"by {short(key.owner, 40)}"] if key.owner else []
    rows = {
        "Can": short(grants, LONGEST_FACT),
        "From": short(addresses, LONGEST_FACT),
        "Made": " ".join(made),
        "Short key": mask(key.short_key),
    }
    return [(name, value) for name, value in rows.items() if value]
