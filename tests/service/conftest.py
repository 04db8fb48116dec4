"""Somebody signed in to a node, and a journal in a file of its own."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from pydantic import SecretStr

from tests.node import Node
from tui.api.address import parse_server
from tui.api.client import Client
from tui.journal import Journal
from tui.service import KeyService
from tui.session import Session


@pytest.fixture
async def client(node: Node) -> AsyncIterator[Client]:
    client = Client(parse_server(node.url), deadline=5)
    yield client
    await client.aclose()


@pytest.fixture
def journal(tmp_path: Path) -> Journal:
    return Journal(tmp_path / "state" / "journal.jsonl")


@pytest.fixture
async def service(node: Node, client: Client, journal: Journal) -> KeyService:
    session = Session(client)
    await session.enter_with_token(node.username, SecretStr(node.token()))
    return KeyService(session, journal)
