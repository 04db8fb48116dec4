"""One node for all cases of a module, emptied before each."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.keys.rotation.host import empty
from tests.node import Node


@pytest.fixture(scope="module")
def shared() -> Iterator[Node]:
    with Node(seeds=False) as node:
        yield node


@pytest.fixture
def node(shared: Node) -> Iterator[Node]:
    empty(shared)
    yield shared
    shared.heal()
