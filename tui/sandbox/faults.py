"""Faults on demand: what real networks and servers do now and then, for demonstrations."""

from __future__ import annotations

import asyncio
import json
import socket
import struct
from collections import deque
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from time import monotonic

from starlette.responses import JSONResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from tui.api.address import PREFIX
from tui.sandbox.answers import too_many
from tui.sandbox.fault_options import FaultOption
from tui.sandbox.http_server import transport_of

KEYS = f"{PREFIX}/api-keys"


@dataclass(frozen=True, slots=True)
class Recorded:
    """An answer that was made but not sent yet."""

    messages: list[Message]

    @property
    def status(self) -> int:
        """The status."""
        return int(self.messages[0]["status"])

    @property
    def body(self) -> bytes:
        """The whole body."""
        return b"".join(message.get("body", b"") for message in self.messages[1:])

    async def send(self, send: Send) -> None:
        """Send the answer as it was made."""
        for message in self.messages:
            await send(message)


async def record(app: ASGIApp, scope: Scope, receive: Receive) -> Recorded:
    """Have `app` answer a request, and return the answer instead of sending it."""
    messages: list[Message] = []

    async def keep(message: Message) -> None:
        messages.append(message)

    await app(scope, receive, keep)
    return Recorded(messages)


async def reset(receive: Receive, send: Send) -> None:
    """Reset the connection: with a linger of 0 s the peer gets RST instead of FIN."""
    transport = transport_of(send)
    connection = transport.get_extra_info("socket")
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    transport.abort()
    while (await receive())["type"] != "http.disconnect":
        pass


def without_last_key(answer: Recorded) -> Response:
    """Return the answer without the last key of its list, saying that the list goes on."""
    fields = json.loads(answer.body) if answer.body else {}
    if isinstance(fields.get("results"), list) and fields["results"]:
        fields["total_count"] = len(fields["results"])
        fields["results"].pop()
        return JSONResponse(fields, answer.status)
    return Response(answer.body, answer.status)


@dataclass(slots=True)
class FaultyNode:
    """Stands before a node and breaks its answers in the ways that `faults` name.

    `clock` counts seconds.
    """

    app: ASGIApp
    faults: dict[str, float]
    clock: Callable[[], float] = monotonic
    _created: int = 0
    _recent: deque[float] = field(default_factory=deque)
    _stale: Recorded | None = None
    _stale_until: float = 0.0

    @classmethod
    def of(cls, app: ASGIApp, options: tuple[str, ...]) -> ASGIApp:
        """Return `app`, behind the faults that the options ask for, if any."""
        faults = dict(FaultOption.parse(option) for option in options)
        return cls(app, faults) if faults else app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request, or break the answer."""
        if self._is_too_often():
            return await too_many("requests", 1)(scope, receive, send)
        await asyncio.sleep(self.faults.get("slow", 0))
        path, method = scope["path"].rstrip("/"), scope["method"]
        if (method, path) == ("GET", KEYS):
            return await self._list(scope, receive, send)
        if method == "GET" or not path.startswith(KEYS):
            return await self.app(scope, receive, send)
        async with self._staling(scope):
            if (method, path) == ("POST", KEYS) and "drop-after-create" in self.faults:
                return await self._create(scope, receive, send)
            return await self.app(scope, receive, send)

    def _is_too_often(self) -> bool:
        if "rate" not in self.faults:
            return False
        now = self.clock()
        while self._recent and self._recent[0] <= now - 1:
            self._recent.popleft()
        if len(self._recent) >= self.faults["rate"]:
            return True
        self._recent.append(now)
        return False

    async def _create(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Create the key, and drop the connection before its secret goes out."""
        answer = await record(self.app, scope, receive)
        self._created += answer.status == 200
        if answer.status == 200 and self._created <= self.faults["drop-after-create"]:
            return await reset(receive, send)
        return await answer.send(send)

    async def _list(self, scope: Scope, receive: Receive, send: Send) -> None:
        answer = await record(self.app, scope, receive)
        if answer.status == 200 and self._stale is not None and self.clock() < self._stale_until:
            answer = self._stale
        if answer.status == 200 and "list-in-part" in self.faults:
            return await without_last_key(answer)(scope, receive, send)
        return await answer.send(send)

    @asynccontextmanager
    async def _staling(self, scope: Scope) -> AsyncIterator[None]:
        """Keep for a while what the list says before a write."""
        if "stale-list" not in self.faults:
            yield
            return

        async def empty_body() -> Message:
            return {"type": "http.request", "body": b"", "more_body": False}

        headers = [pair for pair in scope["headers"] if pair[0] == b"authorization"]
        listing = {**scope, "method": "GET", "path": KEYS, "query_string": b"", "headers": headers}
        if self.clock() >= self._stale_until:
            before = await record(self.app, listing, empty_body)
            self._stale = before if before.status == 200 else None
        try:
            yield
        finally:
            self._stale_until = self.clock() + self.faults["stale-list"]
