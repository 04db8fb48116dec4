"""Proving what a key can do, by asking for what changes nothing (contract 6)."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Awaitable, Callable, Iterable, Sequence
from dataclasses import dataclass
from enum import Enum
from typing import TYPE_CHECKING, Protocol

from tui.api.errors import ApiError, in_short
from tui.keys.paused_mark import is_paused
from tui.text import short

if TYPE_CHECKING:
    from pydantic import SecretStr

    from tui.api.client import Client, ProbeAnswer

FIRST_PAUSE = 0.25
"""Seconds before a key that is not accepted is tried again; each further pause is twice as long."""
LONGEST_PAUSE = 2.0
"""Seconds that such a pause lasts at most."""
MOST_AT_ONCE = 4
"""How many requests are under way at the same time, at most."""

READING_ONLY = "Shown by reading only: a verification changes nothing."
STILL_TRYING = "The server does not accept the key yet; asking again for a few seconds."
NOT_ENFORCED = (
    "The server lets this key read the list of keys, which keys may not: "
    "authentication may be switched off there, and then nothing is proven."
)
UNKNOWN_KEY = "The server does not know the key, or not all of its nodes know it yet."
ASKED_TOO_OFTEN = "The server asks for fewer requests."
PAUSED = "The key is paused: it works from no address until it is resumed in the list."
NOT_ASKED = "Not asked: the key itself was not verified."

_PREVIEW_PATH = "/templates/{}/preview"
_PATH_OF_GRANT = {
    "metrics/view": "/metrics/",
    "adaptive-delivery/view": "/adaptive-delivery",
    "webhooks/view": "/webhooks",
    "webhooks/modify": "/webhooks",
    "templates/view": "/templates",
    "templates/modify": "/templates",
    "templates/preview": _PREVIEW_PATH,
    "transmissions/view": "/transmissions",
    "transmissions/modify": "/transmissions",
    "recipient_lists/manage": "/recipient-lists",
}
_WRITE_GRANTS = frozenset(
    {"webhooks/modify", "templates/modify", "transmissions/modify", "recipient_lists/manage"}
)
_WHY_SMTP = "It is for SMTP, which the REST interface cannot show."
_WHY_UNKNOWN_GRANT = "It is not known which request would show it without changing anything."

_NO_GET = ("", _PREVIEW_PATH)

_RATE_LIMITED = frozenset({420, 429})
_RETRIED = _RATE_LIMITED | {401}
_INCONCLUSIVE = frozenset({400, 405, 409, 413, 415, 422})


class Verdict(Enum):
    """What an answer says about a key, or about one of its grants."""

    GRANTED = "granted"
    REFUSED = "refused"
    NOT_ACCEPTED = "not accepted"
    CANNOT_BE_SHOWN = "cannot be shown"
    NO_ANSWER = "no answer"


_SHOWS_KEY = (Verdict.GRANTED, Verdict.REFUSED, Verdict.NOT_ACCEPTED)
"""What an answer about a grant may say that also says whether the key is accepted."""


@dataclass(frozen=True, slots=True)
class Proof:
    """The verdict of one grant, how long its answer took, and why it says no more."""

    grant: str
    verdict: Verdict
    seconds: float | None = None
    why: str = ""


@dataclass(frozen=True, slots=True)
class Verification:
    """Whether a key is accepted, and what it may do; the `awaited` grants have no proof yet."""

    alive: Verdict
    proofs: tuple[Proof, ...] = ()
    hints: tuple[str, ...] = ()
    awaited: tuple[str, ...] = ()

    @property
    def is_certain(self) -> bool:
        """Whether every answer came; without one, `works` being false says nothing of the key."""
        verdicts = {self.alive, *(proof.verdict for proof in self.proofs)}
        return Verdict.NO_ANSWER not in verdicts and not self.awaited

    @property
    def asked_too_often(self) -> bool:
        """Whether an answer is missing because the server limits the rate: ask again later."""
        return ASKED_TOO_OFTEN in self.hints or any(
            proof.why == ASKED_TOO_OFTEN for proof in self.proofs
        )

    @property
    def shows_enforcement(self) -> bool:
        """Whether the server was seen to keep a key from what no key may do."""
        return self.alive is Verdict.GRANTED and NOT_ENFORCED not in self.hints

    @property
    def works(self) -> bool:
        """Whether the key is accepted, and no grant was refused, unanswered or left out."""
        shown = {Verdict.GRANTED, Verdict.CANNOT_BE_SHOWN}
        return (
            self.alive is Verdict.GRANTED
            and not self.awaited
            and all(proof.verdict in shown for proof in self.proofs)
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
    is_enforced: bool = False,
    patience: float = 8.0,
    on_change: Callable[[Verification], None] | None = None,
    sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
) -> Verification:
    """Find out whether a key is accepted and what it may do, by requests that change nothing.

    `patience` bounds how long is waited in all, in seconds, where the key is not accepted yet or
    the server wants to be asked less often. `on_change` is called with all that is known whenever
    that is more than before. Where the key is not accepted, or no answer comes, its grants are not
    asked about. Where the server `is_enforced`, that is known to tell keys from others, an answer
    about a grant shows also whether the key is accepted: one request less.
    """
    results = _Results(
        tuple(dict.fromkeys(grants)), tuple(valid_ips), on_change or (lambda _: None)
    )
    if is_paused(results.valid_ips):
        patience = 0.0  # it is refused for as long as it is paused
    prober = _Prober(client, secret, patience, sleep, results)
    grants_by_path, preview = _by_path(results.grants), _preview_unknown_template()
    first_path = next((path for path in grants_by_path if path not in _NO_GET), "")
    first = (
        await prober.send_first(_ProbeRequest(first_path)) if is_enforced and first_path else None
    )
    shows_key = first is not None and first.verdict in _SHOWS_KEY
    alive = first if first is not None and shows_key else await prober.send_first(_LIST_KEYS)
    results.set_alive(alive, is_list=not shows_key)
    results.add(grants_by_path.pop("", ()), _ProbeResult(Verdict.CANNOT_BE_SHOWN))
    if alive.verdict is Verdict.NOT_ACCEPTED or not alive.status:
        for shown_grants in grants_by_path.values():
            results.add(shown_grants, _ProbeResult(alive.verdict, why=NOT_ASKED))
        return results.verification

    if first is not None:
        results.add(grants_by_path.pop(first_path), first)

    async def probe(path: str, shown_grants: Sequence[str]) -> None:
        request = preview if path == _PREVIEW_PATH else _ProbeRequest(path)
        results.add(shown_grants, await prober.send(request))

    async with asyncio.TaskGroup() as tasks:
        for path, shown_grants in grants_by_path.items():
            tasks.create_task(probe(path, shown_grants))
    return results.verification


def _by_path(grants: Iterable[str]) -> dict[str, list[str]]:
    """Return the grants that each path shows; those that none shows are under the empty path."""
    grants_by_path: dict[str, list[str]] = {}
    for grant in grants:
        grants_by_path.setdefault(_PATH_OF_GRANT.get(grant, ""), []).append(grant)
    return grants_by_path


@dataclass(frozen=True, slots=True)
class _ProbeRequest:
    """A GET, or a POST that cannot change anything."""

    path: str
    body: object | None = None


_LIST_KEYS = _ProbeRequest("/api-keys")


def _preview_unknown_template() -> _ProbeRequest:
    path = _PREVIEW_PATH.format(f"momentum-keys-{os.urandom(8).hex()}")
    return _ProbeRequest(path, {"substitution_data": {}})


@dataclass(frozen=True, slots=True)
class _ProbeResult:
    """What the answer to one probe says; `status` is 0 where no answer came."""

    verdict: Verdict
    status: int = 0
    seconds: float | None = None
    why: str = ""


def _read(request: _ProbeRequest, answer: ProbeAnswer) -> _ProbeResult:
    status = answer.status

    def result(verdict: Verdict, why: str = "") -> _ProbeResult:
        return _ProbeResult(verdict, status, answer.seconds, why)

    if 200 <= status < 300 or (status == 404 and request.body is not None):
        return result(Verdict.GRANTED)
    if status == 401:
        return result(Verdict.NOT_ACCEPTED, "The server does not accept the key.")
    if status == 403:
        return result(Verdict.REFUSED, "The server knows the key, but does not let it do this.")
    if status == 404:
        return result(Verdict.CANNOT_BE_SHOWN, f"This server has nothing at {request.path}.")
    if status in _INCONCLUSIVE:
        why = f"The server answered {status}, which shows neither that it may nor that it may not."
        return result(Verdict.CANNOT_BE_SHOWN, why)
    if status in _RATE_LIMITED:
        return result(Verdict.NO_ANSWER, ASKED_TOO_OFTEN)
    return result(Verdict.NO_ANSWER, f"The server answered {status}.")


class _Prober:
    """Sends probes with a key's secret, a few at a time, and again as long as patience lasts."""

    def __init__(
        self,
        client: Client,
        secret: SecretStr,
        patience: float,
        sleep: Callable[[float], Awaitable[None]],
        results: _Results,
    ) -> None:
        self._client, self._secret, self._results = client, secret, results
        self._patience, self._sleep = patience, sleep
        self._gate = asyncio.Semaphore(MOST_AT_ONCE)

    async def send_first(self, request: _ProbeRequest) -> _ProbeResult:
        """Return what the answer says of the key; what patience that costs is left to no other."""
        return await self.send(request, is_first=True)

    async def send(self, request: _ProbeRequest, *, is_first: bool = False) -> _ProbeResult:
        """Return what the answer says, or why there is none."""
        pause, left = FIRST_PAUSE, self._patience
        while True:
            try:
                answer = await self._probe(request)
            except ApiError as error:
                return _ProbeResult(Verdict.NO_ANSWER, why=in_short(error))
            wait = max(pause, answer.retry_after or 0)
            if answer.status not in _RETRIED or wait > left:
                break
            if is_first and answer.status == 401:
                self._results.note_retry()
            await self._sleep(wait)
            left, pause = left - wait, min(pause * 2, LONGEST_PAUSE)
        if is_first:
            self._patience = left
        return _read(request, answer)

    async def _probe(self, request: _ProbeRequest) -> ProbeAnswer:
        method = "GET" if request.body is None else "POST"
        async with self._gate:
            return await self._client.probe(method, request.path, self._secret, request.body)


