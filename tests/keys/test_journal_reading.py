from __future__ import annotations

import json
import os
import tempfile
import threading
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.keys.conftest import WHEN, file_of, unstored
from tui.journal import Journal, create_records
from tui.ui.widgets.write_request import write_requests

SERVER = "https://mta1.example.com"


@given(st.lists(st.binary(max_size=60) | st.text(max_size=60).map(str.encode)))
def test_what_others_wrote_is_skipped_and_counted(foreign: list[bytes]) -> None:
    lines = [line for each in foreign for line in each.split(b"\n") if line.strip()]
    with tempfile.TemporaryDirectory() as directory:
        journal = Journal(Path(directory, "journal.jsonl"))
        file_of(journal).write_bytes(b"".join(each + b"\n" for each in foreign))
        journal.begin("create", server=SERVER, label="mine")
        assert [entry.label for entry in journal.read().entries] == ["mine"]
        assert journal.read().unreadable == len(lines)


GOOD: dict[str, object] = {
    "when": "2026-01-15T13:00:00.123+01:00",
    "server": SERVER,
    "action": "create",
    "phase": "begun",
    "attempt": "a1",
    "from a later version": [1],
}


@pytest.mark.parametrize(
    ("wrong", "readable"),
    [
        ({}, 1),
        ({"when": "2026-01-15T12:00:00"}, 0),
        ({"when": "0001-01-01T00:00:00+23:00"}, 0),
        ({"when": 5}, 0),
        ({"action": "rotate"}, 0),
        ({"action": ["create"]}, 0),
        ({"phase": None}, 0),
        ({"server": ""}, 0),
        ({"attempt": ""}, 0),
        ({"label": 7}, 0),
    ],
)
def test_a_line_is_read_whole_or_not_at_all(
    wrong: dict[str, object], readable: int, journal: Journal
) -> None:
    file_of(journal).parent.mkdir()
    file_of(journal).write_text(json.dumps(GOOD | wrong) + "\n")
    assert [entry.when for entry in journal.read().entries] == [WHEN] * readable
    assert journal.read().unreadable == 1 - readable


@pytest.mark.parametrize("text", ["[" * 200_000, "9" * 10_000, "null", "[]", '"x"', "\ud800"])
def test_hostile_lines_are_skipped(text: str, journal: Journal) -> None:
    file_of(journal).parent.mkdir()
    file_of(journal).write_bytes(text.encode("utf-8", "surrogatepass"))
    assert journal.read().entries == ()
    assert journal.read().unreadable == 1


def created(journal: Journal, *, key_id: str = "", label: str = "x", short_key: str = "") -> str:
    attempt = journal.begin("create", server=SERVER, username="ops", label=label)
    attempt.done(key_id=key_id, short_key=short_key)
    return attempt.id


def test_created_keys_whose_secret_was_never_stored_are_known(journal: Journal) -> None:
    lost = created(journal, key_id="k1", label="lost")
    stored = journal.begin("create", server=SERVER, label="stored")
    stored.done(key_id="k2")
    stored.stored("Sent to the clipboard.")
    journal.begin("create", server=SERVER, label="refused").refused("The server answered 400.")
    unknown = journal.begin("create", server=SERVER, label="unknown")
    unknown.unknown("The connection broke.")
    crashed = journal.begin("create", server=SERVER, label="crashed")
    journal.begin("update", server=SERVER, key_id="k9", label="edited").done()
    assert [(entry.attempt, entry.phase) for entry in unstored(journal)] == [
        (crashed.id, "begun"),
        (unknown.id, "unknown"),
        (lost, "done"),
    ]
    assert unstored(journal)[2].key_id == "k1"


def test_what_was_deleted_since_needs_no_secret(journal: Journal) -> None:
    created(journal, key_id="k1")
    created(journal, key_id="k2")
    nameless = created(journal, label="n", short_key="9ac1")
    created(journal, label="n", short_key="9ac2")
    elsewhere = journal.begin("create", server="https://other", username="ops")
    elsewhere.done(key_id="k1")
    journal.begin("delete", server=SERVER, key_id="k1").done()
    journal.begin("delete", server=SERVER, key_id="k2").refused("The server answered 403.")
    journal.begin("delete", server=SERVER, key_id="k4", label="n", short_key="9ac2").done()
    assert [(entry.server, entry.key_id) for entry in unstored(journal)] == [
        ("https://other", "k1"),
        (SERVER, ""),
        (SERVER, "k2"),
    ]
    assert unstored(journal)[1].attempt == nameless


def test_deleting_one_key_says_nothing_of_a_create_that_may_not_have_happened(
    journal: Journal,
) -> None:
    journal.begin("create", server=SERVER, label="same")
    journal.begin("delete", server=SERVER, key_id="k1", label="same").done()
    assert len(unstored(journal)) == 1


def test_the_outcome_of_an_attempt_can_be_noted_by_a_later_start(journal: Journal) -> None:
    journal.begin("create", server=SERVER, label="crashed")
    later = Journal(file_of(journal))
    (entry,) = unstored(later)
    later.resume(entry).done(key_id="k1", short_key="9ac1")
    (entry,) = unstored(later)
    assert (entry.key_id, entry.short_key, entry.phase) == ("k1", "9ac1", "done")
    later.resume(entry).stored("Written to /x.")
    assert unstored(later) == []


def test_a_successor_whose_first_lines_are_cut_off_counts_as_stored(journal: Journal) -> None:
    attempt = journal.begin("create", server=SERVER, predecessor="old")
    attempt.done(key_id="new")
    attempt.stored("Written to /x.")
    attempt.proven(True)
    last_only = journal.read().entries[:1]
    assert [record.is_stored for record in create_records(last_only)] == [True]
    assert write_requests(last_only, "") == []


def test_a_file_that_did_not_change_is_parsed_once(journal: Journal) -> None:
    created(journal, key_id="k1")
    snapshot = journal.read()
    assert journal.read() is snapshot
    created(Journal(file_of(journal)), key_id="k2")
    assert [entry.key_id for entry in journal.read().entries] == ["k2", "", "k1", ""]
    assert [entry.key_id for entry in snapshot.entries] == ["k1", ""]


def test_what_waits_to_be_written_is_read_too(
    journal: Journal, monkeypatch: pytest.MonkeyPatch
) -> None:
    created(journal, key_id="k1")
    journal.read()
    with monkeypatch.context() as patch:
        patch.setattr(os, "write", lambda *_: 0)
        journal.begin("delete", server=SERVER, key_id="k1")
        assert [entry.action for entry in journal.read().entries] == ["delete", "create", "create"]
    journal.prepare()
    assert [entry.action for entry in journal.read().entries] == ["delete", "create", "create"]


def test_it_is_read_while_others_write(journal: Journal) -> None:
    created(journal, key_id="k0")
    sizes: list[int] = []

    def read_often() -> None:
        while len(journal.read().entries) < 100:
            sizes.append(len(journal.read().entries))

    reader = threading.Thread(target=read_often, daemon=True)
    reader.start()
    for _ in range(49):
        created(journal, key_id="k")
    reader.join(60)
    assert not reader.is_alive()
    assert sizes == sorted(sizes), "no line is missed while it is being written"
