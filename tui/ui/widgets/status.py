"""A line that says, without moving, that something is under way."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from textual.content import Content
from textual.widget import Widget
from textual.widgets import Static

QUIET_SECONDS = 0.3
"""How long an activity may take before it is shown, in seconds."""


@dataclass(slots=True, eq=False)
class _Activity:
    """What is under way, and whether it has been for long enough to be shown."""

    text: str
    is_write: bool
    is_shown: bool = False


class Status(Static):
    """One line that says what is being waited for; empty while nothing is, and never animated."""

    DEFAULT_CSS = """
    Status {
        height: 1;
        width: 1fr;
        color: $text-muted;
        text-wrap: nowrap;
        text-overflow: ellipsis;
    }
    """

    def __init__(self) -> None:
        super().__init__()
        self._under_way: list[_Activity] = []

    @contextmanager
    def working(self, text: str, *, is_write: bool = False) -> Iterator[None]:
        """Show `text`, which is the program's own, from 300 ms on until the block is left.

        Of several activities at a time the newest is shown, and a write before any read.
        """
        activity = _Activity(text, is_write)
        self._under_way.append(activity)
        timer = self.set_timer(QUIET_SECONDS, lambda: self._show_from_now_on(activity))
        try:
            yield
        finally:
            timer.stop()
            self._under_way.remove(activity)
            if self.is_attached:
                self._show()

    def _show_from_now_on(self, activity: _Activity) -> None:
        activity.is_shown = True
        self._show()

    def _show(self) -> None:
        shown = [activity for activity in self._under_way if activity.is_shown]
        shown.sort(key=lambda activity: activity.is_write)
        if isinstance(self.parent, Widget):
            self.parent.set_class(bool(shown), "-busy")  # for what has to make room
        self.update(Content(f"⋯ {shown[-1].text}" if shown else ""))
