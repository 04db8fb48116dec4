from __future__ import annotations

import asyncio
import re
import threading
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

import pytest
from pydantic import SecretStr

from tests.clock import in_vain
from tests.conftest import NodeMaker
from tests.keys.conftest import file_of, unstored
from tests.node import How, Node
from tui.api.address import parse_server
from tui.api.client import Client
from tui.api.errors import ApiError, Invalid, RateLimited
from tui.api.models import CreatedKey, Key, KeyDraft
from tui.api.session import Session, SessionEnded
from tui.journal import Journal, JournalEntry, JournalSnapshot
from tui.keys.guard import ShownKeyChanged
from tui.keys.labels import successor_label
from tui.keys.pause import pause
from tui.keys.service import KeyService
from tui.keys.verification import Verdict
from tui.keys.write_outcomes import (
    CannotGoOn,
    NotSeenSoFar,
    OnlyRead,
    OutcomeUnknown,
    OutOfReach,
    SecretLost,
    StillThere,
)
from tui.sandbox.store import new_secret, utc_now
from tui.waiting import all_seen_through

DRAFT = KeyDraft("Billing \x1b[2J", ("metrics/view", "webhooks/view"), ("127.0.0.0/8",))
KEYS = "/api/v1/api-keys"


class Mint:
    """Makes secrets, and remembers them so that a test can look for them."""

    def __init__(self) -> None:
        self.made: list[str] = []

    def __call__(self) -> str:
        self.made.append(new_secret())
        return self.made[-1]


@pytest.fixture
def mint() -> Mint:
    return Mint()


@pytest.fixture
def node(node_with: NodeMaker, mint: Mint) -> Node:
    return node_with(mint=mint, seeds=False)


@pytest.fixture(autouse=True)
def no_secret_is_in_the_journal(journal: Journal, mint: Mint) -> Iterator[None]:
    yield
    path = file_of(journal)
    written = path.read_text("ascii") if path.exists() else ""
    assert not [secret for secret in mint.made if secret in written]


def lines_in(journal: Journal) -> list[tuple[str, str, str]]:
    """Return what a program started later would read: action, phase, detail, oldest first."""
    entries = Journal(file_of(journal)).read().entries
    return [(entry.action, entry.phase, entry.detail) for entry in reversed(entries)]


def ids(node: Node) -> list[str]:
    keys = node.keys()
    return [key.id for key in keys]


async def succession(service: KeyService) -> tuple[str, str, str]:
    """What is known of the only create: the key's id, its predecessor's, and how far it came."""
    (record,) = (await service.history.refresh()).creates
    reached = {"stored": record.is_stored, "verified": record.is_verified}
    return record.key_id, record.predecessor, " ".join(name for name in reached if reached[name])


def last(journal: Journal) -> JournalEntry:
    return Journal(file_of(journal)).read().entries[0]


async def test_a_create_is_noted_before_and_after_and_once_it_is_stored(
    service: KeyService, node: Node, journal: Journal
) -> None:
    created = await service.create(DRAFT, predecessor=Key("1"))
    (key,) = node.keys()
    assert created.draft is DRAFT
    assert created.key.short_key == key.short_key
    assert lines_in(journal) == [("create", "begun", ""), ("create", "done", "")]
    assert await succession(service) == (key.id, "1", "")
    created.attempt.proven(True)
    assert await succession(service) == (key.id, "1", "verified")
    assert unstored(journal)[0].key_id == key.id
    created.attempt.stored("Sent to the clipboard.")
    created.attempt.stored("Sent to the clipboard.")
    assert lines_in(journal)[2:] == [
        ("create", "verified", ""),
        ("create", "stored", "Sent to the clipboard."),
    ]
    assert await succession(service) == (key.id, "1", "stored verified")
    created.attempt.proven(False)
    assert await succession(service) == (key.id, "1", "stored")
    entry = last(journal)
    assert (entry.server, entry.username) == (node.url, node.username)
    assert (entry.label, entry.short_key) == (key.label, key.short_key)
    assert unstored(journal) == []


async def test_a_request_goes_out_only_once_it_is_noted(
    service: KeyService, node: Node, journal: Journal
) -> None:
    node.fail("*", KEYS, "hang")
    task = asyncio.create_task(service.create(DRAFT))
    await node.until("POST", KEYS)
    assert lines_in(journal) == [("create", "begun", "")]
    node.release()
    await task
    assert lines_in(journal) == [("create", "begun", ""), ("create", "done", "")]


