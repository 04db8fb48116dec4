from __future__ import annotations

import json
import os
import stat
import subprocess
import sys
import tempfile
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tui.journal import CAP, LONGEST, Entry, Journal, journal_path

SERVER = "https://mta1.example.com"
WHEN = datetime(2026, 1, 15, 12, 0, 0, 123_000, tzinfo=UTC)


@pytest.fixture
def journal(tmp_path: Path) -> Journal:
    return Journal(tmp_path / "state" / "journal.jsonl", now=lambda: WHEN)


def file_of(journal: Journal) -> Path:
    assert journal.path is not None
    return journal.path


def lines_of(journal: Journal) -> list[dict[str, str]]:
    return [json.loads(line) for line in file_of(journal).read_text("ascii").splitlines()]


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def test_a_create_leaves_a_line_for_each_thing_that_became_known(journal: Journal) -> None:
    attempt = journal.begin(
        "create", server=SERVER, username="ops", label="Billing", detail="successor of 1"
    )
    attempt.done(key_id="k1", short_key="9ac1")
    attempt.stored("Written to /x.")
    begun, done, stored = reversed(journal.entries())
    assert begun == Entry(
        WHEN, SERVER, "ops", "create", "begun", attempt.id, "", "Billing", "", "successor of 1"
    )
    assert done == Entry(
        WHEN, SERVER, "ops", "create", "done", attempt.id, "k1", "Billing", "9ac1", ""
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
    }


def test_without_a_path_it_is_kept_in_memory() -> None:
    journal = Journal(None)
    journal.begin("delete", server=SERVER, key_id="1").refused("The server answered 403.")
    assert [entry.phase for entry in journal.entries()] == ["refused", "begun"]
    assert journal.problem == ""


def test_there_is_no_field_for_a_secret() -> None:
    assert set(Entry.__slots__) == {
        "when", "server", "username", "action", "phase", "attempt", "key_id", "label", "short_key",
        "detail",
    }  # fmt: skip


def test_whatever_a_server_calls_a_short_key_it_is_cut(journal: Journal) -> None:
    journal.begin("create", server=SERVER).done(short_key="0123456789" * 4)
    assert journal.entries()[0].short_key == "012345678901"


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
    assert mode(file_of(journal)) == 0o600


def test_each_line_is_one_write_and_on_the_disk_before_anything_goes_on(
    journal: Journal, monkeypatch: pytest.MonkeyPatch
) -> None:
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
    journal.begin("create", server=SERVER, label="ü" * LONGEST).done()
    assert calls == ["write", "fsync"] * 2


@given(st.text(st.characters(codec=None), max_size=40), st.text(max_size=40))
def test_any_label_comes_back_and_holds_nothing_that_a_terminal_acts_on(
    label: str, detail: str
) -> None:
    with tempfile.TemporaryDirectory() as directory:
        journal = Journal(Path(directory, "journal.jsonl"))
        journal.begin("create", server=SERVER, label=label, detail=detail)
        written = file_of(journal).read_bytes()
        (entry,) = journal.entries()
    assert (entry.label, entry.detail) == (label, detail)
    assert written.count(b"\n") == 1
    assert written.rstrip(b"\n").decode("ascii").isprintable()


def test_a_label_of_a_megabyte_is_cut(journal: Journal) -> None:
    journal.begin("create", server=SERVER, label="x" * 2**20)
    assert len(journal.entries()[0].label) == LONGEST
    assert file_of(journal).stat().st_size < 2 * LONGEST


def test_a_torn_line_costs_no_other(journal: Journal) -> None:
    journal.begin("create", server=SERVER, label="before")
    with file_of(journal).open("ab") as file:
        file.write(b'{"when":"2026-01-15T12:00:00+00:00","serv')
    journal.begin("create", server=SERVER, label="after")
    assert [entry.label for entry in journal.entries()] == ["after", "before"]
    assert journal.unreadable == 1


