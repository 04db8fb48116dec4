"""Which key is which: no key is taken for another, whatever a server tells or leaves out."""

from __future__ import annotations

import json
import unicodedata
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from pydantic import SecretStr

from tests.conftest import NodeMaker
from tests.driver import NOW, Dialog, Keys, at_login, key_for
from tests.node import Node
from tests.screens.rotation_pages import (
    API,
    LABEL,
    Rotate,
    begin_rotating,
    signed_in,
    with_marked,
)
from tui.delivery import FileDelivery
from tui.delivery.new_secret import NewSecret
from tui.journal import Journal
from tui.keys.labels import nonce_of, successor_label
from tui.sandbox.store import StoredKey
from tui.ui.bindings import Place
from tui.ui.screens.login import SignInDefaults

GRANTS = ("metrics/view",)
ATTEMPT = "0123456789abcdef"


def all_keys(node: Node) -> tuple[StoredKey, ...]:
    return node.keys()


def ids(node: Node, label: str = LABEL) -> list[str]:
    return [key.id for key in all_keys(node) if key.label.lower().startswith(label.lower())]


def only(node: Node, label: str = LABEL) -> str:
    (key_id,) = ids(node, label)
    return key_id


def add_successor(node: Node, old: str, grants: tuple[str, ...] = GRANTS) -> tuple[str, str]:
    """Add a key as a rotation makes it, from another host."""
    predecessor = next(key for key in all_keys(node) if key.id == old)
    label = successor_label(LABEL, old, predecessor.short_key, nonce_of(ATTEMPT))
    return node.add_key(label, grants)


def note_create(path: Path, node: Node, key_id: str, *, old: str = "", server: str = "") -> None:
    """Note a create as a program does that was killed once it had the answer."""
    key = next(key for key in all_keys(node) if key.id == key_id)
    journal = Journal(path, now=lambda: NOW - timedelta(hours=1))
    attempt = journal.begin(
        "create", server=server or node.url, label=key.label, predecessor=old, attempt_id=ATTEMPT
    )
    attempt.done(key_id=key.id, short_key=key.short_key)
    journal.wait()


async def press(keys: Keys, label: str, action: str) -> None:
    await keys.go_to(label)
    await keys.me.press(key_for(Place.KEYS, action))


async def test_without_dates_the_mark_tells_which_key_is_the_older(node_with: NodeMaker) -> None:
    node = node_with(edition="momentum-4.1")
    old = only(node)
    add_successor(node, old)
    async with signed_in(node) as keys:  # another host: nothing is in its journal
        await press(keys, LABEL, "rotate")
        rotate = await Rotate(keys.me).shown()
        assert not {"replace", "finish"} & rotate.offers
        await rotate.press("undo")
        dialog = await Dialog(keys.me).shown("Undo the rotation?")
        await dialog.press_button("Delete successor")
        await keys.me.until("Undone: the key is as it was")
        assert ids(node) == [old]


async def test_a_successor_that_is_unlike_finishes_nothing_unasked(node: Node) -> None:
    old = only(node)
    new, secret = add_successor(node, old, ("metrics/view", "templates/view"))
    async with signed_in(node) as keys:
        await press(keys, LABEL, "finish")
        rotate = await Rotate(keys.me).shown()
        await rotate.press("verify")
        await (await Dialog(keys.me).shown("Paste the successor's secret.")).answer(secret)
        await keys.me.until("Put the new secret to use")
        await rotate.idle()
        await rotate.press("finish")
        await Dialog(keys.me).shown("The successor has other grants than the predecessor.")
        await keys.me.press("enter")  # Cancel has the focus
        await keys.me.gone("all the same?")
        await rotate.press("undo")
        dialog = await Dialog(keys.me).shown("Undo the rotation?")
        assert "It has other grants than the successor." in dialog.says
        await keys.me.press("enter")  # Cancel has the focus
        await keys.me.gone("Undo the rotation?")
        assert ids(node) == [old, new]