SUCCESSOR_OF = Key("1", raw_short_key="85f0")
"""The predecessor of keys that are made here."""
BROKE = "The connection broke before an answer came."
ANSWERED = "The server answered {}."
LOST = "{} The secret was lost on the way."


@pytest.mark.parametrize(
    ("how", "error", "phase", "detail"),
    [
        ("before", NotSeenSoFar, "unknown", BROKE),
        ("after", SecretLost, "done", LOST.format(BROKE)),
        ("500", NotSeenSoFar, "unknown", ANSWERED.format(500)),
        ("503-html", NotSeenSoFar, "unknown", ANSWERED.format(503)),
    ],
)
async def test_the_outcome_of_a_successor_s_create_is_noted(
    how: How,
    error: type[Exception],
    phase: str,
    detail: str,
    service: KeyService,
    node: Node,
    journal: Journal,
) -> None:
    node.fail("POST", KEYS, how)
    with pytest.raises(error):
        await service.create(DRAFT, predecessor=SUCCESSOR_OF)
    assert lines_in(journal)[0] == ("create", "begun", "")
    assert lines_in(journal)[-1] == ("create", phase, detail)
    assert [entry.key_id for entry in unstored(journal) if entry.key_id] == ids(node)


async def test_a_successor_that_comes_late_is_known_by_its_mark(
    service: KeyService, node: Node
) -> None:
    service.journal._now = utc_now
    node.fail("POST", KEYS, "hang")
    with pytest.raises(NotSeenSoFar):
        await in_vain(service.create(DRAFT, predecessor=SUCCESSOR_OF), lambda: node.held)
    await land(node)
    await service.load()
    (record,) = (await service.records()).never_stored
    assert [record.key.id] == ids(node)
    await service.load()
    (record,) = (await service.records()).never_stored
    assert record.created is not None
    assert record.created.key_id == record.key.id, "it is in the journal now"


async def test_a_key_of_its_own_that_comes_late_is_told_as_a_question(
    service: KeyService, node: Node
) -> None:
    service.journal._now = utc_now
    node.fail("POST", KEYS, "hang")
    with pytest.raises(NotSeenSoFar):
        await in_vain(service.create(DRAFT), lambda: node.held)
    await land(node)
    await service.load()
    records = await service.records()
    assert records.never_stored == ()
    assert [record.key.id for record in records.perhaps_stored] == ids(node)


async def land(node: Node) -> None:
    """Have a create that was held back take effect."""
    node.release()
    await node.until("POST", KEYS)
    while not node.keys():  # noqa: ASYNC110  # done by another thread
        await asyncio.sleep(0.005)


async def test_the_journal_is_read_in_threads_only(
    service: KeyService, journal: Journal, monkeypatch: pytest.MonkeyPatch
) -> None:
    read, threads = journal.read, list[threading.Thread]()

    def noting_read() -> JournalSnapshot:
        threads.append(threading.current_thread())
        return read()

    created = await service.create(DRAFT)
    await service.load()
    monkeypatch.setattr(journal, "read", noting_read)
    records = await service.records()
    assert records.never_stored
    assert records.unfinished == ()
    (key,) = [key for key in service.listing.keys if key.id == created.key.id]
    assert await service.attempt_of(key) is not None
    assert len(threads) == 2
    assert threading.current_thread() not in threads


@pytest.mark.parametrize("edition", ["momentum-4.1", "momentum-4.2"])
async def test_a_key_that_may_be_anybody_s_is_not_taken_for_the_lost_one(
    edition: str, node_with: NodeMaker, journal: Journal
) -> None:
    node = node_with(edition=edition)
    client = Client(parse_server(node.url))
    session = Session(client)
    await session.enter_with_token(node.username, SecretStr(node.token()))
    service = KeyService(session, journal)
    await service.load()
    alike, _ = node.add_key(DRAFT.label, DRAFT.grants, DRAFT.valid_ips)
    node.fail("POST", KEYS, "before")
    with pytest.raises(OutcomeUnknown) as caught:
        await service.create(DRAFT)
    assert [key.id for key in caught.value.alike] == [alike]
    node.fail("POST", KEYS, "before")
    with pytest.raises(NotSeenSoFar):
        await service.create(DRAFT, predecessor=SUCCESSOR_OF)
    await client.aclose()


async def test_nothing_is_sent_where_the_server_is_only_read(
    service: KeyService, node: Node
) -> None:
    node.add_key("Billing", ("metrics/view",))
    reader = KeyService(service.session, service.journal, is_read_only=True)
    (key,) = (await reader.load()).keys
    writes = (
        reader.create(DRAFT),
        reader.update(key, KeyDraft("Other", key.grants, ())),
        reader.delete(key),
        pause(reader, key, today=utc_now().date()),
    )
    for write in writes:
        with pytest.raises(OnlyRead):
            await write
    assert node.labels() == ["Billing"]
    assert reader.journal.read().entries == ()


