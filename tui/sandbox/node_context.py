"""What every answer of the sandbox draws on: its store, its sessions, its rules."""

from __future__ import annotations

from dataclasses import dataclass

from starlette.requests import Request

from tui.sandbox.catalogue import Edition
from tui.sandbox.gate import Identity
from tui.sandbox.passwords import COST
from tui.sandbox.sessions import Sessions
from tui.sandbox.slowdown import SlowDown
from tui.sandbox.store import Store


@dataclass(frozen=True, slots=True)
class Rules:
    """How one node behaves; `cost` is what a password check costs (scrypt's n)."""

    edition: Edition
    account: str = "password"
    auth: bool = True
    require_client: bool = False
    key_management: bool = True
    cost: int = COST


@dataclass(frozen=True, slots=True)
class NodeContext:
    """One running node, as the answers see it."""

    store: Store
    sessions: Sessions
    rules: Rules
    sign_ins: SlowDown
    codes: SlowDown


def node_context(request: Request) -> NodeContext:
    """Return the node that the request came to."""
    context: NodeContext = request.app.state.node_context
    return context


def identity(request: Request) -> Identity:
    """Return whom the gate has let in."""
    sender: Identity = request.scope["identity"]
    return sender


def client_address(request: Request) -> str:
    """Return the address that the request came from."""
    return request.client.host if request.client else ""
