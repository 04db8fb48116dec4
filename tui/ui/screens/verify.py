"""Whether a key works, and what it may do: shown as the answers come in."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from typing import TYPE_CHECKING

from textual import work
from textual.app import ComposeResult
from textual.content import Content

from tui.api.errors import ApiError
from tui.api.grants import Catalogue
from tui.keys.service import KeyService
from tui.keys.verification import Verification
from tui.problems import describe
from tui.ui.screens.dialog import Dialog
from tui.ui.widgets.button import Button
from tui.ui.widgets.proofs import Proofs
from tui.ui.widgets.status import Status

if TYPE_CHECKING:
    from pydantic import SecretStr

Verify = Callable[[Callable[[Verification], None]], Awaitable[Verification]]
"""Verifies a key that it holds, and reports what becomes known on the way."""


def verification_of(
    service: KeyService, secret: SecretStr, grants: Sequence[str], valid_ips: Sequence[str]
) -> Verify:
    """Return what verifies one key; it holds the secret for as long as it is held itself."""
    return lambda on_change: service.verify(secret, grants, valid_ips, on_change=on_change)


class VerifyScreen(Dialog["bool | None"]):
    """Runs a verification; returns whether the key works, None where that was not found out.

    Nothing is changed to prove it.
    """

    AUTO_FOCUS = "#no"
    declined = None
    only_tells = True

    def __init__(self, label: str, verify: Verify, catalogue: Catalogue) -> None:
        super().__init__(f"Verify {label}", Content("Nothing is changed to prove a grant."))
        self._verify, self._catalogue = verify, catalogue
        self._works: bool | None = None

    def question(self) -> ComposeResult:
        """The answers, as they come in."""
        yield Proofs()
        yield Status()

    def buttons(self) -> ComposeResult:
        """Only back."""
        yield Button("Close", id="no", compact=True)

    def on_mount(self) -> None:
        """Begin."""
        self._run()

    def action_dismiss_dialog(self) -> None:
        """Close, and stop asking."""
        self.dismiss(self._works)

    @work(group="verify", exclusive=True, description="verify a key")
    async def _run(self) -> None:
        proofs = self.query_one(Proofs)
        try:
            with self.query_one(Status).working("Asking the server · Esc stops asking"):
                verification = await self._verify(lambda v: proofs.show(v, self._catalogue))
        except ApiError as error:
            problem = describe(error)
            proofs.update(Content(f"✗ {problem.title}\n{problem.detail}\n{problem.hint}"))
        else:
            self._works = verification.works if verification.is_certain else None
            proofs.show(verification, self._catalogue)
        finally:
            # It holds the secret, and a timer that was cancelled holds this screen for a while.
            del self._verify