@pytest.mark.parametrize("how", ["429", "429-for-ever"])
async def test_a_create_that_has_to_wait_did_nothing(
    how: How, service: KeyService, node: Node, journal: Journal
) -> None:
    node.fail("POST", KEYS, how)
    with pytest.raises(RateLimited):
        await service.create(DRAFT)
    assert lines_in(journal)[1:] == [("create", "refused", ANSWERED.format(429))]


async def test_a_cut_answer_costs_a_secret_or_not_but_the_journal_knows(
    service: KeyService, node: Node, journal: Journal
) -> None:
    node.fail("POST", KEYS, "cut")
    with suppress(SecretLost):
        await service.create(DRAFT)
    assert last(journal).phase == "done"
    assert last(journal).key_id in {"", ids(node)[0]}
    assert len(unstored(journal)) == 1


@pytest.mark.parametrize("how", ["hang", "hang-after"])
async def test_a_create_without_an_answer_in_time_is_noted(
    how: How, service: KeyService, node: Node, journal: Journal
) -> None:
    node.fail("POST", KEYS, how)
    with pytest.raises(SecretLost if how == "hang-after" else NotSeenSoFar):
        await in_vain(service.create(DRAFT, predecessor=SUCCESSOR_OF), lambda: node.held)
    action, phase, detail = lines_in(journal)[1]
    assert (action, phase) == ("create", "unknown")
    assert re.fullmatch(r"No answer came within \d+ s\.", detail)


async def test_an_outcome_that_is_learned_later_is_noted_then(
    service: KeyService, node: Node, journal: Journal
) -> None:
    node.fail("POST", KEYS, "after")
    node.fail("GET", KEYS, "before")
    with pytest.raises(OutcomeUnknown) as caught:
        await service.create(DRAFT, predecessor=SUCCESSOR_OF)
    assert last(journal).phase == "unknown"
    assert unstored(journal)[0].key_id == ""
    listing = await service.load()
    unknown = caught.value
    outcome = service.create_outcome(listing, unknown.sent, unknown.cause)
    assert isinstance(outcome, SecretLost)
    assert unstored(journal)[0].key_id == ids(node)[0]


async def test_of_a_list_in_part_nothing_is_concluded(
    service: KeyService, node: Node, journal: Journal
) -> None:
    """The list leaves out the newest key, which is the one that came of the create."""
    node.fail("POST", KEYS, "after")
    node.fail("GET", KEYS, "in-part")
    with pytest.raises(OutcomeUnknown) as caught:
        await service.create(DRAFT)
    assert caught.value.partial
    assert last(journal).phase == "unknown"

    (key_id,) = ids(node)
    (listed_key,) = [key for key in (await service.load()).keys if key.id == key_id]
    node.fail("DELETE", KEYS, "before")
    with pytest.raises(StillThere):
        await service.delete(listed_key)
    node.fail("GET", KEYS, "in-part")
    listing = await service.load()
    assert not listing.is_whole
    assert key_id not in {key.id for key in listing.keys}
    assert last(journal).phase == "unknown", "the key was not listed, but neither was all"
    assert (await service.load()).is_whole


async def test_a_subaccounts_key_is_read_edited_and_deleted(
    service: KeyService, node: Node
) -> None:
    key_id, _ = node.add_key("Partner", subaccount=7)
    (key,) = [key for key in (await service.load()).keys if key.id == key_id]
    await service.edit(key, KeyDraft("Renamed", ("metrics/view",)))
    renamed = await service.read(key)
    assert (renamed.label, renamed.subaccount_id) == ("Renamed", 7)
    assert (await service.delete(renamed)).was_there
    assert "Renamed" not in node.labels()


async def test_a_create_in_a_subaccount_is_told_by_the_keys_of_that_subaccount(
    service: KeyService, node: Node
) -> None:
    draft = replace(DRAFT, subaccount_id=7)
    created = await service.create(draft)
    assert node.store.key(created.key.id or "").subaccount_id == 7  # type: ignore[union-attr]
    await service.load()
    node.fail("POST", KEYS, "before")
    node.add_key(DRAFT.label, DRAFT.grants, DRAFT.valid_ips, subaccount=8)
    with pytest.raises(NotSeenSoFar):
        await service.create(draft)
    node.fail("POST", KEYS, "after")
    with pytest.raises(OutcomeUnknown) as caught:
        await service.create(draft)
    assert [key.subaccount_id for key in caught.value.alike] == [7]


