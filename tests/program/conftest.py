"""Programs that end with the test."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

from tests.node import Node
from tests.program.program import Program, StartProgram


@pytest.fixture
def start(tmp_path: Path) -> Iterator[StartProgram]:
    """Starts the program; what it keeps is the test's own."""
    with ExitStack() as stack:

        def started(*arguments: str, **options: Any) -> Program:  # noqa: ANN401  # as Program takes them
            return stack.enter_context(Program(*arguments, state=tmp_path, **options))

        yield started


@pytest.fixture
def to_node(start: StartProgram, node: Node) -> StartProgram:
    """Starts the program with the address of a node, and the name of its user."""

    def started(*arguments: str, **options: Any) -> Program:  # noqa: ANN401  # as Program takes them
        return start("--url", node.url, "--username", node.username, *arguments, **options)

    return started
