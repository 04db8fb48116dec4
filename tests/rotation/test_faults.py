"""A rotation whose every request goes wrong in every way, and which is stopped everywhere.

Whatever happens: somebody has a working key with the grants at every moment, no secret is lost
without being told, no create makes two keys, and going on, here or on another host that knows
nothing but the list, leads to exactly one successor whose secret is stored.
"""

from __future__ import annotations

from functools import partial
from typing import get_args

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.node import How, Node
from tests.rotation.host import GRANTS, LABEL, Host, empty, host
from tests.rotation.operators import (
    TODAY,
    Flow,
    check_never_without_a_key,
    converge,
    mark_and_undo,
    persist,
    rotate_later,
    rotate_now,
    step,
)
from tests.rotation.stopping import Stop
from tui.rotation import Rotation, State

WAYS = tuple(how for how in get_args(How) if how != "429-for-ever")

FLOWS: dict[str, tuple[Flow, int]] = {
    "now": (rotate_now, 0),
    "later": (rotate_later, 7),
    "undo": (mark_and_undo, 4),
}
"""Each flow, and the first of its requests that is not broken in another one just as well."""

CASES = [
    (flow, how) for flow in FLOWS for how in WAYS if flow == "now" or how not in {"cut", "503-html"}
]


class Watched:
    """A rotation under way on a host, and what must hold of it all the time."""

    def __init__(self, here: Host, rotation: Rotation, secret: str) -> None:
        self.here, self.rotation, self.secret = here, rotation, secret
        self.creates = 0
        rotation.on_change = self.check

    def check(self, rotation: Rotation) -> None:
        check_never_without_a_key(self.here, self.secret, rotation.secret)

    def check_told(self) -> None:
        """No key came into being of which the rotation says nothing."""
        kept, rotation = self.here.vault.kept, self.rotation
        made = [key for key in self.here.ours() if key != rotation.predecessor.id]
        untold = [key for key in made if key not in kept]
        if rotation.state in {State.SECRET_LOST, State.UNKNOWN}:
            assert len(untold) <= 1
        elif untold:
            assert rotation.successor is not None
            assert untold == [rotation.successor.id]
            assert rotation.secret is not None
        assert len(made) <= self.here.node.seen("POST", "/api/v1/api-keys")


async def begun(here: Host) -> Watched:
    key_id, secret = here.node.add_key(LABEL, GRANTS)
    return Watched(here, here.rotation(await here.key(key_id)), secret)


@pytest.mark.parametrize(("flow", "how"), CASES)
async def test_every_request_goes_wrong(node: Node, flow: str, how: How) -> None:
    run, first = FLOWS[flow]
    async with host(node) as here, host(node, here.vault, trusting=True) as elsewhere:
        for place in range(first, first + 20):
            empty(node)
            here.vault.kept.clear()
            watched = await begun(here)
            here.wire.break_at(place, how)
            await run(here, watched.rotation)
            was_broken = here.wire.sent > place
            watched.check_told()
            node.heal()
            await finish(watched, elsewhere, stays=(place + WAYS.index(how)) % 2 == 0)
            if not was_broken:
                assert place >= first + 2
                return


async def finish(watched: Watched, elsewhere: Host, *, stays: bool) -> None:
    """Go on where the rotation stands, here or elsewhere, to exactly one successor."""
    here, rotation = watched.here, watched.rotation
    original = rotation.predecessor.id
    if stays:
        await persist(here, rotation)
        watched.check(rotation)
    await converge(elsewhere, original)


@pytest.mark.parametrize("everything", [True, False], ids=["killed", "not waited for"])
async def test_it_is_stopped_at_every_await(node: Node, everything: bool) -> None:
    async with (
        host(node, trusting=True) as here,
        host(node, here.vault, trusting=True) as elsewhere,
    ):
        for at in range(200):
            empty(node)
            here.vault.kept.clear()
            watched = await begun(here)
            rotation = watched.rotation
            stop = Stop(at, everything=everything)
            await stop.run(partial(without_password, here, rotation))
            await rotation.settled()
            watched.check(rotation)
            watched.check_told()
            await finish(watched, elsewhere, stays=at % 2 == 0)
            if not stop.reached:
                assert at > 10
                return
    raise AssertionError("it never came to its end")


async def without_password(here: Host, rotation: Rotation) -> None:
    """Do what changes something, and only that."""
    await rotation.create()
    await step(rotation, State.CREATED, lambda: rotation.deliver(here.vault))
    await step(rotation, State.DELIVERED, rotation.verify)
    await step(rotation, State.VERIFIED, lambda: rotation.retire_later(TODAY))
    await step(rotation, State.OVERLAPPING, rotation.finish)


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
    async with host(shared) as here, host(shared, here.vault, trusting=True) as elsewhere:
        watched = await begun(here)
        for place, how in breaks:
            here.wire.break_at(place, how)
            await FLOWS[flow][0](here, watched.rotation)
            watched.check_told()
            if watched.rotation.state is State.UNKNOWN:
                await watched.rotation.look_again()
                watched.check_told()
        shared.heal()
        here.wire.break_at(10_000, "500")
        await finish(watched, elsewhere, stays=stays)
