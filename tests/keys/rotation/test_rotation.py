"""One rotation, step by step, against a real node."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from dataclasses import replace
from functools import partial
from typing import Any

import pytest
from pydantic import SecretStr

from tests.conftest import NodeMaker
from tests.keys.rotation.host import (
    GRANTS,
    LABEL,
    Host,
    Vault,
    delivered,
    known,
    refusing_marks,
    signed_in,
    started,
    verified,
)
from tests.node import Node
from tui.api.errors import (
    Forbidden,
    Invalid,
    NoAnswer,
    ServerFailed,
    SignInRefused,
)
from tui.api.models import CreatedKey, Key, KeyDraft
from tui.delivery.new_secret import DeliveryFailed
from tui.keys.guard import OtherWriteOpen
from tui.keys.labels import key_reference, mark_of
from tui.keys.listing import Listing
from tui.keys.rotation import (
    TRANSITIONS,
    NotVerified,
    Rotation,
    State,
    Step,
    WrongStep,
)
from tui.keys.rotation.jobs import MarkRemoval
from tui.keys.rotation.states import (
    GrantsNotTold,
    PredecessorGone,
)
from tui.keys.service import KeyService
from tui.keys.verification import Verification
from tui.keys.write_outcomes import NotSeenSoFar, OutcomeUnknown, SecretLost, StillThere

pytestmark = pytest.mark.usefixtures("task_factory")

MARKED = f"{LABEL} (retiring 2026-11-23)"


def beheaded(host: Host) -> Callable[[KeyDraft, SecretStr | None], Coroutine[Any, Any, CreatedKey]]:
    """Return a create whose answer tells nothing but the secret."""
    create = host.service.session.client.create_key

    async def created(draft: KeyDraft, credential: SecretStr | None) -> CreatedKey:
        return replace(await create(draft, credential), id=None, short_key="")

    return created


async def test_create_deliver_verify_finish(node: Node) -> None:
    node.add_key("another", GRANTS)
    async with signed_in(node) as host:
        rotation = await started(host)
        seen: list[State] = []
        rotation.listeners.append(lambda changed: seen.append(changed.state))
        async with host.service.authorized(host.password):
            assert await rotation.create() is State.CREATED
        assert rotation.would_lose_secret
        assert await rotation.deliver(host.vault) is State.DELIVERED
        assert rotation.stored == "the vault"
        assert await rotation.verify() is State.VERIFIED
        assert await rotation.finish() is State.FINISHED
        assert rotation.problem is None
        assert rotation.secret is None
        assert rotation.successor is not None
        assert host.ours() == [rotation.successor.id]
        assert node.labels() == ["another", LABEL]
        assert node.keys()[-1].grants == GRANTS
        assert rotation.short_key == node.keys()[-1].short_key
        assert list(dict.fromkeys(seen)) == [
            State.PLANNED,
            State.CREATED,
            State.DELIVERED,
            State.VERIFIED,
            State.FINISHED,
        ]


async def test_no_request_is_made_that_is_not_needed(node: Node) -> None:
    async with signed_in(node) as host:
        rotation = await started(host)
        rotation.compare(await host.service.load())
        node.requests.clear()
        async with host.service.authorized(host.password):
            await rotation.create()
        await rotation.deliver(host.vault)
        await rotation.verify()
        await rotation.finish()
        successor = rotation.successor.id if rotation.successor else ""
    calls = [f"{method} {path.removeprefix('/api/v1')}" for method, path in node.requests]
    probes = {"GET /metrics/", "GET /templates"}
    assert probes <= set(calls)
    assert [call for call in calls if call not in probes] == [
        "POST /authenticate",
        f"GET /api-keys/{rotation.predecessor.id}",  # what is it now?
        "POST /api-keys",
        "POST /authenticate/logout",
        "GET /api-keys",  # with the new secret: is it alive?
        f"GET /api-keys/{rotation.predecessor.id}",  # is it what was shown?
        f"GET /api-keys/{successor}",  # is the successor still there?
        f"DELETE /api-keys/{rotation.predecessor.id}",
        "GET /api-keys",  # is it there even now?
        f"PUT /api-keys/{successor}",  # its plain label
    ]


async def test_the_successor_says_whose_successor_it_is_from_its_first_moment(node: Node) -> None:
    key_id, _ = node.add_key(LABEL, ("metrics/view", "odd/unknown"), ("127.0.0.0/8",))
    async with signed_in(node) as host:
        rotation = host.rotation(await host.key(key_id))
        wanted = KeyDraft(LABEL, ("metrics/view", "odd/unknown"), ("127.0.0.0/8",))
        assert rotation.draft == wanted
        rotation.draft = KeyDraft(LABEL, ("metrics/view",), ())
        await rotation.create()
        old, new = node.keys()
        assert old.label == LABEL, "the predecessor is left as it is"
        mark = mark_of(new.label)
        assert mark is not None
        assert (mark.reference, mark.short_key) == (key_reference(key_id), old.short_key)
        await rotation.deliver(host.vault)
        await rotation.verify()
    async with signed_in(node) as other_host:
        resumed = Rotation.resume(other_host.service, await known(other_host))
        assert resumed.state is State.INTERRUPTED, "nothing here tells whether it was stored"
        await resumed.stored_by_hand("the vault, says a colleague")
        assert await resumed.finish(even_unverified=True) is State.FINISHED
        assert node.labels() == [LABEL]


async def test_the_plain_label_is_put_back_with_all_else_as_it_is(node: Node) -> None:
    key_id, _ = node.add_key(LABEL, GRANTS, ("127.0.0.0/8", "192.0.2.7"))
    async with signed_in(node) as host:
        rotation = host.rotation(await host.key(key_id))
        await rotation.create()
        await rotation.deliver(host.vault)
        await rotation.verify()
        assert await rotation.finish() is State.FINISHED
        (left,) = node.keys()
        assert (left.label, left.grants) == (LABEL, GRANTS)
        assert left.valid_ips == ("127.0.0.0/8", "192.0.2.7")
        assert rotation.mark_problem is None


async def test_a_label_that_cannot_be_put_back_is_told_and_put_back_later(node: Node) -> None:
    async with signed_in(node) as host:
        rotation = await verified(host)
        node.fail("PUT", "/", "500")
        assert await rotation.finish() is State.FINISHED
        assert isinstance(rotation.mark_problem, ServerFailed)
        (record,) = (await host.service.records()).left_marked
        host.let_time_pass()
        assert await MarkRemoval(host.service, record.key).finish() is State.FINISHED
        assert node.labels() == [LABEL]


async def test_a_server_that_refuses_the_mark_gets_the_label_alone(node: Node) -> None:
    async with signed_in(node) as host:
        rotation = await started(host)
        host.service.session.client.create_key = refusing_marks(host)  # type: ignore[method-assign]
        assert await rotation.create() is State.CREATED
        assert node.labels() == [LABEL, LABEL]
        assert isinstance(rotation.mark_problem, Invalid), "the server's own reason"
        await rotation.deliver(host.vault)
        unfinished = await known(host)
        assert unfinished.known is not None, "the journal here knows it all the same"
        await rotation.verify()
        assert await rotation.finish() is State.FINISHED


async def test_undo_leaves_the_predecessor_as_it_was(node: Node) -> None:
    async with signed_in(node) as host:
        rotation = await verified(host)
        before = node.keys()[0]
        assert await rotation.undo() is State.UNDONE
        assert node.keys() == (before,)
        assert rotation.secret is None


async def test_giving_up_before_anything_was_created_asks_nobody(node: Node) -> None:
    async with signed_in(node) as host:
        rotation = await started(host)
        node.requests.clear()
        assert await rotation.undo() is State.UNDONE
        assert node.requests == []


async def test_a_key_that_an_earlier_version_marked_gets_its_label_back_by_undo(node: Node) -> None:
    key_id, _ = node.add_key(MARKED, GRANTS)
    async with signed_in(node) as host:
        rotation = host.rotation(await host.key(key_id))
        assert rotation.draft.label == LABEL
        assert await rotation.undo() is State.UNDONE
        assert node.labels() == [LABEL]


async def test_an_interrupted_rotation_is_taken_up_on_another_host(node: Node) -> None:
    async with signed_in(node) as host:
        await delivered(host)
    async with signed_in(node) as other_host:
        resumed = Rotation.resume(other_host.service, await known(other_host))
        assert resumed.state is State.INTERRUPTED
        assert not resumed.allows(Step.FINISH)
        await resumed.stored_by_hand("the vault, says the journal")
        with pytest.raises(WrongStep):
            await resumed.finish()
        assert await resumed.finish(even_unverified=True) is State.FINISHED
        assert len(node.keys()) == 1


async def test_the_password_is_checked_before_anything_is_created(node: Node) -> None:
    async with signed_in(node) as host:
        rotation = await started(host)
        assert await rotation.create(SecretStr("wrong")) is State.PLANNED
        assert isinstance(rotation.problem, SignInRefused)
        assert node.seen("POST", "/api/v1/api-keys") == 0
        assert await rotation.create(host.password) is State.CREATED
        assert rotation.problem is None


async def test_a_successor_is_verified_as_soon_as_it_is_created_or_stored(node: Node) -> None:
    async with signed_in(node) as host:
        rotation = await started(host)
        shown: list[Verification] = []
        rotation.verification_listeners.append(shown.append)
        assert await rotation.create(host.password, verify=True) is State.CREATED
        assert shown
        assert rotation.is_proven
        assert await rotation.stored_by_hand("on paper", verify=True) is State.VERIFIED
        assert rotation.secret is None, "it is stored and works, so it is held no more"
        other = await started(host)
        await other.create()
        assert await other.stored_by_hand("on paper", verify=True) is State.VERIFIED


async def test_the_first_step_listed_for_each_state_leads_to_the_end(node: Node) -> None:
    async with signed_in(node) as host:
        rotation = await started(host)
        deliver = partial(rotation.deliver, host.vault)
        taken: list[Step] = []
        while rotation.state is not State.FINISHED:
            taken.append(next(iter(TRANSITIONS[rotation.state])))
            is_delivery = taken[-1] is Step.DELIVER
            await (deliver if is_delivery else getattr(rotation, taken[-1].value))()
        assert taken == [Step.CREATE, Step.DELIVER, Step.VERIFY, Step.FINISH]


async def test_verifying_before_storing_counts_once_it_is_stored(node: Node) -> None:
    async with signed_in(node) as host:
        rotation = await started(host)
        await rotation.create()
        assert await rotation.verify() is State.CREATED
        assert not rotation.allows(Step.FINISH)
        assert await rotation.stored_by_hand("on paper") is State.VERIFIED


async def test_a_successor_that_does_not_work_keeps_its_predecessor(node: Node) -> None:
    key_id, _ = node.add_key(LABEL, GRANTS, ("192.0.2.1",))
    async with signed_in(node) as host:
        rotation = host.rotation(await host.key(key_id))
        await rotation.create()
        await rotation.deliver(host.vault)
        assert await rotation.verify() is State.DELIVERED
        assert isinstance(rotation.problem, NotVerified)
        with pytest.raises(WrongStep):
            await rotation.finish()
        assert len(node.keys()) == 2
        assert await rotation.finish(even_unverified=True) is State.FINISHED


async def test_a_failed_delivery_keeps_the_secret_at_hand(node: Node) -> None:
    async with signed_in(node, Vault(broken={LABEL: 1})) as host:
        rotation = await started(host)
        await rotation.create()
        assert await rotation.deliver(host.vault) is State.CREATED
        assert isinstance(rotation.problem, DeliveryFailed)
        assert rotation.would_lose_secret
        assert await rotation.deliver(host.vault) is State.DELIVERED
        assert not rotation.would_lose_secret


async def test_leaving_a_secret_behind_says_that_it_is_lost(node: Node) -> None:
    async with signed_in(node) as host:
        rotation = await started(host)
        await rotation.create()
        rotation.forget_secret()
        assert rotation.state is State.SECRET_LOST
        assert await rotation.replace_lost() is State.PLANNED
        assert len(node.keys()) == 1
        assert await rotation.create() is State.CREATED


async def test_the_secret_is_in_no_repr(node: Node) -> None:
    async with signed_in(node) as host:
        rotation = await started(host)
        await rotation.create()
        assert rotation.secret is not None
        secret = rotation.secret.get_secret_value()
        assert secret not in repr(rotation) + repr(vars(rotation)) + str(rotation.problem)


async def test_a_secret_is_saved_from_an_answer_that_is_cut_off(node: Node) -> None:
    async with signed_in(node) as host:
        rotation = await started(host)
        host.service.session.client.create_key = beheaded(host)  # type: ignore[method-assign, assignment]
        assert await rotation.create() is State.CREATED
        assert rotation.short_key == node.keys()[-1].short_key
        await rotation.deliver(host.vault)
        assert list(host.vault.kept) == [node.keys()[-1].id]


async def test_a_lost_secret_is_told_and_replaced(node: Node) -> None:
    async with signed_in(node) as host:
        rotation = await started(host)
        node.fail("POST", "/api/v1/api-keys", "after")
        assert await rotation.create() is State.SECRET_LOST
        assert isinstance(rotation.problem, SecretLost)
        assert rotation.predecessor.id != rotation.problem.key.id
        assert await rotation.replace_lost() is State.PLANNED
        assert host.ours() == [rotation.predecessor.id]


async def test_nothing_created_may_be_tried_again(node: Node) -> None:
    async with signed_in(node) as host:
        rotation = await started(host)
        node.fail("POST", "/api/v1/api-keys", "500")
        assert await rotation.create() is State.REFUSED
        assert isinstance(rotation.problem, NotSeenSoFar)
        assert await rotation.create() is State.CREATED
        assert len(node.keys()) == 2


async def test_an_unknown_create_is_settled_by_looking_again(node: Node) -> None:
    async with signed_in(node) as host:
        rotation = await started(host)
        node.fail("POST", "/api/v1/api-keys", "after")
        node.fail("GET", "/api/v1/api-keys", "500", times=2)
        rotation.compare(host.service.listing)
        rotation.is_one_of_many = True  # the list alone is read
        assert await rotation.create() is State.UNKNOWN
        assert isinstance(rotation.problem, OutcomeUnknown)
        assert await rotation.look_again() is State.UNKNOWN
        assert isinstance(rotation.problem, ServerFailed)
        assert await rotation.look_again() is State.SECRET_LOST


async def test_looking_again_never_takes_a_key_made_for_another_rotation(node: Node) -> None:
    async with signed_in(node) as host:
        first, second = await started(host), await started(host)
        first.is_one_of_many = True  # the list alone is read
        first.compare(await host.service.load())
        node.fail("POST", "/api/v1/api-keys", "500")
        node.fail("GET", "/api/v1/api-keys", "500")
        assert await first.create() is State.UNKNOWN
        assert await second.create() is State.CREATED
        assert await first.look_again() is State.REFUSED
        assert isinstance(first.problem, NotSeenSoFar)


async def test_an_alike_key_made_by_anybody_is_never_taken_for_a_lost_one(node: Node) -> None:
    async with signed_in(node) as host:
        rotation = await started(host)
        rotation.compare(await host.service.load())
        node.add_key(LABEL, GRANTS, owner="somebody-else")
        node.add_key(LABEL, GRANTS)
        node.fail("POST", "/api/v1/api-keys", "500")
        assert await rotation.create() is State.REFUSED
        assert isinstance(rotation.problem, NotSeenSoFar)
        assert len(node.keys()) == 3


async def test_a_deletion_without_answer_is_settled_by_the_list(node: Node) -> None:
    async with signed_in(node) as host:
        rotation = await verified(host)
        node.fail("DELETE", "/", "after")
        assert await rotation.finish() is State.FINISHED
        assert len(node.keys()) == 1
        again = await verified(host)
        node.fail("DELETE", "/", "before")
        assert await again.finish() is State.VERIFIED
        assert isinstance(again.problem, StillThere)
        assert isinstance(again.problem.cause, NoAnswer)
        node.fail("DELETE", "/", "after")
        node.fail("GET", "/api/v1/api-keys", "500", exactly=True)
        assert await again.finish() is State.UNKNOWN
        assert await again.look_again() is State.FINISHED


async def test_while_a_deletion_may_still_land_only_it_can_be_repeated(node: Node) -> None:
    async with signed_in(node) as host:
        rotation = await verified(host)
        node.fail("DELETE", "/", "before")
        assert await rotation.finish() is State.VERIFIED
        assert rotation.offers(Step.FINISH)
        for opposite in (Step.UNDO, Step.REPLACE):
            assert not rotation.offers(opposite)
        assert rotation.successor is not None
        with pytest.raises(OtherWriteOpen):
            await host.service.delete(rotation.successor)
        again = KeyService(host.service.session, host.service.journal)  # a restart
        await again.load()
        resumed = Rotation.resume(again, (await again.records()).unfinished[0])
        assert not resumed.offers(Step.UNDO)
        assert resumed.offers(Step.FINISH)
        host.let_time_pass()
        assert resumed.offers(Step.UNDO)
        assert await rotation.undo() is State.UNDONE


async def test_keys_that_cannot_be_rotated_are_refused(node: Node) -> None:
    async with signed_in(node) as host:
        untold = host.rotation(Key("1", "odd"))
        untold.is_one_of_many = True  # the list alone is read
        untold.compare(Listing((Key("1", "odd"),)))
        assert await untold.create() is State.REFUSED
        assert isinstance(untold.problem, GrantsNotTold)
        gone = host.rotation(Key("2", "gone"))
        assert await gone.create() is State.REFUSED
        assert isinstance(gone.problem, PredecessorGone)
        assert node.keys() == ()


async def test_a_subaccounts_key_gets_a_successor_in_its_subaccount(node: Node) -> None:
    async with signed_in(node) as host:
        old, _ = node.add_key("Partner", GRANTS, subaccount=7)
        node.add_key("Partner", GRANTS, subaccount=8)
        rotation = host.rotation(await host.key(old))
        await rotation.create()
        await rotation.deliver(host.vault)
        assert await rotation.verify() is State.VERIFIED
        assert await rotation.finish() is State.FINISHED
        listed = node.keys()
        of_accounts = {key.subaccount_id: key.id for key in listed}
        assert set(of_accounts) == {7, 8}
        assert of_accounts[7] != old


async def test_a_foreign_predecessor_that_may_not_be_deleted_stays(node_with: NodeMaker) -> None:
    node = node_with(edition="sparkpost", seeds=False)
    key_id, _ = node.add_key(LABEL, ("metrics/view",), owner="somebody-else")
    async with signed_in(node) as host:
        rotation = host.rotation(await host.key(key_id))
        await rotation.create()
        await rotation.deliver(host.vault)
        await rotation.verify()
        assert await rotation.finish() is State.VERIFIED
        assert isinstance(rotation.problem, Forbidden)
        assert len(node.keys()) == 2


async def test_wrong_steps_are_refused_and_all_are_listed(node: Node) -> None:
    async with signed_in(node) as host:
        rotation = await started(host)
        for step in set(Step) - set(TRANSITIONS[State.PLANNED]):
            assert not rotation.allows(step)
        with pytest.raises(WrongStep):
            await rotation.finish(even_unverified=True)
        with pytest.raises(WrongStep):
            rotation.forget_secret()
        await rotation.create()
        with pytest.raises(WrongStep):
            await rotation.create()
        with pytest.raises(WrongStep):
            rotation.draft = KeyDraft("late")
    assert set(TRANSITIONS) == set(State)
    assert {step for steps in TRANSITIONS.values() for step in steps} == set(Step)
    for step in Step:
        assert callable(getattr(Rotation, step.value))


async def test_a_step_goes_on_when_nobody_waits_for_it_any_more(node: Node) -> None:
    async with signed_in(node) as host:
        rotation = await started(host)
        rotation.compare(host.service.listing)
        node.fail("POST", "/api/v1/api-keys", "hang-after")
        waiting = asyncio.create_task(rotation.create())
        await node.until("POST", "/api/v1/api-keys")
        waiting.cancel()
        with pytest.raises(asyncio.CancelledError):
            await waiting
        assert rotation.is_busy
        node.release()
        assert await rotation.settled() is State.CREATED
        assert rotation.secret is not None
