"""What can be done with one key, each action read from top to bottom: ask, do, reload, show."""

from __future__ import annotations

import os
from collections.abc import Awaitable, Callable, Sequence
from contextlib import AbstractContextManager
from datetime import datetime
from functools import partial
from typing import Any, Protocol

from textual.app import App
from textual.content import Content

from tui.api.errors import ApiError
from tui.api.models import Key
from tui.api.session import SessionProblem
from tui.config.last_used import DeliveryMemory
from tui.config.profile import Profile
from tui.delivery import send_to_clipboard
from tui.keys.guard import OtherInstanceAtWork
from tui.keys.key_record import KeyRecord, UnfinishedRotation
from tui.keys.labels import base_label, retiring_since, shown_label
from tui.keys.pause import find_pauses, pause, resume, tells_ips, why_not_paused
from tui.keys.paused_mark import is_paused
from tui.keys.records import Records
from tui.keys.rotation import OtherSecret, Rotation, State
from tui.keys.rotation.jobs import MarkRemoval
from tui.keys.rotation.rotation import SEEN_TO_WORK
from tui.keys.service import KeyService
from tui.keys.write_outcomes import CannotGoOn
from tui.problems import Problem, describe
from tui.text import mask, plain, short
from tui.ui.bindings import with_keys
from tui.ui.screens.alike import AlikeScreen
from tui.ui.screens.bulk import BulkScreen
from tui.ui.screens.copy import CopyScreen
from tui.ui.screens.create_key import CreateKeyScreen
from tui.ui.screens.delete_key import ask_delete, facts_of
from tui.ui.screens.dialog import AskSecretScreen
from tui.ui.screens.edit_key import EditKeyScreen
from tui.ui.screens.key_detail import KeyDetailScreen
from tui.ui.screens.pause_text import ask_pause, ask_resume
from tui.ui.screens.rotate import RotateScreen
from tui.ui.screens.rotation_dialogs import ask_insist, ask_orphan
from tui.ui.screens.secret import SecretScreen
from tui.ui.screens.verify import VerifyScreen, verification_of
from tui.ui.terminal.textual_internals import write_to_terminal
from tui.ui.terminal.type_ahead import opening_screen
from tui.ui.widgets.key_list_panel import KeyListPanel


class KeyListView(Protocol):
    """The screen on whose behalf actions are run."""

    panel: KeyListPanel
    profile: Profile
    delivery_memory: DeliveryMemory

    @property
    def app(self) -> App[Any]:
        """The app, which shows the dialogs."""

    @property
    def notice(self) -> str:
        """The lasting notices above every screen."""

    async def read(self) -> bool:
        """Read the keys and show them; False, with the reason shown, where that fails."""

    def writing(self, sentence: str) -> AbstractContextManager[None]:
        """Show that a write is under way; the program is not left meanwhile."""


