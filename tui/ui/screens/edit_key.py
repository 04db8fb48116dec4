"""Edit API Key."""

from __future__ import annotations

from tui.api.models import Key, KeyDraft
from tui.problems import Problem
from tui.text import plain, short
from tui.ui.screens.key_form import KeyFormScreen
from tui.ui.widgets.grant_list import GrantList


class EditKeyScreen(KeyFormScreen[KeyDraft]):
    """Edit API Key; returns what the key was updated to."""

    place = "Edit"
    heading = "Edit API Key"
    verb = "Update"
    doing = "The key is being updated."

    def on_mount(self) -> None:
        """Say where an update would replace what the server does not tell."""
        if self.key.raw_valid_ips is None:
            told = "Not told by the server: updating replaces them by what stands here."
            self.field("ips").note = told

    @property
    def key(self) -> Key:
        """The key, as it was when last read."""
        if self._key is None:
            raise ValueError("an edit always has its key")
        return self._key

    async def save(self, draft: KeyDraft) -> KeyDraft:
        """Update the key, unless somebody else has changed it meanwhile."""
        with self.sending():
            await self._service.edit(self.key, draft)
        return draft

    def take_over(self, key: Key) -> None:
        """Go on from how somebody else has changed the key; what was typed stays, and is shown."""
        before, draft = self.key, self.draft
        catalogue = self._service.listing.catalogue
        changes: list[str] = []
        label, ips = self.field("label"), self.field("ips")
        if key.raw_label != before.raw_label:
            changes.append(f"Its label is {short(key.label, 60)} now.")
        if set(key.grants) != set(before.grants):
            named = ", ".join(map(catalogue.label, catalogue.ordered(key.grants))) or "none"
            changes.append(f"Its grants are now: {named}.")
        if set(key.raw_valid_ips or ()) != set(before.raw_valid_ips or ()):
            changes.append(f"It is allowed from {', '.join(key.allowed_ips) or 'any address'} now.")
        if label.value == self._label:
            label.value = key.label
        if ips.value == self._ips:
            ips.value = ", ".join(key.allowed_ips)
        grants_touched = set(draft.grants) != set(self._given)
        self._key, self._label, self._ips = key, key.label, ", ".join(key.allowed_ips)
        self._given = catalogue.ordered(key.grants)
        self.query_one(GrantList).offer(key.grants, give=not grants_touched)
        hint = "What you have not changed follows that. Once more updates it to what stands here."
        title = "Somebody else has changed this key meanwhile"
        self.tell(Problem(title, plain(" ".join(changes)), hint))
