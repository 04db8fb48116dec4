"""A secret to be delivered, the result of a delivery, and the protocol of all ways to deliver."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import Enum
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from pydantic import SecretStr


@dataclass(frozen=True, slots=True)
class NewSecret:
    """One key's secret, and its key's id and names, raw as the server has them.

    The secret takes no part in comparisons.
    """

    secret: SecretStr = field(compare=False)
    key_id: str
    label: str
    short_key: str


@dataclass(frozen=True, slots=True)
class Sent:
    """What was sent where, and what may stand in the way; neither is ever empty.

    `is_confirmed` where whoever took it said so.
    """

    where: str
    caveat: str
    is_confirmed: bool = True


def encoded(secret: SecretStr) -> bytes:
    """Return a secret as bytes: in UTF-8, also of a lone surrogate."""
    return secret.get_secret_value().encode("utf-8", "surrogatepass")


class DeliveryFault(Enum):
    """Why a secret did not get where it was to go."""

    EXISTS = "exists"
    SYMLINK = "symlink"
    IS_DIRECTORY = "is directory"
    NO_DIRECTORY = "no directory"
    NOT_PERMITTED = "not permitted"
    NOT_PRIVATE = "not private"
    NO_SPACE = "no space"
    BAD_NAME = "bad name"
    CHANGED = "changed"
    BAD_COMMAND = "bad command"
    NO_PROGRAM = "no program"
    FAILED = "failed"
    NOT_READ = "not read"
    TOO_SLOW = "too slow"
    OTHER = "other"


class DeliveryFailed(Exception):
    """A secret did not get where it was to go; the message says what was wrong and what to do.

    `brief` is what stands in a table of many keys.
    """

    def __init__(self, reason: DeliveryFault, sentence: str, brief: str = "") -> None:
        super().__init__(sentence)
        self.reason = reason
        self.sentence = sentence
        self.brief = brief or "not delivered"


class Delivery(Protocol):
    """A way for secrets to leave the program, chosen before the first key is made."""

    async def deliver(self, new_secret: NewSecret) -> Sent:
        """Deliver one secret and return where it went, or raise `DeliveryFailed`."""
