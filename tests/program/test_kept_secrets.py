"""A secret outlives the connection: kept where nobody else looks, offered once, then gone."""

from __future__ import annotations

import json
import signal
import stat
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.node import Node
from tests.program.program import Program, StartProgram, answer, until

KEYS = "/api/v1/api-keys"


@pytest.fixture
def runtime(tmp_path: Path) -> Path:
    """The folder in memory that a login session has."""
    folder = tmp_path / "runtime"
    folder.mkdir(mode=0o700)
    return folder


def kept(runtime: Path) -> list[Path]:
    return sorted((runtime / "momentum-keys").glob("*"))


def wrapped(program: Program) -> str:
    """Return what stands on the ordinary screen, which breaks lines anywhere."""
    return "".join(line.ljust(80) for line in program.text.splitlines())


def create(program: Program, node: Node, label: str = "Mailer") -> None:
    program.sign_in(node)
    program.send(f"n{label}\t{node.password}\t\t\t \r")


def show_secret(program: Program, node: Node) -> str:
    create(program, node)
    program.shows("The API key was created")
    return program.secret


def lost_terminal(program: Program) -> None:
    program.hang_up()
    assert program.wait_exit(60) == 129


def signalled(program: Program) -> None:
    program.signal(signal.SIGTERM)
    program.leaves(143)


def test_the_secret_on_the_screen_is_offered_at_the_next_start(
    to_node: StartProgram, node: Node, runtime: Path
) -> None:
    program = to_node()
    secret = show_secret(program, node)
    assert not (runtime / "momentum-keys").exists(), "nothing is written while it can be stored"
    lost_terminal(program)
    (path,) = kept(runtime)
    assert secret in path.read_text()
    assert stat.S_IMODE(path.stat().st_mode) == 0o600

    again = to_node()
    again.sign_in_and_shows(node, "A secret was kept", "The secret of Mailer", "Show it")
    again.press("enter")
    again.shows("This secret was kept for you")
    assert again.secret == secret
    assert answer(node.url, secret) == 200
    again.press("s")
    again.shows("Have you stored the secret?")
    again.press("y")
    again.shows("The secret of Mailer is stored.")
    assert kept(runtime) == []
    again.press("J")
    again.shows("Settings › Journal", "stored: by the operator")
    again.press("escape")
    again.at_keys()
    again.press("q")
    again.leaves()

    last = to_node()
    last.sign_in(node)
    assert "A secret was kept" not in last.text


@pytest.mark.parametrize("end", [lost_terminal, signalled])
@pytest.mark.parametrize("how", ["hang", "hang-after"])
def test_a_create_in_flight_is_seen_out(
    to_node: StartProgram,
    node: Node,
    runtime: Path,
    end: Callable[[Program], None],
    how: str,
) -> None:
    node.fail("POST", KEYS, how)  # type: ignore[arg-type]  # a parameter is a plain str
    program = to_node()
    create(program, node)
    node.wait_held(1)
    if end is lost_terminal:
        program.hang_up()
    else:
        program.signal(signal.SIGTERM)
    assert program.process.poll() is None
    node.release()
    assert program.wait_exit(60) == (129 if end is lost_terminal else 143)
    (path,) = kept(runtime)
    assert answer(node.url, json.loads(path.read_text())["secret"]) == 200
    if end is signalled:
        assert program.left_behind() == []
        assert "was not stored. It is kept in" in wrapped(program)


def test_what_was_kept_can_be_left_for_later_or_forgotten(
    to_node: StartProgram, node: Node, runtime: Path
) -> None:
    program = to_node()
    show_secret(program, node)
    signalled(program)
    again = to_node()
    again.sign_in_and_shows(node, "A secret was kept")
    again.press("escape")
    again.at_keys()
    assert len(kept(runtime)) == 1
    again.press("S")
    again.sign_in_and_shows(node, "A secret was kept")
    again.press("shift+tab", "enter")
    again.shows("Forget 1 secret?")
    again.press("tab", "enter")
    again.at_keys()
    again.wait_for(lambda _: kept(runtime) == [])


CRASHING = """
from tui import cli
from tui.ui.screens.secret import SecretScreen

def broken(self):
    raise ValueError("a fault")

SecretScreen.action_verify = broken
cli.run()
"""


