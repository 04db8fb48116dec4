"""Which name of a key goes to the clipboard."""

from __future__ import annotations

from textual import on
from textual.app import ComposeResult
from textual.content import Content

from tui.api.models import Key
from tui.text import short
from tui.ui.screens.dialog import Dialog
from tui.ui.widgets.button import Button


class CopyScreen(Dialog["tuple[str, str] | None"]):
    """Offers a key's label, short key and id; returns what it is, and the text."""

    AUTO_FOCUS = "#label"
    declined = None

    def __init__(self, key: Key) -> None:
        texts = {"Label": key.label, "Short key": key.short_key, "ID": key.id}
        self._texts = {name: text for name, text in texts.items() if text}
        facts = [(name, short(text)) for name, text in self._texts.items()]
        super().__init__("Copy", Content("What goes to the clipboard?"), facts)

    def buttons(self) -> ComposeResult:
        """One for each text, then none."""
        for name in self._texts:
            button_id = name.lower().replace(" ", "-")
            yield Button(name, id=button_id, variant="primary", compact=True)
        yield Button("Cancel", id="no", compact=True)

    @on(Button.Pressed)
    def _chosen(self, event: Button.Pressed) -> None:
        name = str(event.button.label)
        if name in self._texts:
            self.dismiss((name, self._texts[name]))