async def test_one_younger_key_is_no_successor_of_two(node: Node) -> None:
    for _ in range(2):
        node.add_key("Relay (retiring 2026-01-10)")
    node.add_key("Relay", ("templates/view",))
    before = node.labels()
    async with signed_in(node) as keys:
        await keys.me.press("a")
        bulk = await with_marked(keys, "finish")
        assert "0 predecessors will be deleted" in bulk.says
        await bulk.leave()
    assert node.labels() == before


@pytest.mark.parametrize("change", ["mark", "grants"])
async def test_the_successor_as_it_is_now_decides(node: Node, change: str) -> None:
    async with signed_in(node) as keys:
        rotate = await begin_rotating(keys)
        await rotate.rotate(node)
        old, new = ids(node)
        label = next(key.label for key in all_keys(node) if key.id == new)
        if change == "mark":
            other = successor_label(LABEL, "another", "", nonce_of(ATTEMPT))
            node.store.change_key(new, other, GRANTS, ())
        else:
            node.store.change_key(new, label, ("templates/view",), ())
        await rotate.press("finish")
        await keys.me.until("Nothing was deleted: the")
        await rotate.idle()
        assert ids(node) == [old, new]


async def test_addresses_that_are_not_told_are_asked_about_and_never_wiped(
    node_with: NodeMaker,
) -> None:
    node = node_with(edition="momentum-4.1", seeds=False)
    old, _ = node.add_key(LABEL, GRANTS, ("127.0.0.1",))
    async with signed_in(node) as keys:
        rotate = await begin_rotating(keys)
        await rotate.try_to_create(node.password)
        dialog = await Dialog(keys.me).shown("Let the successor work from any address?")
        await keys.me.press("enter")  # Cancel has the focus
        await keys.me.gone("Let the successor")
        assert ids(node) == [old]
        await keys.me.press("enter")
        await dialog.shown("Let the successor work from any address?")
        await dialog.press_button("Any address")
        await keys.me.until("The server accepts the key.")
        await rotate.store()
        await rotate.press("later")
        await Keys(keys.me).shown()
    assert node.seen("PUT", API) == 0
    assert next(key.valid_ips for key in all_keys(node) if key.id == old) == ("127.0.0.1",)


async def test_why_the_server_refuses_a_successor_is_told_in_its_words(node: Node) -> None:
    node.add_key("Relay", ("made/up",))
    async with signed_in(node) as keys:
        rotate = await begin_rotating(keys, "Relay")
        await rotate.try_to_create(node.password)
        await keys.me.until("There is no grant 'made/up'")
        await rotate.idle()
        assert len(ids(node, "Relay")) == 1


def keep_labels(node: Node, monkeypatch: pytest.MonkeyPatch, kept: Callable[[str], str]) -> None:
    """Have the server make something else of labels; its clock is ten minutes slow."""
    add_key, slow = node.store.add_key, NOW - timedelta(minutes=10)

    def add(label: str, *others: Any, **named: Any) -> Any:  # noqa: ANN401  # handed on
        return add_key(kept(label), *others, **named | {"created_at": slow})

    monkeypatch.setattr(node.store, "add_key", add)


def composed(label: str) -> str:
    return unicodedata.normalize("NFC", label)


@pytest.mark.parametrize("kept", [str.lower, str.upper, str.strip, composed])
async def test_a_lost_create_is_known_whatever_becomes_of_its_label(
    node: Node, monkeypatch: pytest.MonkeyPatch, kept: Callable[[str], str]
) -> None:
    node.add_key("Relay de\u0301p\u00f4t ")
    keep_labels(node, monkeypatch, kept)
    async with signed_in(node) as keys:
        rotate = await begin_rotating(keys, "Relay de\u0301p\u00f4t ")
        node.fail("POST", API, "after")
        await rotate.try_to_create(node.password)
        await keys.me.until("nobody has its secret")
        await rotate.idle()
        assert "Nothing was created" not in rotate.says


