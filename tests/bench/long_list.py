"""A node in a process of its own that lists so many keys at once, however many they are.

`python -m tests.bench.long_list COUNT` serves until its input ends. The list is made once, as the
node would word it, so that what is timed beside it is the program and not the node.
"""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import NamedTuple

from starlette.responses import Response
from starlette.types import ASGIApp, Receive, Scope, Send

from tests.node import Node
from tui.api.grants import MOMENTUM

LABEL = "Sender"
"""What the labels of all keys begin with, and nothing else on the screen does."""


class Served(NamedTuple):
    """Where the node is, and who may sign in."""

    url: str
    username: str
    password: str


@contextmanager
def list_of(count: int) -> Iterator[Served]:
    """Serve so many keys, and end that."""
    command = [sys.executable, "-m", "tests.bench.long_list", str(count)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:  # noqa: S603  # our own interpreter
        assert process.stdin is not None
        assert process.stdout is not None
        try:
            yield Served(*json.loads(process.stdout.readline()))
        finally:
            process.stdin.close()


def _list(count: int) -> bytes:
    """Return the answer to the request for the list."""
    first = datetime(2024, 1, 1, tzinfo=UTC)
    grants = [[grant.key for grant in MOMENTUM[: number % 5 + 1]] for number in range(5)]
    keys = (
        {
            "id": f"{number:032x}",
            "label": f"{LABEL} {number * 7919 % 1_000_003}",
            "grants": grants[number % 5],
            "short_key": f"{number * 40_503 % 65_536:04x}",
            "valid_ips": [] if number % 3 else ["192.0.2.0/24"],
            "created_at": (first + timedelta(minutes=number % 500_000)).isoformat(),
            "username": f"user{number % 50}",
        }
        for number in range(count)
    )
    return b'{"results":[' + ",".join(map(json.dumps, keys)).encode() + b"]}"


def serve(count: int) -> None:
    """Serve a node with so many keys until the input ends."""
    listed = _list(count)
    with Node(seeds=False) as node:
        app = node._faults.app

        async def with_list(scope: Scope, receive: Receive, send: Send) -> None:
            is_list = scope["method"] == "GET" and scope["path"].endswith("/api-keys")
            answer: ASGIApp = Response(listed, media_type="application/json") if is_list else app
            await answer(scope, receive, send)

        node._faults.app = with_list
        print(json.dumps(Served(node.url, node.username, node.password)), flush=True)  # noqa: T201  # the answer to who started it
        sys.stdin.read()


if __name__ == "__main__":
    serve(int(sys.argv[1]))