async def test_a_404_is_not_believed_of_a_key_that_is_listed(
    service: KeyService, node: Node
) -> None:
    """The list may name another subaccount than the one that the server looks in."""
    key_id, _ = node.add_key("Partner", subaccount=7)
    (listed_key,) = [key for key in (await service.load()).keys if key.id == key_id]
    misplaced = replace(listed_key, subaccount_id=8)
    with pytest.raises(OutOfReach) as caught:
        await service.delete(misplaced)
    assert caught.value.is_listed
    assert node.seen("DELETE", KEYS) == 0
    with pytest.raises(OutOfReach):
        await service.read(misplaced)
    node.fail("GET", KEYS, "500", exactly=True)
    with pytest.raises(OutOfReach) as caught:
        await service.delete(misplaced)
    assert caught.value.is_listed is None
    assert key_id in ids(node)
    node.store.delete_key(key_id)
    assert not (await service.delete(listed_key)).was_there, "the list shows that it is gone"


async def test_the_grants_of_a_subaccounts_keys_are_its_roles(
    service: KeyService, node: Node
) -> None:
    await service.load()
    offered = {grant.key for grant in (await service.catalogue(7)).grants}
    assert offered < {grant.key for grant in (await service.catalogue(None)).grants}
    asked = node.seen("GET", "/api/v1/authenticate/grants")
    await service.catalogue(8)
    assert node.seen("GET", "/api/v1/authenticate/grants") == asked, "it is the same for all"


async def test_a_create_that_nobody_waits_for_any_more_is_seen_through(
    service: KeyService, node: Node, journal: Journal
) -> None:
    node.fail("POST", KEYS, "hang")
    task = asyncio.create_task(service.create(DRAFT))
    await node.until("POST", KEYS)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    node.release()
    await all_seen_through()
    assert lines_in(journal)[-1] == ("create", "done", "")
    assert DRAFT.label in node.labels()


async def test_a_create_that_is_refused_is_noted(service: KeyService, journal: Journal) -> None:
    with pytest.raises(Invalid):
        await service.create(KeyDraft("x", ("no/such",)))
    assert lines_in(journal)[-1] == ("create", "refused", "The server answered 400.")
    assert unstored(journal) == []


async def test_a_session_that_has_ended_did_nothing(
    service: KeyService, node: Node, journal: Journal
) -> None:
    node.end_sessions()
    with pytest.raises(SessionEnded):
        await service.create(DRAFT)
    assert lines_in(journal)[-1] == ("create", "refused", "The session had ended.")


async def test_a_server_that_gives_the_secret_other_names_as_well_is_not_repeated(
    service: KeyService, journal: Journal, mint: Mint, monkeypatch: pytest.MonkeyPatch
) -> None:
    secret = mint()

    async def create_key(*_: object) -> CreatedKey:
        return CreatedKey(SecretStr(secret), secret, secret, f"id-{secret}")

    monkeypatch.setattr(service.session.client, "create_key", create_key)
    await service.create(DRAFT)
    entry = last(journal)
    assert (entry.key_id, entry.short_key, entry.label) == ("id-", "", DRAFT.label)


@pytest.fixture
async def key(service: KeyService, node: Node) -> Key:
    node.add_key("Old", owner=node.username)
    (key,) = (await service.load()).keys
    return key


async def test_an_update_is_noted(service: KeyService, key: Key, journal: Journal) -> None:
    await service.update(key, KeyDraft("New", key.grants, ()))
    first, done = reversed(journal.read().entries)
    assert (first.label, first.key_id) == ("Old", key.id)
    assert (done.label, done.phase, done.short_key) == ("New", "done", key.short_key)


async def test_a_delete_is_noted(service: KeyService, key: Key, journal: Journal) -> None:
    assert (await service.delete(key)).was_there
    assert lines_in(journal) == [("delete", "begun", ""), ("delete", "done", "")]


async def test_a_delete_that_somebody_else_did_is_done(
    service: KeyService, key: Key, journal: Journal
) -> None:
    await service.delete(key)
    assert not (await service.delete(key)).was_there
    assert lines_in(journal)[2:] == [
        ("delete", "begun", ""),
        ("delete", "refused", "The server answered 404."),
        ("delete", "done", "Somebody else had already deleted it."),
    ]


