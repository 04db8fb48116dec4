"""A quiet uvicorn on a loopback port (contract 8)."""

from __future__ import annotations

import asyncio
import socket
import ssl
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import uvicorn
from starlette.types import ASGIApp, Send
from uvicorn.protocols.http.h11_impl import H11Protocol

GRACE = 1.0
"""How long answers that are on their way may take once the server is to stop, in seconds."""

TURNS = 5
"""How many turns of the loop it takes until a connection has begun, or its socket is closed."""

HEADER_SECONDS = 20.0
"""How long a client may take to send the head of a request once it has begun, in seconds."""


def listen(port: int) -> socket.socket:
    """Return a socket that already listens on 127.0.0.1, so that whoever calls now is answered.

    Raises OSError where the port is taken.
    """
    # asyncio sends without delay (TCP_NODELAY) only where the protocol is named: 40 ms an answer.
    listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind(("127.0.0.1", port))
        listener.listen(128)
    except OSError:
        listener.close()
        raise
    return listener


def url_of(listener: socket.socket, scheme: str = "http") -> str:
    """Return the address that the listener answers under."""
    return f"{scheme}://127.0.0.1:{listener.getsockname()[1]}"


def transport_of(send: Send) -> asyncio.Transport:
    """Return the connection of a request, which ASGI itself keeps out of reach."""
    cycle: Any = getattr(send, "__self__")  # noqa: B009  # mypy knows a Callable only
    transport: asyncio.Transport = cycle.transport
    return transport


class ImpatientProtocol(H11Protocol):
    """HTTP/1.1 that closes a connection whose client does not get its request's head done.

    uvicorn itself waits for ever, so that a few idle clients could hold all descriptors.
    """

    _timer: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]  # as uvicorn has it
        """Begin to wait for the first request."""
        super().connection_made(transport)
        self._wait_for_head()

    def data_received(self, data: bytes) -> None:
        """Wait on, unless the head is whole now."""
        super().data_received(data)
        if self.cycle is not None and not self.cycle.response_complete:
            self._stop_waiting()
        else:
            self._wait_for_head()

    def connection_lost(self, exc: Exception | None) -> None:
        """Wait no longer."""
        self._stop_waiting()
        super().connection_lost(exc)

    def _wait_for_head(self) -> None:
        if self._timer is None:
            self._timer = self.loop.call_later(HEADER_SECONDS, self.transport.close)

    def _stop_waiting(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None


class QuietServer(uvicorn.Server):
    """A server that writes nothing, leaves signals alone, and stops at once when told."""

    def __init__(self, app: ASGIApp, tls: ssl.SSLContext | None = None) -> None:
        super().__init__(
            uvicorn.Config(
                app,
                http=ImpatientProtocol,
                ws="none",
                loop="asyncio",
                lifespan="off",
                log_config=None,
                log_level="critical",
                access_log=False,
                server_header=False,
                timeout_keep_alive=75,  # as nginx, which stands before real nodes
                # A forwarded address would let anybody pass `valid_ips`.
                proxy_headers=False,
            )
        )
        self.config.load()
        self.config.ssl = tls  # made here, since uvicorn would read it from files
        self._leave = asyncio.Event()

    def leave(self) -> None:
        """Have the server stop; to be called in its own thread."""
        self.should_exit = True
        self._leave.set()

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Leave signals to whoever runs the server."""
        yield

    async def main_loop(self) -> None:
        """Keep the date header right until the server is told to stop."""
        while not await self.on_tick(0):
            try:
                await asyncio.wait_for(self._leave.wait(), 1.0)
            except TimeoutError:
                continue

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Answer what is on its way within the grace, and close everything."""
        for server in self.servers:
            await close_listeners(server)
        for connection in list(self.server_state.connections):
            connection.shutdown()
        if self.server_state.tasks:
            _, late = await asyncio.wait(self.server_state.tasks, timeout=GRACE)
            for task in late:
                task.cancel()
        await _let_callbacks_run()
        loop = asyncio.get_running_loop()
        late_at = loop.time() + GRACE
        while self.server_state.connections and loop.time() < late_at + GRACE:
            is_late = loop.time() > late_at
            for connection in list(self.server_state.connections):
                transport = connection.transport
                if isinstance(transport, asyncio.Transport):
                    # One that is closed sends its answer to the end, if somebody reads it.
                    (transport.abort if is_late else transport.close)()
            await asyncio.sleep(0.001)
        await _let_callbacks_run()


async def close_listeners(server: asyncio.Server) -> None:
    """Accept no more connections; those that were accepted have begun afterwards.

    A server that is closed in the turn of the loop in which it accepts a connection would leave
    that one open for ever: asyncio fails to make its transport then.
    """
    for listener in server.sockets:
        asyncio.get_running_loop().remove_reader(listener.fileno())
    await _let_callbacks_run()
    server.close()


async def _let_callbacks_run() -> None:
    """Let connections that have just come in begin, and sockets close after their transports."""
    for _ in range(TURNS):
        await asyncio.sleep(0)
