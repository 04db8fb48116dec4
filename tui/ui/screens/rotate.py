"""Rotating one key: its successor is made, stored and verified before the predecessor goes."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import replace
from datetime import datetime
from functools import partial
from typing import ClassVar

from textual import on, work
from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import Horizontal, Vertical, VerticalScroll
from textual.content import Content
from textual.widgets import Input, Static

from tui.delivery import NewSecret
from tui.keys.rotation import NotVerified, Rotation, State, Step
from tui.keys.service import KeyService
from tui.keys.verification import Verification
from tui.problems import describe
from tui.text import short
from tui.ui.bindings import Place, bindings_for, with_keys
from tui.ui.screens.dialog import AskSecretScreen
from tui.ui.screens.key_form import DraftScreen
from tui.ui.screens.rotation_dialogs import (
    ask_any_address,
    ask_replace,
    ask_undo,
    ask_unlike,
    ask_unverified,
)
from tui.ui.screens.rotation_lanes import lanes_of
from tui.ui.screens.rotation_text import (
    ENDED,
    draft_texts,
    next_step_text,
    note_text,
    outcome_text,
    pair_text,
    problem_text,
    render_title,
)
from tui.ui.screens.secret import BY_WORD, ask_stored
from tui.ui.screens.secret_box import SecretBox, ShowsSecret
from tui.ui.widgets.facts_pane import BREAKPOINTS, FactLines, FactsPane
from tui.ui.widgets.key_footer import KeyFooter
from tui.ui.widgets.keyed import keyed
from tui.ui.widgets.lanes import Lanes
from tui.ui.widgets.password_field import PasswordField
from tui.ui.widgets.proofs import Proofs
from tui.ui.widgets.status import Status
from tui.ui.widgets.top_bar import TopBar

_STEP_OF_ACTION = {
    "create": Step.CREATE,
    "change": Step.CREATE,
    "stored": Step.STORED,
    "verify": Step.VERIFY,
    "pause": Step.PAUSE,
    "resume": Step.RESUME,
    "finish": Step.FINISH,
    "undo": Step.UNDO,
    "replace": Step.REPLACE,
    "look": Step.LOOK,
}


class RotateScreen(ShowsSecret[str]):
    """Shows where a rotation stands and what can be done next; returns its outcome in words."""

    CSS_PATH = "rotate.tcss"
    AUTO_FOCUS = ""  # it would take a field that is hidden, too
    PLACE = Place.ROTATE
    BINDINGS: ClassVar[list[BindingType]] = list(bindings_for(PLACE))
    HORIZONTAL_BREAKPOINTS: list[tuple[int, str]] | None = BREAKPOINTS

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
        self._is_part = is_part
        self._shown_state: State | None = None

    def compose(self) -> ComposeResult:
        """Both keys' lives, and what belongs to the step at hand; facts beside or beneath it."""
        yield TopBar("Settings › API keys › Rotate", notice=self._notice)
        with VerticalScroll(id="page", can_focus=False):
            with VerticalScroll(id="main", can_focus=False):
                yield Static(id="title", markup=False)
                yield Lanes(id="lanes")
                yield Static(id="problem", markup=False)
                yield Static(id="next-step", markup=False)
                yield PasswordField(is_needed=self._service.session.has_password)
                yield SecretBox(lambda: self._rotation.attempt, self._service.listing.raw_labels)
            with FactsPane(id="facts", classes="beside"):
                with Vertical(id="plan"):
                    for name, label in (
                        ("label", "Label"),
                        ("grants", "Grants"),
                        ("ips", "Allowed IPs"),
                    ):
                        with Horizontal(classes="planned"):
                            yield Static(label)
                            yield Static(id=f"planned-{name}", markup=False)
                yield Proofs()
                yield FactLines(id="pair")
        yield Status()
        yield KeyFooter()

    def on_mount(self) -> None:
        """Show where the rotation stands."""
        self._rotation.listeners.append(self._rotation_changed)
        self._rotation.verification_listeners.append(self._show_verification)
        self._show()

    def _rotation_changed(self, _: Rotation) -> None:
        self.call_later(self._show)

    def _show_verification(self, verification: Verification | None) -> None:
        self.query_one(Proofs).show(verification, self._service.listing.catalogue)
        self.query_one(Lanes).show(*lanes_of(self._rotation, verification, self.app))

    @on(Input.Submitted)
    def action_create(self) -> None:
        """Create the successor, and verify it at once."""
        password = self.query_one(PasswordField)
        if not password.check():
            return
        if self._rotation.lacks_addresses:
            self._ask_any_address()
        else:
            create = partial(self._rotation.create, password.secret, verify=True)
            self._take(Step.CREATE, create, "The successor is being created and verified.")

    @work(group="ask", description="ask about addresses that are not told")
    async def _ask_any_address(self) -> None:
        if await self.app.push_screen_wait(ask_any_address(with_keys("{rotate.change}", self.app))):
            self._rotation.agrees_to_any_address = True
            self.action_create()

    @work(group="draft", description="change the successor's label, grants and allowed IPs")
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

    @work(group="ask", description="ask whether the secret is stored")
    async def action_stored(self) -> None:
        """The operator says that the secret is stored; one more question where it went nowhere."""
        went_to = self.query_one(SecretBox).went_to
        ask = ask_stored(self._rotation.draft.label, went_to)
        is_lost = self._rotation.secret is not None and not went_to
        if is_lost and not await self.app.push_screen_wait(ask):
            return
        store = partial(self._rotation.stored_by_hand, went_to or BY_WORD, verify=True)
        self._take(Step.STORED, store, "Asking the server")

    def action_verify(self) -> None:
        """Verify the successor; where its secret is not at hand any more, ask for it."""
        if self._rotation.secret is not None:
            self._take(Step.VERIFY, self._rotation.verify, "Asking the server")
        else:
            self._verify_with_pasted()

    @work(group="ask", description="ask for the successor's secret")
    async def _verify_with_pasted(self) -> None:
        body = Content("Paste the successor's secret. It is used for requests that change nothing.")
        ask = AskSecretScreen("Verify the successor", body, "Secret", yes="Verify")
        secret = await self.app.push_screen_wait(ask)
        if secret is not None:
            self._take(Step.VERIFY, partial(self._rotation.verify, secret), "Asking the server")

    async def action_later(self) -> None:
        """Leave, and keep both keys: the successor's mark says whose successor it is."""
        await self.run_action("close")

    def action_pause(self) -> None:
        """Take the predecessor out of service."""
        pause = partial(self._rotation.pause_predecessor, self._now().date())
        self._take(Step.PAUSE, pause, "The predecessor is being paused.")

    def action_resume(self) -> None:
        """Put the predecessor back into service."""
        doing = "The predecessor is being resumed."
        self._take(Step.RESUME, self._rotation.resume_predecessor, doing)

    @work(group="finish", description="delete the predecessor")
    async def action_finish(self) -> None:
        """Delete the predecessor, after asking where its successor is unlike or unverified."""
        differences = self._rotation.differences
        if differences and not await self.app.push_screen_wait(ask_unlike(differences)):
            return
        unverified = not self._rotation.is_proven
        if unverified and not await self.app.push_screen_wait(ask_unverified()):
            return
        finish = partial(self._rotation.finish, even_unverified=unverified)
        self._take(Step.FINISH, finish, "The predecessor is being deleted.")

    @work(group="undo", description="undo the rotation")
    async def action_undo(self) -> None:
        """Delete the successor, after asking."""
        if await self.app.push_screen_wait(ask_undo(self._rotation.differences)):
            self._take(Step.UNDO, self._rotation.undo, "The successor is being deleted.")

    @work(group="replace", description="replace the successor")
    async def action_replace(self) -> None:
        """Delete a successor whose secret nobody has, and make another, after asking."""
        if await self.app.push_screen_wait(ask_replace(self._rotation.short_key)):
            self._replace()

    def _replace(self) -> None:
        self._take(Step.REPLACE, self._rotation.replace_lost, "The successor is being deleted.")

    def action_look(self) -> None:
        """Look at the list again to check the outcome of the last step."""
        self._take(Step.LOOK, self._rotation.look_again, "Reading the keys")

    async def action_back(self) -> None:
        """Leave a rotation that has ended."""
        await self.run_action("close")

    @work(group="leave", description="leave the rotation")
    async def action_close(self) -> None:
        """Leave; where it is not finished, both keys stay."""
        if await self.may_leave():
            self._leave()

    async def may_leave(self) -> bool:
        """Ask before a secret is lost; refuse while a request is under way."""
        if self._rotation.is_busy:
            message = "A request is under way. You can leave once the server has answered."
            self._update("#problem", Content(message))
            self.query_one("#problem").display = True
            return False
        if self._is_part or not self._rotation.would_lose_secret:
            return True
        went_to = self.query_one(SecretBox).went_to
        if not await self.app.push_screen_wait(ask_stored(self._rotation.draft.label, went_to)):
            return False
        if self._rotation.allows(Step.STORED):
            await self._rotation.stored_by_hand(went_to or BY_WORD)
        elif attempt := self._rotation.attempt:
            attempt.stored(went_to or BY_WORD)  # the outcome of a write is not known
        return True

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Offer what the state allows."""
        if action in {"clipboard", "write", "plain", "command"}:
            return self._rotation.secret is not None
        if action == "later":
            return self._may_take(Step.FINISH)
        if action == "back":
            return self._rotation.state in ENDED
        return action not in _STEP_OF_ACTION or self._may_take(_STEP_OF_ACTION[action])

    def _may_take(self, step: Step) -> bool:
        """Return whether a step can be taken now: one at a time, as each decides on the next."""
        return not self._rotation.is_busy and self._rotation.offers(step)

    def _take(self, step: Step, act: Callable[[], Awaitable[State]], doing: str) -> None:
        """Take a step in a worker of the app's, which outlives this screen."""
        if self._may_take(step):
            work = self._run(step, act, doing)
            self.app.run_worker(work, group="write", description=doing)

    async def _run(self, step: Step, act: Callable[[], Awaitable[State]], doing: str) -> None:
        # A key pressed twice starts two workers before the first one has made the rotation busy.
        if self._may_take(step):
            with self.query_one(Status).working(doing):
                await act()
            self._show()

    def _show(self) -> None:
        if not self.is_attached:
            return
        rotation = self._rotation
        if rotation.state is not self._shown_state:
            self._shown_state = rotation.state
            self.query_one("#page").scroll_home(animate=False)
        self._update("#title", render_title(rotation))
        catalogue = self._service.listing.catalogue
        change_key = with_keys("{rotate.change}", self.app)
        for name, text in draft_texts(rotation.draft, catalogue, change_key).items():
            self._update(f"#planned-{name}", Content(text))
        may_create = rotation.allows(Step.CREATE)
        self.query_one("#plan").display = may_create
        password = self.query_one(PasswordField)
        password.display = may_create and self._service.session.has_password
        if rotation.state is State.CREATED:
            password.value = ""
        self._show_problem()
        self._update("#next-step", self._next_step())
        self._show_secret()
        verification = rotation.verification
        if verification is not None and isinstance(rotation.problem, NotVerified):
            verification = replace(verification, hints=())  # the problem shows them
        self._show_verification(verification)
        self.query_one(FactLines).show_text(partial(pair_text, rotation, self._now()))
        self.refresh_bindings()
        self._keep_focus()

    def _next_step(self) -> Content:
        rotation = self._rotation
        next_step = next_step_text(rotation.state, is_paused=rotation.is_paused)
        note = note_text(rotation, with_keys("{keys.finish}", self.app))
        notes = filter(None, (note, self._owner_warning()))
        return Content("\n").join([keyed(with_keys(next_step, self.app)), *map(Content, notes)])

    def _owner_warning(self) -> str:
        """Return, before the create, that the successor of another's key will be one's own."""
        owner, user = self._rotation.predecessor.owner, self._service.session.user
        is_mine = not owner or user is None or owner == user.name
        if is_mine or not self._rotation.allows(Step.CREATE):
            return ""
        return (
            f"This key belongs to {short(owner, 40)}: its successor will be yours, and the server "
            "may not let you delete this one."
        )

    def _keep_focus(self) -> None:
        """Have what is typed go to the password where one is wanted, and to no hidden field."""
        password = self.query_one(PasswordField)
        if self.focused is not None and all(w.display for w in self.focused.ancestors_with_self):
            return
        if password.display:
            password.focus_input()
        else:
            self.set_focus(None)

    def _show_problem(self) -> None:
        message, error = self.query_one("#problem", Static), self._rotation.problem
        message.display = error is not None
        if error is None:
            return
        message.update(problem_text(self._rotation))
        field_error = describe(error, self._rotation.predecessor).fields.get("password")
        if field_error and self.query_one(PasswordField).refuse(field_error):
            message.display = False

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
        rotation.listeners.remove(self._rotation_changed)
        rotation.verification_listeners.remove(self._show_verification)
        self.query_one(SecretBox).forget()
        outcome = outcome_text(rotation.state, is_paused=rotation.is_paused)
        self.dismiss(with_keys(outcome, self.app))
