"""Rotating, finishing and deleting many keys."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from functools import cached_property, partial
from pathlib import Path

from textual import work
from textual.app import ComposeResult
from textual.content import Content

from tui.api.errors import Invalid
from tui.api.grants import sends
from tui.api.models import Key
from tui.delivery import (
    CommandDelivery,
    DeliveryFailed,
    FileDelivery,
    NoSecretsRead,
    does_not_answer,
    form_of,
    read_secrets,
    typed_path,
    variable_name,
)
from tui.keys.key_record import UnfinishedRotation
from tui.keys.rotation import (
    BulkRotation,
    BulkRun,
    Failure,
    Plan,
    Rotation,
    State,
    check_jobs,
    delete_jobs,
    finish_jobs,
    plan_rotations,
    unmark_jobs,
)
from tui.problems import Problem
from tui.text import count, plain
from tui.ui.bindings import drawn_keys, with_keys
from tui.ui.screens.bulk import BulkScreen
from tui.ui.screens.bulk_rows import AHEAD, LEFT_OUT, ROTATION_STEPS, rotation_row
from tui.ui.screens.dialog import AskScreen, ConfirmScreen
from tui.ui.screens.rotate import RotateScreen
from tui.ui.widgets.command_field import CommandField, delivery_memory_of
from tui.ui.widgets.field import Field
from tui.ui.widgets.password_field import PasswordField
from tui.ui.widgets.run_table import RunRow, RunTable
from tui.waiting import FILE_SECONDS, in_thread, seen_through


class BulkRotateScreen(BulkScreen):
    """Every key gets a successor, delivered and verified; then the predecessors are decided on."""

    verb = "Rotate"
    start_label = "Create successors"
    steps = ROTATION_STEPS

    def on_mount(self) -> None:
        """Show beside the keys which are left out, and what is special about others."""
        left_out = {key.id for key in self._plan.left_out}
        notes = self._plan.notes
        self.query_one(RunTable).set_rows(
            {
                key.id: RunRow(
                    LEFT_OUT if key.id in left_out else AHEAD.steps, notes.get(key.id, "")
                )
                for key in self.keys
            }
        )

    def sentences(self) -> Sequence[str]:
        """Return what will happen."""
        return self._plan.sentences

    def row(self, key_id: str, state: State, problem: Exception | None) -> RunRow:
        """Return how far the key's rotation is."""
        run = self._rotation_run
        return rotation_row(run.rotations[key_id]) if run is not None else AHEAD

    def choices(self) -> ComposeResult:
        """The account's password, as in the rotation of one key, and where the secrets go."""
        yield PasswordField(is_needed=self.service.session.has_password)
        name = ""
        if self._plan.keys:
            key = self._plan.keys[0]
            name = variable_name(plain(key.raw_label or ""), key.short_key, taken=())
        forms = f"secrets.env, .json or .csv; {name}=…" if name else "secrets.env, .json or .csv"
        yield Field("To a new file", id="file", placeholder=forms, replaced_by_typing=True)
        chosen = drawn_keys("↑ ↓ choose one, to change it", self.app)
        field = Field("or to a command", id="command", placeholder=chosen)
        yield CommandField(field, delivery_memory_of(self.app), hides_list=True)

    async def make_run(self) -> BulkRun | None:
        """Return the run, once the chosen delivery was checked and a password was typed."""
        keys = self._plan.keys
        labels = [key.raw_label or "" for key in keys]
        if self._file_closing is not None:
            await asyncio.wait({self._file_closing})
        delivery = await self._delivery(labels) if keys else None
        if delivery is None:
            return None
        password = self.query_one(PasswordField)
        if not password.check():
            password.focus_input()
            await in_thread(delivery.close)
            return None
        self._open_delivery, self._labels = delivery, labels
        return BulkRotation(self.service, keys, delivery, unfinished=self._plan.replaced)

    def summary(self, run: BulkRun) -> str:
        """Return how many keys reached which state."""
        rotations = self._rotation_run.rotations.values() if self._rotation_run else ()
        states = Counter(rotation.state for rotation in rotations)
        sentences: list[str] = []
        if rotated := states[State.FINISHED]:
            sentences.append(f"{count(rotated, 'key')} rotated.")
        if without_key := states[State.NOTHING_LEFT]:
            sentences.append(f"NO KEY IS LEFT of {count(without_key, 'label')}: create them again.")
        if verified := states[State.VERIFIED]:
            deletes = with_keys("{keys.finish} deletes them", self.app)
            sentences.append(
                f"{count(verified, 'successor')} made. The old keys still work: {deletes}."
            )
        if unverified := len(self._rotation_run.unverified) if self._rotation_run else 0:
            works = "" if verified else "; the old keys still work"
            sentences.append(f"{count(unverified, 'successor')} stored, but not verified{works}.")
        return " ".join(sentences)

    def is_complete(self, run: BulkRun) -> bool:
        """Return whether every predecessor was decided on."""
        return not self.awaits_decision() and super().is_complete(run)

    def close_down(self) -> None:
        """Close the file; remember a command that took secrets."""
        rotations = self._rotation_run.rotations.values() if self._rotation_run else ()
        if isinstance(self._open_delivery, CommandDelivery) and any(r.stored for r in rotations):
            delivery_memory_of(self.app).note_command(self._open_delivery.template)
        if self._open_delivery is not None:
            self._file_closing = seen_through(in_thread(self._open_delivery.close))
            self._open_delivery = None

    async def may_leave(self) -> bool:
        """Ask before leaving loses secrets that were delivered nowhere."""
        if not await super().may_leave():
            return False
        held = len(self._rotation_run.holding) if self._rotation_run else 0
        if not held:
            return True
        body = Content(
            f"{count(held, 'secret')} could not be delivered, and nobody but this program has "
            f"{'it' if held == 1 else 'them'}. Enter on such a key shows its secret, to store it "
            "by hand."
        )
        ask = ConfirmScreen(
            "Lose secrets that were not stored?", body, yes="Lose them", no="Go back", danger=True
        )
        return await self.app.push_screen_wait(ask)

    def awaits_decision(self) -> bool:
        """Return whether predecessors of stored successors are left, and no step is under way."""
        run = self._rotation_run
        return run is not None and not self.is_busy and bool(run.verified or run.unverified)

    async def action_later(self) -> None:
        """Leave, and keep both keys of each: the marks say which replaces which."""
        await self.run_action("close")

    @work(group="finish", description="delete the predecessors")
    async def action_finish(self) -> None:
        """Delete the predecessors of verified successors, after asking; ask about the others."""
        run = self._rotation_run
        if run is None or not self.awaits_decision():
            return
        if run.verified:
            body = Content(
                "Their successors are stored and were verified. Whoever still uses an old "
                "secret is locked out at once."
            )
            title = f"Delete {count(len(run.verified), 'predecessor')}?"
            ask = ConfirmScreen(title, body, yes="Delete predecessors", danger=True)
            if not await self.app.push_screen_wait(ask):
                return
        also = run.unverified
        if also and not await self._agrees_to_unverified(also):
            also = ()
        if also or run.verified:
            self.take_step(lambda: run.finish_verified(also))

    async def _agrees_to_unverified(self, rotations: Sequence[Rotation]) -> bool:
        """Ask about all predecessors at once whose successors were not verified."""
        number = len(rotations)
        limited = sum(bool(rotation.draft.valid_ips) for rotation in rotations)
        sentences = [
            "Their successors are stored, but were not verified: if one does not work, nothing "
            "works any more where the old key was used."
        ]
        if limited:
            sentences.append(
                f"Allowed IPs limit {limited:,} of them, and this host may not be among those."
            )
        title = f"Delete {count(number, 'predecessor')} of unverified successors?"
        ask = ConfirmScreen(
            title,
            Content(" ".join(sentences)),
            yes="Delete those",
            no="Keep them",
            danger=True,
        )
        return await self.app.push_screen_wait(ask)

    def next_step(self) -> str:
        """Return what can be done with the predecessors."""
        if not self.awaits_decision():
            return ""
        return (
            "The predecessors still work. Put the new secrets to use; then `{run.finish}` deletes "
            "the predecessors, or `{run.later}` keeps both keys."
        )

    def open_key(self, key: Key) -> None:
        """Show the key's rotation, where its secret can be stored by hand; else what is said."""
        run = self._rotation_run
        if run is None or self.is_busy or key.id not in run.rotations:
            super().open_key(key)
            return
        rotation = run.rotations[key.id]
        self.app.push_screen(
            RotateScreen(self.service, rotation, self.now, self._notice, is_part=True)
        )

    def describe_failure(self, failure: Failure) -> Problem:
        """Say also how a successor comes to be that the server refuses as it is."""
        problem = super().describe_failure(failure)
        if not isinstance(failure.problem, Invalid) or not problem.fields:
            return problem
        what = "take the grant away" if "grants" in problem.fields else "change it"
        hint = f"Rotate this key alone, and {what} there with {{rotate.change}}."
        detail = with_keys(hint, self.app)
        return replace(problem, title="The successor was refused", detail=detail, hint="")

    def runs_command(self) -> bool:
        """Return whether secrets are handed to a command."""
        return isinstance(self._open_delivery, CommandDelivery)

    def action_stop_command(self) -> None:
        """Stop the command that has a secret now."""
        if isinstance(self._open_delivery, CommandDelivery):
            self._open_delivery.stop()

    async def agrees_to_retry(self) -> bool:
        """Ask for the command once more where it did not take secrets, to be put right.

        A file can't be changed: the secrets that it has would be apart from the others.
        """
        run, delivery, refusal = self._rotation_run, self._open_delivery, ""
        failed = run.failed if run is not None else ()
        is_undelivered = any(isinstance(each.problem, DeliveryFailed) for each in failed)
        if run is None or not is_undelivered or not isinstance(delivery, CommandDelivery):
            return True
        command = delivery.template
        body = Content(
            "It gets each secret that was not delivered on its standard input. Change it where it "
            "was mistyped."
        )
        while True:
            ask = AskScreen(
                "Hand the secrets to a command",
                body,
                "Command",
                yes="Retry",
                value=command,
                refusal=refusal,
            )
            answer = await self.app.push_screen_wait(ask)
            if answer is None:
                return False
            if answer.strip() == delivery.template.strip():
                return True
            other = CommandDelivery(answer)
            try:
                other.check(self._labels, self.service.listing.raw_labels)
            except DeliveryFailed as failure:
                command, refusal = answer, failure.sentence
            else:
                self._open_delivery = other
                run.deliver_by(other)
                return True

    @cached_property
    def _plan(self) -> Plan:
        return plan_rotations(
            self.keys,
            self.service.session.user,
            self.records.unfinished,
            orphans=self.records.orphans,
            unclear=self.records.unclear,
            tells_addresses=self.service.listing.tells_addresses,
        )

    @property
    def _rotation_run(self) -> BulkRotation | None:
        return self.bulk_run if isinstance(self.bulk_run, BulkRotation) else None

    _open_delivery: FileDelivery | CommandDelivery | None = None
    _labels: Sequence[str] = ()
    """The labels of the keys of the run, which one command must not mistake for each other."""
    _file_closing: asyncio.Task[None] | None = None
    """Closes the file of a run that was not started; the next one may be of the same name."""

    async def _delivery(self, labels: list[str]) -> FileDelivery | CommandDelivery | None:
        """Return the chosen delivery, checked; None, with an error at its field, where it fails."""
        file, command = self.query_one("#file", Field), self.query_one("#command", Field)
        field = command if command.value.strip() else file
        if command.value.strip() and file.value.strip():
            field.error = "Choose one: a new file or a command."
            field.focus_input()
            return None
        try:
            if field is command:
                by_command = CommandDelivery(command.value)
                by_command.check(labels, self.service.listing.raw_labels)
                return by_command
            path = typed_path(file.value)
            if (form := form_of(path)) is not None:
                to_file = FileDelivery(path, form)
                await in_thread(to_file.check)
                return to_file
            field.error = "Name a new file that ends in .env, .json or .csv, or a command."
        except DeliveryFailed as failure:
            field.error = failure.sentence
        except TimeoutError:
            field.error = does_not_answer(Path(file.value.strip())).sentence
        field.focus_input()
        return None


