"""The API keys: list, read, create, replace, delete (contract 4)."""

from __future__ import annotations

import ipaddress
import re
from typing import TypedDict

from starlette.endpoints import HTTPEndpoint
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from tui.api.address import PREFIX
from tui.sandbox.answers import BadRequest, FieldError, forbidden, json_object, results
from tui.sandbox.catalogue import Edition
from tui.sandbox.node_context import identity, node_context
from tui.sandbox.store import StoredKey

_ADDRESS = re.compile(r"[0-9.]+(/[0-9]{1,2})?", re.ASCII)


class KeyFields(TypedDict):
    """The three fields that create and replace take."""

    label: str
    grants: tuple[str, ...]
    valid_ips: tuple[str, ...]


class Keys(HTTPEndpoint):
    """`/api-keys`."""

    async def get(self, request: Request) -> Response:
        """List the keys, with `grant` those that hold it; in a scope, those of the subaccount."""
        node, grant = node_context(request), request.query_params.get("grant")
        keys = node.store.keys(_scope(request))
        return results(
            [
                on_the_wire(key, node.rules.edition)
                for key in keys
                if grant is None or grant in key.grants
            ]
        )

    async def post(self, request: Request) -> Response:
        """Create a key; the answer is the only place where its secret ever appears."""
        node, subaccount = node_context(request), _scope(request) or None
        if subaccount in node.rules.edition.suspended:
            return forbidden()
        fields = await json_object(request)
        draft = parse_draft(fields, _grants_to_give(node.rules.edition, subaccount))
        is_userless = subaccount is not None or fields.get("userless") is True
        key, secret = node.store.add_key(
            **draft,
            username=None if is_userless else identity(request).username,
            subaccount_id=subaccount,
        )
        link = {"href": f"{PREFIX}/api-keys/{key.id}", "rel": "api-keys", "method": "GET"}
        created = {"key": secret, "short_key": key.short_key, "label": key.label, "link": link}
        return results(created, headers={"Cache-Control": "no-store"})


class OneKey(HTTPEndpoint):
    """`/api-keys/{id}`."""

    async def get(self, request: Request) -> Response:
        """Read the key."""
        return results(on_the_wire(_requested_key(request), node_context(request).rules.edition))

    async def put(self, request: Request) -> Response:
        """Replace label, grants and valid_ips, all three."""
        key, node = _requested_key(request), node_context(request)
        if not _may_change(request, key):
            return forbidden()
        # Grants outside the catalogue stay where they are, and can't be given anew.
        allowed = _grants_to_give(node.rules.edition, key.subaccount_id) | {*key.grants}
        draft = parse_draft(await json_object(request), allowed)
        if not node.store.change_key(key.id, **draft):
            raise HTTPException(404)  # deleted while the body was on its way
        return results({"message": "Updated."})

    async def delete(self, request: Request) -> Response:
        """Delete the key."""
        key = _requested_key(request)
        if not _may_change(request, key):
            return forbidden()
        if not node_context(request).store.delete_key(key.id):
            raise HTTPException(404)
        return Response(status_code=204)

    async def method_not_allowed(self, request: Request) -> Response:
        """Answer 404 before 405 (contract 8)."""
        _requested_key(request)
        return await super().method_not_allowed(request)


def on_the_wire(key: StoredKey, edition: Edition) -> dict[str, object]:
    """Return the key as list and read tell it; an old server tells little."""
    fields: dict[str, object] = {"id": key.id, "label": key.label, "grants": key.grants}
    if not edition.whole_keys:
        return fields
    fields |= {
        "short_key": key.short_key,
        "valid_ips": key.valid_ips,
        "created_at": key.created_at,
    }
    if key.username is not None:
        fields["username"] = key.username
    if key.subaccount_id is not None:
        fields["subaccount_id"] = key.subaccount_id
    return fields


