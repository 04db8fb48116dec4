"""One node for all cases of a module, emptied before each; the ways in which tasks start."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator

import pytest

from tests.keys.rotation.host import empty
from tests.node import Node

EAGER = getattr(asyncio, "eager_task_factory", None)


@pytest.fixture(
    params=[pytest.param(None, id="lazy"), *([pytest.param(EAGER, id="eager")] if EAGER else [])]
)
async def task_factory(request: pytest.FixtureRequest) -> None:
    """Start tasks as Python does, and as Textual has them start from Python 3.12 on."""
    asyncio.get_running_loop().set_task_factory(request.param)


@pytest.fixture(scope="module")
def shared() -> Iterator[Node]:
    with Node(seeds=False) as node:
        yield node


@pytest.fixture
def node(shared: Node) -> Iterator[Node]:
    empty(shared)
    yield shared
    shared.heal()
