"""Deletions within a rotation: what keeps one from going out, and what is seen after it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.keys.rotation.host import (
    GRANTS,
    LABEL,
    change,
    delivered,
    known,
    not_found,
    refusing_marks,
    signed_in,
    verified,
)
from tests.node import Node
from tui.keys.guard import MarkContradicts, OtherInstanceAtWork, ShownKeyChanged
from tui.keys.key_history import KeyHistory
from tui.keys.presence import Presence
from tui.keys.rotation import Rotation, State, Step
from tui.keys.rotation.states import (
    NothingLeft,
    PredecessorGone,
    SucceededAlready,
    SuccessorGone,
)
from tui.keys.write_outcomes import OutOfReach
from tui.waiting import all_seen_through

pytestmark = pytest.mark.usefixtures("task_factory")


async def test_a_page_that_says_404_deletes_nothing(node: Node) -> None:
    async with signed_in(node) as host:
        rotation = await verified(host)
        host.service.session.client.delete_key = not_found  # type: ignore[method-assign, assignment]
        assert await rotation.finish() is State.VERIFIED
        assert isinstance(rotation.problem, OutOfReach)
        assert len(node.keys()) == 2


@pytest.mark.parametrize(
    ("changed", "problem"),
    [
        ({"grants": GRANTS[:1]}, ShownKeyChanged),
        ({"valid_ips": ("192.0.2.1",)}, ShownKeyChanged),
        ({"label": "Another purpose"}, ShownKeyChanged),
        ({"label": f"{LABEL} (replaces #00000000-000000)"}, MarkContradicts),
    ],
)
async def test_a_successor_that_is_not_what_it_was_keeps_its_predecessor(
    node: Node, changed: dict[str, Any], problem: type[Exception]
) -> None:
    async with signed_in(node) as host:
        rotation = await verified(host)
        assert rotation.successor is not None
        change(node, rotation.successor.id, **changed)
        assert await rotation.finish() is State.VERIFIED
        assert isinstance(rotation.problem, problem)
        assert len(node.keys()) == 2


@pytest.mark.parametrize(
    "changed",
    [
        {"grants": (*GRANTS, "webhooks/view")},
        {"valid_ips": ("192.0.2.1",)},
        {"label": "Do not touch"},
    ],
)
async def test_a_predecessor_that_somebody_changed_meanwhile_stays(
    node: Node, changed: dict[str, Any]
) -> None:
    async with signed_in(node) as host:
        rotation = await verified(host)
        change(node, rotation.predecessor.id, **changed)
        assert await rotation.finish() is State.VERIFIED
        assert isinstance(rotation.problem, ShownKeyChanged)
        assert len(node.keys()) == 2


async def test_a_mark_that_was_taken_away_tells_another_host_nothing_any_more(node: Node) -> None:
    async with signed_in(node) as host:
        await verified(host)
    async with signed_in(node) as other_host:
        resumed = Rotation.resume(other_host.service, await known(other_host))
        await resumed.stored_by_hand("on paper")
        assert resumed.successor is not None
        change(node, resumed.successor.id, label=LABEL)
        assert await resumed.finish(even_unverified=True) is State.DELIVERED
        assert isinstance(resumed.problem, MarkContradicts)
        assert len(node.keys()) == 2


async def test_two_operators_who_leave_no_key_are_told_and_helped_at_once(node: Node) -> None:
    async with signed_in(node) as host:
        rotation = await verified(host)
        assert rotation.successor is not None
        successor, delete = rotation.successor, host.service.session.client.delete_key

        async def deleting(*asked: Any) -> None:  # noqa: ANN401
            node.store.delete_key(successor.id)
            await delete(*asked)

        host.service.session.client.delete_key = deleting  # type: ignore[method-assign, assignment]
        assert await rotation.finish() is State.NOTHING_LEFT
        assert isinstance(rotation.problem, NothingLeft)
        assert node.keys() == ()
        host.service.session.client.delete_key = delete  # type: ignore[method-assign]
        assert await rotation.create() is State.CREATED
        assert not rotation.offers(Step.UNDO)  # no predecessor stays
        await rotation.deliver(host.vault)
        await rotation.verify()
        assert not any(map(rotation.offers, (Step.UNDO, Step.PAUSE, Step.RESUME)))
        assert await rotation.finish() is State.FINISHED
        assert node.labels() == [LABEL]
        assert node.keys()[0].grants == GRANTS


async def test_it_is_told_that_no_key_may_be_left(node: Node) -> None:
    async with signed_in(node) as host:
        rotation = await verified(host)
        node.fail("DELETE", "/", "before")
        await rotation.finish()
        assert rotation.successor is not None
        node.store.delete_key(rotation.successor.id)
        await rotation.finish()
        assert "deletion of the predecessor was not answered" in str(rotation.problem)
        assert "then no key is left" in str(rotation.problem)


async def test_nothing_is_deleted_unless_the_other_key_is_there(node: Node) -> None:
    async with signed_in(node) as host:
        rotation = await verified(host)
        assert rotation.successor is not None
        node.store.delete_key(rotation.successor.id)
        assert await rotation.finish() is State.VERIFIED
        assert isinstance(rotation.problem, SuccessorGone)
        assert len(node.keys()) == 1
        other = await delivered(host)
        node.store.delete_key(other.predecessor.id)
        assert await other.undo() is State.DELIVERED
        assert isinstance(other.problem, PredecessorGone)
        assert other.successor is not None
        assert other.successor.id in host.ours()


async def test_a_predecessor_that_somebody_else_deleted_is_no_obstacle(node: Node) -> None:
    async with signed_in(node) as host:
        rotation = await verified(host)
        node.store.delete_key(rotation.predecessor.id)
        assert await rotation.finish() is State.FINISHED


async def test_an_undo_that_crosses_the_deletion_of_the_predecessor_is_told(node: Node) -> None:
    async with signed_in(node) as host:
        rotation = await delivered(host)
        delete = host.service.session.client.delete_key

        async def deleting(*asked: Any) -> None:  # noqa: ANN401
            node.store.delete_key(rotation.predecessor.id)
            await delete(*asked)

        host.service.session.client.delete_key = deleting  # type: ignore[method-assign, assignment]
        assert await rotation.undo() is State.NOTHING_LEFT
        assert isinstance(rotation.problem, NothingLeft)
        assert await rotation.create() is State.CREATED
        assert node.keys()[0].grants == GRANTS


async def test_that_both_keys_are_gone_is_told_by_the_next_finish(node: Node) -> None:
    async with signed_in(node) as host:
        rotation = await verified(host)
        node.fail("DELETE", "/", "before")
        await rotation.finish()
        assert rotation.successor is not None
        for key in (rotation.successor, rotation.predecessor):
            node.store.delete_key(key.id)
        assert await rotation.finish() is State.NOTHING_LEFT
        assert isinstance(rotation.problem, NothingLeft)


async def test_a_second_successor_is_not_made_where_the_server_takes_no_marks(node: Node) -> None:
    async with signed_in(node) as host:
        host.service.session.client.create_key = refusing_marks(host)  # type: ignore[method-assign]
        rotation = await delivered(host)
        again = host.rotation(rotation.predecessor)
        assert await again.create() is State.REFUSED
        assert isinstance(again.problem, SucceededAlready)
        assert len(node.keys()) == 2


@pytest.mark.parametrize("other", ["predecessor", "successor"])
async def test_what_another_instance_began_to_work_on_just_now_is_left_alone(
    node: Node, tmp_path: Path, other: str
) -> None:
    async with signed_in(node) as host:
        host.service.presence = Presence(tmp_path, node.url)
        host.service.history = KeyHistory(host.service.journal, node.url, host.service.presence)
        rotation = await verified(host)
        await host.service.read_history()
        key = getattr(rotation, other)
        elsewhere = Presence(tmp_path, node.url)
        async with elsewhere.holding(key.id):
            assert await rotation.finish() is State.VERIFIED
            assert isinstance(rotation.problem, OtherInstanceAtWork)
            assert len(node.keys()) == 2
        await all_seen_through()  # the other instance removes its file in a thread
        assert await rotation.finish() is State.FINISHED


async def test_a_successor_that_was_given_another_purpose_is_asked_about(node: Node) -> None:
    async with signed_in(node) as host:
        rotation = await verified(host)
        assert rotation.successor is not None
        mark = (node.store.key(rotation.successor.id) or node.keys()[0]).label.removeprefix(LABEL)
        change(node, rotation.successor.id, label=f"Spare{mark}")
        assert (await known(host)).differences == "another label"
        change(node, rotation.predecessor.id, grants=GRANTS[:1])
        assert (await known(host)).differences == "another label and other grants"
