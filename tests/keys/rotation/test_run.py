"""Runs over many keys against a real node: failures, pauses, cancelling, rate limits."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from pydantic import SecretStr

from tests.keys.rotation.host import GRANTS, Host, signed_in
from tests.node import How, Node
from tui.api.errors import RateLimited, SignInRefused
from tui.api.models import Key, User
from tui.api.session import SessionEnded
from tui.delivery.new_secret import DeliveryFailed, NewSecret, Sent
from tui.journal import Journal
from tui.keys.rotation import (
    BulkRotation,
    BulkRun,
    JournalNotWritten,
    Rotation,
    State,
    delete_jobs,
    finish_jobs,
)
from tui.keys.rotation.bulk_plan import plan_rotations
from tui.keys.rotation.states import NothingLeft, NotVerified, PredecessorGone
from tui.keys.rotation.throttle import MOST_AT_ONCE, Throttle
from tui.keys.write_outcomes import NotSeenSoFar, SecretLost, StillThere

pytestmark = pytest.mark.usefixtures("task_factory")

Change = tuple[str, State, Exception | None]


class Time:
    """A clock that only sleeping moves."""

    def __init__(self) -> None:
        self.now = 0.0
        self.slept: list[float] = []

    def clock(self) -> float:
        return self.now

    async def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.now += seconds
        await asyncio.sleep(0)


def ids(node: Node) -> set[str]:
    keys = node.keys()
    return {key.id for key in keys}


async def keys(host: Host, count: int) -> list[Key]:
    for number in range(count):
        host.node.add_key(f"key {number}", GRANTS)
    return list((await host.service.load()).keys)


def run_over(
    host: Host,
    chosen: list[Key],
    time: Time | None = None,
    on_change: Callable[[str, State, Exception | None], None] | None = None,
) -> BulkRotation:
    time = time or Time()
    run = BulkRotation(
        host.service, chosen, host.vault, prove=host.prove, sleep=time.sleep, clock=time.clock
    )
    run.listeners += [on_change] if on_change else []
    return run


async def test_a_run_pauses_where_the_journal_can_no_longer_be_written(
    node: Node, tmp_path: Path
) -> None:
    path, folder = tmp_path / "journal.jsonl", tmp_path / "folder"
    folder.symlink_to(tmp_path)
    async with signed_in(node) as host:
        chosen = await keys(host, 12)
        host.service.journal = Journal(path)
        host.service.journal.prepare()

        def spoil(*_: object) -> None:
            if run.progress[0] >= 2 and not path.is_symlink():
                folder.replace(path)

        run = BulkRun(host.service, delete_jobs(host.service, chosen))
        run.listeners.append(spoil)
        running = asyncio.create_task(run.run())
        async with asyncio.timeout(60):
            while not run.is_paused:  # noqa: ASYNC110  # told by nothing else
                await asyncio.sleep(0.005)
        assert isinstance(run.paused_because, JournalNotWritten)
        assert "what you do is not being noted" in str(run.paused_because)
        assert run.left
        run.resume()
        await running
        assert run.progress == (12, 12), "the operator may go on without"


async def test_a_run_pauses_where_no_secret_can_be_delivered(node: Node) -> None:
    async with signed_in(node) as host:
        chosen = await keys(host, 6)
        host.vault.broken = {key.label: 1 for key in chosen[1:4]}
        run = run_over(host, chosen)
        running = asyncio.create_task(run.run(host.password))
        while not run.is_paused:  # noqa: ASYNC110  # the run has nothing to wait for
            await asyncio.sleep(0.005)
        assert isinstance(run.paused_because, DeliveryFailed)
        assert (len(run.failed), len(run.left)) == (3, 2), "the others get no key meanwhile"
        run.resume()
        await running
        assert run.progress == (3, 6)
        await run.retry_failed(host.password)
        assert run.progress == (6, 6)


async def test_a_run_pauses_once_when_the_journal_can_not_be_written_any_more(
    node: Node, tmp_path: Path
) -> None:
    async with signed_in(node) as host:
        chosen = await keys(host, 20)
        journal = host.service.journal
        journal.path = good = tmp_path / "journal"
        (tmp_path / "file").touch()

        def changed(key_id: str, state: State, problem: Exception | None) -> None:
            if key_id == chosen[2].id and state is State.CREATED:
                journal.path = tmp_path / "file" / "journal"

        run = run_over(host, chosen, on_change=changed)
        running = asyncio.create_task(run.run(host.password))
        while not run.is_paused:  # noqa: ASYNC110  # the run has nothing to wait for
            await asyncio.sleep(0.005)
        assert isinstance(run.paused_because, JournalNotWritten)
        assert "can't be written" in str(run.paused_because)
        assert run.left, "no further key is begun"
        run.resume()
        await running
        assert run.progress == (20, 20), "whoever goes on is not asked again"
        journal.path = good
        await run.finish_verified()
        lines = good.read_text()
        assert all(f'"predecessor":"{key.id}"' in lines for key in chosen), "they were noted later"


async def test_successors_that_were_never_stored_are_replaced(node: Node) -> None:
    async with signed_in(node) as host:
        chosen = await keys(host, 3)
        host.vault.broken = {key.label: 1 for key in chosen[:2]}
        first = run_over(host, chosen)
        await first.run(host.password)
        assert len(node.keys()) == 6
        await host.service.load()
        planned = plan_rotations(
            chosen, host.service.session.user, (await host.service.records()).unfinished
        )
        assert [key.id for key in planned.keys] == [key.id for key in chosen[:2]]
        assert "2 have successors whose secrets were never stored: those are deleted first." in (
            planned.sentences
        )
        again = BulkRotation(
            host.service, planned.keys, host.vault, unfinished=planned.replaced, prove=host.prove
        )
        await again.run(host.password)
        assert again.progress == (2, 2)
        assert len(node.keys()) == 6
        assert ids(node) - {key.id for key in chosen} == set(host.vault.kept)


async def test_fifty_keys_three_of_which_fail_differently(node: Node) -> None:
    async with signed_in(node) as host:
        chosen = await keys(host, 50)
        changes: list[Change] = []
        faults: dict[str, How] = {chosen[10].id: "after", chosen[20].id: "500"}

        def changed(key_id: str, state: State, problem: Exception | None) -> None:
            changes.append((key_id, state, problem))
            if key_id in faults:
                node.fail("POST", "/api/v1/api-keys", faults.pop(key_id))

        host.vault.broken["key 30"] = 1
        run = run_over(host, chosen, on_change=changed)
        await run.run(host.password)
        await node.until("POST", "/api/v1/authenticate/logout")
        assert node.seen("POST", "/api/v1/authenticate") == 2  # one password, one sign-out
        assert run.progress == (47, 50)
        problems = {failure.key.label: type(failure.problem) for failure in run.failed}
        assert problems.pop("key 30") is DeliveryFailed
        assert set(problems.values()) == {SecretLost, NotSeenSoFar}, "of keys near 10 and 20"
        order = [chosen.index(failure.key) for failure in run.failed]
        assert order == sorted(order)
        assert (chosen[30].id, State.CREATED) in [
            (key_id, state) for key_id, state, problem in changes if problem is not None
        ]
        (held,) = run.holding
        assert held.secret is not None
        assert all(rotation.secret is None for rotation in run.verified)
        assert node.seen("DELETE", "/") == 0

        await run.retry_failed(host.password)
        assert run.failed == ()
        assert run.progress == (50, 50)
        assert len(node.keys()) == 100
        await host.service.load()
        assert len((await host.service.records()).unfinished) == 50

        await run.finish_verified()
        assert len(node.keys()) == 50
        assert set(host.vault.kept) == ids(node)
        assert not {key.id for key in chosen} & ids(node)
        # one each to verify, two each before a predecessor goes, few lists
        assert node.seen("GET", "/api/v1/api-keys") < 50 + 2 * 50 + 20


async def test_only_verified_predecessors_are_deleted_and_failures_are_retried(node: Node) -> None:
    async with signed_in(node) as host:
        chosen = await keys(host, 4)
        host.vault.broken["key 1"] = 1
        run = run_over(host, chosen)
        await run.run()
        node.fail("DELETE", f"/api/v1/api-keys/{chosen[2].id}", "before")
        await run.finish_verified()
        reasons = {failure.key.label: type(failure.problem) for failure in run.failed}
        assert reasons == {"key 1": DeliveryFailed, "key 2": StillThere}
        assert chosen[1].id in ids(node)
        await run.retry_failed()
        assert [failure.key for failure in run.failed] == []
        await run.finish_verified()
        assert len(node.keys()) == 4
        assert run.progress == (4, 4)


async def test_verified_predecessors_are_deleted_later(node: Node) -> None:
    async with signed_in(node) as host:
        run = run_over(host, await keys(host, 3))
        await run.run()
        await host.service.load()
        rotations = (await host.service.records()).unfinished
        assert all(rotation.is_proven for rotation in rotations)
        resumed = [Rotation.resume(host.service, each) for each in rotations]
        later = BulkRun(host.service, finish_jobs(resumed))
        await later.run()
        assert later.failed == ()
        assert sorted(node.labels()) == ["key 0", "key 1", "key 2"]


async def test_successors_that_others_delete_meanwhile_are_told(node: Node) -> None:
    async with signed_in(node) as host:
        run = run_over(host, await keys(host, 2))
        await run.run()
        delete = host.service.session.client.delete_key
        (first, second) = run.rotations.values()
        assert first.successor is not None

        async def deleting(*asked: Any) -> None:  # noqa: ANN401
            await delete(*asked)
            if asked[0] == first.predecessor.id and first.successor is not None:
                node.store.delete_key(first.successor.id)

        host.service.session.client.delete_key = deleting  # type: ignore[method-assign, assignment]
        await run.finish_verified()
        assert first.state is State.NOTHING_LEFT
        assert second.state is State.FINISHED
        (failure,) = run.failed
        assert isinstance(failure.problem, NothingLeft)


async def test_pausing_and_cancelling_take_effect_between_keys(node: Node) -> None:
    async with signed_in(node) as host:
        chosen = await keys(host, 40)
        run: BulkRotation

        def changed(key_id: str, state: State, problem: Exception | None) -> None:
            if key_id == chosen[1].id and state is State.CREATED:
                run.pause()
            if key_id == chosen[9].id and state is State.CREATED:
                run.cancel()

        run = run_over(host, chosen, on_change=changed)
        running = asyncio.create_task(run.run())
        while not run.is_paused or run._under_way:  # noqa: ASYNC110  # nothing tells but the state
            await asyncio.sleep(0.005)
        done_first = run.progress[0]
        assert 2 <= done_first <= 1 + MOST_AT_ONCE, "what was under way was seen to its end"
        assert len(node.keys()) == 40 + done_first
        run.resume()
        await running
        assert run.is_cancelled
        states = [rotation.state for rotation in run.rotations.values()]
        done = states.count(State.VERIFIED)
        assert 10 <= done <= 9 + MOST_AT_ONCE
        assert states == [State.VERIFIED] * done + [State.PLANNED] * (40 - done)
        assert run.left == tuple(chosen[done:])
        await run.run()
        assert run.progress == (40, 40)


async def test_several_keys_are_worked_on_at_once_and_never_more_than_eight(node: Node) -> None:
    async with signed_in(node) as host:
        run = run_over(host, await keys(host, 60))
        most = 0

        def changed(key_id: str, state: State, problem: Exception | None) -> None:
            nonlocal most
            busy = sum(rotation.is_busy for rotation in run.rotations.values())
            most = max(most, busy)

        run.listeners.append(changed)
        await run.run()
        assert run.progress == (60, 60)
        assert 4 <= most <= MOST_AT_ONCE


async def test_keys_of_one_label_are_created_one_after_the_other(node: Node) -> None:
    """An unknown create is looked for by its label, so no other create may make one like it."""
    async with signed_in(node) as host:
        for _ in range(12):
            host.node.add_key("same", GRANTS)
        run = run_over(host, list((await host.service.load()).keys))
        at_once = 0

        def changed(key_id: str, state: State, problem: Exception | None) -> None:
            nonlocal at_once
            at_once = max(at_once, sum(each.is_busy for each in run.rotations.values()))

        run.listeners.append(changed)
        await run.run()
        assert run.progress == (12, 12)
        assert at_once == 1


async def test_secrets_are_delivered_one_by_one(node: Node) -> None:
    async with signed_in(node) as host:
        run = run_over(host, await keys(host, 20))
        deliver, under_way, most = host.vault.deliver, 0, 0

        async def watched(new_secret: NewSecret) -> Sent:
            nonlocal under_way, most
            under_way += 1
            most = max(most, under_way)
            await asyncio.sleep(0.01)
            under_way -= 1
            return await deliver(new_secret)

        host.vault.deliver = watched  # type: ignore[method-assign]
        await run.run()
        assert run.progress == (20, 20)
        assert most == 1


async def test_no_further_key_is_begun_while_secrets_wait_for_a_slow_delivery(node: Node) -> None:
    async with signed_in(node) as host:
        chosen = await keys(host, 30)
        run = run_over(host, chosen)
        deliver, is_open = host.vault.deliver, asyncio.Event()
        delivered = 0

        async def slow(new_secret: NewSecret) -> Sent:
            nonlocal delivered
            delivered += 1
            if delivered > 7:
                await is_open.wait()
            return await deliver(new_secret)

        host.vault.deliver = slow  # type: ignore[method-assign]
        running = asyncio.create_task(run.run())
        while len(run.holding) < 2 or not delivered > 7:  # noqa: ASYNC110  # nothing tells but the state
            await asyncio.sleep(0.005)
        await asyncio.sleep(0.1)
        assert len(run.holding) <= MOST_AT_ONCE
        waiting = len(node.keys())
        await asyncio.sleep(0.1)
        assert len(node.keys()) == waiting < 60
        is_open.set()
        await running
        assert run.progress == (30, 30)


async def test_rate_limits_slow_a_run_down_and_fail_nothing(node: Node) -> None:
    async with signed_in(node) as host:
        chosen = await keys(host, 4)
        time = Time()
        run = run_over(host, chosen, time)
        node.fail("POST", "/api/v1/authenticate", "429")
        node.fail("POST", "/api/v1/api-keys", "429", times=3)
        await run.run(host.password)
        assert run.failed == ()
        assert len(node.keys()) == 8
        assert time.slept[:4] == [1.0, 1.0, 1.0, 2.0], "a wait for each refusal"
        spacings = time.slept[4:]
        assert len(spacings) == 3, "one before each further key, shorter with each that goes well"
        assert 2 > spacings[0] > spacings[1] > spacings[2] > 1
        assert run.waiting_until is None


async def test_a_key_is_verified_again_where_the_server_wants_to_be_asked_less_often(
    node: Node,
) -> None:
    async with signed_in(node) as host:
        time = Time()
        run = run_over(host, await keys(host, 3), time)
        node.fail("GET", "/api/v1/metrics", "429-for-ever", times=2)
        await run.run(host.password)
        assert run.failed == ()
        assert run.progress == (3, 3)
        assert time.slept, "the server was left alone for a while"
        node.fail("GET", "/api/v1/metrics", "429-for-ever", times=99)
        again = run_over(host, list((await host.service.load()).keys)[-1:], time)
        await again.run(host.password)
        (failure,) = again.failed
        assert isinstance(failure.problem, NotVerified), "but not for ever"


async def test_refusals_of_requests_under_way_together_count_as_one() -> None:
    time = Time()
    throttle = Throttle(time.sleep, time.clock)
    for _ in range(20):
        throttle.widen()
    assert throttle.width == MOST_AT_ONCE
    throttle.stop()
    throttle.start()
    assert throttle.width == MOST_AT_ONCE, "the next run goes on as fast"
    asked_at = throttle.now
    time.now += 0.1
    await asyncio.gather(*(throttle.slow_down(3.0, asked_at) for _ in range(8)))
    assert throttle.width == MOST_AT_ONCE // 2
    assert time.now >= 3.1
    throttle.widen()
    assert throttle.width == MOST_AT_ONCE // 2, "from here on it grows slowly"
    for _ in range(5):
        throttle.widen()
    assert throttle.width == MOST_AT_ONCE // 2 + 1


async def test_a_wait_can_be_seen_and_cancelled(node: Node) -> None:
    async with signed_in(node) as host:
        chosen = await keys(host, 2)
        run = BulkRotation(host.service, chosen, host.vault, prove=host.prove)
        node.fail("POST", "/api/v1/api-keys", "429-for-ever")
        running = asyncio.create_task(run.run())
        while run.waiting_until is None:  # noqa: ASYNC110  # nothing tells but the state
            await asyncio.sleep(0.005)
        assert 290 < run.throttle.seconds_left <= 300
        run.cancel()
        await asyncio.wait_for(running, 60)
        (failure,) = run.failed
        assert isinstance(failure.problem, RateLimited)
        assert run.left == (chosen[1],)
        assert len(node.keys()) == 2


async def test_a_wait_for_a_server_that_says_not_how_long_grows_to_five_seconds() -> None:
    time = Time()
    throttle = Throttle(time.sleep, time.clock)
    for _ in range(7):
        await throttle.slow_down(None)
    assert time.slept == [1, 2, 3, 4, 5, 5, 5]
    await throttle.between()
    assert time.slept[-1] == throttle.spacing == 5.0
    await throttle.slow_down(0)
    assert time.slept[-1] == 5.0


async def test_the_end_of_the_session_pauses_the_whole_run(node: Node) -> None:
    async with signed_in(node) as host:
        chosen = await keys(host, 3)
        ended = asyncio.Event()

        def changed(key_id: str, state: State, problem: Exception | None) -> None:
            if key_id == chosen[0].id and state is State.VERIFIED:
                node.end_sessions()
            if isinstance(problem, SessionEnded):
                ended.set()

        run = run_over(host, chosen, on_change=changed)
        running = asyncio.create_task(run.run())
        await asyncio.wait_for(ended.wait(), 60)
        while not run.is_paused:  # noqa: ASYNC110  # nothing tells but the state
            await asyncio.sleep(0.005)
        assert isinstance(run.paused_because, SessionEnded)
        assert len(node.keys()) == 4
        token = SecretStr(node.token())
        await host.service.session.enter_with_token(node.username, token)
        run.resume()
        await running
        assert run.progress == (3, 3)
        assert len(node.keys()) == 6


async def test_a_wrong_password_begins_nothing(node: Node) -> None:
    async with signed_in(node) as host:
        run = run_over(host, await keys(host, 2))
        with pytest.raises(SignInRefused):
            await run.run(SecretStr("wrong"))
        assert not run.is_running
        assert len(node.keys()) == 2
        assert len(run.left) == 2


async def test_many_keys_are_deleted(node: Node) -> None:
    async with signed_in(node) as host:
        chosen = await keys(host, 5)
        node.store.delete_key(chosen[0].id)
        node.fail("DELETE", f"/api/v1/api-keys/{chosen[1].id}", "after")
        node.fail("DELETE", f"/api/v1/api-keys/{chosen[2].id}", "500")
        run = BulkRun(host.service, delete_jobs(host.service, chosen))
        await run.run()
        assert [failure.key.id for failure in run.failed] == [chosen[2].id]
        await run.retry_failed()
        assert node.keys() == ()


def test_the_plan_says_what_will_happen() -> None:
    def key(number: int, **fields: object) -> Key:
        return Key(**({"id": str(number), "raw_label": "x", "raw_grants": ("a",)} | fields))  # type: ignore[arg-type]

    mine = [key(n, raw_username="me") for n in range(10)]
    theirs = [key(n, raw_username="you") for n in (10, 11)]
    out = [
        key(12, raw_label="x (retiring 2026-11-23)"),
        key(14, raw_grants=None),
    ]
    plan = plan_rotations([*mine, *theirs, *out, mine[0]], User("me"))
    assert plan.keys == (*mine, *theirs)
    assert plan.left_out == tuple(out)
    assert plan.sentences[0] == "12 keys will get successors; 2 are not yours."
    assert plan.notes["12"] == "retiring already"
    assert plan.notes["14"] == "the server does not return the grants"
    assert all(plan.notes[key.id].startswith("not yours") for key in theirs)
    plan = plan_rotations(mine, None, tells_addresses=False)
    assert (
        "The server does not return allowed IPs: successors will work from any address."
        in plan.sentences
    )
    assert plan_rotations(mine[:1], None).sentences[0] == "1 key will get a successor."


async def test_of_a_very_long_list_only_what_is_needed_is_read(
    node: Node, monkeypatch: pytest.MonkeyPatch
) -> None:
    for module in ("pair", "bulk_run"):
        monkeypatch.setattr(f"tui.keys.rotation.{module}.LONG_LIST", 5)
    async with signed_in(node) as host:
        chosen = await keys(host, 6)
        node.requests.clear()
        node.store.delete_key(chosen[4].id)
        run = run_over(host, chosen)
        await run.run(host.password)
        (failure,) = run.failed
        assert failure.key == chosen[4]
        assert isinstance(failure.problem, PredecessorGone)
        lists = node.requests.count(("GET", "/api/v1/api-keys"))
        assert lists == 5 + 1, "one each to verify a successor, and one as a key was gone"
