"""What an operator does with a rotation that does not go smoothly, until it is done."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import replace

from pydantic import SecretStr

from tests.keys.rotation.host import GRANTS, Host
from tests.node import Node
from tui.api.models import Key
from tui.keys.key_record import Knowledge, UnfinishedRotation
from tui.keys.labels import base_label
from tui.keys.rotation import NotVerified, Rotation, State, Step
from tui.keys.rotation.jobs import MarkRemoval

S = State

Flow = Callable[[Host, Rotation], Awaitable[None]]


async def rotate_now(host: Host, rotation: Rotation) -> None:
    """Make, store and verify a successor, then delete the predecessor."""
    await create(host, rotation)
    await step(rotation, S.CREATED, lambda: rotation.deliver(host.vault))
    await step(rotation, S.DELIVERED, rotation.verify)
    await step(rotation, S.VERIFIED, rotation.finish)


async def store_and_undo(host: Host, rotation: Rotation) -> None:
    """Make and store a successor, then think better of it."""
    await create(host, rotation)
    await step(rotation, S.CREATED, lambda: rotation.deliver(host.vault))
    await step(rotation, S.DELIVERED, rotation.undo)


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
        host.let_time_pass()
        if rotation.state is S.UNKNOWN:
            await rotation.look_again()
        elif rotation.state is S.SECRET_LOST:
            await rotation.replace_lost()
        elif rotation.state is S.INTERRUPTED:
            successor = rotation.successor
            if successor is not None and successor.id in host.vault.kept:
                await rotation.stored_by_hand("the vault")
            elif rotation.allows(Step.REPLACE):
                await rotation.replace_lost()
            else:  # it was made on another host, which is not there to ask
                await rotation.undo()
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
    raise AssertionError(f"{rotation!r} came to no end: {rotation.problem!r}")


async def converge(host: Host, original: str) -> None:
    """Finish by list and marks what others left, until one successor is all there is."""
    for _ in range(9):
        await host.service.load()
        host.let_time_pass()
        records = await host.service.records()
        keys = host.service.listing.keys
        known = [unfinished for unfinished in records.unfinished if unfinished.is_known]
        if known:
            await take_up(host, known[0])
        elif left := [record.key for record in records.left_marked]:
            await put_label_back(host, left[0])
        elif [key.id for key in keys] == [original]:
            await persist(host, host.rotation(keys[0]))
        else:
            break
    check_converged(host.node, host.vault.kept, original)


async def put_label_back(host: Host, key: Key) -> None:
    """Take the mark off a successor that replaces nothing any more."""
    if key.id in host.vault.kept:
        await MarkRemoval(host.service, key).finish()
    else:
        await host.service.delete(key)


async def take_up(host: Host, unfinished: UnfinishedRotation) -> None:
    """Finish a rotation if its successor's secret was stored, else undo it."""
    stored = [key for key in unfinished.successors if key.id in host.vault.kept]
    useless = [key for key in unfinished.successors if key.id not in host.vault.kept]
    chosen = replace(unfinished, successors=((stored or useless)[0],))
    if useless and (stored or len(useless) > 1):
        of_useless = replace(
            unfinished,
            successors=(useless[0],),
            known=None,
            knowledge=Knowledge.NOT_KNOWN,
        )
        await persist_undo(Rotation.resume(host.service, of_useless))
        return
    await persist(host, Rotation.resume(host.service, chosen, prove=host.prove))


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
    assert works(node, kept[key.id])
    assert base_label(key.label) == key.label
