"""Editing a key: what is sent, what stays as it was, and what is told when it is refused."""

from __future__ import annotations

import pytest
from textual.widget import Widget
from textual.widgets import Input

from tests.conftest import NodeMaker
from tests.driver import Dialog, Form, Keys, at_keys, key_for
from tests.node import How, Node
from tui.sandbox.store import StoredKey
from tui.ui.bindings import Place

KEYS = "/api/v1/api-keys"
QUIT = key_for(Place.ANYWHERE, "leave")
CANCEL = key_for(Place.FORM, "cancel")
MAIL = "Newsletter SMTP relay"
COLLEAGUES = "Old bounce importer"
UNLISTED = "Support desk webhooks"


def key(node: Node, key_id: str) -> StoredKey:
    stored_key = node.store.key(key_id)
    assert stored_key is not None
    return stored_key


def named(node: Node, label: str) -> StoredKey:
    return node.keys()[node.labels().index(label)]


async def updated(form: Form, label: str) -> Keys:
    keys = await Keys(form.me).shown()
    await form.me.until(f"API key {label} was updated.")
    await form.me.settle()
    return keys


async def focused(form: Form, widget: Widget) -> None:
    await form.me.until(lambda: form.me.screen.focused is widget)


async def shown_details(keys: Keys) -> Dialog:
    await keys.me.press(key_for(Place.FORM, "details"))
    return await Dialog(keys.me).shown("status:")


async def test_everything_that_is_changed_is_sent(node: Node) -> None:
    before = named(node, MAIL)
    async with at_keys(node) as keys:
        form = await keys.edit(MAIL)
        assert form.field("label").value == MAIL
        assert form.field("ips").value == "192.0.2.25, 10.8.0.0/16"
        assert form.grants.given == ("smtp/inject",)
        assert "Account Password" not in form.says, "only a create wants it"
        await form.fill("label", " Relay, renewed ")
        await form.fill("ips", "198.51.100.7 , 203.0.113.0/24")
        await form.give("View Metrics", "Send via SMTP")
        await form.save()
        keys = await updated(form, "Relay, renewed")
        assert "Relay, renewed" in keys.cursor_line, "the cursor stays on its key"
        assert "r--  metrics" in keys.cursor_line
    after = key(node, before.id)
    assert after.label == "Relay, renewed"
    assert after.valid_ips == ("198.51.100.7", "203.0.113.0/24")
    assert after.grants == ("metrics/view",)
    assert node.seen("PUT", KEYS) == 1


