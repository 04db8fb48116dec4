"""The model in the suite: it repeats itself, it sees what a broken program does, it finds no fault.

What must hold in every weather, and what does not, is printed by `python -m tests.model`.
"""

from __future__ import annotations

import pytest
from pydantic import SecretStr

from tests.model.breaking import without_guard
from tests.model.episode import ACTIONS, Spec, walk
from tests.model.operator import MortalJournal
from tests.model.server import HABITS
from tests.model.shrinking import kept
from tui.api import client
from tui.api.client import Client
from tui.api.models import KeyDraft

ALONE = frozenset({*(f"b{number}" for number in range(ACTIONS)), "twins", "edits", "creates"})
CALM = frozenset({"kills", *HABITS})


def test_an_episode_can_be_repeated() -> None:
    assert walk(Spec(4)).trace == walk(Spec(4)).trace


def test_its_name_says_all_of_it() -> None:
    spec = Spec(4, frozenset({"late", "a3"}))
    assert Spec.parse(str(spec)) == spec


@pytest.mark.parametrize("seed", range(6))
def test_one_operator_in_calm_weather(seed: int) -> None:
    result = walk(Spec(seed, ALONE | CALM))
    assert not result.violations, "\n".join(result.trace)


@pytest.mark.parametrize("seed", range(12))
def test_two_operators_in_all_weathers(seed: int) -> None:
    result = walk(Spec(seed))
    assert not result.violations, "\n".join(result.trace)


@pytest.mark.parametrize("spec", kept(), ids=str)
def test_what_once_went_wrong(spec: Spec) -> None:
    result = walk(spec)
    assert not result.violations, "\n".join(result.trace)


def test_a_program_that_deletes_other_keys_is_caught(monkeypatch: pytest.MonkeyPatch) -> None:
    delete_key = Client.delete_key

    async def delete_two(
        self: Client, key_id: str, credential: SecretStr | None, subaccount: int | None = None
    ) -> None:
        others = [key for key in (await self.list_keys(credential)).keys if key.id != key_id]
        await delete_key(self, key_id, credential, subaccount)
        for other in others[:1]:
            await delete_key(self, other.id, credential)

    monkeypatch.setattr(Client, "delete_key", delete_two)
    met = {kind for seed in range(6) for kind in walk(Spec(seed, ALONE | CALM)).kinds}
    assert {"deleted unnamed", "label without a key"} <= met


def test_a_program_without_its_guard_is_caught() -> None:
    with without_guard():
        met = {kind for seed in (20006, 20010, 20038) for kind in walk(Spec(seed)).kinds}
    assert {"deleted unnamed", "deleted in work", "label without a key"} <= met


def test_a_program_that_notes_nothing_is_caught(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(MortalJournal, "note", lambda journal, entry: None)
    met = {kind for seed in range(12) for kind in walk(Spec(seed, ALONE | CALM - {"kills"})).kinds}
    assert "untold" in met


def test_a_program_that_wipes_addresses_is_caught(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(client, "_draft_body", _without_addresses)
    met = {kind for seed in range(12) for kind in walk(Spec(seed, ALONE | CALM)).kinds}
    assert "successor unlike" in met


def _without_addresses(draft: KeyDraft) -> object:
    return client._json({"label": draft.label, "grants": draft.grants, "valid_ips": ()})
