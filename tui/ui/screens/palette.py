"""The palette: everything that can be done now, found by typing."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from typing import ClassVar, Protocol, runtime_checkable

from textual import on, work
from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import Vertical
from textual.content import Content
from textual.screen import ModalScreen
from textual.widgets import Static
from textual.widgets.option_list import Option

from tui.keys.labels import shown_label
from tui.keys.listing import Listing
from tui.search.index import Index
from tui.search.matches import Matches
from tui.search.normal_form import normalised
from tui.search.permissions import METHODS, asks_who_may, completions, parse_request
from tui.search.query import Query, QueryError, UnfinishedQuery
from tui.search.terms import And, Literal, Or
from tui.text import count, mask, short
from tui.ui.bindings import Place, bindings_for
from tui.ui.widgets.marked_list import MarkedList
from tui.ui.widgets.search_row import SearchRow, highlighted
from tui.ui.widgets.too_small import TooSmall

MOST_KEYS = 50
"""How many keys are offered; what is typed on narrows them."""

SHOWN_WIDTH = 10
"""The columns of the first part of a line: a key of the keyboard, or what kind of thing it is."""


@dataclass(frozen=True, slots=True)
class Entry:
    """One thing to do: `shown` is the key of the keyboard that does it, or what kind it is.

    `title` may hold a server's words, made safe; nothing here is parsed as markup.
    """

    shown: str
    title: str
    run: Callable[[], Awaitable[object] | None]

    def content(self, query: Query) -> Content:
        """Return the line, with what a query matches highlighted."""
        shown = Content.styled(f"{self.shown:<{SHOWN_WIDTH}} ", "$text-muted")
        return shown + highlighted(Content(self.title), query)


@runtime_checkable
class KeyChoice(Protocol):
    """A screen with API keys, of which one can be chosen."""

    @property
    def listing(self) -> Listing:
        """The keys as last read."""
        ...

    @property
    def prefix(self) -> str:
        """The beginning of all paths of the API."""
        ...

    def go_to(self, key_id: str) -> None:
        """Put the cursor on a key."""
        ...

    def search_for(self, text: str) -> None:
        """Search the keys."""
        ...


class PaletteSearch:
    """Matches what is typed with entries, with the labels of keys, and with requests.

    Every word must occur, in any order; a text that begins with `may` asks about a request. The
    index of the keys is made once, in a thread: 100,000 keys take a second or two.
    """

    def __init__(self, entries: Sequence[Entry], choice: KeyChoice | None = None) -> None:
        self._entries, self._choice = entries, choice
        self._texts = [normalised(f"{entry.shown} {entry.title}") for entry in entries]
        self._listing = choice.listing if choice is not None else Listing()
        self._index: Index | None = None
        self.offered: Sequence[Entry] = entries
        """What matches, the best first; of the keys only some."""

    def __len__(self) -> int:
        return len(self._entries) + len(self._listing.keys)

    def prepare(self) -> None:
        """Make the index of the keys."""
        keys = self._listing.keys
        self._index = Index((shown_label(k.raw_label or ""), k.short_key, k.id) for k in keys)

    def matches(self, text: str) -> Matches:
        """Return what matches, as numbers of `offered` (see `Search.matches`)."""
        if self._choice is not None and asks_who_may(text):
            return self._requests(self._choice, text)
        words = tuple(map(Literal, normalised(text).split()))
        if not words:
            self.offered = self._entries
            return Matches(range(len(self._entries)))
        ranked = sorted(self._ranked(words), key=lambda pair: pair[0])
        self.offered = [self._entries[place] for _, place in ranked]
        keys = self._index.matches(Query(And(words))) if self._index else []
        if self._choice is not None:
            self.offered += self._key_entries(self._choice, keys, words)
        return Matches(range(len(ranked) + len(keys)), Query(Or(words)))

    def completion(self, text: str) -> str:
        """Return the first request that goes on as `text` does."""
        if not asks_who_may(text):
            return ""
        requests = (f"may {request}" for request in self._known_requests())
        typed = " ".join(text.split()) + " " * text.endswith(" ")
        return next((r for r in requests if r.casefold().startswith(typed.casefold())), "")

    def _ranked(self, words: Sequence[Literal]) -> Iterator[tuple[int, int]]:
        """Yield the entries that hold all words: how good each is, 0 the best, and its place."""
        first = words[0].value
        for place, text in enumerate(self._texts):
            if all(word.value in text for word in words):
                title = normalised(self._entries[place].title)
                begins = title.startswith(first) or text.startswith(f"{first} ")
                yield (0 if begins else 1 if f" {first}" in text else 2), place

    def _known_requests(self) -> list[str]:
        """Return the requests that the grants of this server allow."""
        if self._choice is None:
            return []
        grants = [grant.key for grant in self._listing.catalogue.grants]
        return [
            request
            for method in METHODS
            for request in completions(f"{method} /", grants, self._choice.prefix)
        ]

    def _requests(self, choice: KeyChoice, text: str) -> Matches:
        """Offer the requests that go on as `text` does, first the one that it is."""
        typed = " ".join(text.split()).casefold()
        requests = [f"may {request}" for request in self._known_requests()]
        requests = [request for request in requests if request.casefold().startswith(typed)]
        missing = ""
        try:
            request = parse_request(text)
            whole = f"may {request.method} {request.path}"
            requests = [whole, *(other for other in requests if other != whole)]
        except UnfinishedQuery as error:
            missing = error.message
        except QueryError as error:
            self.offered = []
            return Matches((), missing=error.message)
        self.offered = [_search_entry(choice, request, request) for request in requests]
        return Matches(range(len(requests)), missing=missing)

    def _key_entries(
        self, choice: KeyChoice, rows: Sequence[int], words: Sequence[Literal]
    ) -> Iterator[Entry]:
        """Yield the first of the keys in these rows, and the search that shows all of them."""
        for row in rows[:MOST_KEYS]:
            key = self._listing.keys[row]
            label = short(shown_label(key.raw_label or "")) or "(no label)"
            title = f"{label}  {mask(key.short_key)}".rstrip()
            yield Entry("API key", title, partial(choice.go_to, key.id))
        if len(rows) > MOST_KEYS:
            yield _search_entry(choice, _query_for(words), count(len(rows), "key"))


def _search_entry(choice: KeyChoice, text: str, title: str) -> Entry:
    return Entry("search", title, partial(choice.search_for, text))


def _query_for(words: Sequence[Literal]) -> str:
    """Return the query, as one types it, for what holds all words."""
    escaped = (word.value.replace("\\", "\\\\").replace('"', '\\"') for word in words)
    return " AND ".join(f'"{word}"' for word in escaped)


class PaletteScreen(ModalScreen["Entry | None"]):
    """Offers entries, and the keys of the screen that it opened on; returns the one chosen."""

    CSS_PATH = "palette.tcss"
    AUTO_FOCUS = "Input"
    PLACE = Place.PALETTE
    BINDINGS: ClassVar[list[BindingType]] = list(bindings_for(PLACE))

    def __init__(self, entries: Sequence[Entry], choice: KeyChoice | None = None) -> None:
        super().__init__()
        self._search = PaletteSearch(entries, choice)
        self._options = MarkedList(id="entries", compact=True)
        self._options.can_focus = False  # what is typed goes into the row above
        placeholder = "what to do" + (", a label, may GET /path" if choice is not None else "")
        self._row = SearchRow(self._options, "choice", placeholder=placeholder, stays_open=True)

    def compose(self) -> ComposeResult:
        """The row to type in, and what matches."""
        yield TooSmall()
        with Vertical(id="box"):
            yield self._row
            yield self._options
            yield Static("Nothing matches.", id="empty")
            yield Static("Enter runs it · Esc closes · Tab completes", id="hint")

    def on_mount(self) -> None:
        """Show everything, and prepare the search of the keys meanwhile."""
        self._row.search_in(self._search)
        self._show(self._search.matches(""))
        self._prepare()

    @work(group="search", exclusive=True, description="prepare the palette's search")
    async def _prepare(self) -> None:
        await asyncio.to_thread(self._search.prepare)
        matches = self._row.search_in(self._search)
        if self._row.text and matches is not None:
            self._show(matches)

    @on(SearchRow.Narrowed)
    def _narrowed(self, event: SearchRow.Narrowed) -> None:
        self._show(event.matches)

    def _show(self, matches: Matches) -> None:
        offered = self._search.offered
        self._options.clear_options()
        self._options.add_options(Option(entry.content(matches.highlighted)) for entry in offered)
        self._options.display = bool(offered)
        self.query_one("#empty").display = not offered
        if offered:
            self._options.highlighted = 0

    @on(SearchRow.ListRequested)
    def _choose(self) -> None:
        """Return what the cursor is on."""
        row = self._options.highlighted
        if row is not None and row < len(self._search.offered):
            self.dismiss(self._search.offered[row])

    @on(MarkedList.OptionSelected)
    def _clicked(self, event: MarkedList.OptionSelected) -> None:
        self.dismiss(self._search.offered[event.option_index])

    @on(SearchRow.Cleared)
    def action_close(self) -> None:
        """Close without doing anything."""
        self.dismiss(None)
