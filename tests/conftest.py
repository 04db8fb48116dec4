"""A node for each test that wants one, and an environment that leads nowhere."""

from __future__ import annotations

import gc
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from typing import Any

import pytest

from tests.node import Node

# Textual's trees are large, and looking for garbage in them takes a sixth of the time.
gc.set_threshold(100_000, 50, 50)

NodeMaker = Callable[..., Node]


@pytest.fixture(autouse=True)
def no_proxy(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("http_proxy", "https_proxy", "all_proxy", "no_proxy"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.upper(), raising=False)


@pytest.fixture
def node_with() -> Iterator[NodeMaker]:
    """Starts nodes with the options of `Node`; all end with the test."""
    with ExitStack() as stack:

        def start(**options: Any) -> Node:  # noqa: ANN401  # as Node takes them
            return stack.enter_context(Node(**options))

        yield start


@pytest.fixture
def node(node_with: NodeMaker) -> Node:
    return node_with()
