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
from tui.search.matches import Matches, Search
from tui.search.query import Query
from tui.text import short
from tui.ui.widgets.button import Button
from tui.ui.widgets.key_table import KeyTable
from tui.ui.widgets.messages import MessageKind, Messages
from tui.ui.widgets.search_row import PLACEHOLDER, SearchRow
from tui.ui.widgets.status import Status

LABEL_IN_MESSAGE = 60
"""How much of a label a message shows, in characters, so that the rest of it is seen."""

NO_MATCH = "No key matches.\n\nEsc shows all keys again; F1 shows what can be typed."


class KeyListPanel(Vertical):
    """Shows the table of keys; in its place, that there are none, or why they can't be read."""

    def __init__(self) -> None:
        super().__init__()
        self.table, self.messages, self.status = KeyTable(), Messages(), Status()
        self.search_row = SearchRow(self.table, "key", placeholder=f"{PLACEHOLDER}, may GET /path")
        self.problem: Problem | None = None
        """What went wrong last, until the keys are read again."""

    def compose(self) -> ComposeResult:
        """The head, the messages, the search, and the table or what stands in its place."""
        with Horizontal(id="head"):
            yield Static("API keys", id="title")
            yield Static(id="count", markup=False)
            yield self.status
            yield Button("New API Key", id="new", variant="primary", compact=True)
        yield self.messages
        yield self.search_row
        yield self.table
        with Vertical(id="state"):
            yield Static(id="state-text", markup=False)
            with Horizontal(id="ways"):
                yield Button("Try again", id="try-again", variant="primary", compact=True)
                yield Button("Show error details", id="show-details", compact=True)

    def show(
        self,
        keys: Sequence[Key],
        catalogue: Catalogue,
        now: datetime,
        search: Search | None = None,
    ) -> None:
        """Show keys that were just read, narrowed by a search of them; `now` is in UTC."""
        self.problem = None
        self.table.show(keys, catalogue, now)
        if not keys:
            self._end_search()
            self._show_in_place("No API keys yet.\n\nPress n to create the first one.")
        self._show_table(bool(keys))
        self.search(search if keys else None)
        self._show_count()

    def open_search(self) -> None:
        """Put the cursor into the search; its row takes the blank line above the table."""
        self.add_class("-searching")
        self.search_row.open()

    def search(self, search: Search | None) -> None:
        """Search the keys that are shown by this from now on."""
        if (matches := self.search_row.use(search)) is not None:
            self._narrow(matches)

    @on(SearchRow.Narrowed)
    def _narrowed(self, event: SearchRow.Narrowed) -> None:
        if event.is_current:  # the keys may have been read again meanwhile
            self._narrow(event.matches)

    def _narrow(self, matches: Matches) -> None:
        """Show only what matches, or that nothing does."""
        is_whole = len(matches.rows) == self.table.total
        self.table.narrow(None if is_whole else matches.rows, matches.highlighted)
        if not matches.rows:
            self._show_in_place(NO_MATCH)
            self.open_search()
        if bool(matches.rows) != self.table.display:
            self._show_table(bool(matches.rows))
            self.refresh_bindings()
        if self.table.has_marks:
            self._show_count()

    @on(SearchRow.Submitted)
    def _go_to_table(self) -> None:
        """Go on with what matches; without a query the search ends."""
        if not self.search_row.text.strip():
            self.end_search()
        elif self.table.count:
            self.table.focus()

    @on(SearchRow.Cleared)
    def end_search(self) -> None:
        """Show all keys again."""
        self._end_search()
        self._show_table(True)
        self._show_count()
        self.table.focus()

    def _end_search(self) -> None:
        self.remove_class("-searching")
        self.search_row.close()
        self.table.narrow(None, Query())

    def _show_in_place(self, text: str) -> None:
        """Set the text for where the table is not shown."""
        self.query_one("#state-text", Static).update(Content(text))

    def show_failure(self, problem: Problem) -> None:
        """Show why the keys can't be read: above the keys that are there, else in their place."""
        if self.table.total:
            self.show_problem(problem)
            return
        self.problem = problem
        lines = filter(None, (problem.detail, problem.hint))
        title = Content.styled(f"✗ {problem.title}", "bold $text-error")
        text = Content("\n\n").join([title, *map(Content, lines)])
        self.query_one("#state-text", Static).update(text)
        self._show_table(False, is_failure=True)
        self.query_one("#try-again").focus()

    def _show_table(self, is_shown: bool, *, is_failure: bool = False) -> None:
        """Show the table, or what stands in its place, with the buttons for a failure."""
        self.table.display = is_shown
        self.query_one("#state").display = not is_shown
        for name in ("#try-again", "#show-details"):
            self.query_one(name).display = is_failure
        focused = self.screen.focused
        if is_shown and (focused is None or not focused.display):
            self.table.focus()

    @on(KeyTable.Marked)
    @on(KeyTable.Sorted)
    def _show_count(self) -> None:
        """Show how many keys there are, how many are marked, and by which column they go."""
        parts = [f"{self.table.total:,}"]
        shown, hidden = len(self.table.marked), self.table.hidden_marks
        if shown:
            parts.append(f"{shown:,} marked" + f", {hidden:,} more not shown" * bool(hidden))
        elif hidden:
            parts.append(f"{hidden:,} marked, not shown")
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
