from __future__ import annotations

import asyncio
import json
import os
import stat
import subprocess
import sys
import tempfile
from datetime import UTC, timedelta, timezone
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.keys.conftest import WHEN, file_of
from tui.journal import LONGEST, Journal, JournalEntry, journal_at_home, journal_path

SERVER = "https://mta1.example.com"


def lines_of(journal: Journal) -> list[dict[str, str]]:
    return [json.loads(line) for line in file_of(journal).read_text("ascii").splitlines()]


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def test_a_create_leaves_a_line_for_each_thing_that_became_known(journal: Journal) -> None:
    attempt = journal.begin(
        "create", server=SERVER, username="ops", label="Billing", predecessor="1"
    )
    attempt.done(key_id="k1", short_key="9ac1")
    attempt.stored("Written to /x.")
    first, done, stored = reversed(journal.read().entries)
    assert first == JournalEntry(
        WHEN, SERVER, "ops", "create", "begun", attempt.id, "", "Billing", predecessor="1"
    )
    assert done == JournalEntry(
        WHEN, SERVER, "ops", "create", "done", attempt.id, "k1", "Billing", "9ac1", predecessor="1"
    )
    assert (stored.phase, stored.key_id, stored.detail) == ("stored", "k1", "Written to /x.")
    assert journal.problem == ""
    assert lines_of(journal)[1] == {
        "when": "2026-01-15T12:00:00.123+00:00",
        "server": SERVER,
        "username": "ops",
        "action": "create",
        "phase": "done",
        "attempt": attempt.id,
        "key_id": "k1",
        "label": "Billing",
        "short_key": "9ac1",
        "predecessor": "1",
    }


def test_without_a_path_it_is_kept_in_memory() -> None:
    journal = Journal(None)
    journal.begin("delete", server=SERVER, key_id="1").refused("The server answered 403.")
    assert [entry.phase for entry in journal.read().entries] == ["refused", "begun"]
    assert journal.problem == ""


def test_there_is_no_field_for_a_secret() -> None:
    assert set(JournalEntry.__slots__) == {
        "when", "server", "username", "action", "phase", "attempt", "key_id", "label", "short_key",
        "detail", "predecessor", "valid_ips",
    }  # fmt: skip


def test_whatever_a_server_calls_a_short_key_it_is_cut(journal: Journal) -> None:
    journal.begin("create", server=SERVER).done(short_key="0123456789" * 4)
    assert journal.read().entries[0].short_key == "012345678901"


def test_nobody_else_may_look_into_it(journal: Journal) -> None:
    umask = os.umask(0)
    try:
        journal.begin("create", server=SERVER)
    finally:
        os.umask(umask)
    assert mode(file_of(journal)) == 0o600
    assert mode(file_of(journal).parent) == 0o700


def test_a_file_that_others_could_read_is_closed_to_them(journal: Journal) -> None:
    file_of(journal).parent.mkdir()
    file_of(journal).touch()
    file_of(journal).chmod(0o666)
    journal.prepare()
    journal.read()
    assert mode(file_of(journal)) == 0o600


