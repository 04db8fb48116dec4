"""Rotating one key at the keyboard: whatever goes wrong, a key that works remains."""

from __future__ import annotations

from pathlib import Path

import pytest
from textual.widgets import Input

from tests.conftest import NodeMaker
from tests.driver import NARROW, WIDE, Dialog, Form, key_for
from tests.node import How, Node
from tests.screens.rotation_pages import (
    API,
    LABEL,
    SIGN_IN,
    Rotate,
    begin_rotating,
    forgotten,
    mint,
    signed_in,
    with_marked,
)
from tui.journal import Journal
from tui.ui.bindings import Place
from tui.ui.screens.rotate import RotateScreen

QUIT = key_for(Place.ANYWHERE, "leave")
HOSTILE = "[@click=app.quit]x[/] \x1b]52;c;cHduZWQ=\x07 \u202edrowssap"


@pytest.fixture
def node(node_with: NodeMaker) -> Node:
    return node_with(mint=mint)


def ids(node: Node, label: str = LABEL) -> list[str]:
    listed = node.keys()
    return [key.id for key in listed if key.label.startswith(label)]


@pytest.mark.parametrize("size", [NARROW, WIDE], ids=["narrow", "wide"])
async def test_one_key_now(node: Node, size: tuple[int, int]) -> None:
    (old,) = ids(node)
    async with signed_in(node, size) as keys:
        rotate = await begin_rotating(keys)
        assert "▸ create" in rotate.new
        assert rotate.planned == f"Label {LABEL} Grants View Metrics Allowed IPs any address"
        assert rotate.offers == {"close", "create", "change"}
        await rotate.create(node)
        secret = rotate.secret
        assert node.store.key_of(secret)
        assert "▸ store" in rotate.new
        assert "View Metrics: granted" in rotate.says
        assert ids(node)[0] == old
        await rotate.store()
        assert "▸ put to use" in rotate.new
        assert secret not in rotate.says
        assert rotate.offers == {"close", "later", "pause", "finish", "undo"}
        await rotate.press("finish")
        await rotate.me.until("Rotated: only the successor works now.")
        (new,) = ids(node)
        assert new != old
        await keys.me.press("enter")
        await keys.shown()
        assert f"{LABEL}: rotated. Only the successor works now." in keys.says
        assert keys.table.key is not None
        assert keys.table.key.id == new
        assert keys.table.key.raw_grants == ("metrics/view",)
        await forgotten(keys.me, secret)


async def test_later_then_finished_from_the_list(node: Node) -> None:
    old, _ = node.add_key("Relay", ("metrics/view", "webhooks/view"), ("127.0.0.0/8",))
    async with signed_in(node) as keys:
        rotate = await begin_rotating(keys, "Relay")
        await rotate.rotate(node)
        before = node.keys()
        await rotate.press("later")
        await keys.shown()
        assert node.keys() == before, "nothing is written to keep both"
        assert keys.table.key is not None
        assert keys.table.key.id == old, "f then finishes it"
        assert "Relay: both keys work. f on the older one goes on." in keys.says
        assert "retiring, f deletes" in keys.says
        short_key = next(key.short_key for key in before if key.id == old)
        assert f"replaces {short_key}••••" in keys.says
        assert "(replaces" not in keys.says, "the list shows labels without the mark"
        await keys.me.press(key_for(Place.KEYS, "finish"))
        await rotate.shown()
        assert rotate.offers == {"close", "later", "pause", "finish", "undo"}
        assert "✓ verified" in rotate.new, "the journal knows"
        await rotate.leave()
    async with signed_in(node) as keys:  # on another host
        await keys.go_to("Relay")
        assert "has a successor: f goes on" in keys.cursor_line
        await keys.me.press(key_for(Place.KEYS, "finish"))
        rotate = await Rotate(keys.me).shown()
        assert "This key already has a successor." in rotate.says
        assert "? stored" in rotate.new, "nothing here tells that it is"
        assert rotate.offers == {"close", "stored", "verify", "undo"}
        await rotate.press("stored")
        await keys.me.until("not verified yet")
        await rotate.press("finish")
        dialog = await Dialog(keys.me).shown("Delete the predecessor all the same?")
        await keys.me.press("enter")  # Cancel has the focus
        await keys.me.gone("all the same?")
        assert old in ids(node, "Relay")
        await rotate.press("finish")
        await dialog.shown("Delete the predecessor all the same?")
        await dialog.press_button("Delete predecessor")
        await rotate.me.until("Rotated: only the successor works now.")
        left = node.keys()[-1]
        assert (left.label, left.valid_ips) == ("Relay", ("127.0.0.0/8",))
        assert old not in ids(node, "Relay")


