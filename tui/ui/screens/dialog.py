"""The dialogs: each asks one thing and returns the answer."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, ClassVar, TypeVar

from textual import events, on
from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import Horizontal, Vertical, VerticalScroll
from textual.content import Content
from textual.screen import ModalScreen
from textual.widgets import Input, Static

from tui.comparing import unwrapped
from tui.ui.bindings import Place, bindings_for
from tui.ui.widgets.button import Button
from tui.ui.widgets.field import Field
from tui.ui.widgets.key_footer import KeyFooter
from tui.ui.widgets.too_small import TooSmall

if TYPE_CHECKING:
    from pydantic import SecretStr

    from tui.problems import Problem

Answer = TypeVar("Answer")

Facts = Sequence[tuple[str, str]]
"""What is known of the key in question: names and texts, safe to show."""


class Dialog(ModalScreen[Answer]):
    """A box above the screen. Esc closes it and does nothing; the focus starts on what is safe.

    Where nothing is typed, each button answers to the letter that is underlined in it, the safe
    one to `n`, too. A letter only goes to a red button, for Enter to press: the key that opened
    the dialog may be the same, and may have been pressed twice.
    """

    CSS_PATH = "dialog.tcss"
    PLACE = Place.DIALOG
    BINDINGS: ClassVar[list[BindingType]] = list(bindings_for(PLACE))
    declined: Answer
    """The answer of whoever leaves the dialog without giving one."""
    only_tells: ClassVar[bool] = False
    """Whether it asks nothing, so that leaving it cancels nothing."""

    def __init__(
        self, title: str, body: Content, facts: Facts = (), *, danger: bool = False
    ) -> None:
        super().__init__()
        self.set_class(danger, "danger")
        self.set_class(bool(facts), "-with-facts")
        self._title, self._body, self._facts = title, body, facts

    def compose(self) -> ComposeResult:
        """Title, facts, body and what is asked, which scroll; the buttons are always there."""
        yield TooSmall()
        with Vertical(id="box"):
            with VerticalScroll(id="content", can_focus=False):
                yield Static(Content(self._title), id="title")
                for name, text in self._facts:
                    with Horizontal(classes="fact"):
                        yield Static(name, markup=False)
                        yield Static(Content(text))
                yield Static(self._body, id="body")
                yield from self.question()
            with Horizontal(id="buttons"):
                yield from self.buttons()
        yield KeyFooter()

    def question(self) -> ComposeResult:
        """What stands between the body and the buttons."""
        yield from ()

    def buttons(self) -> ComposeResult:
        """The answers."""
        yield from ()

    def action_dismiss_dialog(self) -> None:
        """Close without doing anything."""
        self.dismiss(self.declined)

    def action_close_dialog(self) -> None:
        """Close what only tells something."""
        self.action_dismiss_dialog()

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Word the way out by whether anything is asked."""
        if action in {"dismiss_dialog", "close_dialog"}:
            return self.only_tells is (action == "close_dialog")
        return True

    @on(events.Mount)
    def _give_letters(self) -> None:
        """Give each button the first letter of its label that no other one has."""
        taken: set[str] = set()
        for button in () if self.query(Input) else self.query(Button):
            letters = (c for c in str(button.label).lower() if c.isalpha() and c not in taken)
            button.letter = next(letters, "")
            taken.add(button.letter)

    @on(events.Key)
    def _press_by_letter(self, event: events.Key) -> None:
        """Press the button that a letter stands for."""
        letter = (event.character or "").lower()
        for button in self.query(Button):
            if letter and button.letter == letter:
                event.stop()
                if button.variant == "error":
                    button.focus()
                else:
                    button.press()
                return
        if letter in {"y", "n"} and not self.query(Input):
            event.stop()
            self.answer_in_short(is_yes=letter == "y")

    def answer_in_short(self, *, is_yes: bool) -> None:
        """Take `n` as the safe answer; there is no `y` here."""
        if not is_yes:
            self.action_dismiss_dialog()

    @on(Button.Pressed, "#no")
    def _declined(self) -> None:
        self.action_dismiss_dialog()


