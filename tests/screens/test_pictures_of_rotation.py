"""What rotating, verifying and the journal look like on an ordinary terminal."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from hashlib import sha256
from pathlib import Path

import pytest

from tests.conftest import NodeMaker
from tests.driver import NARROW, NOW, WIDE, Dialog, Keys, key_for
from tests.moving_picture import MovingPicture
from tests.node import Node
from tests.screens.rotation_pages import (
    API,
    Log,
    begin_rotating,
    signed_in,
    with_marked,
)
from tests.screens.test_pictures_of_screens import take
from tui.keys import verification
from tui.ui.bindings import Place
from tui.ui.widgets import status

BILLING, METRICS, IMPORTER = "Billing mailer", "Nightly metrics export", "Old bounce importer"
KEYS = (
    (IMPORTER, "webhooks/view metrics/view", 1534, "casey"),
    ("Newsletter SMTP relay", "smtp/inject", 803, None),
    (BILLING, "transmissions/view transmissions/modify templates/view metrics/view", 611, None),
    ("Support desk webhooks", "webhooks/view webhooks/modify", 402, None),
    ("Template designers (retiring 2026-01-02)", "templates/view templates/modify", 154, None),
    (METRICS, "metrics/view", 63, None),
    ("Deliverability watch", "metrics/view adaptive-delivery/view", 9, None),
    ("Template designers", "templates/view templates/modify", 13, None),
)


def secret_of(label: str) -> str:
    return sha256(label.encode()).hexdigest()[:40]


@pytest.fixture(autouse=True)
def still(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing depends on the terminal, or on how long something takes."""
    read = verification._read
    monkeypatch.delenv("NO_COLOR", raising=False)
    monkeypatch.setattr(status, "QUIET_SECONDS", 60)
    monkeypatch.setattr(verification, "_read", lambda *probe: replace(read(*probe), seconds=0.012))


@pytest.fixture
def server(node_with: NodeMaker) -> Node:
    """A node with keys such as a mail platform has, on which nothing differs from run to run."""
    made = iter(f"successor {number}" for number in range(99))
    node = node_with(seeds=False, mint=lambda: secret_of(next(made)), now=lambda: NOW)
    for label, grants, days, owner in KEYS:
        node.add_key(
            label,
            tuple(grants.split()),
            owner=owner,
            created_at=NOW - timedelta(days=days),
            secret=secret_of(label),
        )
    return node


async def test_one_key(server: Node) -> None:
    listed = server.keys()
    swapped = {key.id[:8]: sha256(key.label.encode()).hexdigest()[:8] for key in listed}
    async with signed_in(server) as keys:
        rotate = await begin_rotating(keys, BILLING)
        await take(keys, "rotate-plan")
        await rotate.create(server)
        await keys.me.until("verified 4/4")
        await keys.me.until("View Templates: granted 12 ms")
        await keys.me.until(lambda: "u Undo" in keys.me.footer and "Verify" not in keys.me.footer)
        await take(keys, "rotate-secret")
        await rotate.store()
        await rotate.idle()
        await take(keys, "rotate-verified")
        await keys.me.pilot.resize_terminal(*WIDE)
        await take(keys, "rotate-wide")
        await keys.me.pilot.resize_terminal(*NARROW)
        await rotate.press("pause")
        await keys.me.until("The predecessor is paused")
        await rotate.idle()
        await take(keys, "rotate-paused")
        await rotate.press("finish")
        await keys.me.until("Rotated: only")
        await rotate.idle()
        await take(keys, "rotate-done")
        await rotate.leave()
        rotate = await begin_rotating(keys, METRICS)
        await rotate.rotate(server)
        await rotate.press("later")
        await keys.shown()
        await keys.me.until("retiring")
        await log_and_delete(keys)
        await take(keys, "journal", swapped)
        await keys.me.pilot.resize_terminal(*WIDE)
        await take(keys, "journal-wide", swapped)


async def test_one_key_in_motion(server: Node) -> None:
    """The picture with which the README begins."""
    moving = MovingPicture("rotation")
    async with signed_in(server) as keys:
        await keys.go_to(BILLING)
        await moving.add(keys, 2.5)
        rotate = await begin_rotating(keys, BILLING)
        await moving.add(rotate, 2.5)
        await rotate.create(server)
        await moving.add(rotate, 3)
        await rotate.store()
        await rotate.idle()
        await moving.add(rotate, 3)
        await rotate.press("finish")
        await keys.me.until("Rotated: only")
        await rotate.idle()
        await moving.add(rotate, 2.5)
        await rotate.leave()
        await keys.shown()
        await moving.add(keys, 3.5)
    moving.keep()


async def log_and_delete(keys: Keys) -> None:
    delete = await keys.delete(IMPORTER)
    await delete.confirm()
    await keys.me.until("was deleted.")
    await Log.open(keys)


async def test_keys_that_are_retiring(server: Node) -> None:
    async with signed_in(server) as keys:
        rotate = await begin_rotating(keys, METRICS)
        await rotate.rotate(server)
        await rotate.press("later")
        await keys.shown()
        await keys.me.until("retiring")
        await take(keys, "keys-retiring")


async def test_a_key_that_is_paused(server: Node) -> None:
    async with signed_in(server) as keys:
        await keys.go_to(METRICS)
        await keys.me.press(key_for(Place.KEYS, "pause"))
        dialog = await Dialog(keys.me).shown("Pause API Key:")
        await take(dialog, "pause")
        await dialog.press_button("Pause API Key")
        await keys.me.until("is paused: z resumes it.")
        await keys.shown()
        await take(keys, "keys-paused")


async def test_many_keys(server: Node, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    vault = tmp_path / "vault"
    vault.write_text(
        '#!/bin/sh\ncase "$4" in */Support*) echo permission denied; exit 2;; esac\ncat >/dev/null'
    )
    vault.chmod(0o700)
    monkeypatch.setenv("PATH", str(tmp_path), prepend=":")
    async with signed_in(server) as keys:
        await keys.me.press("a")
        bulk = await with_marked(keys, "rotate")
        await take(keys, "rotate-many-plan")
        server.fail("POST", API, "503-html")
        command = "vault kv put -mount=secret momentum/{label} key=-"
        await bulk.begin(command=command, password=server.password)
        await bulk.over("5 of 7 · 2 failed · done")
        await bulk.point_at("Support desk webhooks")
        await take(keys, "rotate-many-done")
        await keys.me.pilot.resize_terminal(*WIDE)
        await take(keys, "rotate-many-wide")


async def test_verifying(server: Node) -> None:
    async with signed_in(server) as keys:
        await keys.go_to(BILLING)
        await keys.me.press(key_for(Place.KEYS, "verify"))
        dialog = await Dialog(keys.me).shown("The server does not show a secret again")
        await dialog.answer(secret_of(BILLING))
        await keys.me.until("View Metrics: granted")
        await keys.me.until("View Templates: granted")
        await keys.me.settle()
        await take(keys, "verify")
