"""Clients of the raw fault server, closed at the end of each test."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from pathlib import Path

import pytest

from tests.faults import FaultServer
from tui.api.address import parse_server
from tui.api.client import Client

Dial = Callable[..., Client]


@pytest.fixture
async def dial() -> AsyncIterator[Dial]:
    """Return a function that makes a client of a fault server, or of a port."""
    clients: list[Client] = []

    def dialled(
        server: FaultServer | int,
        *,
        scheme: str = "http",
        host: str = "127.0.0.1",
        ca_file: Path | None = None,
        deadline: float = 20.0,
    ) -> Client:
        port = server if isinstance(server, int) else server.port
        client = Client(
            parse_server(f"{scheme}://{host}:{port}", ca_file=ca_file), deadline=deadline
        )
        clients.append(client)
        return client

    yield dialled
    for client in clients:
        await client.aclose()
