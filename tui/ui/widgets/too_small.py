"""The text on a screen that is too small for anything else."""

from __future__ import annotations

from textual.content import Content
from textual.geometry import Size
from textual.widgets import Static

SMALLEST = Size(40, 10)
"""The smallest terminal on which everything can be read and reached."""


class TooSmall(Static):
    """Covers the whole terminal while it is too small, which the app's class `-tiny` says."""

    DEFAULT_CSS = """
    TooSmall {
        display: none; overlay: screen; width: 100vw; height: 100vh;
        color: $text-warning; background: $background;
    }
    """

    def __init__(self) -> None:
        super().__init__(Content(f"Too small: {SMALLEST.width} × {SMALLEST.height} is needed."))