@given(st.lists(st.binary(max_size=60) | st.text(max_size=60).map(str.encode)))
def test_what_others_wrote_is_skipped_and_counted(foreign: list[bytes]) -> None:
    lines = [line for each in foreign for line in each.split(b"\n") if line.strip()]
    with tempfile.TemporaryDirectory() as directory:
        journal = Journal(Path(directory, "journal.jsonl"))
        file_of(journal).write_bytes(b"".join(each + b"\n" for each in foreign))
        journal.begin("create", server=SERVER, label="mine")
        assert [entry.label for entry in journal.entries()] == ["mine"]
        assert journal.unreadable == len(lines)


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
    assert [entry.when for entry in journal.entries()] == [WHEN] * readable
    assert journal.unreadable == 1 - readable


@pytest.mark.parametrize("text", ["[" * 200_000, "9" * 10_000, "null", "[]", '"x"', "\ud800"])
def test_hostile_lines_are_skipped(text: str, journal: Journal) -> None:
    file_of(journal).parent.mkdir()
    file_of(journal).write_bytes(text.encode("utf-8", "surrogatepass"))
    assert journal.entries() == []
    assert journal.unreadable == 1


def test_of_a_huge_file_the_end_is_read(journal: Journal) -> None:
    line = json.dumps(GOOD | {"label": "x" * 900}).encode() + b"\n"
    file_of(journal).parent.mkdir()
    file_of(journal).write_bytes(b"old\n" + line * (2 * CAP // len(line)))
    journal.begin("create", server=SERVER, label="newest")
    entries = journal.entries()
    assert entries[0].label == "newest"
    assert CAP // len(line) - 1 <= len(entries) <= CAP // len(line) + 1
    assert journal.unreadable == 0


def test_a_journal_that_is_not_there_yet_is_empty(journal: Journal) -> None:
    assert journal.entries() == []
    assert journal.problem == ""
    journal.prepare()
    assert journal.entries() == []
    assert file_of(journal).exists()


def occupied(path: Path) -> None:
    path.mkdir(parents=True)


def linked(path: Path) -> None:
    path.parent.mkdir()
    path.with_name("elsewhere").touch()
    path.symlink_to(path.with_name("elsewhere"))


def piped(path: Path) -> None:
    path.parent.mkdir()
    os.mkfifo(path)


def blocked(path: Path) -> None:
    path.parent.touch()


@pytest.mark.parametrize("spoil", [occupied, linked, piped, blocked])
def test_what_cannot_be_written_keeps_nobody_from_working(spoil: object, journal: Journal) -> None:
    assert callable(spoil)
    spoil(file_of(journal))
    journal.prepare()
    assert journal.problem.startswith(f"The journal {file_of(journal)} can't be written:")
    journal.begin("delete", server=SERVER, key_id="1").done()
    assert [entry.phase for entry in journal.entries()] == ["done", "begun"]
    if spoil is linked:
        assert file_of(journal).read_bytes() == b""


@pytest.mark.parametrize("path", ["/proc/none/journal.jsonl", "/tmp/\0/journal.jsonl"])  # noqa: S108  # never made
def test_no_path_is_too_odd(path: str) -> None:
    journal = Journal(Path(path))
    journal.begin("create", server=SERVER)
    assert journal.problem
    assert journal.problem.isprintable()
    assert len(journal.entries()) == 1


def test_somebody_else_s_file_is_left_alone(
    journal: Journal, monkeypatch: pytest.MonkeyPatch
) -> None:
    file_of(journal).parent.mkdir()
    file_of(journal).touch(0o644)
    owner = os.geteuid()
    monkeypatch.setattr(os, "geteuid", lambda: owner + 1)
    journal.begin("create", server=SERVER)
    assert "it belongs to somebody else" in journal.problem
    assert file_of(journal).read_bytes() == b""
    assert len(journal.entries()) == 1
    assert "can't be read" in journal.problem


def test_a_full_disk_is_told_and_caught_up_with_later(
    journal: Journal, monkeypatch: pytest.MonkeyPatch
) -> None:
    journal.begin("create", server=SERVER, label="one")
    write = os.write
    with monkeypatch.context() as patch:
        patch.setattr(os, "write", lambda descriptor, data: write(descriptor, data[:9]))
        attempt = journal.begin("create", server=SERVER, label="two")
        assert "No space left on device".lower() in journal.problem.lower()
    attempt.done(key_id="k2")
    assert journal.problem == ""
    again = Journal(journal.path)
    assert [(entry.label, entry.phase) for entry in again.entries()] == [
        ("two", "done"),
        ("two", "begun"),
        ("one", "begun"),
    ]
    assert again.unreadable == 1


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
    entries = journal.entries()
    assert journal.unreadable == 0
    for name in "ab":
        mine = [entry for entry in reversed(entries) if entry.label.startswith(name)]
        assert [(entry.label[500:], entry.phase) for entry in mine] == [
            (str(number), phase) for number in range(times) for phase in ("begun", "done")
        ]


def created(journal: Journal, *, key_id: str = "", label: str = "x", short_key: str = "") -> str:
    attempt = journal.begin("create", server=SERVER, username="ops", label=label)
    attempt.done(key_id=key_id, short_key=short_key)
    return attempt.id


def test_created_keys_whose_secret_was_never_stored_are_told(journal: Journal) -> None:
    lost = created(journal, key_id="k1", label="lost")
    stored = journal.begin("create", server=SERVER, label="stored")
    stored.done(key_id="k2")
    stored.stored("Sent to the clipboard.")
    journal.begin("create", server=SERVER, label="refused").refused("The server answered 400.")
    unknown = journal.begin("create", server=SERVER, label="unknown")
    unknown.unknown("The connection broke.")
    crashed = journal.begin("create", server=SERVER, label="crashed")
    journal.begin("update", server=SERVER, key_id="k9", label="edited").done()
    assert [(entry.attempt, entry.phase) for entry in journal.unstored()] == [
        (crashed.id, "begun"),
        (unknown.id, "unknown"),
        (lost, "done"),
    ]
    assert journal.unstored()[2].key_id == "k1"


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
    assert [(entry.server, entry.key_id) for entry in journal.unstored()] == [
        ("https://other", "k1"),
        (SERVER, ""),
        (SERVER, "k2"),
    ]
    assert journal.unstored()[1].attempt == nameless


def test_deleting_one_key_says_nothing_of_a_create_that_may_not_have_happened(
    journal: Journal,
) -> None:
    journal.begin("create", server=SERVER, label="same")
    journal.begin("delete", server=SERVER, key_id="k1", label="same").done()
    assert len(journal.unstored()) == 1


def test_what_became_of_an_attempt_can_be_noted_by_a_later_start(journal: Journal) -> None:
    journal.begin("create", server=SERVER, label="crashed")
    later = Journal(journal.path)
    (entry,) = later.unstored()
    later.resume(entry).done(key_id="k1", short_key="9ac1")
    (entry,) = later.unstored()
    assert (entry.key_id, entry.short_key, entry.phase) == ("k1", "9ac1", "done")
    later.resume(entry).stored("Written to /x.")
    assert later.unstored() == []


def test_times_are_in_utc(journal: Journal) -> None:
    zone = timezone(timedelta(hours=-7))
    local = Journal(journal.path, now=lambda: WHEN.astimezone(zone))
    local.begin("create", server=SERVER)
    assert local.entries()[0].when == WHEN
    assert local.entries()[0].when.tzinfo is UTC


def test_where_the_journal_is_follows_the_xdg_rules(monkeypatch: pytest.MonkeyPatch) -> None:
    name = Path("momentum-keys/journal.jsonl")
    assert journal_path({"XDG_STATE_HOME": "/x/state"}) == Path("/x/state") / name
    monkeypatch.setenv("HOME", "/home/ops")
    default = Path("/home/ops/.local/state") / name
    assert journal_path({}) == default
    assert journal_path({"XDG_STATE_HOME": "relative"}) == default
    assert journal_path({"XDG_STATE_HOME": ""}) == default

    def homeless() -> Path:
        raise RuntimeError

    monkeypatch.setattr(Path, "home", homeless)
    assert journal_path({}) is None


def test_it_needs_nothing_that_is_slow_to_import() -> None:
    code = "import sys, tui.journal; sys.exit(' '.join({'asyncio', 'pydantic', 'httpx', 'textual'} & set(sys.modules)) or None)"  # noqa: E501  # one program
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, check=False, text=True)  # noqa: S603  # our own code
    assert (run.returncode, run.stderr) == (0, "")
