"""Which grants allow a request, and which requests a grant allows (contract 3)."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from tui.api.grants import MOMENTUM
from tui.search.query import QueryError, Unfinished

PREFIX = "/api/v1"
METHODS = ("GET", "POST", "PUT", "DELETE")
_PREVIEW = "/templates/{id}/preview"


@dataclass(frozen=True, slots=True)
class Access:
    """Methods that are allowed on a path and on all below it, without the API's prefix.

    `{id}` stands for any one name. `is_inferred` where the grant isn't one of Momentum's, so that its
    name alone suggests what it allows.
    """

    methods: tuple[str, ...]
    path: str
    is_inferred: bool = False

    def covers(self, path: str) -> bool:
        """Tell whether a path, without the API's prefix, is this one or below it."""
        names, wanted = _names(path), _names(self.path)
        return len(names) >= len(wanted) and all(
            name == pattern or pattern == "{id}"
            for name, pattern in zip(names, wanted, strict=False)
        )


def _names(path: str) -> tuple[str, ...]:
    return tuple(path.strip("/").split("/"))


_READ, _WRITE = ("GET",), METHODS
_MOMENTUM: dict[str, tuple[Access, ...]] = {
    "metrics/view": (Access(_READ, "/metrics"),),
    "adaptive-delivery/view": (Access(_READ, "/adaptive-delivery"),),
    "webhooks/view": (Access(_READ, "/webhooks"),),
    "webhooks/modify": (Access(_WRITE, "/webhooks"),),
    "templates/view": (Access(_READ, "/templates"),),
    "templates/modify": (Access(_WRITE, "/templates"),),
    "templates/preview": (Access(("POST",), _PREVIEW),),
    "transmissions/view": (Access(_READ, "/transmissions"),),
    "transmissions/modify": (Access(_WRITE, "/transmissions"),),
    "smtp/inject": (),  # it allows nothing over REST
    "recipient_lists/manage": (Access(_WRITE, "/recipient-lists"),),
}

_ACTIONS = {"view": _READ, "modify": _WRITE, "manage": _WRITE}
_PATHS = {
    "ab-testing": "/ab-test",
    "subaccount": "/subaccounts",
    "suppression_lists": "/suppression-list",
}
"""Where the path of a resource is not simply its name."""


def allowed_by(grant: str) -> tuple[Access, ...]:
    """Return what a grant allows; nothing where that isn't known, or where it isn't for REST."""
    if grant in _MOMENTUM:
        return _MOMENTUM[grant]
    resource, _, action = grant.rpartition("/")
    methods = _ACTIONS.get(action)
    if not resource or methods is None:
        return ()
    path = _PATHS.get(resource, f"/{resource.replace('_', '-')}")
    return (Access(methods, path, is_inferred=True),)


def grants_allowing(
    method: str, path: str, grants: Iterable[str] = tuple(_MOMENTUM), prefix: str = PREFIX
) -> frozenset[str]:
    """Return which of `grants`, Momentum's by default, allow a request, by their keys.

    `path` may be without the API's prefix, and may have a query. Previews are allowed by their own
    grant alone, although they lie below the templates. HEAD is allowed where GET is.
    """
    method = "GET" if method.upper() == "HEAD" else method.upper()
    place = _without_prefix(path, prefix)
    is_preview = method == "POST" and Access((), _PREVIEW).covers(place)
    return frozenset(
        grant
        for grant in grants
        for access in allowed_by(grant)
        if method in access.methods
        and access.covers(place)
        and is_preview == (access.path == _PREVIEW)
    )


def _without_prefix(path: str, prefix: str) -> str:
    place = "/" + path.partition("?")[0].strip("/")
    prefix = "/" + prefix.strip("/")
    return place.removeprefix(prefix) if f"{place}/".startswith(f"{prefix}/") else place
