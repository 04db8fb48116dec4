"""One HTTP exchange, limited in time and size; each failure is an exception of its own type."""

from __future__ import annotations

import asyncio
import os
import socket
import ssl
import sys
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from importlib.util import find_spec
from time import monotonic

import h11
import httpx

from tui.api.address import Server
from tui.api.compression import Decompressor
from tui.api.errors import (
    ApiError,
    NoAnswer,
    NotReached,
    Stage,
    Unsendable,
)
from tui.api.proxy import Proxy, proxy_for
from tui.api.trust import is_certificate_wanted, no_trust, tls_context, tls_stage
from tui.text import plain, short
from tui.waiting import time_limit

CONNECT_SECONDS = 10.0
"""How long a connection may take to come about; shorter where the call's deadline is."""

_ALERT_SECONDS = 2.0
"""How long a server is waited for that may want a client certificate."""

RAW_CAP = 2**20
"""How much of an answer is kept as it came, besides its decompressed body, in bytes."""

_LIMITS = httpx.Limits(max_connections=20, max_keepalive_connections=20, keepalive_expiry=30.0)
_BINARY = "illegal request line"
"""How h11 tells that an answer begins with a control character, as a TLS alert does."""

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

    `body` is decompressed; `raw` is the beginning of what came, RAW_CAP bytes at most.
    `sanitize` makes a text of the answer safe to show: plain, short, without the call's secrets.
    """

    status: int
    headers: Mapping[str, str] = field(repr=False)
    body: bytes = field(default=b"", repr=False)
    raw: bytes = field(default=b"", repr=False)
    cut: ApiError | None = None
    sanitize: Callable[[str], str] = field(default=short, repr=False)


class Wire:
    """The kept-alive connections to one server, directly or through the environment's proxy."""

    def __init__(self, server: Server, transport: httpx.AsyncBaseTransport | None = None) -> None:
        self._server = server
        self._transport = transport
        self._proxy: Proxy | None = None
        self._trusted: ssl.SSLContext | None = None
        self._opening = asyncio.Lock()

    async def aclose(self) -> None:
        """Close all connections."""
        if self._transport is not None:
            await self._transport.aclose()

    async def exchange(self, call: Call) -> Answer:
        """Send `call` and return its answer of any status, with as much of the body as arrived.

        A GET is sent once more where a kept-alive connection turned out dead; nothing else is.
        Raises Unsendable, NotReached, NoAnswer.
        """
        progress, started = _Progress(), monotonic()
        try:
            async with time_limit(call.deadline):
                return await self._exchange(call, progress)
        except httpx.InvalidURL:
            failure: ApiError = Unsendable("address")
        except _FAILURES as error:
            failure = self._failure(error, progress, monotonic() - started)
            if progress.is_fresh and await self._wants_certificate(failure):
                seconds, stage = monotonic() - started, Stage.TLS_CLIENT_CERTIFICATE
                failure = NotReached(stage, self._server.host, self._server.port, seconds)
        # Raised out here, so that the error holds no link to httpx's, which may hold the headers.
        if progress.answer is not None:
            progress.answer.cut = failure
            progress.take_over()
            return progress.answer
        raise failure from None

    async def _exchange(self, call: Call, progress: _Progress) -> Answer:
        transport = self._transport or await self._opened()
        try:
            return await _exchange_once(transport, call, progress)
        except _DEAD:
            if call.method != "GET" or not progress.may_repeat():
                raise
        return await _exchange_once(transport, call, progress)

    async def _wants_certificate(self, failure: ApiError) -> bool:
        """Find out whether `failure` came of the program showing no certificate.

        From TLS 1.3 on, a server that wants one refuses after the handshake, and what was sent by
        then often costs its alert. So the handshake is made once more, and nothing sent.
        """
        server = self._server
        if not isinstance(failure, NoAnswer) or failure.reason != "broken":
            return False
        if self._trusted is None or self._proxy is not None or server.scheme != "https":
            return False
        try:
            async with asyncio.timeout(_ALERT_SECONDS):
                reader, writer = await asyncio.open_connection(
                    server.host, server.port, ssl=self._trusted
                )
                try:
                    await reader.read(1)
                finally:
                    writer.close()
        except ssl.SSLError as error:
            return is_certificate_wanted(error)
        except OSError:  # TimeoutError among them
            return False
        return False

    async def _opened(self) -> httpx.AsyncBaseTransport:
        async with self._opening:
            if self._transport is None:
                self._transport = await asyncio.to_thread(self._open)
            return self._transport

    def _open(self) -> httpx.AsyncBaseTransport:
        if "sniffio" not in sys.modules and find_spec("sniffio") is None:
            # httpcore tries to import it several times a request, and each time all of the path is
            # searched in vain, which takes a third of the request's CPU.
            sys.modules["sniffio"] = None  # type: ignore[assignment]
        server = self._server
        self._proxy = proxy_for(server)
        proxied = self._proxy is not None and self._proxy.scheme == "https"
        try:
            trusted = tls_context(server.ca_file) if proxied or server.scheme == "https" else None
        except OSError:
            detail = f"cannot read the certificates in {plain(str(server.ca_file))}"
            raise NotReached(Stage.TLS_OTHER, server.host, server.port, 0, detail) from None
        proxy = self._proxy and httpx.Proxy(
            self._proxy.url, ssl_context=trusted if proxied else None
        )
        self._trusted = trusted
        verify = trusted or no_trust()
        return httpx.AsyncHTTPTransport(
            verify=verify, trust_env=False, limits=_LIMITS, proxy=proxy or None
        )

    def _failure(self, error: Exception, progress: _Progress, seconds: float) -> ApiError:
        if isinstance(error, ApiError):
            return error
        server, chain = self._server, list(_causes(error))
        if any(isinstance(link, httpx.LocalProtocolError) for link in chain):
            return Unsendable("credential")
        if progress.sent and not any(map(is_certificate_wanted, chain)):
            reason = "broken"
            if any(isinstance(link, TimeoutError | httpx.TimeoutException) for link in chain):
                reason = "deadline"
            elif progress.answer is None and (garbled := _not_http(chain)):
                is_binary = server.scheme == "http" and str(garbled) == _BINARY
                reason = "tls" if is_binary else "not http"
            return NoAnswer(reason, server.host, server.port, seconds, server.scheme)
        reached, detail = _stage_of(chain, progress)
        proxy = self._proxy
        if proxy is not None and progress.handshakes <= (proxy.scheme == "https"):
            detail = detail or reached.value
            # Its own handshake is the first one; what fails in it is the proxy's.
            reached = Stage.PROXY_NOT_TLS if reached is Stage.NOT_TLS else Stage.PROXY
            return NotReached(reached, proxy.host, proxy.port, seconds, detail)
        return NotReached(reached, server.host, server.port, seconds, detail)


