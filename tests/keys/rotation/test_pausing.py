"""Pausing the predecessor before it is deleted: the successor works meanwhile."""

from __future__ import annotations

from datetime import date

import pytest
from pydantic import SecretStr

from tests.keys.rotation.host import GRANTS, LABEL, Host, at_once, signed_in
from tests.node import Node
from tui.keys.labels import base_label
from tui.keys.pause import PauseRefused, pause
from tui.keys.paused_mark import PAUSED_IPS, is_paused
from tui.keys.rotation import (
    BulkRun,
    Rotation,
    State,
    Step,
    pause_jobs,
    resume_jobs,
)
from tui.keys.rotation.states import PausedBefore
from tui.keys.write_outcomes import StillThere

TODAY = date(2026, 11, 26)
KEYS = "/api/v1/api-keys"


async def verified(host: Host, node: Node) -> tuple[Rotation, SecretStr]:
    """A rotation whose successor works, and the predecessor's secret."""
    key_id, secret = node.add_key(LABEL, GRANTS, ("127.0.0.1",))
    rotation = host.rotation(await host.key(key_id))
    await rotation.create()
    await rotation.deliver(host.vault)
    assert await rotation.verify() is State.VERIFIED
    return rotation, SecretStr(secret)


async def works(host: Host, secret: SecretStr) -> bool:
    client = host.service.session.client
    return (await client.probe("GET", "/metrics/", secret)).status == 200


async def test_a_predecessor_is_paused_and_then_deleted(node: Node) -> None:
    async with signed_in(node) as host:
        rotation, secret = await verified(host, node)
        assert await works(host, secret)
        assert await rotation.pause_predecessor(TODAY) is State.VERIFIED
        assert rotation.is_paused
        assert not await works(host, secret)
        assert not rotation.allows(Step.PAUSE)
        assert await rotation.finish() is State.FINISHED
        (successor,) = node.keys()
        assert (successor.label, successor.valid_ips) == (LABEL, ("127.0.0.1",))


async def test_a_predecessor_is_paused_and_resumed(node: Node) -> None:
    async with signed_in(node) as host:
        rotation, secret = await verified(host, node)
        await rotation.pause_predecessor(TODAY)
        assert await rotation.resume_predecessor() is State.VERIFIED
        assert await works(host, secret)
        assert not rotation.allows(Step.RESUME)
        assert rotation.predecessor.label == LABEL


async def test_undoing_resumes_the_predecessor_before_its_successor_goes(node: Node) -> None:
    async with signed_in(node) as host:
        rotation, secret = await verified(host, node)
        await rotation.pause_predecessor(TODAY)
        node.fail("PUT", KEYS, "500")
        await rotation.undo()
        assert len(node.keys()) == 2, "without a predecessor in service the successor stays"
        if rotation.state is State.UNKNOWN:
            await rotation.look_again()
        assert await rotation.undo() is State.UNDONE
        assert await works(host, secret)
        assert node.labels() == [LABEL]


@pytest.mark.parametrize("took_effect", [True, False])
async def test_a_lost_answer_is_settled_by_looking_again(node: Node, took_effect: bool) -> None:
    async with signed_in(node) as host:
        rotation, _ = await verified(host, node)
        node.fail("PUT", KEYS, "after" if took_effect else "before")
        node.fail("GET", KEYS, "500", exactly=True)
        await rotation.pause_predecessor(TODAY)
        if rotation.state is State.UNKNOWN:
            await rotation.look_again()
        assert rotation.state is State.VERIFIED
        assert rotation.is_paused is took_effect
        assert isinstance(rotation.problem, StillThere) is not took_effect


async def test_a_predecessor_that_somebody_else_changed_is_shown_anew_first(node: Node) -> None:
    async with signed_in(node) as host:
        rotation, _ = await verified(host, node)
        node.store.change_key(rotation.predecessor.id, LABEL, GRANTS, ("10.0.0.1",))
        assert await rotation.pause_predecessor(TODAY) is State.VERIFIED
        assert isinstance(rotation.problem, PauseRefused)
        assert not rotation.is_paused
        await rotation.pause_predecessor(TODAY)
        await rotation.resume_predecessor()
        assert rotation.predecessor.allowed_ips == ("10.0.0.1",)


async def test_an_interrupted_rotation_goes_on_with_its_paused_predecessor(node: Node) -> None:
    async with signed_in(node) as host:
        rotation, _ = await verified(host, node)
        await rotation.pause_predecessor(TODAY)
        await host.service.load()
        (unfinished,) = (await host.service.records()).unfinished
        resumed = Rotation.resume(host.service, unfinished)
        assert resumed.is_paused
        assert resumed.draft.label == LABEL
        assert await resumed.finish() is State.FINISHED


async def test_the_successor_of_a_paused_key_works_from_where_that_worked(node: Node) -> None:
    async with signed_in(node) as host:
        rotation, _ = await verified(host, node)
        await rotation.pause_predecessor(TODAY)
        fresh = host.rotation(rotation.predecessor)
        assert (fresh.draft.label, fresh.draft.valid_ips) == (LABEL, ("127.0.0.1",))
        label = f"{LABEL} (paused 2026-11-26, from #00000000)"
        node.store.change_key(rotation.predecessor.id, label, GRANTS, PAUSED_IPS)
        unknown = host.rotation(await host.key(rotation.predecessor.id))
        assert await unknown.create() is State.REFUSED
        assert isinstance(unknown.problem, PausedBefore)


async def test_many_keys_are_paused_and_resumed(node: Node) -> None:
    async with signed_in(node) as host:
        made = [node.add_key(f"Key {number}", GRANTS) for number in range(4)]
        before = node.keys()
        chosen = [await host.key(key_id) for key_id, _ in made]
        node.fail("PUT", f"{KEYS}/{chosen[1].id}", "429")
        node.fail("PUT", f"{KEYS}/{chosen[2].id}", "500")
        run = BulkRun(host.service, pause_jobs(host.service, chosen, TODAY), sleep=at_once)
        await run.run()
        await run.retry_failed()
        assert run.progress == (4, 4)
        listed = (await host.service.load()).keys
        assert all(is_paused(key.raw_valid_ips) for key in listed)
        assert [base_label(key.label) for key in listed] == [key.label for key in before]
        await BulkRun(host.service, resume_jobs(host.service, listed)).run()
        assert node.keys() == before


async def test_a_lost_successor_goes_only_once_its_paused_predecessor_works_again(
    node: Node,
) -> None:
    async with signed_in(node) as host:
        key_id, secret = node.add_key(LABEL, GRANTS)
        rotation = host.rotation(await host.key(key_id))
        await rotation.create()
        rotation.forget_secret()
        assert rotation.state is State.SECRET_LOST
        await pause(host.service, rotation.predecessor, TODAY)
        rotation.compare(await host.service.load())
        assert await rotation.replace_lost() is State.PLANNED
        assert await works(host, SecretStr(secret))
        assert node.labels() == [LABEL]
