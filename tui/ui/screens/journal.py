"""The journal: what this operator did, when and where, and whether each secret was stored."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import ClassVar

from textual import on, work
from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import Vertical
from textual.content import Content
from textual.screen import Screen
from textual.widgets import Footer, Static
from textual.widgets.option_list import Option

from tui.api.models import Key
from tui.journal import PROOFS, JournalEntry, JournalSnapshot
from tui.keys.labels import shown_label
from tui.search.index import Index
from tui.search.matches import Matches, TextSearch
from tui.search.query import Query, prepare
from tui.text import count, mask, plain, short
from tui.ui.bindings import Place, bindings_for
from tui.ui.widgets.marked_list import MarkedList
from tui.ui.widgets.search_row import SearchRow, highlighted
from tui.ui.widgets.top_bar import TopBar

MOST = 2_000
"""How many requests are shown at most."""

SLICE = 100
"""How many of them are shown at once; a wide screen has room for fewer."""

LABEL_IN_LINE = 36
"""How much of a label leaves a line at 80 columns whole, in characters."""

_OUTCOMES = {
    "begun": "no answer noted: the program was stopped in the middle of it",
    "done": "done",
    "refused": "not done",
    "unknown": "unknown",
    "delivering": "done",
    "undelivered": "done",
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
    predecessor: str = ""
    """The short key, masked, of the key that the created one succeeds, or nothing."""

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
        if self.last.phase == "delivering":
            return "its delivery was interrupted: verify the key to know whether it was stored"
        if self.last.action != "create" or self.last.phase not in {"done", "undelivered"}:
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
            details.insert(0, f"successor of {self.predecessor or 'a key that is gone'}")
        proofs = [_PROOFS[e.phase] for e in self.entries if e.phase in PROOFS][-1:]
        more = [outcome, *(plain(detail) for detail in details if detail), *proofs, self.stored]
        sender = f"{last.username}@" * bool(last.username) + last.server.partition("://")[2]
        elsewhere = "" if short(sender, 60) == self.who else f" · {plain(sender)}"
        return Content.assemble(
            (f"{last.when.astimezone():%Y-%m-%d %H:%M:%S}  ", "$text-muted"),
            f"{last.action:<7} ",
            (f"{mask(last.short_key):<9} ", "$text-muted"),
            (short(shown_label(last.label), LABEL_IN_LINE), "bold"),
            "\n  ",
            (" · ".join(filter(None, more)), _STYLES.get(last.phase, "$text-warning")),
            (elsewhere, "$text-muted"),
        )


def write_requests(
    entries: Iterable[JournalEntry],
    who: str,
    doubts: Callable[[JournalEntry], bool] = lambda _: False,
    short_keys: Mapping[str, str] | None = None,
) -> list[_WriteRequest]:
    """Return the requests that the lines are about, newest first, without those cut off.

    `doubts` tells of which the journal says more than is understood; `short_keys` are those of
    listed keys, by id, beside what the lines themselves tell.
    """
    by_attempt: dict[str, list[JournalEntry]] = {}
    names = dict(short_keys or {})
    for entry in entries:
        by_attempt.setdefault(entry.attempt, []).insert(0, entry)
        if entry.key_id and entry.short_key:
            names.setdefault(entry.key_id, entry.short_key)
    # A proof is written after the request itself: alone, the lines before it were cut off.
    whole = (lines for lines in by_attempt.values() if any(e.phase not in PROOFS for e in lines))
    return [
        _WriteRequest(
            tuple(lines), who, any(map(doubts, lines)), mask(names.get(lines[-1].predecessor, ""))
        )
        for lines in whole
    ]


def _zone() -> str:
    """Return the local time zone: `CET (UTC+01:00)`."""
    now = datetime.now(UTC).astimezone()
    name, offset = now.tzname() or "", f"{now:%z}"
    return name if name == "UTC" else f"{name} (UTC{offset[:3]}:{offset[3:]})"


class JournalScreen(Screen[None]):
    """Lists what the journal holds; what is typed narrows it."""

    CSS_PATH = "journal.tcss"
    AUTO_FOCUS = "Input"
    PLACE = Place.JOURNAL
    BINDINGS: ClassVar[list[BindingType]] = list(bindings_for(PLACE))

    def __init__(
        self, journal: JournalSnapshot, path: Path | None, who: str, keys: Sequence[Key] = ()
    ) -> None:
        """Show a journal; the listed `keys` tell the short keys of predecessors."""
        super().__init__()
        short_keys = {key.id: key.short_key for key in keys if key.short_key}
        requests = write_requests(journal.entries, who, journal.doubts, short_keys)[:MOST]
        self._contents = [request.content() for request in requests]
        self._unreadable = journal.unreadable
        self._path, self._who = path, who
        self._options = MarkedList(id="requests", compact=True)
        self._search_row = SearchRow(self._options, "request", stays_open=True)

    def compose(self) -> ComposeResult:
        """The search, and the list."""
        yield TopBar("Settings › Journal", self._who)
        with Vertical(id="page"):
            where = plain(str(self._path)) if self._path else "kept only while the program runs"
            skipped = f" · {count(self._unreadable, 'line')} unreadable" if self._unreadable else ""
            about = f"What you did, never a secret · {where} · times in {_zone()}{skipped}"
            yield Static(Content(about), id="where")
            yield self._search_row
            yield self._options
            yield Static(id="empty", markup=False)
        yield Footer(show_command_palette=False, compact=True)

    def on_mount(self) -> None:
        """Show everything; what is typed narrows it."""
        self._show(Matches(range(len(self._contents))))
        self._prepare_search()

    @work(group="search", description="prepare the search")
    async def _prepare_search(self) -> None:
        matches = self._search_row.use(await asyncio.to_thread(self._index))
        if self._search_row.text and matches is not None:
            self._show(matches)

    def _index(self) -> TextSearch:
        prepare()
        return TextSearch(Index([(content.plain,) for content in self._contents]))

    def action_close(self) -> None:
        """End the search; else go back to the list of keys."""
        if self._search_row.text:
            self._search_row.close()
        else:
            self.dismiss(None)

    def action_find(self) -> None:
        """Go back to the search."""
        self._search_row.open()

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Offer to search where letters don't do so anyway."""
        return not (action == "find" and self._search_row.is_typed_in)

    @on(SearchRow.Submitted)
    def _go_to_list(self) -> None:
        if self._options.display:
            self._options.focus()

    @on(SearchRow.Cleared)
    def _end_search(self) -> None:
        self._search_row.close()

    @on(SearchRow.Narrowed)
    def _narrowed(self, event: SearchRow.Narrowed) -> None:
        self._show(event.matches)

    def _show(self, matches: Matches) -> None:
        self._options.clear_options()
        self._options.display = bool(matches.rows)
        self._add(matches.rows[:SLICE], matches.highlighted)
        self._add_rest(matches)
        empty = self.query_one("#empty", Static)
        empty.display = not matches.rows
        text = "Nothing matches. Esc shows everything again."
        empty.update(Content(text if self._contents else "Nothing was done yet."))

    def _add(self, rows: Sequence[int], query: Query) -> None:
        contents = [highlighted(self._contents[row], query) for row in rows]
        self._options.add_options(map(Option, contents))

    @work(group="rest", exclusive=True, description="show the rest of the journal")
    async def _add_rest(self, matches: Matches) -> None:
        """Show what is not seen at first slice by slice, so that the next key is not held up."""
        for start in range(SLICE, len(matches.rows), SLICE):
            await asyncio.sleep(0)
            self._add(matches.rows[start : start + SLICE], matches.highlighted)