@pytest.mark.parametrize("kept", [str.lower, str.upper, str.strip, composed])
async def test_a_new_key_is_named_whatever_becomes_of_its_label(
    node: Node, monkeypatch: pytest.MonkeyPatch, kept: Callable[[str], str]
) -> None:
    keep_labels(node, monkeypatch, kept)
    async with signed_in(node) as keys:
        form = await keys.new()
        await form.complete("Cafe\u0301 mailer", node.password)
        node.fail("POST", API, "after")
        await form.save()
        await keys.me.until("It is not known whether the key was created")
        made = next(key for key in all_keys(node) if key.label.lower().startswith("caf"))
        assert made.short_key in form.says
        assert "Nothing was created" not in form.says


@pytest.mark.parametrize("length", [48, 52])
async def test_another_host_goes_by_what_is_left_of_a_mark(node: Node, length: int) -> None:
    old = only(node)
    label = next(
        successor_label(LABEL, old, key.short_key, nonce_of(ATTEMPT))
        for key in all_keys(node)
        if key.id == old
    )
    new, _ = node.add_key(label[:length])
    async with signed_in(node) as keys:
        await keys.me.until("has a successor: f goes on")
        await press(keys, LABEL, "rotate")
        rotate = await Rotate(keys.me).shown()
        assert "create" not in rotate.offers
        await rotate.leave()
    assert ids(node) == [old, new]


async def test_a_mark_that_did_not_arrive_is_told(
    node: Node, monkeypatch: pytest.MonkeyPatch
) -> None:
    keep_labels(node, monkeypatch, lambda label: label[:30])
    async with signed_in(node) as keys:
        rotate = await begin_rotating(keys)
        await rotate.try_to_create(node.password)
        await keys.me.until("only this host knows whose successor it is")
        await rotate.idle()
        await rotate.store()
        await rotate.press("finish")
        await keys.me.until("Rotated: only the successor works now.")
        assert len(ids(node)) == 1


async def test_a_stale_list_does_not_make_a_create_undone(node: Node) -> None:
    async with signed_in(node) as keys:
        rotate = await begin_rotating(keys)
        await rotate.fill("password", node.password)
        node.fail("POST", API, "after")
        node.fail("GET", API, "in-part", exactly=True)
        await keys.me.press("enter")
        await keys.me.until("F5")
        await rotate.idle()
        assert "Nothing was created" not in rotate.says


async def test_running_it_again_brings_an_interrupted_rotation_to_its_end(
    node_with: NodeMaker, tmp_path: Path
) -> None:
    journal = tmp_path / "journal.jsonl"
    node = node_with(seeds=False)
    old, _ = node.add_key(LABEL)
    node.add_key("Relay")
    lost, _ = add_successor(node, old)
    note_create(journal, node, lost, old=old)
    async with signed_in(node, journal=journal) as keys:
        await keys.me.press("a")
        bulk = await with_marked(keys, "rotate")
        assert "never stored: that one is deleted first" in bulk.says
        await bulk.begin(file=str(tmp_path / "secrets.env"), password=node.password)
        await bulk.over("2 of 2 · done")
        await bulk.press("finish")
        await bulk.confirm("Delete 2 predecessors?", "Delete predecessors")
        await bulk.over("2 of 2 · done")
        await bulk.leave()
    assert node.labels().count(LABEL) == 1
    assert only(node) not in (old, lost)


async def test_a_secret_that_a_file_holds_is_stored_whatever_the_journal_tells(
    node_with: NodeMaker, tmp_path: Path
) -> None:
    journal, path = tmp_path / "journal.jsonl", tmp_path / "secrets.csv"
    node = node_with(seeds=False)
    old, _ = node.add_key(LABEL)
    node.add_key("Relay")
    new, secret = add_successor(node, old)
    note_create(journal, node, new, old=old)
    delivery = FileDelivery(path, "csv")
    delivery.check()
    short_key = next(key.short_key for key in all_keys(node) if key.id == new)
    await delivery.deliver(NewSecret(SecretStr(secret), new, LABEL, short_key))
    delivery.close()
    async with signed_in(node, journal=journal) as keys:
        await keys.me.until("interrupted: r goes on")
        await keys.me.press("a")
        bulk = await with_marked(keys, "verify")
        await bulk.begin(file=str(path))
        await bulk.over("1 of 1 · done")
        await bulk.leave()
        await keys.me.until("f deletes")
        await keys.me.press("a")
        bulk = await with_marked(keys, "rotate")
        assert "never stored" not in bulk.says
        assert "1 key will get a successor" in bulk.says
        await bulk.leave()
    assert ids(node) == [old, new]
    assert node.seen("DELETE", API) == 0


