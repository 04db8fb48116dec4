from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack

import pytest

from tests.node import Node
from tests.sandbox.visitor import Visitor

Nodes = Callable[..., Visitor]
"""Starts a node with the options of `Node`."""


@pytest.fixture
def start() -> Iterator[Nodes]:
    """Starts nodes and returns somebody who calls them; all end with the test."""
    node: Callable[..., Node] = Node
    with ExitStack() as stack:

        def start(**options: object) -> Visitor:
            return stack.enter_context(Visitor(stack.enter_context(node(**options))))

        yield start


@pytest.fixture
def visitor(start: Nodes) -> Visitor:
    return start()
