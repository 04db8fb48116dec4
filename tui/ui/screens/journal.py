"""The journal: what this operator did, when and where, and whether each secret was stored."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import Vertical
from textual.content import Content
from textual.screen import Screen
from textual.widgets import Footer, Input, Static
from textual.widgets.option_list import Option

from tui.journal import PROOFS, JournalEntry, JournalSnapshot
from tui.keys.labels import shown_label
from tui.text import count, mask, plain, short
from tui.ui.bindings import Place, bindings_for
from tui.ui.widgets.field import Field
from tui.ui.widgets.marked_list import MarkedList
from tui.ui.widgets.top_bar import TopBar

MOST = 2_000
"""How many requests are shown at most."""

LABEL_IN_LINE = 36
"""How much of a label leaves a line at 80 columns whole, in characters."""

_OUTCOMES = {
    "begun": "no answer noted: the program was stopped in the middle of it",
    "done": "done",
    "refused": "not done",
    "unknown": "unknown",
    "stored": "done",
}
_PROOFS = {"verified": "shown to work", "unverified": "not shown to work"}
_STYLES = {"done": "$text-success", "stored": "$text-success", "refused": "$text-error"}


@dataclass(frozen=True, slots=True)
class _WriteRequest:
    """What the journal holds of one write request, its last line last."""

    entries: tuple[JournalEntry, ...]
    who: str = ""
    """Who is signed in and where, which is left out of that person's own requests there."""
    is_doubted: bool = False
    """Whether the journal says more of it than is understood."""

    @property
    def last(self) -> JournalEntry:
        """What is known now of the request."""
        return [entry for entry in self.entries if entry.phase not in PROOFS][-1]

    @property
    def stored(self) -> str:
        """How the secret of a created key was stored; that it was not, where it was not."""
        storings = [entry.detail for entry in self.entries if entry.phase == "stored"]
        if storings:
            return f"stored: {plain(storings[-1])}"
        if self.last.action != "create" or self.last.phase != "done":
            return ""
        if self.is_doubted:
            return "whether its secret was stored is not known: a line can't be understood"
        return "its secret was never stored"

    def content(self) -> Content:
        """Return the request in two lines."""
        last = self.last
        outcome = _OUTCOMES[last.phase]
        details = [e.detail for e in self.entries if e.phase != "stored"]
        if last.predecessor:
            details.insert(0, f"successor of {last.predecessor[:8]}…")
        proofs = [_PROOFS[e.phase] for e in self.entries if e.phase in PROOFS][-1:]
        more = [outcome, *(plain(detail) for detail in details if detail), *proofs, self.stored]
        sender = f"{last.username}@" * bool(last.username) + last.server.partition("://")[2]
        elsewhere = "" if short(sender, 60) == self.who else f" · {plain(sender)}"
        return Content.assemble(
            (f"{last.when:%Y-%m-%d %H:%M:%S}  ", "$text-muted"),
            f"{last.action:<7} ",
            (f"{mask(last.short_key):<9} ", "$text-muted"),
            (short(shown_label(last.label), LABEL_IN_LINE), "bold"),
            "\n  ",
            (" · ".join(filter(None, more)), _STYLES.get(last.phase, "$text-warning")),
            (elsewhere, "$text-muted"),
        )

    def matches(self, text: str) -> bool:
        """Return whether every word of `text` occurs in what is shown."""
        shown = self.content().plain.casefold()
        return all(word in shown for word in text.casefold().split())


def write_requests(
    entries: Iterable[JournalEntry],
    who: str,
    doubts: Callable[[JournalEntry], bool] = lambda _: False,
) -> list[_WriteRequest]:
    """Return the requests that the lines are about, newest first, without those cut off.

    `doubts` tells of which the journal says more than is understood.
    """
    by_attempt: dict[str, list[JournalEntry]] = {}
    for entry in entries:
        by_attempt.setdefault(entry.attempt, []).insert(0, entry)
    # A proof is written after the request itself: alone, the lines before it were cut off.
    whole = (lines for lines in by_attempt.values() if any(e.phase not in PROOFS for e in lines))
    return [_WriteRequest(tuple(lines), who, any(map(doubts, lines))) for lines in whole]


class JournalScreen(Screen[None]):
    """Lists what the journal holds; typing narrows it."""

    CSS_PATH = "journal.tcss"
    AUTO_FOCUS = "Input"
    PLACE = Place.JOURNAL
    BINDINGS: ClassVar[list[BindingType]] = list(bindings_for(PLACE))

    def __init__(self, journal: JournalSnapshot, path: Path | None, who: str) -> None:
        super().__init__()
        self._requests = write_requests(journal.entries, who, journal.doubts)[:MOST]
        self._unreadable = journal.unreadable
        self._path, self._who = path, who

    def compose(self) -> ComposeResult:
        """A filter, and the list."""
        yield TopBar("Settings › Journal", self._who)
        with Vertical(id="page"):
            where = plain(str(self._path)) if self._path else "kept only while the program runs"
            skipped = f" · {count(self._unreadable, 'line')} unreadable" if self._unreadable else ""
            yield Static(Content(f"What you did, never a secret · {where}{skipped}"), id="where")
            yield Field("Show only", id="filter", placeholder="a label, a short key, an outcome")
            yield MarkedList(id="requests", compact=True)
            yield Static(id="empty", markup=False)
        yield Footer(show_command_palette=False, compact=True)

    def on_mount(self) -> None:
        """Show everything, and what is left of it whenever the filter changes."""
        self.watch(self.query_one(Input), "value", self._show)

    def action_close(self) -> None:
        """Go back to the list of keys."""
        self.dismiss(None)

    def action_down(self) -> None:
        """Go to the next request while the cursor stays in the filter."""
        self.query_one(MarkedList).action_cursor_down()

    def action_up(self) -> None:
        """Go to the previous request while the cursor stays in the filter."""
        self.query_one(MarkedList).action_cursor_up()

    def _show(self, text: str) -> None:
        shown = [request for request in self._requests if request.matches(text)]
        options = self.query_one(MarkedList)
        options.clear_options()
        options.add_options([Option(request.content()) for request in shown])
        options.display = bool(shown)
        empty = self.query_one("#empty", Static)
        empty.display = not shown
        empty.update(Content("Nothing matches." if self._requests else "Nothing was done yet."))
