"""The secret of a new key: shown once, on a screen of its own."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from textual import on, work
from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import Horizontal, VerticalScroll
from textual.content import Content
from textual.widgets import Static

from tui.api.grants import Catalogue
from tui.api.models import Key
from tui.delivery import NewSecret
from tui.journal import Attempt
from tui.keys.attention import Attention
from tui.keys.created import Created
from tui.text import mask, plain, short
from tui.ui.bindings import Place, bindings_for
from tui.ui.screens.dialog import ConfirmScreen
from tui.ui.screens.secret_box import SecretBox, ShowsSecret
from tui.ui.screens.verify import Verify, VerifyScreen
from tui.ui.widgets.action_list import ActionLine
from tui.ui.widgets.facts_pane import BREAKPOINTS, FactsText, fact
from tui.ui.widgets.key_facts import describe_key
from tui.ui.widgets.key_footer import KeyFooter
from tui.ui.widgets.table_line import KeyContext
from tui.ui.widgets.top_bar import TopBar

_WORKS = {
    True: Content.assemble(("✓ ", "$text-success"), "The key works."),
    False: Content.assemble(
        ("✗ ", "$text-error"), "The server refuses the key, or one of its grants."
    ),
    None: Content.assemble(
        ("! ", "$text-warning"), "It could not be verified whether the key works."
    ),
}
"""What a verification said."""
_WORKS_BRIEF = {
    True: Content.assemble(("✓ ", "$text-success"), "verified"),
    False: Content.assemble(("✗ ", "$text-error"), "not as it should"),
    None: Content.styled("not known yet", "$text-muted"),
}
"""The same in few words, beside the key's other facts."""

BY_WORD = "By the operator's own word."
"""How a secret was stored that was sent nowhere from here."""


MORE_ACTIONS = (
    ActionLine("v", "Verify", "verify", "shows what the key may do, and changes nothing"),
    ActionLine("s", "Stored, go on", "stored", "forgets the secret here"),
)
"""What else can be done with a new key's secret."""


class SecretScreen(ShowsSecret[str]):
    """Shows a secret until the operator says that it is stored; returns where it was sent to.

    Nothing here leaves before that, and afterwards the program holds the secret no more. That it
    is stored is noted here, as the whole program may be left from here.
    """

    CSS_PATH = "secret.tcss"
    AUTO_FOCUS = ""
    PLACE = Place.SECRET
    BINDINGS: ClassVar[list[BindingType]] = list(bindings_for(PLACE))
    HORIZONTAL_BREAKPOINTS: list[tuple[int, str]] | None = BREAKPOINTS

    def __init__(
        self,
        created: Created,
        catalogue: Catalogue,
        verify: Verify,
        *,
        labels: Sequence[str] = (),
        owner: str = "",
        title: str = "The API key was created",
    ) -> None:
        """Take the raw `labels` of all keys, from which a command must tell this one's.

        `owner` is the user name that the key belongs to, as the server has it.
        """
        super().__init__()
        self._title, self._labels = title, labels
        key, draft = created.key, created.draft
        self._attempt: Attempt | None = created.attempt
        self._label, self._short_key = short(key.label), key.short_key
        self._draft, self._catalogue = draft, catalogue
        self._key = Key(
            key.id or "",
            draft.label,
            key.short_key,
            draft.grants,
            draft.valid_ips,
            raw_username=owner,
            subaccount_id=draft.subaccount_id,
        )
        self._works: bool | None = None
        self._verify: Verify | None = verify
        self._new_secret: NewSecret | None = NewSecret(
            key.secret, key.id or "", draft.label, key.short_key
        )

    def compose(self) -> ComposeResult:
        """The secret, what it is for, and where it can go."""
        yield TopBar("Settings › API keys › New secret")
        with Horizontal():
            with VerticalScroll(id="page", can_focus=False):
                yield Static(self._title, id="title")
                yield Static(self._key_summary(), id="about")
                yield SecretBox(lambda: self._attempt, self._labels, MORE_ACTIONS)
            yield FactsText(classes="beside")
        yield KeyFooter()

    def on_mount(self) -> None:
        """Show the secret."""
        if self._new_secret is not None:
            self._box.show(self._new_secret)
        self._box.focus_actions()
        self._show_facts()

    @on(SecretBox.Delivered)
    def _show_facts(self) -> None:
        """Show what the key may do, and how far it is, where the screen is wide."""
        self.query_one(FactsText).show_text(self._facts, self._key)

    def _facts(self, width: int) -> Content:
        context = KeyContext(self._catalogue, Attention(are_ips_told=True))
        text = describe_key(self._key, context, width)
        ways = ", ".join(self._box.ways)
        sent = Content(ways) if ways else Content.styled("nowhere so far", "$text-warning")
        lines = [text, Content(""), *fact("Sent", [sent], width)]
        return Content("\n").join([*lines, *fact("Works", [_WORKS_BRIEF[self._works]], width)])

    @property
    def _box(self) -> SecretBox:
        return self.query_one(SecretBox)

    @work(group="verify", description="verify the new key")
    async def action_verify(self) -> None:
        """Show whether the key works."""
        if self._verify is not None:
            verify = VerifyScreen(short(self._label, 40), self._verify, self._catalogue)
            works = await self.app.push_screen_wait(verify)
            self._box.show_outcome("verify", _WORKS[works])
            self._works = works
            self._show_facts()

    @work(group="leave", description="ask whether the secret is stored")
    async def action_stored(self) -> None:
        """The operator says that the secret is stored; one more question where it went nowhere."""
        if self._box.went_to or await self.may_leave():
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

    def _key_summary(self) -> Content:
        grants = ", ".join(map(self._catalogue.label, self._draft.grants))
        addresses = ", ".join(map(plain, self._draft.valid_ips)) or "any address"
        return Content.assemble(
            (self._label, "bold"),
            "  ",
            (mask(self._short_key), "$text-muted"),
            f"\n{grants}, from {addresses}",
        )


def ask_stored(label: str, went_to: str) -> ConfirmScreen:
    """Return the dialog that asks whether a secret is stored before it is gone for good."""
    body = Content.assemble(
        "Afterwards nobody can ever show the secret of ",
        (short(label), "bold"),
        " again. ",
        went_to or "So far it was sent nowhere.",
    )
    return ConfirmScreen(
        "Have you stored the secret?", body, yes="I have stored it", no="Go back", danger=True
    )
