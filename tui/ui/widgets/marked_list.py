"""A list to choose from, whose cursor is seen without colour, too."""

from __future__ import annotations

from functools import lru_cache

from rich.segment import Segment
from rich.style import Style
from textual.strip import Strip
from textual.widgets import OptionList

from tui.ui.widgets.table_line import MARK

EDGE = "▏"
"""Stands there while something else has the focus; fields have the same edges."""


class MarkedList(OptionList):
    """Textual's list with a mark before the option under the cursor, which has one colour.

    Textual fails where mark, padding, and scrollbar leave no column for the text.
    """

    DEFAULT_CSS = """
    MarkedList { min-width: 8; }
    """

    def _get_left_gutter_width(self) -> int:
        return 1

    def page_up(self) -> None:
        """Go up by a screen."""
        self.action_page_up()  # type: ignore[no-untyped-call]  # Textual tells no types here

    def page_down(self) -> None:
        """Go down by a screen."""
        self.action_page_down()  # type: ignore[no-untyped-call]  # Textual tells no types here

    def render_line(self, y: int) -> Strip:
        """Return a line with its mark, or a blank where the cursor isn't."""
        strip = super().render_line(y)
        style = self.get_visual_style("option-list--option").rich_style
        line_no = self.scroll_offset.y + y
        if self.highlighted is None or line_no >= len(self._lines):
            return Strip([Segment(" ", style), *strip])
        if self._lines[line_no][0] != self.highlighted:
            return Strip([Segment(" ", style), *strip])
        name = "option-list--option-highlighted"
        style = self.get_visual_style("option-list--option", name).rich_style
        segments = [
            Segment(segment.text, _in_colour_of(segment.style or style, style)) for segment in strip
        ]
        is_followed = (
            self.has_focus or not self.can_focus
        )  # then its cursor is moved from elsewhere
        return Strip([Segment(MARK if is_followed else EDGE, style), *segments])


@lru_cache(64)
def _in_colour_of(style: Style, other: Style) -> Style:
    """Return `style` with the colour of `other`: muted text under the cursor is too faint."""
    return style + Style(color=other.color)