async def test_changed_on_the_way(node: Node) -> None:
    async with signed_in(node) as keys:
        rotate = await begin_rotating(keys, "Template designers")
        await keys.me.until(lambda: "Change" in keys.me.footer)
        await rotate.press("change")  # from within the password's field
        await keys.me.until("Change the successor")
        await keys.me.settle()
        form = Form(keys.me)
        await form.fill("label", "Designers")
        await form.give("Modify Templates")
        await form.save()
        await rotate.shown()
        assert rotate.planned.startswith(
            "Label Designers Grants View Templates, Preview Templates Allowed"
        )
        await rotate.create(node)
        made = node.keys()[-1]
        assert made.label.startswith("Designers (replaces ")
        assert made.grants == ("templates/view", "templates/preview")
        assert "Template designers" in node.labels()
        await rotate.store()
        keys = await rotate.leave()
        assert "Template designers: both keys work. f on the older one goes on." in keys.says
        rotate = await begin_rotating(keys, "Template designers")
        await rotate.press("finish")
        dialog = await Dialog(keys.me).shown(
            "The successor has another label and other grants than the predecessor."
        )
        await dialog.press_button("Delete predecessor")
        await keys.me.until("Rotated: only the successor works now.")
        keys = await rotate.leave()
        assert "Designers: rotated. Only the successor works now." in keys.says
        assert "Template designers: rotated" not in keys.says


async def test_a_wrong_password_and_impatience(node: Node) -> None:
    async with signed_in(node) as keys:
        rotate = await begin_rotating(keys)
        await keys.me.press("enter")
        assert rotate.field("password").error.startswith("Required to securely authorize")
        await rotate.try_to_create("wrong")
        await keys.me.until("✗ User credentials are invalid.")
        assert keys.me.screen.focused is rotate.field("password").query_one(Input)
        assert (node.seen("POST", API), len(ids(node))) == (0, 1)
        node.requests.clear()
        node.fail("POST", SIGN_IN, "hang")
        await rotate.fill("password", node.password)
        await keys.me.press("enter", "enter", "ctrl+e", "escape", QUIT)
        await node.until("POST", SIGN_IN)
        assert "Change the successor" not in rotate.says
        await keys.me.until("You can leave once the server has answered.")
        node.heal()
        await keys.me.until("The server accepts the key.")
        await rotate.idle()
        assert (node.seen("POST", API), len(ids(node))) == (1, 2)
        assert node.store.key_of(rotate.secret)


async def test_a_key_pressed_twice_takes_its_step_once(node: Node) -> None:
    async with signed_in(node) as keys:
        rotate = await begin_rotating(keys)
        await rotate.fill("password", node.password)
        screen = keys.me.screen
        assert isinstance(screen, RotateScreen)
        screen.action_create()
        screen.action_create()
        await keys.me.until("The server accepts the key.")
        await rotate.idle()
        assert node.seen("POST", API) == 1
        await rotate.store()
        screen.action_finish()
        screen.action_finish()
        await keys.me.until("Rotated: only the successor works now.")
        assert node.seen("DELETE", API) == 1


async def test_faults_of_the_create(node: Node) -> None:
    (old,) = ids(node)
    nothing: list[How] = ["before", "500", "503-html"]
    async with signed_in(node) as keys:
        rotate = await begin_rotating(keys)
        await rotate.fill("password", node.password)
        for how in nothing:
            node.fail("POST", API, how)
            await keys.me.press("enter")  # the password is still there, and so is the focus
            await rotate.idle()
            assert rotate.says.count("No new key was seen so far") == 1
            assert (rotate.old.split()[-1], "✗ not made" in rotate.new) == ("works", True)
            assert "<" not in rotate.says
            assert ids(node) == [old]
        node.fail("POST", API, "after")
        await keys.me.press("enter")
        await keys.me.until("The key was created, but its secret was lost")
        await rotate.idle()
        assert "Press r to delete it and make another" in rotate.says
        assert "✓ made ✗ secret lost ▸ r replaces it" in rotate.new
        assert len(ids(node)) == 2
        await rotate.replace()
        assert ids(node) == [old]
        node.fail("POST", API, "cut")  # what came of the answer holds the secret
        await keys.me.press("enter")
        await keys.me.until("The server accepts the key.")
        assert len(ids(node)) == 2
        assert node.store.key_of(rotate.secret)


