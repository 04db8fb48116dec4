"""What is known of keys, from their marks and the journal: known, or asked about, never guessed."""

from __future__ import annotations

import os
from collections.abc import Iterable
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.keys.conftest import WHEN
from tui.api.models import Key
from tui.journal import Attempt, Journal
from tui.keys.key_history import KeyHistory
from tui.keys.key_record import Knowledge, UnfinishedKind
from tui.keys.labels import has_torn_mark, mark_of, nonce_of, retiring_since, successor_label
from tui.keys.listing import Listing
from tui.keys.presence import Presence, Worker
from tui.keys.records import Records
from tui.waiting import all_seen_through

SERVER = "https://mta1.example.com"
OLD = Key("1", "billing", "85f0", ("metrics/view",), (), "2026-01-05T10:00:00.000Z", "ops")


class Host:
    """A host with a journal; `presence` tells of the other instances."""

    def __init__(self, folder: Path) -> None:
        self.clock = WHEN
        self.journal = Journal(folder / "journal.jsonl", now=lambda: self.clock)
        self.presence = Presence(folder / "working", SERVER)

    def created(
        self,
        key: Key,
        predecessor: Key | None = None,
        *,
        server: str = SERVER,
        username: str = "ops",
        answered: bool = True,
    ) -> Attempt:
        """Note a create, and its answer if there was one."""
        attempt = self.journal.begin(
            "create",
            server=server,
            username=username,
            label=key.raw_label or "",
            predecessor=predecessor.id if predecessor else "",
            attempt_id=(key.id * 16)[:16],
        )
        if answered:
            attempt.done(key_id=key.id, short_key=key.raw_short_key or "")
        else:
            attempt.unknown("No answer came within 30 s.")
        return attempt

    async def records(self, keys: Iterable[Key], *, is_whole: bool = True) -> Records:
        history = KeyHistory(self.journal, SERVER, self.presence)
        await history.refresh()
        listing = Listing(tuple(keys), is_whole=is_whole)
        return Records(listing, history, {}, "ops")


@pytest.fixture
def host(tmp_path: Path) -> Host:
    return Host(tmp_path)


def successor(key_id: str, of: Key = OLD, when: datetime = WHEN) -> Key:
    """Return a key that was made to succeed another one, marked as the program does it."""
    nonce = nonce_of((key_id * 16)[:16])
    label = successor_label(of.raw_label or "", of.id, of.raw_short_key or "", nonce)
    made = when.isoformat()
    return replace(OLD, id=key_id, raw_label=label, raw_short_key=f"{key_id}0", raw_created_at=made)


async def test_another_host_knows_the_pair_from_the_mark_alone(host: Host) -> None:
    new = successor("a")
    records = await host.records([new, OLD])
    (unfinished,) = records.unfinished
    assert (unfinished.kind, unfinished.predecessor) == (UnfinishedKind.KNOWN, OLD)
    assert unfinished.successors == (new,)
    assert unfinished.known is None
    assert records[new].knowledge is Knowledge.NOT_KNOWN
    assert records.partners(OLD) == (new,)


async def test_the_order_of_a_list_and_dates_that_lack_do_not_matter(host: Host) -> None:
    old, new = replace(OLD, raw_created_at=None), replace(successor("a"), raw_created_at=None)
    for keys in ([old, new], [new, old]):
        (unfinished,) = (await host.records(keys)).unfinished
        assert unfinished.predecessor == old


async def test_a_key_that_came_late_is_an_orphan_once_another_took_its_place(host: Host) -> None:
    late, good = successor("a"), replace(successor("b"), raw_label="billing")
    host.created(late, OLD, answered=False)
    attempt = host.created(good, OLD)
    attempt.stored("the vault")
    attempt.proven(True)
    records = await host.records([good, late])
    assert records[late].knowledge is Knowledge.NEVER_STORED
    assert records[late].is_orphan
    assert records.heirs(late) == (good,)
    assert records[good].knowledge is Knowledge.HELD_SOMEWHERE
    assert records.unfinished == ()


async def test_of_two_successors_the_stored_one_counts(host: Host) -> None:
    late, good = successor("a"), successor("b")
    host.created(late, OLD, answered=False)
    host.created(good, OLD).stored("the vault")
    (unfinished,) = (await host.records([OLD, late, good])).unfinished
    assert unfinished.successors == (good,)


async def test_of_two_successors_of_which_nothing_is_known_none_is_chosen(host: Host) -> None:
    first, second = successor("a"), successor("b")
    records = await host.records([OLD, first, second])
    (unfinished,) = records.unfinished
    assert unfinished.successors == (first, second)
    chosen = records.rotation_of(second)
    assert chosen is not None
    assert chosen.successors == (second,), "the operator named it"


