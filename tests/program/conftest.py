"""Programs that end with the test."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import ExitStack
from pathlib import Path

import pytest

from tests.node import Node
from tests.program.program import Program, StartProgram


@pytest.fixture
def start(tmp_path: Path) -> Iterator[StartProgram]:
    """Starts the program; what it keeps is the test's own."""
    with ExitStack() as stack:

        def started(
            *arguments: str, driver: str = "", env: Mapping[str, str] | None = None
        ) -> Program:
            program = Program(*arguments, state=tmp_path, driver=driver, env=env)
            return stack.enter_context(program)

        yield started


@pytest.fixture
def to_node(start: StartProgram, node: Node) -> StartProgram:
    """Starts the program with the address of a node, and the name of its user."""

    def started(*arguments: str, driver: str = "", env: Mapping[str, str] | None = None) -> Program:
        to = ("--url", node.url, "--username", node.username)
        return start(*to, *arguments, driver=driver, env=env)

    return started
