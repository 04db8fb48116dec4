"""A rotation whose every request goes wrong in every way, and which is stopped everywhere.

Whatever happens: somebody has a working key with the grants at every moment, no secret is lost
without being told, no create makes two keys, and going on, on this or on another host that knows
nothing but the list, leads to exactly one successor whose secret is stored.
"""

from __future__ import annotations

from functools import partial
from typing import get_args

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.keys.rotation.host import GRANTS, LABEL, Host, empty, signed_in
from tests.keys.rotation.operators import (
    Flow,
    check_never_without_a_key,
    converge,
    persist,
    rotate_now,
    step,
    store_and_undo,
)
from tests.keys.rotation.stopping import Stop
from tests.node import How, Node
from tui.keys.rotation import Rotation, State

WAYS = tuple(how for how in get_args(How) if how != "429-for-ever")

FLOWS: dict[str, tuple[Flow, int]] = {
    "now": (rotate_now, 0),
    "undo": (store_and_undo, 4),
}
"""Each flow, and the first of its requests that is not broken in another one just as well."""

CASES = [
    (flow, how) for flow in FLOWS for how in WAYS if flow == "now" or how not in {"cut", "503-html"}
]


class Watched:
    """A rotation under way on a host, and what must hold of it all the time."""

    def __init__(self, host: Host, rotation: Rotation, secret: str) -> None:
        self.host, self.rotation, self.secret = host, rotation, secret
        self.creates = 0
        rotation.listeners.append(self.check)

    def check(self, rotation: Rotation) -> None:
        check_never_without_a_key(self.host, self.secret, rotation.secret)

    def check_told(self) -> None:
        """No key came into being of which the rotation says nothing."""
        kept, rotation = self.host.vault.kept, self.rotation
        made = [key for key in self.host.ours() if key != rotation.predecessor.id]
        untold = [key for key in made if key not in kept]
        if rotation.state in {State.SECRET_LOST, State.UNKNOWN}:
            assert len(untold) <= 1
        elif untold:
            assert rotation.successor is not None
            assert untold == [rotation.successor.id]
            assert rotation.secret is not None
        assert len(made) <= self.host.node.seen("POST", "/api/v1/api-keys")


async def watched_rotation(host: Host) -> Watched:
    key_id, secret = host.node.add_key(LABEL, GRANTS)
    return Watched(host, host.rotation(await host.key(key_id)), secret)


@pytest.mark.parametrize(("flow", "how"), CASES)
async def test_every_request_goes_wrong(node: Node, flow: str, how: How) -> None:
    run, first = FLOWS[flow]
    async with signed_in(node) as host, signed_in(node, host.vault, trusting=True) as other_host:
        for place in range(first, first + 20):
            empty(node)
            host.vault.kept.clear()
            watched = await watched_rotation(host)
            host.wire.break_at(place, how)
            await run(host, watched.rotation)
            was_broken = host.wire.sent > place
            watched.check_told()
            node.heal()
            await finish(watched, other_host, stays=(place + WAYS.index(how)) % 2 == 0)
            if not was_broken:
                assert place >= first + 2
                return


async def finish(watched: Watched, other_host: Host, *, stays: bool) -> None:
    """Go on where the rotation stands, on this host or another, to exactly one successor."""
    host, rotation = watched.host, watched.rotation
    original = rotation.predecessor.id
    if stays:
        await persist(host, rotation)
        watched.check(rotation)
    await converge(other_host, original)


@pytest.mark.parametrize("everything", [True, False], ids=["killed", "not waited for"])
async def test_it_is_stopped_at_every_await(node: Node, everything: bool) -> None:
    async with (
        signed_in(node, trusting=True) as host,
        signed_in(node, host.vault, trusting=True) as other_host,
    ):
        for at in range(200):
            empty(node)
            host.vault.kept.clear()
            watched = await watched_rotation(host)
            rotation = watched.rotation
            stop = Stop(at, everything=everything)
            await stop.run(partial(without_password, host, rotation))
            await rotation.settled()
            watched.check(rotation)
            watched.check_told()
            await finish(watched, other_host, stays=at % 2 == 0)
            if not stop.reached:
                assert at > 10
                return
    raise AssertionError("it never came to its end")


async def without_password(host: Host, rotation: Rotation) -> None:
    """Do what changes something, and only that."""
    await rotation.create()
    await step(rotation, State.CREATED, lambda: rotation.deliver(host.vault))
    await step(rotation, State.DELIVERED, rotation.verify)
    await step(rotation, State.VERIFIED, rotation.finish)


@settings(max_examples=6, deadline=None, suppress_health_check=list(HealthCheck))
@given(
    flow=st.sampled_from(sorted(FLOWS)),
    breaks=st.lists(
        st.tuples(st.integers(0, 5), st.sampled_from(["before", "after", "cut", "500", "429"])),
        min_size=2,
        max_size=4,
    ),
    stays=st.booleans(),
)
async def test_several_things_go_wrong(
    shared: Node, flow: str, breaks: list[tuple[int, How]], stays: bool
) -> None:
    empty(shared)
    async with (
        signed_in(shared) as host,
        signed_in(shared, host.vault, trusting=True) as other_host,
    ):
        watched = await watched_rotation(host)
        for place, how in breaks:
            host.wire.break_at(place, how)
            await FLOWS[flow][0](host, watched.rotation)
            watched.check_told()
            if watched.rotation.state is State.UNKNOWN:
                await watched.rotation.look_again()
                watched.check_told()
        shared.heal()
        host.wire.break_at(10_000, "500")
        await finish(watched, other_host, stays=stays)