class _Results:
    """What the answers so far say about a key; `on_change` gets all of it after each."""

    def __init__(
        self,
        grants: tuple[str, ...],
        valid_ips: tuple[str, ...],
        on_change: Callable[[Verification], None],
    ) -> None:
        self.grants, self.valid_ips, self._on_change = grants, valid_ips, on_change
        self._alive = Verdict.NOT_ACCEPTED
        self._proofs: dict[str, Proof] = {}
        self._hints: list[str] = []

    @property
    def verification(self) -> Verification:
        """What is known, in the order in which the grants were given."""
        proofs = tuple(self._proofs[grant] for grant in self.grants if grant in self._proofs)
        awaited = tuple(grant for grant in self.grants if grant not in self._proofs)
        return Verification(self._alive, proofs, tuple(self._hints), awaited)

    def note_retry(self) -> None:
        """Say that the key is not accepted yet, and tried again."""
        if not self._hints:
            self._hints = [STILL_TRYING]
            self._on_change(self.verification)

    def set_alive(self, result: _ProbeResult, *, is_list: bool) -> None:
        """Take in the answer that says whether the key is accepted: a refusal knows the key.

        `GET /api-keys` refuses each key that works (contract 6).
        """
        verdict, self._hints = result.verdict, []
        if verdict is Verdict.REFUSED:
            verdict = Verdict.GRANTED
        elif verdict is Verdict.GRANTED:
            if is_list:
                self._hint(NOT_ENFORCED)
        elif verdict is Verdict.NOT_ACCEPTED and is_paused(self.valid_ips):
            self._hint(PAUSED)
        elif verdict is Verdict.NOT_ACCEPTED:
            self._hint(UNKNOWN_KEY)
            self._hint_addresses()
        else:
            self._hint(result.why)
        self._alive = verdict
        self._on_change(self.verification)

    def add(self, grants: Sequence[str], result: _ProbeResult) -> None:
        """Take in an answer that says the same about each of `grants`."""
        if result.verdict is Verdict.NOT_ACCEPTED:
            self._hint_addresses()
        for grant in grants:
            why = result.why
            if grant not in _PATH_OF_GRANT:
                why = _WHY_SMTP if grant == "smtp/inject" else _WHY_UNKNOWN_GRANT
            elif result.verdict is Verdict.GRANTED and grant in _WRITE_GRANTS:
                why = READING_ONLY
            self._proofs[grant] = Proof(grant, result.verdict, result.seconds, why)
        if grants:
            self._on_change(self.verification)

    def _hint_addresses(self) -> None:
        if self.valid_ips and not is_paused(self.valid_ips):
            allowed = short(", ".join(self.valid_ips), 80)
            self._hint(
                f"The key works only from {allowed}. If this host's address is not among them, "
                "that explains the refusal."
            )

    def _hint(self, hint: str) -> None:
        if hint not in self._hints:
            self._hints.append(hint)
