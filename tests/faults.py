"""A server that misbehaves byte by byte, as told; it remembers every request that reached it."""

from __future__ import annotations

import asyncio
import contextlib
import gzip
import json
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine
from dataclasses import dataclass, field
from typing import Any, TypeVar

from tests.clock import in_vain
from tui.sandbox.http_server import close_listeners

T = TypeVar("T")

Reply = Callable[["Request", asyncio.StreamWriter], Awaitable[None]]


@dataclass(frozen=True)
class Request:
    """A request as it came in."""

    method: str
    path: str
    headers: dict[str, str]
    body: bytes


@dataclass
class FaultServer:
    """The running server: `replies` are used one after the other, the last one for all others."""

    port: int = 0
    replies: list[Reply] = field(default_factory=list)
    requests: list[Request] = field(default_factory=list)
    connections: int = 0
    arrived: asyncio.Event = field(default_factory=asyncio.Event)

    def next_reply(self) -> Reply:
        return self.replies.pop(0) if len(self.replies) > 1 else self.replies[0]

    def count(self, method: str, path: str) -> int:
        return sum(r.method == method and r.path == path for r in self.requests)


@contextlib.asynccontextmanager
async def faults(*replies: Reply, tls: ssl.SSLContext | None = None) -> AsyncIterator[FaultServer]:
    """Run a server on a free port of this machine that answers with `replies`."""
    server = FaultServer(replies=list(replies))
    tasks: set[asyncio.Task[None]] = set()
    writers: set[asyncio.StreamWriter] = set()

    def connected(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        server.connections += 1
        writers.add(writer)
        tasks.add(asyncio.create_task(serve(reader, writer)))

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(OSError, asyncio.IncompleteReadError, asyncio.CancelledError):
            while not writer.is_closing():
                request = await _request(reader)
                server.requests.append(request)
                server.arrived.set()
                await server.next_reply()(request, writer)
                await writer.drain()
        writer.close()
        with contextlib.suppress(OSError, asyncio.CancelledError):
            await writer.wait_closed()

    listener = await asyncio.start_server(connected, "127.0.0.1", 0, ssl=tls)
    server.port = listener.sockets[0].getsockname()[1]
    try:
        yield server
    finally:
        await close_listeners(listener)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        for writer in writers:
            writer.transport.abort()
        await _turns()  # for the sockets, which close after their transports
        await listener.wait_closed()


async def _turns() -> None:
    for _ in range(5):
        await asyncio.sleep(0)


async def answered(server: FaultServer, call: Coroutine[Any, Any, T], name: str) -> T:
    """Make a call that is answered as `name` says, without waiting for a deadline."""
    if name not in NEVER:
        return await call
    before = len(server.requests)
    return await in_vain(call, lambda: len(server.requests) > before)


async def _request(reader: asyncio.StreamReader) -> Request:
    head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
    first, *lines = head.strip().split("\r\n")
    method, path, _ = first.split(" ")
    headers = {name.lower(): value for name, value in (line.split(": ", 1) for line in lines)}
    body = await reader.readexactly(int(headers.get("content-length", "0")))
    return Request(method, path, headers, body)


def raw(data: bytes, *, close: bool = True) -> Reply:
    """Answer with these very bytes."""

    async def reply(request: Request, writer: asyncio.StreamWriter) -> None:
        writer.write(data)
        await writer.drain()
        if close:
            writer.close()

    return reply


def answer(body: bytes = b"", status: int = 200, headers: str = "", length: int = -1) -> Reply:
    """Answer with a status, further header lines and a body, whose length may be a lie."""
    length = len(body) if length < 0 else length
    head = f"HTTP/1.1 {status} Whatever\r\nContent-Length: {length}\r\n{headers}\r\n"
    return raw(head.encode() + body, close=length > len(body))


def as_json(value: object, status: int = 200, headers: str = "") -> Reply:
    """Answer with a JSON value."""
    return answer(json.dumps(value).encode(), status, headers)


async def hang(request: Request, writer: asyncio.StreamWriter) -> None:
    """Never answer."""
    await asyncio.Event().wait()


async def drip(request: Request, writer: asyncio.StreamWriter) -> None:
    """Answer with a byte now and then, for ever."""
    writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 1000000\r\n\r\n{")
    while True:
        writer.write(b" ")
        await writer.drain()
        await asyncio.sleep(0.01)


def routes(table: dict[str, Reply], otherwise: Reply | None = None) -> Reply:
    """Answer by `METHOD path`."""

    async def reply(request: Request, writer: asyncio.StreamWriter) -> None:
        chosen = table.get(f"{request.method} {request.path}", otherwise)
        await (chosen or as_json({"errors": [{"message": "No such route"}]}, 404))(request, writer)

    return reply


close = raw(b"")
half_a_header = raw(b"HTTP/1.1 200 OK\r\nContent-Le")
cut_body = answer(b'{"results": [', length=5_000)
not_http = raw(b"SSH-2.0-OpenSSH_9.6\r\n")
smtp = raw(b"220 mail.example ESMTP\r\n500 unknown command\r\n\r\n")
redirect = answer(b"", 307, "Location: https://elsewhere.example/api\r\n")
html_502 = answer(b"<html><body><h1>502 Bad Gateway</h1></body></html>", 502)
html_200 = answer(b"<!doctype html><title>Wi-Fi sign-in</title>")
empty_200 = answer(b"")
truncated_json = answer(b'{"results": [{"id": "1"')
latin_1 = answer('{"results": [{"id": "1", "label": "Müller"}]}'.encode("latin-1"))
utf_16 = answer('{"results": []}'.encode("utf-16"))
list_for_object = answer(b"[1, 2, 3]")
nested = answer(b"[" * 100_000 + b"]" * 100_000)
long_integer = answer(b'{"results": ' + b"9" * 5_000 + b"}")
unknown_coding = answer(b"xyz", headers="Content-Encoding: br\r\n")
bad_gzip = answer(b"not gzip at all", headers="Content-Encoding: gzip\r\n")
cut_gzip = answer(gzip.compress(b"[]" * 999)[:-9], headers="Content-Encoding: gzip\r\n")
nginx_https_port = answer(
    b"<html><head><title>400 The plain HTTP request was sent to HTTPS port</title></head></html>",
    400,
)
apache_https_port = answer(
    b"<p>Reason: You're speaking plain HTTP to an SSL-enabled server port.</p>", 400
)
go_https_port = answer(b"Client sent an HTTP request to an HTTPS server.\n", 400)
nginx_certificate = answer(
    b"<html><head><title>400 No required SSL certificate was sent</title></head></html>", 400
)
tls_alert = raw(b"\x15\x03\x01\x00\x02\x02\x46")
status_999 = answer(b"", 999)
switching = raw(b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\nConnection: upgrade\r\n\r\n")


def gzip_bomb(size: int) -> Reply:
    """Answer with `size` zero bytes, compressed about a thousand times."""
    return answer(gzip.compress(b"\0" * size), headers="Content-Encoding: gzip\r\n")


UNREADABLE: dict[str, Reply] = {
    "html_200": html_200,
    "empty_200": empty_200,
    "truncated_json": truncated_json,
    "utf_16": utf_16,
    "list_for_object": list_for_object,
    "nested": nested,
    "long_integer": long_integer,
    "unknown_coding": unknown_coding,
    "bad_gzip": bad_gzip,
    "cut_gzip": cut_gzip,
    "status_999": status_999,
}
"""Answers that came whole, but say nothing."""

NO_ANSWER: dict[str, Reply] = {
    "close": close,
    "half_a_header": half_a_header,
    "cut_body": cut_body,
    "not_http": not_http,
    "smtp": smtp,
    "switching": switching,
    "hang": hang,
    "drip": drip,
}
"""Answers that do not come, or not whole."""

NEVER = {"hang", "drip"}
"""Those that end with the client's deadline alone."""