def parse_draft(fields: dict[str, object], allowed: set[str]) -> KeyFields:
    """Return the three fields, or raise with everything that is wrong with them."""
    label, grants = fields.get("label"), fields.get("grants")
    valid_ips = fields.get("valid_ips", [])
    wrong = [
        FieldError("label", "required field is missing", sentence, "1400")
        for sentence in _label_problems(label)
    ]
    wrong += [FieldError("grants", *problem) for problem in _grant_problems(grants, allowed)]
    wrong += [
        FieldError("valid_ips", "invalid data format/type", sentence, "1300")
        for sentence in _address_problems(valid_ips)
    ]
    if wrong:
        raise BadRequest(*(error.entry() for error in wrong))
    return KeyFields(label=str(label), grants=_texts(grants), valid_ips=_texts(valid_ips))


def _label_problems(label: object) -> list[str]:
    if not isinstance(label, str) or not label.strip():
        return ["A key needs a label"]
    return [] if _is_text(label) else ["The label is not valid Unicode"]


def _grant_problems(grants: object, allowed: set[str]) -> list[tuple[str, str, str]]:
    if grants is None:
        return [("required field is missing", "grants is a list of grant keys", "1400")]
    if not _is_texts(grants):
        return [("invalid data format/type", "grants is a list of grant keys", "1300")]
    unknown = [grant for grant in _texts(grants) if grant not in allowed]
    return [("unknown grant", f"There is no grant {grant!r} to give", "1600") for grant in unknown]


def _address_problems(valid_ips: object) -> list[str]:
    if valid_ips is None or not _is_texts(valid_ips):
        return ["valid_ips is a list of IPv4 addresses and networks"]
    return [
        f"{valid!r} is neither an IPv4 address nor an IPv4 network like 192.0.2.0/24"
        for valid in _texts(valid_ips)
        if not _is_address(valid)
    ]


def _is_address(text: str) -> bool:
    try:
        ipaddress.IPv4Network(text, strict=False)
    except ValueError:
        return False
    return _ADDRESS.fullmatch(text) is not None  # or else a netmask would pass as well


def _is_texts(value: object) -> bool:
    return isinstance(value, list) and all(isinstance(item, str) for item in value)


def _texts(value: object) -> tuple[str, ...]:
    """Return a list of texts, each once."""
    return tuple(dict.fromkeys(map(str, value))) if isinstance(value, list) else ()


def _is_text(text: str) -> bool:
    """Tell whether the text can be written down: JSON can carry half a surrogate pair."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


def _requested_key(request: Request) -> StoredKey:
    """Return the key of the path, where the request's scope reaches it; else 404 (contract 4)."""
    key = node_context(request).store.key(request.path_params["id"])
    if key is None:
        raise HTTPException(404)
    scope = _scope(request)
    if scope is None and request.method not in ("GET", "HEAD"):
        scope = 0  # without the header, writes reach the primary account only
    if scope is not None and scope != (key.subaccount_id or 0):
        raise HTTPException(404)
    return key


def _grants_to_give(edition: Edition, subaccount: int | None) -> set[str]:
    """Return what a key of the primary account, or of a subaccount, may be given."""
    return {
        grant.key for grant in (edition.of_role("subaccount") if subaccount else edition.grants)
    }


def _may_change(request: Request, key: StoredKey) -> bool:
    """Tell whether the key can be changed by this person (contract 4).

    Keys of a suspended subaccount can't; and where only the owner edits, others' keys can't.
    """
    who = identity(request)
    if key.subaccount_id in node_context(request).rules.edition.suspended:
        return False
    if who.is_anyone or not node_context(request).rules.edition.owner_edits_only:
        return True
    return key.username in (None, who.username)


def _scope(request: Request) -> int | None:
    """Return the number in `X-MSYS-SUBACCOUNT`: 0 is the primary account, None stands for all.

    Raises BadRequest for anything else: a misread scope would reach another account's keys.
    """
    text = request.headers.get("x-msys-subaccount")
    if text is None:
        return None
    if not re.fullmatch(r"[0-9]{1,9}", text, re.ASCII):
        raise BadRequest({"message": "X-MSYS-SUBACCOUNT is the number of a subaccount"})
    return int(text)
