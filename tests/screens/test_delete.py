"""Deleting a key: asked first, told afterwards, whatever becomes of it."""

from __future__ import annotations

import pytest

from tests.conftest import NodeMaker
from tests.driver import Keys, at_keys, key_for
from tests.node import How, Node
from tui.ui.bindings import Place
from tui.ui.widgets.button import Button

KEYS = "/api/v1/api-keys"
QUIET, SENDS, NEXT = "Template designers", "Billing mailer", "Nightly metrics export"


async def shows(keys: Keys, sentence: str) -> None:
    await keys.me.until(sentence)
    await keys.me.settle()


async def test_nothing_is_deleted_unless_it_is_wanted(node: Node) -> None:
    async with at_keys(node) as keys:
        await keys.go_to(QUIET)
        await keys.me.press(key_for(Place.KEYS, "delete"), "enter")
        await keys.me.press("escape")
        dialog = await keys.delete(QUIET)
        assert keys.me.screen.focused is keys.me.screen.query_one("#no")
        assert "Access is revoked at once for every client that uses this key" in dialog.says
        assert "to delete it:" not in dialog.says
        await keys.me.press("enter", "enter")
        await keys.me.press("escape")
        dialog = await keys.delete(SENDS)
        assert keys.me.screen.focused is keys.me.screen.query_one("#no")
        await keys.me.press("enter")
        await keys.shown()
        assert node.seen("DELETE", KEYS) == 0
        assert len(node.keys()) == 8


async def test_a_subaccounts_key_is_deleted_within_its_subaccount(node: Node) -> None:
    """The node answers 404 to whoever deletes it without the number."""
    async with at_keys(node) as keys:
        dialog = await keys.delete("Partner portal")
        await dialog.fill("typed", "Partner portal")
        await keys.me.press("enter")
        await shows(keys, "API key Partner portal was deleted.")
    assert "Partner portal" not in node.labels()


async def test_a_key_is_deleted_and_the_cursor_stays_near(node: Node) -> None:
    async with at_keys(node) as keys:
        dialog = await keys.delete(QUIET)
        await dialog.confirm()
        await shows(keys, f"API key {QUIET} was deleted.")
        assert QUIET not in node.labels()
        assert keys.table.count == 7
        assert keys.table.key is not None
        assert keys.table.key.label == NEXT
        last = keys.labels[-1]
        dialog = await keys.delete(last)
        await dialog.confirm()
        await shows(keys, f"API key {last} was deleted.")
        assert keys.table.key.label == NEXT, "there is none after it"
        assert keys.me.screen.focused is keys.table
        node.store.delete_key(node.keys()[0].id)
        dialog = await keys.delete("Old bounce importer")
        await dialog.confirm()
        await shows(keys, "Old bounce importer had already been deleted by somebody else.")
        assert keys.table.count == 5


async def test_a_message_about_a_key_goes_when_the_key_does(node: Node) -> None:
    async with at_keys(node) as keys:
        await keys.go_to(QUIET)
        await keys.me.press(key_for(Place.KEYS, "finish"))
        await shows(keys, "This key is not being rotated.")
        dialog = await keys.delete(NEXT)
        await dialog.confirm()
        await shows(keys, f"API key {NEXT} was deleted.")
        assert "was deleted. 1 more" in keys.says
        node.store.delete_key(next(key.id for key in keys.table.keys if key.label == QUIET))
        await keys.me.press(key_for(Place.KEYS, "reload"))
        await keys.me.gone("1 more")
        assert f"API key {NEXT} was deleted." in keys.says


NAMES = {
    "Newsletter SMTP relay": "Newsletter SMTP relay",
    "  pr\x1b[31m od  ": "pr␛[31m od",
    "日本" * 11: "9ac1",
    "   ": "9ac1",
}
"""Labels of keys that send, and what has to be typed: something that can be."""


async def test_a_key_that_sends_wants_to_be_named(node_with: NodeMaker) -> None:
    node = node_with(seeds=False)
    for number, label in enumerate(NAMES):
        node.add_key(label, ("smtp/inject",), secret=f"9ac1{number}")
    async with at_keys(node) as keys:
        for deleted, (label, typed) in enumerate(NAMES.items()):
            await keys.me.press("home", key_for(Place.KEYS, "delete"))
            dialog = await keys.delete_dialog()
            assert "! It sends mail: what uses it stops." in dialog.says
            assert f"Type its {'short key' if typed == '9ac1' else 'label'}" in dialog.says
            await keys.me.type("xy")  # while Cancel has the focus
            assert dialog.field("typed").value == "xy"
            await dialog.confirm()
            await keys.me.until("✗ That is something else than")
            assert typed in dialog.field("typed").error
            await dialog.fill("typed", typed.upper() + "!")
            await keys.me.press("enter")
            await keys.me.until("✗ That is something else than")
            assert node.seen("DELETE", KEYS) == deleted
            await dialog.fill("typed", f" {typed} ")
            assert "✗" not in dialog.says
            await keys.me.press("enter")
            await shows(keys, "was deleted.")
            await keys.me.press(key_for(Place.KEYS, "close_message"))
            await keys.me.gone("was deleted.")
            assert label not in node.labels()