class BulkFinishScreen(BulkScreen):
    """The predecessors whose successors are stored and known to work are deleted."""

    verb = "Finish"
    start_label = "Delete predecessors"
    steps = ("done",)
    is_danger = True
    AUTO_FOCUS = "#close"

    def on_mount(self) -> None:
        """Show beside the keys which are deleted and which stay."""
        rows: dict[str, RunRow] = {key.id: _left_out("not being rotated") for key in self.keys}
        for rotation in self._rotations:
            rows |= {key.id: _left_out("a successor: it stays") for key in rotation.successors}
        for rotation in self._proven:
            rows[rotation.predecessor.id] = RunRow(("ahead",), "will be deleted")
        for rotation in self._unproven:
            rows[rotation.predecessor.id] = _left_out(
                "its successor is stored, but not verified: v shows it, with the file of secrets"
            )
        for rotation in self._unlike:
            rows[rotation.predecessor.id] = _left_out(
                f"its successor has {rotation.differences}: f on it shows both"
            )
        for rotation in self._not_known:
            rows[rotation.predecessor.id] = _left_out(
                "whether its successor is stored and works is not known here: f on it asks"
            )
        for key in self._left_marked:
            rows[key.id] = RunRow(("ahead",), "gets its plain label back: what it replaced is gone")
        self.query_one(RunTable).set_rows(rows)

    def sentences(self) -> list[str]:
        """Return what will happen."""
        number, labels = len(self._proven), len(self._left_marked)
        sentences = [f"{count(number, 'predecessor')} will be deleted; their successors stay."]
        if labels:
            gets = "gets its plain label" if labels == 1 else "get their plain labels"
            sentences.append(f"{count(labels, 'key')} {gets} back.")
        return [*sentences, "Whoever still uses one of the old secrets is locked out at once."]

    def choices(self) -> ComposeResult:
        """The number of successors that are stored but not verified, typed to include them."""
        if self._unproven:
            number = len(self._unproven)
            yield Field(
                "Unverified too", id="number", placeholder=f"type {number} to delete those as well"
            )

    async def make_run(self) -> BulkRun | None:
        """Return the run; a number that is none of those offered is refused."""
        chosen = list(self._proven)
        if self._unproven:
            field = self.query_one("#number", Field)
            number = str(len(self._unproven))
            if field.value.strip() not in {"", number}:
                field.error = f"Type {number}, or nothing to leave them out."
                field.focus_input()
                return None
            if field.value.strip():
                chosen += self._unproven
        rotations = [Rotation.resume(self.service, unfinished) for unfinished in chosen]
        jobs = [*finish_jobs(rotations), *unmark_jobs(self.service, self._left_marked)]
        return BulkRun(self.service, jobs)

    def summary(self, run: BulkRun) -> str:
        """Return how many predecessors were deleted."""
        done, total = run.progress
        return f"{done:,} of {count(total, 'rotation')} finished."

    @cached_property
    def _rotations(self) -> list[UnfinishedRotation]:
        """The known rotations of the chosen keys, without those that others work on."""
        key_ids = {key.id for key in self.keys}
        return [
            rotation
            for rotation in self.records.unfinished
            if rotation.is_known
            and rotation.worker is None
            and key_ids & {rotation.predecessor.id, *(key.id for key in rotation.successors)}
        ]

    @property
    def _proven(self) -> list[UnfinishedRotation]:
        return [each for each in self._decidable if each.is_proven and not each.differences]

    @property
    def _unproven(self) -> list[UnfinishedRotation]:
        return [each for each in self._decidable if not each.is_proven and not each.differences]

    @property
    def _unlike(self) -> list[UnfinishedRotation]:
        return [each for each in self._decidable if each.differences]

    @property
    def _decidable(self) -> list[UnfinishedRotation]:
        """The rotations with one successor, whose secret is stored."""
        return [each for each in self._rotations if each.is_stored and len(each.successors) == 1]

    @property
    def _not_known(self) -> list[UnfinishedRotation]:
        decided = {each.predecessor.id for each in self._decidable}
        return [each for each in self._rotations if each.predecessor.id not in decided]

    @cached_property
    def _left_marked(self) -> list[Key]:
        """The chosen keys that carry a mark, though what they replaced is gone."""
        key_ids = {key.id for key in self.keys}
        return [key for key in self.records.to_unmark if key.id in key_ids]


