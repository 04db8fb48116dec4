"""Many keys at the keyboard: one plan, one run, and each failure shown beside its key."""

from __future__ import annotations

import csv
import json
import stat
from collections.abc import Callable
from pathlib import Path

import pytest
from textual.widgets import Input

from tests.conftest import NodeMaker
from tests.driver import Dialog, Keys, key_for
from tests.node import Node
from tests.screens.rotation_pages import (
    API,
    SIGN_IN,
    Bulk,
    Rotate,
    forgotten,
    mint,
    select,
    signed_in,
    with_marked,
)
from tui.keys.labels import base_label
from tui.keys.rotation.throttle import Throttle
from tui.ui.bindings import Place

QUIT = key_for(Place.ANYWHERE, "leave")
LEFT_OUT = "\N{EN DASH}"
JOBS = ("Job 0", "Job 1", "Job 2", "Job 3")


@pytest.fixture
def node(node_with: NodeMaker) -> Node:
    """Four keys of one's own, with the same grant."""
    node = node_with(mint=mint, seeds=False)
    for label in JOBS:
        node.add_key(label)
    return node


def ids(node: Node) -> set[str]:
    listed = node.keys()
    return {key.id for key in listed}


def script(folder: Path, text: str) -> Path:
    """Return a program of that text, run by a shell, with a folder `out` to write to."""
    (folder / "out").mkdir()
    path = folder / "put"
    path.write_text(f"#!/bin/sh\nout={folder / 'out'}\n{text}\n")
    path.chmod(0o700)
    return path


async def plan_all(keys: Keys, action: str = "rotate") -> Bulk:
    await keys.me.press("a")
    return await with_marked(keys, action)


async def test_marks_and_the_plan(node_with: NodeMaker) -> None:
    node = node_with()
    node.add_key("Retiring (retiring 2026-01-01)")
    async with signed_in(node) as keys:
        await keys.me.press("home", "space", "down", "shift+down", "shift+down")
        assert [key.label for key in keys.table.marked] == [keys.labels[n] for n in (0, 2, 3, 4)]
        await keys.me.press("a")
        assert keys.counts.startswith("9 keys")
        assert keys.counts.endswith("9 marked ●")
        bulk = await with_marked(keys, "rotate")
        assert "Rotate 9 API keys" in bulk.says
        assert "8 keys will get successors; 3 are not yours." in bulk.says
        assert "OLD_BOUNCE_IMPORTER_KEY=" in bulk.says, "how it will be named in a file"
        assert bulk.states["Retiring (retiring 2026-01-01)"] == f"{LEFT_OUT} retiring already"
        assert [state for state in bulk.states.values() if "not yours" in state] == [
            "··· works not yours: the successor will be, and the server may not let you delete "
            "this key"
        ] * 3
        await bulk.leave()
        assert len(keys.table.marked) == 9, "nothing was done with them"
        assert node.seen("POST", API) == 0


async def test_a_grant_that_the_server_no_longer_knows(node: Node, tmp_path: Path) -> None:
    node.add_key("Job of old", grants=("metrics/view", "gone/grant"))
    async with signed_in(node) as keys:
        bulk = await plan_all(keys)
        await bulk.begin(password=node.password, file=str(tmp_path / "new.env"))
        await bulk.over("4 of 5 · 1 failed")
        assert bulk.table.key is not None
        assert bulk.table.key.label == "Job of old"
        assert "Rotate this key alone, and take the grant away there with ctrl+e." in bulk.says