async def test_what_was_not_touched_goes_back_as_it_came(
    node: Node, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Grants that the catalogue lacks, control characters, addresses that nobody may type here."""
    monkeypatch.setattr("tui.sandbox.key_routes._is_address", lambda _: True)
    label, ips = "pr\x1b[31mod\u202e\ttab ", ("2001:db8::1", "192.0.2.\x1b1")
    key_id, _ = node.add_key(label, ("secret_area/rule", "metrics/view", "b\x07d"), ips)
    async with at_keys(node) as keys:
        form = await keys.edit("pr␛[31mod<U+202E>␉tab ")
        assert form.field("ips").value == "2001:db8::1, 192.0.2.␛1"
        await form.give("View Webhooks", "secret_area/rule")
        assert "not in this server's catalogue; kept" in form.says
        await form.give("secret_area/rule")
        await form.save()
        await Keys(form.me).shown()
        await form.me.until("was updated.")
        after = key(node, key_id)
        assert (after.label, after.valid_ips) == (label, ips)
        assert set(after.grants) == {
            "secret_area/rule", "metrics/view", "b\x07d", "webhooks/view",
        }  # fmt: skip
        form = await keys.edit("pr␛[31mod<U+202E>␉tab ")
        await form.fill("ips", "192.0.2.1")
        await form.save()
        await Keys(form.me).shown()
        await form.me.until(lambda: node.seen("PUT", KEYS) == 2)
        assert key(node, key_id).label == label


async def test_an_edit_by_way_of_the_details_renews_the_session_unseen(node: Node) -> None:
    async with at_keys(node) as keys:
        await keys.go_to(UNLISTED)
        await keys.me.press("enter")
        await keys.me.until("Settings › API keys › Details")
        await keys.me.press("enter")
        await keys.me.until("Edit API Key")
        await keys.me.settle()
        form = Form(keys.me)
        await form.fill("label", "Help desk webhooks")
        node.expire_sessions()
        await form.save()
        keys = await updated(form, "Help desk webhooks")
        assert "Help desk webhooks" in keys.cursor_line
        assert node.seen("PUT", KEYS) == 1
    after = named(node, "Help desk webhooks")
    assert set(after.grants) == {"message_events/view", "webhooks/view", "webhooks/modify"}


async def test_what_is_wrong_is_told_beside_its_field_and_nothing_is_sent(node: Node) -> None:
    async with at_keys(node) as keys:
        form = await keys.edit(MAIL)
        await form.give("Send via SMTP")
        await form.fill("ips", "192.0.2.1, mail.example")
        await form.fill("label", "  ")
        await form.save()
        await form.says_beside("label", "A key needs a label.")
        await form.says_beside("ips", "mail.example: not an IPv4 address or CIDR network")
        await form.me.until("Choose at least one grant")
        await focused(form, form.field("label").query_one(Input))
        await form.fill("label", COLLEAGUES)
        await form.go_to("ips")
        await form.says_beside("label", "Another key (")
        assert "already has this label." in form.says
        assert node.seen("PUT", KEYS) == 0


async def test_leaving_with_changes_asks_and_without_does_not(node: Node) -> None:
    async with at_keys(node) as keys:
        form = await keys.edit(MAIL)
        await form.me.press(CANCEL)
        await keys.shown()
        form = await keys.edit(MAIL)
        await form.give("View Metrics")
        await form.me.press(CANCEL)
        dialog = await Dialog(form.me).shown("Discard the draft?")
        await form.me.press("enter")  # Go on editing has the focus
        await form.me.gone("Discard the draft?")
        assert form.grants.given == ("metrics/view", "smtp/inject")
        await form.give("View Metrics")
        await form.fill("ips", "192.0.2.25, 10.8.0.0/16, 192.0.2.1")
        await form.me.press(CANCEL)
        dialog = await Dialog(form.me).shown("Discard the draft?")
        await dialog.press_button("Discard")
        await keys.shown()
        assert node.seen("PUT", KEYS) == 0
        form = await keys.edit(MAIL)
        assert form.field("ips").value == "192.0.2.25, 10.8.0.0/16"


async def test_somebody_elses_key_is_explained_with_the_owners_name(node_with: NodeMaker) -> None:
    node = node_with(edition="sparkpost")
    async with at_keys(node) as keys:
        form = await keys.edit("Template designers")
        await form.fill("label", "Mine now")
        await form.save()
        await form.me.until("This key belongs to casey")
        assert "Ask casey to do so." in form.says
        assert form.field("label").value == "Mine now"
        assert node.labels().count("Mine now") == 0
        assert node.requests.count(("POST", "/api/v1/authenticate/logout")) == 0
        await shown_details(keys)
        await keys.me.press("escape")
        await keys.me.press(CANCEL)
        await (await Dialog(keys.me).shown("Discard the draft?")).press_button("Discard")
        await keys.shown()
        form = await keys.edit(MAIL)
        await form.fill("label", "Mine already")
        await form.save()
        await updated(form, "Mine already")
    assert "Mine already" in node.labels()


async def test_a_key_that_somebody_else_deleted_meanwhile(node: Node) -> None:
    async with at_keys(node) as keys:
        form = await keys.edit(MAIL)
        await form.fill("label", "Too late")
        node.store.delete_key(named(node, MAIL).id)
        await form.save()
        await form.me.until("Somebody else has deleted this key")
        assert "Your draft is still here" in form.says
        assert form.field("label").value == "Too late"
        await form.me.press(CANCEL)
        await (await Dialog(form.me).shown("Discard the draft?")).press_button("Discard")
        await keys.shown()
        await form.me.until(lambda: MAIL not in keys.labels)


async def test_the_servers_objections_stand_beside_their_fields(
    node: Node, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What the form lets pass, as a server with rules of its own would not."""
    monkeypatch.setattr("tui.ui.widgets.draft_form.wrong_ips", lambda _: "")
    async with at_keys(node) as keys:
        form = await keys.edit(COLLEAGUES)
        await form.fill("ips", "mail.example")
        await form.save()
        await form.says_beside("ips", "invalid data format/type: 'mail.example' is neither an IPv4")
        await focused(form, form.field("ips").query_one(Input))
        assert "The server did not accept" not in form.says, "the field says it all"
        await form.fill("ips", "")
        assert not form.field("ips").error
        monkeypatch.setattr("tui.ui.widgets.draft_form.wrong_label", lambda _: "")
        await form.fill("label", " ")
        await form.save()
        await form.says_beside("label", "required field is missing: A key needs a label")
        await form.fill("label", "Fine")
        await form.save()
        await updated(form, "Fine")


async def test_what_somebody_else_has_changed_meanwhile_is_not_undone(node: Node) -> None:
    async with at_keys(node) as keys:
        form = await keys.edit(MAIL)
        await form.fill("label", "Fine")
        theirs = ("smtp/inject", "odd/unknown"), ("10.0.0.0/8",)
        node.store.change_key(named(node, MAIL).id, MAIL, *theirs)
        await form.save()
        await form.me.until("✗ Somebody else has changed this key meanwhile")
        assert "Its grants are now: Send via SMTP, odd/unknown." in form.says
        assert "It is allowed from 10.0.0.0/8 now." in form.says
        assert form.field("ips").value == "10.0.0.0/8"
        assert node.seen("PUT", KEYS) == 0
        await form.save()
        await updated(form, "Fine")
    fine = named(node, "Fine")
    assert (fine.grants, fine.valid_ips) == theirs


async def test_what_somebody_else_has_changed_does_not_cost_what_was_typed(node: Node) -> None:
    async with at_keys(node) as keys:
        form = await keys.edit(MAIL)
        await form.fill("ips", "192.0.2.1")
        await form.give("View Metrics")
        node.store.change_key(named(node, MAIL).id, "Theirs", ("odd/unknown",), ("10.0.0.0/8",))
        await form.save()
        await form.me.until("Its label is Theirs now.")
        assert form.field("label").value == "Theirs"
        assert form.field("ips").value == "192.0.2.1"
        assert form.grants.given == ("metrics/view", "smtp/inject")
        assert "[ ] odd/unknown" in form.says
        await form.save()
        await updated(form, "Theirs")
    assert named(node, "Theirs").valid_ips == ("192.0.2.1",)


async def test_a_subaccounts_key_is_offered_its_roles_grants(node_with: NodeMaker) -> None:
    node = node_with(edition="sparkpost", seeds=False)
    node.add_key("Partner", ("metrics/view", "ip_pools/view"), subaccount=7)
    async with at_keys(node) as keys:
        form = await keys.edit("Partner")
        await keys.me.until("Grants * 2 of 15")
        await form.fill("label", "Partner portal")
        await form.save()
        await keys.me.until("API key Partner portal was updated.")
        (key,) = node.keys()
        assert set(key.grants) == {"metrics/view", "ip_pools/view"}, "what it holds already stays"


FAULTS: dict[How, str] = {
    "500": "The server failed with status 500",
    "503-html": "The server failed with status 503",
    "429": "Wait 1 second, then retry.",
    "429-for-ever": "Wait 300 seconds, then retry.",
    "before": "broke the connection",
}


async def test_a_draft_survives_every_fault_and_is_saved_in_the_end(node: Node) -> None:
    async with at_keys(node) as keys:
        form = await keys.edit(MAIL)
        await form.fill("label", "Stubborn")
        await form.fill("ips", "")
        await form.give("View Metrics")
        for tries, (fault, sentence) in enumerate(FAULTS.items(), 1):
            node.fail("PUT", KEYS, fault)
            await form.save()
            await node.until("PUT", KEYS, tries)
            await form.me.until(sentence)
            assert "openresty" not in form.says
            assert form.field("label").value == "Stubborn"
            assert form.field("ips").value == ""
            assert form.grants.given == ("metrics/view", "smtp/inject")
            await focused(form, form.grants)
            await form.me.settle()
        assert node.seen("PUT", KEYS) == len(FAULTS), "no write is repeated by itself"
        node.fail("PUT", KEYS, "after")  # it takes effect, and the key itself tells so
        await form.save()
        keys = await updated(form, "Stubborn")
        assert "Stubborn" in keys.cursor_line
    assert named(node, "Stubborn").valid_ips == ()


async def test_an_update_that_hangs_is_awaited_and_not_sent_twice(node: Node) -> None:
    node.fail("PUT", KEYS, "hang")
    async with at_keys(node) as keys:
        form = await keys.edit(MAIL)
        await form.fill("label", "Slow")
        await form.save()
        await node.until("PUT", KEYS)
        await form.me.until("⋯ The key is being updated.")
        await form.me.press(key_for(Place.FORM, "save"), "enter", CANCEL)
        await form.me.until("You can leave once the server has answered.")
        await form.me.press(QUIT)
        assert not form.me.app._exit
        await form.me.press("f1")
        await form.me.until("create or update the key")
        node.release()
        await node.until("PUT", KEYS)
        await form.me.press("f1")
        keys = await updated(form, "Slow")
        assert "Slow" in keys.cursor_line
        assert node.seen("PUT", KEYS) == 1


async def test_a_session_that_ended_asks_for_the_password_on_top_and_goes_on(node: Node) -> None:
    async with at_keys(node) as keys:
        form = await keys.edit(MAIL)
        await form.fill("label", "Went on")
        node.end_sessions()
        await form.save()
        dialog = await Dialog(form.me).shown(
            f"The server has ended your session at 127.0.0.1:{node.port}. Sign in again as ops"
        )
        assert "Sign in again as ops" in dialog.says
        await dialog.cancel()
        await form.me.until("The server requires a new sign-in.")
        assert form.field("label").value == "Went on"
        await form.save()
        await dialog.shown("The server has ended your session")
        await dialog.answer("wrong")
        await form.me.until("✗ The sign-in was not accepted.")
        assert "User credentials are invalid." in dialog.field("answer").error
        assert "wrong" not in dialog.says
        await dialog.shown("The server has ended your session")
        await dialog.answer(node.password)
        keys = await updated(form, "Went on")
        assert "Went on" in keys.cursor_line
        assert node.password not in keys.says
    assert "Went on" in node.labels()
