"""A page of the manual, laid out in the width that there is."""

from __future__ import annotations

from collections.abc import Collection, Sequence

from textual.app import ComposeResult
from textual.containers import VerticalScroll
from textual.content import Content
from textual.widgets import Static

from tui.manual.layout import Block, Line, Style, lines_of
from tui.search.query import Query
from tui.ui.widgets.search_row import highlighted

WIDEST = 90
"""How many columns a line has at most, so that it is read with ease."""

_STYLES = {
    Style.PLAIN: "",
    Style.STRONG: "bold",
    Style.CODE: "$text-accent",
    Style.TITLE: "bold $text-accent",
}


class ManualPage(VerticalScroll):
    """Shows blocks of text, from the top or from the first that a query matches."""

    DEFAULT_CSS = """
    ManualPage { scrollbar-size-vertical: 1; scrollbar-gutter: stable; padding-right: 1; }
    """

    def __init__(self) -> None:
        super().__init__()
        self._blocks: Sequence[Block] = ()
        self._matching: Collection[int] = ()
        self._query = Query()
        self._drawn_width = 0
        self._match_lines: list[int] = []
        """The first line of each block that matches."""
        self._current = 0
        """The match that was gone to last, by its number on the page."""

    def compose(self) -> ComposeResult:
        """One text that scrolls."""
        yield Static(id="text")

    def show(
        self,
        blocks: Sequence[Block],
        matching: Collection[int],
        query: Query,
        *,
        is_last: bool = False,
    ) -> None:
        """Show a page; the blocks with the numbers `matching` have highlights.

        It opens at the first of them, or at the last.
        """
        self._blocks, self._matching, self._query = blocks, matching, query
        self._current = max(0, len(matching) - 1) if is_last else 0
        self._draw()
        self._scroll_to_match()

    def on_resize(self) -> None:
        """Break the lines anew."""
        is_first = not self._drawn_width
        if self.scrollable_content_region.width != self._drawn_width:
            self._draw()
            if is_first:
                self._scroll_to_match()

    def _scroll_to_match(self) -> None:
        y = self._match_lines[self._current] if self._match_lines else 0
        self.scroll_to(y=y, animate=False)

    def _draw(self) -> None:
        self._drawn_width = self.scrollable_content_region.width
        width = min(self._drawn_width, WIDEST)
        rows: list[Content] = []
        self._match_lines = []
        for number, block in enumerate(self._blocks if width > 0 else ()):
            if rows and block.is_first:
                rows.append(Content(""))
            is_match = number in self._matching
            is_current = is_match and len(self._match_lines) == self._current
            if is_match:
                self._match_lines.append(len(rows))
            query = self._query if is_match else Query()
            style = "bold underline reverse" if is_current else "bold underline"
            rows += [highlighted(_content(line), query, style) for line in lines_of(block, width)]
        self.query_one("#text", Static).update(Content("\n").join(rows))

    def next_match(self, step: int) -> bool:
        """Go to the next match, 1, or to the one before, -1; tell whether the page has one."""
        number = self._current + step
        if not 0 <= number < len(self._match_lines):
            return False
        self._current = number
        self._draw()
        self._scroll_to_match()
        return True


def _content(line: Line) -> Content:
    return Content.assemble(*((piece.text, _STYLES[piece.style]) for piece in line))
