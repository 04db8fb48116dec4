"""Many keys at once: one plan, shown before it begins, then each key's state as it goes on."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, ClassVar

from textual import on, work
from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import Horizontal, Vertical
from textual.content import Content
from textual.screen import Screen
from textual.timer import Timer
from textual.widgets import Footer, Input, Static

from tui.api.errors import ApiError
from tui.api.models import Key
from tui.api.session import SessionEnded, SessionProblem
from tui.delivery import DeliveryFailed
from tui.keys.records import Records
from tui.keys.rotation import BulkRun, JournalNotWritten, State
from tui.keys.service import KeyService
from tui.problems import Problem, describe
from tui.text import count, short
from tui.ui.bindings import Place, bindings_for
from tui.ui.screens.dialog import ConfirmScreen
from tui.ui.widgets.button import Button
from tui.ui.widgets.key_table import KeyTable
from tui.ui.widgets.messages import MessageKind
from tui.ui.widgets.password_field import PasswordField
from tui.ui.widgets.status import Status
from tui.ui.widgets.top_bar import TopBar

if TYPE_CHECKING:
    from pydantic import SecretStr

_PAUSE_TEXTS: dict[type, str] = {
    SessionEnded: "your session has ended",
    DeliveryFailed: "paused, as no secret could be delivered",
    JournalNotWritten: "paused, as the journal can't be written",
}
_DONE_TEXTS = {State.VERIFIED: "verified"}

PROGRESS_SECONDS = 0.2
"""How long at least is between two drawings of the progress, while keys are worked on."""

BAR_CELLS = 30
"""The width of the progress bar."""


@dataclass(frozen=True, slots=True)
class BulkResult:
    """What is shown above the list of keys after a run, and whether all was done."""

    text: str
    kind: MessageKind


class BulkScreen(Screen["BulkResult | None"]):
    """Shows the plan, then runs it; returns its result, or None where nothing was done.

    Workers of the app take the steps: removing this screen cuts no request off. Textual's
    metaclass admits no ABC, so only the type checker insists on the abstract methods.
    """

    CSS_PATH = "bulk.tcss"
    AUTO_FOCUS = "Input, #close"
    PLACE = Place.RUN
    BINDINGS: ClassVar[list[BindingType]] = list(bindings_for(PLACE))
    verb: str
    """What is done with the keys, as the title says it."""
    start_label: str
    """The label of the button that starts the run."""
    finished_text: str = ""
    """Stands beside a key that reached `State.FINISHED`."""
    is_danger: bool = False

    def __init__(
        self,
        service: KeyService,
        keys: Sequence[Key],
        now: Callable[[], datetime],
        notice: str,
        records: Records,
    ) -> None:
        """Show what will be done with `keys`, by what the `records` tell of them."""
        super().__init__()
        self.records = records
        self.service, self.keys, self.now, self._notice = service, keys, now, notice
        self.bulk_run: BulkRun | None = None
        self.is_busy = False
        self._message = ""
        self._drawing: Timer | None = None
        self._offered: tuple[object, ...] = ()

    def compose(self) -> ComposeResult:
        """The plan, the keys, and the progress."""
        yield TopBar(f"Settings › API keys › {self.verb}", notice=self._notice)
        with Vertical(id="page"):
            yield Static(Content(f"{self.verb} {count(len(self.keys), 'API key')}"), id="title")
            first, *others = self.sentences()
            yield Static(Content.assemble((first, "bold"), "\n", " ".join(others)), id="plan")
            with Vertical(id="choices"):
                yield from self.choices()
            yield Static(id="progress", markup=False)
            yield Static(id="message", markup=False)
            yield KeyTable()
        with Horizontal(id="buttons"):
            yield Status()
            yield Button("Close", id="close", compact=True)
            yield Button("Retry failed", id="retry", compact=True)
            yield from self.decision_buttons()
            yield Button(
                Content(self.start_label),
                id="start",
                variant="error" if self.is_danger else "primary",
                compact=True,
            )
        yield Footer(show_command_palette=False, compact=True)

    @abstractmethod
    def sentences(self) -> Sequence[str]:
        """Return what will happen; the first sentence is shown in bold."""

    @abstractmethod
    async def make_run(self) -> BulkRun | None:
        """Return the run; None, with an error at a field, where the choices don't allow it."""

    @abstractmethod
    def summary(self, run: BulkRun) -> str:
        """Return what was done, in sentences; failures are added to it."""

    def choices(self) -> ComposeResult:
        """The fields to fill in before the start."""
        yield from ()

    def decision_buttons(self) -> ComposeResult:
        """The buttons for what can be done with predecessors after the run."""
        yield from ()

    def is_complete(self, run: BulkRun) -> bool:
        """Return whether nothing is left to do."""
        done, of = run.progress
        return done == of

    def _result(self, run: BulkRun) -> BulkResult:
        sentences = [self.summary(run)]
        if run.failed:
            others = f" and {count(len(run.failed) - 1, 'other')}" if len(run.failed) > 1 else ""
            sentences.append(f"Failed: {short(run.failed[0].key.label, 40)}{others}.")
        if run.left:
            sentences.append(f"Not come to: {count(len(run.left), 'key')}.")
        kind: MessageKind = "done" if self.is_complete(run) else "note"
        return BulkResult(" ".join(filter(None, sentences)), "problem" if run.failed else kind)

    def close_down(self) -> None:
        """Close what the run held open."""

    def on_mount(self) -> None:
        """Show the keys."""
        self._table = table = self.query_one(KeyTable)
        table.show(self.keys, self.service.listing.catalogue, self.now())
        self.show_progress()

    @on(Button.Pressed, "#start")
    @on(Input.Submitted)
    @work(group="start", exclusive=True, description="start the run")
    async def action_start(self) -> None:
        """Start the run, unless there is nothing to do."""
        if self.bulk_run is None and (run := await self.make_run()) is not None:
            if not any(run.progress):
                self._message = "There is nothing to do."
                self.show_progress()
                return
            self.bulk_run = run
            run.listeners.append(self.show_state)
            self.query_one("#choices").display = False
            self.take_step(lambda: run.run(self.password()), self._show_not_started)

    @on(Button.Pressed, "#retry")
    def action_retry(self) -> None:
        """Try once more what failed."""
        run = self.bulk_run
        if run is not None and not self.is_busy and run.failures:
            self.take_step(lambda: run.retry_failed(self.password()))

    def action_pause(self) -> None:
        """Pause after the keys under way, or go on."""
        run = self.bulk_run
        if run is not None and self.is_busy:
            if run.is_paused:
                run.resume()
            else:
                run.pause()
            self.show_progress()

    @on(Button.Pressed, "#close")
    @work(group="leave", description="leave the run")
    async def action_close(self) -> None:
        """Leave, or, while it runs, stop after the keys under way."""
        if await self.may_leave():
            run = self.bulk_run
            if run is not None:
                run.listeners.remove(self.show_state)
            result = self._result(run) if run is not None else None
            self.bulk_run = None
            self.close_down()
            self.dismiss(result)

    def on_unmount(self) -> None:
        """Close what the run held open, also where the whole program is left."""
        self.close_down()

    async def may_leave(self) -> bool:
        """Stop the run first, which ends with the keys under way."""
        run = self.bulk_run
        if run is None or not self.is_busy:
            return True
        body = Content("The keys under way are seen to their ends. The others stay as they are.")
        ask = ConfirmScreen("Stop the run?", body, yes="Stop", no="Go on")
        if await self.app.push_screen_wait(ask):
            run.cancel()
        return False

    def stop_at_once(self) -> None:
        """Begin no further key, as the program ends."""
        if self.bulk_run is not None:
            self.bulk_run.cancel()

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Offer what makes sense now."""
        run = self.bulk_run
        if action == "start":
            return run is None
        if action == "pause":
            return run is not None and self.is_busy
        if action == "retry":
            return run is not None and not self.is_busy and run.failures > 0
        return action not in {"finish", "later"} or self.awaits_decision()

    def awaits_decision(self) -> bool:
        """Return whether predecessors are there to be deleted or kept for now."""
        return False

    def password(self) -> SecretStr | None:
        """Return the account's password, where it is asked for."""
        for field in self.query(PasswordField):
            return field.secret
        return None

    def take_step(
        self,
        step: Callable[[], Awaitable[None]],
        on_refused: Callable[[Exception], None] | None = None,
    ) -> None:
        """Take a step in a worker of the app's; `on_refused` shows why nothing of it was begun."""
        if not self.is_busy:
            self.is_busy = True
            self._done_texts = {**_DONE_TEXTS, State.FINISHED: self.finished_text}
            work = self._run_step(step, on_refused or self._show_not_continued)
            self.app.run_worker(work, group="write", description=f"{self.verb} keys")

    async def _run_step(
        self, step: Callable[[], Awaitable[None]], on_refused: Callable[[Exception], None]
    ) -> None:
        self._message = ""
        self.query_one(KeyTable).focus()
        self.call_later(self.show_progress)
        try:
            await step()
        except (ApiError, SessionProblem) as error:
            if self.is_attached:
                on_refused(error)
        finally:
            self.is_busy = False
            self.show_progress()

    def _show_not_started(self, error: Exception) -> None:
        """Show why nothing was begun: the password was wrong, or could not be checked."""
        self.bulk_run = None
        self.close_down()
        self.query_one("#choices").display = True
        problem = describe(error)
        field_error = problem.fields.get("password", "")
        for field in self.query(PasswordField):
            field.refuse(field_error)
        self._message = "" if field_error else _paragraph(problem)

    def _show_not_continued(self, error: Exception) -> None:
        """Show why the step was not begun; the run keeps its states and secrets."""
        self._message = _paragraph(describe(error))

    def show_state(self, key_id: str, state: State, problem: Exception | None) -> None:
        """Show a key's new state, and soon the progress."""
        if not self.is_attached:
            return
        if problem is not None:
            self._table.set_state(key_id, describe(problem).one_line, "problem")
        elif (text := self._done_texts.get(state)) is not None:
            self._table.set_state(key_id, text, "done")
        else:
            self._table.set_state(key_id, state.value, "working")
        if self._drawing is None:
            self._drawing = self.set_timer(PROGRESS_SECONDS, self.show_progress)

    def show_progress(self) -> None:
        """Show the progress, and what can be done now."""
        if self._drawing is not None:
            self._drawing.stop()
            self._drawing = None
        if not self.is_attached:
            return
        run = self.bulk_run
        is_running = run is not None and self.is_busy
        if run is not None:
            bar, progress = _bar(run, is_running=is_running), self.query_one("#progress", Static)
            needs_room = max(bar.cell_length, progress.size.width * (progress.size.height - 1))
            progress.update(bar, layout=needs_room >= progress.size.width)
            if run.waiting_until is not None:
                self._drawing = self.set_timer(1, self.show_progress)
        self._show_failure(self._table.key)
        has_failures = run is not None and bool(run.failures)
        offered = (run is None, is_running, has_failures, self.awaits_decision())
        if offered != self._offered:
            self._offered = offered
            self._show_offers(run, is_running=is_running)

    def _show_offers(self, run: BulkRun | None, *, is_running: bool) -> None:
        """Show the buttons and keys of what can be done now."""
        self.query_one("#progress").display = run is not None
        self.query_one("#start").display = run is None
        self.query_one("#plan").display = run is None
        self.query_one("#retry").display = run is not None and not is_running and run.failures > 0
        self.query_one("#close", Button).label = Content("Stop" if is_running else "Close")
        for button in self.query(".decision"):
            button.display = self.awaits_decision()
        self.refresh_bindings()

    @on(KeyTable.Highlighted)
    def _highlighted(self, event: KeyTable.Highlighted) -> None:
        self._show_failure(event.key)

    def _show_failure(self, key: Key | None) -> None:
        run = self.bulk_run
        failure = run.failure_of(key.id) if run is not None and key is not None else None
        message = self.query_one("#message", Static)
        sentence = self._message
        if run is not None and isinstance(run.paused_because, JournalNotWritten):
            sentence = str(run.paused_because)
        message.display = bool(failure or sentence)
        if sentence:
            message.update(Content(sentence))
        elif failure is not None:
            reason = _paragraph(describe(failure.problem, failure.key))
            message.update(Content(f"{short(failure.key.label, 40)}: {reason}"))


def _paragraph(problem: Problem) -> str:
    """Return a problem in one paragraph."""
    lines = (f"{problem.title.rstrip('.')}.", *problem.fields.values(), problem.detail)
    return " ".join(dict.fromkeys(line for line in lines if line))


def _bar(run: BulkRun, *, is_running: bool) -> Content:
    """Return the progress of a run: a bar, numbers, and why it waits where it does."""
    done, of = run.progress
    failed = run.failures
    filled = round(BAR_CELLS * done / of) if of else BAR_CELLS
    parts = [f"  {done:,} of {of:,}"]
    if failed:
        parts.append(f"{failed:,} failed")
    if is_running and run.is_paused:
        parts.append(f"{_PAUSE_TEXTS.get(type(run.paused_because), 'paused')}: p goes on")
    elif run.waiting_until is not None:
        seconds = f"{run.throttle.seconds_left:.0f} s"
        parts.append(f"waiting {seconds}: the server asks for fewer requests")
    elif not is_running:
        parts.append("stopped" if run.is_cancelled else "done")
    return Content.assemble(
        ("━" * filled, "$text-accent"), ("─" * (BAR_CELLS - filled), "$border"), " · ".join(parts)
    )
