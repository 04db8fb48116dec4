"""Servers of the configuration, and what was used last, in the whole program."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.conftest import NodeMaker
from tests.node import Node
from tests.program.program import FOOTER, Program, StartProgram


@pytest.fixture
def configured(start: StartProgram, tmp_path: Path) -> StartProgram:
    """Starts the program with this configuration."""

    def started(config: str, *arguments: str) -> Program:
        path = tmp_path / "config" / "momentum-keys" / "config.toml"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(config)
        return start(*arguments, env={"XDG_CONFIG_HOME": str(tmp_path / "config")})

    return started


def _footer(program: Program) -> str:
    return next(line for line in program.text.splitlines() if FOOTER in line)


def table(name: str, node: Node, *lines: str) -> str:
    """Return the table of a server whose password a command prints."""
    command = f"password_command = ['printf', '%s', '{node.password}']"
    head = [f"[servers.{name}]", f"url = '{node.url}'", f"user = '{node.username}'", command]
    return "\n".join([*head, *lines, ""])


def test_one_key_signs_in_to_a_known_server(configured: StartProgram, node: Node) -> None:
    program = configured(table("prod", node, "color = 'red'"), "prod")
    program.shows("printed by printf")
    program.press("enter")
    program.at_keys()
    assert "prod · " in program.text


def test_the_only_server_needs_no_naming(configured: StartProgram, node: Node) -> None:
    program = configured(table("prod", node))
    program.shows("printed by printf", node.url)


def test_of_several_servers_one_is_chosen_and_switched(
    configured: StartProgram, node_with: NodeMaker
) -> None:
    one, other = node_with(), node_with()
    program = configured(table("prod", one, "read_only = true") + table("test", other))
    program.shows("Which server?", "prod", "test", "read-only", "Another one")
    program.press("down", "enter")
    program.shows("printed by")
    program.press("enter")
    program.at_keys()
    assert "test · " in program.text
    program.press("ctrl+n")
    program.shows("Choosing one signs you out of")
    program.press("escape")
    program.at_keys()
    program.press("ctrl+n")
    program.shows("Choosing one signs you out of")
    program.press("down", "enter")
    program.shows("printed by", one.url)  # the one used last came first
    program.press("enter")
    program.at_keys()
    assert "prod · read-only · " in program.text
    program.press("q")
    program.leaves()
    path = "/api/v1/authenticate/logout"
    assert other.seen("POST", path) == one.seen("POST", path) == 2, "access and refresh token"


def test_a_server_that_is_only_read_has_no_key_that_changes_one(
    configured: StartProgram, node: Node
) -> None:
    node.add_key("Billing")
    program = configured(table("prod", node, "read_only = true"), "prod")
    program.shows("printed by")
    program.press("enter")
    program.at_keys()
    footer = _footer(program)
    assert not [word for word in ("New", "Edit", "Rotate", "Delete") if word in footer]
    assert "New API Key" not in program.text
    program.press(*"nerfzd", "delete")
    program.press("enter")
    program.shows("API keys › Details", "Esc Back")
    program.press(*"erzd")
    program.shows("Esc Back")
    footer = _footer(program)
    assert not [word for word in ("Edit", "Rotate", "Pause", "Delete") if word in footer]
    program.press("escape")
    program.at_keys()
    program.press("ctrl+p")
    program.send("rotate")
    program.shows("rotate")
    assert "rotate the key" not in program.sentences


def test_a_failing_command_tells_why_and_the_password_can_be_typed(
    configured: StartProgram, node: Node
) -> None:
    config = f"""
        [servers.prod]
        url = "{node.url}"
        user = "{node.username}"
        password_command = ["sh", "-c", "echo hunter2; echo it is locked >&2; exit 2"]
    """
    program = configured(config, "prod")
    program.shows("printed by")
    program.press("enter")
    program.shows("No password was read", "failed (exit 2). It said: it is locked")
    program.send(f"{node.password}\r")
    program.at_keys()


def test_no_other_server_or_user_gets_the_password(
    configured: StartProgram, node_with: NodeMaker
) -> None:
    own, other = node_with(), node_with()
    program = configured(table("prod", own), "prod", "--url", other.url)
    program.shows("Password", other.url)
    assert "printed by" not in program.sentences
    program.press("enter")
    program.shows("This is needed to sign in.")


def test_a_journal_elsewhere_and_a_look_of_ones_own(
    configured: StartProgram, node: Node, tmp_path: Path
) -> None:
    settled = f"journal = '{tmp_path}/elsewhere.jsonl'\nascii = true\nlock_after = 0\n"
    program = configured(settled + table("prod", node), "prod")
    program.shows("printed by")
    program.press("enter")
    program.shows("API keys", "Permissions")
    program.press("J")
    program.wait_for(lambda now: "elsewhere.jsonl" in "".join(now.split()))  # it may be wrapped
    assert "›" not in program.text


def test_a_list_that_is_longer_than_is_settled_is_not_read(
    configured: StartProgram, node: Node
) -> None:
    for _ in range(300):
        node.add_key("x" * 4_000)
    program = configured("list_limit = 1\n" + table("prod", node), "prod")
    program.shows("printed by")
    program.press("enter")
    program.shows("The answer is too large", "stopped at 1 MiB", "set `list_limit`")


def test_the_options_win_over_the_profile(configured: StartProgram, node: Node) -> None:
    program = configured(table("prod", node), "prod", "--username", "somebody")
    program.shows("somebody", node.url)


def test_a_first_start_is_friendly_and_the_second_remembers(
    start: StartProgram, node: Node, tmp_path: Path
) -> None:
    program = start()
    program.shows("Welcome", "You need the server's address", "momentum-keys --sandbox")
    program.press("enter")
    program.shows("Type its address.")
    program.send(f"{node.url}\r")
    program.shows("Sign in", "User name")
    program.send(f"{node.username}\t{node.password}\r")
    program.at_keys()
    program.press("q")
    program.leaves()
    path = tmp_path / "momentum-keys" / "last-used.json"
    assert path.stat().st_mode & 0o777 == 0o600
    assert node.password not in path.read_text()
    again = start()
    again.shows("Password", node.url, node.username)
    again.send(f"{node.password}\r")
    again.at_keys()


def test_nothing_is_remembered_where_that_is_not_wanted(
    configured: StartProgram, node: Node, tmp_path: Path
) -> None:
    path = tmp_path / "momentum-keys" / "last-used.json"
    path.parent.mkdir()
    path.write_text(json.dumps({"version": 1, "servers": [{"url": "https://last.example"}]}))
    program = configured("remember = false\n", "--url", node.url, "--username", node.username)
    program.sign_in(node)
    assert not path.exists()


def test_a_sandbox_starts_without_a_configuration_that_has_a_fault(
    configured: StartProgram,
) -> None:
    program = configured('theme = "light\n', "--sandbox")
    program.shows("Sandbox on this machine", "The configuration isn't used:")
    program.shows("quotation")
