"""The dialogs: each asks one thing and returns the answer."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar, TypeVar

from textual import events, on
from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import Horizontal, Vertical, VerticalScroll
from textual.content import Content
from textual.screen import ModalScreen
from textual.widgets import Footer, Input, Static

from tui.comparing import as_read, unwrapped
from tui.ui.bindings import Place, bindings_for
from tui.ui.widgets.button import Button
from tui.ui.widgets.field import Field
from tui.ui.widgets.too_small import TooSmall

if TYPE_CHECKING:
    from pydantic import SecretStr

    from tui.problems import Problem

Answer = TypeVar("Answer")


class Dialog(ModalScreen[Answer]):
    """A box above the screen. Esc closes it and does nothing; the focus starts on what is safe."""

    CSS_PATH = "dialog.tcss"
    PLACE = Place.DIALOG
    BINDINGS: ClassVar[list[BindingType]] = list(bindings_for(PLACE))
    nothing: Answer

    def __init__(self, title: str, body: Content, *, danger: bool = False) -> None:
        super().__init__(classes="danger" if danger else "")
        self._title, self._body = title, body

    def compose(self) -> ComposeResult:
        """Title, body and what is asked, which scroll; the buttons, which are always there."""
        yield TooSmall()
        with Vertical(id="box"):
            with VerticalScroll(id="content", can_focus=False):
                yield Static(Content(self._title), id="title")
                yield Static(self._body, id="body")
                yield from self.asked()
            with Horizontal(id="buttons"):
                yield from self.buttons()
        yield Footer(show_command_palette=False, compact=True)

    def asked(self) -> ComposeResult:
        """What stands between the body and the buttons."""
        yield from ()

    def buttons(self) -> ComposeResult:
        """The answers."""
        yield from ()

    def action_dismiss_dialog(self) -> None:
        """Close without doing anything."""
        self.dismiss(self.nothing)

    @on(Button.Pressed, "#no")
    def _declined(self) -> None:
        self.action_dismiss_dialog()


class ConfirmScreen(Dialog[bool]):
    """Asks yes or no; no has the focus, and where it is dangerous, yes is red."""

    AUTO_FOCUS = "#no"
    nothing = False

    def __init__(
        self, title: str, body: Content, *, yes: str, no: str = "Cancel", danger: bool = False
    ) -> None:
        super().__init__(title, body, danger=danger)
        self._yes, self._no, self._danger = yes, no, danger

    def buttons(self) -> ComposeResult:
        """No, then yes."""
        yield Button(Content(self._no), id="no", compact=True)
        yield Button(
            Content(self._yes),
            id="yes",
            variant="error" if self._danger else "primary",
            compact=True,
        )

    @on(Button.Pressed, "#yes")
    def _accepted(self) -> None:
        self.confirm()

    def confirm(self) -> None:
        """Answer yes."""
        self.dismiss(True)


class DeleteKeyScreen(ConfirmScreen):
    """Asks whether a key is to go; one that sends mail wants its label typed first."""

    def __init__(self, title: str, body: Content, *, typed: str = "") -> None:
        super().__init__(title, body, yes="Delete API Key", danger=True)
        self._typed = typed

    def asked(self) -> ComposeResult:
        """The label, where it must be typed."""
        if self._typed:
            yield Static(Content.assemble("Type ", (self._typed, "bold"), " to delete it:"))
            yield Field("Confirm", id="typed")

    def on_key(self, event: events.Key) -> None:
        """Take what is typed into the field, also while Cancel has the focus."""
        if self._typed and event.is_printable and not isinstance(self.focused, Input):
            event.stop()
            self._add(event.character or "")

    def on_paste(self, event: events.Paste) -> None:
        """Take what is pasted into the field, also while Cancel has the focus."""
        if self._typed and not isinstance(self.focused, Input):
            event.stop()
            self._add(next(iter(event.text.strip().splitlines()), ""))

    def _add(self, text: str) -> None:
        field = self.query_one("#typed", Field)
        field.value += text
        field.focus_input()

    @on(Input.Submitted)
    def confirm(self) -> None:
        """Answer yes, once the label is typed."""
        if self._typed:
            field = self.query_one("#typed", Field)
            if as_read(field.value) != as_read(self._typed):
                field.error = "That is something else."
                field.focus_input()
                return
        super().confirm()


class _TextDialog(Dialog[Answer]):
    """Asks for one line of text; `refusal` is what was wrong with the last answer."""

    AUTO_FOCUS = "Input"
    masked = False

    def __init__(
        self, title: str, body: Content, field: str, *, yes: str, value: str = "", refusal: str = ""
    ) -> None:
        super().__init__(title, body)
        self._field, self._yes, self._value, self._refusal = field, yes, value, refusal

    def asked(self) -> ComposeResult:
        """The field."""
        yield Field(self._field, self._value, id="answer", masked=self.masked)

    def on_mount(self) -> None:
        """Show what was wrong with the last answer."""
        self.query_one("#answer", Field).error = self._refusal

    def buttons(self) -> ComposeResult:
        """Cancel, then the answer."""
        yield Button("Cancel", id="no", compact=True)
        yield Button(Content(self._yes), id="yes", variant="primary", compact=True)

    def answer(self, text: str) -> Answer:
        """Return what the dialog answers when `text` was typed."""
        raise NotImplementedError

    @on(Button.Pressed, "#yes")
    @on(Input.Submitted)
    def _entered(self) -> None:
        field = self.query_one("#answer", Field)
        if field.value.strip():
            self.dismiss(self.answer(field.value))
        else:
            field.error = "This is needed."
            field.focus_input()


class AskScreen(_TextDialog["str | None"]):
    """Asks for one line of text."""

    nothing = None

    def answer(self, text: str) -> str:
        """The text as it was typed."""
        return text


class AskPasswordScreen(_TextDialog["SecretStr | None"]):
    """Asks for a password: masked, and taken as it was typed."""

    nothing = None
    masked = True

    def answer(self, text: str) -> SecretStr:
        """The text, so that it shows nowhere."""
        from pydantic import SecretStr  # it loads while the operator types

        return SecretStr(text)


class AskSecretScreen(AskPasswordScreen):
    """Asks for a code, an access token or a key's secret, which never hold blanks or quotes."""

    def answer(self, text: str) -> SecretStr:
        """The text without what came along from where it was copied."""
        return super().answer(unwrapped(text) or text)


class TwoFactorScreen(AskSecretScreen):
    """Asks for the second factor's code; `refusal` is what was wrong with the last one."""

    def __init__(self, refusal: str) -> None:
        body = Content("Your account has a second factor. A backup code goes in the same field.")
        super().__init__("Two-factor code", body, "Code", yes="Verify", refusal=refusal)


class ProblemScreen(Dialog[None]):
    """Shows a problem in full, with what a person who helps will ask for."""

    AUTO_FOCUS = "#no"
    nothing = None

    def __init__(self, problem: Problem) -> None:
        parts = [problem.detail, problem.hint, problem.technical]
        super().__init__(problem.title, Content("\n\n".join(part for part in parts if part)))

    def buttons(self) -> ComposeResult:
        """Only back."""
        yield Button("Close", id="no", compact=True)
