"""What keys and people may do on each edition of the server (contract 3)."""

from __future__ import annotations

from dataclasses import dataclass

from tui.api.grants import MOMENTUM
from tui.api.models import Grant
from tui.sandbox.sparkpost import SPARKPOST

KEYS_MANAGE = "api_keys/manage"
USERS_MANAGE = "users/manage"

_PEOPLE = (
    Grant(KEYS_MANAGE, "Manage API Keys", "GET, POST, PUT, DELETE on /api/v1/api-keys"),
    Grant(USERS_MANAGE, "Manage Users", "GET on the users of this installation"),
)

_SUBACCOUNTS = frozenset(
    {
        "metrics/view",
        "smtp/inject",
        "transmissions/view",
        "transmissions/modify",
        "templates/view",
        "templates/modify",
        "templates/preview",
        "webhooks/view",
        "webhooks/modify",
        "message_events/view",
        "sending_domains/manage",
        "tracking_domains/view",
        "tracking_domains/manage",
        "suppression_lists/manage",
    }
)
"""What the key of a subaccount may hold, where the edition has it."""


@dataclass(frozen=True, slots=True)
class Edition:
    """One kind of server, and where it differs from the others."""

    name: str
    grants: tuple[Grant, ...]
    two_factor: bool = True
    whole_keys: bool = True
    """Whether list and read tell more of a key than id, label and grants (contract 4)."""
    owner_edits_only: bool = False
    """Whether other people's keys are read-only (contract 4)."""
    suspended: frozenset[int] = frozenset()
    """The subaccounts whose keys are read-only (contract 4)."""

    @property
    def keys(self) -> frozenset[str]:
        """The wire keys of everything that an API key may hold."""
        return frozenset(grant.key for grant in self.grants)

    def of_role(self, role: str) -> tuple[Grant, ...]:
        """Return what `?role=` answers: a subaccount's key, an administrator, or a reader."""
        if role == "subaccount":
            return tuple(grant for grant in self.grants if grant.key in _SUBACCOUNTS)
        if role == "admin":
            return (*self.grants, *_PEOPLE)
        if role == "reporting":
            return tuple(grant for grant in self.grants if grant.key.endswith("/view"))
        return ()


_OLD = tuple(grant for grant in MOMENTUM if grant.key != "adaptive-delivery/view")

_EDITIONS = (
    Edition("momentum-4.1", _OLD, two_factor=False, whole_keys=False),
    Edition("momentum-4.2", MOMENTUM),
    Edition("sparkpost", SPARKPOST, owner_edits_only=True, suspended=frozenset({103})),
)


def edition(name: str) -> Edition:
    """Return the edition of that name; KeyError where there is none."""
    return {edition.name: edition for edition in _EDITIONS}[name]
