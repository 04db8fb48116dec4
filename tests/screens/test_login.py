"""Signing in: every way in, and every way in which it can be refused."""

from __future__ import annotations

from pathlib import Path

import pytest
from pydantic import SecretStr
from textual.widgets import Input

from tests.conftest import NodeMaker
from tests.driver import NARROW, WIDE, Dialog, Form, Keys, Login, at_keys, at_login, key_for
from tests.node import Node
from tui.ui.bindings import Place
from tui.ui.screens.login import LoginScreen, SignInDefaults

TOKEN = key_for(Place.LOGIN, "use_token")
DETAILS = key_for(Place.LOGIN, "details")
CANCEL = key_for(Place.LOGIN, "cancel")


def typed(page: Login) -> list[str]:
    return [page.field(name).value for name in ("server", "username", "password")]


async def code_asked(page: Login) -> Dialog:
    return await Dialog(page.me).shown("Two-factor code")


@pytest.mark.parametrize("size", [NARROW, WIDE], ids=["narrow", "wide"])
async def test_what_is_typed_signs_in(node: Node, size: tuple[int, int]) -> None:
    async with at_login(SignInDefaults(url=node.url), size) as page:
        assert page.me.screen.focused is page.field("username").query_one(Input)
        await page.me.type(node.username)
        await page.me.press("tab")
        await page.me.type(node.password)
        assert node.password not in page.says
        await page.me.press("enter")
        keys = await Keys(page.me).shown()
        assert f"ops@127.0.0.1:{node.port}" in page.me.lines[0]
        assert "Sign out" in page.me.lines[0]
        assert keys.table.count == 8
        assert keys.me.screen.focused is keys.table


async def test_three_round_trips_in_sequence_after_enter(node: Node) -> None:
    """Each round is let go only when all of its requests have come."""
    api = "/api/v1"
    grants = ("GET", f"{api}/authenticate/grants")
    account = f"{api}/users/{node.username}"
    rounds = [
        [("POST", f"{api}/authenticate")],
        [("GET", f"{account}/two-factor")],
        [("GET", account), grants, ("GET", f"{api}/api-keys")],
    ]
    async with at_login(node, password=None) as page:
        await page.me.type(node.password)
        await node.until(*grants)
        assert node.requests == [grants], "asked while the password is typed"
        node.requests.clear()
        node.fail("*", "/", "hang", 99)
        await page.submit()
        for requests in rounds:
            for request in requests:
                await node.until(*request)
            assert sorted(node.requests) == sorted(requests)
            node.requests.clear()
            node.release()
        keys = await Keys(page.me).shown()
        assert keys.table.count == 8
        assert node.requests == []


async def test_a_failure_of_what_is_asked_meanwhile_is_silent_and_asked_again(node: Node) -> None:
    grants = ("GET", "/api/v1/authenticate/grants")
    node.fail(*grants, "500", 1)
    async with at_login(node, password=None) as page:
        await page.me.type(node.password)
        assert isinstance(page.me.screen, LoginScreen)
        asking = page.me.screen._enforcement._asking
        assert asking is not None
        await page.me.until(asking.done)
        assert node.requests == [grants]
        assert "✗" not in page.says
        await page.sign_in()
        assert node.seen(*grants) == 3, "meanwhile, at the sign-in, and for the list"


async def test_keys_typed_ahead_arrive_in_their_order(node: Node) -> None:
    async with at_login(SignInDefaults(url=node.url)) as page:
        await page.me.press(*node.username, "tab", *node.password, "enter")
        await Keys(page.me).shown()


async def test_an_email_address_signs_in_under_the_servers_name_for_it(node: Node) -> None:
    async with at_keys(node, username="ops@example.com") as keys:
        assert "ops@127.0.0.1" in keys.me.lines[0]


async def test_a_wrong_password_shows_the_servers_words_and_keeps_what_was_typed(
    node: Node,
) -> None:
    async with at_login(node, password=SecretStr("wrong")) as page:
        await page.submit()
        await page.refused("User credentials are invalid.")
        assert typed(page) == [node.url, node.username, "wrong"]
        assert page.me.screen.focused is page.field("password").query_one(Input)
        assert "wrong" not in page.says
        await page.me.press(DETAILS)
        dialog = await Dialog(page.me).shown("status: 400")
        assert "wrong" not in dialog.says
        await dialog.cancel()
        await page.is_back()
        await page.me.type(node.password)  # takes the place of the refused one
        assert typed(page)[2] == node.password
        await page.sign_in()


