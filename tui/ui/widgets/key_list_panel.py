"""The list of keys below its counts, with the messages, and what stands in its place."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import datetime

from textual import on
from textual.app import ComposeResult
from textual.containers import Horizontal, Vertical
from textual.content import Content
from textual.widgets import Static

from tui.api.grants import Catalogue
from tui.api.models import Key
from tui.keys.rotation_policy import RotationPolicy
from tui.problems import Problem
from tui.search.matches import Matches, Search
from tui.text import short
from tui.ui.bindings import with_keys
from tui.ui.widgets.button import Button
from tui.ui.widgets.journal_pane import JournalPane
from tui.ui.widgets.key_table import KeyTable
from tui.ui.widgets.messages import MessageKind, Messages
from tui.ui.widgets.search_row import PLACEHOLDER, SearchRow
from tui.ui.widgets.status import Status
from tui.ui.widgets.summary_line import Count, SummaryLine
from tui.ui.widgets.table_line import DUE, MARKED, SIGNS

LABEL_IN_MESSAGE = 60
"""How much of a label a message shows, in characters, so that the rest of it is seen."""
READING = "reading"
"""What a message is about that says why the keys could not be read."""

NO_MATCH = "No key matches.\n\nEsc shows all keys again; F1 shows what can be typed."

_GROUPS = {
    "due": ("due", "due", DUE, "$text-warning"),
    "exposed": ("sends from anywhere", "from anywhere", DUE, "$text-warning"),
    "retiring": ("retiring", "retiring", SIGNS["retiring"], "$text-accent"),
    "unstored": ("never stored", "unstored", SIGNS["problem"], "$text-error"),
    "unanswered": ("without an answer", "unanswered", SIGNS["problem"], "$text-error"),
    "paused": ("paused", "paused", SIGNS["paused"], "$text-accent"),
    "marked": ("marked", "marked", MARKED, "$text-accent"),
}
"""The groups of keys that are counted, in the order of need: the words, the same in less room, the
sign and its style."""
_PLURALS = {"sends from anywhere": "send from anywhere"}


class KeyListPanel(Vertical):
    """Shows the table of keys; in its place, that there are none, or why they can't be read.

    The table is narrowed by a search, and to one of the groups of keys that are counted above it.
    """

    def __init__(self, policy: RotationPolicy | None = None) -> None:
        """Count as due what is by the `policy`."""
        super().__init__()
        self.table, self.status = KeyTable(policy), Status()
        self.messages, self.summary = Messages(shown=1), SummaryLine()
        self.journal = JournalPane()
        self.search_row = SearchRow(self.table, "key", placeholder=f"{PLACEHOLDER}, may GET /path")
        self.problem: Problem | None = None
        """What went wrong last, until the keys are read again."""
        self._keys: Sequence[Key] = ()
        self._matches: Matches | None = None
        self._groups: dict[str, Collection[str]] = {}
        self.group = ""
        """The group that is shown alone, or nothing."""

    def compose(self) -> ComposeResult:
        """The counts, the search, the table or what stands in its place, and the messages."""
        yield self.summary
        yield self.search_row
        yield self.table
        with Vertical(id="state"):
            yield Static(id="state-text", markup=False)
            with Horizontal(id="ways"):
                yield Button("Try again", id="try-again", variant="primary", compact=True)
                yield Button("Show error details", id="show-details", compact=True)
        yield self.journal
        yield self.status
        yield self.messages

    def show(
        self,
        keys: Sequence[Key],
        catalogue: Catalogue,
        now: datetime,
        search: Search | None = None,
    ) -> None:
        """Show keys that were just read, narrowed by a search of them; `now` is in UTC."""
        self.problem = None
        before, self._keys, self._matches = self._keys, keys, None
        self.table.show(keys, catalogue, now)
        self.messages.withdraw(lambda about, _: about == READING or _is_gone(about, before, keys))
        if not keys:
            self._end_search()
            hint = with_keys("Press {keys.new} to create the first one.", self.app)
            self._show_in_place(f"No API keys yet.\n\n{hint}")
        self._show_table(bool(keys))
        self.search(search if keys else None)
        if self.group:
            self._arrange()
        self._show_counts()

    def show_groups(self, groups: Mapping[str, Collection[str]]) -> None:
        """Count these groups of keys from now on: the ids of each, by its name."""
        self._groups = {**groups, "marked": self._groups.get("marked", ())}
        if self.group and not self._groups.get(self.group):
            self.show_only("")
        elif self.group:
            self._arrange()
        self._show_counts()

    def show_only(self, group: str) -> None:
        """Show the keys of one group alone, or of all for no name; a search goes on in them."""
        if group == "marked":
            self._groups[group] = frozenset(key.id for key in self.table.marked)
        self.group = group
        self._arrange()
        self._show_counts()
        self.refresh_bindings()

    def show_next_group(self) -> None:
        """Show the next group that has keys alone; after the last one all keys."""
        self.show_only(self._next_group.name)

    @property
    def next_group_words(self) -> str:
        """What comes next, in few words."""
        group = self._next_group
        return f"Only {group.brief}" if group.name else "All keys"

    @property
    def _next_group(self) -> Count:
        counts = self._counts()
        names = [count.name for count in counts]
        place = names.index(self.group) if self.group in names else 0
        return counts[(place + 1) % len(counts)]

    @on(SummaryLine.Chosen)
    def _choose_group(self, event: SummaryLine.Chosen) -> None:
        self.show_only(event.name)

    def open_search(self) -> None:
        """Put the cursor into the search; its row takes the blank line above the table."""
        self.add_class("-searching")
        self.search_row.open()

    def search(self, search: Search | None) -> None:
        """Search the keys that are shown by this from now on."""
        if (matches := self.search_row.search_in(search)) is not None:
            self._narrow(matches)

    @on(SearchRow.Narrowed)
    def _narrowed(self, event: SearchRow.Narrowed) -> None:
        if event.is_current:  # the keys may have been read again meanwhile
            self._narrow(event.matches)

    def _narrow(self, matches: Matches) -> None:
        """Show only what matches, or that nothing does."""
        self._matches = matches
        self._arrange()
        if self.table.has_marks or self.group:
            self._show_counts()

    def _arrange(self) -> None:
        """Show the keys that match and are of the group."""
        matches = self._matches or Matches(range(len(self._keys)))
        rows = matches.rows
        if self.group:
            ids = self._groups.get(self.group, ())
            rows = [row for row in rows if self._keys[row].id in ids]
        is_whole = len(rows) == self.table.total
        self.table.narrow(None if is_whole else rows, matches.highlighted)
        if not self._keys:
            return
        if not rows:
            self._show_in_place(NO_MATCH)
            self.open_search()
        if bool(rows) != self.table.display:
            self._show_table(bool(rows))
            self.refresh_bindings()

    @on(SearchRow.ListRequested)
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
        self._show_counts()
        self.table.focus()

    def _end_search(self) -> None:
        self.remove_class("-searching")
        self.search_row.close()
        self._matches = None
        self._arrange()

    @property
    def offers_reload(self) -> bool:
        """Whether a button is shown that reads the keys again."""
        return self.query_one("#try-again").display

    def _show_in_place(self, text: str) -> None:
        """Set the text for where the table is not shown."""
        self.query_one("#state-text", Static).update(Content(text))

    def show_failure(self, problem: Problem) -> None:
        """Show why the keys can't be read: above the keys that are there, else in their place."""
        if self.table.total:
            self.show_problem(problem, READING)
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
        self.set_class(is_shown, "-listing")
        for name in ("#try-again", "#show-details"):
            self.query_one(name).display = is_failure
        focused = self.screen.focused
        if is_shown and (focused is None or not focused.display):
            self.table.focus()

    @on(KeyTable.Marked)
    @on(KeyTable.Sorted)
    def _show_counts(self) -> None:
        """Show how many keys there are, and how many of them ask for something."""
        self.summary.show(self._counts() if self._keys else (), self.group)

    def _counts(self) -> list[Count]:
        """Return the counts: of all keys, then of each group that has any."""
        total = self.table.total
        noun = "key" if total == 1 else "keys"
        if self.group:
            noun, total = f"of {total:,} {noun}", self.table.count
        counts = [Count("", total, noun, noun)]
        numbers = {name: len(ids) for name, ids in self._groups.items()}
        numbers["marked"] = self.table.marked_count + self.table.hidden_marks
        for name, (words, brief, sign, style) in _GROUPS.items():
            if number := numbers.get(name, 0):
                words = words if number == 1 else _PLURALS.get(words, words)
                if name == "marked" and self.table.hidden_marks:
                    words = brief = f"{words}, {self.table.hidden_marks:,} not shown"
                stays = name == "marked"  # what a key pressed now takes
                counts.append(Count(name, number, words, brief, sign, style, stays))
        return counts

    def show_message(
        self, before: str, label: str, after: str, kind: MessageKind = "done", key_id: str = ""
    ) -> None:
        """Show what was done; the label, between two other texts, stands out.

        It takes the place of what was done before, and of what could not be done with that key; it
        goes when the key does.
        """
        message = Content.assemble(before, (short(label, LABEL_IN_MESSAGE), "bold"), after)
        self.messages.withdraw(lambda about, k: k != "problem" or (about == key_id != ""))
        self.messages.show(message, kind, key_id)

    def show_problem(self, problem: Problem, about: str = "") -> None:
        """Show what could not be done, and with which key, by its id, until that is gone."""
        self.problem = problem
        message = Content.assemble(
            (f"{problem.title.rstrip('.')}. ", "bold"), problem.detail, " ", problem.hint
        )
        self.messages.show(message, "problem", about)
        self.refresh_bindings()


def _is_gone(key_id: str, before: Iterable[Key], now: Iterable[Key]) -> bool:
    """Tell whether a key was listed before and is not any more.

    Messages that name a key are few: to collect the ids of two long lists for them would hold up
    the first row.
    """
    was_listed = key_id != "" and any(key.id == key_id for key in before)
    return was_listed and all(key.id != key_id for key in now)
