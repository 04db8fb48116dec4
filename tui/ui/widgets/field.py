"""A labelled line to type in, with what is wrong with it beneath."""

from __future__ import annotations

import re
import unicodedata

from rich.cells import cell_len, set_cell_size
from textual import events, on
from textual.app import ComposeResult
from textual.containers import Horizontal, Vertical
from textual.content import Content
from textual.message import Message
from textual.widgets import Input, Static

LONGEST_VALUE = 4096
"""How many characters a field takes; with very many, every key would take long."""


class QuietInput(Input):
    """An input whose cursor stands still; a masked one gives nothing to the clipboard."""

    def __init__(
        self, value: str, *, placeholder: str, masked: bool, replaced_by_typing: bool = False
    ) -> None:
        super().__init__(
            value,
            placeholder=placeholder,
            password=masked,
            compact=True,
            select_on_focus=replaced_by_typing,
            max_length=LONGEST_VALUE,
        )
        self.cursor_blink = False
        self._whole_placeholder = placeholder

    @on(events.Resize)
    def _cut_placeholder(self) -> None:
        """Show by an ellipsis that there is no room for the rest; Textual leaves words out."""
        text, width = self._whole_placeholder, self.content_size.width
        is_cut = cell_len(text) > width > 0
        self.placeholder = f"{set_cell_size(text, width - 1)}…" if is_cut else text

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Refuse to copy or cut what is masked."""
        if self.password and action in {"copy", "cut"}:
            return False
        return super().check_action(action, parameters)

    def action_cut(self) -> None:
        """Cut, unless masked."""
        if not self.password:
            super().action_cut()

    def action_copy(self) -> None:
        """Copy, unless masked."""
        if not self.password:
            super().action_copy()

    def on_paste(self, event: events.Paste) -> None:
        """Take no character that a terminal may act on; what was blank stays blank, if unmasked."""
        event.prevent_default()
        event.stop()
        text = event.text
        if not self.password:
            text = re.sub(r"[^\S ]+", " ", text.strip("\r\n"))
        kept = "".join(c for c in text if not _is_invisible(c))
        first_line = next(iter(kept.splitlines()), "")
        start, end = sorted(self.selection)
        room = LONGEST_VALUE - len(self.value) + end - start
        self.replace(first_line[:room], start, end)
        if len(first_line) > room:
            self.post_message(Field.Cleaned(f"A field takes {LONGEST_VALUE:,} characters at most."))
        elif kept != text:
            invisible = "Invisible characters were taken out of what you pasted."
            self.post_message(Field.Cleaned(invisible))


def _is_invisible(character: str) -> bool:
    return unicodedata.category(character).startswith("C") or character in "\u00a0\u2028\u2029"


class Field(Vertical):
    """A label, an input, and a line for what is wrong, which takes no room while nothing is."""

    DEFAULT_CSS = """
    Field {
        height: auto;
        & > Horizontal { height: 1; }
        .field--label { width: 20; color: $text-muted; }
        QuietInput { width: 1fr; background: $surface; }
        QuietInput.-textual-compact { padding: 0 1; outline-left: vkey $text-muted; }
        QuietInput.-textual-compact:focus { outline-left: outer $accent; }
        QuietInput:focus { background-tint: transparent; }
        .field--error { display: none; color: $text-error; padding-left: 21; height: auto;
            max-height: 4; }
        &.-wrong .field--error, &.-noted .field--error { display: block; }
        &.-noted .field--error { color: $text-warning; }
        &.-focused .field--label { color: $foreground; text-style: bold; }
    }
    """

    class Left(Message):
        """The operator went on to another field."""

        def __init__(self, field: Field) -> None:
            super().__init__()
            self.field = field

        @property
        def control(self) -> Field:
            """The field that was left."""
            return self.field

    class Cleaned(Message):
        """What was pasted was not taken as it was; `reason` is a sentence for the operator."""

        def __init__(self, reason: str) -> None:
            super().__init__()
            self.reason = reason

    def __init__(
        self,
        label: str,
        value: str = "",
        *,
        id: str,  # noqa: A002  # Textual's own name for it
        placeholder: str = "",
        masked: bool = False,
        replaced_by_typing: bool = False,
    ) -> None:
        """Take what stands in the field; `replaced_by_typing`, it is selected at each focus."""
        super().__init__(id=id)
        self._label, self._remark = label, ""
        self._input = QuietInput(
            value,
            placeholder=placeholder,
            masked=masked,
            replaced_by_typing=replaced_by_typing,
        )
        self._error = Static(classes="field--error", markup=False)

    def compose(self) -> ComposeResult:
        """Lay label and input side by side, the error beneath."""
        with Horizontal():
            yield Static(Content(self._label), classes="field--label")
            yield self._input
        yield self._error

    @property
    def value(self) -> str:
        """What is typed."""
        return self._input.value

    @value.setter
    def value(self, value: str) -> None:
        self._input.value = value

    @property
    def error(self) -> str:
        """What is wrong, or nothing."""
        return self._remark if self.has_class("-wrong") else ""

    @error.setter
    def error(self, text: str) -> None:
        self._show_remark(text, f"✗ {text}", "-wrong")

    @property
    def note(self) -> str:
        """What is worth knowing but not wrong, or nothing."""
        return self._remark if self.has_class("-noted") else ""

    @note.setter
    def note(self, text: str) -> None:
        self._show_remark(text, f"! {text}", "-noted")

    def _show_remark(self, text: str, shown: str, kind: str) -> None:
        if not text and not self._remark:
            return  # as with nearly every character that is typed
        self._remark = text
        self._error.update(Content(shown if text else ""))
        self.remove_class("-wrong", "-noted")
        self.set_class(bool(text), kind)
        if self.has_class("-focused"):
            self._come_into_view()

    def focus_input(self) -> None:
        """Put the cursor here."""
        self._input.focus()
        self._come_into_view()

    def on_descendant_focus(self) -> None:
        """Stand out while the cursor is here."""
        self.add_class("-focused")
        self._come_into_view()

    def _come_into_view(self) -> None:
        """Have the page scroll to the whole of it, with the remark beneath."""
        self.call_after_refresh(self.scroll_visible, animate=False)

    def on_descendant_blur(self) -> None:
        """Stand back."""
        self.remove_class("-focused")

    @on(Input.Blurred)
    def _post_left(self, event: Input.Blurred) -> None:
        event.stop()
        self.post_message(self.Left(self))

    @on(Input.Changed)
    def _typed(self, event: Input.Changed) -> None:
        event.stop()
        self.error = ""

    def on_field_cleaned(self, event: Field.Cleaned) -> None:
        """Show that the pasted text was not taken as it was."""
        event.stop()
        self.note = event.reason
