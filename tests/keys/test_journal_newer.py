"""Lines that this version does not understand: what they may say is doubted, never denied."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import timedelta

import pytest

from tests.keys.conftest import WHEN, file_of
from tui.api.models import Key
from tui.journal import Attempt, CreateRecord, Journal
from tui.keys.key_history import KeyHistory
from tui.keys.listing import Listing
from tui.keys.presence import Presence
from tui.keys.records import Records

SERVER = "https://mta1.example.com"
LABEL = "Relay é"


async def created(journal: Journal, **known: str) -> Attempt:
    attempt = journal.begin("create", server=SERVER, username="ops", label=LABEL)
    attempt.done(**{"key_id": "k1", "short_key": "9ac1"} | known)
    await journal.settled()
    return attempt


def append(journal: Journal, line: str) -> None:
    with file_of(journal).open("a", encoding="utf-8") as file:
        file.write(f"{line}\n")


def line(**fields: object) -> str:
    known: dict[str, object] = {
        "when": "2026-01-15T12:00:00+00:00", "server": SERVER, "username": "ops",
        "action": "create", "phase": "stored", "attempt": "other",
    }  # fmt: skip
    given = {name: value for name, value in (known | fields).items() if value is not None}
    return json.dumps(given, ensure_ascii=False)


async def never_and_perhaps(journal: Journal) -> tuple[list[str], list[str]]:
    keys = [Key(id, LABEL, short, (), None, None, None) for id, short in KEYS]  # noqa: A001
    history = KeyHistory(Journal(file_of(journal)), SERVER, Presence(None, SERVER))
    await history.refresh()
    records = Records(Listing(tuple(keys)), history, {}, "")
    never, perhaps = records.never_stored, records.perhaps_stored
    return [record.key.id for record in never], [record.key.id for record in perhaps]


KEYS = [("k1", "9ac1"), ("k2", "77f0")]


@pytest.mark.parametrize(
    "unknown",
    [
        lambda attempt: line(phase="escrowed", attempt=attempt.id),
        lambda attempt: line(action="deliver", attempt=attempt.id),
        lambda _: line(action="deliver", key_id="k1"),
        lambda _: line(action="deliver", attempt=None, keys=["k1"], key_id="k1"),
        lambda attempt: line(phase="done", attempt=attempt.id, key_id="k1", vault="kv"),
        lambda attempt: line(when=1768478400, attempt=attempt.id),
        lambda attempt: line(detail=["kv"], attempt=attempt.id),
        lambda _: line(action="deliver", attempt=None, short_key="9ac1"),
        lambda _: line(action="deliver", attempt=None, label=LABEL),
        lambda _: line(action="deliver everything", attempt=None),
        lambda _: line(action="deliver everything", attempt=None, server=None),
        lambda attempt: line(attempt=attempt.id)[:-9],
        lambda _: line()[:60],
    ],
)
async def test_a_key_that_an_unknown_line_may_be_about_is_not_shown_as_never_stored(
    unknown: Callable[[Attempt], str], journal: Journal
) -> None:
    attempt = await created(journal)
    assert await never_and_perhaps(journal) == (["k1"], [])
    append(journal, unknown(attempt))
    assert await never_and_perhaps(journal) == ([], ["k1"])


@pytest.mark.parametrize(
    "unknown",
    [
        line(phase="escrowed"),
        line(phase="escrowed", key_id="k9"),
        line(action="deliver everything", attempt=None, server="https://elsewhere.example"),
        "not this program's",
    ],
)
async def test_an_unknown_line_about_something_else_takes_nothing_back(
    unknown: str, journal: Journal
) -> None:
    await created(journal)
    append(journal, unknown)
    assert await never_and_perhaps(journal) == (["k1"], [])


async def test_what_was_created_after_a_line_about_everything_is_known(journal: Journal) -> None:
    await created(journal)
    append(journal, line(action="deliver everything", attempt=None))
    later = Journal(file_of(journal), now=lambda: WHEN + timedelta(seconds=1))
    await created(later, key_id="k2", short_key="77f0")
    assert await never_and_perhaps(journal) == (["k2"], ["k1"])


async def test_a_line_that_was_torn_and_then_written_whole_is_no_doubt(journal: Journal) -> None:
    await created(journal)
    last = file_of(journal).read_text().splitlines()[-1]
    append(journal, last[:40])
    append(journal, last)
    assert await never_and_perhaps(journal) == (["k1"], [])
    assert journal.problem == ""


async def test_a_successor_in_doubt_counts_as_stored_and_not_as_verified(journal: Journal) -> None:
    attempt = journal.begin("create", server=SERVER, label=LABEL, predecessor="k0")
    attempt.done(key_id="k1")
    attempt.proven(True)
    (known,) = await creates(journal)
    assert (known.is_stored, known.is_verified) == (False, True)
    append(journal, line(phase="escrowed", attempt=attempt.id))
    (known,) = await creates(journal)
    assert (known.is_stored, known.is_verified) == (True, False)


async def creates(journal: Journal) -> tuple[CreateRecord, ...]:
    return (await KeyHistory(journal, SERVER, Presence(None, SERVER)).refresh()).creates


async def test_that_lines_are_not_understood_is_shown_as_long_as_they_are_there(
    journal: Journal,
) -> None:
    await created(journal)
    append(journal, line(phase="escrowed"))
    append(journal, line(action="deliver"))
    later = Journal(file_of(journal))
    later.read()
    assert later.problem.startswith("2 lines of the journal can't be understood: a newer version")
