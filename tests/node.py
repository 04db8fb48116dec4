"""A real node on a loopback port for tests, and the ways in which it can go wrong."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from types import TracebackType
from typing import Literal

from starlette.responses import HTMLResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from tui.sandbox.answers import FieldError, errors, too_many
from tui.sandbox.application import application
from tui.sandbox.catalogue import edition as edition_named
from tui.sandbox.faults import FaultyNode, Recorded, record, reset, without_last_key
from tui.sandbox.http_server import QuietServer, listen, transport_of, url_of
from tui.sandbox.node_context import Rules
from tui.sandbox.seeding import seed
from tui.sandbox.sessions import Sessions
from tui.sandbox.store import Store, StoredKey, new_secret, utc_now

CHEAP = 16
"""What a password check costs in tests (scrypt's n)."""

How = Literal[
    "before",
    "after",
    "cut",
    "hang",
    "hang-after",
    "500",
    "503-html",
    "429",
    "429-for-ever",
    "in-part",
    "label-too-long",
]
"""
before      the connection is reset before anything is done
after       the request is done, the connection is reset before any answer
cut         the request is done, the answer's body is cut off in the middle
hang        nothing is done and nothing answered until `release()`
hang-after  the request is done, the answer comes only after `release()`
500, 503-html, 429   nothing is done, and that is the answer (429: wait 1 s)
429-for-ever         as 429, with `Retry-After` of a year
label-too-long       nothing is done, and the answer is a 400 about the label
in-part     the request is done; a list lacks its last key, and says that it goes on elsewhere
"""

_DONE_FIRST = ("after", "cut", "hang-after", "in-part")

_NGINX = (
    "<html>\r\n<head><title>503 Service Temporarily Unavailable</title></head>\r\n<body>\r\n"
    "<center><h1>503 Service Temporarily Unavailable</h1></center>\r\n"
    "<hr><center>openresty</center>\r\n</body>\r\n</html>\r\n"
)


class Node:
    """The sandbox's server, run in a thread; it starts when made and ends with `stop()`.

    `faults` are those that the sandbox itself takes.
    `role` is the signed-in person's: `admin`, or `reporting`, who may not manage keys.
    """

    def __init__(
        self,
        *,
        edition: str = "momentum-4.2",
        account: str = "password",
        auth: bool = True,
        require_client: bool = False,
        key_management: bool = True,
        role: str = "admin",
        seeds: bool = True,
        mint: Callable[[], str] = new_secret,
        now: Callable[[], datetime] = utc_now,
        data: Path | None = None,
        faults: tuple[str, ...] = (),
    ) -> None:
        rules = Rules(
            edition_named(edition), account, auth, require_client, key_management, cost=CHEAP
        )
        self.store = Store(data, mint=mint, now=now)
        self.sessions = Sessions(self.store.db, now)
        credentials = seed(self.store, rules, role=role, seeds=seeds)
        self.username = credentials.username
        self.password = credentials.password or ""
        self.client_id = credentials.client_id
        self.client_secret = credentials.client_secret or ""
        self.code = credentials.code or ""
        self.access_token = credentials.access_token or ""
        self.requests: list[tuple[str, str]] = []
        self._faults = FaultyApp(
            FaultyNode.of(application(self.store, rules), faults), self.requests
        )
        self._server: QuietServer | None = None
        self._start(0)

    def __enter__(self) -> Node:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()

    def add_key(
        self,
        label: str,
        grants: tuple[str, ...] = ("metrics/view",),
        valid_ips: tuple[str, ...] = (),
        owner: str | None = None,
        created_at: datetime | None = None,
        secret: str | None = None,
        subaccount: int | None = None,
    ) -> tuple[str, str]:
        """Add a key and return its id and secret; without an owner it is the node's user's own.

        A subaccount's key has no owner. Grants and addresses are taken as they are, unchecked.
        """
        key, minted = self.store.add_key(
            label,
            grants,
            valid_ips,
            username=owner if subaccount else owner or self.username,
            subaccount_id=subaccount,
            created_at=created_at,
            secret=secret,
        )
        return key.id, minted

    def keys(self) -> tuple[StoredKey, ...]:
        """Return the keys that there are, oldest first."""
        return self.store.keys()

    def labels(self) -> list[str]:
        """Return the labels of the keys that there are, oldest first."""
        return [key.label for key in self.keys()]

    def token(self, username: str | None = None) -> str:
        """Return an access token of a fresh, verified session, made without any request."""
        access, _ = self.sessions.open(username or self.username, remember=False, verified=True)
        return access

    def expire_sessions(self) -> None:
        """Let all access tokens end; refresh tokens still work."""
        self.sessions.expire_access()

    def end_sessions(self) -> None:
        """Let all access and refresh tokens end."""
        self.sessions.end_all()

    def fail(
        self, method: str, path_prefix: str, how: How, times: int = 1, *, exactly: bool = False
    ) -> None:
        """Have the next `times` requests of that method (`*`: any) under the path go wrong.

        With `exactly`, those for what lies below the path do not.
        """
        self._faults.pending.append(_Fault(method, path_prefix, how, times, exactly))

    def heal(self) -> None:
        """Have nothing go wrong from now on, and release what hangs."""
        self._faults.pending.clear()
        self.release()

    def release(self) -> None:
        """Let the requests that hang go on."""
        self._loop.call_soon_threadsafe(self._faults.let_go, False)

    def seen(self, method: str, path_prefix: str) -> int:
        """Return how many requests of that method came for paths with that beginning."""
        return sum(got == method and path.startswith(path_prefix) for got, path in self.requests)

    @property
    def held(self) -> int:
        """How many requests have been held so far, after they were done if that was to be."""
        return self._faults.held

    def wait_held(self, held: int) -> None:
        """Wait until so many requests have been held, 60 s at most."""
        deadline = time.monotonic() + 60
        while self.held < held:
            assert time.monotonic() < deadline, "no request was held"
            time.sleep(0.005)

    async def until(self, method: str, path_prefix: str, times: int = 1) -> None:
        """Wait until so many such requests have come, 60 s at most."""
        async with asyncio.timeout(60):
            while self.seen(method, path_prefix) < times:  # noqa: ASYNC110  # told by a thread
                await asyncio.sleep(0.005)

    def stop(self) -> None:
        """Close the port, dropping what hangs; `start_again()` opens the same one."""
        if self._server is None:
            return
        self._loop.call_soon_threadsafe(self._faults.let_go, True)
        self._loop.call_soon_threadsafe(self._server.leave)
        self._thread.join(60)
        assert not self._thread.is_alive(), "the server does not stop"
        self._server = None

    def start_again(self) -> None:
        """Answer again on the same port, with everything that was kept."""
        self._start(self.port)

    def close(self) -> None:
        """Stop for good and let go of the store."""
        self.stop()
        self.store.close()

    def _start(self, port: int) -> None:
        listener = listen(port)
        self.url = url_of(listener)
        self.port: int = listener.getsockname()[1]
        self._server = server = QuietServer(self._faults)
        ready = threading.Event()

        async def serve() -> None:
            self._loop = asyncio.get_running_loop()
            ready.set()
            await server.serve(sockets=[listener])

        self._thread = threading.Thread(target=lambda: asyncio.run(serve()), daemon=True)
        self._thread.start()
        assert ready.wait(60), "the server does not start"


@dataclass(slots=True)
class _Fault:
    method: str
    prefix: str
    how: How
    left: int
    exactly: bool

    def matches(self, method: str, path: str) -> bool:
        under = path == self.prefix if self.exactly else path.startswith(self.prefix)
        return under and self.method in ("*", method)


@dataclass(slots=True, eq=False)
class _Hold:
    """A request that hangs: what to wait for, and whether it is to be dropped then."""

    over: asyncio.Event = field(default_factory=asyncio.Event)
    dropped: bool = False


class FaultyApp:
    """Stands before the node, notes every request, and breaks those that are to go wrong."""

    def __init__(self, app: ASGIApp, requests: list[tuple[str, str]]) -> None:
        self.app, self.requests = app, requests
        self.pending: list[_Fault] = []
        self._holds: list[_Hold] = []
        self.held = 0

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        request = scope["method"], scope["path"]
        how = self._take(*request)
        if how is None:
            self.requests.append(request)
            await self.app(scope, receive, send)
            return
        body = await _whole(receive)
        done = await self._answer(scope, body) if how in _DONE_FIRST else []
        hold = _Hold()
        if how in ("hang", "hang-after"):
            self._holds.append(hold)
            self.held += 1
        # Noted only now, so that whoever waits for the request finds it held, and done if so.
        self.requests.append(request)
        if hold in self._holds:
            await hold.over.wait()
        if how in ("before", "after") or hold.dropped:
            await reset(receive, send)
        elif how == "cut":
            await _cut(done, receive, send)
        elif how == "in-part":
            await without_last_key(Recorded(done))(scope, receive, send)
        elif how in ("hang", "hang-after"):
            for message in done or await self._answer(scope, body):
                await send(message)
        else:
            await _refusal(how)(scope, receive, send)

    def let_go(self, dropped: bool) -> None:
        """End all holds; to be called in the server's thread."""
        while self._holds:
            hold = self._holds.pop()
            hold.dropped = dropped
            hold.over.set()

    def _take(self, method: str, path: str) -> How | None:
        for fault in self.pending:
            if fault.matches(method, path):
                fault.left -= 1
                if fault.left <= 0:
                    self.pending.remove(fault)
                return fault.how
        return None

    async def _answer(self, scope: Scope, body: bytes) -> list[Message]:
        """Have the request done, and return the answer instead of sending it."""
        given = iter([{"type": "http.request", "body": body, "more_body": False}])

        async def receive() -> Message:
            return next(given, {"type": "http.disconnect"})

        return (await record(self.app, scope, receive)).messages


async def _whole(receive: Receive) -> bytes:
    body, more = b"", True
    while more:
        message = await receive()
        body += message.get("body", b"")
        more = message.get("more_body", False)
    return body


def _refusal(fault: How) -> Response:
    if fault == "500":
        return errors(500, {"message": "Internal server error"})
    if fault == "503-html":
        return HTMLResponse(_NGINX, 503)
    if fault == "label-too-long":
        sentence = "A label has at most 16 characters"
        return errors(400, FieldError("label", "invalid data", sentence, "1300").entry())
    return too_many("requests", 1 if fault == "429" else 31_536_000)


async def _gone(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass


async def _cut(answer: list[Message], receive: Receive, send: Send) -> None:
    start, *rest = answer
    body = b"".join(message.get("body", b"") for message in rest)
    if not body:
        await reset(receive, send)
        return
    await send(start)
    await send({"type": "http.response.body", "body": body[: len(body) // 2], "more_body": True})
    transport_of(send).close()
    await _gone(receive)