async def test_a_create_of_which_nothing_is_known_is_looked_for_again(node: Node) -> None:
    async with signed_in(node) as keys:
        rotate = await begin_rotating(keys)
        node.fail("POST", API, "after")
        node.fail("GET", API, "500", times=20, exactly=True)
        await rotate.try_to_create(node.password)
        await keys.me.until("It is not known whether the key was created")
        await rotate.idle()
        assert "F5 reads the list again" in rotate.says
        assert "? perhaps made" in rotate.new
        node.heal()
        await rotate.press("look")
        await keys.me.until("its secret was lost")
        await rotate.idle()
        await rotate.press("undo")
        await (await Dialog(keys.me).shown("Undo the rotation?")).press_button("Delete successor")
        await keys.me.until("Undone: the key is as it was")
        assert (rotate.old.split()[-1], "✓ made ✗ deleted" in rotate.new) == ("works", True)
        assert len(ids(node)) == 1


async def test_a_create_that_hangs_while_the_help_is_open(node: Node) -> None:
    async with signed_in(node) as keys:
        rotate = await begin_rotating(keys)
        node.fail("POST", API, "hang-after")
        await rotate.try_to_create(node.password)
        await node.until("POST", API)
        await keys.me.press("f1")
        await Dialog(keys.me).shown("create the successor")
        node.heal()
        await rotate.idle()
        await keys.me.press("f1")
        await rotate.shown()
        assert node.store.key_of(rotate.secret)
        assert "▸ store" in rotate.new


async def test_faults_of_the_deletion(node: Node) -> None:
    nothing: list[How] = ["before", "500", "503-html"]
    async with signed_in(node) as keys:
        rotate = await begin_rotating(keys)
        await rotate.rotate(node)
        await keys.me.until(lambda: "Undo" in keys.me.footer)
        for how in nothing:
            node.fail("DELETE", API, how)
            await rotate.press("finish")
            await rotate.idle()
            assert "no effect is seen so far" in rotate.says
            assert "? perhaps deleted ▸ d deletes" in rotate.old
            assert "may still take effect until" in rotate.says
            assert "Undo" not in keys.me.footer, "it would leave no key, should the deletion land"
            assert len(ids(node)) == 2
        keys = await rotate.leave()
        await keys.go_to(LABEL)
        assert "may be deleted until" in keys.cursor_line
        await keys.me.press(key_for(Place.KEYS, "finish"))
        await rotate.shown()
        assert "Undo" not in keys.me.footer
        node.fail("DELETE", API, "after")
        await rotate.press("finish")
        await rotate.idle()
        assert "Rotated: only the successor works now." in rotate.says
        assert node.labels().count(LABEL) == 1


async def test_no_key_is_left_and_another_one_is_made_at_once(node: Node) -> None:
    async with signed_in(node) as keys:
        rotate = await begin_rotating(keys)
        await rotate.rotate(node)
        old, new = ids(node)
        node.fail("DELETE", API, "hang")
        await rotate.press("finish")
        await node.until("DELETE", API)
        node.store.delete_key(new)  # as a colleague does who undoes it meanwhile
        node.release()
        await keys.me.until("NO KEY IS LEFT")
        await rotate.idle()
        assert (rotate.old.split()[-1], "✗ deleted ▸ create" in rotate.new) == ("deleted", True)
        assert ids(node) == []
        await rotate.create(node)
        assert node.store.key_of(rotate.secret)
        await rotate.store()
        await rotate.press("finish")
        await keys.me.until("Rotated: only the successor works now.")
        assert node.labels().count(LABEL) == 1
        assert old not in ids(node)


async def test_what_a_dialog_asked_about_may_have_changed_meanwhile(node: Node) -> None:
    async with signed_in(node) as keys:
        rotate = await begin_rotating(keys)
        await rotate.press("change")
        await keys.me.until("Change the successor")
        rotation = keys.me.app.screen_stack[-2]
        assert isinstance(rotation, RotateScreen)
        rotation.query_one("#password Input", Input).value = node.password
        rotation.action_create()  # as a key does that was typed before the form was there
        await rotate.idle()
        await keys.me.press("ctrl+s")
        await rotate.shown()
        await keys.me.until("The server accepts the key.")
        await rotate.store()
        await rotate.press("undo")
        dialog = await Dialog(keys.me).shown("Undo the rotation?")
        rotation.action_finish()
        await keys.me.until(lambda: len(ids(node)) == 1)
        await rotate.idle()
        await dialog.press_button("Delete successor")
        await keys.me.until("Rotated: only the successor works now.")
        assert len(ids(node)) == 1


