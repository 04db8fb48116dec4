"""What stays on the disk, how private it is, and what is never there."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from tests.sandbox.conftest import Nodes
from tui.sandbox.store import Store, StoredUser, UnfitData


def test_everything_is_there_again_after_a_restart_but_the_password(
    start: Nodes, tmp_path: Path
) -> None:
    first = start(data=tmp_path / "node")
    key = first.create(label="Kept").json()["results"]["key"]
    signed_in = first.sign_in(remember=True).json()
    password = first.node.password
    first.node.close()

    again = start(data=tmp_path / "node")
    assert again.node.password == ""
    assert again.node.labels()[-1] == "Kept"
    assert len(again.node.keys()) == 9  # the seeds are not planted twice
    assert again.get("/metrics", key).status_code == 200
    assert again.sign_in(password=password).status_code == 200
    assert again.refresh(signed_in["refresh_token"]).status_code == 200


def test_the_files_are_private(start: Nodes, tmp_path: Path) -> None:
    data = tmp_path / "node"
    start(data=data).create()
    assert data.stat().st_mode & 0o777 == 0o700
    modes = {file.name: file.stat().st_mode & 0o777 for file in data.iterdir()}
    assert modes == dict.fromkeys(("sandbox.db", "sandbox.db-wal", "sandbox.db-shm"), 0o600)


def test_a_directory_that_was_open_to_others_is_closed(tmp_path: Path) -> None:
    Store(tmp_path).close()
    tmp_path.chmod(0o755)
    (tmp_path / "sandbox.db").chmod(0o644)
    Store(tmp_path).close()
    assert tmp_path.stat().st_mode & 0o777 == 0o700
    assert (tmp_path / "sandbox.db").stat().st_mode & 0o777 == 0o600


def test_no_secret_is_in_the_files(start: Nodes, tmp_path: Path) -> None:
    visitor = start(data=tmp_path, account="two-factor", require_client=True)
    client = (visitor.node.client_id, visitor.node.client_secret)
    created = visitor.create(label="A label that is there").json()["results"]
    signed_in = visitor.sign_in(remember=True, client=client).json()
    kept = b"".join(file.read_bytes() for file in tmp_path.iterdir())
    assert b"A label that is there" in kept
    for secret in (
        created["key"],
        signed_in["access_token"],
        signed_in["refresh_token"],
        visitor.node.password,
        visitor.node.client_secret,
    ):
        assert secret.encode() not in kept
    # Six digits may occur by chance, so the code is looked for where it would be kept.
    (codes,) = visitor.node.store.db.execute("SELECT code FROM users WHERE username = 'ops'")
    assert visitor.node.code not in codes["code"].split("$")


def test_a_commit_is_on_the_disk_before_the_answer(tmp_path: Path) -> None:
    store = Store(tmp_path)
    assert store.db.execute("PRAGMA synchronous").fetchone()[0] == 2
    assert store.db.execute("PRAGMA journal_mode").fetchone()[0] == "wal"
    assert store.db.isolation_level is None
    store.close()


def test_a_directory_with_other_things_is_left_alone(tmp_path: Path) -> None:
    tmp_path.chmod(0o755)
    (tmp_path / "letter.txt").write_text("dear")
    with pytest.raises(UnfitData, match="holds other things"):
        Store(tmp_path)
    assert tmp_path.stat().st_mode & 0o777 == 0o755
    assert [file.name for file in tmp_path.iterdir()] == ["letter.txt"]


def test_a_link_is_not_followed(tmp_path: Path) -> None:
    target = tmp_path / "elsewhere"
    target.touch()
    (tmp_path / "node").mkdir()
    (tmp_path / "node" / "sandbox.db").symlink_to(target)
    with pytest.raises(UnfitData):
        Store(tmp_path / "node")
    assert target.stat().st_size == 0


def test_a_file_that_is_no_database_is_refused(tmp_path: Path) -> None:
    (tmp_path / "sandbox.db").write_bytes(b"something else entirely" * 100)
    with pytest.raises(UnfitData, match="no usable sandbox"):
        Store(tmp_path)


def test_a_directory_serves_one_node_at_a_time(start: Nodes, tmp_path: Path) -> None:
    first = start(data=tmp_path)
    with pytest.raises(UnfitData, match="Another sandbox runs"):
        Store(tmp_path)
    first.node.close()
    Store(tmp_path).close()


def test_a_start_that_was_killed_half_way_begins_anew(start: Nodes, tmp_path: Path) -> None:
    store = Store(tmp_path)
    store.add_user(StoredUser("ops", "Olive", "ops@example.com", "admin", None, None))
    store.close()
    visitor = start(data=tmp_path)
    assert visitor.sign_in().status_code == 200


@pytest.mark.parametrize("damage", ["DROP TABLE tokens", "DELETE FROM clients", "bytes"])
def test_a_damaged_database_is_told(start: Nodes, tmp_path: Path, damage: str) -> None:
    start(data=tmp_path).node.close()
    file = tmp_path / "sandbox.db"
    if damage == "bytes":
        content = bytearray(file.read_bytes())
        content[4096:] = b"\xff" * (len(content) - 4096)
        file.write_bytes(content)
    else:
        with closing(sqlite3.connect(file)) as db:
            db.execute(damage)
            db.commit()
    with pytest.raises(UnfitData, match="no usable sandbox"):
        Store(tmp_path)


def test_a_store_of_another_version_is_refused(tmp_path: Path) -> None:
    db = sqlite3.connect(tmp_path / "sandbox.db")
    db.execute("PRAGMA user_version = 99")
    db.close()
    with pytest.raises(UnfitData, match="another version"):
        Store(tmp_path)
