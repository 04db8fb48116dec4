"""Proving what a key can do, by asking for what changes nothing (contract 6)."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Awaitable, Callable, Iterable, Sequence
from dataclasses import dataclass
from enum import Enum
from typing import TYPE_CHECKING, Protocol

from tui.api.errors import ApiError, in_short
from tui.text import short

if TYPE_CHECKING:
    from pydantic import SecretStr

    from tui.api.client import Client, ProbeAnswer

FIRST_WAIT = 0.25
LONGEST_WAIT = 2.0
"""How long is waited before a key that is not accepted is tried again: twice as long each time."""

AT_ONCE = 4
"""How many requests go out at the same time."""

READING_ONLY = "Shown by reading only: nothing is changed to prove it."
STILL_TRYING = "The server does not accept the key yet; asking again for a few seconds."
NOT_ENFORCED = (
    "The server lets this key read the list of keys, which keys may not: "
    "authentication may be switched off there, and then nothing is proven."
)
UNKNOWN_KEY = "The server does not know the key, or has not yet told all of its nodes about it."
NOT_ASKED = "Not asked: the key itself was not shown to work."

_PREVIEW = "/templates/{}/preview"
_PATHS = {
    "metrics/view": "/metrics/",
    "adaptive-delivery/view": "/adaptive-delivery",
    "webhooks/view": "/webhooks",
    "webhooks/modify": "/webhooks",
    "templates/view": "/templates",
    "templates/modify": "/templates",
    "templates/preview": _PREVIEW,
    "transmissions/view": "/transmissions",
    "transmissions/modify": "/transmissions",
    "recipient_lists/manage": "/recipient-lists",
}
_WRITING = frozenset(
    {"webhooks/modify", "templates/modify", "transmissions/modify", "recipient_lists/manage"}
)
_SMTP = "It is for SMTP, which the REST interface cannot show."
_UNKNOWN = "It is not known which request would show it without changing anything."


_TOO_OFTEN = frozenset({420, 429})
_AGAIN = _TOO_OFTEN | {401}
_NEITHER = frozenset({400, 405, 409, 413, 415, 422})


class Reading(Enum):
    """What an answer says about a key, or about one of its grants."""

    GRANTED = "granted"
    REFUSED = "refused"
    NOT_ACCEPTED = "not accepted"
    CANNOT_BE_SHOWN = "cannot be shown"
    NO_ANSWER = "no answer"


@dataclass(frozen=True, slots=True)
class Proof:
    """What was found out about one grant, how long the answer took, and why it says no more."""

    grant: str
    reading: Reading
    seconds: float | None = None
    why: str = ""


@dataclass(frozen=True, slots=True)
class Verification:
    """What is known of a key: that it is accepted, and its grants; some may be `awaited` still."""

    alive: Reading
    proofs: tuple[Proof, ...] = ()
    hints: tuple[str, ...] = ()
    awaited: tuple[str, ...] = ()

    @property
    def is_certain(self) -> bool:
        """Whether the answers tell that the key works or that it does not; none tells neither."""
        readings = {self.alive, *(proof.reading for proof in self.proofs)}
        return Reading.NO_ANSWER not in readings and not self.awaited

    @property
    def works(self) -> bool:
        """Whether the key is accepted, and no grant was refused, unanswered or left out."""
        shown = {Reading.GRANTED, Reading.CANNOT_BE_SHOWN}
        return (
            self.alive is Reading.GRANTED
            and not self.awaited
            and all(proof.reading in shown for proof in self.proofs)
        )


class Prove(Protocol):
    """Finds out what a secret is good for, as `KeyService.verify` does."""

    def __call__(
        self,
        secret: SecretStr,
        grants: tuple[str, ...],
        valid_ips: tuple[str, ...],
        *,
        on_change: Callable[[Verification], None] | None = None,
    ) -> Awaitable[Verification]:
        """Verify the secret of a key with those grants and allowed IPs."""
        ...


async def verify(
    client: Client,
    secret: SecretStr,
    grants: Iterable[str],
    valid_ips: Iterable[str] = (),
    *,
    patience: float = 8.0,
    on_change: Callable[[Verification], None] | None = None,
    sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
) -> Verification:
    """Find out whether a key is accepted and what it may do, by requests that change nothing.

    `patience` bounds how long is waited in all, in seconds, where the key is not accepted yet or
    the server wants to be asked less often. `on_change` hears whatever becomes known. Where the
    key is not accepted, or no answer comes, its grants are not asked about.
    """
    known = _Knowledge(
        tuple(dict.fromkeys(grants)), tuple(valid_ips), on_change or (lambda _: None)
    )
    asking = _Prober(client, secret, patience, sleep, known)
    alive = await asking.ask(_KEYS)
    known.alive_is(alive)
    plan, preview = _plan(known.grants), _preview()
    known.prove(plan.pop("", ()), _ProbeReading(Reading.CANNOT_BE_SHOWN))
    if alive.reading is Reading.NOT_ACCEPTED or not alive.status:
        for about in plan.values():
            known.prove(about, _ProbeReading(alive.reading, why=NOT_ASKED))
        return known.verification

    async def ask_about(path: str, about: Sequence[str]) -> None:
        known.prove(about, await asking.ask(preview if path == _PREVIEW else _Probe(path)))

    async with asyncio.TaskGroup() as tasks:
        for path, about in plan.items():
            tasks.create_task(ask_about(path, about))
    return known.verification


def _plan(grants: Iterable[str]) -> dict[str, list[str]]:
    """Return which paths show which grants; none shows those under the empty path."""
    plan: dict[str, list[str]] = {}
    for grant in grants:
        plan.setdefault(_PATHS.get(grant, ""), []).append(grant)
    return plan


@dataclass(frozen=True, slots=True)
class _Probe:
    """A GET, or a POST that cannot change anything."""

    path: str
    body: object | None = None


_KEYS = _Probe("/api-keys")


def _preview() -> _Probe:
    """Return a request to preview a template that is not there."""
    path = _PREVIEW.format(f"momentum-keys-{os.urandom(8).hex()}")
    return _Probe(path, {"substitution_data": {}})


@dataclass(frozen=True, slots=True)
class _ProbeReading:
    """What an answer says, in a Proof's terms; `status` is 0 where no answer came."""

    reading: Reading
    status: int = 0
    seconds: float | None = None
    why: str = ""