async def test_what_is_typed_while_signing_in_is_meant_for_the_list(node: Node) -> None:
    node.fail("*", "/", "hang")
    async with at_login(node, password=None) as page:
        await page.go_to("password")
        await page.me.press(*node.password, "enter", "n", *"Ahead", "tab", *"xyz")
        await page.me.until("Signing in · Esc cancels")
        assert typed(page) == [node.url, node.username, node.password]
        assert page.me.screen.focused is None
        assert "Enter Sign in" not in page.me.footer
        node.heal()
        await page.me.until("Create New API Key")
        form = Form(page.me)
        await page.me.until(lambda: form.field("password").value == "xyz")
        assert form.field("label").value == "Ahead"
        assert node.seen("POST", "/api/v1/authenticate") == 1


@pytest.mark.parametrize("ends", ["refused", "stopped"])
async def test_what_is_typed_while_signing_in_goes_nowhere_where_that_fails(
    node: Node, ends: str
) -> None:
    node.fail("*", "/", "hang")
    async with at_login(node, password=SecretStr("wrong")) as page:
        await page.me.press("enter", *"xyz", "enter", "tab", "enter")
        await page.me.until("Signing in · Esc cancels")
        if ends == "stopped":
            await page.me.press("escape")
            await page.me.until("Signing in was cancelled.")
        node.heal()
        if ends == "refused":
            await page.refused("User credentials are invalid.")
        assert typed(page) == [node.url, node.username, "wrong"]
        assert node.seen("POST", "/api/v1/authenticate") <= 1


async def test_what_is_missing_is_told_beside_its_field(node: Node) -> None:
    async with at_login(SignInDefaults(url=node.url)) as page:
        await page.submit()
        await page.me.until("This is needed to sign in.")
        assert page.says.count("This is needed to sign in.") == 2
        assert page.me.screen.focused is page.field("username").query_one(Input)
        assert node.seen("POST", "/") == 0


@pytest.mark.parametrize(
    ("address", "sentence"),
    [
        ("", "There is no address yet"),
        ("ftp://mail.example", "Only https:// and http:// addresses work"),
        ("https://ops:hunter2@mail.example", "The address holds a user name or password"),
        ("https://mail.example:99999", "The port is not a number from 1 to 65535"),
        ("https://mail_example..com", "This is not a host name or an IP address"),
        ("https://mail.example/?x=1", "The address holds a ? or a #"),
        ("https://mail.example/webmail", "The address has a path that is not the API's"),
        ("http://mail.example", "Plain http would show passwords and keys to the network"),
    ],
)
async def test_a_bad_address_is_refused_with_a_sentence(
    node: Node, address: str, sentence: str
) -> None:
    async with at_login(node, url=address) as page:
        await page.submit()
        await page.refused(sentence)
        assert page.me.screen.focused is page.field("server").query_one(Input)
        assert typed(page)[0] == address
        assert "password" not in address or "hunter2" not in page.says.split("Server")[0]