async def test_leaving_asks_while_the_secret_is_stored_nowhere(node: Node, tmp_path: Path) -> None:
    async with signed_in(node) as keys:
        rotate = await begin_rotating(keys)
        await rotate.create(node)
        secret = rotate.secret
        for key in ("escape", "q", QUIT):
            await keys.me.press(key)
            dialog = await Dialog(keys.me).shown("Have you stored the secret?")
            assert "So far it was sent nowhere." in dialog.says
            await keys.me.press("enter")  # Go back has the focus
            await keys.me.gone("Have you stored the secret?")
        assert rotate.secret == secret
        await rotate.press("write")
        dialog = await Dialog(keys.me).shown("Write the secret to a file")
        await dialog.answer(str(tmp_path / "secret"))
        await keys.me.until("✓ Written to")
        assert (tmp_path / "secret").read_text().strip() == secret
        await keys.me.press("escape")
        dialog = await Dialog(keys.me).shown("Have you stored the secret?")
        await dialog.press_button("I have stored it")
        await keys.shown()
        assert len(ids(node)) == 2
        assert "retiring, f deletes" in keys.says
        await forgotten(keys.me, secret)


async def test_undone(node: Node) -> None:
    (old,) = ids(node)
    async with signed_in(node) as keys:
        rotate = await begin_rotating(keys)
        assert "Undo" not in keys.me.footer, "there is nothing to undo yet"
        await rotate.create(node)
        secret = rotate.secret
        await rotate.press("undo")
        dialog = await Dialog(keys.me).shown("Undo the rotation?")
        await dialog.cancel()
        await rotate.shown()
        assert rotate.secret == secret
        await rotate.press("undo")
        await dialog.shown("Undo the rotation?")
        await dialog.press_button("Delete successor")
        await keys.me.until("Undone: the key is as it was")
        assert ids(node) == [old]
        await rotate.leave()
        await forgotten(keys.me, secret)


@pytest.mark.usefixtures("verifies_once")
async def test_addresses_that_keep_the_probe_out(node: Node) -> None:
    node.add_key("Far away", ("metrics/view",), ("192.0.2.25",))
    async with signed_in(node) as keys:
        rotate = await begin_rotating(keys, "Far away")
        await rotate.try_to_create(node.password)
        await keys.me.until("The successor was not verified")
        await rotate.idle()
        assert "The key works only from 192.0.2.25" in rotate.says
        await rotate.press("stored")
        await rotate.idle()
        assert "The server does not accept the key." in rotate.says
        assert rotate.says.count("192.0.2.25") <= 1
        await rotate.press("finish")
        dialog = await Dialog(keys.me).shown("Delete the predecessor all the same?")
        await dialog.press_button("Delete predecessor")
        await keys.me.until("Rotated: only the successor works now.")
        assert node.labels().count("Far away") == 1
        assert "✗ not verified" in rotate.new


async def test_a_key_of_somebody_else_and_one_of_a_subaccount(node_with: NodeMaker) -> None:
    node = node_with(edition="sparkpost")
    async with signed_in(node) as keys:
        rotate = await begin_rotating(keys, "Partner portal")
        await rotate.rotate(node)
        await rotate.press("finish")
        await keys.me.until("Rotated: only the successor works now.")
        successor = node.keys()[-1]
        assert (successor.label, successor.subaccount_id) == ("Partner portal", 101)
        await rotate.leave()
        rotate = await begin_rotating(keys, "Support desk webhooks")
        await rotate.rotate(node)
        await rotate.press("finish")
        await rotate.idle()
        assert "This key belongs to casey" in rotate.says
        assert len(ids(node, "Support desk webhooks")) == 2


