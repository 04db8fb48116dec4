"""The servers that are known: the first start, choosing one, and what a profile changes."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from textual.widgets import Input

from tests.colours import contrast
from tests.conftest import NodeMaker
from tests.driver import NOW, WIDE, Keys, Login, Operator, Page, at_login, running
from tests.node import Node
from tests.screens.test_pictures_of_screens import add, quiet, take
from tui.config.known_servers import KnownServers
from tui.config.last_used import LastUsed, ServerUse
from tui.config.profile import Profile
from tui.journal import Journal
from tui.ui.app import KeysApp
from tui.ui.screens.keys import KeysScreen
from tui.ui.screens.login import SignInDefaults, defaults_of


def profile(name: str, node: Node, **settled: object) -> Profile:
    """Return the profile of a node, whose password a command prints."""
    values = {"user": node.username, "password_command": ("printf", node.password), **settled}
    return Profile(name, node.url, **values)  # type: ignore[arg-type]  # fields of any type


def app_with(*profiles: Profile, started: Profile | None = None) -> KeysApp:
    by_name = {profile.name: profile for profile in profiles}
    servers = KnownServers(profiles=by_name, started=started)
    return KeysApp(servers=servers, now=lambda: NOW)


async def at_keys_of(me: Operator, node: Node) -> Keys:
    """Sign in with the password that the command prints."""
    await me.until("printed by printf")
    await me.settle()
    await me.press("enter")
    return await Keys(me).shown()


async def test_the_first_start() -> None:
    async with running(KeysApp(servers=KnownServers())) as me:
        await me.until("You need the server's address")
        await take(Page(me), "welcome")
        await me.type("ftp://mail")
        await me.press("enter")
        await me.until("Only https:// and http:// addresses work")
        await me.press("end", "ctrl+u")
        await me.type("momentum.example")
        await me.press("enter")
        await me.until("User name")
        assert Login(me).field("server").value == "momentum.example"


@pytest.mark.parametrize("size", [(40, 10), (60, 15)])
async def test_small_terminals_have_all_of_it(size: tuple[int, int], node: Node) -> None:
    async with running(KeysApp(servers=KnownServers()), size) as me:
        await me.until("Server")
        assert "Go on" in me.text
        assert me.screen.focused is Page(me).field("server").query_one(Input)
    many = [profile(f"server-{number}", node) for number in range(30)]
    async with running(app_with(*many), size) as me:
        await me.until("server-0")
        await me.press("end")
        await me.until("Another one")
        assert "Choose" in me.text


async def test_servers_to_choose_from(node_with: NodeMaker) -> None:
    node = quiet(node_with)
    names = [
        profile("prod", node, color="red", read_only=True),
        profile("prod-eu", node, user=""),
        profile("staging", node),
    ]
    async with running(app_with(*names)) as me:
        await me.until("Which server?")
        await take(Page(me), "servers")
        await me.press("escape")
        await me.until(lambda: Login(me).field("server").value == "")


async def test_a_long_address_leaves_read_only_in_sight() -> None:
    url = f"https://{'a-long-name.' * 4}example.com"
    prod = Profile("cluster-with-a-rather-long-name", url, user="operations", read_only=True)
    async with running(app_with(prod, Profile("test", "https://test.example"))) as me:
        await me.until("Which server?")
        [line] = [line for line in me.lines if prod.name in line]
        assert "read-only" in line


@pytest.mark.parametrize("color", ["red", "yellow", "green", "cyan", "blue", "magenta"])
async def test_the_bar_has_the_colour_of_the_server(node_with: NodeMaker, color: str) -> None:
    node = quiet(node_with)
    add(node, "Billing mailer", "transmissions/view", 611)
    prod = profile("prod", node, color=color, read_only=True)
    async with running(app_with(prod, started=prod), WIDE) as me:
        await at_keys_of(me, node)
        assert "prod · read-only" in me.lines[0]
        if color == "red":
            await take(Page(me), "keys-production")
        bar = me.screen.query_one(".top-bar--place").styles
        assert contrast(*(c.rich_color.get_truecolor() for c in (bar.color, bar.background))) >= 4.5
        assert bar.background == me.screen.query_one("TopBar > Horizontal").styles.background


async def test_another_server_takes_the_theme_and_the_lock_along(node_with: NodeMaker) -> None:
    one, other = node_with(), node_with()
    first = profile("one", one, theme="light", lock_after=60.0)
    app = app_with(first, profile("other", other, color="blue"), started=first)
    async with running(app) as me:
        await at_keys_of(me, one)
        assert (app.theme, app._idle_lock.after_seconds) == ("light", 60)
        await me.press("ctrl+n")
        await me.until("Choosing one signs you out of")
        await me.press("down", "enter")
        await at_keys_of(me, other)
        assert (app.theme, app._idle_lock.after_seconds) == ("momentum", 15 * 60)
        assert app.has_class("-bar-blue")
        await me.press("S")
        await me.until("User name")
        assert app.has_class("-bar-blue"), "it is still that server's form"


async def test_another_address_in_the_form_is_not_the_profiles_server(
    node_with: NodeMaker,
) -> None:
    own, other = node_with(), node_with()
    prod = profile("prod", own, color="red", deliver={"vault": "vault kv put x key=-"})
    app = app_with(prod, started=prod)
    async with running(app) as me:
        await me.until("printed by printf")
        page = Login(me)
        await page.fill("server", other.url)
        await page.submit()
        await me.until("This is needed to sign in.")
        assert other.seen("POST", "/api/v1/authenticate") == 0, "it was not sent the password"
        await page.fill("password", other.password)
        await page.submit()
        keys = await Keys(me).shown()
        assert "prod" not in me.lines[0]
        assert not app.has_class("-bar-red")
        screen = keys.me.screen
        assert isinstance(screen, KeysScreen)
        assert not screen.delivery_memory.commands


async def test_the_secret_of_a_client_comes_from_its_file(
    node_with: NodeMaker, tmp_path: Path
) -> None:
    node = node_with(require_client=True)
    file = tmp_path / "secret"
    file.write_text(f"{node.client_secret}\n")  # the test's own file
    prod = profile("prod", node, client_id=node.client_id, client_secret_file=file)
    async with running(app_with(prod, started=prod)) as me:
        await at_keys_of(me, node)


async def test_one_server_under_two_addresses_has_one_memory(node: Node, tmp_path: Path) -> None:
    home = Journal(tmp_path / "journal.jsonl", now=lambda: NOW)
    other = node.url.replace("127.0.0.1", "localhost")
    for url, known_as in ((node.url, ""), (other, node.url)):
        prod = replace(profile("prod", node), url=url, known_as=known_as)
        servers = KnownServers(profiles={"prod": prod}, started=prod)
        async with running(KeysApp(servers=servers, now=lambda: NOW, journal=home)) as me:
            keys = await at_keys_of(me, node)
            form = await keys.new()
            secret = await form.create(f"From {url}", node.password)
            await secret.write(tmp_path / url[-12:].replace(":", ""))
            await me.until("Written to")
    home.wait()
    assert {entry.server for entry in home.read().entries} == {node.url}


async def test_a_new_key_is_for_the_subaccount_of_the_profile(node_with: NodeMaker) -> None:
    node = node_with(edition="sparkpost")
    prod = profile("prod", node, subaccount=102)
    async with running(app_with(prod, started=prod), WIDE) as me:
        keys = await at_keys_of(me, node)
        form = await keys.new()
        assert form.field("subaccount").value == "102"
        await me.until("of 14")
        await form.create("Reports", node.password, "Metrics: Read-only")
        assert node.keys()[-1].subaccount_id == 102


async def test_a_profile_without_a_command_signs_in_as_ever(node: Node) -> None:
    prod = profile("prod", node, password_command=())
    async with at_login(defaults_of(prod)) as page:
        await page.fill("password", node.password)
        await page.sign_in()


def use(url: str, name: str = "", user: str = "") -> ServerUse:
    return ServerUse(url, name, user)


def test_the_order_of_what_is_offered() -> None:
    last = LastUsed()
    last.servers = (use("https://typed", user="ann"), use("https://b", "b", "bob"))
    profiles = {name: Profile(name, f"https://{name}") for name in "abc"}
    servers = KnownServers(profiles=profiles, last_used=last)
    offered = [(profile.name, profile.url, profile.user) for profile in servers.choices()]
    assert offered == [
        ("b", "https://b", "bob"), ("a", "https://a", ""), ("c", "https://c", ""),
        ("", "https://typed", "ann"),
    ]  # fmt: skip
    assert servers.first is None, "somebody has to choose"
    named = KnownServers(last_used=last, started=Profile(user="carl"))
    assert named.first == Profile(url="https://typed", user="carl")
    assert KnownServers().first == Profile()
    assert KnownServers(last_used=last).first == Profile(url="https://typed", user="ann")


def test_what_is_given_counts_for_the_login() -> None:
    settled = Profile(
        "x", "https://x", user="ann", ca_file=Path("/ca"), client_id="id", allow_http=True
    )
    defaults = defaults_of(settled)
    assert defaults == SignInDefaults(
        "https://x", "ann", ca_file=Path("/ca"), client_id="id", plain_http_allowed=True,
        profile=settled,
    )  # fmt: skip
