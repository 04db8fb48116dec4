"""An operator's host in tests: a service on a node, requests that go wrong, secrets kept."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from functools import partial
from typing import Any

import httpx
from pydantic import SecretStr

from tests.clock import in_vain, pass_time
from tests.node import How, Node
from tui.api.address import parse_server
from tui.api.client import Client
from tui.api.errors import ErrorEntry, Invalid, NotFound
from tui.api.models import CreatedKey, Key, KeyDraft
from tui.api.session import Session
from tui.api.trust import no_trust
from tui.delivery.new_secret import DeliveryFailed, DeliveryFault, NewSecret, Sent
from tui.journal import Journal
from tui.keys.key_record import UnfinishedRotation
from tui.keys.labels import base_label, mark_of
from tui.keys.rotation import Rotation, State
from tui.keys.service import KeyService
from tui.keys.verification import Verdict, Verification, verify
from tui.keys.write_outcomes import LANDING

GRANTS = ("metrics/view", "templates/view")
LABEL = "billing mailer"


class Wire(httpx.AsyncBaseTransport):
    """Carries requests, and has the node break the one that is due; a deadline passes at once."""

    def __init__(self, node: Node) -> None:
        self.inner = httpx.AsyncHTTPTransport(verify=no_trust(), trust_env=False)
        self.node = node
        self.sent = 0
        self._due: tuple[int, How] | None = None

    def break_at(self, place: int, how: How) -> None:
        """Have the request number `place` from now on, from 0, go wrong."""
        self.sent, self._due = 0, (place, how)

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        answer = self.inner.handle_async_request(request)
        if self._due and self.sent == self._due[0]:
            _, how = self._due
            self._due = None
            held = self.node.held
            # The node may hear another request first, that was sent at the same time.
            self.node.fail(request.method, request.url.path, how, exactly=True)
            if how in {"429", "503-html"}:  # asked to wait for a second
                asyncio.get_running_loop().call_later(0.05, pass_time, 1.0)
            if how in {"hang", "hang-after"}:
                answer = in_vain(answer, lambda: self.node.held > held)
        self.sent += 1
        return await answer

    async def aclose(self) -> None:
        await self.inner.aclose()


async def at_once(seconds: float) -> None:
    """Wait for nothing."""


async def proven(*_: object, **__: object) -> Verification:
    """Verify without asking anybody."""
    await asyncio.sleep(0)
    return Verification(Verdict.GRANTED)


@dataclass
class Vault:
    """Keeps what is delivered, by the key's id; the labels in `broken` fail so many times."""

    kept: dict[str, str] = field(default_factory=dict)
    broken: dict[str, int] = field(default_factory=dict)

    async def deliver(self, new_secret: NewSecret) -> Sent:
        if self.broken.get(new_secret.label, 0) > 0:
            self.broken[new_secret.label] -= 1
            raise DeliveryFailed(DeliveryFault.FAILED, "The vault is sealed.")
        await asyncio.sleep(0)
        self.kept[new_secret.key_id] = new_secret.secret.get_secret_value()
        return Sent("the vault", "nothing stands in the way")


@dataclass
class Clock:
    """What the journal takes the time from."""

    now: datetime = field(default_factory=lambda: datetime.now(UTC))

    def __call__(self) -> datetime:
        return self.now


@dataclass
class Host:
    """One run of the program: its service, its wire, and where its secrets go."""

    node: Node
    service: KeyService
    wire: Wire
    vault: Vault

    clock: Clock

    trusting: bool = False
    """Whether keys are taken to work without asking, where that is looked at otherwise."""

    @property
    def prove(self) -> Callable[..., Awaitable[Verification]]:
        if self.trusting:
            return proven
        client = self.service.session.client
        return partial(verify, client, patience=0.05, sleep=at_once)

    @property
    def password(self) -> SecretStr:
        return SecretStr(self.node.password)

    def let_time_pass(self) -> None:
        """Have every write that got no answer be too late to take effect."""
        self.clock.now += 2 * LANDING

    def rotation(self, key: Key) -> Rotation:
        return Rotation(self.service, key, prove=self.prove)

    async def key(self, key_id: str) -> Key:
        return next(key for key in (await self.service.load()).keys if key.id == key_id)

    def ours(self, label: str = LABEL) -> list[str]:
        """Return the ids of the keys with that label, marked or not, oldest first."""
        keys = self.node.keys()
        return [key.id for key in keys if base_label(key.label) == label]


@asynccontextmanager
async def signed_in(
    node: Node, vault: Vault | None = None, *, trusting: bool = False
) -> AsyncIterator[Host]:
    """Sign in to the node, as a fresh start of the program would.

    Signing out keeps to the client's deadline host, which tests may shorten.
    """
    wire = Wire(node)
    server = parse_server(
        node.url, client_id=node.client_id, client_secret=SecretStr(node.client_secret)
    )
    client = Client(server, deadline=5.0, transport=wire)
    client.sign_out = partial(  # type: ignore[method-assign]
        client.sign_out, deadline=client.deadline
    )
    session = Session(client)
    await session.enter_with_token(node.username, SecretStr(node.token()))
    clock = Clock()
    service = KeyService(session, Journal(None, now=clock))
    await service.load()
    try:
        yield Host(node, service, wire, vault or Vault(), clock, trusting)
    finally:
        await session.close()


def empty(node: Node) -> None:
    """Leave no key and no fault behind for the next case."""
    node.heal()
    for key in tuple(node.keys()):
        node.store.delete_key(key.id)
    node.requests.clear()


async def started(host: Host) -> Rotation:
    key_id, _ = host.node.add_key(LABEL, GRANTS)
    return host.rotation(await host.key(key_id))


async def known(host: Host) -> UnfinishedRotation:
    await host.service.load()
    (unfinished,) = (await host.service.records()).unfinished
    assert unfinished.is_known
    return unfinished


def change(node: Node, key_id: str, **fields: Any) -> None:  # noqa: ANN401  # a key's fields
    """Have somebody else change a key."""
    key = node.store.key(key_id)
    assert key is not None
    changed = replace(key, **fields)
    node.store.change_key(key_id, changed.label, changed.grants, changed.valid_ips)


def refusing_marks(host: Host) -> Any:  # noqa: ANN401  # a method of the client
    """Return a create that is refused where the label carries a mark."""
    create = host.service.session.client.create_key

    async def created(draft: KeyDraft, credential: SecretStr | None) -> CreatedKey:
        if mark_of(draft.label):
            raise Invalid(400, (ErrorEntry("too long", param="label"),))
        return await create(draft, credential)

    return created


async def not_found(*_: object) -> None:
    raise NotFound(404)


async def delivered(host: Host) -> Rotation:
    rotation = await started(host)
    await rotation.create()
    assert await rotation.deliver(host.vault) is State.DELIVERED
    return rotation


async def verified(host: Host) -> Rotation:
    rotation = await delivered(host)
    assert await rotation.verify() is State.VERIFIED
    return rotation
