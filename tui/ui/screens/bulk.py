"""Many keys at once: one plan, shown before it begins, then each key's state as it goes on."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, ClassVar, cast

from textual import on, work
from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import Horizontal, Vertical
from textual.content import Content
from textual.screen import Screen
from textual.widgets import Button, Footer, Input, Static

from tui.api.errors import ApiError
from tui.api.models import Key
from tui.api.session import SessionEnded, SessionProblem
from tui.delivery import DeliveryFailed
from tui.errands import explain, in_one_line
from tui.keys.rotation import BulkRun, Failure, State
from tui.keys.service import KeyService
from tui.problems import Problem
from tui.text import count, short
from tui.ui.bindings import Place, bindings_for
from tui.ui.screens.dialog import ConfirmScreen
from tui.ui.widgets.field import Field
from tui.ui.widgets.key_table import KeyTable
from tui.ui.widgets.messages import MessageKind
from tui.ui.widgets.status import Status
from tui.ui.widgets.table_line import StateKind
from tui.ui.widgets.top_bar import TopBar

if TYPE_CHECKING:
    from pydantic import SecretStr

_PAUSED: dict[type, str] = {
    SessionEnded: "your session has ended",
    DeliveryFailed: "paused, as no secret could be delivered",
}
_OVER = {State.VERIFIED: "verified", State.OVERLAPPING: "marked as retiring"}

BAR = 30
"""How wide the bar is that tells how far a run has come, in cells."""


@dataclass(frozen=True, slots=True)
class BulkResult:
    """What came of a run, and whether that is all that was wanted."""

    text: str
    kind: MessageKind


class BulkScreen(Screen["BulkResult | None"]):
    """Shows the plan, then runs it; returns what came of it, or None where nothing was done.

    The run belongs to the app, not to this screen, so that nothing can cut a request off.
    """

    CSS_PATH = "bulk.tcss"
    AUTO_FOCUS = "Input, #close"
    PLACE = Place.RUN
    BINDINGS: ClassVar[list[BindingType]] = list(bindings_for(PLACE))
    place = ""
    start = ""
    ended = ""
    """What stands beside a key whose end is reached."""
    is_danger = False

    def __init__(
        self,
        service: KeyService,
        keys: Sequence[Key],
        now: Callable[[], datetime],
        notice: str,
    ) -> None:
        super().__init__()
        self.service, self.keys, self.now, self._notice = service, keys, now, notice
        self.run_: BulkRun | None = None
        self._failures: dict[str, Failure] = {}
        self._is_taking = False
        self._told = ""

    def compose(self) -> ComposeResult:
        """The plan, the keys, and how far it has come."""
        yield TopBar(f"Settings › API keys › {self.place}", notice=self._notice)
        with Vertical(id="page"):
            yield Static(Content(f"{self.place} {count(len(self.keys), 'API key')}"), id="title")
            first, *others = self.sentences()
            yield Static(Content.assemble((first, "bold"), "\n", " ".join(others)), id="plan")
            with Vertical(id="choices"):
                yield from self.choices()
            yield Static(id="progress", markup=False)
            yield Static(id="told", markup=False)
            yield KeyTable()
        with Horizontal(id="buttons"):
            yield Status()
            yield Button("Close", id="close", compact=True)
            yield Button("Retry failed", id="retry", compact=True)
            yield from self.afterwards()
            yield Button(
                Content(self.start),
                id="start",
                variant="error" if self.is_danger else "primary",
                compact=True,
            )
        yield Footer(show_command_palette=False, compact=True)

    def sentences(self) -> Sequence[str]:
        """Return what will happen."""
        return ()

    def choices(self) -> ComposeResult:
        """What has to be known before it begins."""
        yield from ()

    def afterwards(self) -> ComposeResult:
        """The buttons for what can be done once the run is over."""
        yield from ()

    def make_run(self) -> BulkRun | None:
        """Return the run, or None where the choices don't allow it, which has been told."""
        raise NotImplementedError

    def summary(self, run: BulkRun) -> str:
        """Return in sentences what came of the run, besides what failed."""
        raise NotImplementedError

    def is_complete(self, run: BulkRun) -> bool:
        """Tell whether all is done that was wanted."""
        done, of = run.progress
        return done == of

    def _became(self, run: BulkRun) -> BulkResult:
        told = [self.summary(run)]
        if run.failed:
            others = f" and {count(len(run.failed) - 1, 'other')}" if len(run.failed) > 1 else ""
            told.append(f"Failed: {short(run.failed[0].key.label, 40)}{others}.")
        if run.left:
            told.append(f"Not come to: {count(len(run.left), 'key')}.")
        kind: MessageKind = "done" if self.is_complete(run) else "note"
        return BulkResult(" ".join(filter(None, told)), "problem" if run.failed else kind)

    def close_down(self) -> None:
        """Let go of what the run needed."""

    def on_mount(self) -> None:
        """Show the keys."""
        table = self.query_one(KeyTable)
        table.show(self.keys, self.service.listing.catalogue, self.now())
        self.show_progress()

    @on(Button.Pressed, "#start")
    @on(Input.Submitted)
    def action_start(self) -> None:
        """Begin."""
        if self.run_ is None and (run := self.make_run()) is not None:
            if not any(run.progress):
                self._told = "There is nothing to do."
                self.show_progress()
                return
            self.run_ = run
            run.on_change = self.changed
            self.query_one("#choices").display = False
            self.take(lambda: run.run(self.password()), self._could_not_begin)

    @on(Button.Pressed, "#retry")
    def action_retry(self) -> None:
        """Try once more what failed."""
        run = self.run_
        if run is not None and not run.is_running and run.failed:
            self.take(lambda: run.retry_failed(self.password()), self._could_not_retry)

    def action_pause(self) -> None:
        """Pause after the present key, or go on."""
        run = self.run_
        if run is not None and run.is_running:
            if run.is_paused:
                run.resume()
            else:
                run.pause()
            self.show_progress()

    @on(Button.Pressed, "#close")
    @work(group="leave", description="leave the run")
    async def action_close(self) -> None:
        """Leave, or, while it runs, stop after the present key."""
        if await self.may_leave():
            run = self.run_
            if run is not None:
                run.on_change = None
            became = self._became(run) if run is not None else None
            self.run_ = None
            self.close_down()
            self.dismiss(became)

    def on_unmount(self) -> None:
        """Let go of what the run needed where the whole program is left."""
        self.close_down()

    async def may_leave(self) -> bool:
        """Stop the run first, which ends with the present key."""
        run = self.run_
        if run is None or not run.is_running:
            return True
        body = Content("The key at hand is seen to its end. The others stay as they are.")
        ask = ConfirmScreen("Stop the run?", body, yes="Stop", no="Go on")
        if await self.app.push_screen_wait(ask):
            run.cancel()
        return False

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Offer what makes sense now."""
        run = self.run_
        if action == "start":
            return run is None
        if action == "pause":
            return run is not None and run.is_running
        if action == "retry":
            return run is not None and not run.is_running and bool(run.failed)
        return action not in {"finish", "later"} or self.can_go_on()

    def can_go_on(self) -> bool:
        """Tell whether predecessors wait for a decision."""
        return False

    def password(self) -> SecretStr | None:
        """Return the account's password, where it is asked for."""
        from pydantic import SecretStr

        for field in self.query("#password").results(Field):
            return SecretStr(field.value)
        return None

    def take(
        self,
        step: Callable[[], Awaitable[None]],
        refused: Callable[[Exception], None] | None = None,
    ) -> None:
        """Run a step in a worker of the app's; `refused` tells why nothing of it was begun."""
        if not self._is_taking:
            self._is_taking = True
            work = self._run(step, refused or self._could_not_retry)
            self.app.run_worker(work, group="write", description=f"{self.place} keys")

    async def _run(
        self, step: Callable[[], Awaitable[None]], refused: Callable[[Exception], None]
    ) -> None:
        self._told = ""
        self.query_one(KeyTable).focus()
        self.call_later(self.show_progress)
        try:
            await step()
        except (ApiError, SessionProblem) as error:
            if self.is_attached:
                refused(error)
        finally:
            self._is_taking = False
            self.show_progress()

    def _could_not_begin(self, error: Exception) -> None:
        """Tell why nothing was begun: the password was wrong, or could not be checked."""
        self.run_ = None
        self.close_down()
        self.query_one("#choices").display = True
        words = explain(error)
        told = words.fields.get("password", "")
        for field in self.query("#password").results(Field):
            field.error = told
            field.focus_input()
        self._told = "" if told else _sentences(words)

    def _could_not_retry(self, error: Exception) -> None:
        """Tell why it could not be gone on; the run and all that it holds stays as it is."""
        self._told = _sentences(explain(error))

    def changed(self, key_id: str, state: State, problem: Exception | None) -> None:
        """Show a key's new state."""
        if not self.is_attached:
            return
        words = {**_OVER, State.FINISHED: self.ended}
        table = self.query_one(KeyTable)
        if problem is not None:
            table.set_state(key_id, in_one_line(explain(problem)), "problem")
        else:
            told, kind = words.get(state, state.value), "done" if state in words else "working"
            table.set_state(key_id, told, cast(StateKind, kind))
        self.call_later(self.show_progress)

    def show_progress(self) -> None:
        """Show how far it has come, and what can be done now."""
        if not self.is_attached:
            return
        run = self.run_
        progress = self.query_one("#progress", Static)
        progress.display = run is not None
        running = run is not None and run.is_running
        if run is not None:
            progress.update(_bar(run))
            self._failures = {failure.key.id: failure for failure in run.failed}
        self.query_one("#start").display = run is None
        self.query_one("#plan").display = run is None
        self.query_one("#retry").display = not running and bool(self._failures)
        close = self.query_one("#close", Button)
        close.label = Content("Stop" if running else "Close")
        for button in self.query(".afterwards"):
            button.display = self.can_go_on()
        self._tell_failure(self.query_one(KeyTable).key)
        self.refresh_bindings()

    @on(KeyTable.Highlighted)
    def _highlighted(self, event: KeyTable.Highlighted) -> None:
        self._tell_failure(event.key)

    def _tell_failure(self, key: Key | None) -> None:
        failure = self._failures.get(key.id) if key is not None else None
        told = self.query_one("#told", Static)
        told.display = bool(failure or self._told)
        if self._told:
            told.update(Content(self._told))
        elif failure is not None:
            about = _sentences(explain(failure.problem, failure.key))
            told.update(Content(f"{short(failure.key.label, 40)}: {about}"))


def _sentences(problem: Problem) -> str:
    """Return a problem in one paragraph."""
    lines = (f"{problem.title.rstrip('.')}.", *problem.fields.values(), problem.detail)
    return " ".join(dict.fromkeys(line for line in lines if line))


def _bar(run: BulkRun) -> Content:
    """Return how far a run has come: a bar, numbers, and why it waits where it does."""
    done, of = run.progress
    failed = len(run.failed)
    filled = round(BAR * done / of) if of else BAR
    parts = [f"  {done:,} of {of:,}"]
    if failed:
        parts.append(f"{failed:,} failed")
    if run.is_running and run.is_paused:
        parts.append(f"{_PAUSED.get(type(run.paused_because), 'paused')}: p goes on")
    elif run.waiting_until is not None:
        seconds = f"{run.pace.seconds_left:.0f} s"
        parts.append(f"waiting {seconds}: the server asks for fewer requests")
    elif not run.is_running:
        parts.append("stopped" if run.is_cancelled else "done")
    return Content.assemble(
        ("━" * filled, "$text-accent"), ("─" * (BAR - filled), "$border"), " · ".join(parts)
    )