@pytest.mark.parametrize(
    ("label", "typed"),
    [("Büro “Süd”", 'Bu\u0308ro "Su\u0308d"'), ("❤\ufe0f It’s \u2013 mail", "❤ it's - mail")],
)
async def test_a_label_is_typed_or_pasted_as_people_read_it(
    node_with: NodeMaker, label: str, typed: str
) -> None:
    node = node_with(seeds=False)
    node.add_key(label, ("smtp/inject",))
    async with at_keys(node) as keys:
        await keys.me.press("home", key_for(Place.KEYS, "delete"))
        dialog = await keys.delete_dialog()
        await keys.me.paste(f"{typed}\n")  # while Cancel has the focus
        assert dialog.field("typed").value == typed
        await keys.me.press("enter")
        await shows(keys, "was deleted.")
        assert node.labels() == []


async def test_somebody_elses_key_is_explained_with_the_owners_name(node_with: NodeMaker) -> None:
    node = node_with(edition="sparkpost")
    async with at_keys(node) as keys:
        dialog = await keys.delete(QUIET)
        await dialog.confirm()
        await shows(keys, "This key belongs to casey.")
        assert keys.table.count == 11
        assert QUIET in keys.cursor_line
        dialog = await keys.delete("Partner portal")  # a subaccount's key belongs to nobody
        await dialog.fill("typed", "Partner portal")
        await keys.me.press("enter")
        await shows(keys, "API key Partner portal was deleted.")


FAULTS: dict[How, str] = {
    "500": "The server failed with status 500.",
    "503-html": "The server failed with status 503.",
    "429": "The server asks for fewer requests.",
    "before": "broke the connection.",
}


async def test_a_fault_is_told_and_deletes_nothing(node: Node) -> None:
    async with at_keys(node) as keys:
        for fault, sentence in FAULTS.items():
            node.fail("DELETE", KEYS, fault)
            dialog = await keys.delete(QUIET)
            await dialog.confirm()
            await shows(keys, sentence)
            assert "openresty" not in keys.says
            assert QUIET in keys.cursor_line
            await keys.me.press(key_for(Place.KEYS, "close_message"))
            await keys.me.gone(sentence)
        assert node.seen("DELETE", KEYS) == len(FAULTS), "no write is repeated by itself"
        node.expire_sessions()
        dialog = await keys.delete(QUIET)
        await dialog.confirm()
        await shows(keys, f"API key {QUIET} was deleted.")


@pytest.mark.parametrize("fault", ["after", "stopped"])
async def test_an_answer_that_got_lost_is_made_up_for_by_the_list(node: Node, fault: str) -> None:
    async with at_keys(node) as keys:
        dialog = await keys.delete(QUIET)
        if fault == "stopped":
            node.fail("DELETE", KEYS, "hang-after")
            await dialog.confirm()
            await node.until("DELETE", KEYS)
            node.stop()
            await shows(keys, "broke the connection.")
            assert QUIET in keys.cursor_line, "nobody knows"
            node.start_again()
            await keys.me.press(key_for(Place.KEYS, "reload"))
            await keys.me.until(lambda: QUIET not in keys.labels)
        else:
            node.fail("DELETE", KEYS, "after")
            await dialog.confirm()
            await shows(keys, f"API key {QUIET} was deleted.")
        assert keys.table.count == 7


async def test_a_delete_under_way_is_awaited_before_anything_ends(node: Node) -> None:
    """Even where another one, begun later, is over already."""
    leave, sign_out = key_for(Place.ANYWHERE, "leave"), key_for(Place.KEYS, "sign_out")
    async with at_keys(node) as keys:
        node.fail("DELETE", KEYS, "hang")
        await (await keys.delete(QUIET)).confirm()
        await node.until("DELETE", KEYS)
        await (await keys.delete(NEXT)).confirm()
        await shows(keys, f"API key {NEXT} was deleted.")
        for key in (leave, sign_out):
            await keys.me.press(key)
            await shows(
                keys,
                f"{QUIET} is being deleted. You can leave once the server has answered.",
            )
            await keys.me.press(key_for(Place.KEYS, "close_message"))
            await keys.me.gone("once the server has answered")
        node.release()
        await shows(keys, f"API key {QUIET} was deleted.")
        assert keys.table.count == 6
        await keys.me.press(sign_out)
        await keys.me.until(lambda: "Access token" in keys.me.footer)


async def test_a_dialog_answers_to_letters_and_a_red_button_never_to_one_alone(
    node: Node,
) -> None:
    async with at_keys(node) as keys:
        dialog = await keys.delete(QUIET)
        yes = dialog.me.screen.query_one("#yes", Button)
        assert (yes.letter, dialog.me.screen.query_one("#no", Button).letter) == ("d", "c")
        await keys.me.press("d", "d")  # as the key that opened it, pressed too often
        assert dialog.me.screen.focused is yes
        for key in ("n", "c"):
            await keys.me.press(key)
            await keys.shown()
            assert QUIET in node.labels()
            dialog = await keys.delete(QUIET)
        await keys.me.press("y")
        await shows(keys, f"API key {QUIET} was deleted.")
        assert QUIET not in node.labels()
