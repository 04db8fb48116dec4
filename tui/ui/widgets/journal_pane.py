"""What the journal of this host tells of one key, in a few lines."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from textual.content import Content
from textual.widget import Widget

from tui.ui.widgets.write_request import WriteRequest

MOST_LINES = 7
"""How many requests are shown at most; the journal's own screen has all."""


class JournalPane(Widget):
    """The newest requests about a key, below a line that names it."""

    ALLOW_SELECT = False
    DEFAULT_CSS = f"""
    JournalPane {{ height: {MOST_LINES + 1}; padding: 0 2; }}
    """

    def __init__(self) -> None:
        super().__init__()
        self._requests: Mapping[str, Sequence[WriteRequest]] = {}
        self._key_id = self._label = ""

    def show_requests(self, requests: Mapping[str, Sequence[WriteRequest]]) -> None:
        """Take the requests, newest first, by the ids of keys."""
        self._requests = requests
        self.refresh()

    def show(self, key_id: str, label: str) -> None:
        """Show what is known of this key; the label is safe to show."""
        if (key_id, label) != (self._key_id, self._label):
            self._key_id, self._label = key_id, label
            self.refresh()

    def render(self) -> Content:
        """Return the lines."""
        width = self.content_size.width
        title = Content.assemble(
            ("── ", "$border"), "Journal of ", (self._label or "this key", "bold"), " "
        ).truncate(max(width, 1), ellipsis=True)
        rule = Content.styled("─" * max(0, width - title.cell_length), "$border")
        requests = self._requests.get(self._key_id, ())[:MOST_LINES]
        lines = [r.line(width, when="%Y-%m-%d %H:%M", is_named=False) for r in requests]
        nothing = Content.styled("The journal of this host has no entry about it.", "$text-muted")
        return Content("\n").join([title + rule, *(lines or [nothing])])
