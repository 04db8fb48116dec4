"""The journal on the screen: what was done, newest first, and never a secret."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.conftest import NodeMaker
from tests.driver import WIDE, Dialog, key_for
from tests.keys.conftest import unstored
from tests.node import Node
from tests.screens.rotation_pages import API, LABEL, Log, begin_rotating, mint, signed_in
from tui.journal import Journal
from tui.ui.bindings import Place
from tui.ui.widgets.search_row import SearchRow

ELSEWHERE = (
    '{"when":"2026-01-14T08:00:00+00:00","server":"https://elsewhere.example","username":"ops",'
    '"action":"delete","phase":"done","attempt":"1","label":"Other"}'
)


@pytest.fixture
def node(node_with: NodeMaker) -> Node:
    return node_with(mint=mint)


async def test_what_was_done_and_a_search(node: Node, tmp_path: Path) -> None:
    path = tmp_path / "journal.jsonl"
    async with signed_in(node, WIDE, path) as keys:
        log = await Log.open(keys)
        assert "The journal has no entries yet." in log.says
        await log.leave()
        form = await keys.new()
        secret_page = await form.create("Dashboard", node.password)
        secrets = [secret_page.secret]
        await secret_page.stored()
        rotate = await begin_rotating(keys)
        await rotate.create(node)
        secrets.append(rotate.secret)
        await rotate.store()
        await rotate.press("finish")
        await keys.me.until("Rotated: only")
        await rotate.leave()
        delete = await keys.delete("Dashboard")
        await delete.confirm()
        await keys.me.until("was deleted.")
        log = await Log.open(keys)
        assert log.says.count("Thu 15 January 2026") == 1
        lines = [line for line in log.me.lines if "12:00  ✓" in line]
        assert [(line.split()[2], LABEL in line) for line in lines] == [
            ("delete", False),
            ("update", True),
            ("delete", True),
            ("create", True),
            ("create", False),
        ]
        assert log.says.count("stored: ") == 2
        assert str(path) in log.says.replace(" ", "")
        await log.me.type("CREATE AND dashb")
        await log.me.until("1 of 5 requests")
        assert log.says.count("12:00 ✓") == 1
        assert "create" in log.me.line_with("12:00  ✓")
        await log.me.type(" AND nowhere")
        await log.me.until("Nothing matches.")
        await log.me.press("escape")
        await log.me.until("5 requests")
        assert log.says.count("12:00 ✓") == 5
        await log.me.type("dashboard -delete")
        await log.me.press("enter", "/", "end", "backspace")
        await log.me.until("/ dashboard -delet ")
        await log.me.press("enter", "escape")
        await log.me.until("5 requests")
        assert not any(secret in log.says for secret in secrets)
        assert not any(secret in path.read_text() for secret in secrets)
        await log.leave()


async def test_a_delivery_that_failed_before_another_one_worked(node: Node, tmp_path: Path) -> None:
    async with signed_in(node) as keys:
        rotate = await begin_rotating(keys)
        await rotate.create(node)
        await rotate.press("write")
        dialog = await Dialog(keys.me).shown("Write the secret to a file")
        await keys.me.paste(str(tmp_path / "missing" / "secret"))
        assert dialog.field("answer").value == str(tmp_path / "missing" / "secret")
        await keys.me.press("enter")
        await keys.me.until("no directory")
        await keys.me.paste(str(tmp_path / "secret"))
        await keys.me.press("enter")
        await keys.me.until("✓ Written to")
        await rotate.press("stored")
        await keys.me.until("Both keys work.")
        await rotate.leave()
        log = await Log.open(keys)
        assert "✓ create" in " ".join(log.me.line_with("create").split())
        assert "stored: written to" in log.says
        assert "failed" not in log.says
        await log.me.type("create")
        await log.me.press("enter", "down", "enter")
        dialog = await Dialog(log.me).shown("Other tries")
        assert "The delivery failed: no directory." in dialog.says
        await dialog.cancel()


async def test_a_secret_that_was_never_stored(node: Node, tmp_path: Path) -> None:
    path = tmp_path / "journal.jsonl"
    async with signed_in(node, journal=path) as keys:
        rotate = await begin_rotating(keys)
        node.fail("POST", API, "500")
        await rotate.try_to_create(node.password)
        await keys.me.until("No new key was seen so far")
        await rotate.idle()
        await keys.me.press("enter")
        await keys.me.until("The server accepts the key.")
    with path.open("a") as journal:
        journal.write(f"torn\n{ELSEWHERE}\n")
    async with signed_in(node, journal=path) as keys:
        log = await Log.open(keys)
        assert log.says.count("secret never stored") == 1
        assert log.says.count("unknown") == 1, "it may still come"
        assert "1 line unreadable" in log.says
        assert "ops@elsewhere.example" in log.me.line_with("Other")
        await log.me.press("down", "down", "up")  # the cursor stays in the search
        assert log.me.screen.query_one(SearchRow).is_typed_in
        await log.leave()


async def test_a_line_of_a_newer_version_is_a_doubt(node: Node, tmp_path: Path) -> None:
    path = tmp_path / "journal.jsonl"
    key_id, _ = node.add_key("Made here")
    journal = Journal(path)
    attempt = journal.begin("create", server=node.url, label="Made here")
    attempt.done(key_id=key_id)
    async with signed_in(node, journal=path) as keys:
        await keys.go_to("Made here")
        assert "never stored: r replaces" in keys.cursor_line
    newer = path.read_text().splitlines()[-1].replace('"done"', '"escrowed"')
    with path.open("a") as file:
        file.write(f"{newer}\n")
    async with signed_in(node, journal=path) as keys:
        await keys.go_to("Made here")
        assert "never stored" not in keys.says
        assert "perhaps stored: see J" in keys.cursor_line
        assert "1 line of the journal can't be understood: a newer version" in keys.says
        log = await Log.open(keys)
        assert "never stored" not in log.says
        assert "perhaps stored" in log.me.line_with("Made here")
        await log.leave()


async def test_a_secret_that_was_stored_before_the_program_was_left(
    node: Node, tmp_path: Path
) -> None:
    path = tmp_path / "journal.jsonl"
    async with signed_in(node, journal=path) as keys:
        form = await keys.new()
        await form.create("One", node.password)
        await keys.me.press(key_for(Place.ANYWHERE, "leave"))
        dialog = await Dialog(keys.me).shown("Have you stored the secret?")
        await dialog.press_button("I have stored it")
        await keys.me.until(lambda: keys.me.app._exit)
    assert [entry.phase for entry in Journal(path).read().entries] == ["stored", "done", "begun"]
    assert unstored(Journal(path)) == []


async def test_a_journal_that_cannot_be_written_is_told_for_as_long_as_that_is_so(
    node: Node, tmp_path: Path
) -> None:
    path = tmp_path / "journal.jsonl"
    path.mkdir()
    async with signed_in(node, journal=path) as keys:
        assert "what you do is not being noted (is a directory)" in keys.says
        path.rmdir()
        form = await keys.new()
        secret_page = await form.create("One", node.password)
        await secret_page.stored()
        assert "not being noted" not in keys.says
    phases = [entry.phase for entry in Journal(path).read().entries]
    assert phases == ["stored", "done", "begun"]
    assert Journal(path).read().entries[0].detail == "By the operator's own word."


async def test_a_hostile_label(node: Node) -> None:
    node.add_key("[@click=app.quit]x[/] \x1b]0;pwned\x07")
    async with signed_in(node, WIDE) as keys:
        await keys.me.press("end", key_for(Place.KEYS, "delete"))
        await keys.me.until("Delete API Key:")
        await keys.me.press("tab", "enter")
        await keys.me.until("was deleted.")
        log = await Log.open(keys)
        assert "[@click=app.quit]x[/] ␛]0;pwned␇" in log.says
        assert not {"\x1b", "\x07"} & set(log.me.text)
        await log.leave()


async def test_what_is_cut_is_shown_whole_by_enter(node: Node, tmp_path: Path) -> None:
    path = tmp_path / "journal.jsonl"
    why = "The server failed with status 503, and this is more than a line has room for."
    Journal(path).begin("create", server=node.url, label="Orders").refused(why)
    async with signed_in(node, (60, 20), path) as keys:
        log = await Log.open(keys)
        assert "room for" not in log.says
        await log.me.press("enter", "down", "enter")
        dialog = await Dialog(keys.me).shown("Create: Orders")
        assert why in dialog.says
        await dialog.me.press("escape", "escape", "escape")
        await keys.shown()


async def test_the_journal_of_a_key_stands_below_a_wide_list(node: Node, tmp_path: Path) -> None:
    path = tmp_path / "journal.jsonl"
    async with signed_in(node, WIDE, path) as keys:
        form = await keys.edit(LABEL)
        await form.fill("label", "Hourly metrics export")
        await form.save()
        await keys.me.until("was updated")
        await keys.me.until("Journal of Hourly metrics export")
        assert "2026-01-15 12:00 ✓ update" in keys.says
        await keys.me.press("home")
        await keys.me.until("The journal of this host has no entry about it.")
