"""One line above the keys: how many there are, and how many of them ask for something."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from rich.cells import cell_len
from textual import events
from textual.content import Content
from textual.message import Message
from textual.widget import Widget

CURRENT = "▸"
"""Stands before the count that is the only one shown."""
_LEFT_OUT = " …"
"""Stands behind the last count where others have no room."""
_GAPS = (3, 2)
"""Blank cells between two counts: where there is room, and where there is less."""


@dataclass(frozen=True, slots=True)
class Count:
    """How many keys there are of a group; `name` is the group's, nothing for all keys."""

    name: str
    number: int
    words: str
    brief: str
    """The same in less room."""
    sign: str = ""
    sign_style: str = ""
    stays: bool = False
    """Whether others make room for it."""

    def text(self, *, is_brief: bool) -> str:
        """Return it without styles."""
        words = self.brief if is_brief else self.words
        return f"{self.number:,} {words}{f' {self.sign}' if self.sign else ''}"


class SummaryLine(Widget):
    """Counts, each of which shows its keys alone when it is clicked; the first shows all."""

    ALLOW_SELECT = False
    DEFAULT_CSS = "SummaryLine { height: 1; padding: 0 2; }"

    class Chosen(Message):
        """The operator wants to see the keys of one group alone, or all for no name."""

        def __init__(self, name: str) -> None:
            super().__init__()
            self.name = name

    def __init__(self) -> None:
        super().__init__()
        self._counts: Sequence[Count] = ()
        self._current = ""

    def show(self, counts: Sequence[Count], current: str) -> None:
        """Show counts, the first that of all keys, and which of the groups is shown alone."""
        if (counts, current) != (self._counts, self._current):
            self._counts, self._current = counts, current
            self.refresh()

    def _arranged(self) -> tuple[int, bool, Sequence[Count]]:
        """Return the gap, whether words are brief, and the counts that there is room for."""
        counts = list(self._counts)
        width = self.content_size.width
        for gap in _GAPS:
            is_brief = gap != _GAPS[0]
            if _length(counts, gap, is_brief=is_brief) <= width:
                return gap, is_brief, counts
        room = width - cell_len(_LEFT_OUT)
        while len(counts) > 1 and _length(counts, gap, is_brief=True) > room:
            others = [count for count in counts[1:] if count.name != self._current]
            spare = [count for count in others if not count.stays]
            counts.remove((spare or others or counts)[-1])
        return gap, True, counts

    def _placed(self) -> Iterator[tuple[int, int, bool, Count]]:
        """Yield for each count that is shown its first cell and the one behind it."""
        gap, is_brief, counts = self._arranged()
        start = 0
        for count in counts:
            end = start + cell_len(count.text(is_brief=is_brief))
            yield start, end, is_brief, count
            start = end + gap

    def render(self) -> Content:
        """Return the counts, a sign before the current one."""
        line, shown = Content(""), 0
        for start, _, is_brief, count in self._placed():
            is_current = bool(count.name) and count.name == self._current
            gap = " " * (start - line.cell_length)
            lead = f"{gap[:-1]}{CURRENT}" if is_current else gap
            words = count.brief if is_brief else count.words
            line += Content.assemble(
                (lead, "bold $text-accent"),
                (f"{count.number:,}", "bold $text-accent" if is_current else "bold"),
                " ",
                (words, "bold $text-accent underline" if is_current else "$text-muted"),
                (f" {count.sign}" if count.sign else "", count.sign_style),
            )
            shown += 1
        return line + Content.styled(_LEFT_OUT if shown < len(self._counts) else "", "$text-muted")

    def on_click(self, event: events.Click) -> None:
        """Choose the count that was clicked; the current one once more shows all again."""
        place = event.get_content_offset(self)
        for start, end, _, count in self._placed():
            if place is not None and start <= place.x < end:
                event.stop()
                self.post_message(self.Chosen("" if count.name == self._current else count.name))


def _length(counts: Sequence[Count], gap: int, *, is_brief: bool) -> int:
    return sum(cell_len(count.text(is_brief=is_brief)) + gap for count in counts) - gap