async def test_what_costs_no_key(node: Node, tmp_path: Path) -> None:
    (tmp_path / "existing.env").touch()
    async with signed_in(node) as keys:
        bulk = await plan_all(keys)
        file, command = bulk.field("file"), bulk.field("command")
        await keys.me.press("enter")
        assert file.error == "Name a new file that ends in .env, .json or .csv, or a command."
        for path, message in (
            (tmp_path / "secrets.txt", "ends in .env, .json or .csv"),
            (tmp_path / "existing.env", "already"),
            (tmp_path / "no" / "where.env", "no"),
        ):
            await bulk.begin(file=str(path))
            assert message in file.error
        await bulk.begin(command="no-such-program {id}")
        assert command.error == "Choose one: a new file or a command."
        await bulk.begin(file="", command="no-such-program {id}")
        assert "There is no program no-such-program here" in command.error
        await bulk.begin(command="cat")
        assert "The command is the same for" in command.error
        await bulk.begin(command="", file=str(tmp_path / "new.env"))
        assert bulk.field("password").error.startswith("Required to securely")
        assert not (tmp_path / "new.env").exists()
        await bulk.begin(password="wrong")
        await keys.me.until("✗ User credentials are invalid.")
        assert keys.me.screen.focused is bulk.field("password").query_one(Input)
        await keys.me.until(lambda: not (tmp_path / "new.env").exists())
        node.fail("POST", SIGN_IN, "500")
        await keys.me.press("enter")
        await keys.me.until("Nothing was created: the server failed with status 500")
        assert node.seen("POST", API) == 0
        await bulk.begin(password=node.password)
        await bulk.over("4 of 4 · done")
        assert (tmp_path / "new.env").read_text().count("JOB_") == 4


def from_env(text: str) -> list[str]:
    return [line.partition("=")[2] for line in text.splitlines() if "=" in line]


def from_json(text: str) -> list[str]:
    return [entry["secret"] for entry in json.loads(text)]


def from_csv(text: str) -> list[str]:
    return [row["secret"] for row in csv.DictReader(text.splitlines())]


READERS: dict[str, Callable[[str], list[str]]] = {
    "env": from_env,
    "json": from_json,
    "csv": from_csv,
}


async def test_to_a_file_of_each_form_then_verified_from_it(node: Node, tmp_path: Path) -> None:
    chosen = ("Job 2", "Job 0")
    async with signed_in(node) as keys:
        for form, read in READERS.items():
            path, old = tmp_path / f"secrets.{form}", ids(node)
            await select(keys, *chosen)
            bulk = await with_marked(keys, "rotate")
            await bulk.begin(file=str(path), password=node.password)
            await bulk.over("2 of 2 · done")
            assert bulk.states == dict.fromkeys(chosen, "✓✓✓ works")
            assert stat.S_IMODE(path.stat().st_mode) == 0o600
            secrets = read(path.read_text())
            owners = [node.store.key_of(secret) for secret in secrets]
            assert {key and base_label(key.label) for key in owners} == set(chosen)
            assert old < ids(node)
            await forgotten(keys.me, *secrets)  # once stored and verified, it is held no more
            await bulk.press("finish")
            await bulk.confirm("Delete 2 predecessors?", "Delete predecessors")
            await bulk.over("2 of 2 · done")
            assert set(bulk.states.values()) == {"✓✓✓ gone"}
            assert sorted(node.labels()) == list(JOBS)
            assert len(old & ids(node)) == 2
            await bulk.leave()
            assert "✓ 2 keys rotated." in keys.says
        await forgotten(keys.me, *secrets)
        bulk = await plan_all(keys, "verify")
        await bulk.begin(file=str(tmp_path / "none.csv"))
        assert "can't be read" in bulk.field("file").error
        await bulk.begin(file=str(path))
        await bulk.over("2 of 2 · done")
        states = dict.fromkeys(chosen, "✓")
        assert bulk.states == {**dict.fromkeys(JOBS, f"{LEFT_OUT} no secret in the file"), **states}
        await bulk.leave()
        assert "2 of 2 keys verified." in keys.says
        await forgotten(keys.me, *secrets)


