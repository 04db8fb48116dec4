"""An instance says what it works on, however slow the file system, whatever else lies there."""

from __future__ import annotations

import asyncio
import json
import os
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tui.keys import presence
from tui.keys.presence import Presence
from tui.waiting import all_seen_through

SERVER = "https://mta1.example.com"

HOLDING_SECONDS = 30.0
"""After how long a file system lets go by itself, so that a test fails instead of hanging."""


class SlowDisk:
    """Holds each removal of a file until it is let go."""

    def __init__(self) -> None:
        self.has_begun, self.may_end = threading.Event(), threading.Event()
        self.was_let_go = False

    def remove(self, path: Path, *, missing_ok: bool = False) -> None:
        self.has_begun.set()
        self.was_let_go = self.may_end.wait(HOLDING_SECONDS)
        remove_now(path, missing_ok=missing_ok)


remove_now = Path.unlink


@pytest.fixture
def slow_disk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[SlowDisk]:
    """A disk on which the test's own folder is; pytest removes files elsewhere by itself."""
    disk = SlowDisk()

    def remove(path: Path, *, missing_ok: bool = False) -> None:
        is_own = path.is_relative_to(tmp_path)
        (disk.remove if is_own else remove_now)(path, missing_ok=missing_ok)

    monkeypatch.setattr(Path, "unlink", remove)
    yield disk
    disk.may_end.set()


def files(folder: Path) -> list[str]:
    return [path.read_text("utf-8") for path in folder.glob("*.json")]


async def test_work_that_ends_on_a_slow_disk_holds_nobody_up(
    slow_disk: SlowDisk, tmp_path: Path
) -> None:
    mine = Presence(tmp_path, SERVER)
    await mine.hold("a")
    assert len(files(tmp_path)) == 1
    mine.release("a")
    await asyncio.to_thread(slow_disk.has_begun.wait)
    assert len(files(tmp_path)) == 1, "the disk is not held"
    slow_disk.may_end.set()
    await all_seen_through()
    assert files(tmp_path) == []
    assert slow_disk.was_let_go, "the event loop was held until the disk let go by itself"


async def test_the_end_waits_for_a_disk_that_hangs_only_so_long(
    slow_disk: SlowDisk, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(presence, "WRITE_SECONDS", 0.05)
    mine = Presence(tmp_path, SERVER)
    while not files(tmp_path):  # what takes longer is waited for no more
        await mine.hold("a")
    mine.close()
    await all_seen_through()
    assert not slow_disk.may_end.is_set()


async def test_work_that_begins_while_the_file_is_being_removed_is_said(
    slow_disk: SlowDisk, tmp_path: Path
) -> None:
    mine = Presence(tmp_path, SERVER)
    await mine.hold("a")
    mine.release("a")
    await asyncio.to_thread(slow_disk.has_begun.wait)
    holding = asyncio.create_task(mine.hold("a"))
    await asyncio.sleep(0)
    slow_disk.may_end.set()
    await holding
    (text,) = files(tmp_path)
    assert '"a"' in text
    mine.close()
    await all_seen_through()
    assert files(tmp_path) == []


async def test_many_changes_on_a_slow_disk_take_one_thread_more(
    slow_disk: SlowDisk, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(presence, "WRITE_SECONDS", HOLDING_SECONDS)
    mine = Presence(tmp_path, SERVER)
    await mine.hold("a")
    monkeypatch.setattr(presence, "WRITE_SECONDS", 0.0)
    mine.release("a")
    await asyncio.to_thread(slow_disk.has_begun.wait)
    before = threading.active_count()
    for number in range(20):
        await mine.hold(str(number))
    assert threading.active_count() <= before + 1
    slow_disk.may_end.set()
    monkeypatch.setattr(presence, "WRITE_SECONDS", HOLDING_SECONDS)
    await mine.hold("last")
    (text,) = files(tmp_path)
    assert all(f'"{number}"' in text for number in (*range(20), "last"))
    mine.close()
    await all_seen_through()


def fifo(path: Path) -> None:
    os.mkfifo(path)


def folder(path: Path) -> None:
    path.mkdir()


def nested(path: Path) -> None:
    path.write_bytes(b"[" * 100_000)


def link(path: Path) -> None:
    path.symlink_to("/dev/zero")


def utf_16(path: Path) -> None:
    path.write_text("{}", encoding="utf-16")


def odd(path: Path) -> None:
    path.write_text(json.dumps({"server": SERVER, "host": 5, "pid": "x", "names": [{}, None]}))


@pytest.mark.parametrize("spoil", [fifo, folder, nested, link, utf_16, odd])
async def test_an_odd_file_hides_no_other_instance(
    tmp_path: Path, spoil: Callable[[Path], None]
) -> None:
    mine, other = Presence(tmp_path, SERVER), Presence(tmp_path, SERVER)
    spoil(tmp_path / "0.json")
    spoil(tmp_path / "f.json")
    await other.hold("85f0")
    mine.read()
    assert "85f0" in mine.others
    other.close()
    await all_seen_through()
    mine.read()
    assert "85f0" not in mine.others


async def test_where_nothing_can_be_written_the_others_are_seen_all_the_same(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    mine, other = Presence(tmp_path, SERVER), Presence(tmp_path, SERVER)
    await other.hold("85f0")

    def read_only(*_: object, **__: object) -> None:
        raise OSError

    monkeypatch.setattr(Path, "touch", read_only)
    mine.read()
    assert "85f0" in mine.others
    other.close()
    await all_seen_through()
