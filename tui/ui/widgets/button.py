"""A button that says without colour that it is one, and that it has the focus."""

from __future__ import annotations

from textual import widgets
from textual.content import Content
from textual.reactive import reactive

from tui.ui.themes import FEW_COLOURS

FOCUSED = "▸"
"""Stands before the label of the button that has the focus."""


class Button(widgets.Button):
    """Textual's button on one line, with a sign at the focus.

    Where no shade tells a button from text, brackets do. The `letter` that presses it, if any, is
    underlined.
    """

    letter = reactive("", init=False)

    def on_mount(self) -> None:
        """Leave the cells beside the label to the signs; a style sheet can't say 0 here."""
        self.styles.line_pad = 0

    def render(self) -> Content:
        """Return the label between its signs."""
        if self.has_focus:
            before, after = FOCUSED, " "
        else:
            before, after = ("[", "]") if self._is_bracketed else (" ", " ")
        label = Content.from_text(self.label, markup=False)
        place = label.plain.lower().find(self.letter) if self.letter else -1
        if place >= 0:
            label = label.stylize("underline", place, place + 1)
        return Content.assemble(before, label, after)

    @property
    def _is_bracketed(self) -> bool:
        if self.app.no_color:
            return True
        return self.app.theme in FEW_COLOURS and self.variant != "primary"
