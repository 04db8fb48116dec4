"""Create New API Key: what is checked, what is sent, and what becomes of an answer that is lost."""

from __future__ import annotations

from pathlib import Path

import pytest
from pydantic import SecretStr
from starlette.types import Message, Receive, Scope, Send
from textual.widgets import Input

from tests.conftest import NodeMaker
from tests.driver import NARROW, WIDE, Dialog, Form, Secret, at_keys, key_for
from tests.node import How, Node
from tui.api.errors import Unsendable
from tui.api.models import Token
from tui.api.session import Session
from tui.sandbox.sessions import Sessions
from tui.ui.bindings import Place

API, SIGN_IN = "/api/v1/api-keys", "/api/v1/authenticate"
QUIT = key_for(Place.ANYWHERE, "leave")


@pytest.mark.parametrize("size", [NARROW, WIDE], ids=["narrow", "wide"])
async def test_a_key_is_created_and_found_again(node: Node, size: tuple[int, int]) -> None:
    async with at_keys(node, size) as keys:
        form = await keys.new()
        await form.complete("Weekly report", node.password, "View Metrics", "Preview Templates")
        await form.fill("ips", "192.0.2.7, 10.0.0.0/8")
        assert node.password not in form.says
        assert "Grants * 2 of 11" in form.says
        await form.save()
        await keys.me.until("The API key was created")
        if size == WIDE:
            assert "r-- Preview Templates POST on /api/v1/templates From 192.0.2.7" in keys.says
        else:
            assert "Preview Templates, from 192.0.2.7, 10.0.0.0/8" in keys.says
        made = node.keys()[-1]
        assert made.label == "Weekly report"
        assert tuple(made.grants) == ("metrics/view", "templates/preview")
        assert tuple(made.valid_ips) == ("192.0.2.7", "10.0.0.0/8")
        await Secret(keys.me).stored()
        assert keys.cursor_line.startswith("Weekly report")
        await keys.me.until("API key Weekly report was created.")
        await keys.me.press("x")
        await keys.me.gone("was created.")
        assert node.seen("POST", API) == 1


async def test_a_secret_is_written_in_the_form_that_the_file_name_asks_for(
    node: Node, short_folder: Path
) -> None:
    async with at_keys(node) as keys:
        secret_page = await (await keys.new()).create("Weekly report", node.password)
        secret = secret_page.secret
        await keys.me.press(key_for(Place.SECRET, "write"))
        await keys.me.until("WEEKLY_REPORT_KEY=…")
        await keys.me.press("escape")
        await secret_page.shown()
        await secret_page.write(short_folder / "weekly.env")
        await keys.me.until("as WEEKLY_REPORT_KEY, which only you can read.")
        assert f"WEEKLY_REPORT_KEY={secret}\n" in (short_folder / "weekly.env").read_text()
        await secret_page.write(short_folder / "weekly.env")
        await keys.me.until("There is already a file")
        await secret_page.fill("answer", f"{short_folder}/vault/")
        await keys.me.press("enter")
        await keys.me.until("Add a file name to it.")
        assert not (short_folder / "vault").exists()
        await keys.me.press("escape")
        await secret_page.write(short_folder / "weekly.key")
        await keys.me.until("weekly.key, which only you can read.")
        assert (short_folder / "weekly.key").read_text() == f"{secret}\n"
        await secret_page.stored()


async def test_nothing_is_sent_before_everything_is_there(node: Node) -> None:
    async with at_keys(node) as keys:
        form = await keys.new()
        await form.save()
        await form.says_beside("label", "A key needs a label.")
        assert keys.me.screen.focused is form.field("label").query_one(Input)
        await form.says_beside("password", "Required to securely authorize")
        assert "Choose at least one grant" in form.says
        await form.fill("label", "   ")
        await form.save()
        await form.says_beside("label", "A key needs a label.")
        await form.fill("ips", "10.0.0.300, example.com")
        await form.go_to("label")  # leaving the field is enough to hear of it
        await form.says_beside("ips", "10.0.0.300 and 1 other: not an IPv4 address")
        await form.complete("Fine", node.password)
        await form.save()
        await keys.me.until(lambda: keys.me.screen.focused is form.field("ips").query_one(Input))
        assert node.seen("POST", API) == 0
        await form.fill("ips", "")
        await form.save()
        await keys.me.until("The API key was created")


