"""What can be done with one key, each errand read from top to bottom: ask, do, reload, tell."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from datetime import datetime
from typing import Any, Protocol

from rich.cells import cell_len
from textual.app import App
from textual.content import Content

from tui.api.errors import ApiError
from tui.api.grants import sends
from tui.api.models import Key
from tui.api.session import SessionProblem
from tui.errands import explain
from tui.keys.rotation import (
    OfSubaccount,
    OtherSecret,
    Rotation,
    Unfinished,
    UnfinishedKind,
    find_unfinished,
    unfinished_rotations,
)
from tui.keys.service import KeyService
from tui.problems import Problem
from tui.text import mask, short
from tui.ui.screens.bulk import BulkScreen
from tui.ui.screens.dialog import AskSecretScreen, DeleteKeyScreen
from tui.ui.screens.edit_key import EditKeyScreen
from tui.ui.screens.interrupted import InterruptedScreen
from tui.ui.screens.key_detail import KeyDetailScreen
from tui.ui.screens.key_form import CreateKeyScreen
from tui.ui.screens.rotate import RotateScreen
from tui.ui.screens.secret import SecretScreen
from tui.ui.screens.verify import VerifyScreen, verification_of
from tui.ui.terminal.type_ahead import opening_screen
from tui.ui.widgets.messages import MessageKind

LONGEST_TYPED = 40
"""Up to how many cells a label is asked to be typed before a key that sends is deleted."""


class KeyListView(Protocol):
    """The screen on whose behalf errands are run."""

    @property
    def app(self) -> App[Any]:
        """The app, which shows the dialogs."""

    @property
    def notice(self) -> str:
        """What stands above every screen as long as it is true."""

    async def read(self) -> bool:
        """Read the keys, the cursor stays on its key; False, and told, where that fails."""

    def move_to(self, key_id: str) -> bool:
        """Put the cursor on a key."""

    def unmark(self) -> None:
        """Take all marks away."""

    def tell(self, before: str, label: str, after: str, kind: MessageKind = "done") -> None:
        """Tell what was done."""

    def tell_problem(self, problem: Problem) -> None:
        """Tell what could not be done."""

    def writing(self, doing: str) -> AbstractContextManager[None]:
        """Tell that a write is under way; the program is not left meanwhile."""


class KeyActions:
    """The errands of one key, run for a `desk` by way of a service; `now` is the clock in UTC."""

    def __init__(self, desk: KeyListView, service: KeyService, now: Callable[[], datetime]) -> None:
        self._view, self._service, self._now = desk, service, now

    async def create(self) -> None:
        """Create a key, show its secret once, and go on with the key in the list."""
        app, listing = self._view.app, self._service.listing
        form = CreateKeyScreen(self._service, self._view.notice)
        created = await app.push_screen_wait(form)
        if created is None:
            if form.was_sent:
                await self._view.read()
            return
        key, draft = created.key, created.draft
        key_id, short_key, label = key.id, key.short_key, key.label
        proof = verification_of(self._service, key.secret, draft.grants, draft.valid_ips)
        screen = SecretScreen(created, listing.catalogue, proof)
        del form, created, key, proof
        went_to = await app.push_screen_wait(screen)
        del screen
        if await self._view.read():
            made = self._service.listing.find(key_id, short_key, label)
            if made is not None:
                self._view.move_to(made.id)
        self._view.tell("API key ", label, f" was created. {went_to}")

    async def open(self, key: Key, who: str) -> None:
        """Show the details of a key on a screen of their own, and go on from there."""
        detail = KeyDetailScreen(key, self._service.listing.catalogue, self._now(), who)
        wanted = await self._view.app.push_screen_wait(detail)
        errands = {
            "edit": self.edit,
            "delete": self.delete,
            "rotate": self.rotate,
            "verify": self.verify,
        }
        if wanted in errands:
            await errands[wanted](key)

    async def edit(self, key: Key) -> None:
        """Change label, grants and allowed IPs of a key."""
        form = EditKeyScreen(self._service, self._view.notice, key)
        updated = await self._view.app.push_screen_wait(form)
        if form.was_sent:
            await self._view.read()
        if updated:
            self._view.tell("API key ", key.label, " was updated.")

    async def delete(self, key: Key) -> None:
        """Delete a key, after asking."""
        if not await self._view.app.push_screen_wait(_ask_delete(key)):
            return
        try:
            with self._view.writing(f"{short(key.label, 40)} is being deleted."):
                was_there = await self._service.delete(key)
        except (ApiError, SessionProblem) as error:
            if isinstance(error, ApiError) and error.maybe_done and await self._is_gone(key):
                self._view.tell("API key ", key.label, " is deleted, though no good answer came.")
            else:
                self._view.tell_problem(explain(error, key))
            return
        await self._view.read()
        gone = " was deleted." if was_there else " had already been deleted by somebody else."
        self._view.tell("API key ", key.label, gone)

    async def _is_gone(self, key: Key) -> bool:
        listed = await self._view.read()
        return listed and all(found.id != key.id for found in self._service.listing.keys)

    async def verify(self, key: Key) -> None:
        """Show what a key may do; only who has its secret can do that."""
        body = Content(
            "The server never tells a secret again, so paste the one that you have. It is used "
            "for requests that change nothing, and forgotten."
        )
        ask = AskSecretScreen(f"Verify {short(key.label, 40)}", body, "Secret", yes="Verify")
        secret = await self._view.app.push_screen_wait(ask)
        if secret is None:
            return
        if not key.may_have(secret):
            self._view.tell_problem(explain(OtherSecret()))
            return
        proof = verification_of(self._service, secret, key.grants, key.raw_valid_ips or ())
        del ask, secret
        screen = VerifyScreen(short(key.label, 40), proof, self._service.listing.catalogue)
        del proof
        works = await self._view.app.push_screen_wait(screen)
        if works is not None and (attempt := self._service.noted.attempt_of(key.id)):
            attempt.proven(works)

    async def rotate(self, key: Key) -> None:
        """Replace a key by a successor; one that was begun earlier is gone on with."""
        with opening_screen(self._view.app):
            rotations = await asyncio.to_thread(unfinished_rotations, self._service)
            begun = next((one for one in rotations if _is_about(one, key)), None)
            if begun is None and key.subaccount_id:
                self._view.tell_problem(explain(OfSubaccount()))
                return
            rotation = Rotation(self._service, key)
            if begun is not None and begun.kind in {
                UnfinishedKind.OVERLAPPING,
                UnfinishedKind.BEGUN,
            }:
                rotation = Rotation.resume(self._service, begun)
            elif begun is not None and begun.kind is UnfinishedKind.MAYBE_INTERRUPTED:
                goes_on = await self._view.app.push_screen_wait(InterruptedScreen(begun))
                if goes_on is None:
                    return
                if goes_on:
                    rotation = Rotation.resume(self._service, begun)
            await self._show_rotation(rotation)

    async def finish(self, key: Key) -> None:
        """Go on with the rotation of a key that is retiring."""
        with opening_screen(self._view.app):
            for begun in await asyncio.to_thread(unfinished_rotations, self._service):
                if begun.successors and _is_about(begun, key):
                    await self._show_rotation(Rotation.resume(self._service, begun))
                    return
        problem = Problem("This key is not retiring.", "Press r to rotate it.")
        if any(begun.predecessor.id == key.id for begun in find_unfinished([key])):
            problem = Problem(
                "This key is retiring, but there is no successor of it.",
                "Deleting it would leave no key with this label: edit its label, or press d.",
            )
        self._view.tell_problem(problem)

    async def many(self, screen: type[BulkScreen], keys: Sequence[Key]) -> None:
        """Do something with many keys: one plan, one run."""
        run = screen(self._service, keys, self._now, self._view.notice)
        became = await self._view.app.push_screen_wait(run)
        if became is None:
            return
        self._view.unmark()
        await self._view.read()
        self._view.tell("", "", became.text, became.kind)

    async def _show_rotation(self, rotation: Rotation) -> None:
        rotation.compare(self._service.listing)
        label = rotation.draft.label if rotation.successor is None else rotation.successor.label
        screen = RotateScreen(self._service, rotation, self._now, self._view.notice)
        became = await self._view.app.push_screen_wait(screen)
        del screen
        if not became:
            return
        if await self._view.read() and not self._view.move_to(rotation.predecessor.id):
            successor = rotation.successor
            self._view.move_to(successor.id if successor else "")
        self._view.tell("", short(label, 60), f": {became}")


def _is_about(begun: Unfinished, key: Key) -> bool:
    return key.id in {begun.predecessor.id, *(successor.id for successor in begun.successors)}


def _ask_delete(key: Key) -> DeleteKeyScreen:
    label = short(key.label) or "(no label)"
    about = f"  {mask(key.short_key)}" if key.short_key else ""
    parts = [
        Content.assemble((label, "bold"), (about, "$text-muted")),
        Content(
            "Are you sure? Access is revoked at once for every client that uses this key, "
            "and it can't be undone."
        ),
    ]
    typed = ""
    if sends(key.grants):
        warning = "This key sends mail: what uses it stops."
        parts.append(Content.styled(warning, "$text-warning"))
        names = (key.label.strip(), key.short_key.strip(), "delete")
        typed = next(name for name in names if 0 < cell_len(name) <= LONGEST_TYPED)
    title = f"Delete API Key: {short(label, 40)}"
    return DeleteKeyScreen(title, Content("\n\n").join(parts), typed=typed)
