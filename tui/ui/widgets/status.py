"""A still sign that something is under way."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from textual.content import Content
from textual.widgets import Static

QUIET_SECONDS = 0.3
"""How long an errand may take before it is told, in seconds."""


@dataclass(slots=True, eq=False)
class _Activity:
    """What is under way, and whether it has been for long enough to be told."""

    text: str
    is_write: bool
    is_told: bool = False


class Status(Static):
    """One line that tells what is being waited for; empty while nothing is, and never animated."""

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
        """Tell `text`, which is the program's own, from 300 ms on until the block is left.

        Of several errands at a time the newest is told, and a write before any read.
        """
        errand = _Activity(text, is_write)
        self._under_way.append(errand)
        timer = self.set_timer(QUIET_SECONDS, lambda: self._tell_from_now_on(errand))
        try:
            yield
        finally:
            timer.stop()
            self._under_way.remove(errand)
            if self.is_attached:
                self._show()

    def _tell_from_now_on(self, errand: _Activity) -> None:
        errand.is_told = True
        self._show()

    def _show(self) -> None:
        told = [errand for errand in self._under_way if errand.is_told]
        told.sort(key=lambda errand: errand.is_write)
        self.update(Content(f"⋯ {told[-1].text}" if told else ""))