async def test_an_interrupted_rotation_is_recognised_and_finished(
    node: Node, tmp_path: Path
) -> None:
    (old,) = ids(node)
    journal = tmp_path / "journal.jsonl"
    async with signed_in(node, journal=journal) as keys:
        rotate = await begin_rotating(keys)
        await rotate.create(node)
    assert ids(node)[0] == old
    async with signed_in(node, journal=journal) as keys:
        assert "never stored: r replaces" in keys.says
        await keys.go_to(LABEL)
        await keys.me.press(key_for(Place.KEYS, "rotate"))
        rotate = await Rotate(keys.me).shown()
        assert "This key already has a successor." in rotate.says
        assert "Clip" not in keys.me.footer, "its secret is not here"
        await rotate.replace()
        assert ids(node) == [old]
        await rotate.create(node)
    async with signed_in(node, journal=journal) as keys:
        await keys.go_to(LABEL)
        await keys.me.press(key_for(Place.KEYS, "rotate"))
        rotate = await Rotate(keys.me).shown()
        await rotate.press("stored")
        await keys.me.until("Both keys work.")  # it was verified while its secret was there
        await rotate.leave()
    async with signed_in(node, journal=journal) as keys:
        await keys.me.until("retiring, f deletes")
        await keys.go_to(LABEL)
        await keys.me.press(key_for(Place.KEYS, "finish"))
        rotate = await Rotate(keys.me).shown()
        await rotate.press("finish")
        await keys.me.until("Rotated: only the successor works now.")
        assert len(ids(node)) == 1
        assert old not in ids(node)


async def test_a_successor_of_other_grants_is_known_by_the_journal_and_verified_later(
    node: Node, tmp_path: Path
) -> None:
    old, _ = node.add_key("Relay", ("metrics/view", "webhooks/view"))
    journal = tmp_path / "journal.jsonl"
    async with signed_in(node, journal=journal) as keys:
        rotate = await begin_rotating(keys, "Relay")
        await rotate.press("change")
        await keys.me.until("Change the successor")
        form = Form(keys.me)
        await form.fill("label", "Relay v2")
        await form.give("View Webhooks")
        await form.save()
        await rotate.shown()
        node.fail("GET", "/api/v1/metrics", "500", times=9)
        await rotate.try_to_create(node.password)
        await keys.me.until("The successor was not verified")
        await rotate.idle()
        secret = rotate.secret
        await rotate.press("stored")
        await keys.me.until("not verified yet")
        node.heal()
    async with signed_in(node, journal=journal) as keys:
        await keys.go_to("Relay")
        assert "successor unverified: f" in keys.cursor_line
        await keys.me.press("a")
        bulk = await with_marked(keys, "finish")
        assert "0 predecessors will be deleted" in bulk.says
        assert "another label and other grants" in bulk.states["Relay"]
        await keys.me.press("ctrl+s")
        await keys.me.until("There is nothing to do.")
        await bulk.leave()
        assert len(keys.table.marked) == keys.table.count, "nothing was done"
        await keys.me.press("a")
        await keys.go_to("Relay")
        await keys.me.press(key_for(Place.KEYS, "finish"))
        rotate = await Rotate(keys.me).shown()
        await rotate.press("verify")
        await (await Dialog(keys.me).shown("Paste the successor's secret.")).answer(secret)
        await keys.me.until("View Metrics: granted")
        await rotate.idle()
        await rotate.press("finish")
        dialog = await Dialog(keys.me).shown(
            "The successor has another label and other grants than the predecessor."
        )
        await dialog.press_button("Delete predecessor")
        await keys.me.until("Rotated: only the successor works now.")
    assert old not in ids(node, "Relay")


async def test_keys_that_are_only_alike_are_asked_about(node: Node) -> None:
    for _ in range(2):
        node.add_key("worker")
    async with signed_in(node) as keys:
        await keys.go_to("worker")
        await keys.me.until("alike to another: r asks")
        await keys.me.press("a")
        bulk = await with_marked(keys, "finish")
        assert "0 predecessors will be deleted" in bulk.says
        await bulk.leave()
        await keys.me.press("a")
        await keys.go_to("worker")
        await keys.me.press(key_for(Place.KEYS, "rotate"))
        dialog = await Dialog(keys.me).shown("Rotate one of several similar keys?")
        assert "made on" in dialog.says
        await keys.me.press("enter")  # Cancel has the focus
        await keys.shown()
        await keys.me.press(key_for(Place.KEYS, "rotate"))
        await dialog.shown("Rotate one of several similar keys?")
        await dialog.press_button("Rotate it")
        rotate = await Rotate(keys.me).shown()
        assert "▸ create" in rotate.new
        await rotate.leave()
    assert node.labels().count("worker") == 2


