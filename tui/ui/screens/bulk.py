"""Many keys at once: one plan, shown before it begins, then each key's state as it goes on."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from typing import TYPE_CHECKING, ClassVar

from textual import events, on, work
from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import Horizontal, Vertical
from textual.content import Content
from textual.screen import Screen
from textual.timer import Timer
from textual.widgets import Input, Static

from tui.api.errors import ApiError
from tui.api.models import Key
from tui.api.session import SessionEnded, SessionProblem
from tui.delivery import DeliveryFailed
from tui.keys.labels import shown_label
from tui.keys.records import Records
from tui.keys.rotation import BulkRun, Failure, JournalNotWritten, State
from tui.keys.service import KeyService
from tui.problems import Problem, describe
from tui.text import count, short
from tui.ui.bindings import Place, bindings_for, with_keys
from tui.ui.screens.bulk_rows import problem_in_short
from tui.ui.screens.delete_key import facts_of
from tui.ui.screens.dialog import ConfirmScreen, TellScreen
from tui.ui.widgets.button import Button
from tui.ui.widgets.facts_pane import BREAKPOINTS, FactsText
from tui.ui.widgets.key_facts import describe_key
from tui.ui.widgets.key_footer import KeyFooter
from tui.ui.widgets.key_table import KeyTable
from tui.ui.widgets.keyed import keyed
from tui.ui.widgets.messages import MessageKind
from tui.ui.widgets.password_field import PasswordField
from tui.ui.widgets.run_table import RunRow, RunTable
from tui.ui.widgets.top_bar import TopBar

if TYPE_CHECKING:
    from pydantic import SecretStr

_DONE = frozenset({State.VERIFIED, State.FINISHED})

PROGRESS_SECONDS = 0.2
"""How long at least is between two drawings of the progress, while keys are worked on."""


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
    HORIZONTAL_BREAKPOINTS: list[tuple[int, str]] | None = BREAKPOINTS
    verb: str
    """What is done with the keys, as the title says it."""
    start_label: str
    """The label of the button that starts the run."""
    steps: tuple[str, ...]
    """What the columns of the table are headed by: the steps of each key."""
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
        """The plan or the progress, the keys, and the sentence of the key at the cursor."""
        yield TopBar(f"Settings › API keys › {self.verb}", notice=self._notice)
        with Horizontal():
            with Vertical(id="run"):
                with Vertical(id="page"):
                    with Horizontal(id="head"):
                        title = f"{self.verb} {count(len(self.keys), 'API key')}"
                        yield Static(Content(title), id="title")
                        yield Static(id="progress", markup=False)
                    yield Static(id="bar", markup=False)
                    yield Static(Content("\n".join(self.sentences())), id="plan")
                    with Vertical(id="choices"):
                        yield from self.choices()
                    yield RunTable(self.steps)
                yield Static(id="message", markup=False)
                yield from self._buttons()
            yield FactsText(classes="beside")
        yield KeyFooter()

    def _buttons(self) -> ComposeResult:
        """Back, and the start."""
        with Horizontal(id="buttons"):
            yield Button("Close", id="close", compact=True)
            yield Button(
                Content(self.start_label),
                id="start",
                variant="error" if self.is_danger else "primary",
                compact=True,
            )

    @abstractmethod
    def sentences(self) -> Sequence[str]:
        """Return what will happen, a line each."""

    @abstractmethod
    async def make_run(self) -> BulkRun | None:
        """Return the run; None, with an error at a field, where the choices don't allow it."""

    @abstractmethod
    def summary(self, run: BulkRun) -> str:
        """Return what was done, in sentences; failures are added to it."""

    def choices(self) -> ComposeResult:
        """The fields to fill in before the start."""
        yield from ()

    def row(self, key_id: str, state: State, problem: Exception | None) -> RunRow:
        """Return how far a key has come; as it is asked for at every change, it takes no time."""
        if problem is not None:
            return RunRow(("failed",), problem_in_short(problem), is_problem=True)
        if state is State.UNKNOWN:
            return RunRow(("unknown",))
        return RunRow(("done" if state in _DONE else "working",))

    def is_complete(self, run: BulkRun) -> bool:
        """Return whether nothing is left to do."""
        done, total = run.progress
        return done == total

    def _result(self, run: BulkRun) -> BulkResult:
        sentences = [self.summary(run)]
        if run.failed:
            others = f" and {count(len(run.failed) - 1, 'other')}" if len(run.failed) > 1 else ""
            sentences.append(f"Failed: {short(run.failed[0].key.label, 40)}{others}.")
        if run.left:
            sentences.append(f"Not begun: {count(len(run.left), 'key')}.")
        kind: MessageKind = "done" if self.is_complete(run) else "note"
        return BulkResult(" ".join(filter(None, sentences)), "problem" if run.failed else kind)

    def close_down(self) -> None:
        """Close what the run held open."""

    def on_mount(self) -> None:
        """Show the keys."""
        choices = self.query_one("#choices")
        choices.display = bool(choices.children)
        self._table = table = self.query_one(RunTable)
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

    def action_start_now(self) -> None:
        """Start the run, wherever the focus is."""
        self.action_start()

    @work(group="retry", exclusive=True, description="retry what failed")
    async def action_retry(self) -> None:
        """Try once more what failed."""
        run = self.bulk_run
        can_retry = run is not None and not self.is_busy and run.failures > 0
        if run is not None and can_retry and await self.agrees_to_retry():
            self.take_step(lambda: run.retry_failed(self.password()))

    async def agrees_to_retry(self) -> bool:
        """Ask for what the failed keys need for another try; False where that is cancelled."""
        return True

    def action_pause(self) -> None:
        """Pause after the keys under way."""
        if self.bulk_run is not None and self.is_busy:
            self.bulk_run.pause()
            self.show_progress()

    def action_go_on(self) -> None:
        """Go on with a paused run."""
        if self.bulk_run is not None and self.is_busy:
            self.bulk_run.resume()
            self.show_progress()

    def action_stop(self) -> None:
        """Stop after the keys under way."""
        self.action_close()

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
        body = Content("The keys under way are completed. The others stay as they are.")
        ask = ConfirmScreen("Stop the run?", body, yes="Stop", no="Go on")
        if await self.app.push_screen_wait(ask):
            run.cancel()
        return False

    def stop_at_once(self) -> None:
        """Begin no further key, as the program ends."""
        if self.bulk_run is not None:
            self.bulk_run.cancel()

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Offer what makes sense now, and for each key what it does where the focus is."""
        run, is_running = self.bulk_run, self.bulk_run is not None and self.is_busy
        starts = isinstance(self.focused, Input) or getattr(self.focused, "id", "") == "start"
        offers = {
            "start": run is None and starts,
            "start_now": run is None and not starts,
            "pause": run is not None and is_running and not run.is_paused,
            "go_on": run is not None and is_running and run.is_paused,
            "retry": run is not None and not is_running and run.failures > 0,
            "stop": is_running,
            "close": not is_running,
            "finish": self.awaits_decision(),
            "later": self.awaits_decision(),
            "stop_command": is_running and self.runs_command(),
        }
        return offers.get(action, True)

    def runs_command(self) -> bool:
        """Return whether secrets are handed to a command, which may hang."""
        return False

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
            work = self._run_step(step, on_refused or self._show_not_continued)
            self.app.run_worker(work, group="write", description=f"{self.verb} keys")

    async def _run_step(
        self, step: Callable[[], Awaitable[None]], on_refused: Callable[[Exception], None]
    ) -> None:
        self._message = ""
        self._table.focus()
        self.call_later(self.show_progress)
        try:
            await step()
        except (ApiError, SessionProblem) as error:
            if self.is_attached:
                on_refused(error)
        finally:
            self.is_busy = False
            if self.is_attached:
                self._put_failures_first()
            self.show_progress()

    def _put_failures_first(self) -> None:
        """Show the keys that failed first, and last those with which nothing is done."""
        run, table = self.bulk_run, self._table
        if run is None:
            return
        failed = {failure.key.id for failure in run.failed}
        keys = sorted(
            self.keys,
            key=lambda key: (key.id not in failed, "left out" in table.row_of(key.id).steps),
        )
        table.show(keys, self.service.listing.catalogue, self.now())
        if failed and (table.key is None or table.key.id not in failed):
            table.move_to(keys[0].id)

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
        self._table.set_row(key_id, self.row(key_id, state, problem))
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
            self._draw_progress(run, is_running=is_running)
            if run.waiting_until is not None:
                self._drawing = self.set_timer(1, self.show_progress)
        self._show_sentence(self._table.key)
        has_failures, is_paused = run is not None and bool(run.failures), False
        if run is not None:
            is_paused = run.is_paused
        offered = (run is None, is_running, is_paused, has_failures, self.awaits_decision())
        if offered != self._offered:
            self._offered = offered
            self._show_offers(run)

    def _draw_progress(self, run: BulkRun, *, is_running: bool) -> None:
        self.query_one("#progress", Static).update(
            _progress(run, with_keys("{run.go_on}", self.app), is_running=is_running), layout=False
        )
        bar = self.query_one("#bar", Static)
        bar.update(_bar(run, bar.size.width), layout=False)

    def _show_offers(self, run: BulkRun | None) -> None:
        """Show the fields, or how far the run is, and the keys of what can be done now."""
        for name in ("#plan", "#buttons"):
            self.query_one(name).display = run is None
        for name in ("#progress", "#bar"):
            self.query_one(name).display = run is not None
        self.set_class(run is not None, "-begun")
        if run is not None:
            self.call_after_refresh(self._draw_progress, run, is_running=self.is_busy)
        self.refresh_bindings()

    @on(events.Resize)
    def _follow_width(self) -> None:
        """Say what belongs to a key beside the table or beneath it, as there is room."""
        self.call_after_refresh(lambda: self._show_sentence(self._table.key))

    @on(KeyTable.Highlighted)
    def _highlighted(self, event: KeyTable.Highlighted) -> None:
        self._show_sentence(event.key)

    def _show_sentence(self, key: Key | None) -> None:
        """Show what is said of the run, else of the key at the cursor, else what comes next."""
        message, run = self.query_one("#message", Static), self.bulk_run
        sentence = (_why_paused(run) if run is not None else "") or self._message
        outcome = self.sentence_of(key)
        self.query_one(FactsText).show_text(partial(self._facts, key, outcome), key)
        if self.has_class("-wide"):
            outcome = Content("")  # it stands beside the keys
        text = _problem_line(sentence) if sentence else self._behind_label(key, outcome)
        text = text or keyed(with_keys(self.next_step(), self.app))
        message.update(_fitted(text, message.size.width, message.size.height), layout=False)

    def _behind_label(self, key: Key | None, outcome: Content) -> Content:
        """Return what is said of a key behind its label; a failure is known by its sign."""
        if key is None or not outcome or self._failure_of(key) is not None:
            return outcome
        label = short(shown_label(key.raw_label or ""), 40)
        return Content.assemble((label, "bold"), "  ", outcome)

    def _failure_of(self, key: Key | None) -> Failure | None:
        return self.bulk_run.failure_of(key.id) if self.bulk_run and key else None

    def _facts(self, key: Key | None, outcome: Content, width: int) -> Content:
        """Return what is known of a key, and what is said of it in this run."""
        if key is None:
            return Content("")
        facts = describe_key(key, self._table.key_context, width)
        head, *others = facts.split("\n", allow_blank=True)
        return Content("\n").join([head, *([outcome] if outcome else []), *others])

    def next_step(self) -> str:
        """Return what can be done next, or nothing, for `with_keys`; keys are between backticks."""
        return ""

    def sentence_of(self, key: Key | None) -> Content:
        """Return all that is said of a key in one paragraph, safe to show; or nothing."""
        failure = self._failure_of(key)
        if failure is not None and isinstance(failure.problem, DeliveryFailed):
            return _problem_line(failure.problem.sentence)  # its row says that it is not stored
        if failure is not None:
            return _problem_line(_paragraph(self.describe_failure(failure)))
        words = self._table.row_of(key.id).words if key is not None else ""
        return Content.styled(short(words), "$text-muted")

    def describe_failure(self, failure: Failure) -> Problem:
        """Put into words why a key did not get where it was to."""
        return describe(failure.problem, failure.key)

    @on(KeyTable.Opened)
    def _opened(self, event: KeyTable.Opened) -> None:
        self.open_key(event.key)

    def open_key(self, key: Key) -> None:
        """Show what is known of a key, and in full what is said of it in this run."""
        label = short(shown_label(key.raw_label or ""), 60) or "(no label)"
        facts = facts_of(key, self.service.listing.catalogue, self.now())
        failure = self._failure_of(key)
        outcome = short(self._table.row_of(key.id).words)
        if failure is not None:
            problem = self.describe_failure(failure)
            outcome = "\n\n".join(
                filter(None, (_paragraph(problem), problem.hint, problem.technical))
            )
        self.app.push_screen(TellScreen(label, Content(outcome), facts))


def _problem_line(sentence: str) -> Content:
    return Content.assemble(("✗ ", "$text-error"), sentence)


def _paragraph(problem: Problem) -> str:
    """Return a problem in one paragraph."""
    lines = (f"{problem.title.rstrip('.')}.", *problem.fields.values(), problem.detail)
    return " ".join(dict.fromkeys(line for line in lines if line))


def _fitted(text: Content, width: int, height: int) -> Content:
    """Return as much of a text as there is room for; what did not fit ends in an ellipsis."""
    lines = text.wrap(width) if width > 1 else []
    if len(lines) > height > 0:
        lines[height - 1] = lines[height - 1].truncate(width - 1) + Content("…")
    return Content("\n").join(lines[: max(1, height)])


def _progress(run: BulkRun, go_on_key: str, *, is_running: bool) -> Content:
    """Return how far a run is, and whether it waits."""
    done, total = run.progress
    parts = [Content(f"{done:,} of {total:,}")]
    if run.failures:
        parts.append(Content.styled(f"{run.failures:,} failed", "$text-error"))
    if is_running and run.is_paused:
        parts.append(Content.styled(f"paused: {go_on_key} goes on", "$text-warning"))
    elif run.waiting_until is not None:
        seconds = f"{run.throttle.seconds_left:.0f} s"
        parts.append(Content(f"waiting {seconds}: the server asks for fewer requests"))
    elif not is_running:
        parts.append(Content("stopped" if run.is_cancelled else "done"))
    return Content(" · ").join(parts)


def _why_paused(run: BulkRun) -> str:
    """Return why a run has paused by itself, in sentences; or nothing."""
    match run.paused_because:
        case JournalNotWritten() as problem:
            return str(problem)
        case DeliveryFailed() as problem if run.is_paused:
            return f"Paused, as no secret could be delivered. {problem.sentence}"
        case SessionEnded() if run.is_paused:
            return "Paused, as your session has ended."
    return ""


def _bar(run: BulkRun, width: int) -> Content:
    """Return a bar of `width` cells: what is done, what failed, what is left.

    The sign at its begin tells the failed part without colour.
    """
    done, total = run.progress
    filled = width * done // total if total else width
    failed = min(width - filled, max(1, width * run.failures // total)) if run.failures else 0
    if done + run.failures == total:
        filled = width - failed
    return Content.assemble(
        ("━" * filled, "$text-accent"),
        (("✗" + "━" * (failed - 1)) if failed else "", "$text-error"),
        ("─" * (width - filled - failed), "$border"),
    )
