"""The facts at the right of a wide screen: of one width and at one place on all of them."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from textual import events, on
from textual.app import ComposeResult
from textual.containers import VerticalScroll
from textual.content import Content
from textual.geometry import Size
from textual.widget import Widget

WIDE = 110
"""From so many columns on, a screen has the class `-wide`, with which its pane is shown."""
BREAKPOINTS = [(0, "-narrow"), (WIDE, "-wide")]
"""The classes of a screen with a pane, by the columns that there are."""
WIDTH = 44
"""How many cells the pane takes, with the line at its left."""
NAMES = len("Subacc ")
"""How many cells the names of the facts take."""


def room_beside(width: int) -> int:
    """Return how many of a screen's columns the pane leaves."""
    return width - WIDTH if width >= WIDE else width


class FactsPane(VerticalScroll, can_focus=False):
    """A column of facts that scrolls; it has room for a key's ID behind its name.

    With the class `beside` it stands at the right of a wide screen, and nowhere on others.
    """

    DEFAULT_CSS = f"""
    FactsPane {{
        height: 1fr; padding: 1 1 0 2; scrollbar-size-vertical: 1; scrollbar-gutter: stable;
        &.beside {{ width: {WIDTH}; border-left: vkey $border; }}
    }}
    """

    @on(events.Show)
    @on(events.Hide)
    def watch_show_vertical_scrollbar(self) -> None:
        """Have the footer name the keys that scroll it, or no longer do so."""
        self.screen.refresh_bindings()


class FactLines(Widget):
    """Facts as a text that is made for its width; while it is hidden, nothing is made."""

    ALLOW_SELECT = True
    DEFAULT_CSS = "FactLines { height: auto; }"

    def __init__(self, id: str = "facts") -> None:  # noqa: A002  # Textual's own name for it
        super().__init__(id=id)
        self._text_for: Callable[[int], Content] = lambda _: Content("")
        self._brief_for: Callable[[int], Content] | None = None
        self.text = Content("")
        """What is shown, or was last made."""
        self._made_for = -1

    def show_text(
        self,
        text_for: Callable[[int], Content],
        brief_for: Callable[[int], Content] | None = None,
    ) -> None:
        """Show what `text_for` returns for a width in cells; `brief_for` where that is too high."""
        self._text_for, self._brief_for, self._made_for = text_for, brief_for, -1
        self.refresh(layout=True)

    def _text(self, width: int) -> Content:
        if width != self._made_for:
            self.text, self._made_for = self._text_for(width), width
        return self.text

    def get_content_height(self, container: Size, viewport: Size, width: int) -> int:
        """Return how many lines the text takes."""
        rules = self.styles.get_rules()
        self._made_for = -1  # the same width may have another height now
        if self._brief_for and self._text(width).get_height(rules, width) > container.height:
            self.text = self._brief_for(width)
        return self._text(width).get_height(rules, width)

    def render(self) -> Content:
        """Return the text for the width that there is."""
        return self._text(self.content_size.width)


class FactsText(FactsPane):
    """A pane with one text in it, which is made for its width."""

    def __init__(self, classes: str = "") -> None:
        super().__init__(classes=classes)
        self._lines = FactLines()
        self._subject: object = None

    def compose(self) -> ComposeResult:
        """The text."""
        yield self._lines

    def show_text(
        self,
        text_for: Callable[[int], Content],
        subject: object,
        brief_for: Callable[[int], Content] | None = None,
    ) -> None:
        """Show what `text_for` returns for a width in cells; of another subject from the top.

        Where it does not fit, `brief_for` makes what is shown instead.
        """
        self._lines.show_text(text_for, brief_for)
        if subject != self._subject:
            self._subject = subject
            self.scroll_home(animate=False, immediate=True)


def fact(name: str, values: Sequence[Content], width: int) -> list[Content]:
    """Return a fact, its values below each other behind its name; a sentence goes on beneath.

    A value without a blank that is too wide stands below the name, so that it is not broken.
    """
    room = max(width - NAMES, 1)
    heading = Content.styled(f"{name:<{NAMES}}", "$text-muted")
    if any(value.cell_length > room and " " not in value.plain for value in values):
        return [heading, *values]
    lines = [line for value in values for line in value.wrap(room)]
    indents = [heading, *[Content(" " * NAMES)] * (len(lines) - 1)]
    return [indent + line for indent, line in zip(indents, lines, strict=True)]
