"""The outcomes of a write besides done and refused: secret lost, not seen so far, unknown."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from tui.api.models import Key, KeyDraft
from tui.api.session import SessionProblem

if TYPE_CHECKING:
    from tui.api.errors import ApiError
    from tui.journal import Action, Attempt

LANDING = timedelta(seconds=900)
"""How long after it went out a write may still take effect, where no good answer came."""

Fields = tuple[str | None, frozenset[str], frozenset[str]]
"""What an update replaces: the label, and grants and addresses whatever their order."""


def fields_of(key: Key) -> Fields:
    """Return a key's fields that an update replaces."""
    return key.raw_label, frozenset(key.grants), frozenset(key.raw_valid_ips or ())


def fields_wanted(draft: KeyDraft) -> Fields:
    """Return what those fields are once an update to `draft` took effect."""
    return draft.label, frozenset(draft.grants), frozenset(draft.valid_ips)


@dataclass(frozen=True, slots=True)
class OpenWrite:
    """An update or deletion that got no good answer, and may take effect `until` then.

    `wanted` are the key's fields if an update took effect; None where that is not known.
    """

    attempt: Attempt
    action: Action
    key_id: str
    until: datetime
    wanted: Fields | None = None

    def is_open(self, now: datetime) -> bool:
        """Tell whether the write may still take effect."""
        return now < self.until


@dataclass(frozen=True, slots=True)
class SentCreate:
    """A create that went out: its attempt, what was sent, and the ids that were `known` before."""

    attempt: Attempt
    draft: KeyDraft
    known: Collection[str]


class CannotGoOn(Exception):
    """Base of what keeps an action from its next step besides the server's errors.

    `sentence` says what and what to do.
    """

    sentence = ""

    def __str__(self) -> str:
        return self.sentence


class OnlyRead(CannotGoOn):
    """The server is one on which nothing may be changed from here."""

    sentence = "This server is configured as read-only, so nothing was sent."


class StillThere(CannotGoOn):
    """A write got no good answer, and the list does not show that it took effect."""

    sentence = (
        "The list of keys was read again: no effect is seen so far. It may still come; only the "
        "same step can be taken until then."
    )

    def __init__(self, cause: ApiError | None = None) -> None:
        super().__init__()
        self.cause = cause


class Unresolved(CannotGoOn):
    """A write got no good answer, and no whole list could be read to see what came of it."""

    sentence = "The outcome is not known: the list of keys could not be read as a whole."

    def __init__(self, cause: ApiError) -> None:
        super().__init__()
        self.cause = cause


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


class NotSeenSoFar(Exception):
    """A create got no good answer, and no key that came of it is in the list so far."""

    def __init__(self, cause: ApiError) -> None:
        super().__init__()
        self.cause = cause


class OutcomeUnknown(Exception):
    """A create got no good answer, and the list could not be read.

    Or it could, and there are keys that are `alike`: each may have come of it, or be somebody
    else's. Or it is `partial`: the server listed only some of its keys, none of which came of it.
    Once the list can be read, `KeyService.create_outcome` goes on with what was `sent`.
    """

    def __init__(
        self,
        cause: ApiError,
        sent: SentCreate,
        *,
        alike: tuple[Key, ...] = (),
        partial: bool = False,
    ) -> None:
        super().__init__()
        self.cause, self.sent = cause, sent
        self.alike, self.partial = alike, partial
