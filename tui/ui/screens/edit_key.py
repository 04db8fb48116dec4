"""Edit API Key."""

from __future__ import annotations

from functools import partial

from tui.api.grants import Catalogue
from tui.api.models import Key, KeyDraft
from tui.keys.service import KeyService
from tui.keys.write_outcomes import ChangedMeanwhile
from tui.problems import Problem
from tui.text import plain, short
from tui.ui.screens.key_form import KeyFormScreen

_SENDING = "The key is being updated."


class EditKeyScreen(KeyFormScreen[KeyDraft]):
    """Edit API Key; returns what the key was updated to."""

    heading = "Edit API Key"
    save_word = "Update"

    def __init__(self, service: KeyService, notice: str, key: Key) -> None:
        super().__init__(service, notice, key)
        self._key = key
        """The key, as it was when last read."""

    def action_save(self) -> None:
        """Update the key, once everything is right."""
        if self.form.check():
            self.start_saving(partial(self._update, self.form.draft), _SENDING)

    async def _update(self, draft: KeyDraft) -> KeyDraft | None:
        """Update the key, unless somebody else has changed it meanwhile."""
        try:
            with self.sending(_SENDING):
                await self._service.edit(self._key, draft)
        except ChangedMeanwhile as changed:
            self._follow(changed.key)
            return None
        return draft

    def _follow(self, key: Key) -> None:
        """Go on from how somebody else has changed the key, and show what they changed."""
        changes = _changes(self._key, key, self._service.listing.catalogue)
        self._key = key
        self.form.follow(key)
        hint = (
            "Fields that you have not changed show it. Update again to overwrite the key with "
            "this form."
        )
        title = "Somebody else has changed this key meanwhile"
        self.form.show_problem(Problem(title, plain(" ".join(changes)), hint))


def _changes(before: Key, after: Key, catalogue: Catalogue) -> list[str]:
    """Return a sentence about each field that differs."""
    changes: list[str] = []
    if after.raw_label != before.raw_label:
        changes.append(f"Its label is {short(after.label, 60)} now.")
    if set(after.grants) != set(before.grants):
        grants = ", ".join(map(catalogue.label, catalogue.ordered(after.grants))) or "none"
        changes.append(f"Its grants are now: {grants}.")
    if set(after.raw_valid_ips or ()) != set(before.raw_valid_ips or ()):
        changes.append(f"It is allowed from {', '.join(after.allowed_ips) or 'any address'} now.")
    return changes
