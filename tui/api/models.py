"""Keys, grants, users and tokens as frozen dataclasses; pydantic is not imported with them.

A field whose name begins with `raw_` holds exactly what the server sent, for sending back; the
property without the prefix is made safe for a terminal. Nothing raw is ever shown.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from tui.text import plain

if TYPE_CHECKING:
    from pydantic import SecretStr


def _wire_name(field: str) -> str:
    return field.removeprefix("raw_")


@dataclass(frozen=True, slots=True)
class Key:
    """An API key as list and read tell it (contract 4); everything but `id` may be missing."""

    __pydantic_config__ = {  # noqa: RUF012  # pydantic reads it; slots leave no room for ClassVar
        "alias_generator": _wire_name,
        "coerce_numbers_to_str": True,
    }

    id: str
    raw_label: str | None = None
    raw_short_key: str | None = None
    raw_grants: tuple[str, ...] | None = None
    raw_valid_ips: tuple[str, ...] | None = None
    raw_created_at: str | None = None
    raw_username: str | None = None
    subaccount_id: int | None = None

    @property
    def label(self) -> str:
        """The free text that names the key; not unique."""
        return plain(self.raw_label or "")

    @property
    def short_key(self) -> str:
        """The first characters of the secret, or nothing on old servers."""
        return plain(self.raw_short_key or "")

    @property
    def grants(self) -> tuple[str, ...]:
        """The wire keys of what the key may do; opaque, so shown only by way of a `Catalogue`."""
        return self.raw_grants or ()

    def may_have(self, secret: SecretStr) -> bool:
        """Tell whether a secret can be this key's: a short key is how it begins (contract 4)."""
        return secret.get_secret_value().startswith(self.raw_short_key or "")

    @property
    def allowed_ips(self) -> tuple[str, ...]:
        """The addresses and networks that the key works from; none means any."""
        return tuple(map(plain, self.raw_valid_ips or ()))

    @property
    def owner(self) -> str:
        """The user name of the key's owner, or nothing where the server does not say."""
        return plain(self.raw_username or "")

    @property
    def created_at(self) -> datetime | None:
        """When the key was made, in UTC; None where that is missing or makes no date."""
        try:
            moment = datetime.fromisoformat(self.raw_created_at or "")
            return moment.replace(tzinfo=moment.tzinfo or UTC).astimezone(UTC)
        except (ValueError, OverflowError):
            return None


@dataclass(frozen=True, slots=True)
class KeyList:
    """The keys of a list answer, in the server's order.

    Where the answer names a next page or counts more keys than it lists, it `is_whole` no longer:
    a key that is not in it may exist all the same (contract 4).
    """

    keys: tuple[Key, ...]
    is_whole: bool = True


@dataclass(frozen=True, slots=True)
class KeyDraft:
    """What a key is to be: the three fields that create and update send (contract 4), raw.

    `subaccount_id` is whose key a create makes, None for the primary account's; no update changes
    it.
    """

    label: str = ""
    grants: tuple[str, ...] = ()
    valid_ips: tuple[str, ...] = ()
    subaccount_id: int | None = None


@dataclass(frozen=True, slots=True)
class CreatedKey:
    """The answer to a create: the only place where the secret ever appears (contract 4).

    `id` is None where the answer's link did not tell it.
    """

    secret: SecretStr
    short_key: str
    label: str
    id: str | None


@dataclass(frozen=True, slots=True)
class Grant:
    """One permission that a key may hold (contract 3); label and description may be missing."""

    key: str
    label: str | None = None
    description: str | None = None


@dataclass(frozen=True, slots=True)
class Token:
    """A session's credentials (contract 2)."""

    access: SecretStr
    refresh: SecretStr | None


@dataclass(frozen=True, slots=True)
class User:
    """Who is signed in (contract 2)."""

    username: str
    access_level: str | None = None
    access: str | None = None

    @property
    def name(self) -> str:
        """The user name, safe to show."""
        return plain(self.username)

    @property
    def role(self) -> str | None:
        """The wire name of the access level, as `?role=` wants it (contract 3)."""
        return self.access_level or self.access


@dataclass(frozen=True, slots=True)
class TwoFactor:
    """Whether an account has a second factor, and whether it must have one (contract 2)."""

    enabled: bool = False
    required: bool = False