async def test_three_fail_in_different_ways_and_are_retried(node: Node, tmp_path: Path) -> None:
    put = script(
        tmp_path,
        '[ "$1" = Job-1 ] && [ ! -e "$out/open" ] && { echo "the vault is sealed"; exit 3; }\n'
        'cat > "$out/$1"',
    )
    async with signed_in(node) as keys:
        bulk = await plan_all(keys)
        node.fail("POST", API, "500")  # Job 0
        await bulk.begin(command=f"{put} {{label}}", password=node.password)
        await bulk.over("2 of 4 · 2 failed · done")
        assert bulk.offers == {"close", "retry", "later", "finish"}
        assert list(bulk.states)[:2] == ["Job 0", "Job 1"], "what failed comes first"
        bar = keys.me.line_with("━").strip()
        assert (len(bar), bar.index("✗")) == (76, 38), "half of the bar is of what failed"
        states = bulk.states
        assert states.pop("Job 0").startswith("✗·· works 500, no successor yet")
        assert states.pop("Job 1") == "✓✗· works the vault is sealed"
        assert set(states.values()) == {"✓✓✓ works"}
        await bulk.point_at("Job 1")
        rotate = await open_rotation(keys)
        assert "It said: the vault is sealed" in rotate.says
        secret = rotate.secret
        assert node.store.key_of(secret)
        await keys.me.press("escape")  # the run holds it, so there is nothing to ask
        await keys.me.until("Rotate 4 API keys")
        node.fail("POST", SIGN_IN, "500")
        await bulk.press("retry")
        await (await Dialog(keys.me).shown("Hand the secrets to a command")).press_button("Retry")
        await keys.me.until("Nothing was created")
        await bulk.idle()
        assert "Nothing was created: the server failed with status 500" in bulk.says
        assert len(bulk.states) == 4
        for key in ("escape", QUIT):
            await keys.me.press(key)
            dialog = await Dialog(keys.me).shown("Lose secrets that were not stored?")
            assert "nobody but this program has it" in dialog.says
            await keys.me.press("enter")  # Go back has the focus
            await keys.me.gone("Lose secrets")
        (tmp_path / "out" / "open").touch()
        await bulk.press("retry")
        await (await Dialog(keys.me).shown("Hand the secrets to a command")).press_button("Retry")
        await bulk.over("4 of 4 · done")
        assert (tmp_path / "out" / "Job-1").read_text() == secret
        assert bulk.states == dict.fromkeys(JOBS, "✓✓✓ works")
        node.fail("DELETE", API, "500")
        await bulk.press("finish")
        await bulk.confirm("Delete 4 predecessors?", "Delete predecessors")
        await bulk.over("3 of 4 · 1 failed · done")
        assert len(node.keys()) == 5
        await bulk.press("retry")
        await bulk.over("4 of 4 · done")
        assert node.labels() == ["Job 1", "Job 2", "Job 3", "Job 0"]
        await bulk.leave()
        await forgotten(keys.me, secret)


async def open_rotation(keys: Keys) -> Rotate:
    await keys.me.press("enter")
    return await Rotate(keys.me).shown()


async def test_a_mistyped_command_is_put_right_for_another_try(node: Node, tmp_path: Path) -> None:
    put = script(tmp_path, '[ "$1" = wrong ] && exit 1; cat > "$out/$2"')
    async with signed_in(node) as keys:
        await select(keys, "Job 0", "Job 1")
        bulk = await with_marked(keys, "rotate")
        await bulk.begin(command=f"{put} wrong {{label}}", password=node.password)
        await bulk.over("0 of 2 · 2 failed · done")
        made = ids(node)
        await bulk.press("retry")
        dialog = await Dialog(keys.me).shown("Hand the secrets to a command")
        await dialog.answer("no-such-program {label}")
        await keys.me.until("There is no program no-such-program here")
        await dialog.answer(f"{put} right {{label}}")
        await bulk.over("2 of 2 · done")
        assert bulk.states == dict.fromkeys(("Job 0", "Job 1"), "✓✓✓ works")
        assert ids(node) == made, "the successors that were made get their secrets delivered"
        assert {path.name for path in (tmp_path / "out").iterdir()} == {"Job-0", "Job-1"}


async def test_a_command_that_hangs_is_stopped(node: Node, tmp_path: Path) -> None:
    put = script(
        tmp_path, 'touch "$out/$1"; [ "$1" = Job-0 ] && exec sleep 600; exec cat >/dev/null'
    )
    async with signed_in(node) as keys:
        await select(keys, "Job 0", "Job 1")
        bulk = await with_marked(keys, "rotate")
        await bulk.begin(command=f"{put} {{label}}", password=node.password)
        await keys.me.until((tmp_path / "out" / "Job-0").exists)
        await keys.me.until(lambda: "Stop command" in keys.me.footer)
        await bulk.press("stop_command")
        await bulk.over("1 of 2 · 1 failed · done")
        assert bulk.states["Job 0"] == "✓✗· works stopped"
        await bulk.point_at("Job 0")
        rotate = await open_rotation(keys)
        assert "was stopped. Whether it stored the secret is not known." in rotate.says


