"""The list of keys, with their number, the messages, and what stands in its place."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from textual import on
from textual.app import ComposeResult
from textual.containers import Horizontal, Vertical
from textual.content import Content
from textual.widgets import Static

from tui.api.grants import Catalogue
from tui.api.models import Key
from tui.problems import Problem
from tui.text import short
from tui.ui.widgets.button import Button
from tui.ui.widgets.key_table import KeyTable
from tui.ui.widgets.messages import MessageKind, Messages
from tui.ui.widgets.status import Status

LABEL_IN_MESSAGE = 60
"""How much of a label a message shows, in characters, so that the rest of it is seen."""


class KeyListPanel(Vertical):
    """Shows the table of keys; in its place, that there are none, or why they can't be read."""

    def __init__(self) -> None:
        super().__init__()
        self.table, self.messages, self.status = KeyTable(), Messages(), Status()
        self.problem: Problem | None = None
        """What went wrong last, until the keys are read again."""

    def compose(self) -> ComposeResult:
        """The head, the messages, and the table or what stands in its place."""
        with Horizontal(id="head"):
            yield Static("API keys", id="title")
            yield Static(id="count", markup=False)
            yield self.status
            yield Button("New API Key", id="new", variant="primary", compact=True)
        yield self.messages
        yield self.table
        with Vertical(id="state"):
            yield Static(id="state-text", markup=False)
            with Horizontal(id="ways"):
                yield Button("Try again", id="try-again", variant="primary", compact=True)
                yield Button("Show error details", id="show-details", compact=True)

    def show(self, keys: Sequence[Key], catalogue: Catalogue, now: datetime) -> None:
        """Show keys that were just read; `now` is in UTC."""
        self.problem = None
        self.table.show(keys, catalogue, now)
        self._show_count()
        if not keys:
            text = "No API keys yet.\n\nPress n to create the first one."
            self.query_one("#state-text", Static).update(Content(text))
        self._show_table(bool(keys))

    def show_failure(self, problem: Problem) -> None:
        """Show why the keys can't be read: above the keys that are there, else in their place."""
        if self.table.count:
            self.show_problem(problem)
            return
        self.problem = problem
        lines = filter(None, (problem.detail, problem.hint))
        title = Content.styled(f"✗ {problem.title}", "bold $text-error")
        text = Content("\n\n").join([title, *map(Content, lines)])
        self.query_one("#state-text", Static).update(text)
        self._show_table(False)
        self.query_one("#try-again").focus()

    def _show_table(self, is_shown: bool) -> None:
        """Show the table, or what stands in its place, with the buttons for a problem."""
        self.table.display = is_shown
        self.query_one("#state").display = not is_shown
        for name in ("#try-again", "#show-details"):
            self.query_one(name).display = self.problem is not None
        focused = self.screen.focused
        if is_shown and (focused is None or not focused.display):
            self.table.focus()

    @on(KeyTable.Marked)
    @on(KeyTable.Sorted)
    def _show_count(self) -> None:
        """Show how many keys there are, how many are marked, and by which column they go."""
        parts = [f"{self.table.count:,}"]
        if marked := len(self.table.marked):
            parts.append(f"{marked:,} marked")
        if self.table.order is not None:
            column, descends = self.table.order
            parts.append(f"by {column.title} {'▼' if descends else '▲'}")
        self.query_one("#count", Static).update(Content(" · ".join(parts)))

    def show_message(self, before: str, label: str, after: str, kind: MessageKind = "done") -> None:
        """Show above the keys what was done; the label, between two other texts, stands out."""
        message = Content.assemble(before, (short(label, LABEL_IN_MESSAGE), "bold"), after)
        self.messages.show(message, kind)

    def show_problem(self, problem: Problem) -> None:
        """Show above the keys what could not be done."""
        self.problem = problem
        message = Content.assemble(
            (f"{problem.title.rstrip('.')}. ", "bold"), problem.detail, " ", problem.hint
        )
        self.messages.show(message, "problem")
        self.refresh_bindings()