async def test_a_secret_that_was_seen_to_work_is_stored_somewhere(host: Host) -> None:
    new = successor("a")
    attempt = host.created(new, OLD)
    assert (await host.records([OLD, new])).never_stored
    attempt.stored("It was seen to work with a secret that was given.")
    attempt.proven(True)
    assert (await host.records([OLD, new])).never_stored == ()


async def test_a_predecessor_is_not_taken_for_what_came_of_a_lost_create(host: Host) -> None:
    young = replace(OLD, raw_created_at=(WHEN - timedelta(minutes=2)).isoformat())
    host.created(successor("a"), young, answered=False)
    records = await host.records([young])
    assert records.never_stored == records.perhaps_stored == ()


async def test_a_key_like_one_that_was_asked_for_is_a_question(host: Host) -> None:
    lost = replace(OLD, id="n", raw_created_at=WHEN.isoformat())
    host.created(lost, answered=False)
    records = await host.records([lost, replace(lost, id="m", raw_username="casey")])
    assert [record.key for record in records.perhaps_stored] == [lost]
    assert records.never_stored == ()


@pytest.mark.parametrize("username", ["", "casey", "casey@example.com"])
async def test_whose_a_key_is_that_came_late_is_told_by_who_asked_for_it(
    host: Host, username: str
) -> None:
    late = replace(OLD, id="n", raw_username="casey", raw_created_at=WHEN.isoformat())
    host.created(late, username=username, answered=False)
    records = await host.records([late, replace(late, id="m", raw_label="other")])
    assert [record.key for record in records.perhaps_stored] == [late]


async def test_a_journal_of_a_server_that_was_installed_anew_tells_nothing(host: Host) -> None:
    new = replace(successor("a"), raw_label="billing")
    host.created(new, OLD)
    other = replace(new, raw_short_key="ffff")
    records = await host.records([OLD, other])
    assert records[other].created is None
    assert records.never_stored == ()
    assert [each.kind for each in records.unfinished] == [UnfinishedKind.ALIKE]


async def test_one_server_under_two_addresses_is_one_server(host: Host) -> None:
    new = successor("a")
    host.created(new, OLD, server="https://mta1").stored("the vault")
    plain = replace(new, raw_label="billing")
    for listed in (new, plain):
        assert (await host.records([OLD, listed]))[listed].knowledge is Knowledge.HELD_SOMEWHERE


async def test_a_mark_and_a_journal_that_contradict_each_other_tell_nothing(host: Host) -> None:
    other = replace(OLD, id="2", raw_label="relay", raw_short_key="77f0")
    new = successor("a", of=other)
    host.created(new, OLD)
    assert (await host.records([OLD, other, new])).unfinished == ()


async def test_a_mark_that_was_copied_to_another_key_tells_nothing(host: Host) -> None:
    new = successor("a")
    copied = replace(new, id="c", raw_short_key="c0")
    assert (await host.records([OLD, new, copied])).unfinished == ()


async def test_a_successor_that_is_left_marked_gets_its_label_back(host: Host) -> None:
    new = successor("a")
    records = await host.records([new])
    assert [record.key for record in records.left_marked] == [new]
    assert (await host.records([new], is_whole=False)).left_marked == ()


async def test_another_host_knows_the_pair_from_a_mark_that_was_cut(host: Host) -> None:
    new = successor("a")
    label = new.raw_label or ""
    cut = replace(new, raw_label=label[: label.index("#") + 6])
    (unfinished,) = (await host.records([OLD, cut])).unfinished
    assert (unfinished.kind, unfinished.predecessor) == (UnfinishedKind.KNOWN, OLD)
    assert unfinished.successors == (cut,)
    hardly_told = replace(new, raw_label=label[: label.index("#") + 4])
    assert (await host.records([OLD, hardly_told])).unfinished == ()


async def test_a_key_is_found_by_its_short_key_where_the_answer_lacked_its_id(host: Host) -> None:
    cut = replace(successor("a"), raw_label="billing (repl")
    attempt = host.created(cut, OLD, answered=False)
    attempt.done(short_key="a0", label=successor("a").raw_label or "")
    records = await host.records([OLD, cut, replace(cut, id="b", raw_short_key="b0")])
    assert [record.key for record in records.never_stored] == [cut]
    (unfinished,) = records.unfinished
    assert (unfinished.predecessor, unfinished.successors) == (OLD, (cut,))
    assert [key for _, key in records.located] == [cut]


