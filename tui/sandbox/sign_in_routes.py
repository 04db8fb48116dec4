"""Signing people in and out, the second factor, and what they may do (contract 2 and 3)."""

from __future__ import annotations

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from tui.sandbox.answers import form, grant_error, json_object, results, too_many
from tui.sandbox.gate import basic
from tui.sandbox.node_context import client_address, identity, node_context
from tui.sandbox.passwords import matches
from tui.sandbox.seeding import USERNAME
from tui.sandbox.sessions import ACCESS_SECONDS

_WRONG = "User credentials are invalid"


async def authenticate(request: Request) -> Response:
    """Answer POST /authenticate: a password or a refresh token for an access token."""
    node = node_context(request)
    header = request.headers.get("authorization", "")
    client = basic(header)
    if (header or node.rules.require_client) and not (client and node.store.knows_client(*client)):
        return grant_error(401, "invalid_client", "Client credentials are invalid")
    fields = await form(request)
    match fields.get("grant_type"):
        case "password":
            return await _password(request, fields)
        case "refresh_token":
            access = node.sessions.renew(fields.get("refresh_token", ""))
            if access is None:
                return grant_error(400, "invalid_grant", "The refresh token is not valid")
            return _token(access, None)
        case None:
            return grant_error(400, "invalid_request", "Missing parameter: grant_type")
    return grant_error(400, "unsupported_grant_type", "This grant type is not supported")


async def _password(request: Request, fields: dict[str, str]) -> Response:
    node, typed = node_context(request), fields.get("username", "")
    user, account = node.store.user(typed), node.rules.account
    name = user.username if user else typed
    seconds = node.sign_ins.wait(name, client_address(request))
    if seconds:
        return too_many("sign-in attempts", seconds)
    node.sign_ins.begin(name, client_address(request))
    # Only the node's own user has an account of the chosen kind; a colleague signs in plainly.
    own = user is not None and user.username == USERNAME
    kept = user.password if user and not (own and account == "single-sign-on") else None
    right = await matches(fields.get("password", ""), kept, node.rules.cost)
    if user is None or not right:
        return grant_error(400, "invalid_grant", _WRONG)
    node.sign_ins.forgive(name, client_address(request))
    access, refresh = node.sessions.open(
        user.username,
        remember=fields.get("rememberMe") == "true",
        verified=not (own and account.startswith("two-factor")),
    )
    return _token(access, refresh)


def _token(access: str, refresh: str | None) -> Response:
    token = {"access_token": access, "token_type": "Bearer", "expires_in": ACCESS_SECONDS}
    if refresh is not None:
        token["refresh_token"] = refresh
    return JSONResponse(token, headers={"Cache-Control": "no-store"})


async def sign_out(request: Request) -> Response:
    """Answer POST /authenticate/logout: the token of the form is good no longer."""
    node, who = node_context(request), identity(request)
    token = (await form(request)).get("token")
    if not token:
        return grant_error(400, "invalid_request", "Missing parameter: token")
    if who.username is not None:
        node.sessions.invalidate(token, who.username)
    return results({"message": "Token invalidated."})


async def list_grants(request: Request) -> Response:
    """Answer GET /authenticate/grants: what a key, or with `role` somebody, may do."""
    edition, role = node_context(request).rules.edition, request.query_params.get("role")
    return results(
        [
            {"key": grant.key, "label": grant.label, "description": grant.description}
            for grant in (edition.grants if role is None else edition.of_role(role))
        ]
    )


async def show_account(request: Request) -> Response:
    """Answer GET /users/{name}, by user name or e-mail address."""
    person = node_context(request).store.user(request.path_params["name"])
    if person is None:
        raise HTTPException(404)
    return results(
        {
            "username": person.username,
            "first_name": person.first_name,
            "email": person.email,
            "customer": 1,
            "access_level": person.role,
        }
    )


async def show_single_sign_on(request: Request) -> Response:
    """Answer GET /users/{name}/saml, to everybody: whether the account signs in elsewhere."""
    node = node_context(request)
    person = node.store.user(request.path_params["name"])
    own = person is not None and person.username == USERNAME
    return results({"saml": own and node.rules.account == "single-sign-on"})


async def second_factor(request: Request) -> Response:
    """Answer GET and POST /users/{name}/two-factor: whether there is one; a code's check."""
    node, who = node_context(request), identity(request)
    person = node.store.user(request.path_params["name"])
    if person is None:
        raise HTTPException(404)
    account = node.rules.account if person.username == USERNAME else "password"
    if request.method != "POST":
        required = account == "two-factor-required"
        return results({"enabled": account == "two-factor", "required": required})
    seconds = node.codes.wait(person.username, client_address(request))
    if seconds:
        return too_many("codes", seconds)
    code = (await json_object(request)).get("code")
    node.codes.begin(person.username, client_address(request))
    kept = person.code if account == "two-factor" else None
    if not await matches(str(code), kept, node.rules.cost):
        return grant_error(400, "invalid_code", "The code is not valid")
    node.codes.forgive(person.username, client_address(request))
    if who.session is not None:
        node.sessions.verify(who.session)
    return results({"message": "Code accepted."})
