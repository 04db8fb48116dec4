"""What other instances work on, told by files that may be anything."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from pathlib import Path

import pytest

from tui.keys.presence import Presence

SERVER = "https://mail.example"


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
