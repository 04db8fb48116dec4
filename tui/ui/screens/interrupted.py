"""Asks about two keys that are alike, and of which nothing more is known."""

from __future__ import annotations

from textual import on
from textual.app import ComposeResult
from textual.content import Content

from tui.keys.rotation import Unfinished
from tui.text import mask
from tui.ui.screens.dialog import Dialog
from tui.ui.widgets.button import Button


class InterruptedScreen(Dialog["bool | None"]):
    """Asks whether a rotation is to be gone on with; False makes another successor."""

    AUTO_FOCUS = "#yes"
    nothing = None

    def __init__(self, rotation: Unfinished) -> None:
        older, younger = rotation.predecessor, rotation.successors[-1]
        short_keys = [mask(key.short_key) for key in (older, younger) if key.short_key]
        which = f": {' and '.join(short_keys)}" if short_keys else ""
        since = rotation.since
        created = f" The younger one was made on {since:%Y-%m-%d}." if since else ""
        body = Content(
            f"There are two keys with the same label, grants and allowed IPs{which}.{created} "
            "It may be the successor from a rotation that was interrupted: then go on with it. "
            "Otherwise make a new one."
        )
        super().__init__("Was this key being rotated?", body)

    def buttons(self) -> ComposeResult:
        """Neither, a new one, or going on, which changes nothing yet."""
        yield Button("Cancel", id="no", compact=True)
        yield Button("Make a new one", id="new", compact=True)
        yield Button("Go on with it", id="yes", variant="primary", compact=True)

    @on(Button.Pressed, "#new")
    def _make_new(self) -> None:
        self.dismiss(False)

    @on(Button.Pressed, "#yes")
    def _go_on(self) -> None:
        self.dismiss(True)
