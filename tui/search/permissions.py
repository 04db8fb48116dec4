"""Which grants allow a request, and which requests a grant allows (contract 3)."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass

from tui.search.query import QueryError, UnfinishedQuery

PREFIX = "/api/v1"
METHODS = ("GET", "POST", "PUT", "DELETE")
_MAY = re.compile(r"\s*(?:may\s+)?", re.IGNORECASE)
_ASKS = re.compile(r"\s*may\s", re.IGNORECASE)
_REQUEST = re.compile(
    r"\s*(?:may\b\s*)?(?P<method>\S*)\s*(?P<path>.*?)\s*", re.IGNORECASE | re.DOTALL
)
_PREVIEW = "/templates/{id}/preview"


@dataclass(frozen=True, slots=True)
class Access:
    """Methods that are allowed on a path and on all below it, without the API's prefix.

    `{id}` stands for any one name.
    """

    methods: tuple[str, ...]
    path: str

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
    """Return what a grant allows; nothing where that isn't known, or where it isn't for REST.

    Of a grant that is not one of Momentum's, its name alone suggests that.
    """
    if grant in _MOMENTUM:
        return _MOMENTUM[grant]
    resource, _, action = grant.rpartition("/")
    methods = _ACTIONS.get(action)
    if not resource or methods is None:
        return ()
    path = _PATHS.get(resource, f"/{resource.replace('_', '-')}")
    return (Access(methods, path),)


def is_documented(grant: str) -> bool:
    """Tell whether it is documented what a grant allows, so that nothing need be inferred."""
    return grant in _MOMENTUM


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


@dataclass(frozen=True, slots=True)
class Request:
    """A request that somebody asks about: a method and a path, as typed."""

    method: str
    path: str


def asks_who_may(text: str) -> bool:
    """Tell whether a text asks who may do something: it begins with `may`, in any case."""
    return _ASKS.match(text) is not None


def parse_request(text: str) -> Request:
    """Return the request in `POST /api/v1/transmissions`; a `may` in front of it is left out.

    Raises:
        QueryError: It does not begin with a method, or the path not with a slash.
        UnfinishedQuery: The method or the path is missing.
    """
    match = _REQUEST.fullmatch(text)
    method, path = (match["method"], match["path"]) if match else ("", "")
    if not match or not method:
        raise UnfinishedQuery(f"A method is missing: {', '.join(METHODS)}.")
    if method.upper() not in (*METHODS, "HEAD"):
        if not path and any(known.startswith(method.upper()) for known in METHODS):
            raise UnfinishedQuery("The method is not complete.")
        raise QueryError(match.start("method") + 1, f"A method is one of {', '.join(METHODS)}.")
    if not path:
        raise UnfinishedQuery(f"A path is missing, such as {PREFIX}/transmissions.")
    if not path.startswith("/"):
        raise QueryError(match.start("path") + 1, "A path begins with a slash.")
    return Request(method.upper(), path)


def completions(
    text: str, grants: Iterable[str] = tuple(_MOMENTUM), prefix: str = PREFIX
) -> list[str]:
    """Return the requests that go on as `text` does, each whole, for a list to choose from.

    Before the method is typed they are the methods, then the method with each path on which one of
    `grants` allows it.
    """
    typed = _MAY.sub("", text, count=1)
    method, blank, path = typed.partition(" ")
    if not blank:
        return [f"{known} " for known in METHODS if known.startswith(method.upper())]
    paths = {
        f"{prefix.rstrip('/')}{access.path}"
        for grant in grants
        for access in allowed_by(grant)
        if method.upper() in access.methods
    }
    return [
        f"{method.upper()} {known}" for known in sorted(paths) if known.startswith(path.strip())
    ]
