"""The messages about what was done: each stays until it is closed or no longer true."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import ClassVar, Literal

from rich.segment import Segment
from textual import events
from textual.content import Content
from textual.geometry import Size
from textual.strip import Strip
from textual.widget import Widget

from tui.text import plain

MessageKind = Literal["done", "note", "problem"]

MARKS: dict[MessageKind, str] = {"done": "✓", "note": "i", "problem": "!"}
CLOSE = "×"  # the sign that the web UI closes its messages with
SHOWN = 3
"""So many messages are shown at most, the newest first."""
_LONGEST = 1_000
_FRAME = 4  # the mark and a blank before the text, a blank and the cross behind it


@dataclass(frozen=True, slots=True)
class _Message:
    text: Content
    kind: MessageKind
    about: str = ""
    """What it is about: a key's id, or a topic of the program."""


@dataclass(frozen=True, slots=True)
class _Line:
    message: int | None
    """The message's place in the list; None for the line that counts those not shown."""
    mark: str
    text: Content
    end: str = ""
    """What stands at the right edge, a cross that closes the message at last."""


class Messages(Widget):
    """The messages of the last changes, newest first; nothing at all when there are none.

    Each of them has `lines` lines at most; of several, `shown` are seen.
    """

    ALLOW_SELECT = False

    COMPONENT_CLASSES: ClassVar[set[str]] = {
        "messages--done",
        "messages--note",
        "messages--problem",
        "messages--text",
        "messages--more",
    }

    DEFAULT_CSS = """
    Messages {
        width: 1fr;
        height: auto;
        display: none;
        background: $panel;
        &.-some { display: block; }
        & > .messages--done { color: $text-success; text-style: bold; }
        & > .messages--note { color: $text-primary; text-style: bold; }
        & > .messages--problem { color: $text-error; text-style: bold; }
        & > .messages--more { color: $text-muted; }
    }
    """

    def __init__(self, *, lines: int = 2, shown: int = SHOWN) -> None:
        super().__init__()
        self._most_lines, self._most_shown = lines, shown
        self._messages: list[_Message] = []
        self._lines: list[_Line] = []
        self._lines_width = -1

    @property
    def count(self) -> int:
        """How many messages have not been closed."""
        return len(self._messages)

    @property
    def tells_problem(self) -> bool:
        """Whether the newest message is about something that could not be done."""
        return bool(self._messages) and self._messages[0].kind == "problem"

    def show(self, content: Content, kind: MessageKind, about: str = "") -> None:
        """Show a message above the others; a text that a terminal may act on loses its styles.

        The same once more takes the place of the newest: it is as true as before.
        """
        content = content[:_LONGEST]
        text = content.plain
        if not text.replace("\n", "").isprintable():
            content = Content("\n".join(map(plain, text.split("\n"))))
        message = _Message(content, kind, about)
        if self._messages[:1] != [message]:
            self._messages.insert(0, message)
            self._changed()

    def withdraw(self, is_over: Callable[[str, MessageKind], bool]) -> None:
        """Close the messages that are no longer true, by what they are about and their kind."""
        left = [m for m in self._messages if not is_over(m.about, m.kind)]
        if len(left) != len(self._messages):
            self._messages = left
            self._changed()

    def withdraw_notes(self) -> None:
        """Close what was true only for a while."""
        self.withdraw(lambda _, kind: kind == "note")

    def dismiss(self) -> None:
        """Close the newest message."""
        if self._messages:
            del self._messages[0]
            self._changed()

    def clear(self) -> None:
        """Close all messages."""
        self._messages.clear()
        self._changed()

    def _changed(self) -> None:
        self._lines_width = -1
        self.set_class(bool(self._messages), "-some")
        self.refresh_bindings()
        self.refresh(layout=True)

    def _wrapped(self, width: int) -> list[_Line]:
        """Return the lines as they are painted in `width` cells."""
        if width != self._lines_width:
            self._lines, self._lines_width = [], width
            shown = self._messages[: self._most_shown]
            more = len(self._messages) - len(shown)
            is_counted_beside = more > 0 and len(shown) == 1
            end = f" {more:,} more {CLOSE}" if is_counted_beside else f" {CLOSE}"
            for place, message in enumerate(shown):
                text_width = max(1, width - len(MARKS[message.kind]) - 1 - len(end))
                texts = _wrap(message.text, text_width, self._most_lines)
                closing = len(texts) - 1 if is_counted_beside else 0
                for number, text in enumerate(texts):
                    mark = " " if number else MARKS[message.kind]
                    self._lines.append(_Line(place, mark, text, end * (number == closing)))
            if more > 0 and not is_counted_beside:
                self._lines.append(_Line(None, " ", Content(f"{more:,} more")))
        return self._lines

    def get_content_height(self, container: Size, viewport: Size, width: int) -> int:
        """Return how many lines there are."""
        return len(self._wrapped(width))

    def render_line(self, y: int) -> Strip:
        """Return one line, as wide as the widget, with the closing cross at the right."""
        width = self.size.width
        style = self.get_visual_style("messages--text")
        lines = self._wrapped(width)
        if y >= len(lines) or width <= _FRAME:
            return Strip.blank(max(0, width), style.rich_style)
        line = lines[y]
        if line.message is None:
            style = marked = self.get_visual_style("messages--more")
        else:
            marked = self.get_visual_style(f"messages--{self._messages[line.message].kind}")
        text = line.text.truncate(max(0, width - 2 - len(line.end)), pad=True)
        return Strip(
            [
                Segment(f"{line.mark} ", marked.rich_style),
                *text.render_segments(style),
                Segment(line.end, style.rich_style),
            ]
        ).adjust_cell_length(width, style.rich_style)

    def on_click(self, event: events.Click) -> None:
        """Close the message whose cross was clicked."""
        place = event.get_content_offset(self)
        lines = self._wrapped(self.size.width)
        if place is None or place.y >= len(lines) or place.x < self.size.width - 2:
            return
        line = lines[place.y]
        if line.end and line.message is not None:
            event.stop()
            del self._messages[line.message]
            self._changed()


def _wrap(content: Content, width: int, most: int) -> list[Content]:
    """Return at most `most` lines; what did not fit ends in an ellipsis."""
    # Measured anew: Textual counts the blanks that it strips, wide ones too, as one cell each.
    lines = [Content(line.plain, list(line.spans)) for line in content.wrap(width)]
    lines = lines or [Content("")]
    if len(lines) > most:
        last = lines[most - 1]
        cut = last.truncate(width - 1) if last.cell_length >= width else last
        lines[most - 1] = cut.append(Content("…"))
    return lines[:most]
