"""One exchange with the server: bounded in time and size, and every failure named by its type."""

from __future__ import annotations

import asyncio
import os
import socket
import ssl
import zlib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from time import monotonic

import h11
import httpx

from tui.api.address import Server
from tui.api.errors import (
    ApiError,
    NoAnswer,
    NotReached,
    Stage,
    TooLarge,
    Unreadable,
    Unsendable,
)
from tui.api.proxy import Proxy, proxy_for
from tui.api.trust import no_trust, tls_context, tls_stage
from tui.text import short
from tui.waiting import time_limit

CONNECT_SECONDS = 10.0
"""How long a connection may take to come about; shorter where the call's deadline is."""

_LIMITS = httpx.Limits(max_connections=20, max_keepalive_connections=20, keepalive_expiry=30.0)
_DEAD = (httpx.RemoteProtocolError, httpx.ReadError, httpx.WriteError, httpx.CloseError)
# What httpx lets through besides its own: ssl and socket errors while reading, a name that IDNA
# refuses (UnicodeError), and anyio's groups.
_FAILURES = (ApiError, httpx.TransportError, OSError, UnicodeError, ExceptionGroup)


@dataclass(frozen=True, slots=True)
class Call:
    """One request as it goes out, and the bounds of its answer, in seconds and decoded bytes."""

    method: str
    url: str = field(repr=False)
    headers: Mapping[str, str] = field(repr=False)
    content: bytes = field(repr=False)
    deadline: float
    cap: int


@dataclass(slots=True)
class Answer:
    """What came back; `cut` tells why the body is not whole, where it is not.

    `sanitize` makes a text of the answer safe to show: plain, short, without the call's secrets.
    """

    status: int
    headers: Mapping[str, str] = field(repr=False)
    body: bytes = field(default=b"", repr=False)
    cut: ApiError | None = None
    sanitize: Callable[[str], str] = field(default=short, repr=False)


class Wire:
    """The kept-alive connections to one server, directly or through the environment's proxy."""

    def __init__(self, server: Server, transport: httpx.AsyncBaseTransport | None = None) -> None:
        self._server = server
        self._transport = transport
        self._proxy: Proxy | None = None
        self._opening = asyncio.Lock()

    async def aclose(self) -> None:
        """Close all connections."""
        if self._transport is not None:
            await self._transport.aclose()

    async def exchange(self, call: Call) -> Answer:
        """Send `call` and return its answer, the status whatever it is, the body as far as it came.

        A GET is sent once more where a kept-alive connection turned out dead; nothing else is.
        Raises Unsendable, NotReached, NoAnswer.
        """
        progress, started = _Progress(), monotonic()
        try:
            async with time_limit(call.deadline):
                return await self._sent(call, progress)
        except httpx.InvalidURL:
            failure: ApiError = Unsendable("address")
        except _FAILURES as error:
            failure = self._failure(error, progress, monotonic() - started)
        # Raised out here, so that the error holds no link to httpx's, which may hold the headers.
        if progress.answer is not None:
            progress.answer.cut = failure
            progress.answer.body = bytes(progress.content)
            return progress.answer
        raise failure from None

    async def _sent(self, call: Call, progress: _Progress) -> Answer:
        transport = self._transport or await self._opened()
        try:
            return await _once(transport, call, progress)
        except _DEAD:
            if call.method != "GET" or not progress.may_repeat():
                raise
        return await _once(transport, call, progress)

    async def _opened(self) -> httpx.AsyncBaseTransport:
        async with self._opening:
            if self._transport is None:
                self._transport = await asyncio.to_thread(self._open)
            return self._transport

    def _open(self) -> httpx.AsyncBaseTransport:
        server = self._server
        self._proxy = proxy_for(server)
        proxied = self._proxy is not None and self._proxy.scheme == "https"
        try:
            trusted = tls_context(server.ca_file) if proxied or server.scheme == "https" else None
        except OSError:
            detail = f"cannot read the certificates in {short(str(server.ca_file))}"
            raise NotReached(Stage.TLS_OTHER, server.host, server.port, 0, detail) from None
        proxy = self._proxy and httpx.Proxy(
            self._proxy.url, ssl_context=trusted if proxied else None
        )
        verify = trusted or no_trust()
        return httpx.AsyncHTTPTransport(
            verify=verify, trust_env=False, limits=_LIMITS, proxy=proxy or None
        )

    def _failure(self, error: Exception, progress: _Progress, seconds: float) -> ApiError:
        if isinstance(error, ApiError):
            return error
        server, chain = self._server, list(_chain(error))
        if any(isinstance(link, httpx.LocalProtocolError) for link in chain):
            return Unsendable("credential")
        if progress.sent:
            reason = "broken"
            if any(isinstance(link, TimeoutError | httpx.TimeoutException) for link in chain):
                reason = "deadline"
            elif progress.answer is None and any(
                isinstance(x, h11.RemoteProtocolError) for x in chain
            ):
                reason = "not http"
            return NoAnswer(reason, server.host, server.port, seconds)
        reached, detail = _stage_of(chain, progress)
        if self._proxy is not None and not progress.tls:
            detail = detail or reached.value
            return NotReached(Stage.PROXY, self._proxy.host, self._proxy.port, seconds, detail)
        return NotReached(reached, server.host, server.port, seconds, detail)