class BulkDeleteScreen(BulkScreen):
    """Keys are deleted, with nothing to take their places."""

    verb = "Delete"
    start_label = "Delete API Keys"
    steps = ("deleted",)
    is_danger = True

    def sentences(self) -> list[str]:
        """Return what will happen."""
        sentences = ["Access is revoked at once for every client that uses these keys."]
        if sending := sum(sends(key.grants) for key in self.keys):
            sentences.append(f"{sending:,} of them can send mail: what uses them stops.")
        return [*sentences, "It can't be undone."]

    def choices(self) -> ComposeResult:
        """The number of keys, typed."""
        yield Field("How many keys *", id="number", placeholder=f"type {len(self.keys)}")

    async def make_run(self) -> BulkRun | None:
        """Return the run, once the number is typed."""
        field = self.query_one("#number", Field)
        if field.value.strip() != str(len(self.keys)):
            field.error = f"Type {len(self.keys)} to delete so many keys."
            field.focus_input()
            return None
        return BulkRun(self.service, delete_jobs(self.service, self.keys))

    def summary(self, run: BulkRun) -> str:
        """Return how many keys were deleted."""
        done, total = run.progress
        return f"{done:,} of {count(total, 'key')} deleted."


class BulkVerifyScreen(BulkScreen):
    """Keys are verified, with the secrets from a file that this program wrote."""

    verb = "Verify"
    start_label = "Verify"
    steps = ("verified",)

    def sentences(self) -> list[str]:
        """Return what will happen."""
        return [
            "The server does not show secrets again. Name the file that they were written to.",
            "They are used for requests that change nothing, and are not kept.",
        ]

    def choices(self) -> ComposeResult:
        """The file."""
        yield Field("File of secrets *", id="file", placeholder="secrets.env, .json or .csv")

    async def make_run(self) -> BulkRun | None:
        """Return the run, once the file was read and holds secrets of some of the keys."""
        field = self.query_one("#file", Field)
        path = Path(field.value.strip())
        try:
            secrets = await in_thread(partial(read_secrets, path))
        except (NoSecretsRead, TimeoutError) as failure:
            no_answer = f"{plain(str(path))} did not answer within {FILE_SECONDS:g} s."
            field.error = failure.sentence if isinstance(failure, NoSecretsRead) else no_answer
            field.focus_input()
            return None
        keys_with_secrets = [(key, secrets[key.id]) for key in self.keys if key.id in secrets]
        if not keys_with_secrets:
            field.error = "It holds no secret of the chosen keys."
            field.focus_input()
            return None
        missing = (key.id for key in self.keys if key.id not in secrets)
        self.query_one(RunTable).set_rows(
            dict.fromkeys(missing, _left_out("no secret in the file"))
        )
        return BulkRun(self.service, check_jobs(self.service, keys_with_secrets))

    def summary(self, run: BulkRun) -> str:
        """Return how many keys work."""
        done, total = run.progress
        return f"{done:,} of {count(total, 'key')} verified."


def _left_out(words: str) -> RunRow:
    """Return the row of a key with which nothing is done, and why."""
    return RunRow(("left out",), words)
