"""One line to search a list with: what is typed, how much of the list matches, what is wrong."""

from __future__ import annotations

from typing import ClassVar, Protocol

from rich.cells import cell_len
from textual import on
from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import Horizontal, Vertical
from textual.content import Content
from textual.message import Message
from textual.suggester import Suggester
from textual.widgets import Input, Static

from tui.search.highlights import spans
from tui.search.matches import Matches, Search
from tui.search.query import Query, QueryError, UnfinishedQuery
from tui.text import count
from tui.ui.bindings import Place, bindings_for
from tui.ui.widgets.field import QuietInput

PLACEHOLDER = 'words, "a phrase", AND, NOT, wild*'


class SearchedList(Protocol):
    """The list that is searched: its cursor moves while somebody types."""

    def action_cursor_up(self) -> None:
        """Go up by a line."""

    def action_cursor_down(self) -> None:
        """Go down by a line."""

    def action_page_up(self) -> None:
        """Go up by a screen."""

    def action_page_down(self) -> None:
        """Go down by a screen."""


class _Completion(Suggester):
    """Offers how what is typed goes on."""

    def __init__(self, row: SearchRow) -> None:
        super().__init__(use_cache=False, case_sensitive=True)
        self._row = row

    async def get_suggestion(self, value: str) -> str | None:
        """Return the whole text, or nothing."""
        return self._row.completion(value) or None


