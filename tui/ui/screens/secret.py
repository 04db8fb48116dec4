"""The secret of a new key: shown once, on a screen of its own."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from textual import on, work
from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import Horizontal, VerticalScroll
from textual.content import Content
from textual.widgets import Footer, Static

from tui.api.grants import Catalogue
from tui.delivery import NewSecret
from tui.journal import Attempt
from tui.keys.created import Created
from tui.text import mask, plain, short
from tui.ui.bindings import Place, bindings_for
from tui.ui.screens.dialog import ConfirmScreen
from tui.ui.screens.secret_box import SecretBox, ShowsSecret
from tui.ui.screens.verify import Verify, VerifyScreen
from tui.ui.widgets.button import Button
from tui.ui.widgets.top_bar import TopBar

BY_WORD = "By the operator's own word."
"""How a secret was stored that was sent nowhere from here."""


class SecretScreen(ShowsSecret[str]):
    """Shows a secret until the operator says that it is stored; returns where it was sent to.

    Nothing here leaves before that, and afterwards the program holds the secret no more. That it
    is stored is noted here, as the whole program may be left from here.
    """

    CSS_PATH = "secret.tcss"
    AUTO_FOCUS = ""
    PLACE = Place.SECRET
    BINDINGS: ClassVar[list[BindingType]] = list(bindings_for(PLACE))

    def __init__(
        self,
        created: Created,
        catalogue: Catalogue,
        verify: Verify,
        *,
        labels: Sequence[str] = (),
        title: str = "The API key was created",
    ) -> None:
        """Take the raw `labels` of all keys, from which a command must tell this one's."""
        super().__init__()
        self._title, self._labels = title, labels
        key, draft = created.key, created.draft
        self._attempt: Attempt | None = created.attempt
        self._label, self._short_key = short(key.label), key.short_key
        self._draft, self._catalogue = draft, catalogue
        self._verify: Verify | None = verify
        self._new_secret: NewSecret | None = NewSecret(
            key.secret, key.id or "", draft.label, key.short_key
        )

    def compose(self) -> ComposeResult:
        """The secret, what it is for, and where it can go."""
        yield TopBar("Settings › API keys › New")
        with VerticalScroll(id="page", can_focus=False):
            yield Static(self._title, id="title")
            yield Static(self._about(), id="about")
            yield SecretBox(lambda: self._attempt, self._labels)
            with Horizontal(id="buttons"):
                yield Button("I have stored it", id="stored", variant="primary", compact=True)
        yield Footer(show_command_palette=False, compact=True)

    def on_mount(self) -> None:
        """Show the secret."""
        if self._new_secret is not None:
            self._box.show(self._new_secret)

    @property
    def _box(self) -> SecretBox:
        return self.query_one(SecretBox)

    @work(group="verify", description="verify the new key")
    async def action_verify(self) -> None:
        """Show whether the key works."""
        if self._verify is not None:
            verify = VerifyScreen(short(self._label, 40), self._verify, self._catalogue)
            await self.app.push_screen_wait(verify)

    @on(Button.Pressed, "#stored")
    def action_stored(self) -> None:
        """The operator says that the secret is stored."""
        self._leave()

    @work(group="leave", description="ask whether the secret is stored")
    async def action_close(self) -> None:
        """Leave, once the operator has said that the secret is stored."""
        if await self.may_leave():
            self._leave()

    async def may_leave(self) -> bool:
        """Ask whether the secret is stored; the program must not leave before that."""
        is_stored = await self.app.push_screen_wait(ask_stored(self._label, self._box.went_to))
        if is_stored:
            self._note_stored()
        return is_stored

    def _note_stored(self) -> None:
        if self._attempt is not None:
            self._attempt.stored(self._box.went_to or BY_WORD)
            self._attempt = None

    def _leave(self) -> None:
        went_to = self._box.went_to
        self._note_stored()
        self._box.forget()
        self._new_secret = self._verify = None
        self.dismiss(went_to)

    def _about(self) -> Content:
        lines = [
            Content.assemble((self._label, "bold"), "  ", (mask(self._short_key), "$text-muted")),
            Content(", ".join(map(self._catalogue.label, self._draft.grants))),
        ]
        if self._draft.valid_ips:
            lines.append(Content(f"Only from {', '.join(map(plain, self._draft.valid_ips))}"))
        return Content("\n").join(lines)


def ask_stored(label: str, went_to: str) -> ConfirmScreen:
    """Return the dialog that asks whether a secret is stored before it is gone for good."""
    body = Content.assemble(
        "Once you leave, nobody can ever show the secret of ",
        (short(label), "bold"),
        " again. ",
        went_to or "So far it was sent nowhere.",
    )
    return ConfirmScreen(
        "Have you stored the secret?", body, yes="I have stored it", no="Go back", danger=True
    )
