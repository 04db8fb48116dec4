"""Edit and delete: what stays as it was, what is refused, and what is asked first."""

from __future__ import annotations

from tests.conftest import NodeMaker
from tests.driver import Dialog, at_keys
from tests.node import Node
from tui.sandbox.store import StoredKey


def stored(node: Node, label: str) -> StoredKey:
    return node.keys()[node.labels().index(label)]


async def test_label_grants_and_addresses_are_replaced(node: Node) -> None:
    async with at_keys(node) as keys:
        form = await keys.edit("Newsletter SMTP relay")
        assert "Password" not in form.says
        await form.fill("label", "Newsletter relay")
        await form.fill("ips", "198.51.100.0/24")
        await form.give("View Metrics", "Send via SMTP")
        await form.save()
        await keys.me.until("API key Newsletter SMTP relay was updated.")
        key = stored(node, "Newsletter relay")
        assert tuple(key.grants) == ("metrics/view",)
        assert tuple(key.valid_ips) == ("198.51.100.0/24",)
        assert keys.here.startswith("Newsletter relay")


async def test_grants_that_the_catalogue_does_not_list_survive(node: Node) -> None:
    async with at_keys(node) as keys:
        form = await keys.edit("Old bounce importer")
        await form.give("View Metrics")
        await form.save()
        await keys.me.until("was updated.")
        grants = set(stored(node, "Old bounce importer").grants)
        assert grants == {"message_events/view", "webhooks/view", "metrics/view"}


async def test_an_untouched_label_goes_back_exactly_as_it_came(node: Node) -> None:
    raw = "  tab\there \x1b[31mred\u202e  "
    node.add_key(raw, ("metrics/view",))
    async with at_keys(node) as keys:
        await keys.me.press("end")
        await keys.me.press("e")
        await keys.me.until("Edit API Key")
        form = await keys.edit_form()
        await form.give("View Webhooks")
        await form.save()
        await keys.me.until("was updated.")
        assert set(stored(node, raw).grants) == {"metrics/view", "webhooks/view"}


async def test_going_back_from_an_edit_asks_only_where_something_was_touched(node: Node) -> None:
    async with at_keys(node) as keys:
        form = await keys.edit("Billing mailer")
        await keys.me.press("escape")
        await keys.shown()
        form = await keys.edit("Billing mailer")
        await form.give("View Metrics")
        await keys.me.press("escape")
        await Dialog(keys.me).shown("Discard the draft?")
        await keys.me.press("escape")
        await form.give("View Metrics")
        await keys.me.press("escape")
        await keys.shown()
        assert node.seen("PUT", "/") == 0


async def test_a_key_of_somebody_else_is_explained_with_the_owners_name(
    node_with: NodeMaker,
) -> None:
    node = node_with(edition="sparkpost")
    async with at_keys(node) as keys:
        form = await keys.edit("Template designers")
        await form.fill("label", "Mine now")
        await form.save()
        await keys.me.until("This key belongs to casey")
        assert "Ask casey to do so." in form.says
        assert form.field("label").value == "Mine now"
        await keys.me.press("escape")
        await (await Dialog(keys.me).shown("Discard the draft?")).press_button("Discard")
        await keys.shown()
        dialog = await keys.delete("Template designers")
        await dialog.confirm()
        await keys.me.until("This key belongs to casey")
        assert "Template designers" in node.labels()
        assert keys.me.app._session is not None, "a 403 is no sign-out"


async def test_a_key_that_was_deleted_meanwhile(node: Node) -> None:
    async with at_keys(node) as keys:
        form = await keys.edit("Template designers")
        await form.fill("label", "Template people")
        node.store.delete_key(stored(node, "Template designers").id)
        await form.save()
        await keys.me.until("Somebody else has deleted this key")
        assert form.field("label").value == "Template people"
        await keys.me.press("escape")
        await (await Dialog(keys.me).shown("Discard the draft?")).press_button("Discard")
        await keys.shown()
        dialog = await keys.delete("Template designers")  # it still stands in the list
        await dialog.confirm()
        await keys.me.until("had already been deleted by somebody else.")
        assert "Template designers" not in keys.labels


async def test_a_fault_of_an_update_keeps_the_draft(node: Node) -> None:
    async with at_keys(node) as keys:
        form = await keys.edit("Billing mailer")
        await form.fill("label", "Billing")
        node.fail("PUT", "/api/v1/api-keys", "500")
        await form.save()
        await keys.me.until("The server failed with status 500")
        assert form.field("label").value == "Billing"
        await form.save()
        await keys.me.until("was updated.")


async def test_deleting_starts_on_cancel(node: Node) -> None:
    async with at_keys(node) as keys:
        await keys.delete("Nightly metrics export")
        await keys.me.press("enter", "enter")
        await keys.me.settle()
        assert node.seen("DELETE", "/") == 0
        assert "Nightly metrics export" in node.labels()


async def test_a_key_is_deleted(node: Node) -> None:
    async with at_keys(node) as keys:
        dialog = await keys.delete("Nightly metrics export")
        assert "it can't be undone" in dialog.says
        await dialog.confirm()
        await keys.me.until("API key Nightly metrics export was deleted.")
        assert "Nightly metrics export" not in node.labels()
        assert "API keys 7" in keys.says


async def test_a_key_that_sends_wants_its_label_typed(node: Node) -> None:
    async with at_keys(node) as keys:
        dialog = await keys.delete("Billing mailer")
        assert "This key sends mail" in dialog.says
        await dialog.confirm()
        await keys.me.until("Type Billing mailer to delete the key.")
        await dialog.fill("typed", "billing mailer")
        await keys.me.press("enter")
        await keys.me.until("Type Billing mailer to delete the key.")
        assert node.seen("DELETE", "/") == 0
        await dialog.fill("typed", "Billing mailer")
        await keys.me.press("enter")
        await keys.me.until("API key Billing mailer was deleted.")


async def test_a_delete_under_way_is_not_left(node: Node) -> None:
    async with at_keys(node) as keys:
        dialog = await keys.delete("Nightly metrics export")
        node.fail("DELETE", "/api/v1/api-keys", "hang")
        await dialog.confirm()
        await node.until("DELETE", "/api/v1/api-keys")
        await keys.me.press("q")
        await keys.me.until("Its answer is awaited, then you can leave.")
        assert not keys.me.app._exit
        node.release()
        await keys.me.until("Nightly metrics export was deleted.")


async def test_a_sending_key_whose_label_has_blanks_around_it_can_be_deleted(node: Node) -> None:
    node.add_key("  padded  label ", ("smtp/inject",))
    async with at_keys(node) as keys:
        await keys.me.press("end", "d")
        dialog = await keys.delete_dialog()
        await dialog.fill("typed", "  padded  label ")
        await keys.me.press("enter")
        await keys.me.until("was deleted.")
