"""The server beneath the sandbox leaves nothing open when it stops."""

from __future__ import annotations

import asyncio
import gc
import socket
import warnings

import pytest
from starlette.types import Receive, Scope, Send

from tui.sandbox.http_server import QuietServer, listen


async def never_asked(scope: Scope, receive: Receive, send: Send) -> None:
    raise AssertionError(scope)


@pytest.mark.parametrize("turns", range(12))
async def test_a_connection_that_comes_in_while_the_server_stops_is_closed(turns: int) -> None:
    server, listener = QuietServer(never_asked), listen(0)
    address = listener.getsockname()
    serving = asyncio.create_task(server.serve(sockets=[listener]))
    while not server.started:  # noqa: ASYNC110  # uvicorn has no event for it
        await asyncio.sleep(0)
    server.leave()
    for _ in range(turns):
        await asyncio.sleep(0)
    with socket.socket() as client, warnings.catch_warnings(record=True) as left_open:
        warnings.simplefilter("always")
        client.connect_ex(address)  # refused where the server has stopped by then
        await serving
        gc.collect()
    assert [str(warning.message) for warning in left_open] == []