async def test_hints_do_not_hold_anything_up(node: Node) -> None:
    async with at_keys(node) as keys:
        form = await keys.new()
        await form.fill("label", "Billing  MAILER")
        await form.go_to("password")
        await keys.me.until("already has this label.")
        await form.give()
        await keys.me.press(key_for(Place.GRANTS, "give_all"))
        assert "Grants * 11 of 11 ! every grant: choose only what is necessary" in form.says
        await keys.me.press(key_for(Place.GRANTS, "give_all"))
        assert "Grants * 0 of 11" in form.says
        await keys.me.press(key_for(Place.GRANTS, "give_all"))
        await form.fill("password", node.password)
        await form.save()
        await keys.me.until("The API key was created")
        assert len(node.keys()[-1].grants) == 11


async def test_a_key_is_created_in_a_subaccount(node_with: NodeMaker) -> None:
    node = node_with(edition="sparkpost")
    async with at_keys(node, WIDE) as keys:
        form = await keys.new()
        await form.complete("Reports", node.password, "Metrics: Read-only", "IP Pools: Read-only")
        assert "Grants * 2 of 44" in form.says
        await form.fill("subaccount", "reports")
        await form.go_to("ips")
        await form.says_beside("subaccount", "A subaccount is a number")
        await form.fill("subaccount", "102")
        await form.go_to("ips")
        await form.says_beside("subaccount", "1 grant not for keys of this account")
        assert "Grants * 1 of 14" in form.says
        await form.save()
        await keys.me.until("The API key was created")
        made = node.keys()[-1]
        assert (made.subaccount_id, tuple(made.grants)) == (102, ("metrics/view",))
        await Secret(keys.me).stored()
        assert keys.cursor_line.startswith("Reports")
        assert "102" in keys.cursor_line
        assert "API key Reports was created." in keys.says
        form = await keys.new()
        await form.fill("subaccount", "102")
        await form.go_to("ips")
        await form.fill("subaccount", "")
        await form.go_to("ips")
        await keys.me.until("of 44")


async def test_a_server_without_subaccounts_asks_for_none(node_with: NodeMaker) -> None:
    node = node_with(seeds=False)
    async with at_keys(node) as keys:
        assert "Subaccount" not in (await keys.new()).says


async def test_a_wrong_password_creates_nothing(node: Node) -> None:
    async with at_keys(node) as keys:
        form = await keys.new()
        await form.complete("Weekly report", "wrong")
        await form.save()
        await form.says_beside("password", "User credentials are invalid")
        assert node.seen("POST", API) == 0
        assert form.field("label").value == "Weekly report"
        await form.fill("password", node.password)
        await form.save()
        await keys.me.until("The API key was created")
        assert node.seen("POST", API) == 1