async def test_a_delivery_that_was_cut_off_is_not_taken_for_lost(
    node: Node, tmp_path: Path
) -> None:
    journal = tmp_path / "journal.jsonl"
    old = only(node)
    new, secret = add_successor(node, old)
    note_create(journal, node, new, old=old)
    lines = [json.loads(line) for line in journal.read_text().splitlines()]
    cut_off = lines[-1] | {"phase": "delivering"}
    journal.write_text("".join(f"{json.dumps(line)}\n" for line in [*lines, cut_off]))
    async with signed_in(node, journal=journal) as keys:
        await keys.me.until("delivery cut off")
        await press(keys, LABEL, "rotate")
        rotate = await Rotate(keys.me).shown()
        assert "replace" not in rotate.offers
        await rotate.press("verify")
        await (await Dialog(keys.me).shown("Paste the successor's secret.")).answer(secret)
        await keys.me.until("Put the new secret to use")
        await rotate.leave()
        await keys.me.gone("delivery cut off")
    assert ids(node) == [old, new]


async def test_a_run_pauses_once_it_is_not_noted_any_more(
    node_with: NodeMaker, tmp_path: Path
) -> None:
    node = node_with(seeds=False)
    for number in range(4):
        node.add_key(f"Job {number}")
    journal, put = tmp_path / "state" / "journal.jsonl", tmp_path / "put"
    spoil = f"mkdir {tmp_path}/once && rm -rf {journal} && mkdir -p {journal}"
    put.write_text(f"#!/bin/sh\ncat > {tmp_path}/$1\n({spoil}) 2>/dev/null\nexit 0\n")
    put.chmod(0o700)
    async with signed_in(node, journal=journal) as keys:
        await keys.me.press("a")
        bulk = await with_marked(keys, "rotate")
        await bulk.begin(command=f"{put} {{id}}", password=node.password)
        await keys.me.until("paused: p goes on")
        await keys.me.until("✗ The journal")
        assert len(node.keys()) < 8
        journal.rmdir()
        await bulk.press("pause")
        await keys.me.until(lambda: len(node.keys()) == 8)  # it goes on once it is told to


async def test_a_made_up_secret_proves_nothing_where_nothing_is_enforced(
    node_with: NodeMaker,
) -> None:
    node = node_with(auth=False)
    short_key = next(key.short_key for key in all_keys(node) if key.label == LABEL)
    async with at_login(SignInDefaults(url=node.url)) as page:
        await page.submit()
        await (await Dialog(page.me).shown("Authentication is switched off")).press_button("Go on")
        keys = await Keys(page.me).shown()
        await press(keys, LABEL, "verify")
        dialog = await Dialog(keys.me).shown("The server does not show a secret again")
        await dialog.answer(short_key.ljust(40, "0"))
        await keys.me.until("authentication may be switched off there")
        assert "nothing is proven" in keys.me.sentences


async def test_a_colleague_s_key_of_the_same_label_survives_a_retry(
    node_with: NodeMaker, tmp_path: Path
) -> None:
    node = node_with(seeds=False)
    node.add_key("Relay")
    node.add_key(LABEL)
    async with signed_in(node) as keys:
        await keys.me.press("a")
        bulk = await with_marked(keys, "rotate")
        node.fail("POST", API, "500", exactly=True)
        await bulk.begin(file=str(tmp_path / "secrets.env"), password=node.password)
        await bulk.over("1 failed · done")
        theirs, _ = node.add_key("Relay")
        await bulk.press("retry")
        await bulk.over("2 of 2 · done")
        assert theirs in ids(node, "Relay")
        assert node.seen("DELETE", API) == 0


