"""Who may do what: from the credential to the identity to the permission (contract 6 and 8)."""

from __future__ import annotations

import base64
import ipaddress
from dataclasses import dataclass

from starlette.datastructures import Headers
from starlette.types import ASGIApp, Receive, Scope, Send

from tui.api.address import PREFIX
from tui.sandbox.answers import forbidden, unauthorized
from tui.sandbox.catalogue import KEYS_MANAGE, USERS_MANAGE, Edition
from tui.sandbox.sessions import Sessions
from tui.sandbox.store import Store, StoredKey

READ_WRITE = {
    "metrics": ({"metrics/view"}, set[str]()),
    "adaptive-delivery": ({"adaptive-delivery/view"}, set[str]()),
    "webhooks": ({"webhooks/view", "webhooks/modify"}, {"webhooks/modify"}),
    "templates": ({"templates/view", "templates/modify"}, {"templates/modify"}),
    "transmissions": ({"transmissions/view", "transmissions/modify"}, {"transmissions/modify"}),
    "recipient-lists": ({"recipient_lists/manage"}, {"recipient_lists/manage"}),
}
"""The resource roots: which grants let a request read, which let it write (contract 3)."""


@dataclass(frozen=True, slots=True)
class Identity:
    """The user or key that a credential belongs to; `session` is None for a key."""

    grants: frozenset[str]
    names: frozenset[str] = frozenset()
    """The user name and the e-mail address of the person; none for a key."""
    username: str | None = None
    session: str | None = None
    verified: bool = True
    is_key: bool = False
    is_anyone: bool = False

    def is_called(self, name: str) -> bool:
        """Tell whether `name` is this person's own."""
        return self.is_anyone or name in self.names


def resources(edition: Edition) -> tuple[str, ...]:
    """Return the resource roots that the edition has."""
    return tuple(root for root, (reads, _) in READ_WRITE.items() if reads & edition.keys)


class Gate:
    """Lets a request through to the routes only once it is known who sends it, and permitted."""

    def __init__(
        self, app: ASGIApp, *, store: Store, sessions: Sessions, edition: Edition,
        auth: bool, key_management: bool,
    ) -> None:  # fmt: skip
        self.app, self.store, self.sessions = app, store, sessions
        self.edition, self.auth, self.key_management = edition, auth, key_management

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer 401 or 403, or pass the request on with its identity."""
        if scope["type"] != "http":
            return None
        path = scope["path"].rstrip("/")  # a trailing slash is equivalent
        scope = {**scope, "path": path, "identity": Identity(frozenset())}
        area = path.removeprefix(f"{PREFIX}/").split("/") if path.startswith(f"{PREFIX}/") else []
        if area and not self._is_public(area):
            identity = self._identify(scope, area)
            if identity is None or not (
                identity.verified or _is_allowed_before_second_factor(area)
            ):
                return await unauthorized()(scope, receive, send)
            if not self._permits(identity, scope["method"], area):
                return await forbidden()(scope, receive, send)
            scope["identity"] = identity
        return await self.app(scope, receive, send)

    def _is_public(self, area: list[str]) -> bool:
        """Signing in needs no credential; without key management its paths don't exist at all."""
        match area:
            case ["authenticate"] | ["users", _, "saml"]:
                return True
            case ["authenticate" | "users" | "api-keys", *_]:
                return not self.key_management
        return False

    def _identify(self, scope: Scope, area: list[str]) -> Identity | None:
        if not self.auth:
            grants = frozenset(grant.key for grant in self.edition.of_role("admin"))
            return Identity(grants, is_anyone=True)
        scheme, secret = credential(Headers(scope=scope).get("authorization", ""))
        if not secret:
            return None
        if scheme != "basic":
            # Signing out presents the refresh token as well.
            kinds = ("access", "refresh") if area == ["authenticate", "logout"] else ("access",)
            person = self._person(secret, kinds)
            if person is not None or scheme == "bearer":
                return person
        key = self.store.key_of(secret)
        client = scope.get("client")
        if key is None or not allows(key, client[0] if client else ""):
            return None
        return Identity(frozenset(key.grants), is_key=True)

    def _person(self, token: str, kinds: tuple[str, ...]) -> Identity | None:
        session = self.sessions.find(token)
        if session is None or session.kind not in kinds:
            return None
        user = self.store.user(session.username)
        if user is None:
            return None
        return Identity(
            frozenset(grant.key for grant in self.edition.of_role(user.role)),
            frozenset({user.username, user.email}),
            user.username,
            session.id,
            session.verified,
        )

    def _permits(self, identity: Identity, method: str, area: list[str]) -> bool:
        match area:
            case ["users", name, "two-factor"]:
                return not identity.is_key and identity.is_called(name)
            case ["authenticate", "logout"]:
                return not identity.is_key
        match area:
            case ["api-keys", *_]:
                return not identity.is_key and KEYS_MANAGE in identity.grants
            case ["users", name]:
                own = identity.is_called(name)
                return not identity.is_key and (own or USERS_MANAGE in identity.grants)
            case ["users", *_]:
                return not identity.is_key and USERS_MANAGE in identity.grants
        return self._permits_resource(identity, method, area)

    def _permits_resource(self, identity: Identity, method: str, area: list[str]) -> bool:
        match area:
            case ["templates", _, "preview"] if method == "POST":
                return "templates/preview" in identity.grants
            case [root, *_] if root in resources(self.edition):
                reads, writes = READ_WRITE[root]
                # Where nobody can write, a reader gets to hear so: 405.
                wanted = reads if method in ("GET", "HEAD") else writes or reads
                return not identity.grants.isdisjoint(wanted)
        return True


def _is_allowed_before_second_factor(area: list[str]) -> bool:
    """Tell whether a token is good for this although its second factor is owed (contract 2)."""
    match area:
        case ["users", _, "two-factor"] | ["authenticate", "logout"]:
            return True
    return False


def credential(header: str) -> tuple[str, str]:
    """Return the scheme (`raw`, `bearer` or `basic`) and the secret of an Authorization header.

    Basic carries a key as its user name, with an empty password (contract 6).
    """
    scheme, space, rest = header.strip().partition(" ")
    if space and scheme.lower() == "bearer":
        return "bearer", rest.strip()
    if space and scheme.lower() == "basic":
        name, password = basic(header) or ("", "")
        return "basic", "" if password else name
    return "raw", header.strip()


def basic(header: str) -> tuple[str, str] | None:
    """Return the user name and password of a Basic Authorization header, or None."""
    scheme, _, encoded = header.strip().partition(" ")
    if scheme.lower() != "basic":
        return None
    try:
        name, colon, password = base64.b64decode(encoded, validate=True).decode().partition(":")
    except ValueError:  # not base64, not ASCII, not UTF-8
        return None
    return (name, password) if colon else None


def allows(key: StoredKey, address: str) -> bool:
    """Tell whether the key works from that address; without valid_ips it does from any."""
    if not key.valid_ips:
        return True
    try:
        sender = ipaddress.ip_address(address)
    except ValueError:
        return False
    return any(sender in ipaddress.ip_network(valid, strict=False) for valid in key.valid_ips)