def _read(request: _Probe, probed: ProbeAnswer) -> _ProbeReading:
    status = probed.status

    def found(reading: Reading, why: str = "") -> _ProbeReading:
        return _ProbeReading(reading, status, probed.seconds, why)

    if 200 <= status < 300 or (status == 404 and request.body is not None):
        return found(Reading.GRANTED)
    if status == 401:
        return found(Reading.NOT_ACCEPTED, "The server does not accept the key.")
    if status == 403:
        return found(Reading.REFUSED, "The server knows the key, but does not let it do this.")
    if status == 404:
        return found(Reading.CANNOT_BE_SHOWN, f"This server has nothing at {request.path}.")
    if status in _NEITHER:
        told = f"The server answered {status}, which shows neither that it may nor that it may not."
        return found(Reading.CANNOT_BE_SHOWN, told)
    if status in _TOO_OFTEN:
        return found(Reading.NO_ANSWER, "The server wants to be asked less often.")
    return found(Reading.NO_ANSWER, f"The server answered {status}.")


class _Prober:
    """Asks with a key's secret, a few requests at a time, and again as long as patience lasts."""

    def __init__(
        self,
        client: Client,
        secret: SecretStr,
        patience: float,
        sleep: Callable[[float], Awaitable[None]],
        known: _Knowledge,
    ) -> None:
        self._client, self._secret, self._known = client, secret, known
        self._patience, self._sleep = patience, sleep
        self._gate = asyncio.Semaphore(AT_ONCE)

    async def ask(self, request: _Probe) -> _ProbeReading:
        """Return what the answer says, or why there is none."""
        pause, left = FIRST_WAIT, self._patience
        while True:
            try:
                probed = await self._probe(request)
            except ApiError as error:
                return _ProbeReading(Reading.NO_ANSWER, why=in_short(error))
            wait = max(pause, probed.retry_after or 0)
            if probed.status not in _AGAIN or wait > left:
                break
            if request is _KEYS and probed.status == 401:
                self._known.still_trying()
            await self._sleep(wait)
            left, pause = left - wait, min(pause * 2, LONGEST_WAIT)
        if request is _KEYS:
            self._patience = left
        return _read(request, probed)

    async def _probe(self, request: _Probe) -> ProbeAnswer:
        method = "GET" if request.body is None else "POST"
        async with self._gate:
            return await self._client.probe(method, request.path, self._secret, request.body)


class _Knowledge:
    """What has become known of a key, told whenever it is more than before."""

    def __init__(
        self,
        grants: tuple[str, ...],
        valid_ips: tuple[str, ...],
        tell: Callable[[Verification], None],
    ) -> None:
        self.grants, self._valid_ips, self._tell = grants, valid_ips, tell
        self._alive = Reading.NOT_ACCEPTED
        self._proofs: dict[str, Proof] = {}
        self._hints: list[str] = []

    @property
    def verification(self) -> Verification:
        """All that is known so far, in the order in which the grants were given."""
        proofs = tuple(self._proofs[grant] for grant in self.grants if grant in self._proofs)
        awaited = tuple(grant for grant in self.grants if grant not in self._proofs)
        return Verification(self._alive, proofs, tuple(self._hints), awaited)

    def still_trying(self) -> None:
        """The key is not accepted, but it may be too early for that."""
        if not self._hints:
            self._hints = [STILL_TRYING]
            self._tell(self.verification)

    def alive_is(self, found: _ProbeReading) -> None:
        """The list of keys was asked for, which a key that works may not read."""
        reading, self._hints = found.reading, []
        if reading is Reading.REFUSED:
            reading = Reading.GRANTED
        elif reading is Reading.GRANTED:
            self._hint(NOT_ENFORCED)
        elif reading is Reading.NOT_ACCEPTED:
            self._hint(UNKNOWN_KEY)
            self._hint_addresses()
        else:
            self._hint(found.why)
        self._alive = reading
        self._tell(self.verification)

    def prove(self, grants: Sequence[str], found: _ProbeReading) -> None:
        """An answer shows the same for each of `grants`."""
        if found.reading is Reading.NOT_ACCEPTED:
            self._hint_addresses()
        for grant in grants:
            why = found.why
            if grant not in _PATHS:
                why = _SMTP if grant == "smtp/inject" else _UNKNOWN
            elif found.reading is Reading.GRANTED and grant in _WRITING:
                why = READING_ONLY
            self._proofs[grant] = Proof(grant, found.reading, found.seconds, why)
        if grants:
            self._tell(self.verification)

    def _hint_addresses(self) -> None:
        if self._valid_ips:
            allowed = short(", ".join(self._valid_ips), 80)
            self._hint(
                f"The key works only from {allowed}, and it was tried from this host: "
                "its address not being among them may explain that it is not accepted."
            )

    def _hint(self, hint: str) -> None:
        if hint not in self._hints:
            self._hints.append(hint)