async def test_one_server_under_two_addresses_has_one_memory(node: Node, tmp_path: Path) -> None:
    journal = tmp_path / "journal.jsonl"
    lost, _ = node.add_key("Relay")
    note_create(journal, node, lost, server="https://mta1.internal")
    async with signed_in(node, journal=journal) as keys:
        await keys.me.until("never stored: r replaces")


async def test_what_is_open_is_told_however_long_the_journal_grows(
    node: Node, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tui.journal.journal_file.CAP", 20_000)
    journal = tmp_path / "journal.jsonl"
    lost, _ = node.add_key("Relay")
    note_create(journal, node, lost)
    later = Journal(journal, now=lambda: NOW)
    for number in range(99):
        later.begin("delete", server=node.url, key_id=f"x{number}", label="x" * 300).done()
    later.wait()
    later.begin("delete", server=node.url, key_id="x", label="x").done()
    later.wait()
    assert "x98" not in journal.read_text(), "the old file was put aside"
    async with signed_in(node, journal=journal) as keys:
        await keys.me.until("never stored: r replaces")


async def test_a_key_that_the_journal_names_as_predecessor_is_not_told_as_lost(
    node: Node, tmp_path: Path
) -> None:
    journal = tmp_path / "journal.jsonl"
    old, _ = node.add_key("Relay", created_at=NOW - timedelta(hours=1, minutes=2))
    new, _ = node.add_key(successor_label("Relay", old, "", nonce_of(ATTEMPT)))
    note_create(journal, node, new, old=old)
    noted = Journal(journal, now=lambda: NOW)
    noted.resume(noted.read().entries[0]).stored("the vault")
    noted.wait()
    async with signed_in(node, journal=journal) as keys:
        await keys.me.until("Relay")
        assert "never stored" not in keys.says


async def test_a_list_that_was_asked_for_before_a_deletion_brings_no_key_back(node: Node) -> None:
    node.add_key("Relay")
    async with signed_in(node) as keys:
        node.fail("GET", API, "hang-after", exactly=True)
        await keys.me.press(key_for(Place.KEYS, "reload"))
        await node.until("GET", API, node.seen("GET", API))
        await press(keys, "Relay", "delete")
        dialog = await Dialog(keys.me).shown("Delete API Key: Relay")
        await keys.me.press(key_for(Place.KEYS, "delete"))  # once more, while it asks
        await dialog.press_button("Delete API Key")
        await node.until("DELETE", API)
        node.release()
        await keys.me.until("API key Relay was deleted.")
        await keys.me.settle()
        assert "Relay" not in keys.labels
        assert "somebody else" not in keys.says
    assert node.seen("DELETE", API) == 1


async def test_of_three_alike_keys_the_others_are_named_and_only_the_chosen_one_goes(
    node_with: NodeMaker,
) -> None:
    node = node_with(seeds=False)
    first, chosen, third = (node.add_key("worker")[0] for _ in range(3))
    short_keys = {key.id: key.short_key for key in all_keys(node)}
    async with signed_in(node) as keys:
        await keys.me.until("alike to another: r asks")
        keys.table.move_to(chosen)
        await keys.me.press(key_for(Place.KEYS, "rotate"))
        dialog = await Dialog(keys.me).shown("Rotate one of several similar keys?")
        assert all(short_keys[key_id] in dialog.says for key_id in (first, chosen, third))
        await dialog.press_button("Rotate it")
        rotate = await Rotate(keys.me).shown()
        await rotate.rotate(node)
        await rotate.press("finish")
        await keys.me.until("Rotated: only the successor works now.")
    left = ids(node, "worker")
    assert len(left) == 3
    assert {first, third} == {first, chosen, third} & set(left)


async def test_no_second_successor_is_made_where_the_list_was_not_read_since_the_first(
    node: Node,
) -> None:
    async with signed_in(node) as keys:
        rotate = await begin_rotating(keys)
        await rotate.create(node)
        await rotate.store()
        node.fail("GET", API, "500", times=20, exactly=True)
        await rotate.leave()
        await keys.me.until("both keys work")
        node.heal()
        rotate = await begin_rotating(keys)
        await rotate.try_to_create(node.password)
        await keys.me.until("this key has a successor by now")
        await rotate.idle()
        await rotate.leave()
    assert len(ids(node)) == 2


async def test_a_colleague_s_key_is_not_named_for_an_unknown_create(node: Node) -> None:
    async with signed_in(node) as keys:
        rotate = await begin_rotating(keys)
        node.fail("POST", API, "500", exactly=True)
        node.fail("GET", API, "500", times=20, exactly=True)
        await rotate.try_to_create(node.password)
        await keys.me.until("It is not known whether the key was created")
        await rotate.idle()
        theirs, _ = node.add_key(LABEL, owner="casey")
        node.heal()
        await rotate.press("look")
        await keys.me.until("No new key was seen so far")
        await rotate.idle()
        assert "lost" not in rotate.says
        await rotate.leave()
    assert theirs in ids(node)
    assert node.seen("DELETE", API) == 0


async def test_a_key_that_may_be_of_use_and_was_replaced_is_the_operator_s_to_delete(
    node: Node, tmp_path: Path
) -> None:
    journal = tmp_path / "journal.jsonl"
    first, _ = node.add_key(successor_label("Relay", "gone", "", nonce_of(ATTEMPT)))
    note_create(journal, node, first, old="gone")
    noted = Journal(journal, now=lambda: NOW)
    noted.resume(noted.read().entries[0]).delivering()
    second, _ = node.add_key("Relay")
    short_key = next(key.short_key for key in all_keys(node) if key.id == second)
    attempt = noted.begin("create", server=node.url, label="Relay", predecessor="gone")
    attempt.done(key_id=second, short_key=short_key)
    attempt.stored("the vault")
    noted.wait()
    async with signed_in(node, journal=journal) as keys:
        await keys.me.until("another took its place: d")
        await keys.me.press("a")
        bulk = await with_marked(keys, "finish")
        assert "plain label" not in bulk.says
        await bulk.leave()
    assert set(ids(node, "Relay")) == {first, second}


async def test_a_page_that_says_404_is_not_believed(
    node: Node, monkeypatch: pytest.MonkeyPatch
) -> None:
    old = only(node)
    async with signed_in(node) as keys:
        monkeypatch.setattr(node.store, "delete_key", lambda _: False)
        await press(keys, LABEL, "delete")
        dialog = await Dialog(keys.me).shown(f"Delete API Key: {LABEL}")
        await dialog.press_button("Delete API Key")
        await keys.me.until("The list of keys still has it, so it was not deleted.")
        assert "somebody else" not in keys.says
        assert LABEL in keys.labels
    assert ids(node) == [old]


@pytest.mark.parametrize(("sender", "is_told"), [("casey", True), ("jo", False)])
async def test_a_key_that_came_late_is_told_to_every_user_of_the_home(
    node: Node, tmp_path: Path, sender: str, is_told: bool
) -> None:
    journal = tmp_path / "journal.jsonl"
    node.add_key("Probe", owner="jo")
    noted = Journal(journal, now=lambda: NOW - timedelta(minutes=5))
    attempt = noted.begin(
        "create", server=node.url, username=sender, label="Relay", predecessor=only(node)
    )
    attempt.unknown("504 Gateway Timeout")
    noted.wait()
    node.add_key("Relay", owner="casey", created_at=NOW - timedelta(minutes=4))
    async with signed_in(node, journal=journal) as keys:
        await keys.go_to("Relay")
        assert ("perhaps stored" in keys.cursor_line) is is_told
