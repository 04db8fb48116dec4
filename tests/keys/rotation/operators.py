"""What an operator does with a rotation that does not go smoothly, until it is done."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import replace
from datetime import date

from pydantic import SecretStr

from tests.keys.rotation.host import GRANTS, Host
from tests.node import Node
from tui.keys.rotation import (
    NotVerified,
    Rotation,
    State,
    Step,
    Unfinished,
    UnfinishedKind,
    find_unfinished,
)
from tui.keys.rotation.retiring_label import base_label, retiring_since

TODAY = date(2026, 11, 23)
S = State

Flow = Callable[[Host, Rotation], Awaitable[None]]


async def rotate_now(host: Host, rotation: Rotation) -> None:
    """Make, store and verify a successor, then delete the predecessor."""
    await create(host, rotation)
    await step(rotation, S.CREATED, lambda: rotation.deliver(host.vault))
    await step(rotation, S.DELIVERED, rotation.verify)
    await step(rotation, S.VERIFIED, rotation.finish)


async def rotate_later(host: Host, rotation: Rotation) -> None:
    """As rotate_now, but mark the predecessor first."""
    await create(host, rotation)
    await step(rotation, S.CREATED, lambda: rotation.deliver(host.vault))
    await step(rotation, S.DELIVERED, rotation.verify)
    await step(rotation, S.VERIFIED, lambda: rotation.retire_later(TODAY))
    await step(rotation, S.OVERLAPPING, rotation.finish)


async def mark_and_undo(host: Host, rotation: Rotation) -> None:
    """Mark the predecessor, then think better of it."""
    await create(host, rotation)
    await step(rotation, S.CREATED, lambda: rotation.deliver(host.vault))
    await step(rotation, S.DELIVERED, lambda: rotation.retire_later(TODAY))
    await step(rotation, S.OVERLAPPING, rotation.undo)


async def create(host: Host, rotation: Rotation) -> None:
    """Create with the account's password, as the screen does."""
    if rotation.allows(Step.CREATE):
        await rotation.create(host.password)


async def step(rotation: Rotation, state: State, taken: Callable[[], Awaitable[State]]) -> None:
    """Take the step if the rotation has come to where it belongs."""
    if rotation.state is state:
        await taken()


async def persist(host: Host, rotation: Rotation) -> None:
    """Go on with the same rotation until it is done, whatever keeps it for a while."""
    for attempt in range(9):
        await rotation.settled()
        if rotation.state is S.UNKNOWN:
            await rotation.look_again()
        elif rotation.state is S.SECRET_LOST:
            await rotation.replace_lost()
        elif rotation.state is S.INTERRUPTED:
            successor = rotation.successor
            if successor is not None and successor.id in host.vault.kept:
                await rotation.stored_by_hand("the vault")
            else:
                await rotation.replace_lost()
        elif rotation.state is S.DELIVERED and rotation.secret is None:
            await rotation.finish(even_unverified=True)
        elif rotation.state in {S.FINISHED, S.UNDONE}:
            return
        elif attempt > 3 and isinstance(rotation.problem, NotVerified):
            await rotation.undo()  # the successor was deleted late, long after the request for it
        else:
            await create(host, rotation)
            await step(rotation, S.CREATED, lambda: rotation.deliver(host.vault))
            await step(rotation, S.DELIVERED, rotation.verify)
            await step(rotation, S.VERIFIED, rotation.finish)
            if not rotation.is_good:
                await step(rotation, S.OVERLAPPING, rotation.verify)
            await step(rotation, S.OVERLAPPING, rotation.finish)
    raise AssertionError(f"{rotation!r} came to no end: {rotation.problem!r}")


async def converge(host: Host, original: str) -> None:
    """Finish by the list alone what others left, until one successor is all there is."""
    for _ in range(9):
        keys = (await host.service.load()).keys
        unfinished = find_unfinished(keys)
        if unfinished:
            await take_up(host, unfinished[0])
        elif [key.id for key in keys] == [original]:
            await persist(host, host.rotation(keys[0]))
        else:
            break
    check_converged(host.node, host.vault.kept, original)


async def take_up(host: Host, unfinished: Unfinished) -> None:
    """Finish a rotation if its successor's secret was stored, else undo it."""
    stored = [key for key in unfinished.successors if key.id in host.vault.kept]
    useless = [key for key in unfinished.successors if key.id not in host.vault.kept]
    if useless and (stored or len(useless) > 1 or unfinished.kind is UnfinishedKind.OVERLAPPING):
        of_useless = replace(unfinished, successors=(useless[0],))
        await persist_undo(Rotation.resume(host.service, of_useless))
        return
    if stored:
        unfinished = replace(unfinished, successors=(stored[0],))
    await persist(host, Rotation.resume(host.service, unfinished, prove=host.prove))


async def persist_undo(rotation: Rotation) -> None:
    for _ in range(5):
        if rotation.state is S.UNDONE:
            return
        await (rotation.look_again() if rotation.state is S.UNKNOWN else rotation.undo())
    raise AssertionError(f"{rotation!r} came to no end: {rotation.problem!r}")


def works(node: Node, secret: str) -> bool:
    key = node.store.key_of(secret)
    return key is not None and set(GRANTS) <= set(key.grants)


def check_never_without_a_key(host: Host, original_secret: str, held: SecretStr | None) -> None:
    """At every moment somebody has a secret that works and has the grants."""
    secrets = [original_secret, *host.vault.kept.values()]
    if held is not None:
        secrets.append(held.get_secret_value())
    assert any(works(host.node, secret) for secret in secrets), "no working key is left"


def check_converged(node: Node, kept: dict[str, str], original: str) -> None:
    """Exactly one key is left: a successor whose secret is stored and works."""
    (key,) = node.keys()
    assert key.id != original
    assert retiring_since(key.label) is None
    assert works(node, kept[key.id])
    assert base_label(key.label) == key.label