@dataclass(slots=True)
class _Progress:
    """How far a call has come, by httpcore's own account; its texts would not tell reliably."""

    dialled: bool = False
    tls: bool = False
    sent: bool = False
    repeated: bool = False
    answer: Answer | None = None
    content: bytearray = field(default_factory=bytearray, repr=False)

    async def __call__(self, event: str, info: Mapping[str, object]) -> None:
        if event == "connection.connect_tcp.started":
            self.dialled = True
        elif event.endswith("start_tls.started"):
            self.tls = True
        elif event == "http11.send_request_headers.started":
            self.sent = getattr(info["request"], "method", b"") != b"CONNECT"

    def may_repeat(self) -> bool:
        """Tell whether a kept-alive connection broke before any answer; true once in a call."""
        if self.dialled or self.answer is not None or self.repeated:
            return False
        self.repeated, self.sent = True, False
        return True


async def _once(transport: httpx.AsyncBaseTransport, call: Call, progress: _Progress) -> Answer:
    # Connecting and the handshake each end by themselves before the deadline would cancel them:
    # httpcore leaves the socket open when a handshake is cancelled.
    connect = min(CONNECT_SECONDS, call.deadline * 0.45)
    request = httpx.Request(
        call.method,
        call.url,
        headers=dict(call.headers),
        content=call.content or None,
        extensions={
            "trace": progress,
            "timeout": {"connect": connect, "read": None, "write": None, "pool": None},
        },
    )
    response = await transport.handle_async_request(request)
    progress.sent = True
    try:
        progress.answer = Answer(response.status_code, dict(response.headers))
        body = _Body(response.headers.get("content-encoding", ""), progress, call.cap)
        async for piece in response.aiter_raw():
            body.feed(piece)
        body.end()
    finally:
        await response.aclose()
    progress.answer.body = bytes(progress.content)
    return progress.answer


class _Body:
    """An answer's body, decoded piece by piece and never beyond its cap, into `way.content`."""

    def __init__(self, encoding: str, progress: _Progress, cap: int) -> None:
        self._content, self._cap = progress.content, cap
        self._status = progress.answer.status if progress.answer else 0
        coding = encoding.strip().lower()
        if coding not in {"", "identity", "gzip", "x-gzip", "deflate"}:
            raise Unreadable(self._status, f"encoded as {short(coding, 20)}")
        self._inflater = zlib.decompressobj(47) if coding not in {"", "identity"} else None

    def feed(self, piece: bytes) -> None:
        room = self._cap - len(self._content)
        try:
            if self._inflater:
                piece = self._inflater.decompress(piece, room + 1)
        except zlib.error:
            raise Unreadable(self._status, "badly compressed") from None
        self._content += piece[:room]
        if len(piece) > room:
            raise TooLarge(self._cap)

    def end(self) -> None:
        if self._inflater and self._content and not self._inflater.eof:
            raise Unreadable(self._status, "cut off")


def _chain(error: BaseException) -> Iterator[BaseException]:
    """Give `error`, what it came from, and the members of groups, each once."""
    waiting, seen = [error], set[int]()
    while waiting:
        link = waiting.pop(0)
        if id(link) in seen:
            continue
        seen.add(id(link))
        yield link
        waiting += [e for e in (link.__cause__, link.__context__) if e is not None]
        if isinstance(link, BaseExceptionGroup):
            waiting += link.exceptions


def _stage_of(chain: list[BaseException], progress: _Progress) -> tuple[Stage, str]:
    """Return how far a call came that ended in `chain`, and the system's own word for it."""
    for link in chain:
        if isinstance(link, httpx.ProxyError):
            return Stage.PROXY, short(str(link), 80)
        if isinstance(link, socket.gaierror):
            return Stage.NAME, short(link.strerror or "")
        if isinstance(link, ssl.SSLCertVerificationError):
            return tls_stage(link), short(link.verify_message)
        if isinstance(link, ssl.SSLError):
            return tls_stage(link), short((link.reason or "").replace("_", " ").lower())
        if isinstance(link, TimeoutError | httpx.TimeoutException):
            return Stage.TIMEOUT, "while agreeing on encryption" if progress.tls else ""
        if isinstance(link, ConnectionRefusedError):
            return Stage.REFUSED, ""
    if any(isinstance(link, UnicodeError) for link in chain):
        return Stage.NAME, "not a name that can be looked up"
    if progress.tls:
        return Stage.TLS_OTHER, "the connection was closed"
    numbers = [link.errno for link in chain if isinstance(link, OSError) and link.errno]
    return Stage.NETWORK, os.strerror(numbers[0]) if numbers else ""