class ConfirmScreen(Dialog[bool]):
    """Asks yes or no, also by `y` and `n`; no has the focus, and a dangerous yes is red."""

    AUTO_FOCUS = "#no"
    declined = False

    def __init__(
        self,
        title: str,
        body: Content,
        facts: Facts = (),
        *,
        yes: str,
        no: str = "Cancel",
        danger: bool = False,
    ) -> None:
        super().__init__(title, body, facts, danger=danger)
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

    def answer_in_short(self, *, is_yes: bool) -> None:
        """Take `y` as yes, and `n` as no."""
        if is_yes:
            self.confirm()
        else:
            super().answer_in_short(is_yes=is_yes)

    @on(Button.Pressed, "#yes")
    def _accepted(self) -> None:
        self.confirm()

    def confirm(self) -> None:
        """Answer yes."""
        self.dismiss(True)


class TextDialog(Dialog[Answer | None]):
    """Asks for one line of text, and returns what `answer` makes of it; None without any.

    `refusal` is what was wrong with the last answer.
    """

    AUTO_FOCUS = "Input"
    declined = None

    def __init__(
        self,
        title: str,
        body: Content,
        field: Field,
        answer: Callable[[str], Answer],
        *,
        yes: str,
        refusal: str,
    ) -> None:
        super().__init__(title, body)
        self._field, self._answer, self._yes, self._refusal = field, answer, yes, refusal

    def question(self) -> ComposeResult:
        """The field."""
        yield self._field

    def on_mount(self) -> None:
        """Show what was wrong with the last answer."""
        self._field.error = self._refusal

    def buttons(self) -> ComposeResult:
        """Cancel, then the answer."""
        yield Button("Cancel", id="no", compact=True)
        yield Button(Content(self._yes), id="yes", variant="primary", compact=True)

    @on(Button.Pressed, "#yes")
    @on(Input.Submitted)
    def _entered(self) -> None:
        if self._field.value.strip():
            self.dismiss(self._answer(self._field.value))
        else:
            self._field.error = "This is needed."
            self._field.focus_input()


class AskScreen(TextDialog[str]):
    """Asks for one line of text, taken as it was typed."""

    replaced_by_typing = False
    """Whether what stands in the field is selected, so that typing replaces it."""

    def __init__(
        self, title: str, body: Content, field: str, *, yes: str, value: str = "", refusal: str = ""
    ) -> None:
        line = Field(field, value, id="answer", replaced_by_typing=self.replaced_by_typing)
        super().__init__(title, body, line, str, yes=yes, refusal=refusal)


class AskPathScreen(AskScreen):
    """Asks for the path of a new file, with room for a long one; typing replaces the one shown."""

    replaced_by_typing = True

    def __init__(self, title: str, body: Content, *, value: str = "", refusal: str = "") -> None:
        super().__init__(title, body, "Path", yes="Write", value=value, refusal=refusal)


def _hidden(text: str) -> SecretStr:
    """Return a text so that it shows nowhere."""
    from pydantic import SecretStr  # it loads while the operator types

    return SecretStr(text)


def _hidden_unwrapped(text: str) -> SecretStr:
    return _hidden(unwrapped(text) or text)


class AskPasswordScreen(TextDialog["SecretStr"]):
    """Asks for a password: masked, and taken as it was typed."""

    taken_as = staticmethod(_hidden)

    def __init__(
        self, title: str, body: Content, field: str, *, yes: str, refusal: str = ""
    ) -> None:
        line = Field(field, id="answer", masked=True)
        super().__init__(title, body, line, self.taken_as, yes=yes, refusal=refusal)


class AskSecretScreen(AskPasswordScreen):
    """Asks for a code, an access token or a key's secret, which never hold blanks or quotes.

    What came along from where it was copied is taken off.
    """

    taken_as = staticmethod(_hidden_unwrapped)


class TwoFactorScreen(AskSecretScreen):
    """Asks for the second factor's code; `refusal` is what was wrong with the last one."""

    def __init__(self, refusal: str) -> None:
        body = Content("Your account has a second factor. A backup code goes in the same field.")
        super().__init__("Two-factor code", body, "Code", yes="Verify", refusal=refusal)


class TellScreen(Dialog[None]):
    """Tells something; there is nothing to do but to go back."""

    AUTO_FOCUS = "#no"
    declined = None
    only_tells = True

    def buttons(self) -> ComposeResult:
        """Only back."""
        yield Button("Close", id="no", compact=True)


class ProblemScreen(TellScreen):
    """Shows a problem in full, with what a person who helps will ask for."""

    def __init__(self, problem: Problem) -> None:
        parts = [problem.detail, problem.hint, problem.technical]
        super().__init__(problem.title, Content("\n\n".join(part for part in parts if part)))