async def test_a_hostile_label(node: Node) -> None:
    node.add_key(HOSTILE)
    async with signed_in(node) as keys:
        await keys.me.press("end", key_for(Place.KEYS, "rotate"))
        rotate = await Rotate(keys.me).shown()
        assert "[@click=app.quit]x[/] ␛]52;c;cHduZWQ=␇ <U+202E>drowssap" in rotate.says
        assert not {"\x1b", "\x07", "\u202e"} & set(keys.me.text)
        await rotate.rotate(node)
        await rotate.press("undo")
        await Dialog(keys.me).shown("Undo the rotation?")
        await keys.me.press("escape")
        await rotate.shown()
        await rotate.press("finish")
        await keys.me.until("Rotated: only the successor works now.")
        await rotate.leave()
        assert "[@click=app.quit]x[/] ␛]52" in keys.says
        assert not {"\x1b", "\x07", "\u202e"} & set(keys.me.text)
        assert node.labels()[-1] == HOSTILE
        assert not keys.me.app._exit


async def test_the_session_ends_in_the_middle(node: Node) -> None:
    async with signed_in(node) as keys:
        rotate = await begin_rotating(keys)
        await rotate.rotate(node)
        node.end_sessions()
        await rotate.press("finish")
        dialog = await Dialog(keys.me).shown("Your session has ended")
        await dialog.cancel()
        await rotate.shown()
        await rotate.idle()
        assert "Your session has ended" in rotate.says
        assert len(ids(node)) == 2
        await rotate.press("finish")
        dialog = await Dialog(keys.me).shown("Your session has ended")
        await dialog.answer(node.password)
        await keys.me.until("Rotated: only the successor works now.")
        assert len(ids(node)) == 1


async def test_a_secret_handed_to_a_command(node: Node, tmp_path: Path) -> None:
    script, kept = tmp_path / "put", tmp_path / "kept"
    script.write_text(f'#!/bin/sh\n[ "$1" = broken ] && {{ echo "sealed"; exit 3; }}\ncat > {kept}')
    script.chmod(0o700)
    async with signed_in(node) as keys:
        rotate = await begin_rotating(keys)
        await rotate.create(node)
        secret = rotate.secret
        await rotate.press("command")
        dialog = await Dialog(keys.me).shown("Hand the secret to a command")
        await dialog.answer(f"{script} broken")
        await keys.me.until("(exit 3). It said: sealed")
        await dialog.shown("Hand the secret to a command")
        await dialog.answer(f"{script} {{label}}")
        await keys.me.until("took it (exit 0)")
        assert kept.read_text() == secret
        await rotate.store()
        await rotate.leave()
        await forgotten(keys.me, secret)


async def test_a_successor_that_comes_late_is_deleted_and_the_one_in_use_stays(
    node: Node, tmp_path: Path
) -> None:
    path = tmp_path / "journal.jsonl"
    async with signed_in(node, journal=path) as keys:
        rotate = await begin_rotating(keys)
        node.fail("POST", API, "before")
        await rotate.try_to_create(node.password)
        await keys.me.until("No new key was seen so far")
        await rotate.idle()
        await keys.me.press("enter")
        await keys.me.until("The server accepts the key.")
        await rotate.store()
        await rotate.press("finish")
        await keys.me.until("Rotated: only the successor works now.")
        (in_use,) = ids(node)
        sent = Journal(path).read().entries[-1]
        assert (sent.action, sent.phase) == ("create", "begun")
        late, _ = node.add_key(sent.label, ("metrics/view",))
        await rotate.leave()
        await keys.me.until("never stored: r deletes")
        keys.table.move_to(late)
        await keys.me.press(key_for(Place.KEYS, "rotate"))
        dialog = await Dialog(keys.me).shown(f"Delete the unused {LABEL}?")
        await keys.me.press("enter")  # Cancel has the focus
        await keys.me.gone("Delete the unused")
        assert ids(node) == [in_use, late]
        await keys.me.press(key_for(Place.KEYS, "rotate"))
        await dialog.shown(f"Delete the unused {LABEL}?")
        await dialog.press_button("Delete API Key")
        await keys.me.until(f"API key {LABEL} was deleted.")
        assert ids(node) == [in_use]


async def test_what_another_instance_is_working_on_is_left_alone(
    node: Node, tmp_path: Path
) -> None:
    path = tmp_path / "journal.jsonl"
    async with signed_in(node, journal=path) as first, signed_in(node, journal=path) as second:
        rotate = await begin_rotating(first)
        await rotate.create(node)
        await second.me.press(key_for(Place.KEYS, "reload"))
        await second.me.until("rotating: ")
        await second.go_to(LABEL)
        await second.me.press(key_for(Place.KEYS, "rotate"))
        await second.me.until("another instance of this program")
        assert len(ids(node)) == 2
        await rotate.store()
        await rotate.leave()
        await second.me.press(key_for(Place.KEYS, "reload"))
        await second.me.until("retiring, f deletes")
