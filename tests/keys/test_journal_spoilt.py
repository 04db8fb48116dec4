from __future__ import annotations

import os
from pathlib import Path

import pytest

from tests.keys.conftest import file_of
from tui.journal import Journal

SERVER = "https://mta1.example.com"


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
    assert [entry.phase for entry in journal.read().entries] == ["done", "begun"]
    if spoil is linked:
        assert file_of(journal).read_bytes() == b""


@pytest.mark.parametrize("path", ["/proc/none/journal.jsonl", "/tmp/\0/journal.jsonl"])  # noqa: S108  # never made
def test_no_path_is_too_odd(path: str) -> None:
    journal = Journal(Path(path))
    journal.begin("create", server=SERVER)
    assert journal.problem
    assert journal.problem.isprintable()
    assert len(journal.read().entries) == 1


def test_somebody_else_s_file_is_left_alone(
    journal: Journal, monkeypatch: pytest.MonkeyPatch
) -> None:
    file_of(journal).parent.mkdir()
    file_of(journal).touch(0o644)
    owner = os.geteuid()
    monkeypatch.setattr(os, "geteuid", lambda: owner + 1)
    assert journal.read().entries == ()
    assert "can't be read: what was noted is not shown (it belongs to" in journal.problem
    journal.begin("create", server=SERVER)
    assert "can't be written" in journal.problem, "that matters more"
    assert "it belongs to somebody else" in journal.problem
    assert file_of(journal).read_bytes() == b""
    assert len(journal.read().entries) == 1


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
    again = Journal(file_of(journal))
    assert [(entry.label, entry.phase) for entry in again.read().entries] == [
        ("two", "done"),
        ("two", "begun"),
        ("one", "begun"),
    ]
    assert again.read().unreadable == 1


async def test_a_disk_that_fills_up_within_several_lines_keeps_the_whole_ones(
    journal: Journal, monkeypatch: pytest.MonkeyPatch
) -> None:
    write = os.write
    with monkeypatch.context() as patch:
        patch.setattr(os, "write", lambda at, data: write(at, data[: data.index(b"\n") + 9]))
        journal.begin("create", server=SERVER, label="one")
        journal.begin("create", server=SERVER, label="two")
        await journal.settled()
        assert "no space left on device" in journal.problem.lower()
    journal.begin("create", server=SERVER, label="three")
    await journal.settled()
    assert journal.problem == ""
    again = Journal(file_of(journal)).read()
    assert [entry.label for entry in again.entries] == ["three", "two", "one"]
    assert again.unreadable == 1
