"""The node as an ASGI application: the gate, and behind it the routes (contract 8)."""

from __future__ import annotations

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from tui.api.address import PREFIX
from tui.sandbox import sign_in_routes
from tui.sandbox.answers import (
    BadRequest,
    for_bad_request,
    for_failure,
    for_status,
    results,
)
from tui.sandbox.gate import READ_WRITE, Gate, resources
from tui.sandbox.key_routes import Keys, OneKey
from tui.sandbox.node_context import NodeContext, Rules
from tui.sandbox.sessions import Sessions
from tui.sandbox.slowdown import SlowDown
from tui.sandbox.store import Store


def application(store: Store, rules: Rules) -> Starlette:
    """Return a node that keeps its things in `store` and behaves by `rules`."""
    sessions = Sessions(store.db, store.now)
    gate = Middleware(
        Gate, store=store, sessions=sessions, edition=rules.edition,
        auth=rules.auth, key_management=rules.key_management,
    )  # fmt: skip
    app = Starlette(
        routes=routes(rules),
        middleware=[gate],
        exception_handlers={
            HTTPException: for_status,
            BadRequest: for_bad_request,
            Exception: for_failure,
        },
    )
    app.router.redirect_slashes = False  # the gate has made both spellings one
    app.state.node_context = NodeContext(
        store, sessions, rules, SlowDown(store.now), SlowDown(store.now)
    )
    return app


def routes(rules: Rules) -> list[BaseRoute]:
    """Return the paths that the node has; each says itself which methods it knows."""
    listed: list[BaseRoute] = [
        Route(f"{PREFIX}/{root}", _resource, methods=_methods(root))
        for root in resources(rules.edition)
    ]
    if not rules.key_management:
        return listed
    listed += [
        Route(f"{PREFIX}/authenticate", sign_in_routes.authenticate, methods=["POST"]),
        Route(f"{PREFIX}/authenticate/logout", sign_in_routes.sign_out, methods=["POST"]),
        Route(f"{PREFIX}/authenticate/grants", sign_in_routes.list_grants, methods=["GET"]),
        Route(f"{PREFIX}/users/{{name}}", sign_in_routes.show_account, methods=["GET"]),
        Route(f"{PREFIX}/users/{{name}}/saml", sign_in_routes.show_single_sign_on, methods=["GET"]),
        Route(f"{PREFIX}/api-keys", Keys),
        Route(f"{PREFIX}/api-keys/{{id}}", OneKey),
    ]
    if rules.edition.two_factor:
        path = f"{PREFIX}/users/{{name}}/two-factor"
        listed.append(Route(path, sign_in_routes.second_factor, methods=["GET", "POST"]))
    return listed


def _methods(root: str) -> list[str]:
    return ["GET", "POST"] if READ_WRITE[root][1] else ["GET"]


async def _resource(request: Request) -> Response:
    """Answer a resource root: empty, as the gate before it is the point.

    Everything below a root, such as a template and its preview, is 404: there is nothing there.
    """
    if request.method == "POST":
        return results({"message": "Let in. The sandbox keeps and sends nothing."})
    return results({} if request.url.path.endswith("/metrics") else [])