async def test_plain_http_that_was_allowed_stays_on_the_screen_as_a_warning(
    node: Node, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with at_login(node, url="http://mail.example") as page:
        await page.submit()
        await page.refused("start with --allow-http if it must be")
    defaults = SignInDefaults(url="http://192.0.2.2:8899", plain_http_allowed=True)
    async with at_login(defaults) as page:
        assert "passwords and secrets cross the network unprotected" in page.says
        await page.fill("server", "https://192.0.2.2")
        await page.me.press("tab")
        await page.me.gone("unprotected")
        await page.fill("server", "http://mail.example")
        await page.me.press("tab")
        await page.me.until("passwords and secrets cross the network unprotected")
    monkeypatch.setattr("tui.api.address.Server.is_loopback", False)
    async with at_keys(node, plain_http_allowed=True) as keys:
        assert "Plain http: passwords and secrets cross the network unprotected." in keys.says


async def test_a_server_that_is_not_there_and_one_that_was_stopped(node: Node) -> None:
    node.stop()
    async with at_login(node) as page:
        await page.submit()
        await page.refused(f"127.0.0.1:{node.port} refused the connection")
        assert "Check the port, and whether the server is running." in page.says
        assert typed(page) == [node.url, node.username, node.password]
        node.start_again()
        await page.sign_in()


async def test_a_broken_certificate_file_is_told(
    node: Node, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    async with at_login(node, ca_file=Path("none.pem")) as page:
        await page.submit()
        await page.refused("The CA file can't be read")
        await page.refused("none.pem: it does not exist.")


@pytest.mark.parametrize(
    ("fault", "sentence"),
    [
        ("500", "The server failed with status 500"),
        ("503-html", "The server failed with status 503"),
        ("before", "broke the connection"),
        ("cut", "broke the connection"),
        ("429", "The server asks for fewer requests"),
    ],
)
async def test_a_fault_of_the_sign_in_is_told_and_the_next_try_works(
    node: Node, fault: str, sentence: str
) -> None:
    node.fail("POST", "/api/v1/authenticate", fault)  # type: ignore[arg-type]
    async with at_login(node) as page:
        await page.submit()
        await page.refused(sentence)
        assert "openresty" not in page.says
        assert "<" not in page.says
        await page.sign_in()


async def test_a_sign_in_that_hangs_is_stopped_by_esc(node: Node) -> None:
    node.fail("POST", "/api/v1/authenticate", "hang")
    async with at_login(node) as page:
        assert "Cancel" not in page.me.footer
        await page.submit()
        await page.me.until("Signing in · Esc cancels")
        assert "Esc Cancel" in page.me.footer
        await node.until("POST", "/api/v1/authenticate")
        await page.me.press("enter", TOKEN)  # neither does anything meanwhile
        await page.me.press(CANCEL)
        await page.me.until("Signing in was cancelled.")
        assert "✗" not in page.says
        assert "Details" not in page.me.footer
        assert page.me.screen.focused is page.field("password").query_one(Input)
        assert node.seen("POST", "/api/v1/authenticate") == 1
        assert typed(page)[2] == node.password
        node.heal()
        await page.sign_in()


@pytest.mark.parametrize("size", [NARROW, WIDE], ids=["narrow", "wide"])
async def test_two_factor_wrong_then_right(node_with: NodeMaker, size: tuple[int, int]) -> None:
    node = node_with(account="two-factor")
    async with at_login(node, size) as page:
        await page.submit()
        dialog = await code_asked(page)
        await page.me.press("enter")
        await page.me.until("This is needed.")
        await dialog.answer("000000")
        await page.me.until("The code is not valid")
        dialog = await code_asked(page)
        await dialog.answer(f'"{node.code[:3]} {node.code[3:]}"')  # as it was copied
        await Keys(page.me).shown()
        assert node.code not in page.says


async def test_two_factor_given_up_leaves_no_session_behind(node_with: NodeMaker) -> None:
    node = node_with(account="two-factor")
    async with at_login(node) as page:
        await page.submit()
        await (await code_asked(page)).cancel()
        await page.refused("The two-factor code was not entered.")
        assert node.seen("POST", "/api/v1/authenticate/logout") > 0
        await page.submit()
        await (await code_asked(page)).answer(node.code)
        await Keys(page.me).shown()


async def test_a_second_factor_that_must_be_set_up_first(node_with: NodeMaker) -> None:
    async with at_login(node_with(account="two-factor-required")) as page:
        await page.submit()
        await page.refused("This account must have a second factor")
        assert "Sign in to the web interface once" in page.says


async def test_single_sign_on_is_told_and_a_token_goes_on(node_with: NodeMaker) -> None:
    node = node_with(account="single-sign-on")
    async with at_login(node, password=SecretStr("any")) as page:
        await page.submit()
        await page.refused("This account signs in through single sign-on")
        assert "paste it with Access token" in page.says
        assert "Access token" in page.me.footer
        await page.me.press(TOKEN)
        dialog = await Dialog(page.me).shown("Paste the access token")
        await dialog.answer("0123456789")
        await page.me.until("✗ The server does not accept this access token.")
        dialog = await Dialog(page.me).shown("Paste the access token")
        await dialog.answer("né")
        await page.me.until("holds characters that HTTP can't carry")
        dialog = await Dialog(page.me).shown("Paste the access token")
        await dialog.cancel()
        await page.is_back()
        await page.me.press(TOKEN)
        dialog = await Dialog(page.me).shown("Paste the access token")
        await page.me.paste(node.access_token)
        assert node.access_token not in page.says
        await page.me.press("enter")
        keys = await Keys(page.me).shown()
        form = await keys.new()
        assert "Account Password" not in form.says, "there is none to ask for"


async def test_authentication_switched_off_is_asked_about_and_stays_on_the_screen(
    node_with: NodeMaker,
) -> None:
    node = node_with(auth=False)
    async with at_login(SignInDefaults(url=node.url)) as page:
        await page.submit()
        dialog = await Dialog(page.me).shown("Authentication is switched off")
        await page.me.press("enter")  # Cancel has the focus
        await page.is_back()
        await page.submit()
        dialog = await Dialog(page.me).shown("Authentication is switched off")
        await dialog.press_button("Go on")
        keys = await Keys(page.me).shown()
        assert "API keys are not being enforced" in keys.says
        assert keys.me.lines[0].endswith("Leave")
        assert keys.table.count == 8
        form = await keys.new()
        assert "Account Password" not in form.says
        await form.fill("label", "Made without signing in")
        await form.give("View Metrics")
        await form.save()
        await page.me.until("The API key was created")


async def test_a_server_without_keys(node_with: NodeMaker) -> None:
    async with at_login(node_with(key_management=False)) as page:
        await page.submit()
        await page.refused("This server has no API keys")


async def test_a_server_that_wants_a_client_shows_its_fields(node_with: NodeMaker) -> None:
    node = node_with(require_client=True)
    async with at_login(node) as page:
        assert "Client ID" not in page.says
        await page.submit()
        await page.refused("The server does not know this program")
        assert page.me.screen.focused is page.field("client-id").query_one(Input)
        assert "Client ID" in page.says
        assert "Client secret" in page.says
        await page.fill("client-id", node.client_id)
        await page.fill("client-secret", node.client_secret)
        assert node.client_secret not in page.says
        await page.sign_in()


async def test_a_client_that_was_told_shows_its_fields_from_the_start(
    node_with: NodeMaker,
) -> None:
    node = node_with(require_client=True)
    async with at_login(node, client_id=node.client_id) as page:
        assert page.field("client-id").value == node.client_id
        assert page.me.screen.focused is page.field("client-secret").query_one(Input)
        await page.me.paste(node.client_secret)
        await page.sign_in()
    async with at_login(node, client_id=node.client_id, username="") as page:
        assert page.me.screen.focused is page.field("username").query_one(Input)


@pytest.mark.parametrize(
    ("url", "sentence"),
    [
        ("http://ops:hunter2@proxy.example:3128", "Through the proxy http://proxy.example:3128"),
        ("socks5://ops:hunter2@proxy.example", "ALL_PROXY names a socks5 proxy; only http and"),
        ("ops:hunter2@proxy:::", "ALL_PROXY can't be read."),
    ],
)
async def test_the_environments_proxy_is_told_before_anything_is_sent(
    url: str, sentence: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ALL_PROXY", url)
    password = SecretStr("any")
    async with at_login(SignInDefaults("https://mail.example", "ops", password)) as page:
        assert f"! {sentence}" in page.says
        assert "hunter2" not in page.says
        if "can't" in sentence:
            await page.submit()
            await page.refused("The environment's proxy can't be used")
            assert page.says.count(sentence) == 2
            assert "hunter2" not in page.says


async def test_a_person_who_may_not_manage_keys_is_told_so(node_with: NodeMaker) -> None:
    async with at_login(node_with(role="reporting")) as page:
        await page.submit()
        await page.me.until("You are not permitted to do this")
        assert "Managing keys takes the grant api_keys/manage" in page.says
        assert "Try again" in page.says


@pytest.mark.parametrize(
    ("edition", "grants"), [("momentum-4.1", 10), ("momentum-4.2", 11), ("sparkpost", 44)]
)
async def test_every_edition(node_with: NodeMaker, edition: str, grants: int) -> None:
    async with at_keys(node_with(edition=edition)) as keys:
        assert keys.table.count == (11 if edition == "sparkpost" else 8)
        form = await keys.new()
        await form.me.until(f"0 of {grants}")


async def test_the_mouse_signs_in_as_well(node: Node) -> None:
    async with at_login(node) as page:
        await page.me.until(lambda: "Enter Sign in" in page.me.footer)
        await page.me.click("Enter Sign in")
        keys = await Keys(page.me).shown()
        await keys.me.click("Sign out")
        await page.is_back()
