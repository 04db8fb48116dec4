"""A node for each test that wants one, and an environment that is the same everywhere."""

from __future__ import annotations

import gc
import os
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest
from hypothesis import settings

from tests.node import Node

# A busy host is no fault of what is tested.
settings.register_profile("busy", deadline=None)
settings.load_profile("busy")

# Textual's trees are large, and looking for garbage in them takes a sixth of the time.
gc.set_threshold(100_000, 50, 50)

KEPT = {"LD_LIBRARY_PATH", "PATH", "PICTURES", "README", "TMPDIR", "VIRTUAL_ENV"}
KEPT_PREFIXES = ("COV", "HYPOTHESIS", "PYTEST", "PYTHON")
"""What of the caller's environment the tests may see."""
PINNED = {
    "HOME": "/nonexistent",
    "LANG": "C.UTF-8",
    "TERM": "xterm-256color",
    "TEXTUAL_FPS": "10",  # frames between two keys that nobody looks at take time; see `settle`
    "TZ": "UTC",
}

NodeMaker = Callable[..., Node]


def pytest_configure() -> None:
    """Have the same environment everywhere: no proxy, display, locale or umask of the caller's.

    Here, and not in a fixture, as Textual reads some of it while it is imported.
    """
    for name in set(os.environ) - KEPT:
        if not name.startswith(KEPT_PREFIXES):
            del os.environ[name]
    os.environ.update(PINNED)
    time.tzset()
    os.umask(0o022)


@pytest.fixture
def short_folder() -> Iterator[Path]:
    """A folder whose path is short, wherever temporary files are."""
    with TemporaryDirectory(dir="/tmp") as folder:
        yield Path(folder)


@pytest.fixture
def node_with() -> Iterator[NodeMaker]:
    """Starts nodes with the options of `Node`; all end with the test."""
    with ExitStack() as stack:

        def start(**options: Any) -> Node:  # noqa: ANN401  # as Node takes them
            return stack.enter_context(Node(**options))

        yield start


@pytest.fixture
def verifies_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Have a key that the server does not accept asked about once, and not for eight seconds.

    Among the first keys of a node is one that works from other addresses alone.
    """
    monkeypatch.setattr("tui.keys.verification.FIRST_PAUSE", 60.0)


@pytest.fixture
def repeats_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Have a call that is answered 503 made again at once, and not after seconds."""
    monkeypatch.setattr("tui.api.client.PAUSES", (0.01,))


@pytest.fixture
def node(node_with: NodeMaker) -> Node:
    return node_with()
