"""The journal's file: put aside when it is large, and no trouble where its disk hangs."""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.keys.conftest import file_of, unstored
from tui.journal import Journal, create_records, journal_file

SERVER = "https://mta1.example.com"


@pytest.fixture(autouse=True)
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    """Has a file count as large early."""
    monkeypatch.setattr("tui.journal.journal_file.CAP", 40_000)


def fill(journal: Journal) -> None:
    """Note requests until a new file is begun."""
    inode = file_of(journal).stat().st_ino
    number = 0
    while file_of(journal).stat().st_ino == inode:
        number += 1
        key = journal.begin("delete", server=SERVER, key_id=f"x{number}", label="x" * 500)
        key.done()
        assert number < 1_000, "it was never put aside"


def files(journal: Journal) -> list[Path]:
    return sorted(path for path in file_of(journal).parent.iterdir())


def test_what_is_open_goes_on_in_the_next_file(journal: Journal) -> None:
    lost = journal.begin("create", server=SERVER, label="lost")
    lost.done(key_id="k1", short_key="9ac1")
    crashed = journal.begin("create", server=SERVER, label="crashed")
    successor = journal.begin("create", server=SERVER, label="successor", predecessor="old")
    successor.done(key_id="k2")
    successor.stored("Written to /x.")
    successor.proven(True)
    deletion = journal.begin("delete", server=SERVER, key_id="k3", label="perhaps deleted")
    deletion.unknown("The connection broke.")
    pause = journal.begin("pause", server=SERVER, key_id="k4", label="paused")
    pause.done()
    resumed = journal.begin("pause", server=SERVER, key_id="k5", label="resumed")
    resumed.done()
    journal.begin("resume", server=SERVER, key_id="k5", label="resumed").done()
    for _ in range(3):
        fill(journal)
    entries = journal.read().entries
    assert {entry.attempt for entry in unstored(journal)} == {lost.id, crashed.id}
    record = next(r for r in create_records(reversed(entries)) if r.key_id == "k2")
    assert (record.predecessor, record.is_stored, record.is_verified) == ("old", True, True)
    assert [e.phase for e in entries if e.attempt == deletion.id] == ["unknown", "begun"]
    assert [e.phase for e in entries if e.attempt == pause.id] == ["done", "begun"]
    assert not [e for e in entries if e.attempt == resumed.id]
    assert journal.read().unreadable == 0


def test_what_is_over_stays_in_the_old_file(journal: Journal) -> None:
    deletion = journal.begin("delete", server=SERVER, key_id="k1")
    deletion.done()
    made = journal.begin("create", server=SERVER, label="made and deleted")
    made.done(key_id="k2")
    journal.begin("delete", server=SERVER, key_id="k2").done()
    fill(journal)
    attempts = {entry.attempt for entry in journal.read().entries}
    assert not attempts & {deletion.id, made.id}
    current, aside = sorted(files(journal), key=lambda path: path != file_of(journal))
    assert current == file_of(journal)
    assert deletion.id in aside.read_text()
    assert {path.stat().st_mode & 0o777 for path in (current, aside)} == {0o600}


def test_keys_that_are_there_and_stored_go_on_as_far_as_there_is_room(journal: Journal) -> None:
    attempts = []
    for number in range(100):
        attempt = journal.begin("create", server=SERVER, label=f"key {number} {'x' * 100}")
        attempt.done(key_id=f"k{number}")
        attempt.stored("Written to /x.")
        attempts.append(attempt.id)
    carried = {entry.attempt for entry in journal.read().entries}
    assert attempts[-1] in carried
    assert attempts[0] not in carried
    assert file_of(journal).stat().st_size <= 41_000


def test_lines_of_a_newer_version_go_on(journal: Journal) -> None:
    journal.prepare()
    with file_of(journal).open("ab") as file:
        file.write(b'{"server":"https://mta1.example.com","phase":"paused","key_id":"k9"}\n')
    fill(journal)
    assert b'"paused"' in file_of(journal).read_bytes()
    assert journal.read().unreadable == 1


