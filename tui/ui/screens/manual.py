"""The manual: its contents at the left, a page at the right, and a search over all of it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import Horizontal, Vertical
from textual.content import Content
from textual.screen import Screen
from textual.widgets.option_list import Option

from tui.manual import NAMES, topics, with_tables
from tui.manual.layout import blocks
from tui.search.index import Index
from tui.search.matches import Matches, TextSearch
from tui.search.normal_form import normalised
from tui.search.query import Query
from tui.ui.bindings import Place, bindings_for, key_table
from tui.ui.widgets.key_footer import KeyFooter
from tui.ui.widgets.manual_page import ManualPage
from tui.ui.widgets.marked_list import MarkedList
from tui.ui.widgets.search_row import SearchRow
from tui.ui.widgets.top_bar import TopBar


class ManualScreen(Screen[None]):
    """Shows a page of the manual; the tables of keys are those in force."""

    CSS_PATH = "manual.tcss"
    AUTO_FOCUS = ""
    PLACE = Place.MANUAL
    BINDINGS: ClassVar[list[BindingType]] = list(bindings_for(PLACE))
    HORIZONTAL_BREAKPOINTS: list[tuple[int, str]] | None = [  # noqa: RUF012  # as Screen has it
        (0, "-narrow"),
        (76, "-roomy"),
    ]

    def __init__(self, name: str, key_map: Mapping[str, str], block: int = 0) -> None:
        """Open the page of that name, at the block of that number; without a name, the contents."""
        super().__init__()
        self._is_open = bool(name)
        self._titles = [topic.title for topic in topics()]
        texts = (with_tables(topic.text, lambda of: key_table(of, key_map)) for topic in topics())
        self._pages = [blocks(text) for text in texts]
        self._page = NAMES.index(name) if name else 0
        self._matches: Mapping[int, Sequence[int]] = {self._page: [block]} if block else {}
        """The blocks of each page that are searched for, by their numbers."""
        self._query = Query()
        self._contents = MarkedList(id="contents", compact=True)
        self._reading = ManualPage()
        self._search_row = SearchRow(self, "paragraph")
        self._shown: list[int] = []
        """The pages that the contents list, by their numbers."""

    def compose(self) -> ComposeResult:
        """The search, the contents, and the page."""
        yield TopBar("Manual")
        with Vertical(id="page"):
            yield self._search_row
            with Horizontal(id="columns"):
                yield self._contents
                yield self._reading
        yield KeyFooter()

    def on_mount(self) -> None:
        """List the pages, and show one."""
        self._list_pages()
        self._show_page()
        self._go_to(is_reading=self._is_open)

    def _list_pages(self) -> None:
        """List the pages, with how much of each matches where something is searched."""
        self._shown = [n for n in range(len(self._pages)) if self._is_whole or n in self._matches]
        options = []
        for number in self._shown:
            title = self._titles[number]
            count = "" if self._is_whole else f"  {len(self._matches[number])}"
            options.append(Option(Content.assemble(title, (count, "$text-muted"))))
        self._contents.clear_options()
        self._contents.add_options(options)
        if self._shown:
            self._page = self._page if self._is_whole else max(self._shown, key=self._closeness)
            self._contents.highlighted = self._shown.index(self._page)

    def _closeness(self, number: int) -> tuple[int, int, int]:
        """Return how well a page fits what is searched: by title and one block, title, matches."""
        in_title = self._term_count(self._titles[number])
        page, matching = self._pages[number], self._matches[number]
        in_block = max(self._term_count(page[at].text) for at in matching)
        return in_title + in_block, in_title, len(matching)

    def _term_count(self, text: str) -> int:
        """Return how many of the terms that are searched occur in a text."""
        normal = normalised(text)
        return sum(any(True for _ in term.spans(normal)) for term in self._query.terms)

    @property
    def _is_whole(self) -> bool:
        """Whether nothing is searched."""
        return self._query.matches_all

    def _show_page(self, *, is_last: bool = False) -> None:
        """Show the page that is chosen, at its first match or at its last."""
        matching = frozenset(self._matches.get(self._page, ()))
        self._reading.show(self._pages[self._page], matching, self._query, is_last=is_last)

    @on(MarkedList.OptionHighlighted)
    def _turn_to(self, event: MarkedList.OptionHighlighted) -> None:
        """Show the page under the cursor of the contents, at its first match."""
        row = event.option_index
        if row < len(self._shown) and self._shown[row] != self._page:
            self._page = self._shown[row]
            self._show_page()

    @on(MarkedList.OptionSelected)
    def _read(self) -> None:
        self._go_to(is_reading=True)

    def _go_to(self, *, is_reading: bool) -> None:
        """Put the focus on the page, or on the contents."""
        self.set_class(is_reading, "-reading")
        (self._reading if is_reading else self._contents).focus()
        self.refresh_bindings()

    def action_switch(self) -> None:
        """Go from the contents to the page, and back."""
        self._go_to(is_reading=not self._reading.has_focus)

    def action_find(self) -> None:
        """Search all pages."""
        self._search_row.open()
        if self._search_row.search is None:
            rows = [(block.text,) for page in self._pages for block in page]
            self._search_row.search_in(TextSearch(Index(rows)))

    @on(SearchRow.Narrowed)
    def _narrow(self, event: SearchRow.Narrowed) -> None:
        """List the pages that match, and show the first match of the one that is open."""
        self._show_matches(event.matches)

    def _show_matches(self, matches: Matches) -> None:
        self._query = matches.highlighted
        places = [
            (number, at) for number, page in enumerate(self._pages) for at in range(len(page))
        ]
        by_page: dict[int, list[int]] = {}
        for row in matches.rows:
            number, at = places[row]
            by_page.setdefault(number, []).append(at)
        self._matches = {} if self._is_whole else by_page
        self._list_pages()
        self._show_page()

    @on(SearchRow.ListRequested)
    def _go_to_match(self) -> None:
        """Read the page, with what matches underlined."""
        if self._search_row.text.strip():
            self._go_to(is_reading=True)
        else:
            self._end_search()

    @on(SearchRow.Cleared)
    def _end_search(self) -> None:
        self._search_row.close()
        self._show_matches(Matches(()))
        self._go_to(is_reading=True)

    def action_next_match(self, step: int) -> None:
        """Go to the next match, 1, or to the one before, -1: on this page, else on another.

        After the last page comes the first.
        """
        if not self._reading.next_match(step):
            row = (self._shown.index(self._page) + step) % len(self._shown)
            self._page = self._shown[row]
            with self._contents.prevent(MarkedList.OptionHighlighted):
                self._contents.highlighted = row
            self._show_page(is_last=step < 0)

    def footer_word(self, action: str) -> str | None:
        """Word where the keys lead to."""
        if action == "switch" and self._reading.has_focus:
            return "To the contents"
        return "To the page" if action == "submit" else None

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Offer what makes sense now."""
        if action == "find":
            return not self._search_row.is_typed_in
        if action == "next_match":
            return not (self._is_whole or self._search_row.is_typed_in) and bool(self._matches)
        return True

    def action_close(self) -> None:
        """End the search; else go from a narrow page to the contents; else leave the manual."""
        if self._search_row.is_open:
            self._end_search()
        elif self.has_class("-narrow") and self._reading.has_focus:
            self._go_to(is_reading=False)
        else:
            self.dismiss(None)

    def action_cursor_up(self) -> None:
        """Go to the page above, while somebody types."""
        self._contents.action_cursor_up()

    def action_cursor_down(self) -> None:
        """Go to the page below."""
        self._contents.action_cursor_down()

    def action_page_up(self) -> None:
        """Scroll the page up."""
        self._reading.scroll_page_up(animate=False)

    def action_page_down(self) -> None:
        """Scroll the page down."""
        self._reading.scroll_page_down(animate=False)
