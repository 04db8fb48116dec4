"""Offers the secrets that were kept when the connection was lost."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from pathlib import Path

from textual import on
from textual.app import ComposeResult
from textual.content import Content

from tui.api.models import CreatedKey, KeyDraft
from tui.delivery import DeliveryFailed, DeliveryFault, FileDelivery, NewSecret, form_of, typed_path
from tui.delivery.recovery import KeptSecret
from tui.journal import JournalEntry
from tui.keys.created import Created
from tui.keys.handing_over import handing_over
from tui.keys.service import KeyService
from tui.text import count, plain, short
from tui.ui.screens.dialog import AskPathScreen, ConfirmScreen, Dialog
from tui.ui.screens.key_actions import KeyListView
from tui.ui.screens.secret import SecretScreen
from tui.ui.screens.verify import verification_of
from tui.ui.widgets.button import Button
from tui.waiting import in_thread, seen_through

MOST_NAMED = 8
"""How many kept secrets are named; of the others only the number is told."""


class KeptSecretsScreen(Dialog[str]):
    """Asks what to do with secrets that were kept; returns show, write, forget, or nothing."""

    AUTO_FOCUS = "#show"
    declined = ""

    def __init__(self, secrets: Sequence[KeptSecret], names: Sequence[str]) -> None:
        self._is_one = len(secrets) == 1
        when = f"{secrets[0].kept_at.astimezone():%Y-%m-%d %H:%M %Z}"
        lost = "when the connection was lost or the program was ended"
        if self._is_one:
            text = f"The secret of {names[0]} was kept {lost}, {when}. It was never stored."
            title = "A secret was kept"
        else:
            more = [f"and {len(names) - MOST_NAMED:,} more"] if len(names) > MOST_NAMED else []
            listed = "\n".join([*names[:MOST_NAMED], *more])
            text = f"These secrets were kept {lost}, {when}. They were never stored.\n\n{listed}"
            title = f"{count(len(secrets), 'secret')} were kept"
        super().__init__(title, Content(text))

    def buttons(self) -> ComposeResult:
        """Nothing now, or one of the three."""
        yield Button("Later", id="no", compact=True)
        yield Button("Forget it" if self._is_one else "Forget them", id="forget", compact=True)
        if not self._is_one:
            yield Button("Write to a file", id="write", compact=True)
        show = "Show it" if self._is_one else "Show each"
        yield Button(show, id="show", variant="primary", compact=True)

    @on(Button.Pressed, "#show,#write,#forget")
    def _answer(self, event: Button.Pressed) -> None:
        self.dismiss(event.button.id or "")


async def offer_kept_secrets(view: KeyListView, service: KeyService) -> None:
    """Offer what was kept for this server until it is stored, forgotten, or left for later."""
    await _Offer(view, service).make()


class _Offer:
    def __init__(self, view: KeyListView, service: KeyService) -> None:
        self._view, self._service = view, service
        self._folder = service.unstored_secrets.folder

    async def make(self) -> None:
        """Ask once; a list of secrets is asked about again where only some of them were stored."""
        messages = self._view.panel.messages
        try:
            secrets, complaints = await in_thread(
                partial(self._folder.read, self._service.session.client.server.identity)
            )
        except TimeoutError:
            complaints, secrets = (f"{plain(str(self._folder.path))} does not answer.",), ()
        for complaint in complaints:
            messages.show(Content(complaint), "problem")
        if not secrets:
            return
        screen = KeptSecretsScreen(secrets, [self._name(kept) for kept in secrets])
        answer = await self._view.app.push_screen_wait(screen)
        if answer == "show":
            for kept in secrets:
                await self._show(kept)
        elif answer == "write":
            await self._write(secrets)
        elif answer == "forget":
            await self._forget(secrets)
        else:
            is_one = len(secrets) == 1
            stays, pronoun = ("stays", "it") if is_one else ("stay", "them")
            sentence = (
                f"{count(len(secrets), 'secret')} {stays} kept in memory and not stored. The next "
                f"sign-in from this host offers {pronoun}, until you log out of this host."
            )
            messages.show(Content(sentence), "note")

    def _name(self, kept: KeptSecret) -> str:
        """Return the label and short key of a kept secret, and whether its key is still there."""
        label, short_key = short(kept.label, 60), short(kept.short_key, 12)
        name = f"{label} ({short_key})" if short_key else label
        listing = self._service.listing
        names = kept.key_id or None, kept.short_key, kept.label, kept.subaccount_id
        if listing.is_whole and not listing.find(*names):
            name += ", a key that is no longer there"
        return name

    async def _show(self, kept: KeptSecret) -> None:
        """Show a secret on the screen of new keys' secrets, which is left once it is stored."""
        key = CreatedKey(kept.secret, kept.short_key, kept.label, kept.key_id or None)
        draft = KeyDraft(kept.label, kept.grants, kept.valid_ips, kept.subaccount_id)
        attempt = self._service.journal.resume(_entry(kept))
        proof = verification_of(self._service, kept.secret, kept.grants, kept.valid_ips)
        screen = SecretScreen(
            Created(key, draft, attempt),
            self._service.listing.catalogue,
            proof,
            labels=self._service.listing.raw_labels,
            title="This secret was kept for you",
        )
        where = await self._view.app.push_screen_wait(screen)
        await self._remove(kept)
        self._view.panel.show_message("The secret of ", kept.label, f" is stored. {where}")

    async def _write(self, secrets: Sequence[KeptSecret]) -> None:
        """Write all secrets to one new file."""
        body = Content("A new file that only you can read: .env, .json or .csv.")
        title, path, refusal = "Write the secrets to a file", "", ""
        while True:
            ask = AskPathScreen(title, body, value=path, refusal=refusal)
            answer = await self._view.app.push_screen_wait(ask)
            if answer is None:
                return
            path = answer.strip()
            try:
                await self._write_to(typed_path(path), secrets)
            except DeliveryFailed as failure:
                refusal = failure.sentence
            else:
                message = f"{count(len(secrets), 'secret')} written to {plain(path)}."
                self._view.panel.messages.show(Content(message), "done")
                return

    async def _write_to(self, path: Path, secrets: Sequence[KeptSecret]) -> None:
        form = form_of(path)
        if form is None:
            sentence = "Name a new file that ends in .env, .json or .csv."
            raise DeliveryFailed(DeliveryFault.BAD_NAME, sentence)
        delivery = FileDelivery(path, form)
        try:
            for kept in secrets:
                names = kept.key_id, kept.label, kept.short_key
                attempt = self._service.journal.resume(_entry(kept))
                async with handing_over(attempt):
                    sent = await delivery.deliver(NewSecret(kept.secret, *names))
                attempt.stored(sent.where)
                await self._remove(kept)
        finally:
            seen_through(in_thread(delivery.close))

    async def _forget(self, secrets: Sequence[KeptSecret]) -> None:
        """Remove the secrets, after asking once more."""
        body = Content(
            "Nobody can ever show them again. The keys stay: replace them with r, or delete them."
        )
        title = f"Forget {count(len(secrets), 'secret')}?"
        ask = ConfirmScreen(title, body, yes="Forget", no="Go back", danger=True)
        if not await self._view.app.push_screen_wait(ask):
            return
        for kept in secrets:
            await self._remove(kept)

    async def _remove(self, kept: KeptSecret) -> None:
        """Remove the file of a secret; say so where it stays."""
        try:
            await in_thread(partial(self._folder.remove, kept.attempt))
        except (OSError, TimeoutError):
            path = self._folder.path / f"{kept.attempt}.json"
            message = f"{plain(str(path))} still holds a secret, as it can't be removed."
            self._view.panel.messages.show(Content(message), "problem")


def _entry(kept: KeptSecret) -> JournalEntry:
    """Return the journal's line of the create whose secret was kept."""
    return JournalEntry(
        kept.kept_at, kept.server, kept.username, "create", "done", kept.attempt, kept.key_id,
        kept.label, kept.short_key, predecessor=kept.predecessor,
    )  # fmt: skip
