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

    def compose(self) -> ComposeResult:
        """One text that scrolls."""
        yield Static(id="text")

    def show(self, blocks: Sequence[Block], matching: Collection[int], query: Query) -> None:
        """Show a page; the blocks with the numbers `matching` have highlights."""
        self._blocks, self._matching, self._query = blocks, matching, query
        self._draw()
        self.scroll_to(y=min(self._match_lines, default=0), animate=False)

    def on_resize(self) -> None:
        """Break the lines anew."""
        if self.scrollable_content_region.width != self._drawn_width:
            self._draw()

    def _draw(self) -> None:
        self._drawn_width = self.scrollable_content_region.width
        width = min(self._drawn_width, WIDEST)
        rows: list[Content] = []
        self._match_lines = []
        for number, block in enumerate(self._blocks if width > 0 else ()):
            if rows and block.is_first:
                rows.append(Content(""))
            is_match = number in self._matching
            if is_match:
                self._match_lines.append(len(rows))
            query = self._query if is_match else Query()
            rows += [highlighted(_content(line), query) for line in lines_of(block, width)]
        self.query_one("#text", Static).update(Content("\n").join(rows))

    def next_match(self, step: int) -> None:
        """Scroll to the next match, 1, or to the one before, -1."""
        top = round(self.scroll_y)
        lines = [line for line in self._match_lines if (line - top) * step > 0]
        if lines:
            self.scroll_to(y=min(lines) if step > 0 else max(lines), animate=False)


def _content(line: Line) -> Content:
    return Content.assemble(*((piece.text, _STYLES[piece.style]) for piece in line))
