"""What the screens say of a successor that the server refuses, and of a session not renewed."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.conftest import NodeMaker
from tests.driver import Dialog, Form
from tests.node import How, Node
from tests.screens.rotation_pages import (
    API,
    SIGN_IN,
    begin_rotating,
    mint,
    select,
    signed_in,
    with_marked,
)

JOBS = ("Job 0", "Job 1", "Job 2", "Job 3")
TOO_LONG: list[How] = ["label-too-long"] * 2
"""The label with its mark, then the plain one."""


@pytest.fixture
def node(node_with: NodeMaker) -> Node:
    """Four keys of one's own, and one with a grant that the server has given up."""
    node = node_with(mint=mint, seeds=False)
    for label in JOBS:
        node.add_key(label)
    node.add_key("Job of old", ("metrics/view", "gone/grant"))
    return node


async def test_a_successor_with_an_unknown_grant_is_refused_and_put_right(node: Node) -> None:
    async with signed_in(node) as keys:
        rotate = await begin_rotating(keys, "Job of old")
        await rotate.try_to_create(node.password)
        await keys.me.until("There is no grant 'gone/grant' to give.")
        await rotate.idle()
        await keys.me.until("Enter tries again; ctrl+e changes the draft.")
        assert "marked" not in rotate.says, "nothing is"
        assert len(node.keys()) == 5
        await rotate.press("change")
        form = Form(keys.me)
        await keys.me.until("Change the successor")
        await form.give("gone/grant")
        await form.save()
        await rotate.shown()
        await rotate.create(node)
        assert len(node.keys()) == 6


async def test_a_successor_whose_label_is_too_long_is_refused(node: Node) -> None:
    async with signed_in(node) as keys:
        rotate = await begin_rotating(keys, "Job 0")
        for how in TOO_LONG:
            node.fail("POST", API, how)
        await rotate.try_to_create(node.password)
        await keys.me.until("A label has at most 16 characters.")
        await rotate.idle()
        assert "marked" not in rotate.says
        assert node.seen("POST", API) == 2
        await rotate.leave()
        await select(keys, "Job 0", "Job 1")
        bulk = await with_marked(keys, "rotate")
        for how in TOO_LONG:
            node.fail("POST", API, how)
        await bulk.begin(password=node.password, command="sh -c 'cat >/dev/null' {id}")
        await bulk.over("1 of 2 · 1 failed · done")
        await keys.me.until(lambda: bulk.states["Job 0"] == "✗·· works label refused")
        await keys.me.until("A label has at most 16 characters.")
        await keys.me.until("Rotate this key alone, and change it there with ctrl+e.")
        await keys.me.press("enter")
        dialog = await Dialog(keys.me).shown("A label has at most 16 characters.")
        assert "marked" not in dialog.says


async def test_a_session_that_is_not_renewed_is_tried_once_for_all_who_wait(
    node: Node, tmp_path: Path
) -> None:
    async with signed_in(node) as keys:
        await select(keys, *JOBS)
        bulk = await with_marked(keys, "rotate")
        await bulk.begin(file=str(tmp_path / "s.env"), password=node.password)
        await bulk.over("4 of 4 · done")
        node.fail("DELETE", API, "hang", 4)
        await bulk.press("finish")
        await bulk.confirm("Delete 4 predecessors?", "Delete predecessors")
        await keys.me.until(lambda: node.held == 4)
        node.expire_sessions()
        node.fail("POST", SIGN_IN, "503-html", 9)
        before = node.seen("POST", SIGN_IN)
        node.release()
        await bulk.over("0 of 4 · 4 failed · done")
        assert node.seen("POST", SIGN_IN) == before + 1
        state = "✓✓✓ works The server failed with status 503"
        await keys.me.until(lambda: bulk.states == dict.fromkeys(JOBS, state))
        node.heal()
        await bulk.press("retry")
        await bulk.over("4 of 4 · done")
        assert len(node.keys()) == 5
