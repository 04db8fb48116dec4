"""Writing a secret to a new file, and what the file is called."""

from __future__ import annotations

import errno
import os
import stat
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from pydantic import SecretStr

from tui.delivery import (
    DeliveryFailed,
    DeliveryFault,
    suggested_file_name,
    typed_path,
    write_secret_file,
)

SECRET = SecretStr("9ac1f00dcafe9ac1f00dcafe9ac1f00dcafe0042")


@contextmanager
def mask(value: int) -> Iterator[None]:
    before = os.umask(value)
    try:
        yield
    finally:
        os.umask(before)


def refused(path: Path) -> tuple[DeliveryFault, str]:
    with pytest.raises(DeliveryFailed) as caught:
        write_secret_file(path, SECRET)
    assert caught.value.sentence == str(caught.value)
    assert SECRET.get_secret_value() not in caught.value.sentence
    assert caught.value.__context__ is None or caught.value.__suppress_context__
    return caught.value.reason, caught.value.sentence


def raising(number: int) -> Callable[..., int]:
    def call(*_: object, **__: object) -> int:
        raise OSError(number, os.strerror(number))

    return call


@pytest.mark.parametrize("umask", [0, 0o022, 0o077, 0o777])
def test_a_new_file_is_its_owners_alone(tmp_path: Path, umask: int) -> None:
    with mask(umask):
        written = write_secret_file(tmp_path / "new.key", SECRET)
    assert written == tmp_path / "new.key"
    assert written.read_text() == SECRET.get_secret_value() + "\n"
    assert stat.S_IMODE(written.stat().st_mode) == 0o600


