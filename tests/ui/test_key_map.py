"""Other keys for commands: refused where they clash, else in force everywhere."""

from __future__ import annotations

import pytest

from tests.driver import NARROW, Keys, Login, Operator, defaults_for, key_for
from tests.node import Node
from tui.config.profile import Profile
from tui.ui.app import KeysApp
from tui.ui.bindings import COMMANDS, Place
from tui.ui.key_map import COMMANDS_BY_ID, wrong_keys


@pytest.mark.parametrize(
    ("command", "keys", "sentence"),
    [
        ("keys.rotat", "R", "keys.rotat: there is no such command; did you mean keys.rotate?"),
        ("x", "R", "x: there is no such command; momentum-keys help keyboard lists them"),
        ("keys.scroll.1, 0", "R", "there is no such command"),
        ("keys.rotate", "d", "keys.rotate: d is the key of keys.delete, too"),
        ("keys.rotate", "R,delete", "Del is the key of keys.delete, too"),
        ("keys.rotate", "/", "/ is the key of keys.find, too"),
        ("keys.rotate", "f1", "F1 is the key of anywhere.help, too"),
        ("anywhere.palette", "f5", "F5 is the key of keys.reload, too"),
        ("keys.rotate", "j", "j moves the cursor there"),
        ("keys.rotate", "hyper+r", "'hyper+r' is no key, such as R, ctrl+r, f6 or space"),
        ("keys.rotate", "rr", "'rr' is no key"),
        ("keys.rotate", "", "'' is no key"),
        ("keys.rotate", "R,", "'' is no key"),
        ("keys.rotate", "\x1b[A", "is no key"),
        ("keys.rotate", "shift+r", "write the character that is typed, such as R"),
        ("keys.rotate", "ctrl+m", "a terminal sends ctrl+m as enter"),
        ("form.save", "S", "'S' would be typed into a field there"),
        ("login.use_token", "space", "'space' would be typed into a field there"),
        ("anywhere.manual", "m", "'m' would be typed into a field there"),
    ],
)
def test_what_is_refused(command: str, keys: str, sentence: str) -> None:
    assert sentence in wrong_keys({command: keys})[command]


def test_two_that_are_given_the_same_key_are_both_named() -> None:
    wrong = wrong_keys({"keys.rotate": "R", "keys.edit": "R", "keys.new": "Q"})
    assert wrong == {
        "keys.rotate": "keys.rotate: R is the key of keys.edit, too",
        "keys.edit": "keys.edit: R is the key of keys.rotate, too",
    }


@pytest.mark.parametrize(
    "key_map",
    [
        {},
        {"keys.rotate": "d", "keys.delete": "r,delete"},
        {"keys.rotate": "alt+r, ctrl+shift+f5"},
        {"keys.rotate": ","},
        {"rotate.pause": "y", "keys.delete": "D"},
        {"anywhere.leave": "ctrl+x", "form.save": "ctrl+y"},
        {"keys.new": "ctrl+a", "keys.edit": "ctrl+b"},
    ],
)
def test_what_is_taken(key_map: dict[str, str]) -> None:
    assert wrong_keys(key_map) == {}


def test_the_usual_keys_are_no_clash() -> None:
    usual = {id_: command.keys for id_, command in COMMANDS_BY_ID.items()}
    clashes = [fault for fault in wrong_keys(usual).values() if "is the key of" in fault]
    assert clashes == []


def test_nothing_is_on_the_first_key_of_screen_or_tmux() -> None:
    keys = {key for command in COMMANDS for key in command.keys.split(",")}
    assert not keys & {"ctrl+a", "ctrl+b"}


async def test_the_keys_in_force_work_and_are_shown(node: Node) -> None:
    key_map = {"keys.rotate": "d", "keys.delete": "D,f9", "anywhere.help": "f8"}
    key_map |= {"login.use_token": "f7", "rotate.change": "f4", "keys.pause": "Z"}
    assert wrong_keys(key_map) == {}
    app = KeysApp(defaults_for(node, profile=Profile(url=node.url, keys=key_map)))
    async with app.run_test(size=NARROW) as pilot:
        me = Operator(pilot, app)
        await me.until("Sign in")
        keys = await Login(me).sign_in()
        assert "d Rotate" in me.text
        await me.press("f8")
        await me.until("D, F9")
        assert any("d               rotate the key" in line for line in me.lines)
        await me.press("escape")
        await keys.shown()
        await me.press(key_for(Place.ANYWHERE, "manual"), "down")
        await me.until(lambda: any("F7" in line for line in me.lines))
        await me.press("escape")
        await Keys(me).shown()
        await me.press("r")
        await me.settle()
        assert "Rotate" in me.footer, "r does nothing any more"
        await me.press("f9")
        await me.until("Delete API Key:")
        await me.press("escape")
        await keys.shown()
        await me.press("Z")
        await me.until("until Z resumes it")
        await me.press("escape")
        await keys.shown()
        await me.press(key_for(Place.KEYS, "finish"))
        await me.until("Press d to rotate it.")
        await me.press("d")
        await me.until("› Rotate")
        await me.until("F4 changes them.")
        assert app._session is not None
        await app._session.close()