async def test_what_enter_and_escape_do_stands_in_the_footer(node: Node, tmp_path: Path) -> None:
    node.add_key("Not to be rotated (retiring 2026-01-01)")
    async with signed_in(node) as keys:
        bulk = await plan_all(keys)
        assert "Enter Begin" in keys.me.footer
        await bulk.point_at("Not to be rotated (retiring 2026-01-01)")
        await keys.me.until(lambda: "Enter Show all" in keys.me.footer)
        await keys.me.press("enter")
        dialog = await Dialog(keys.me).shown("retiring already")
        assert "Can View Metrics" in dialog.says
        await keys.me.until(lambda: "Esc Close" in keys.me.text)
        await dialog.cancel()
        node.fail("POST", API, "hang")
        await bulk.begin(file=str(tmp_path / "s.env"), password=node.password)
        await node.until("POST", API)
        await keys.me.until(lambda: "Esc Stop" in keys.me.footer)
        node.release()
        await bulk.over("4 of 4 · done")
        await keys.me.until(lambda: "Esc Close" in keys.me.footer)
        assert bulk.table.keys[-1].label.startswith("Not to be rotated")
        await bulk.leave()
        bulk = await plan_all(keys, "pause")
        assert bulk.button("close").has_focus
        await keys.me.until(lambda: "ctrl+s Begin" in keys.me.footer)


async def test_one_marked_key_is_handled_as_one_key(node: Node) -> None:
    async with signed_in(node) as keys:
        await select(keys, "Job 2")
        await keys.me.press("home", key_for(Place.KEYS, "rotate"))
        rotate = await Rotate(keys.me).shown()
        assert " Job 2 r-- any address" in rotate.says


async def test_a_held_secret_is_stored_by_hand(node: Node, tmp_path: Path) -> None:
    put = script(tmp_path, "exit 1")
    async with signed_in(node) as keys:
        await select(keys, "Job 0", "Job 1")
        bulk = await with_marked(keys, "rotate")
        await bulk.begin(command=f"{put} {{label}}", password=node.password)
        await bulk.over("0 of 2 · 2 failed · done")
        assert "finish" not in bulk.offers
        await bulk.point_at("Job 0")
        rotate = await open_rotation(keys)
        secret = rotate.secret
        await rotate.store()
        await rotate.press("close")
        await keys.me.until("Rotate 2 API keys")
        assert bulk.states["Job 0"] == "✓✓✓ works"
        before = node.keys()
        await bulk.press("later")
        await bulk.confirm("Lose secrets that were not stored?", "Lose them")
        await keys.shown()
        assert node.keys() == before, "nothing is written to keep both"
        assert [base_label(label) for label in node.labels()].count("Job 1") == 2
        await forgotten(keys.me, secret)


async def test_pause_go_on_and_stop(node: Node, tmp_path: Path) -> None:
    async with signed_in(node) as keys:
        bulk = await plan_all(keys)
        node.fail("POST", API, "hang")
        await bulk.begin(file=str(tmp_path / "s.env"), password=node.password)
        await node.until("POST", API)
        await bulk.press("pause")
        await keys.me.until("paused: p goes on")
        node.release()
        await keys.me.until(lambda: bulk.states.get("Job 0") == "✓✓✓ works")
        assert bulk.states["Job 1"] == "··· works"
        node.fail("POST", API, "hang", times=2)
        await bulk.press("pause")
        await node.until("POST", API, 3)
        await bulk.press("close")
        await bulk.confirm("Stop the run?", "Stop")
        node.release()
        await bulk.over("3 of 4 · stopped")
        for label in JOBS[:3]:
            labels = [base_label(label) for label in node.labels()]
            assert labels.count(label) == 2, "the keys under way were seen to their ends"
        assert len(node.keys()) == 7
        await bulk.leave()
        assert "3 successors made. The old keys still work: f deletes them." in keys.says
        assert "Not begun: 1 key." in keys.says