@dataclass(slots=True)
class _Progress:
    """How far a call has come, by httpcore's own account; its texts would not tell reliably."""

    dialled: bool = False
    handshakes: int = 0
    sent: bool = False
    repeated: bool = False
    answer: Answer | None = None
    body: Decompressor | None = field(default=None, repr=False)
    raw: bytearray = field(default_factory=bytearray, repr=False)

    async def __call__(self, event: str, info: Mapping[str, object]) -> None:
        if event == "connection.connect_tcp.started":
            self.dialled = True
        elif event.endswith("start_tls.started"):
            self.handshakes += 1
        elif event == "http11.send_request_headers.started":
            self.sent = getattr(info["request"], "method", b"") != b"CONNECT"

    @property
    def is_fresh(self) -> bool:
        """Whether the connection was made for this call, and no answer came over it."""
        return self.dialled and self.answer is None

    def take_over(self) -> None:
        """Give the answer what has come of its body."""
        if self.answer is not None and self.body is not None:
            self.answer.body, self.answer.raw = bytes(self.body.content), bytes(self.raw)

    def may_repeat(self) -> bool:
        """Tell whether a kept-alive connection broke before any answer; true once in a call."""
        if self.dialled or self.answer is not None or self.repeated:
            return False
        self.repeated, self.sent = True, False
        return True


async def _exchange_once(
    transport: httpx.AsyncBaseTransport, call: Call, progress: _Progress
) -> Answer:
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
        progress.answer = answer = Answer(response.status_code, dict(response.headers))
        declared = response.headers.get("content-encoding", "")
        progress.body = body = Decompressor(declared, answer.status, call.cap)
        async for piece in response.aiter_raw():
            progress.raw += piece[: RAW_CAP - len(progress.raw)]
            body.feed(piece)
        body.end()
    finally:
        await response.aclose()
    progress.take_over()
    return answer


def _causes(error: BaseException) -> Iterator[BaseException]:
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


def _not_http(chain: list[BaseException]) -> BaseException | None:
    return next((link for link in chain if isinstance(link, h11.RemoteProtocolError)), None)


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
            return Stage.TIMEOUT, "while agreeing on encryption" if progress.handshakes else ""
        if isinstance(link, ConnectionRefusedError):
            return Stage.REFUSED, ""
    if any(isinstance(link, UnicodeError) for link in chain):
        return Stage.NAME, "not a name that can be looked up"
    if progress.handshakes:
        return Stage.TLS_OTHER, "the connection was closed"
    numbers = [link.errno for link in chain if isinstance(link, OSError) and link.errno]
    return Stage.NETWORK, os.strerror(numbers[0]) if numbers else ""