def test_a_fault_of_the_program_keeps_the_secret(
    to_node: StartProgram, node: Node, runtime: Path
) -> None:
    program = to_node(driver=CRASHING)
    secret = show_secret(program, node)
    program.press("v")
    program.leaves(1)
    (path,) = kept(runtime)
    assert secret in path.read_text()
    assert "was not stored. It is kept in" in wrapped(program)


def test_without_such_a_folder_nothing_is_written_and_that_is_said(
    to_node: StartProgram, node: Node, tmp_path: Path
) -> None:
    program = to_node()
    secret = show_secret(program, node)
    signalled(program)
    assert "not stored, and could not be kept for the next start" in wrapped(program)
    assert "there is no XDG_RUNTIME_DIR" in wrapped(program)
    for path in tmp_path.rglob("*"):
        assert path.is_dir() or secret not in path.read_text()


def test_a_secret_that_was_stored_is_not_kept(
    to_node: StartProgram, node: Node, runtime: Path, tmp_path: Path
) -> None:
    program = to_node()
    show_secret(program, node)
    program.press("w")
    program.shows("Write the secret to a file")
    program.send("\x15" + f"{tmp_path}/stored.key\r")
    program.shows("✓ Written to")
    signalled(program)
    assert kept(runtime) == []
    assert "not stored" not in program.text


def test_a_run_over_many_keys_is_stopped_and_its_secrets_are_kept(
    to_node: StartProgram, node: Node, runtime: Path, tmp_path: Path
) -> None:
    vault = tmp_path / "sealed"
    vault.write_text("#!/bin/sh\nexit 1\n")
    vault.chmod(0o700)
    program = to_node()
    program.sign_in(node)
    count = len(node.keys())
    program.press("a", "r")
    program.shows("Create successors")
    program.send(f"{node.password}\t\t{vault} {{id}}\r")
    program.shows("paused: p goes on", "Paused, as no secret could be delivered. ")
    lost_terminal(program)
    made = len(node.keys()) - count
    assert made >= 3  # those that were under way when it paused are made as well
    assert len(kept(runtime)) == made

    again = to_node()
    again.sign_in_and_shows(node, f"{made} secrets were kept", "Write to a file")
    again.press("shift+tab", "enter")
    again.shows("Write the secrets to a file")
    again.send(f"{tmp_path}/rescued.csv\r")
    again.shows(f"{made} secrets written to")
    assert kept(runtime) == []
    rows = [row.split(",") for row in (tmp_path / "rescued.csv").read_text().splitlines()[1:]]
    assert {row[1] for row in rows} == {key.id for key in node.keys()[count:]}
    assert all(secret.startswith(short_key) for *_, short_key, secret in rows)


def test_a_deletion_in_flight_is_seen_out(to_node: StartProgram, node: Node) -> None:
    program = to_node()
    program.sign_in(node)
    count = len(node.keys())
    node.fail("DELETE", KEYS, "hang")
    program.send("d")
    program.shows("Delete API Key")
    program.press("tab", "enter")
    node.wait_held(1)
    program.hang_up()
    node.release()
    assert program.wait_exit(60) == 129
    assert len(node.keys()) == count - 1
    journal = program.state / "momentum-keys" / "journal.jsonl"
    assert json.loads(journal.read_text().splitlines()[-1])["phase"] == "done"


def test_a_command_that_takes_the_secret_is_seen_out(
    to_node: StartProgram, node: Node, runtime: Path, tmp_path: Path
) -> None:
    vault, go_on, started = (tmp_path / name for name in ("vault", "go-on", "started"))
    wait = f"until [ -e {go_on} ]; do sleep 0.02; done"
    vault.write_text(f"#!/bin/sh\necho > {started}\n{wait}\ncat > {tmp_path}/stored\n")
    vault.chmod(0o700)
    program = to_node()
    secret = show_secret(program, node)
    program.press("x")
    program.shows("Hand the secret to a command")
    program.send(f"{vault} {{id}}\r")
    until(started.exists)
    program.signal(signal.SIGTERM)
    go_on.touch()
    program.leaves(143)
    assert (tmp_path / "stored").read_text() == secret
    assert kept(runtime) == [], "it is stored"
    assert "not stored" not in program.text
