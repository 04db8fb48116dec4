"""The outcomes of a write besides done and refused, as the server's list tells them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tui.api.session import SessionProblem

if TYPE_CHECKING:
    from tui.api.errors import ApiError
    from tui.api.models import Key
    from tui.journal import Attempt


class PasswordNotChecked(SessionProblem):
    """The account's password got neither a yes nor a no, so nothing was started."""

    def __init__(self, cause: ApiError) -> None:
        super().__init__()
        self.cause = cause


class OutOfReach(SessionProblem):
    """A request about a key was answered by a 404, which proves nothing (contract 4).

    `is_listed` says that the list still has the key; None, that no whole list could be read.
    """

    def __init__(self, cause: ApiError, *, is_listed: bool | None) -> None:
        super().__init__()
        self.cause, self.is_listed = cause, is_listed


class ChangedMeanwhile(Exception):
    """Somebody else has changed a key since it was shown: `key` is how it is now."""

    def __init__(self, key: Key) -> None:
        super().__init__(key.id)
        self.key = key


class SecretLost(Exception):
    """A key came into being, but the answer with its secret got lost: `key` is of no use."""

    def __init__(self, key: Key, cause: ApiError) -> None:
        super().__init__(key.id)
        self.key, self.cause = key, cause


class NothingCreated(Exception):
    """A create got no good answer, and the list shows no key that came of it.

    One may still come where the `cause` says so (`maybe_later`).
    """

    def __init__(self, cause: ApiError) -> None:
        super().__init__()
        self.cause = cause


class OutcomeUnknown(Exception):
    """A create got no good answer, and the list could not be read.

    Or it could, and is `ambiguous`: a key is there that may have come of it or not. Or it is
    `partial`: the server listed only some of its keys, none of which came of it. Once the list can
    be read, `KeyService.create_outcome` goes on with `attempt`.
    """

    def __init__(
        self,
        cause: ApiError,
        attempt: Attempt | None = None,
        *,
        ambiguous: bool = False,
        partial: bool = False,
    ) -> None:
        super().__init__()
        self.cause, self.attempt = cause, attempt
        self.ambiguous, self.partial = ambiguous, partial
