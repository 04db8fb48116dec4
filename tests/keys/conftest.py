"""Somebody signed in to a node, a journal in a file of its own, and what tests ask of both."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from datetime import UTC, datetime
from pathlib import Path

import pytest
from pydantic import SecretStr

from tests.node import Node
from tui.api.address import parse_server
from tui.api.client import Client
from tui.api.grants import MOMENTUM
from tui.api.session import Session
from tui.journal import Journal, JournalEntry, create_records
from tui.keys.service import KeyService
from tui.keys.verification import Proof, Verdict, Verification

WHEN = datetime(2026, 1, 15, 12, 0, 0, 123_000, tzinfo=UTC)
"""What the journal's clock shows."""

ALL = tuple(grant.key for grant in MOMENTUM)


class Naps:
    """Sleeps without sleeping, and remembers for how long; `then` may do something at each."""

    def __init__(self, then: Callable[[int], None] = lambda _: None) -> None:
        self.taken: list[float] = []
        self._then = then

    async def __call__(self, seconds: float) -> None:
        self.taken.append(seconds)
        self._then(len(self.taken))
        await asyncio.sleep(0)


def unstored(journal: Journal) -> list[JournalEntry]:
    """The newest line of each create whose secret was not stored, newest create first."""
    records = create_records(reversed(journal.read().entries))
    return [record.unstored for record in reversed(records) if record.unstored is not None]


def verdicts(verification: Verification) -> dict[str, Verdict]:
    return {proof.grant: proof.verdict for proof in verification.proofs}


def proof(verification: Verification, grant: str) -> Proof:
    return next(proof for proof in verification.proofs if proof.grant == grant)


def file_of(journal: Journal) -> Path:
    """Return the journal's file, with all that was noted so far in it."""
    assert journal.path is not None
    journal.wait()
    return journal.path


@pytest.fixture
async def client(node: Node) -> AsyncIterator[Client]:
    client = Client(parse_server(node.url), deadline=20)
    yield client
    await client.aclose()


@pytest.fixture
def journal(tmp_path: Path) -> Journal:
    return Journal(tmp_path / "state" / "journal.jsonl", now=lambda: WHEN)


@pytest.fixture
async def service(node: Node, client: Client, journal: Journal) -> KeyService:
    session = Session(client)
    await session.enter_with_token(node.username, SecretStr(node.token()))
    return KeyService(session, journal)
