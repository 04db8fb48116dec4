"""A still sign that something is under way."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from textual.content import Content
from textual.widgets import Static

PATIENCE = 0.3
"""How long an errand may take before it is told, in seconds."""


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

    @contextmanager
    def working(self, text: str) -> Iterator[None]:
        """Tell `text`, which is the program's own, from 300 ms on until the block is left."""
        timer = self.set_timer(PATIENCE, lambda: self.update(Content(f"⋯ {text}")))
        try:
            yield
        finally:
            timer.stop()
            if self.is_attached:
                self.update(Content(""))
