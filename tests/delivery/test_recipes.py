"""Commands on offer for a secret: which there are, in which order, and that each can be run."""

from __future__ import annotations

from pathlib import Path

import pytest

from tui.delivery import CommandDelivery
from tui.delivery.recipes import FOR_PROGRAMS, LAST, Recipe, recipes
from tui.manual import topic

VAULT, PASS = FOR_PROGRAMS[0], FOR_PROGRAMS[2]


def install(folder: Path, *programs: str) -> None:
    for name in programs:
        (folder / name).write_text("#!/bin/sh\n")
        (folder / name).chmod(0o700)


def test_those_of_the_configuration_come_first_then_the_last_one_then_what_is_installed(
    tmp_path: Path,
) -> None:
    install(tmp_path, "vault", "pass")
    named = {"team vault": "vault kv put team/{label} key=-"}
    assert recipes(named, "tee {label}", str(tmp_path)) == (
        Recipe("team vault", "vault kv put team/{label} key=-"),
        Recipe(LAST, "tee {label}"),
        Recipe("vault", VAULT),
        Recipe("pass", PASS),
    )


def test_the_last_one_is_not_offered_twice(tmp_path: Path) -> None:
    install(tmp_path, "pass")
    assert recipes({"mine": "tee x"}, "tee x", str(tmp_path)) == (
        Recipe("mine", "tee x"),
        Recipe("pass", PASS),
    )
    assert recipes({}, PASS, str(tmp_path)) == (Recipe(LAST, PASS),)


def test_without_any_nothing_is_offered(tmp_path: Path) -> None:
    assert recipes({}, "", str(tmp_path)) == ()


@pytest.mark.parametrize("command", FOR_PROGRAMS)
def test_each_can_be_run_as_it_stands_and_is_in_the_manual(
    command: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    install(tmp_path, command.partition(" ")[0])
    monkeypatch.setenv("PATH", str(tmp_path))
    CommandDelivery(command).check(["Billing mailer"], ["Billing mailer", "Relay"])
    assert command in topic("secret").text
