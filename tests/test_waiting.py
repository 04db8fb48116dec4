"""Limits count the time in which the program ran; work is seen through; threads may hang."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Callable

import pytest
from pydantic import SecretStr

from tests.clock import in_vain
from tests.node import Node
from tui.api.address import parse_server
from tui.api.client import Client
from tui.api.errors import NoAnswer
from tui.api.models import KeyDraft
from tui.waiting import Alarm, all_seen_through, in_thread, see_through, time_limit

DRAFT = KeyDraft("Stopped in between", ("metrics/view",))


@pytest.fixture
def stop(monkeypatch: pytest.MonkeyPatch) -> Callable[[float], None]:
    """Moves the loop's clock on, as it has moved after SIGSTOP and SIGCONT."""
    stopped = [0.0]

    def stop(seconds: float) -> None:
        running = asyncio.get_running_loop()
        if not stopped[0]:
            clock = running.time
            monkeypatch.setattr(running, "time", lambda: clock() + stopped[0])
        stopped[0] += seconds

    return stop


async def test_time_that_passes_is_limited() -> None:
    with pytest.raises(TimeoutError):
        async with time_limit(0.05):
            await asyncio.Event().wait()


async def test_time_in_which_the_program_was_stopped_does_not_count(
    stop: Callable[[float], None],
) -> None:
    come = asyncio.Event()
    async with time_limit(5):
        stop(3_600)
        asyncio.get_running_loop().call_later(0.2, come.set)
        await come.wait()


async def test_an_answer_that_came_while_the_program_was_stopped_is_read(
    node: Node, stop: Callable[[float], None]
) -> None:
    client = Client(parse_server(node.url), deadline=20)
    try:
        node.fail("POST", "/api/v1/api-keys", "hang-after")
        create = asyncio.create_task(client.create_key(DRAFT, _token(node)))
        await node.until("POST", "/api/v1/api-keys")
        node.release()
        stop(3_600)
        created = await create
        assert created.secret.get_secret_value().startswith(created.short_key)
    finally:
        await client.aclose()


async def test_a_server_that_does_not_answer_still_runs_out_of_time(node: Node) -> None:
    client = Client(parse_server(node.url), deadline=20)
    try:
        node.fail("POST", "/api/v1/api-keys", "hang")
        with pytest.raises(NoAnswer):
            await in_vain(client.create_key(DRAFT, _token(node)), lambda: node.held)
    finally:
        node.heal()
        await client.aclose()


async def test_a_thread_that_hangs_is_left_behind() -> None:
    over = threading.Event()
    try:
        with pytest.raises(TimeoutError):
            await in_thread(over.wait, 0.05)
        assert await in_thread(lambda: "done") == "done"
    finally:
        over.set()


async def test_what_a_thread_raises_is_raised() -> None:
    with pytest.raises(ZeroDivisionError):
        await in_thread(lambda: 1 // 0)


async def test_work_is_seen_through_though_nobody_waits_for_it_any_more() -> None:
    go_on, done = asyncio.Event(), []

    async def work() -> None:
        await go_on.wait()
        done.append("done")

    waiting = asyncio.create_task(see_through(work()))
    await asyncio.sleep(0)
    waiting.cancel()
    with pytest.raises(asyncio.CancelledError):
        await waiting
    end = asyncio.create_task(all_seen_through())
    await asyncio.sleep(0)
    assert not end.done()
    go_on.set()
    await end
    assert done == ["done"]


def _token(node: Node) -> SecretStr:
    return SecretStr(node.token())


@pytest.mark.parametrize("has_kernel", [True, False])
async def test_an_alarm_rings_once_at_the_time_set_last(
    has_kernel: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    if not has_kernel:
        monkeypatch.setattr("tui.waiting.kernel_timer", lambda: None)
    rung: list[float] = []
    loop, has_rung = asyncio.get_running_loop(), asyncio.Event()

    def ring() -> None:
        rung.append(loop.time())
        has_rung.set()

    alarm = Alarm(ring)
    began = loop.time()
    alarm.set(3600)
    alarm.set(0.05)
    await has_rung.wait()
    await asyncio.sleep(0.1)
    assert len(rung) == 1
    assert rung[0] - began >= 0.05
    alarm.set(0.01)
    alarm.close()
    await asyncio.sleep(0.05)
    assert len(rung) == 1


async def test_an_alarm_that_is_set_anew_as_it_rings_rings_at_the_new_time() -> None:
    loop, rung, faults = asyncio.get_running_loop(), list[float](), list[object]()
    loop.set_exception_handler(lambda _, context: faults.append(context))
    alarm = Alarm(lambda: rung.append(loop.time()))
    alarm.set(0.001)
    time.sleep(0.02)  # noqa: ASYNC251  # it is due, and the loop has not heard of it
    loop.call_soon(alarm.set, 3600)
    for _ in range(5):
        await asyncio.sleep(0)
    alarm.close()
    assert rung == []
    assert faults == []