@pytest.mark.parametrize("action", ["update", "delete"])
@pytest.mark.parametrize(
    ("how", "phase"),
    [("before", "unknown"), ("500", "unknown"), ("429", "refused")],
)
async def test_other_writes_that_go_wrong_are_noted(
    action: str, how: How, phase: str, service: KeyService, key: Key, node: Node, journal: Journal
) -> None:
    node.fail({"update": "PUT", "delete": "DELETE"}[action], f"{KEYS}/", how)
    with pytest.raises((ApiError, CannotGoOn)):
        await (service.delete(key) if action == "delete" else service.update(key, DRAFT))
    assert [(entry[0], entry[1]) for entry in lines_in(journal)] == [
        (action, "begun"),
        (action, phase),
    ]


@pytest.mark.parametrize(
    ("label", "grants", "valid_ips", "what"),
    [
        ("In use, do not delete", DRAFT.grants, DRAFT.valid_ips, "has another label"),
        (DRAFT.label, ("templates/view",), DRAFT.valid_ips, "has other grants"),
        (DRAFT.label, DRAFT.grants, ("192.0.2.1",), "has other allowed addresses"),
    ],
)
async def test_a_key_that_somebody_changed_since_it_was_shown_is_not_deleted(
    label: str, grants: tuple[str, ...], valid_ips: tuple[str, ...], what: str,
    service: KeyService, node: Node,
) -> None:  # fmt: skip
    key_id, _ = node.add_key(DRAFT.label, DRAFT.grants, DRAFT.valid_ips)
    shown = (await service.load()).by_id[key_id]
    node.store.change_key(key_id, label, grants, valid_ips)
    with pytest.raises(ShownKeyChanged, match=f"the key that is to go {what}"):
        await service.delete(shown)
    assert ids(node) == [key_id]


async def test_addresses_that_the_list_leaves_out_are_not_taken_for_changed(
    service: KeyService, node: Node
) -> None:
    key_id, _ = node.add_key(DRAFT.label, DRAFT.grants, ("192.0.2.1",))
    shown = replace((await service.load()).by_id[key_id], raw_valid_ips=None)
    service.listing = replace(service.listing, keys=(shown,))
    await service.delete(shown)
    assert ids(node) == []


async def test_a_key_that_lost_its_mark_since_it_was_shown_is_in_use(
    service: KeyService, node: Node
) -> None:
    key_id, _ = node.add_key(successor_label(DRAFT.label, "old", "85f0", "7e2a9c"), DRAFT.grants)
    shown = (await service.load()).by_id[key_id]
    node.store.change_key(key_id, DRAFT.label, DRAFT.grants, ())
    with pytest.raises(ShownKeyChanged, match="has another mark"):
        await service.delete(shown)
    assert ids(node) == [key_id]


async def test_a_key_whose_id_another_one_has_by_now_is_not_deleted(
    service: KeyService, node: Node
) -> None:
    key_id, _ = node.add_key(DRAFT.label, DRAFT.grants)
    shown = replace((await service.load()).by_id[key_id], raw_short_key="0000")
    with pytest.raises(ShownKeyChanged, match="is another key"):
        await service.delete(shown)
    assert ids(node) == [key_id]


async def test_a_journal_that_cannot_be_written_stops_nothing(
    service: KeyService, node: Node, key: Key
) -> None:
    service.journal = Journal(Path("/proc/none/journal.jsonl"))
    await service.delete(key)
    await service.create(DRAFT)
    assert len(node.keys()) == 1
    assert service.journal.problem
    assert [entry.phase for entry in service.journal.read().entries] == ["done", "begun"] * 2


async def test_a_key_is_verified_with_its_own_secret(service: KeyService) -> None:
    created = await service.create(DRAFT)
    verification = await service.verify(created.key.secret, DRAFT.grants, DRAFT.valid_ips)
    assert verification.works
    verification = await service.verify(created.key.secret, ("metrics/view", "templates/view"))
    assert [proof.verdict for proof in verification.proofs] == [Verdict.GRANTED, Verdict.REFUSED]


async def test_a_list_is_held_against_what_an_earlier_run_was_answered(
    service: KeyService, node: Node, journal: Journal, monkeypatch: pytest.MonkeyPatch
) -> None:
    gone, _ = node.add_key("Relay")
    before = node.store.keys()
    relay = next(key for key in (await service.load()).keys if key.id == gone)
    made = await service.create(DRAFT)
    await service.delete(relay)
    await journal.settled()
    later = KeyService(service.session, Journal(file_of(journal), now=journal.now))
    monkeypatch.setattr(node.store, "keys", lambda *_: before)
    listing = await later.load()
    assert [key.id for key in listing.keys] == [made.key.id]
    assert (listing.is_stale, listing.is_whole) == (True, False)