class KeyActions:
    """The actions of one key, run for a `view` by way of a service; `now` is the clock in UTC."""

    def __init__(self, view: KeyListView, service: KeyService, now: Callable[[], datetime]) -> None:
        self._view, self._service, self._now = view, service, now
        self._panel = view.panel

    async def create_like(self, key: Key) -> None:
        """Create a key that may do what another one may, from the same addresses."""
        await self.create(key)

    async def create(self, like: Key | None = None) -> None:
        """Create a key, show its secret once, and go on with the key in the list."""
        app, listing = self._view.app, self._service.listing
        subaccount = self._view.profile.subaccount
        form = CreateKeyScreen(self._service, self._view.notice, like, subaccount)
        created = await app.push_screen_wait(form)
        if created is None:
            if form.was_sent:
                await self._view.read()
            return
        key, draft = created.key, created.draft
        key_id, short_key, label, attempt = key.id, key.short_key, key.label, created.attempt
        subaccount_id = draft.subaccount_id
        proof = verification_of(self._service, key.secret, draft.grants, draft.valid_ips)
        user = self._service.session.user
        screen = SecretScreen(
            created,
            listing.catalogue,
            proof,
            labels=listing.raw_labels,
            owner=user.username if user is not None else "",
        )
        del form, created, key, proof
        went_to = await app.push_screen_wait(screen)
        del screen
        self._service.presence.release(attempt.id)
        about = ""
        if await self._view.read():
            listed_key = self._service.listing.find(key_id, short_key, label, subaccount_id)
            if listed_key is not None:
                about, label = listed_key.id, listed_key.label
                self._panel.table.move_to(about)
        self._panel.show_message("API key ", label, f" was created. {went_to}", key_id=about)

    def _with_keys(self, text: str) -> str:
        return with_keys(text, self._view.app)

    async def open(self, key: Key, who: str) -> None:
        """Show the details of a key on a screen of their own, and go on from there."""
        detail = KeyDetailScreen(
            key,
            self._panel.table.key_context,
            who,
            self._panel.table.state_of(key),
            is_read_only=self._view.profile.read_only,
        )
        action = await self._view.app.push_screen_wait(detail)
        actions = {
            "edit": self.edit,
            "delete": self.delete,
            "rotate": self.rotate,
            "finish": self.finish,
            "verify": self.verify,
            "pause": self.pause,
            "copy": self.copy,
        }
        if action in actions:
            await actions[action](key)

    async def edit(self, key: Key) -> None:
        """Change label, grants and allowed IPs of a key."""
        form = EditKeyScreen(self._service, self._view.notice, key)
        updated = await self._view.app.push_screen_wait(form)
        is_read = form.was_sent and await self._view.read()
        if updated is not None:
            listed_key = self._service.listing.find(
                key.id, key.short_key, updated.label, key.subaccount_id
            )
            label = listed_key.label if is_read and listed_key is not None else updated.label
            self._panel.show_message("API key ", label, " was updated.", key_id=key.id)

    async def delete(self, key: Key) -> None:
        """Delete a key, after asking."""
        ask = ask_delete(key, self._service.listing.catalogue, self._now())
        if await self._view.app.push_screen_wait(ask):
            await self._delete(key)

    async def _delete(self, key: Key, *, insist: bool = False) -> None:
        label = shown_label(key.label)
        try:
            with self._view.writing(f"{short(label, 40)} is being deleted."):
                deleted = await self._service.delete(key, insist=insist)
        except OtherInstanceAtWork as problem:
            if await self._view.app.push_screen_wait(ask_insist(problem.sentence)):
                await self._delete(key, insist=True)
            return
        except (ApiError, SessionProblem, CannotGoOn) as error:
            await self._view.read()
            self._panel.show_problem(describe(error, key), key.id)
            return
        await self._view.read()
        outcome = (
            " was deleted." if deleted.was_there else " had already been deleted by somebody else."
        )
        self._panel.show_message("API key ", label, outcome)

    async def copy(self, key: Key) -> None:
        """Send a name of a key to the clipboard that is nearest."""
        app = self._view.app
        chosen = await app.push_screen_wait(CopyScreen(key))
        if chosen is None:
            return
        from pydantic import SecretStr  # as secrets go the same way

        name, text = chosen
        sent = await send_to_clipboard(SecretStr(text), os.environ, partial(write_to_terminal, app))
        message = f"{name}: {sent.where[:1].lower()}{sent.where[1:]} {sent.caveat}"
        self._panel.messages.show(Content(message), "note")

    async def pause(self, key: Key) -> None:
        """Take a key out of service, after asking; a paused one is put back into it."""
        if is_paused(key.raw_valid_ips):
            await self._resume(key)
            return
        ips_are_told = tells_ips(self._service.listing.keys)
        if sentence := why_not_paused(key, ips_are_told=ips_are_told):
            self._panel.show_problem(Problem("This key can't be paused", sentence), key.id)
            return
        facts = facts_of(key, self._service.listing.catalogue, self._now())
        ask = ask_pause(key, facts, self._with_keys("{keys.pause}"))
        if await self._view.app.push_screen_wait(ask):
            change = pause(self._service, key, self._now().date())
            outcome = self._with_keys(" is paused: {keys.pause} resumes it.")
            with self._view.writing(f"{short(key.label, 40)} is being paused."):
                await self._change(key, change, outcome)

    async def _resume(self, key: Key) -> None:
        before = (await find_pauses(self._service, [key])).get(key.id)
        valid_ips = before.valid_ips if before is not None else None
        asks = ask_resume(key, valid_ips) if valid_ips is not None else None
        if asks is None or await self._view.app.push_screen_wait(asks):
            with self._view.writing(f"{short(key.label, 40)} is being resumed."):
                await self._change(key, resume(self._service, key), " works again.")

    async def _change(self, key: Key, change: Awaitable[Key], outcome: str) -> None:
        """Await a change of a key, and show what came of it; the list is read in any case."""
        label = shown_label(key.raw_label or "")
        try:
            changed = await change
        except (ApiError, SessionProblem, CannotGoOn) as error:
            await self._view.read()
            self._panel.show_problem(describe(error, key), key.id)
            return
        if await self._view.read():
            self._panel.table.move_to(changed.id)
        self._panel.show_message("API key ", plain(label), outcome, key_id=changed.id)

    async def verify(self, key: Key) -> None:
        """Show what a key may do; only who has its secret can do that."""
        body = Content(
            "The server does not show a secret again. Paste the secret of this key: it is used "
            "for requests that change nothing, and is not kept."
        )
        ask = AskSecretScreen(f"Verify {short(key.label, 40)}", body, "Secret", yes="Verify")
        secret = await self._view.app.push_screen_wait(ask)
        if secret is None:
            return
        if not key.may_have(secret):
            self._panel.show_problem(describe(OtherSecret()), key.id)
            return
        proof = verification_of(self._service, secret, key.grants, key.raw_valid_ips or ())
        del ask, secret
        screen = VerifyScreen(short(key.label, 40), proof, self._service.listing.catalogue)
        del proof
        works = await self._view.app.push_screen_wait(screen)
        if works is not None and (attempt := await self._service.attempt_of(key)):
            if works:
                attempt.stored(SEEN_TO_WORK)
            attempt.proven(works)

    async def rotate(self, key: Key) -> None:
        """Replace a key by a successor; a rotation that was begun earlier is gone on with."""
        with opening_screen(self._view.app):
            await self._rotate(key)

    async def _rotate(self, key: Key) -> None:
        records = await self._service.records()
        record = records[key]
        if record.worker is not None:
            self._panel.show_problem(describe(OtherInstanceAtWork(record.worker)), key.id)
            return
        if record.is_orphan:
            await self._delete_orphan(record, records)
            return
        if (unfinished := records.rotation_of(key)) is not None:
            await self._go_on(unfinished)
            return
        if (alike := records.alike(key)) is not None and not await self._view.app.push_screen_wait(
            AlikeScreen(key, alike)
        ):
            return
        await self._show_rotation(Rotation(self._service, key))

    async def finish(self, key: Key) -> None:
        """Go on with the rotation of a key, as its predecessor or its successor."""
        with opening_screen(self._view.app):
            await self._finish(key)

    async def _finish(self, key: Key) -> None:
        records = await self._service.records()
        if (unfinished := records.rotation_of(key)) is not None:
            await self._go_on(unfinished)
        elif any(record.key.id == key.id for record in records.left_marked):
            await self._put_label_back(key)
        elif retiring_since(key.raw_label or ""):
            self._panel.show_problem(
                Problem(
                    "This key is marked as retiring, but the mark names no successor.",
                    self._with_keys(
                        "If another key has taken its place and is in use, press {keys.delete} to "
                        "delete this one; else edit its label."
                    ),
                ),
                key.id,
            )
        else:
            self._panel.show_problem(
                Problem(
                    "This key is not being rotated.",
                    self._with_keys("Press {keys.rotate} to rotate it."),
                ),
                key.id,
            )

    async def _go_on(self, unfinished: UnfinishedRotation) -> None:
        """Show an unfinished rotation, where it is this instance's to go on with."""
        about = unfinished.predecessor.id
        if unfinished.worker is not None:
            self._panel.show_problem(describe(OtherInstanceAtWork(unfinished.worker)), about)
            return
        if len(unfinished.successors) > 1:
            named = ", ".join(mask(key.short_key) or "?" for key in unfinished.successors)
            self._panel.show_problem(
                Problem(
                    f"This key has {len(unfinished.successors)} successors: {named}.",
                    self._with_keys(
                        "Press {keys.finish} on the one that is to stay, or {keys.delete} on one "
                        "that is not needed."
                    ),
                ),
                about,
            )
            return
        await self._show_rotation(Rotation.resume(self._service, unfinished))

    async def _delete_orphan(self, record: KeyRecord, records: Records) -> None:
        """Delete a key whose secret nobody has, and whose place another one took, after asking."""
        heirs = ", ".join(
            mask(key.short_key) or shown_label(key.label) for key in records.heirs(record.key)
        )
        if await self._view.app.push_screen_wait(ask_orphan(record.key, heirs)):
            await self._delete(record.key)

    async def _put_label_back(self, key: Key) -> None:
        """Take the mark off a successor whose predecessor is gone."""
        removal = MarkRemoval(self._service, key)
        with self._view.writing("The plain label is being put back."):
            state = await removal.finish()
        await self._view.read()
        if removal.problem is not None:
            self._panel.show_problem(describe(removal.problem, key), key.id)
        elif state is State.FINISHED:
            outcome = " has its label again."
            self._panel.show_message("API key ", shown_label(key.label), outcome, key_id=key.id)

    async def run_bulk(self, screen: type[BulkScreen], keys: Sequence[Key]) -> None:
        """Do the same with many keys, as `screen` plans and runs it."""
        with opening_screen(self._view.app):
            records = await self._service.records()
            bulk = screen(self._service, keys, self._now, self._view.notice, records)
            result = await self._view.app.push_screen_wait(bulk)
        if result is None:
            return
        self._panel.table.unmark(keys)
        await self._view.read()
        self._panel.show_message("", "", result.text, result.kind)

    async def _show_rotation(self, rotation: Rotation) -> None:
        if self._service.is_fresh:
            rotation.compare(self._service.listing)
        screen = RotateScreen(self._service, rotation, self._now, self._view.notice)
        outcome = await self._view.app.push_screen_wait(screen)
        del screen
        if not outcome:
            return
        table, successor = self._panel.table, rotation.successor
        if await self._view.read() and not table.move_to(rotation.predecessor.id):
            table.move_to(successor.id if successor else "")
        label = base_label(rotation.predecessor.raw_label or "")
        if rotation.state is State.FINISHED and successor is not None:
            label = shown_label(successor.label)
        self._panel.show_message(
            "", short(label, 60), f": {outcome}", key_id=rotation.predecessor.id
        )
