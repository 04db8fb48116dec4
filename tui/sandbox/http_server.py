"""A quiet uvicorn on a loopback port (contract 8)."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Iterator
from contextlib import contextmanager

import uvicorn
from starlette.types import ASGIApp

GRACE = 1.0
"""How long answers that are on their way may take once the server is to stop, in seconds."""


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


def url_of(listener: socket.socket) -> str:
    """Return the address that the listener answers under."""
    return f"http://127.0.0.1:{listener.getsockname()[1]}"


class QuietServer(uvicorn.Server):
    """A server that writes nothing, leaves signals alone, and stops at once when told."""

    def __init__(self, app: ASGIApp) -> None:
        super().__init__(
            uvicorn.Config(
                app,
                http="h11",
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
            server.close()
        for connection in list(self.server_state.connections):
            connection.shutdown()
        if self.server_state.tasks:
            _, late = await asyncio.wait(self.server_state.tasks, timeout=GRACE)
            for task in late:
                task.cancel()
        for connection in list(self.server_state.connections):
            transport = connection.transport
            if isinstance(transport, asyncio.Transport) and not transport.is_closing():
                transport.close()
        await asyncio.sleep(0)  # lets the transports close their sockets