async def test_a_key_that_came_late_is_an_orphan_though_its_heir_was_replaced(host: Host) -> None:
    late, first = successor("a"), replace(successor("b"), raw_label="billing")
    second = replace(successor("c", of=first), raw_label="billing")
    host.created(late, OLD, answered=False)
    for key, predecessor in ((first, OLD), (second, first)):
        host.created(key, predecessor).stored("the vault")
    records = await host.records([second, late])
    assert records[late].is_orphan
    assert records.heirs(late) == (second,)


async def test_a_key_that_may_be_lost_keeps_its_mark(host: Host) -> None:
    new = successor("a")
    attempt = host.created(new, OLD)
    attempt.delivering()
    records = await host.records([new])
    assert [record.key for record in records.left_marked] == [new]
    assert records.to_unmark == ()
    attempt.stored("the vault")
    assert (await host.records([new])).to_unmark == (new,)


async def test_without_short_keys_a_lost_key_is_a_question_once_its_mark_is_gone(
    host: Host,
) -> None:
    new = replace(successor("a"), raw_short_key=None)
    host.created(new, OLD)
    plain = replace(new, raw_label="billing")
    records = await host.records([plain])
    assert [record.key for record in records.perhaps_stored] == [plain]
    other_server_s = replace(plain, raw_created_at="2024-01-05T10:00:00.000Z")
    assert (await host.records([other_server_s])).perhaps_stored == ()


async def test_alike_keys_are_only_asked_about(host: Host) -> None:
    first, second = replace(OLD, id="x"), replace(OLD, id="y")
    records = await host.records([first, second, replace(OLD, id="z", raw_grants=("a",))])
    (unfinished,) = records.unfinished
    assert unfinished.kind is UnfinishedKind.ALIKE
    assert records.rotation_of(first) is records.rotation_of(second) is None


async def test_keys_whose_place_is_known_are_alike_to_none(host: Host) -> None:
    twin, third = replace(OLD, id="x"), replace(OLD, id="z")
    new = successor("a")
    (known,) = (await host.records([twin, OLD, new])).unfinished
    assert known.kind is UnfinishedKind.KNOWN, "one twin alone is left"
    known, alike = (await host.records([twin, OLD, new, third])).unfinished
    assert {alike.predecessor.id, *(key.id for key in alike.successors)} == {"x", "z"}


async def test_of_an_earlier_version_s_mark_only_what_is_listed_first_counts(host: Host) -> None:
    marked = replace(OLD, raw_label="billing (retiring 2026-01-07)")
    same_id = replace(marked, raw_label="billing (retiring 2025-01-07)")
    (unfinished,) = (await host.records([marked, same_id])).unfinished
    assert (unfinished.kind, unfinished.predecessor) == (UnfinishedKind.RETIRING, marked)


@given(label=st.text(max_size=20), length=st.integers(min_value=1), is_lower=st.booleans())
def test_every_mark_is_looked_for(label: str, length: int, is_lower: bool) -> None:
    marked = successor_label(label, OLD.id, OLD.raw_short_key or "", "7e2a9c")
    for text in (marked[: length % len(marked)], marked, f"{label} (retiring 2026-01-07)"):
        key = replace(OLD, raw_label=text.lower() if is_lower else text.upper())
        is_marked = has_torn_mark(key.raw_label or "") or mark_of(key.raw_label or "") is not None
        if is_marked or retiring_since(key.raw_label or ""):
            assert Listing((key,)).perhaps_marked == [key]


async def test_what_another_instance_works_on_is_seen(host: Host) -> None:
    new = successor("a")
    host.created(new, OLD)
    other = Presence(host.presence._folder, SERVER)
    await other.hold(OLD.id)
    records = await host.records([OLD, new])
    assert isinstance(records[OLD].worker, Worker)
    assert records[new].worker is not None
    assert records.never_stored == (), "its secret may be delivered this very moment"
    other.release(OLD.id)
    await all_seen_through()
    records = await host.records([OLD, new])
    assert records[OLD].worker is None
    assert [record.key for record in records.never_stored] == [new]


async def test_an_instance_that_died_works_on_nothing(host: Host, tmp_path: Path) -> None:
    other = Presence(tmp_path / "working", SERVER)
    await other.hold(OLD.id)
    (file,) = (tmp_path / "working").glob("*.json")
    text = file.read_text()
    assert "85f0" not in text
    stat = file.stat()
    os.utime(file, (stat.st_atime - 61, stat.st_mtime - 61))
    assert (await host.records([OLD]))[OLD].worker is None
    other.close()
