"""Facts in a pane at the right of every wide screen, at one place and of one width."""

from __future__ import annotations

from pathlib import Path

import pytest
from textual.geometry import Region

from tests.driver import NARROW, Dialog, Page, key_for
from tests.node import Node
from tests.screens.rotation_pages import API, LABEL, Log, begin_rotating, signed_in, with_marked
from tui.api.grants import MOMENTUM
from tui.ui.bindings import Place
from tui.ui.widgets.facts_pane import WIDE, WIDTH, FactsPane

LEAST_WIDE = (WIDE, 30)


def pane(page: Page) -> str:
    """Return what the pane says, whose place is the same on all screens."""
    place = page.me.screen.query_one(FactsPane).region
    assert place == Region(WIDE - WIDTH, 1, WIDTH, 28), page.me.text
    lines = page.me.lines[place.y : place.bottom]
    assert not any(line[place.right - 2 :].strip() for line in lines), "the right edge is kept"
    return " ".join(" ".join(line[place.x + 1 :] for line in lines).split())


async def test_a_key_from_its_draft_to_the_journal(node: Node, tmp_path: Path) -> None:
    async with signed_in(node, LEAST_WIDE) as keys:
        me = keys.me
        await keys.go_to(LABEL)
        listed = keys.table.key
        assert listed is not None
        await keys.me.until(lambda: pane(keys).startswith(f"{LABEL} {listed.short_key}••••"))
        await keys.me.until(lambda: pane(keys).endswith(f"ID {listed.id}"))
        form = await keys.new()
        await form.give()
        await form.me.until(
            lambda: pane(form).startswith("What the key may do nothing yet View Metrics GET on")
        )
        await me.until(lambda: "3 other keys hold it: Partner portal " in pane(form))
        await form.complete("Orders", node.password, "Send via SMTP")
        await form.me.until(
            lambda: pane(form).startswith("What the key may do --s Send via SMTP SMTP injection,")
        )
        secret = await form.create("Orders", node.password)
        await secret.me.until(lambda: "From any address ! It sends mail. Owner ops" in pane(secret))
        await secret.me.until(
            lambda: pane(secret).endswith("Sent nowhere so far Works not known yet")
        )
        await me.press(key_for(Place.SECRET, "verify"))
        await (await Dialog(me).shown("The server accepts")).press_button("Close")
        await secret.write(tmp_path / "key")
        await me.until("Written to")
        await secret.me.until(lambda: pane(secret).endswith("Sent File Works ✓ verified"))
        await secret.stored()
        form = await keys.edit("Orders")
        await form.give("View Webhooks", "View Metrics")
        await form.me.until(
            lambda: "What changes ✓ View Webhooks \N{EN DASH} View Metrics" in pane(form)
        )
        await form.save()
        await me.until("was updated")
        await keys.shown()
        log = await Log.open(keys)
        await log.me.until(lambda: pane(log).startswith("Orders "))
        await log.me.until(
            lambda: "✓ update When 2026-01-15 12:00:00 By ops Server http://127.0.0.1" in pane(log)
        )
        await me.type("create")
        await me.press("enter", "enter")
        await (await Dialog(me).shown("Create: Orders")).cancel()
        await me.press("escape", key_for(Place.JOURNAL, "find"))
        await me.type("nowhere")
        await me.until("Nothing matches.")
        await log.me.until(lambda: pane(log) == "")


async def test_a_pane_that_is_low_leaves_out_what_the_grants_allow(node: Node) -> None:
    key_id, _ = node.add_key("All of it", tuple(grant.key for grant in MOMENTUM))
    async with signed_in(node, (WIDE, 24)) as keys:
        await keys.go_to("All of it")
        await keys.me.until(f"ID {key_id}")
        await keys.me.until("-w- Modify Webhooks r-- View Templates")
        await keys.go_to(LABEL)
        await keys.me.until("r-- View Metrics GET on /api/v1/metrics")


@pytest.mark.usefixtures("verifies_once")
async def test_one_key_and_many_on_their_way(node: Node) -> None:
    async with signed_in(node, LEAST_WIDE) as keys:
        rotate = await begin_rotating(keys)
        await rotate.me.until(lambda: "Grants View Metrics" in pane(rotate))
        await rotate.me.until(lambda: "Predecessor " in pane(rotate))
        await rotate.create(node)
        await rotate.me.until(
            lambda: pane(rotate).startswith("✓ The server accepts the key. ✓ View Metrics: granted")
        )
        await rotate.me.until(lambda: "Successor " in pane(rotate))
        await rotate.press("undo")
        await (await Dialog(keys.me).shown("Undo")).press_button("Delete successor")
        await keys.me.until("Undone:")
        await rotate.leave()
        await keys.me.press("a")
        bulk = await with_marked(keys, "rotate")
        node.fail("POST", API, "503-html")
        await bulk.begin(command="sh -c 'cat >/dev/null' {id}", password=node.password)
        await bulk.over("failed")
        await bulk.me.until(
            lambda: "✗ No new key was seen so far: the server failed with status 503" in pane(bulk)
        )
        await keys.me.pilot.resize_terminal(*NARROW)
        await keys.me.until("✗ No new key was seen so far")
        assert not bulk.me.screen.query_one(FactsPane).region


async def test_a_pane_that_is_too_long_is_scrolled_by_keys(node: Node) -> None:
    key_id, _ = node.add_key("All of it", tuple(grant.key for grant in MOMENTUM))
    async with signed_in(node, (WIDE, 16)) as keys:
        me = keys.me
        await keys.go_to("All of it")
        await me.until("ctrl+↑ ↓ Facts")
        cursor_line = keys.cursor_line.partition("  ")[0]
        assert key_id not in me.text
        await me.press(*["ctrl+down"] * 9)
        await me.until(lambda: key_id in me.text)
        assert keys.cursor_line.startswith(cursor_line), "the list stays where it was"
        await me.press(*["alt+up"] * 9)
        await me.until("r-- View Metrics")
        await keys.go_to(LABEL)
        await me.until(lambda: "Facts" not in me.footer)
        form = await keys.new()
        await me.until(lambda: "Facts" not in me.footer)
        await form.give("View Metrics", "View Webhooks", "View Templates", "Send via SMTP")
        await me.until("ctrl+↑ ↓ Facts")
        await form.go_to("label")
        await me.press(*["ctrl+down"] * 20)
        await me.until("All of it")
        await me.pilot.resize_terminal(*NARROW)
        await me.until(lambda: "Facts" not in me.footer)
