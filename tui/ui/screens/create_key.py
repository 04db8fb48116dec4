"""Create New API Key."""

from __future__ import annotations

from contextlib import AsyncExitStack
from functools import partial

from tui.api.models import Key, KeyDraft
from tui.keys.created import Created
from tui.keys.service import KeyService
from tui.keys.write_outcomes import NotSeenSoFar, OutcomeUnknown
from tui.problems import describe
from tui.ui.screens.key_form import KeyFormScreen
from tui.ui.widgets.password_field import PasswordField
from tui.ui.widgets.status import Status

_SENDING = "The key is being created."


class CreateKeyScreen(KeyFormScreen[Created]):
    """Create New API Key: besides the key's fields, the account's password."""

    heading = "Create New API Key"
    save_word = "Create"

    def __init__(
        self,
        service: KeyService,
        notice: str,
        like: Key | None = None,
        subaccount: int | None = None,
    ) -> None:
        """Start from the grants and addresses of `like`, if any, else for a `subaccount`."""
        self._password = PasswordField(
            is_needed=service.session.has_password,
            placeholder="required to securely authorize this addition",
        )
        super().__init__(service, notice, password=self._password, like=like, subaccount=subaccount)

    def action_save(self) -> None:
        """Create the key, once everything is right."""
        if self.form.check():
            self.start_saving(partial(self._create, self.form.draft), _SENDING)

    async def _create(self, draft: KeyDraft) -> Created | None:
        """Create the key; where its outcome is not known, the draft stays."""
        try:
            return await self._authorize_and_send(draft)
        except (NotSeenSoFar, OutcomeUnknown) as error:
            self.form.show_problem(describe(error))
            return None

    async def _authorize_and_send(self, draft: KeyDraft) -> Created:
        async with AsyncExitStack() as stack:
            with self.query_one(Status).working("Checking the password · Esc cancels"):
                await stack.enter_async_context(self._service.authorized(self._password.secret))
            with self.sending(_SENDING):
                return await self._service.create(draft)
