"""The permissions that a key can hold: Momentum's own labels, and the catalogue of a server."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from tui.api.models import Grant
from tui.text import short

_ALL = "GET, POST, PUT, DELETE on /api/v1"

MOMENTUM: tuple[Grant, ...] = (
    Grant("metrics/view", "View Metrics", "GET on /api/v1/metrics"),
    Grant(
        "adaptive-delivery/view", "View Adaptive Delivery Data", "GET on /api/v1/adaptive-delivery"
    ),
    Grant("webhooks/view", "View Webhooks", "GET on /api/v1/webhooks"),
    Grant("webhooks/modify", "Modify Webhooks", f"{_ALL}/webhooks"),
    Grant("templates/view", "View Templates", "GET on /api/v1/templates"),
    Grant("templates/modify", "Modify Templates", f"{_ALL}/templates"),
    Grant("templates/preview", "Preview Templates", "POST on /api/v1/templates"),
    Grant("transmissions/view", "View Transmissions", "GET on /api/v1/transmissions"),
    Grant("transmissions/modify", "Modify Transmissions", f"{_ALL}/transmissions"),
    Grant("smtp/inject", "Send via SMTP", "SMTP injection, where the server authorizes it"),
    Grant("recipient_lists/manage", "Manage recipient lists", f"{_ALL}/recipient-lists"),
)
"""Momentum 4.2's eleven, in the order of its web UI (contract 3)."""

_BY_KEY = {grant.key: grant for grant in MOMENTUM}

SENDING = frozenset({"transmissions/modify", "smtp/inject"})
"""The grants of a key that sends mail: deleting it stops mail."""


@dataclass(frozen=True, slots=True)
class Catalogue:
    """What keys may hold on one server, in the server's order.

    Grants that the server does not list are still told by Momentum's label, else by their key.
    """

    grants: tuple[Grant, ...] = MOMENTUM
    _known: dict[str, Grant] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "_known", {grant.key: grant for grant in self.grants})

    def __contains__(self, key: str) -> bool:
        return key in self._known

    def label(self, key: str) -> str:
        """Return the grant's label, safe to show (contract 3)."""
        known, momentum = self._known.get(key), _BY_KEY.get(key)
        return short((known and known.label) or (momentum and momentum.label) or key)

    def description(self, key: str) -> str:
        """Return what the grant allows, safe to show; nothing if it is not known."""
        known, momentum = self._known.get(key), _BY_KEY.get(key)
        return short((momentum and momentum.description) or (known and known.description) or "")

    def ordered(self, keys: Iterable[str]) -> tuple[str, ...]:
        """Return `keys` in the catalogue's order, those it does not list at the end, each once."""
        places = {key: place for place, key in enumerate(self._known)}
        return tuple(sorted(dict.fromkeys(keys), key=lambda key: places.get(key, len(places))))


_READING = frozenset({"view", "preview"})
_SMTP = "smtp/inject"


def letters(keys: Iterable[str]) -> str:
    """Return whether a key with these grants reads, writes and sends mail: `rws`, `-` where not.

    A grant of which nobody knows that it only reads counts as one that writes.
    """
    grants = frozenset(keys)
    actions = {grant.rpartition("/")[2] for grant in grants if grant != _SMTP}
    reads, writes = bool(actions & _READING), bool(actions - _READING)
    return ("r" if reads else "-") + ("w" if writes else "-") + ("s" if sends(grants) else "-")


def power(key: str) -> int:
    """Return 2 for a grant that sends mail, 1 for one that changes something, 0 for reading."""
    return 2 if key in SENDING else int(key.rpartition("/")[2] not in _READING)


def area(key: str) -> str:
    """Return what a grant is about, safe to show: `transmissions` of `transmissions/view`."""
    return short(key.rpartition("/")[0] or key)


def sends(keys: Iterable[str]) -> bool:
    """Tell whether a key with these grants can send mail."""
    return not SENDING.isdisjoint(keys)