def test_where_nearly_all_is_open_it_goes_on_growing(journal: Journal) -> None:
    for number in range(100):
        journal.begin("create", server=SERVER, label=f"{number} {'x' * 500}")
    assert len(unstored(journal)) == 100
    assert len(files(journal)) == 1


def test_a_link_that_cannot_be_made_costs_nothing(
    journal: Journal, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refused(*_: object) -> None:
        raise PermissionError

    monkeypatch.setattr(os, "link", refused)
    for number in range(200):
        journal.begin("delete", server=SERVER, key_id=str(number), label="x" * 500).done()
    assert len(journal.read().entries) == 400
    assert journal.problem == ""
    assert len(files(journal)) == 1


WRITER = """
import sys
from pathlib import Path
from tui.journal import Journal, journal_file
journal_file.CAP = 40_000
journal = Journal(Path(sys.argv[1]))
for number in range(int(sys.argv[3])):
    journal.begin("create", server="s", label=sys.argv[2] * 300 + str(number))
    journal.begin("delete", server="s", label=sys.argv[2] * 300 + str(number), key_id="1").done()
assert not journal.problem, journal.problem
"""


def test_several_programs_put_it_aside_and_lose_nothing(journal: Journal) -> None:
    path, times = str(file_of(journal)), 60
    running = [
        subprocess.Popen([sys.executable, "-c", WRITER, path, name, str(times)])  # noqa: S603  # our own code
        for name in "ab"
    ]
    assert [process.wait(60) for process in running] == [0, 0]
    opened = [entry.label for entry in unstored(journal)]
    for name in "ab":
        mine = [label[300:] for label in reversed(opened) if label.startswith(name)]
        assert mine == [str(number) for number in range(times)]


@pytest.fixture
def hanging(monkeypatch: pytest.MonkeyPatch) -> Iterator[threading.Event]:
    """A disk that does not answer until this is set."""
    answers = threading.Event()
    fsync = os.fsync

    def wait(descriptor: int) -> None:
        answers.wait()
        fsync(descriptor)

    monkeypatch.setattr(os, "fsync", wait)
    monkeypatch.setattr("tui.journal.log.FILE_SECONDS", 0.2)
    yield answers
    answers.set()


async def test_a_disk_that_hangs_is_waited_for_once_and_told(
    journal: Journal, hanging: threading.Event
) -> None:
    attempt = journal.begin("create", server=SERVER, label="one")
    await journal.settled()
    assert "does not answer: what you do is not being noted" in journal.problem
    attempt.done(key_id="k1")
    await journal.settled()
    assert journal.read().entries == (), "what can't be read is not made up"
    hanging.set()
    async with asyncio.timeout(60):
        while journal.problem:  # noqa: ASYNC110  # told by a thread
            await asyncio.sleep(0.005)
    assert [entry.phase for entry in journal.read().entries] == ["done", "begun"]


async def test_a_journal_that_is_still_being_read_is_told_until_it_is(
    journal: Journal, hanging: threading.Event, monkeypatch: pytest.MonkeyPatch
) -> None:
    answers, asked = threading.Event(), threading.Event()

    def read_lines_late(*arguments: Any) -> Any:  # noqa: ANN401  # as the function takes them
        asked.set()
        answers.wait()
        return journal_file.read_lines(*arguments)

    monkeypatch.setattr("tui.journal.log.read_lines", read_lines_late)
    journal.begin("create", server=SERVER, label="one")
    await journal.settled()
    assert journal.read().entries == ()
    hanging.set()
    async with asyncio.timeout(60):
        while journal.not_noted or not asked.is_set():  # noqa: ASYNC110  # told by a thread
            await asyncio.sleep(0.005)
    assert "does not answer" in journal.problem
    answers.set()
    async with asyncio.timeout(60):
        while journal.problem:  # noqa: ASYNC110  # told by a thread
            await asyncio.sleep(0.005)
    assert [entry.label for entry in journal.read().entries] == ["one"]


async def test_in_an_event_loop_nothing_is_written_before_it_is_waited_for(
    journal: Journal, hanging: threading.Event
) -> None:
    journal.begin("create", server=SERVER, label="one")  # returns at once
    hanging.set()
    await journal.settled()
    assert [entry.label for entry in Journal(journal.path).read().entries] == ["one"]
