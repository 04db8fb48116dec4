"""Secrets kept for the next start: where, for whose eyes, and how they go."""

from __future__ import annotations

import stat
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest
from pydantic import SecretStr

from tui.delivery.recovery import KeptSecret, NotKept, RecoveryFolder

VALUE = "9ac1f00dcafe9ac1f00dcafe9ac1f00dcafe0042"
SERVER = "https://momentum.example"
KEPT = KeptSecret(
    SecretStr(VALUE), SERVER, "admin", "0a1b2c3d4e5f6071", "id-1", "Ärger\n", "9ac1", "id-0",
    ("metrics/view",), ("192.0.2.1",), 7, datetime(2026, 1, 15, 12, tzinfo=UTC),
)  # fmt: skip


@pytest.fixture
def runtime(tmp_path: Path) -> Path:
    folder = tmp_path / "runtime"
    folder.mkdir(mode=0o700)
    return folder


@pytest.fixture
def folder(runtime: Path) -> RecoveryFolder:
    return RecoveryFolder({"XDG_RUNTIME_DIR": str(runtime)})


def test_a_secret_is_kept_for_its_server_and_nobody_else(folder: RecoveryFolder) -> None:
    path = folder.keep(KEPT)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700
    assert folder.read("https://other.example") == ((), ())
    assert folder.read(SERVER) == ((KEPT,), ())
    assert folder.read(SERVER)[0][0].secret.get_secret_value() == VALUE


def test_a_secret_that_was_stored_is_gone(folder: RecoveryFolder) -> None:
    path = folder.keep(KEPT)
    folder.remove(KEPT.attempt)
    assert not path.exists()
    folder.remove(KEPT.attempt)
    assert folder.read(SERVER) == ((), ())


def test_many_are_kept_side_by_side_and_each_once(folder: RecoveryFolder) -> None:
    other = replace(KEPT, attempt="ff", kept_at=datetime(2026, 1, 14, tzinfo=UTC))
    for kept in (KEPT, other, KEPT):
        folder.keep(kept)
    assert [kept.attempt for kept in folder.read(SERVER)[0]] == ["ff", KEPT.attempt]


@pytest.mark.parametrize("value", [None, "", "runtime", "relative/path"])
def test_without_a_folder_in_memory_nothing_is_written(
    value: str | None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "runtime").mkdir(mode=0o700)
    folder = RecoveryFolder({} if value is None else {"XDG_RUNTIME_DIR": value})
    with pytest.raises(NotKept, match="XDG_RUNTIME_DIR"):
        folder.keep(KEPT)
    assert folder.read(SERVER) == ((), ())
    assert not list((tmp_path / "runtime").iterdir())


@pytest.mark.parametrize("mode", [0o755, 0o777, 0o1777, 0o710])
def test_a_folder_that_others_may_enter_is_refused(
    folder: RecoveryFolder, runtime: Path, mode: int
) -> None:
    runtime.chmod(mode)
    with pytest.raises(NotKept, match="not yours alone"):
        folder.keep(KEPT)
    assert not list(runtime.iterdir())


def test_a_folder_of_its_own_that_others_may_enter_is_refused(
    folder: RecoveryFolder, runtime: Path
) -> None:
    (runtime / "momentum-keys").mkdir()
    (runtime / "momentum-keys").chmod(0o755)
    with pytest.raises(NotKept, match="not yours alone"):
        folder.keep(KEPT)


@pytest.mark.parametrize("link", ["runtime", "folder", "file"])
def test_no_link_is_followed(folder: RecoveryFolder, runtime: Path, link: str) -> None:
    elsewhere = runtime.parent / "elsewhere"
    elsewhere.mkdir(mode=0o700)
    if link == "runtime":
        runtime.rmdir()
        runtime.symlink_to(elsewhere)
    elif link == "folder":
        (runtime / "momentum-keys").symlink_to(elsewhere)
    else:
        (runtime / "momentum-keys").mkdir(mode=0o700)
        (runtime / "momentum-keys" / f"{KEPT.attempt}.json").symlink_to(elsewhere / "file")
    with pytest.raises(NotKept):
        folder.keep(KEPT)
    assert not list(elsewhere.iterdir())


@pytest.mark.parametrize("content", [b"", b"[]", b"{}", b'{"secret": 1}', b"\xff", b"[" * 100_000])
def test_a_damaged_file_is_named_and_costs_no_other(folder: RecoveryFolder, content: bytes) -> None:
    path = folder.keep(KEPT)
    damaged = path.with_name("dead.json")
    damaged.write_bytes(content)
    secrets, complaints = folder.read(SERVER)
    assert secrets == (KEPT,)
    assert complaints == (f"{damaged} should hold a secret, but can't be read.",)


def test_a_full_disk_leaves_no_half_of_a_file(
    folder: RecoveryFolder, runtime: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(_: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("os.fsync", full)
    with pytest.raises(NotKept, match="no space left"):
        folder.keep(KEPT)
    assert not list((runtime / "momentum-keys").iterdir())