async def test_rate_limits_slow_it_down(
    node: Node, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    waits: list[float] = []

    async def wait(throttle: Throttle, seconds: float) -> None:
        waits.append(seconds)
        throttle._resume_at = 0

    monkeypatch.setattr(Throttle, "_wait", wait)
    async with signed_in(node) as keys:
        bulk = await plan_all(keys)
        node.fail("POST", API, "429", times=3)
        await bulk.begin(file=str(tmp_path / "s.json"), password=node.password)
        await bulk.over("4 of 4 · done")
        assert [round(seconds, 1) for seconds in waits] == [1.0, 1.0, 1.0, 0.8, 0.6, 0.5]
        assert node.seen("POST", API) == 7
        assert [base_label(label) for label in node.labels()] == [*JOBS, *JOBS]


async def test_later_then_many_are_finished(node: Node, tmp_path: Path) -> None:
    async with signed_in(node) as keys:
        bulk = await plan_all(keys)
        await bulk.begin(file=str(tmp_path / "s.csv"), password=node.password)
        await bulk.over("4 of 4 · done")
        await bulk.press("later")
        await keys.shown()
        assert "4 successors made. The old keys still work: f deletes them." in keys.says
        assert keys.says.count("retiring, f deletes") == 4
        bulk = await plan_all(keys, "finish")
        assert "4 predecessors will be deleted; their successors stay." in bulk.says
        assert list(bulk.states.values()).count(f"{LEFT_OUT} a successor: it stays") == 4
        assert bulk.button("close").has_focus, "Enter deletes nothing"
        await Dialog(keys.me).press_button("Delete predecessors")
        await bulk.over("4 of 4 · done")
        await bulk.leave()
        assert node.labels() == list(JOBS)
        assert "4 of 4 rotations finished." in keys.says


async def test_unverified_successors_are_decided_on_together(node: Node, tmp_path: Path) -> None:
    node.add_key("Limited", valid_ips=("127.0.0.0/8",))
    async with signed_in(node) as keys:
        bulk = await plan_all(keys)
        assert "works from 1 address range" in bulk.states["Limited"]
        node.fail("GET", "/api/v1/metrics", "500", times=2)
        await bulk.begin(file=str(tmp_path / "s.csv"), password=node.password)
        await bulk.over("3 of 5 · 2 failed · done")
        assert bulk.offers == {"close", "retry", "later", "finish"}
        await bulk.press("finish")
        await bulk.confirm("Delete 3 predecessors?", "Delete predecessors")
        await bulk.confirm("Delete 2 predecessors of unverified successors?", "Keep them")
        await bulk.over("3 of 5 · 2 failed · done")
        assert len(node.keys()) == 7
        await bulk.press("finish")
        dialog = await Dialog(keys.me).shown("Delete 2 predecessors of unverified successors?")
        assert "were not verified" in dialog.says
        await dialog.press_button("Delete those")
        await bulk.over("5 of 5 · done")
        assert sorted(node.labels()) == [*JOBS, "Limited"]


async def test_deleting_many_wants_their_number(node: Node) -> None:
    node.add_key("Sender", ("smtp/inject",))
    async with signed_in(node) as keys:
        await select(keys, "Job 1", "Job 2", "Sender")
        bulk = await with_marked(keys, "delete")
        assert "1 of them can send mail" in bulk.says
        for number in ("", "2"):
            await bulk.begin(number=number)
            assert bulk.field("number").error == "Type 3 to delete so many keys."
        assert len(node.keys()) == 5
        node.fail("DELETE", API, "500")
        await bulk.begin(number="3")
        await bulk.over("2 of 3 · 1 failed · done")
        await bulk.press("retry")
        await bulk.over("3 of 3 · done")
        assert set(bulk.states.values()) == {"✓"}
        assert node.labels() == ["Job 0", "Job 3"]
        await bulk.leave()
        assert "3 of 3 keys deleted." in keys.says


async def test_the_session_ends_in_the_middle_of_a_run(node: Node, tmp_path: Path) -> None:
    async with signed_in(node) as keys:
        bulk = await plan_all(keys)
        await bulk.begin(file=str(tmp_path / "s.env"), password=node.password)
        await bulk.over("4 of 4 · done")
        node.end_sessions()
        await bulk.press("finish")
        await bulk.confirm("Delete 4 predecessors?", "Delete predecessors")
        dialog = await Dialog(keys.me).shown("Your session has ended")
        await dialog.answer(node.password)
        await bulk.over("4 of 4 · done")
        assert node.labels() == list(JOBS)
