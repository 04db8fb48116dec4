"""Create New API Key and Edit API Key: one form, saved to the server before it closes."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import AsyncExitStack, contextmanager
from typing import TYPE_CHECKING, ClassVar, TypeVar

from textual import events, on, work
from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import Horizontal, Vertical
from textual.content import Content
from textual.screen import Screen
from textual.widget import Widget
from textual.widgets import Button, Footer, Input, Static
from textual.worker import Worker

from tui.api.errors import ApiError, SignInRefused
from tui.api.models import Key, KeyDraft
from tui.api.session import SessionProblem
from tui.errands import explain
from tui.keys.service import Created, KeyService
from tui.keys.validation import split_ips, wrong_grants, wrong_ips, wrong_label, wrong_password
from tui.keys.write_outcomes import ChangedMeanwhile, NothingCreated, OutcomeUnknown, SecretLost
from tui.problems import Problem
from tui.text import mask, plain
from tui.ui.bindings import Place, bindings_for
from tui.ui.screens.dialog import ConfirmScreen, ProblemScreen
from tui.ui.widgets.field import Field
from tui.ui.widgets.grant_list import GrantList
from tui.ui.widgets.problem_text import ProblemText
from tui.ui.widgets.status import Status
from tui.ui.widgets.top_bar import TopBar

if TYPE_CHECKING:
    from pydantic import SecretStr

Done = TypeVar("Done")


class KeyFormScreen(Screen[Done | None]):
    """Label, allowed IPs and grants; returns None where the operator went back.

    The request belongs to the app, not to this screen, so that nothing can cut it off.
    """

    CSS_PATH = "key_form.tcss"
    AUTO_FOCUS = "#label Input"
    VERTICAL_BREAKPOINTS: list[tuple[int, str]] | None = [  # noqa: RUF012  # as Screen has it
        (0, "-low"),
        (30, "-high"),
    ]
    PLACE = Place.FORM
    BINDINGS: ClassVar[list[BindingType]] = list(bindings_for(PLACE))
    place = ""
    heading = ""
    verb = ""
    doing = ""

    def __init__(self, service: KeyService, notice: str, key: Key | None = None) -> None:
        super().__init__()
        self._service, self._notice, self._key = service, notice, key
        self.was_sent = False
        """Whether anything may have changed on the server, however it answered."""
        self._is_sending = False
        self._label = key.label if key else ""
        self._ips = ", ".join(key.allowed_ips) if key else ""
        self._given = service.listing.catalogue.ordered(key.grants if key else ())
        self._problem: Problem | None = None
        self._worker: Worker[None] | None = None
        self._was_focused: Widget | None = None
        self._done: Done | None = None

    def compose(self) -> ComposeResult:
        """The form."""
        yield TopBar(f"Settings › API keys › {self.place}", notice=self._notice)
        with Vertical(id="form"):
            yield Static(self.heading, id="title")
            yield ProblemText(id="problem")
            yield Field("Label *", self._label, id="label", placeholder="My Application API Key")
            yield from self.authorization()
            yield Field("Allowed IPs", self._ips, id="ips", placeholder="any address")
            yield Static(id="grants-title", markup=False)
            yield GrantList(self._service.listing.catalogue, self._given, id="grants")
        with Horizontal(id="buttons"):
            yield Status()
            yield Button("Cancel", id="cancel", compact=True)
            yield Button(self.verb, id="save", variant="primary", compact=True)
        yield Footer(show_command_palette=False, compact=True)

    def authorization(self) -> ComposeResult:
        """What has to be known besides the key's own fields."""
        yield from ()

    async def save(self, draft: KeyDraft) -> Done:
        """Send the draft to the server, within `sending` from where it can't be taken back."""
        raise NotImplementedError

    @contextmanager
    def sending(self) -> Iterator[None]:
        """Tell that the draft is being sent; nothing cuts that off."""
        self.was_sent = self._is_sending = True
        self.refresh_bindings()
        try:
            with self.query_one(Status).working(self.doing):
                yield
        finally:
            self._is_sending = False

    def on_mount(self) -> None:
        """Tell how many grants are given."""
        self._count_grants()

    @property
    def draft(self) -> KeyDraft:
        """What is typed; a field that was not touched goes back exactly as the server sent it."""
        label, ips = self.field("label").value, self.field("ips").value
        untouched_label = self._key is not None and label == self._label
        untouched_ips = self._key is not None and ips == self._ips
        return KeyDraft(
            label=(self._key.raw_label or "") if self._key and untouched_label else label.strip(),
            grants=self.query_one(GrantList).given,
            valid_ips=self._key.raw_valid_ips or ()
            if self._key and untouched_ips
            else split_ips(ips),
        )

    @property
    def _grants_untold(self) -> bool:
        return self._key is not None and self._key.raw_grants is None

    @property
    def is_touched(self) -> bool:
        """Whether leaving would lose something that was typed."""
        return (
            self.field("label").value != self._label
            or self.field("ips").value != self._ips
            or set(self.query_one(GrantList).given) != set(self._given)
        )

    async def may_leave(self) -> bool:
        """Ask before a draft is lost; refuse while the server is at it."""
        if self._is_sending:
            self.tell(Problem(f"{self.doing} Its answer is awaited, then you can leave."))
            return False
        self._stop()
        if not self.is_touched:
            return True
        body = Content("What you have typed is not saved.")
        ask = ConfirmScreen("Discard the draft?", body, yes="Discard", no="Go on editing")
        return await self.app.push_screen_wait(ask)

    @on(Button.Pressed, "#cancel")
    @work(group="leave", description="ask whether to discard the draft")
    async def action_cancel(self) -> None:
        """Go back without saving; where nothing has been sent yet, stop that first."""
        if not self._stop() and await self.may_leave():
            self.dismiss(None)

    def _stop(self) -> bool:
        """Stop saving while nothing has been sent; tell whether that was so."""
        worker = self._worker
        can_be_stopped = worker is not None and not self._is_sending
        if worker is not None and can_be_stopped:
            worker.cancel()
        return can_be_stopped

    @on(Button.Pressed, "#save")
    @on(Input.Submitted)
    @on(GrantList.Submitted)
    def action_save(self) -> None:
        """Check everything, then send it."""
        if self._worker is not None:
            return
        wrong = [name for name in ("label", "password", "ips", "grants") if not self._check(name)]
        if wrong:
            self._focus(wrong[0])
            return
        save = self._save(self.draft)
        self._set_saving(self.app.run_worker(save, group="write", description=self.doing))

    def action_all_grants(self) -> None:
        """Give every grant, or none."""
        self.query_one(GrantList).give_all_or_none()

    def action_details(self) -> None:
        """Tell what exactly went wrong."""
        if self._problem is not None:
            self.app.push_screen(ProblemScreen(self._problem))

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Offer what makes sense now."""
        if action in {"save", "all_grants"}:
            return self._worker is None
        return action != "details" or self._problem is not None

    async def _save(self, draft: KeyDraft) -> None:
        self.tell(None)
        self._forget_refusal()
        try:
            done = await self.save(draft)
        except (ApiError, SessionProblem) as error:
            self._refused(error)
        except (NothingCreated, OutcomeUnknown) as error:
            self.tell(explain(error))
        except ChangedMeanwhile as changed:
            self.take_over(changed.key)
        except SecretLost as lost:
            await self._replace_lost(lost, draft)
        else:
            self._done = done
            self._close_when_on_top()
            return
        finally:
            if self._done is None and self.is_attached:
                self._set_saving(None)

    def take_over(self, key: Key) -> None:
        """Go on from how somebody else has changed the key; what was typed stays."""
        raise NotImplementedError

    @on(events.ScreenResume)
    def _close_when_on_top(self) -> None:
        """Return what came of it; the help may still stand above the form."""
        if self._done is not None and self.is_current:
            done, self._done = self._done, None
            self.dismiss(done)

    async def _replace_lost(self, lost: SecretLost, draft: KeyDraft) -> None:
        problem = explain(lost)
        ask = ConfirmScreen(
            problem.title,
            Content(problem.detail),
            yes="Delete it and create it again",
            no="Leave it",
        )
        if not await self.app.push_screen_wait(ask):
            self.tell(problem)
            return
        try:
            with self.sending():
                await self._service.delete(lost.key)
        except (ApiError, SessionProblem) as error:
            self._refused(error)
        else:
            await self._save(draft)

    def _forget_refusal(self) -> None:
        for field in self.query(Field):
            if field.error:
                field.error = ""
        self._count_grants()

    def _refused(self, error: Exception) -> None:
        problem = explain(error, self._key)
        fields = {"valid_ips": "ips"}
        told = {fields.get(name, name): text for name, text in problem.fields.items()}
        if isinstance(error, SignInRefused):
            told["password"] = error.description or problem.title
        here = [name for name in told if self._show(name, told[name])]
        self._set_saving(None)
        only_here = bool(here) and (not problem.detail or isinstance(error, SignInRefused))
        self.tell(None if only_here else problem)
        if here:
            self._focus(here[0])

    @on(Field.Left)
    def _left(self, event: Field.Left) -> None:
        if event.field.value and self._worker is None:
            self._check(event.field.id or "")

    @on(GrantList.Changed)
    def _count_grants(self) -> None:
        grants = self.query_one(GrantList)
        told = f"Grants *  {len(grants.given)} of {grants.option_count}"
        if self._grants_untold:
            told += "   ! not told by the server: saving replaces them by what is chosen here"
        if grants.all_given and grants.option_count > 1:
            told += "   ! every grant: choose only what is necessary"
        title = self.query_one("#grants-title", Static)
        title.update(Content(told))
        title.set_class(False, "-wrong")

    def _check(self, name: str) -> bool:
        """Check one field and tell beside it what is wrong; True where nothing is."""
        if name == "label":
            wrong = wrong_label(self.field("label").value)
        elif name == "password":
            fields = self.query("#password").results(Field)
            wrong = "".join(wrong_password(field.value) for field in fields)
        elif name == "ips":
            touched = self.field("ips").value != self._ips
            wrong = wrong_ips(self.draft.valid_ips) if touched else ""
        else:
            given = self.query_one(GrantList).given
            touched = set(given) != set(self._given) or self._grants_untold
            wrong = wrong_grants(given) if touched or self._key is None else ""
        if wrong:
            self._show(name, wrong)
        elif name == "label":
            self._note_same_label()
        return not wrong

    def _note_same_label(self) -> None:
        same = self._service.listing.labelled(self.draft.label, besides=self._key)
        if same is not None:
            named = f" ({mask(same.short_key)})" if same.short_key else ""
            self.field("label").note = f"Another key{named} already has this label."

    def _show(self, name: str, text: str) -> bool:
        """Tell `text` beside a field; False where this form has no such field."""
        if name == "grants":
            title = self.query_one("#grants-title", Static)
            title.update(Content(f"✗ {plain(text)}"))
            title.set_class(True, "-wrong")
            return True
        for field in self.query(f"#{name}").results(Field):
            field.error = text
            return True
        return False

    def _focus(self, name: str) -> None:
        if name == "grants":
            self.query_one(GrantList).focus()
        else:
            self.field(name).focus_input()

    def _set_saving(self, worker: Worker[None] | None) -> None:
        """Close the form while it is being saved, and open it again as it was."""
        self._worker = worker
        if worker is not None:
            self._was_focused = self.focused
        self.query_one("#form").disabled = worker is not None
        self.query_one("#save").disabled = worker is not None
        if worker is None and self._was_focused is not None:
            self._was_focused.focus()
            self._was_focused = None
        self.refresh_bindings()

    def tell(self, problem: Problem | None) -> None:
        """Tell a problem above the form, or none."""
        self._problem = problem
        self.query_one(ProblemText).show(problem)
        self.refresh_bindings()

    def field(self, name: str) -> Field:
        """Return a field of the form."""
        return self.query_one(f"#{name}", Field)


class CreateKeyScreen(KeyFormScreen[Created]):
    """Create New API Key: besides the key's fields, the account's password."""

    place = "New"
    heading = "Create New API Key"
    verb = "Create"
    doing = "The key is being created."

    def authorization(self) -> ComposeResult:
        """The account's password, where the account has one."""
        if self._service.session.has_password:
            yield Field(
                "Account Password *",
                id="password",
                masked=True,
                placeholder="required to securely authorize this addition",
            )

    async def save(self, draft: KeyDraft) -> Created:
        """Create the key, once the password is checked."""
        async with AsyncExitStack() as stack:
            with self.query_one(Status).working("Checking the password · Esc cancels"):
                await stack.enter_async_context(self._service.authorized(self._password()))
            with self.sending():
                return await self._service.create(draft)

    def _password(self) -> SecretStr | None:
        from pydantic import SecretStr  # it loads while the operator types

        for field in self.query("#password").results(Field):
            return SecretStr(field.value)
        return None


class DraftScreen(KeyFormScreen[KeyDraft]):
    """What a successor is to be; returns the draft, and nothing is sent."""

    place = "Rotate"
    heading = "What the successor is to be"
    verb = "Keep"

    async def save(self, draft: KeyDraft) -> KeyDraft:
        """Return the draft as it is."""
        return draft
