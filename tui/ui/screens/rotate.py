"""Rotating one key: its successor is made, stored and verified before the predecessor goes."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import replace
from datetime import datetime
from functools import partial
from typing import TYPE_CHECKING, ClassVar

from textual import on, work
from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import Horizontal, Vertical, VerticalScroll
from textual.content import Content
from textual.widgets import Button, Footer, Input, Static

from tui.api.errors import ApiError, Forbidden
from tui.api.session import SessionProblem
from tui.delivery import NewSecret
from tui.errands import explain
from tui.keys.rotation import NotVerified, Rotation, State, Step
from tui.keys.service import KeyService
from tui.keys.validation import wrong_password
from tui.text import short
from tui.ui.bindings import Place, bindings_for
from tui.ui.screens.dialog import AskSecretScreen
from tui.ui.screens.key_form import DraftScreen
from tui.ui.screens.rotation_dialogs import ask_replace, ask_undo, ask_unverified
from tui.ui.screens.rotation_text import ENDED, became, now, planned, steps, title
from tui.ui.screens.secret import BY_WORD, ask_stored
from tui.ui.screens.secret_box import SecretBox, ShowsSecret
from tui.ui.widgets.field import Field
from tui.ui.widgets.proofs import Proofs
from tui.ui.widgets.status import Status
from tui.ui.widgets.top_bar import TopBar

if TYPE_CHECKING:
    from pydantic import SecretStr

_STEPS = {
    "create": Step.CREATE,
    "change": Step.CREATE,
    "stored": Step.STORED,
    "verify": Step.VERIFY,
    "later": Step.RETIRE,
    "finish": Step.FINISH,
    "undo": Step.UNDO,
    "replace": Step.REPLACE,
    "look": Step.LOOK,
}
"""The steps that the actions take."""


class RotateScreen(ShowsSecret[str]):
    """Shows where a rotation stands and what can be done next; returns what became of it."""

    CSS_PATH = "rotate.tcss"
    AUTO_FOCUS = ""  # it would take a field that is hidden, too
    PLACE = Place.ROTATE
    BINDINGS: ClassVar[list[BindingType]] = list(bindings_for(PLACE))

    def __init__(
        self,
        service: KeyService,
        rotation: Rotation,
        now: Callable[[], datetime],
        notice: str,
        *,
        is_part: bool = False,
    ) -> None:
        """Show `rotation`; one that is part of a run keeps its secret when this is left."""
        super().__init__()
        self._service, self._rotation, self._now, self._notice = service, rotation, now, notice
        self._is_part, self._is_busy = is_part, False

    def compose(self) -> ComposeResult:
        """The steps, where one stands, and what belongs to the step at hand."""
        yield TopBar("Settings › API keys › Rotate", notice=self._notice)
        with VerticalScroll(id="page", can_focus=False):
            yield Static(id="title", markup=False)
            yield Static(id="steps", markup=False)
            yield Static(id="problem", markup=False)
            with Vertical(id="plan"):
                yield Static(self._about(), id="about")
                for name, label in (
                    ("label", "Label"),
                    ("grants", "Grants"),
                    ("ips", "Allowed IPs"),
                ):
                    with Horizontal(classes="planned"):
                        yield Static(label)
                        yield Static(id=f"planned-{name}", markup=False)
                if self._service.session.has_password:
                    yield Field("Account Password *", id="password", masked=True)
            yield SecretBox(self._rotation.note_stored)
            yield Static(id="told", markup=False)
            yield Proofs()
        with Horizontal(id="buttons"):
            yield Status()
            yield Button("Close", id="close", compact=True)
            yield Button("Create successor", id="create", variant="primary", compact=True)
            yield Button("I have stored it", id="stored", variant="primary", compact=True)
            yield Button("Later", id="later", compact=True)
            yield Button("Delete predecessor", id="finish", variant="error", compact=True)
        yield Footer(show_command_palette=False, compact=True)

    def _about(self) -> Content:
        told = "Its successor gets the same label, grants and IPs: ctrl+e changes them."
        owner, user = self._rotation.predecessor.owner, self._service.session.user
        if owner and user is not None and owner != user.name:
            told += (
                f"\nThis key belongs to {short(owner, 40)}: its successor will be yours, and the "
                "server may not let you delete this one."
            )
        return Content(told)

    def on_mount(self) -> None:
        """Show where the rotation stands."""
        self._rotation.on_change = self._changed
        self._show()

    def _changed(self, _: Rotation) -> None:
        self.call_later(self._show)

    @on(Button.Pressed, "#create")
    @on(Input.Submitted)
    def action_create(self) -> None:
        """Create the successor, and verify it at once."""
        self._take(Step.CREATE, self._create, "The successor is being created.")

    @work(group="draft", description="change what the successor is to be")
    async def action_change(self) -> None:
        """Change label, grants or allowed IPs on the way."""
        draft = self._rotation.draft
        like = replace(
            self._rotation.predecessor,
            raw_label=draft.label,
            raw_grants=draft.grants,
            raw_valid_ips=draft.valid_ips,
        )
        changed = await self.app.push_screen_wait(DraftScreen(self._service, self._notice, like))
        if changed is not None and self._may_take(Step.CREATE):
            self._rotation.draft = changed
            self._show()

    @on(Button.Pressed, "#stored")
    def action_stored(self) -> None:
        """The operator says that the secret is stored."""
        how = self.query_one(SecretBox).went_to or BY_WORD
        self._take(Step.STORED, lambda: self._store(how), "Going on")

    def action_verify(self) -> None:
        """Verify the successor; where its secret is not at hand any more, ask for it."""
        if self._rotation.secret is not None:
            self._take(Step.VERIFY, self._verify, "Asking the server")
        else:
            self._verify_with_pasted()

    @work(group="ask", description="ask for the successor's secret")
    async def _verify_with_pasted(self) -> None:
        body = Content("Paste the successor's secret. It is used to ask, and forgotten.")
        ask = AskSecretScreen("Verify the successor", body, "Secret", yes="Verify")
        secret = await self.app.push_screen_wait(ask)
        if secret is not None:
            self._take(Step.VERIFY, partial(self._verify, secret), "Asking the server")

    @on(Button.Pressed, "#later")
    def action_later(self) -> None:
        """Mark the predecessor as retiring, and keep both keys."""
        today = self._now().date()
        retire = partial(self._rotation.retire_later, today)
        self._take(Step.RETIRE, retire, "The key is being marked.")

    @on(Button.Pressed, "#finish")
    @work(group="finish", description="delete the predecessor")
    async def action_finish(self) -> None:
        """Delete the predecessor; one more question where its successor was not shown to work."""
        unverified = not self._rotation.is_proven
        if unverified and not await self.app.push_screen_wait(ask_unverified()):
            return
        finish = partial(self._rotation.finish, even_unverified=unverified)
        self._take(Step.FINISH, finish, "The predecessor is being deleted.")

    @work(group="undo", description="undo the rotation")
    async def action_undo(self) -> None:
        """Delete the successor, after asking."""
        if await self.app.push_screen_wait(ask_undo()):
            self._take(Step.UNDO, self._rotation.undo, "The successor is being deleted.")

    @work(group="replace", description="replace the successor")
    async def action_replace(self) -> None:
        """Delete a successor whose secret nobody has, and make another, after asking."""
        if await self.app.push_screen_wait(ask_replace(self._rotation.short_key)):
            self._replace()

    def _replace(self) -> None:
        self._take(Step.REPLACE, self._rotation.replace_lost, "The successor is being deleted.")

    def action_look(self) -> None:
        """Look at the list again to see what became of the last step."""
        self._take(Step.LOOK, self._rotation.look_again, "Reading the keys")

    @on(Button.Pressed, "#close")
    @work(group="leave", description="leave the rotation")
    async def action_close(self) -> None:
        """Leave; where it is not finished, both keys stay."""
        if await self.may_leave():
            self._leave()

    async def may_leave(self) -> bool:
        """Ask before a secret is lost; refuse while the server is at it."""
        if self._is_busy or self._rotation.is_at_work:
            told = "A request is under way. Its answer is awaited, then you can leave."
            self._update("#problem", Content(told))
            self.query_one("#problem").display = True
            return False
        if self._is_part or not self._rotation.would_lose_secret:
            return True
        went_to = self.query_one(SecretBox).went_to
        if not await self.app.push_screen_wait(ask_stored(self._rotation.draft.label, went_to)):
            return False
        if self._rotation.allows(Step.STORED):
            await self._rotation.stored_by_hand(went_to or BY_WORD)
        else:
            self._rotation.note_stored(went_to or BY_WORD)  # what became of it is not known
        return True

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Offer what the state allows."""
        rotation = self._rotation
        if action in {"clipboard", "write", "plain", "command"}:
            return rotation.secret is not None
        if action == "verify" and rotation.is_proven:
            return False
        if action == "undo" and rotation.successor is None and not rotation.short_key:
            return False
        if action == "stored" and not self._wants_storing:
            return False
        return action not in _STEPS or self._may_take(_STEPS[action])

    @property
    def _wants_storing(self) -> bool:
        """Whether it is still to be said that the secret is stored."""
        rotation = self._rotation
        told = rotation.stored or rotation.state is State.OVERLAPPING
        return rotation.allows(Step.STORED) and not told

    def _may_take(self, step: Step) -> bool:
        """Tell whether a step can be taken now; one at a time, as each changes what can be next."""
        at_work = self._is_busy or self._rotation.is_at_work
        return not at_work and self._rotation.allows(step)

    def _take(self, step: Step, act: Callable[[], Awaitable[object]], doing: str) -> None:
        """Take a step in a worker of the app's, which nothing on this screen can cut off.

        While a dialog asked about it, another step may have made it impossible.
        """
        if self._may_take(step):
            self._is_busy, self._rotation.problem = True, None
            self.app.run_worker(self._run(act, doing), group="write", description=doing)
            self._show_buttons()
            self.refresh_bindings()

    async def _run(self, act: Callable[[], Awaitable[object]], doing: str) -> None:
        try:
            with self.query_one(Status).working(doing):
                await act()
        except (ApiError, SessionProblem) as error:
            self._rotation.problem = error
        finally:
            self._is_busy = False
        self._show()

    async def _create(self) -> None:
        from pydantic import SecretStr

        password = None
        for field in self.query("#password").results(Field):
            field.error = wrong_password(field.value)
            if field.error:
                return
            password = SecretStr(field.value)
        async with self._service.authorized(password):
            await self._rotation.create()
        if self._rotation.state is State.CREATED:
            for field in self.query("#password").results(Field):
                field.value = ""
            self._show()
            await self._verify()

    async def _store(self, how: str) -> None:
        await self._rotation.stored_by_hand(how)
        verification = self._rotation.verification
        can_verify = self._rotation.secret is not None and verification is None
        if self._rotation.state is State.DELIVERED and can_verify:
            await self._verify()
        self._let_go()

    def _let_go(self) -> None:
        """Forget the secret once it is stored and was shown to work."""
        if self._rotation.state is State.VERIFIED and self._rotation.secret is not None:
            self._rotation.forget_secret()

    async def _verify(self, secret: SecretStr | None = None) -> None:
        if self._rotation.allows(Step.VERIFY):
            proofs, catalogue = self.query_one(Proofs), self._service.listing.catalogue
            with self.query_one(Status).working("Asking the server"):
                await self._rotation.verify(
                    lambda so_far: proofs.show(so_far, catalogue), secret=secret
                )
            self._let_go()

    def _show(self) -> None:
        if not self.is_attached:
            return
        rotation, state = self._rotation, self._rotation.state
        self._update("#title", title(rotation))
        verification = rotation.verification
        self._update("#steps", steps(rotation.doubted, verified=rotation.is_proven))
        catalogue = self._service.listing.catalogue
        for name, text in planned(rotation.draft, catalogue).items():
            self._update(f"#planned-{name}", Content(text))
        self._update("#told", Content(now(state)))
        self.query_one("#told").display = bool(now(state))
        self.query_one("#plan").display = rotation.allows(Step.CREATE)
        self._show_problem(rotation.problem)
        self._show_secret()
        if verification is not None and isinstance(rotation.problem, NotVerified):
            verification = replace(verification, hints=())  # they stand above, with the problem
        self.query_one(Proofs).show(verification, catalogue)
        self._show_buttons()
        self.refresh_bindings()
        self._keep_focus()

    def _show_buttons(self) -> None:
        """Show those of the state; none can be pressed while a step is under way."""
        offered = {
            "create": self._rotation.allows(Step.CREATE),
            "stored": self._wants_storing,
            "later": self._rotation.allows(Step.RETIRE),
            "finish": self._rotation.allows(Step.FINISH),
        }
        for name, is_offered in offered.items():
            button = self.query_one(f"#{name}", Button)
            button.display = is_offered
            button.disabled = self._is_busy or self._rotation.is_at_work

    def _keep_focus(self) -> None:
        """Have Enter do what comes next, and no key end in a field that is hidden."""
        if self.focused is not None and all(w.display for w in self.focused.ancestors_with_self):
            return
        if self._rotation.state in ENDED:
            self.query_one("#close").focus()
        elif self._rotation.allows(Step.CREATE):
            asked = self.query("#password Input")
            (asked.first() if asked else self.query_one("#create")).focus()
        else:
            self.set_focus(None)

    def _show_problem(self, problem: Exception | None) -> None:
        told = self.query_one("#problem", Static)
        told.display = problem is not None
        if problem is None:
            return
        words = explain(problem, self._rotation.predecessor)
        beside = words.fields.get("password")
        for field in self.query("#password").results(Field):
            if beside:
                field.error = beside
                told.display = False
                field.focus_input()
        says_more = not now(self._rotation.state) or isinstance(problem, Forbidden)
        lines = (words.title, words.detail, words.hint if says_more else "")
        told.update(Content("\n".join(line for line in lines if line)))

    def _show_secret(self) -> None:
        secret, box = self._rotation.secret, self.query_one(SecretBox)
        box.display = secret is not None and not self._rotation.stored
        if secret is not None:
            successor = self._rotation.successor
            key_id = successor.id if successor else ""
            box.show(
                NewSecret(secret, key_id, self._rotation.draft.label, self._rotation.short_key)
            )
        else:
            box.forget()

    def _update(self, selector: str, content: Content) -> None:
        self.query_one(selector, Static).update(content)

    def _leave(self) -> None:
        rotation = self._rotation
        if rotation.allows(Step.FORGET) and not self._is_part:
            rotation.forget_secret()
        rotation.on_change = None
        self.query_one(SecretBox).forget()
        self.dismiss(became(rotation.state))
