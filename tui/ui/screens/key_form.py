"""The screens around a key's form: how it is left, and how it is closed while it is saved."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import partial
from typing import ClassVar, TypeVar

from textual import events, on, work
from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import Horizontal, Vertical
from textual.content import Content
from textual.screen import Screen
from textual.widget import Widget
from textual.widgets import Input
from textual.worker import Worker

from tui.api.errors import ApiError
from tui.api.models import Key, KeyDraft
from tui.api.session import SessionProblem
from tui.keys.service import KeyService
from tui.problems import Problem
from tui.ui.bindings import Place, bindings_for
from tui.ui.screens.choose_key import ChooseKeyScreen
from tui.ui.screens.dialog import ConfirmScreen, ProblemScreen
from tui.ui.widgets.button import Button
from tui.ui.widgets.draft_facts import holders
from tui.ui.widgets.draft_form import DraftForm
from tui.ui.widgets.facts_pane import BREAKPOINTS, FactsText
from tui.ui.widgets.grant_grid import GrantGrid
from tui.ui.widgets.key_footer import KeyFooter
from tui.ui.widgets.password_field import PasswordField
from tui.ui.widgets.status import Status
from tui.ui.widgets.top_bar import TopBar

Result = TypeVar("Result")


class KeyFormScreen(Screen[Result | None]):
    """The frame of the screens below; each brings `action_save`, and what is sent on the way.

    It returns None where the operator went back. Requests belong to the app, not to this screen,
    so that nothing can cut them off.
    """

    CSS_PATH = "key_form.tcss"
    AUTO_FOCUS = "#label Input"
    VERTICAL_BREAKPOINTS: list[tuple[int, str]] | None = [  # noqa: RUF012  # as Screen has it
        (0, "-low"),
        (30, "-high"),
        (40, "-highest"),
    ]
    PLACE = Place.FORM
    BINDINGS: ClassVar[list[BindingType]] = list(bindings_for(PLACE))
    HORIZONTAL_BREAKPOINTS: list[tuple[int, str]] | None = BREAKPOINTS
    heading = ""
    """What the top bar says."""
    save_word = ""
    """What the button that saves says, and the footer beside Enter."""

    def __init__(
        self,
        service: KeyService,
        notice: str,
        key: Key | None = None,
        password: PasswordField | None = None,
        like: Key | None = None,
        subaccount: int | None = None,
    ) -> None:
        super().__init__()
        self._service, self._notice = service, notice
        self.form = DraftForm(service, key, password, like, subaccount)
        self.was_sent = False
        """Whether anything may have changed on the server, however it answered."""
        self._holders: Mapping[str, Sequence[Key]] | None = None
        """The listed keys that hold each grant, once they are looked for."""
        self._being_sent = ""
        """The sentence that says what is being sent; empty while nothing is."""
        self._saving: Worker[None] | None = None
        self._was_focused: Widget | None = None
        self._result: Result | None = None

    def compose(self) -> ComposeResult:
        """The form, and the buttons beneath it."""
        yield TopBar(self.heading, notice=self._notice)
        with Horizontal():
            with Vertical(id="draft"):
                yield self.form
                with Horizontal(id="buttons"):
                    yield Status()
                    yield Button("Cancel", id="cancel", compact=True)
                    yield Button(self.save_word, id="save", variant="primary", compact=True)
            yield FactsText(classes="beside")
        yield KeyFooter()

    @on(DraftForm.GrantsChanged)
    def _show_facts(self) -> None:
        """Show what the key may do, and who else may do that, where the screen is wide."""
        if self.has_class("-wide") and self.is_attached:
            if self._holders is None:
                self._find_holders()
            facts = self.form.facts
            holding = [
                key
                for key in (self._holders or {}).get(facts.current, ())
                if key.id != self.form.key_id
            ]
            self.query_one(FactsText).show_text(partial(facts.text, holding), "draft")

    @work(group="facts", exclusive=True, description="find which keys hold which grants")
    async def _find_holders(self) -> None:
        self._holders = {}
        self._holders = await asyncio.to_thread(holders, self._service.listing.keys)
        self._show_facts()

    @on(events.Resize)
    def _follow_width(self) -> None:
        self.call_after_refresh(self._show_facts)

    @on(Button.Pressed, "#save")
    @on(Input.Submitted)
    @on(GrantGrid.Submitted)
    async def _submit(self) -> None:
        await self.run_action("save")

    @on(GrantGrid.AnotherKeyRequested)
    @work(group="ask", description="choose a key whose grants are given")
    async def _give_like_another(self) -> None:
        listing = self._service.listing
        ask = ChooseKeyScreen("Select the grants of another key", listing.keys, listing.catalogue)
        if (key := await self.app.push_screen_wait(ask)) is not None:
            self.form.give_like(key)

    def footer_word(self, action: str) -> str | None:
        """Word Enter as the button."""
        return self.save_word if action == "save" else None

    def action_details(self) -> None:
        """Show what exactly went wrong."""
        if self.form.problem is not None:
            self.app.push_screen(ProblemScreen(self.form.problem))

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Offer what makes sense now."""
        if action == "save":
            return self._saving is None and not self.form.is_searching
        return action != "details" or self.form.problem is not None

    @on(Button.Pressed, "#cancel")
    @work(group="leave", description="ask whether to discard the draft")
    async def action_cancel(self) -> None:
        """Go back without saving; where nothing has been sent yet, stop that first."""
        if not self._stop_saving() and await self.may_leave():
            self.dismiss(None)

    async def may_leave(self) -> bool:
        """Ask before a draft is lost; refuse while the server is at it."""
        if self._being_sent:
            refusal = Problem(f"{self._being_sent} You can leave once the server has answered.")
            self.form.show_problem(refusal)
            return False
        self._stop_saving()
        if not self.form.is_touched:
            return True
        body = Content("What you have typed is not saved.")
        ask = ConfirmScreen("Discard the draft?", body, yes="Discard", no="Go on editing")
        return await self.app.push_screen_wait(ask)

    def _stop_saving(self) -> bool:
        """Stop saving while nothing has been sent; False where there was nothing to stop."""
        if self._saving is None or self._being_sent:
            return False
        self._saving.cancel()
        return True

    def start_saving(self, save: Callable[[], Awaitable[Result | None]], description: str) -> None:
        """Run `save` in a worker of the app's, with the form closed until it ends.

        It returns what the screen returns; None where the operator has to go on with the form.
        """
        self._was_focused = self.focused
        saving = self._save(save)
        worker = self.app.run_worker(saving, group="write", description=description)
        if not worker.is_finished:  # it starts at once, and may be refused before it ever waits
            self._set_saving(worker)

    async def _save(self, save: Callable[[], Awaitable[Result | None]]) -> None:
        self.form.clear_errors()
        try:
            self._result = await save()
        except (ApiError, SessionProblem) as error:
            self._set_saving(None)
            self.form.show_refusal(error)
        finally:
            if self._result is None and self.is_attached:
                self._set_saving(None)
        self._close_when_on_top()

    def _set_saving(self, worker: Worker[None] | None) -> None:
        """Close the form while it is being saved, and open it again as it was."""
        self._saving = worker
        self.form.disabled = worker is not None
        self.query_one("#save").disabled = worker is not None
        if worker is None and self._was_focused is not None:
            self._was_focused.focus()
            self._was_focused = None
        self.refresh_bindings()

    @contextmanager
    def sending(self, sentence: str) -> Iterator[None]:
        """Show that something is being sent; nothing cuts that off."""
        self.was_sent, self._being_sent = True, sentence
        self.refresh_bindings()
        try:
            with self.query_one(Status).working(sentence):
                yield
        finally:
            self._being_sent = ""

    @on(events.ScreenResume)
    def _close_when_on_top(self) -> None:
        """Return the result once it is there; the help may still stand above the form."""
        if self._result is not None and self.is_active:
            result, self._result = self._result, None
            self.dismiss(result)


class DraftScreen(KeyFormScreen[KeyDraft]):
    """What a successor is to be; returns the draft, and nothing is sent."""

    heading = "Change the successor"
    save_word = "Keep"

    def action_save(self) -> None:
        """Return the draft, once everything is right."""
        if self.form.check():
            self.dismiss(self.form.draft)