async def test_what_is_refused_before_anything_is_sent_leaves_the_form_open(
    node: Node, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Such a refusal comes without any wait, so saving may be over before it is noted."""

    async def check_password(self: Session, password: SecretStr) -> Token:
        raise Unsendable("user name or password")

    async with at_keys(node) as keys:
        form = await keys.new()
        await form.complete("Weekly report", node.password)
        with monkeypatch.context() as patched:
            patched.setattr(Session, "check_password", check_password)
            await form.save()
            await keys.me.until("user name or password")
        await form.save()
        await Secret(keys.me).shown()


async def test_a_password_check_that_hangs_can_be_stopped(node: Node) -> None:
    async with at_keys(node) as keys:
        form = await keys.new()
        await form.complete("Weekly report", node.password)
        node.fail("POST", SIGN_IN, "hang")
        await form.save()
        await keys.me.until("Checking the password · Esc cancels")
        assert "Enter Create" not in keys.me.footer
        await keys.me.press("escape")
        await keys.me.gone("Checking the password")
        node.heal()
        assert form.field("label").value == "Weekly report"
        node.fail("POST", SIGN_IN, "500")
        await form.save()
        await keys.me.until("Nothing was created: the server failed with status 500")
        await keys.me.until("The password could not be checked.")
        assert node.seen("POST", API) == 0
        await form.save()
        await keys.me.until("The API key was created")


@pytest.mark.parametrize(
    ("fault", "sentence"),
    [
        ("before", "No new key was seen so far:"),
        ("500", "No new key was seen so far: the server failed with status 500"),
        ("503-html", "No new key was seen so far: the server failed with status 503"),
        ("429", "The server asks for fewer requests"),
    ],
)
async def test_a_fault_that_creates_nothing(node: Node, fault: How, sentence: str) -> None:
    async with at_keys(node) as keys:
        form = await keys.new()
        await form.complete("Weekly report", node.password)
        node.fail("POST", API, fault)
        await form.save()
        await keys.me.until(sentence)
        assert node.seen("POST", API) == 1, "a create is never repeated by itself"
        assert "Weekly report" not in node.labels()
        assert form.field("label").value == "Weekly report"
        assert form.grants.given == ("metrics/view",)
        await form.save()
        await keys.me.until("The API key was created")
        assert node.labels().count("Weekly report") == 1


async def test_a_key_that_may_have_come_of_it_is_named_and_left_alone(node: Node) -> None:
    async with at_keys(node) as keys:
        form = await keys.new()
        await form.complete("Weekly report", node.password)
        node.fail("POST", API, "after")
        await form.save()
        await keys.me.until("It is not known whether the key was created")
        made = node.keys()[-1]
        assert f"Weekly report {made.short_key}" in form.says
        assert "this may be the new key, or somebody else's" in form.says
        assert node.seen("POST", API) == 1
        assert form.field("label").value == "Weekly report"
        assert node.seen("DELETE", API) == 0


async def test_a_secret_in_half_an_answer_is_kept(node_with: NodeMaker) -> None:
    secret = "0123456789" * 4
    node = node_with(seeds=False, mint=lambda: secret)
    async with at_keys(node) as keys:
        form = await keys.new()
        await form.complete("Weekly report", node.password)
        node.fail("POST", API, "cut")
        await form.save()
        page = await Secret(keys.me).shown()
        assert page.secret == secret
        assert node.seen("POST", API) == 1


@pytest.mark.parametrize("coding", ["none", "utf-8", "gzip", "deflate"])
async def test_a_secret_in_an_answer_that_names_a_wrong_encoding_is_shown(
    node: Node, coding: str
) -> None:
    app = node._faults.app

    async def miscoded(scope: Scope, receive: Receive, send: Send) -> None:
        async def send_miscoded(message: Message) -> None:
            if message["type"] == "http.response.start" and scope["method"] == "POST":
                message["headers"] = [*message["headers"], (b"content-encoding", coding.encode())]
            await send(message)

        await app(scope, receive, send_miscoded)

    async with at_keys(node) as keys:
        form = await keys.new()
        await form.complete("Weekly report", node.password)
        node._faults.app = miscoded
        await form.save()
        page = await Secret(keys.me).shown()
        owner = node.store.key_of(page.secret)
        assert owner is not None
        assert owner.label == "Weekly report"
        assert node.seen("POST", API) == 1


async def test_a_password_check_answered_with_the_token_in_use_ends_nothing(
    node: Node, monkeypatch: pytest.MonkeyPatch
) -> None:
    begin, given = Sessions.open, dict[str, tuple[str, str | None]]()

    def same(sessions: Sessions, username: str, **how: bool) -> tuple[str, str | None]:
        return given.setdefault(username, begin(sessions, username, **how))

    monkeypatch.setattr(Sessions, "open", same)
    async with at_keys(node) as keys:
        form = await keys.new()
        await form.complete("Weekly report", node.password)
        await form.save()
        page = await Secret(keys.me).shown()
        await page.stored()
        node.add_key("Made meanwhile")
        await keys.me.press(key_for(Place.KEYS, "reload"))
        await keys.me.until("Made meanwhile")
        assert "session" not in keys.says


async def test_an_outcome_that_nobody_knows(node: Node) -> None:
    async with at_keys(node) as keys:
        form = await keys.new()
        await form.complete("Weekly report", node.password)
        node.fail("POST", API, "after")
        node.fail("GET", API, "500", times=9)
        await form.save()
        await keys.me.until("It is not known whether the key was created")
        assert node.seen("POST", API) == 1


async def test_while_the_answer_is_awaited_nothing_cuts_it_off(node: Node) -> None:
    async with at_keys(node) as keys:
        form = await keys.new()
        await form.complete("Weekly report", node.password)
        node.fail("POST", API, "hang-after")
        await form.save()
        await node.until("POST", API)
        await keys.me.until("⋯ The key is being created.")
        for key in ("escape", QUIT, "ctrl+c"):
            await keys.me.press(key)
            await keys.me.until("You can leave once the server has answered.")
            assert not keys.me.app._exit
        await form.save()
        node.release()
        await keys.me.until("The API key was created")
        assert node.seen("POST", API) == 1


async def test_an_address_that_the_server_does_not_take_is_told_beside_its_field(
    node: Node, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tui.ui.widgets.draft_form.wrong_ips", lambda _: "")
    async with at_keys(node) as keys:
        form = await keys.new()
        await form.complete("Weekly report", node.password)
        await form.fill("ips", "2001:db8::1")
        await form.save()
        await form.says_beside("ips", "invalid data format/type")
        assert form.field("label").value == "Weekly report"


async def test_masked_fields_give_nothing_away_and_take_nothing_invisible(
    node_with: NodeMaker,
) -> None:
    node = node_with()
    async with at_keys(node) as keys:
        form = await keys.new()
        await form.fill("password", node.password)
        await keys.me.press("home", "shift+end", "ctrl+x")
        assert form.field("password").value == node.password
        field = form.field("password").query_one(Input)
        field.action_copy()
        field.action_cut()
        assert keys.me.app.clipboard == ""
        await form.fill("password", "")
        half = len(node.password) // 2
        await keys.me.paste(f"\u200b{node.password[:half]}\u00a0\u2060{node.password[half:]}\x1b")
        assert form.field("password").value == node.password
        await form.says_beside("password", "Invisible characters were taken out")


async def test_grants_are_chosen_by_presets_and_from_another_key(node: Node) -> None:
    async with at_keys(node) as keys:
        form = await keys.new()
        await form.give()
        await keys.me.press(key_for(Place.GRANTS, "give_reading"))
        assert all(key.endswith("/view") for key in form.grants.given)
        assert len(form.grants.given) == 5
        await keys.me.press(key_for(Place.GRANTS, "give_sending"))
        assert set(form.grants.given) == {"transmissions/modify", "smtp/inject"}
        assert "! sends mail, from any address" in form.says
        await keys.me.press(key_for(Place.GRANTS, "same_as"))
        await Dialog(keys.me).shown("Select the grants of another key")
        await keys.me.type("designers")
        await keys.me.until("1 of 8 keys")
        await keys.me.press("enter")
        await keys.me.until("3 of 11")
        assert set(form.grants.given) == {"templates/view", "templates/modify", "templates/preview"}
        assert form.grants.has_focus


async def test_a_key_like_another_one_is_created(node: Node) -> None:
    node.add_key("Relay", ("smtp/inject",), valid_ips=("10.8.0.0/16",))
    async with at_keys(node) as keys:
        await keys.go_to("Relay")
        await keys.me.press(key_for(Place.KEYS, "new_like"))
        await keys.me.until("Create New API Key")
        form = Form(keys.me)
        assert form.field("ips").value == "10.8.0.0/16"
        assert form.field("label").value == ""
        await form.fill("label", "Second relay")
        await form.fill("password", node.password)
        await form.save()
        await Secret(keys.me).shown()
        made = node.keys()[-1]
        assert (made.label, tuple(made.grants)) == ("Second relay", ("smtp/inject",))
        assert tuple(made.valid_ips) == ("10.8.0.0/16",)


async def test_many_grants_share_the_rows_of_their_resources(node_with: NodeMaker) -> None:
    node = node_with(edition="sparkpost")
    async with at_keys(node, WIDE) as keys:
        form = await keys.new()
        await form.give("Templates: Preview")
        assert "templates [ ] view [ ] modify ▌[x] preview" in form.says
        await form.give("Event Webhooks: Read-only")
        assert set(form.grants.given) == {"templates/preview", "webhooks/view"}
        assert "Event Webhooks: Read-only GET on" in form.says


async def test_a_secret_that_was_sent_nowhere_is_not_dropped_unasked(
    node: Node, tmp_path: Path
) -> None:
    async with at_keys(node) as keys:
        page = await (await keys.new()).create("Weekly report", node.password)
        for key in (key_for(Place.SECRET, "stored"), key_for(Place.SECRET, "close")):
            await keys.me.press(key)
            dialog = await Dialog(keys.me).shown("So far it was sent nowhere.")
            await dialog.cancel()
            assert await page.is_shown()
        await page.write(tmp_path / "key")
        await keys.me.until("Written to")
        await keys.me.press(*2 * [key_for(Place.SECRET, "stored")])
        await keys.shown()
        assert "Weekly report" in keys.labels, "the second one does not sign out"