def test_file_and_directory_are_synced(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    synced = []
    monkeypatch.setattr(os, "fsync", lambda fd: synced.append(stat.S_IFMT(os.fstat(fd).st_mode)))
    write_secret_file(tmp_path / "new.key", SECRET)
    assert synced == [stat.S_IFREG, stat.S_IFDIR]


def test_a_tilde_is_the_home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    assert write_secret_file(Path("~/new.key"), SECRET) == tmp_path / "new.key"


def test_a_relative_path_is_told_whole(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert write_secret_file(Path("new.key"), SECRET) == tmp_path / "new.key"


def test_an_existing_file_is_left_alone(tmp_path: Path) -> None:
    old = tmp_path / "old.key"
    old.write_text("older")
    reason, sentence = refused(old)
    assert reason is DeliveryFault.EXISTS
    assert sentence == f"There is already a file {old}. It was left as it is: choose another name."
    assert old.read_text() == "older"


@pytest.mark.parametrize("target", ["elsewhere", "nowhere", "."])
def test_a_symlink_is_not_followed(tmp_path: Path, target: str) -> None:
    (tmp_path / "elsewhere").write_text("older")
    link = tmp_path / "link.key"
    link.symlink_to(tmp_path / target)
    reason, sentence = refused(link)
    assert reason is DeliveryFault.SYMLINK
    assert "symbolic link" in sentence
    assert (tmp_path / "elsewhere").read_text() == "older"
    assert not (tmp_path / "nowhere").exists()


@pytest.mark.parametrize("name", ["", ".", "sub", "~", "/"])
def test_a_directory_is_no_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.chdir(tmp_path)
    (tmp_path / "sub").mkdir()
    assert refused(Path(name))[0] is DeliveryFault.IS_DIRECTORY


@pytest.mark.parametrize("typed", ["vault/", " vault/ ", "vault/.", "~/", "/", "vault.env/"])
def test_a_path_that_ends_as_a_directorys_does_is_no_file(typed: str) -> None:
    with pytest.raises(DeliveryFailed) as caught:
        typed_path(typed)
    assert caught.value.reason is DeliveryFault.IS_DIRECTORY
    assert caught.value.sentence == (
        f"{typed.strip()} is the name of a directory. Add a file name to it."
    )
    assert typed_path(f" {typed.strip()}/x.key ") == Path(f"{typed.strip()}/x.key")


def test_a_working_directory_that_is_gone_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "gone").mkdir()
    monkeypatch.chdir(tmp_path / "gone")
    (tmp_path / "gone").rmdir()
    with pytest.raises(DeliveryFailed, match="There is no directory"):
        write_secret_file(Path("key"), SECRET)


def test_a_missing_directory_is_named(tmp_path: Path) -> None:
    reason, sentence = refused(tmp_path / "no" / "new.key")
    assert reason is DeliveryFault.NO_DIRECTORY
    assert f"There is no directory {tmp_path / 'no'}." in sentence


def test_a_file_is_no_directory(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    assert refused(tmp_path / "file" / "new.key")[0] is DeliveryFault.NO_DIRECTORY


@pytest.mark.parametrize("name", ["x" * 300, "nul\0.key", "~nobody-of-this-name/new.key"])
def test_an_impossible_name_is_said(tmp_path: Path, name: str) -> None:
    path = Path(name) if name.startswith("~") else tmp_path / name
    assert refused(path)[0] is DeliveryFault.BAD_NAME


@pytest.mark.parametrize(
    ("number", "reason", "word"),
    [
        (errno.EACCES, DeliveryFault.NOT_PERMITTED, "You may not create files in"),
        (errno.EROFS, DeliveryFault.NOT_PERMITTED, "You may not create files in"),
        (errno.EMFILE, DeliveryFault.OTHER, "could not be written: too many open files."),
    ],
)
def test_what_the_system_refuses_is_put_into_words(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, number: int, reason: DeliveryFault, word: str
) -> None:
    monkeypatch.setattr(os, "open", raising(number))
    fault, sentence = refused(tmp_path / "new.key")
    assert fault is reason
    assert word in sentence


@pytest.mark.parametrize(
    ("number", "reason"), [(errno.ENOSPC, DeliveryFault.NO_SPACE), (errno.EIO, DeliveryFault.OTHER)]
)
def test_no_part_of_a_file_is_left_behind(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, number: int, reason: DeliveryFault
) -> None:
    monkeypatch.setattr(os, "fsync", raising(number))
    assert refused(tmp_path / "new.key")[0] is reason
    assert not (tmp_path / "new.key").exists()


def test_an_interruption_leaves_no_part_behind(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupt(_: int) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(os, "fsync", interrupt)
    with pytest.raises(KeyboardInterrupt):
        write_secret_file(tmp_path / "new.key", SECRET)
    assert not (tmp_path / "new.key").exists()


def test_a_full_disk_leaves_no_part_behind(monkeypatch: pytest.MonkeyPatch) -> None:
    full = Path("/dev/full")
    if not full.exists():
        pytest.skip("this system has no /dev/full")
    real = os.open
    monkeypatch.setattr(os, "open", lambda path, flags, *_: real(path, flags & ~os.O_EXCL))
    monkeypatch.setattr(os, "fchmod", lambda *_: None)
    monkeypatch.setattr("tui.delivery.secret_file._insist_on_privacy", lambda *_: None)
    removed: list[Path] = []
    monkeypatch.setattr(Path, "unlink", lambda path, **_: removed.append(path))
    assert refused(full)[0] is DeliveryFault.NO_SPACE
    assert removed == [full]


def test_a_file_system_without_modes_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = os.fchmod
    monkeypatch.setattr(os, "fchmod", lambda fd, _: real(fd, 0o755))
    reason, sentence = refused(tmp_path / "new.key")
    assert reason is DeliveryFault.NOT_PRIVATE
    assert f"The file system of {tmp_path} cannot keep a file private" in sentence
    assert not (tmp_path / "new.key").exists()


@pytest.mark.parametrize("number", [errno.EINVAL, errno.EACCES])
def test_a_directory_that_cannot_be_synced_is_no_failure(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, number: int
) -> None:
    real = os.fsync

    def sync(descriptor: int) -> None:
        if stat.S_ISDIR(os.fstat(descriptor).st_mode):
            raise OSError(number, os.strerror(number))
        real(descriptor)

    monkeypatch.setattr(os, "fsync", sync)
    assert write_secret_file(tmp_path / "new.key", SECRET).exists()


def test_a_hostile_path_is_shown_with_marks(tmp_path: Path) -> None:
    sentence = refused(tmp_path / "\x1b]52;c;eA==\x07" / "new.key")[1]
    assert sentence.isprintable()


@pytest.mark.parametrize(
    ("label", "short_key", "name"),
    [
        ("billing mailer", "9ac1", "billing-mailer-9ac1.key"),
        ("Bücher & Söhne", "9AC1", "bucher-sohne-9ac1.key"),
        ("../../etc/passwd", "", "etc-passwd.key"),
        ("-rf", "9ac1", "rf-9ac1.key"),
        ("日本", "9ac1", "api-key-9ac1.key"),
        ("", "", "api-key.key"),
    ],
)
def test_a_file_name_is_suggested(label: str, short_key: str, name: str) -> None:
    assert suggested_file_name(label, short_key) == name


@given(st.text(), st.text())
@example("a" * 200, "b" * 200)
@example("a" * 48 + "-b", "0123456789ab")
def test_a_suggested_name_is_safe_everywhere(label: str, short_key: str) -> None:
    name = suggested_file_name(label, short_key)
    assert name.isascii()
    assert name[0].isalnum()
    assert set(name) <= set("abcdefghijklmnopqrstuvwxyz0123456789-.")
    assert name.endswith(".key")
    assert len(name) <= 64
    assert "--" not in name
    assert "-." not in name
