"""The ways in which the tests' node goes wrong, as other tests rely on them."""

from __future__ import annotations

import asyncio

import httpx
import pytest

from tests.sandbox.visitor import Visitor

DRAFT = {"label": "Trial", "grants": ["metrics/view"]}


@pytest.mark.parametrize(
    ("how", "error", "done"),
    [
        ("before", httpx.ReadError, False),
        ("after", httpx.ReadError, True),
        ("cut", httpx.RemoteProtocolError, True),
    ],
)
def test_a_broken_connection(
    visitor: Visitor, how: str, error: type[Exception], done: bool
) -> None:
    visitor.node.fail("POST", "/api/v1/api-keys", how)  # type: ignore[arg-type]  # a parameter
    with pytest.raises(error):
        visitor.create()
    assert ("Trial" in visitor.node.labels()) is done
    assert visitor.create().status_code == 200


@pytest.mark.parametrize(("how", "status"), [("500", 500), ("503-html", 503), ("429", 429)])
def test_a_failing_server(visitor: Visitor, how: str, status: int) -> None:
    visitor.node.fail("POST", "/api/v1/api-keys", how, times=2)  # type: ignore[arg-type]  # as above
    statuses = [visitor.create().status_code for _ in range(3)]
    assert statuses == [status, status, 200]
    assert visitor.node.labels().count("Trial") == 1
    assert visitor.node.seen("POST", "/api/v1/api-keys") == 3


async def test_a_server_that_hangs_until_released(visitor: Visitor) -> None:
    node, headers = visitor.node, {"Authorization": visitor.node.token()}
    async with httpx.AsyncClient(
        base_url=f"{node.url}/api/v1", trust_env=False, timeout=60
    ) as http:
        for how, done in (("hang", 0), ("hang-after", 1)):
            before = node.labels().count("Trial")
            node.requests.clear()
            node.fail("POST", "/api/v1/api-keys", how)  # type: ignore[arg-type]  # as above
            call = asyncio.create_task(http.post("/api-keys", json=DRAFT, headers=headers))
            await node.until("POST", "/api/v1/api-keys")
            assert not call.done()
            assert node.labels().count("Trial") - before == done
            node.release()
            assert (await call).status_code == 200
            assert node.labels().count("Trial") - before == 1


async def test_a_node_that_stops_drops_what_hangs(visitor: Visitor) -> None:
    node = visitor.node
    async with httpx.AsyncClient(
        base_url=f"{node.url}/api/v1", trust_env=False, timeout=60
    ) as http:
        node.fail("GET", "/api/v1/metrics", "hang")
        call = asyncio.create_task(http.get("/metrics"))
        await node.until("GET", "/api/v1/metrics")
        node.stop()
        with pytest.raises(httpx.ReadError):
            await call


def test_a_node_that_stops_and_starts_again_is_the_same(visitor: Visitor) -> None:
    token = visitor.node.token()
    keys = visitor.get("/api-keys", token).json()
    visitor.node.stop()
    with pytest.raises(httpx.ConnectError):
        visitor.get("/api-keys", token)
    visitor.node.start_again()
    assert visitor.get("/api-keys", token).json() == keys