@pytest.fixture
def disk_calls(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """What was asked of the disk, in order."""
    calls: list[str] = []
    write, fsync = os.write, os.fsync

    def noting_write(descriptor: int, data: bytes) -> int:
        calls.append("write")
        return write(descriptor, data)

    def noting_fsync(descriptor: int) -> None:
        calls.append("fsync")
        fsync(descriptor)

    monkeypatch.setattr(os, "write", noting_write)
    monkeypatch.setattr(os, "fsync", noting_fsync)
    return calls


def test_each_line_is_one_write_and_on_the_disk_before_anything_goes_on(
    journal: Journal, disk_calls: list[str]
) -> None:
    journal.begin("create", server=SERVER, label="ü" * LONGEST).done()
    assert disk_calls == ["write", "fsync"] * 2


async def test_lines_that_nobody_waits_for_go_to_the_disk_together(
    journal: Journal, disk_calls: list[str]
) -> None:
    attempt = journal.begin("create", server=SERVER, label="one")
    attempt.done(key_id="k1")
    attempt.stored("Written to /x.")
    async with asyncio.timeout(60):
        while len(Journal(journal.path).read().entries) < 3:  # noqa: ASYNC110  # told by a thread
            await asyncio.sleep(0.005)
    await journal.settled()
    assert disk_calls == ["write", "fsync"]


@given(st.text(st.characters(codec=None), max_size=40), st.text(max_size=40))
def test_any_label_comes_back_and_holds_nothing_that_a_terminal_acts_on(
    label: str, detail: str
) -> None:
    with tempfile.TemporaryDirectory() as directory:
        journal = Journal(Path(directory, "journal.jsonl"))
        journal.begin("create", server=SERVER, label=label, predecessor=detail)
        written = file_of(journal).read_bytes()
        (entry,) = journal.read().entries
    assert (entry.label, entry.predecessor) == (label, detail)
    assert written.count(b"\n") == 1
    assert written.rstrip(b"\n").decode("ascii").isprintable()


def test_a_label_of_a_megabyte_is_cut(journal: Journal) -> None:
    journal.begin("create", server=SERVER, label="x" * 2**20)
    assert len(journal.read().entries[0].label) == LONGEST
    assert file_of(journal).stat().st_size < 2 * LONGEST


def test_a_torn_line_costs_no_other(journal: Journal) -> None:
    journal.begin("create", server=SERVER, label="before")
    with file_of(journal).open("ab") as file:
        file.write(b'{"when":"2026-01-15T12:00:00+00:00","serv')
    journal.begin("create", server=SERVER, label="after")
    assert [entry.label for entry in journal.read().entries] == ["after", "before"]
    assert journal.read().unreadable == 1


def test_a_journal_that_is_not_there_yet_is_empty(journal: Journal) -> None:
    assert journal.read().entries == ()
    assert journal.problem == ""
    journal.prepare()
    assert journal.read().entries == ()
    assert file_of(journal).exists()


WRITER = """
import sys
from pathlib import Path
from tui.journal import Journal
journal = Journal(Path(sys.argv[1]))
for number in range(int(sys.argv[3])):
    journal.begin("create", server="s", label=sys.argv[2] * 500 + str(number)).done(key_id="1")
assert not journal.problem, journal.problem
"""


def test_several_programs_write_at_once(journal: Journal) -> None:
    path, times = str(journal.path), 150
    running = [
        subprocess.Popen([sys.executable, "-c", WRITER, path, name, str(times)])  # noqa: S603  # our own code
        for name in "ab"
    ]
    assert [process.wait(60) for process in running] == [0, 0]
    entries = journal.read().entries
    assert journal.read().unreadable == 0
    for name in "ab":
        mine = [entry for entry in reversed(entries) if entry.label.startswith(name)]
        assert [(entry.label[500:], entry.phase) for entry in mine] == [
            (str(number), phase) for number in range(times) for phase in ("begun", "done")
        ]


def test_times_are_in_utc(journal: Journal) -> None:
    zone = timezone(timedelta(hours=-7))
    local = Journal(journal.path, now=lambda: WHEN.astimezone(zone))
    local.begin("create", server=SERVER)
    assert local.read().entries[0].when == WHEN
    assert local.read().entries[0].when.tzinfo is UTC


def test_where_the_journal_is_follows_the_xdg_rules() -> None:
    name = Path("momentum-keys/journal.jsonl")
    assert journal_path({"XDG_STATE_HOME": "/x/state"}) == Path("/x/state") / name
    home, default = {"HOME": "/home/ops"}, Path("/home/ops/.local/state") / name
    assert journal_path(home) == default
    assert journal_path({**home, "XDG_STATE_HOME": "relative"}) == default
    assert journal_path({**home, "XDG_STATE_HOME": ""}) == default


@pytest.mark.parametrize("environ", [{}, {"HOME": ""}, {"HOME": "here"}, {"XDG_STATE_HOME": "x"}])
def test_without_a_home_nothing_is_written_anywhere_and_that_is_said(
    environ: dict[str, str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    journal = journal_at_home(environ)
    journal.prepare()
    journal.begin("create", server=SERVER)
    assert "only until you leave: HOME names no directory" in journal.problem
    assert len(journal.read().entries) == 1
    assert not list(tmp_path.iterdir())


def test_it_needs_nothing_that_is_slow_to_import() -> None:
    code = "import sys, tui.journal; sys.exit(' '.join({'pydantic', 'httpx', 'textual'} & set(sys.modules)) or None)"  # noqa: E501  # one program
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, check=False, text=True)  # noqa: S603  # our own code
    assert (run.returncode, run.stderr) == (0, "")