class SearchRow(Vertical):
    """Searches what `use` is given at each change, and posts what matches.

    While a query is unfinished or faulty nothing is posted, so the last result stays. A row that
    `stays_open` ends its search with Esc, but does not close.
    """

    PLACE = Place.SEARCH
    BINDINGS: ClassVar[list[BindingType]] = list(bindings_for(PLACE))

    DEFAULT_CSS = """
    SearchRow {
        display: none;
        height: auto;
        padding: 0 2;
        &.-open { display: block; }
        & > Horizontal { height: 1; }
        .search--prompt { width: 2; color: $text-muted; }
        &.-focused .search--prompt { color: $text-accent; text-style: bold; }
        QuietInput { width: 1fr; min-width: 14; background: $surface; }
        QuietInput.-textual-compact { padding: 0; }
        QuietInput:focus { background-tint: transparent; }
        .search--remark {
            width: auto; max-width: 75%; margin-left: 2; color: $text-muted;
            text-wrap: nowrap; text-overflow: ellipsis;
        }
        .search--remark.-missing { color: $text-warning; }
        .search--fault { display: none; height: auto; color: $text-error; }
        &.-faulty .search--fault { display: block; }
    }
    """

    class Narrowed(Message):
        """Another text was typed, and this is what it matches."""

        def __init__(self, row: SearchRow, search: Search, matches: Matches) -> None:
            super().__init__()
            self.row, self.matches = row, matches
            self._search = search

        @property
        def is_current(self) -> bool:
            """Whether the rows are still the ones that are searched."""
            return self._search is self.row.search

    class ListRequested(Message):
        """The operator goes on to the list."""

    class Cleared(Message):
        """The operator wants the whole list again."""

    def __init__(
        self,
        searched: SearchedList,
        noun: str,
        *,
        placeholder: str = PLACEHOLDER,
        stays_open: bool = False,
    ) -> None:
        super().__init__(classes="-open" if stays_open else "")
        self._searched, self._noun, self._stays_open = searched, noun, stays_open
        self.search: Search | None = None
        """The rows that are searched, once they are known."""
        self._understood = ""
        self._has_matches = True
        self._input = QuietInput("", placeholder=placeholder, masked=False)
        self._input.suggester = _Completion(self)
        self._remark = Static(classes="search--remark", markup=False)
        self._fault = Static(classes="search--fault", markup=False)

    def compose(self) -> ComposeResult:
        """Lay the input and the remark side by side, and beneath what points at a fault."""
        with Horizontal():
            yield Static("/", classes="search--prompt")
            yield self._input
            yield self._remark
        yield self._fault

    @property
    def text(self) -> str:
        """What is typed."""
        return self._input.value

    @text.setter
    def text(self, text: str) -> None:
        self._input.value = text
        self._input.cursor_position = len(text)

    @property
    def is_open(self) -> bool:
        """Whether the row is shown."""
        return self.has_class("-open")

    @property
    def is_typed_in(self) -> bool:
        """Whether letters go into the row."""
        return self._input.has_focus

    def open(self) -> None:
        """Show the row, and put the cursor into it."""
        self.add_class("-open")
        self.screen.set_focus(self._input)

    def close(self) -> None:
        """End the search; the row goes away, unless it stays open."""
        self._input.value = ""
        self.set_class(self._stays_open, "-open")

    def search_in(self, search: Search | None) -> Matches | None:
        """Search these rows from now on; return what of them matches, None without a search.

        Where the query is unfinished or faulty, that is what the last one before it matches.
        """
        self.search = search
        if search is None:
            return None
        return self._matches(search) or search.matches(self._understood)

    def completion(self, text: str) -> str:
        """Return how a text goes on, from its beginning, or nothing."""
        return self.search.completion(text) if self.search is not None else ""

    def _matches(self, search: Search) -> Matches | None:
        """Return what matches; None, with the reason shown, where nothing can be said."""
        text = self.text
        try:
            matches = search.matches(text)
        except UnfinishedQuery as error:
            self._show_remark(error.message, is_missing=True)
            return None
        except QueryError as error:
            self._show_remark(f"✗ column {error.column}", is_missing=True)
            self._show_fault(error)
            return None
        self._understood = text
        self._note_matches(bool(matches.rows))
        whole = count(len(search), self._noun)
        shown = f"{len(matches.rows):,} of {whole}" if text.strip() else whole
        caveat = f", {matches.caveat}" if matches.caveat else ""
        self._show_remark(matches.missing or shown + caveat, is_missing=bool(matches.missing))
        return matches

    def _note_matches(self, has_matches: bool) -> None:
        """Offer to go on to the list only while something stands there."""
        if has_matches != self._has_matches:
            self._has_matches = has_matches
            self.refresh_bindings()

    def _show_remark(self, text: str, *, is_missing: bool) -> None:
        is_as_wide = cell_len(text) == cell_len(str(self._remark.content))
        self._remark.update(Content(text), layout=not is_as_wide)
        self._remark.set_class(is_missing, "-missing")
        self.remove_class("-faulty")

    def _show_fault(self, error: QueryError) -> None:
        """Point from beneath at the faulty character."""
        before = cell_len(self.text[: error.column - 1]) - self._input.scroll_offset.x
        self._fault.update(_pointer(error.message, 2 + before, self.content_region.width))
        self.add_class("-faulty")

    @on(Input.Changed)
    def _typed(self, event: Input.Changed) -> None:
        event.stop()
        if self.search is not None and (matches := self._matches(self.search)) is not None:
            self.post_message(self.Narrowed(self, self.search, matches))
        if self._stays_open and len(event.value) <= 1:
            self.refresh_bindings()

    def on_descendant_focus(self) -> None:
        """Stand out while the cursor is here."""
        self.add_class("-focused")

    def on_descendant_blur(self) -> None:
        """Stand back."""
        self.remove_class("-focused")

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Leave Esc to the screen where there is nothing to end; go on only to what matches."""
        if action == "submit" and (self.text.strip() or self._stays_open):
            return self._has_matches
        if action == "clear" and self._stays_open:
            return bool(self.text)
        return super().check_action(action, parameters)

    def action_submit(self) -> None:
        """Go on to the list."""
        self.post_message(self.ListRequested())

    def action_clear(self) -> None:
        """Have the whole list shown again."""
        self.post_message(self.Cleared())

    def action_complete(self) -> None:
        """Take what is offered; without an offer go on to the list."""
        if completion := self.completion(self.text):
            self.text = completion
        else:
            self.post_message(self.ListRequested())

    def action_up(self) -> None:
        """Move the list's cursor up."""
        self._searched.action_cursor_up()

    def action_down(self) -> None:
        """Move the list's cursor down."""
        self._searched.action_cursor_down()

    def action_page_up(self) -> None:
        """Move the list's cursor up by a screen."""
        self._searched.action_page_up()

    def action_page_down(self) -> None:
        """Move the list's cursor down by a screen."""
        self._searched.action_page_down()


def _pointer(message: str, place: int, width: int) -> Content:
    """Return a line with `^` at a place, and the message behind it, or before it if it fits so."""
    message_before = f"{message} ^"
    if place + 2 + cell_len(message) > width and cell_len(message_before) <= place + 1:
        return Content(message_before.rjust(place + 1))
    return Content(f"{' ' * max(0, min(place, width - 1))}^ {message}")


def highlighted(content: Content, query: Query, style: str = "bold underline") -> Content:
    """Return the content with what a query matches in another style, line by line."""
    if query.matches_all:
        return content
    start = 0
    for line in content.plain.split("\n"):
        for begin, end in spans(query, line):
            content = content.stylize(style, start + begin, start + end)
        start += len(line) + 1
    return content
