"""Pausing a key and resuming it, against a node whose gate enforces allowed IPs."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from pathlib import Path

import pytest
from pydantic import SecretStr

from tests.conftest import NodeMaker
from tests.keys.conftest import WHEN
from tests.keys.rotation.host import signed_in
from tests.node import Node
from tui.api.client import Client
from tui.api.errors import ApiError, NoAnswer
from tui.api.models import Key
from tui.journal import Journal
from tui.keys.pause import IPS_NOT_TOLD, Pause, PauseRefused, find_pauses, pause, resume
from tui.keys.paused_mark import PAUSED_IPS
from tui.keys.service import KeyService
from tui.keys.verification import PAUSED, UNKNOWN_KEY, Verdict
from tui.sandbox.store import StoredKey

KEYS = "/api/v1/api-keys"
TODAY = date(2026, 11, 26)
GRANTS = ("metrics/view", "webhooks/view")
MANY = ("127.0.0.0/8", *(f"198.51.100.{number}" for number in range(20)))
"""More addresses than a label lists."""


@pytest.fixture
def node(node_with: NodeMaker) -> Node:
    return node_with(seeds=False)


async def listed(service: KeyService, key_id: str) -> Key:
    return next(key for key in (await service.load()).keys if key.id == key_id)


def stored(node: Node, key_id: str) -> StoredKey:
    key = node.store.key(key_id)
    assert key is not None
    return key


def elsewhere(service: KeyService, journal: Path | None = None) -> KeyService:
    """The same operator on another host, or with another journal."""
    return KeyService(service.session, Journal(journal, now=lambda: WHEN))


async def status(client: Client, secret: str) -> int:
    return (await client.probe("GET", "/metrics/", SecretStr(secret))).status


@pytest.mark.parametrize("valid_ips", [(), ("127.0.0.1",), MANY], ids=["any", "one", "many"])
@pytest.mark.parametrize("subaccount", [None, 7])
async def test_a_key_works_then_is_refused_then_works_again(
    service: KeyService,
    client: Client,
    node: Node,
    valid_ips: tuple[str, ...],
    subaccount: int | None,
) -> None:
    key_id, secret = node.add_key("Billing", GRANTS, valid_ips, subaccount=subaccount)
    before = stored(node, key_id)
    assert await status(client, secret) == 200
    key = await listed(service, key_id)
    await pause(service, key, TODAY)
    assert await status(client, secret) == 401
    paused = await listed(service, key_id)
    assert (paused.raw_valid_ips, paused.raw_grants) == (PAUSED_IPS, GRANTS)
    assert paused.label.startswith("Billing (paused 2026-11-26, from ")
    assert await find_pauses(service, [paused, replace(key, id="other")]) == {
        key_id: Pause(TODAY, "Billing", valid_ips)
    }
    await resume(service, paused)
    assert stored(node, key_id) == before
    assert await status(client, secret) == 200


async def test_what_it_takes_to_resume_is_noted_before_the_key_is_changed(
    service: KeyService, node: Node, journal: Journal
) -> None:
    key_id, _ = node.add_key("Billing", GRANTS, MANY)
    key = await listed(service, key_id)
    node.fail("PUT", KEYS, "500")
    with pytest.raises(ApiError):
        await pause(service, key, TODAY)
    first_line = next(entry for entry in journal.read().entries if entry.phase == "begun")
    assert (first_line.action, first_line.label) == ("pause", "Billing")
    assert tuple(first_line.valid_ips.split()) == MANY


async def test_another_host_resumes_by_the_label(service: KeyService, node: Node) -> None:
    few, _ = node.add_key("Few", GRANTS, ("192.0.2.7",))
    many, _ = node.add_key("Many", GRANTS, MANY)
    for key_id in (few, many):
        await pause(service, await listed(service, key_id), TODAY)
    other = elsewhere(service)
    await resume(other, await listed(other, few))
    assert stored(node, few).valid_ips == ("192.0.2.7",)
    with pytest.raises(PauseRefused, match="The journal of the host that paused it"):
        await resume(other, await listed(other, many))
    assert stored(node, many).valid_ips == PAUSED_IPS
    await resume(service, await listed(service, many))
    assert stored(node, many).valid_ips == MANY


async def test_a_mark_that_the_server_cut_is_made_up_for_by_the_journal(
    service: KeyService, node: Node
) -> None:
    key_id, _ = node.add_key("Billing", GRANTS, ("192.0.2.7",))
    await pause(service, await listed(service, key_id), TODAY)
    node.store.change_key(key_id, "Billing (paused 2026-", GRANTS, PAUSED_IPS)
    paused = await listed(service, key_id)
    assert await find_pauses(service, [paused]) == {
        key_id: Pause(WHEN.date(), "Billing", ("192.0.2.7",))
    }
    await resume(service, paused)
    assert stored(node, key_id).label == "Billing"
    assert stored(node, key_id).valid_ips == ("192.0.2.7",)


async def test_a_mark_goes_before_an_older_note(service: KeyService, node: Node) -> None:
    """Another host paused it once more, after it had been resumed and changed."""
    key_id, _ = node.add_key("Billing", GRANTS, ("192.0.2.7",))
    await pause(service, await listed(service, key_id), TODAY)
    label = "Billing (paused 2026-11-27, from 192.0.2.8)"
    node.store.change_key(key_id, label, GRANTS, PAUSED_IPS)
    await resume(service, await listed(service, key_id))
    assert stored(node, key_id).valid_ips == ("192.0.2.8",)


async def test_the_note_about_a_key_of_a_server_that_was_reinstalled_is_another_keys(
    service: KeyService, node: Node
) -> None:
    """Ids may come again: the short key tells."""
    key_id, _ = node.add_key("Billing", GRANTS, MANY)
    await pause(service, await listed(service, key_id), TODAY)
    key = replace(await listed(service, key_id), raw_short_key="ffff")
    assert (await find_pauses(service, [key]))[key_id].valid_ips is None
    assert await find_pauses(service, [replace(key, raw_label="Billing")]) == {}


async def test_a_key_that_somebody_else_changed_is_left_alone(
    service: KeyService, node: Node
) -> None:
    key_id, _ = node.add_key("Billing", GRANTS)
    seen = await listed(service, key_id)
    node.store.change_key(key_id, "Billing", GRANTS, ("192.0.2.9",))
    with pytest.raises(PauseRefused, match="Somebody else has changed this key") as refused:
        await pause(service, seen, TODAY)
    assert node.seen("PUT", KEYS) == 0
    assert refused.value.key is not None
    await pause(service, refused.value.key, TODAY)
    await resume(service, await listed(service, key_id))
    assert stored(node, key_id).valid_ips == ("192.0.2.9",)


@pytest.mark.parametrize("how", ["after", "cut"])
async def test_a_lost_answer_is_made_up_for_by_reading_the_key(
    service: KeyService, node: Node, journal: Journal, how: str
) -> None:
    key_id, _ = node.add_key("Billing", GRANTS)
    node.fail("PUT", KEYS, how)  # type: ignore[arg-type]
    await pause(service, await listed(service, key_id), TODAY)
    assert journal.read().entries[0].phase == "done"
    assert stored(node, key_id).valid_ips == PAUSED_IPS


async def test_an_outcome_that_stays_unknown_is_settled_by_the_list(
    service: KeyService, node: Node, journal: Journal, monkeypatch: pytest.MonkeyPatch
) -> None:
    key_id, _ = node.add_key("Billing", GRANTS, MANY)
    seen = await listed(service, key_id)
    node.fail("PUT", KEYS, "after")
    read = service.read

    async def read_until_changed(seen: Key) -> Key:
        if node.seen("PUT", KEYS):
            raise NoAnswer("broken", "host", 1, 0)
        return await read(seen)

    monkeypatch.setattr(service, "read", read_until_changed)
    with pytest.raises(ApiError):
        await pause(service, seen, TODAY)
    assert journal.read().entries[0].phase == "unknown"
    paused = await listed(service, key_id)
    assert journal.read().entries[0].phase == "done"
    assert (await find_pauses(service, [paused]))[key_id].valid_ips == MANY


async def test_where_addresses_are_not_told_nothing_is_paused(node_with: NodeMaker) -> None:
    keys = [Key("1", "Old", raw_grants=GRANTS), Key("2", "Odd")]
    node = node_with(edition="momentum-4.1")
    async with signed_in(node) as host:
        await host.service.load()
        for key in keys:
            with pytest.raises(PauseRefused) as refused:
                await pause(host.service, key, TODAY)
            assert refused.value.sentence == IPS_NOT_TOLD
        assert node.seen("PUT", KEYS) == 0


async def test_what_neither_label_nor_journal_would_keep_is_not_paused(
    service: KeyService, node: Node
) -> None:
    key_id, _ = node.add_key("Billing", GRANTS, MANY)
    with pytest.raises(PauseRefused, match="too many for its label"):
        await pause(elsewhere(service), await listed(service, key_id), TODAY)
    assert stored(node, key_id).valid_ips == MANY


async def test_a_key_that_nobody_paused_is_not_resumed(service: KeyService, node: Node) -> None:
    key_id, _ = node.add_key("Odd", GRANTS, PAUSED_IPS)
    with pytest.raises(
        PauseRefused, match="Neither label nor journal says that this key was paused"
    ):
        await resume(service, await listed(service, key_id))


async def test_verifying_a_paused_key_says_at_once_why_it_is_refused(
    service: KeyService, node: Node
) -> None:
    key_id, secret = node.add_key("Billing", GRANTS)
    await pause(service, await listed(service, key_id), TODAY)
    verification = await service.verify(SecretStr(secret), GRANTS, PAUSED_IPS)
    assert verification.alive is Verdict.NOT_ACCEPTED
    assert verification.hints == (PAUSED,)
    assert UNKNOWN_KEY not in verification.hints
    assert node.seen("GET", KEYS) == 3, "the two reads before, and one probe that is not repeated"
