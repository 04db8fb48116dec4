"""What the sandbox keeps, in SQLite: keys, people, the client (contract 8).

Every statement commits by itself, to the disk, before its caller answers. Of secrets only digests
are kept.
"""

from __future__ import annotations

import fcntl
import hashlib
import hmac
import json
import os
import secrets
import sqlite3
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

FILE = "sandbox.db"
VERSION = 1

_TABLES = """
CREATE TABLE keys (
    id TEXT PRIMARY KEY, label TEXT NOT NULL, short_key TEXT NOT NULL, digest TEXT NOT NULL,
    grants TEXT NOT NULL, valid_ips TEXT NOT NULL, created_at TEXT NOT NULL,
    username TEXT, subaccount_id INTEGER);
CREATE INDEX keys_by_short_key ON keys (short_key);
CREATE TABLE users (
    username TEXT PRIMARY KEY, first_name TEXT NOT NULL, email TEXT NOT NULL,
    role TEXT NOT NULL, password TEXT, code TEXT);
CREATE TABLE clients (id TEXT PRIMARY KEY, digest TEXT NOT NULL);
CREATE TABLE tokens (
    handle TEXT NOT NULL, digest TEXT NOT NULL, session TEXT NOT NULL, kind TEXT NOT NULL,
    username TEXT NOT NULL, verified INTEGER NOT NULL, expires_at TEXT NOT NULL);
CREATE INDEX tokens_by_handle ON tokens (handle);
"""


_COLUMNS = {
    "keys": "id, label, short_key, digest, grants, valid_ips, created_at, username, subaccount_id",
    "users": "username, first_name, email, role, password, code",
    "clients": "id, digest",
    "tokens": "handle, digest, session, kind, username, verified, expires_at",
}
_DROP = " ".join(f"DROP TABLE IF EXISTS {table};" for table in _COLUMNS)


class UnfitData(Exception):
    """The directory can't be used; the text is one sentence that says why."""


@dataclass(frozen=True, slots=True)
class StoredKey:
    """An API key as it is kept: everything but its secret (contract 4)."""

    id: str
    label: str
    short_key: str
    grants: tuple[str, ...]
    valid_ips: tuple[str, ...]
    created_at: str
    username: str | None
    subaccount_id: int | None


@dataclass(frozen=True, slots=True)
class StoredUser:
    """A person who can sign in; `password` and `code` are hashes, None matches nothing."""

    username: str
    first_name: str
    email: str
    role: str
    password: str | None
    code: str | None


def new_secret() -> str:
    """Return a new secret of 160 bits: 40 hexadecimal characters."""
    return secrets.token_hex(20)


def utc_now() -> datetime:
    """Return the time, in UTC."""
    return datetime.now(UTC)


def digest(secret: str) -> str:
    """Return what is kept of a secret: its SHA-256 digest in hexadecimal."""
    return hashlib.sha256(secret.encode(errors="replace")).hexdigest()


def matches_digest(secret: str, kept: str) -> bool:
    """Tell in constant time whether `kept` is the digest of `secret`."""
    return hmac.compare_digest(digest(secret), kept)


class Store:
    """Keys, people and the client of one node, in the directory `data` or in memory.

    `mint` makes the secrets of keys and `now` tells the time: pictures need both to stand still.
    """

    def __init__(
        self,
        data: Path | None = None,
        *,
        mint: Callable[[], str] = new_secret,
        now: Callable[[], datetime] = utc_now,
    ) -> None:
        self.mint, self.now = mint, now
        with ExitStack() as stack:
            if data is not None:
                _prepare(data)
                stack.callback(os.close, _lock(data))
            self.db, self.fresh = _opened(data)
            self._held = stack.pop_all()

    def close(self) -> None:
        """Close the database and let go of its directory; a store in memory is gone with it."""
        self.db.close()
        self._held.close()

    def complete(self) -> None:
        """Note that a fresh store is furnished; without that, the next start begins anew."""
        self.db.execute(f"PRAGMA user_version = {VERSION}")
        self.fresh = False

    def keys(self, subaccount: int | None = None) -> tuple[StoredKey, ...]:
        """Return the keys, oldest first: a subaccount's, with 0 the primary account's, or all."""
        scope = "" if subaccount is None else "WHERE ifnull(subaccount_id, 0) = :subaccount"
        rows = self.db.execute(
            f"SELECT * FROM keys {scope} ORDER BY created_at, rowid",  # noqa: S608  # two constants
            {"subaccount": subaccount},
        )
        return tuple(map(_key, rows))

    def key(self, id: str) -> StoredKey | None:  # noqa: A002  # what the wire calls it
        """Return the key with that id, or None."""
        row = self.db.execute("SELECT * FROM keys WHERE id = ?", (id,)).fetchone()
        return row and _key(row)

    def key_of(self, secret: str) -> StoredKey | None:
        """Return the key whose secret this is, or None."""
        rows = self.db.execute("SELECT * FROM keys WHERE short_key = ?", (secret[:4],))
        return next((_key(row) for row in rows if matches_digest(secret, row["digest"])), None)

    def add_key(
        self,
        label: str,
        grants: tuple[str, ...],
        valid_ips: tuple[str, ...],
        *,
        username: str | None,
        subaccount_id: int | None = None,
        created_at: datetime | None = None,
        secret: str | None = None,
    ) -> tuple[StoredKey, str]:
        """Keep a new key and return it with its secret, which nobody can ask for again."""
        secret = secret or self.mint()
        # An opaque id of its own, yet one that stands still where `mint` does.
        id = hashlib.blake2b(secret.encode(), digest_size=16, person=b"id of a key").hexdigest()  # noqa: A001
        made = (created_at or self.now()).astimezone(UTC).isoformat(timespec="milliseconds")
        key = StoredKey(
            id, label, secret[:4], grants, valid_ips, made[:-6] + "Z", username, subaccount_id
        )
        self.db.execute(
            "INSERT INTO keys VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
            (key.id, label, key.short_key, digest(secret), json.dumps(grants),
             json.dumps(valid_ips), key.created_at, username, subaccount_id),
        )  # fmt: skip
        return key, secret

    def change_key(
        self,
        id: str,  # noqa: A002  # what the wire calls it
        label: str,
        grants: tuple[str, ...],
        valid_ips: tuple[str, ...],
    ) -> bool:
        """Replace all three of what can be changed (contract 4); False where the key is gone."""
        changed = self.db.execute(
            "UPDATE keys SET label = ?, grants = ?, valid_ips = ? WHERE id = ?",
            (label, json.dumps(grants), json.dumps(valid_ips), id),
        )
        return changed.rowcount > 0

    def delete_key(self, id: str) -> bool:  # noqa: A002  # what the wire calls it
        """Forget the key: from the next request on it is unknown. False where it was gone."""
        return self.db.execute("DELETE FROM keys WHERE id = ?", (id,)).rowcount > 0

    def add_user(self, user: StoredUser) -> None:
        """Keep a new person."""
        self.db.execute(
            "INSERT INTO users VALUES (?, ?, ?, ?, ?, ?)",
            (user.username, user.first_name, user.email, user.role, user.password, user.code),
        )

    def user(self, name: str) -> StoredUser | None:
        """Return the person of that user name or e-mail address, or None."""
        row = self.db.execute(
            "SELECT * FROM users WHERE username = :name OR email = :name", {"name": name}
        ).fetchone()
        return row and StoredUser(**dict(row))

    def set_code(self, username: str, code: str) -> None:
        """Keep the hash of the person's new two-factor code."""
        self.db.execute("UPDATE users SET code = ? WHERE username = ?", (code, username))

    def add_client(self, id: str, secret: str) -> None:  # noqa: A002  # what the wire calls it
        """Keep an OAuth client credential (contract 2)."""
        self.db.execute("INSERT INTO clients VALUES (?, ?)", (id, digest(secret)))

    def client_id(self) -> str:
        """Return the id of the client that the installation has seeded."""
        return str(self.db.execute("SELECT id FROM clients").fetchone()["id"])

    def knows_client(self, id: str, secret: str) -> bool:  # noqa: A002  # what the wire calls it
        """Tell whether this is a client credential of the installation."""
        row = self.db.execute("SELECT digest FROM clients WHERE id = ?", (id,)).fetchone()
        return row is not None and matches_digest(secret, row["digest"])


def _key(row: sqlite3.Row) -> StoredKey:
    return StoredKey(
        row["id"], row["label"], row["short_key"], tuple(json.loads(row["grants"])),
        tuple(json.loads(row["valid_ips"])), row["created_at"], row["username"],
        row["subaccount_id"],
    )  # fmt: skip


def _opened(data: Path | None) -> tuple[sqlite3.Connection, bool]:
    """Open the database, and tell whether it is new."""
    # SQLite is built to serialize its own calls, and no transaction spans two of ours, so that
    # tests may look into the store from another thread.
    db = sqlite3.connect(
        ":memory:" if data is None else data / FILE, isolation_level=None, check_same_thread=False
    )
    try:
        db.row_factory = sqlite3.Row
        db.execute("PRAGMA journal_mode = WAL")
        db.execute("PRAGMA synchronous = FULL")
        version = db.execute("PRAGMA user_version").fetchone()[0]
        if version not in (0, VERSION):
            raise UnfitData(f"{data} was made by another version; choose another directory.")
        if version == 0:
            db.executescript(f"BEGIN; {_DROP} {_TABLES} COMMIT;")
        else:
            _check(db)
    except sqlite3.DatabaseError as error:
        db.close()
        raise UnfitData(f"{data} holds no usable sandbox: {error}.") from None
    except UnfitData:
        db.close()
        raise
    return db, version == 0


def _check(db: sqlite3.Connection) -> None:
    """Raise sqlite3.DatabaseError where the file is damaged, or lacks what a node needs."""
    verdict = db.execute("PRAGMA quick_check(1)").fetchone()[0]
    if verdict != "ok":
        raise sqlite3.DatabaseError(f"the database is damaged ({verdict})")
    for table, columns in _COLUMNS.items():
        db.execute(f"SELECT {columns} FROM {table} LIMIT 0")  # noqa: S608  # constants
    if db.execute("SELECT count(*) FROM clients").fetchone()[0] != 1:
        raise sqlite3.DatabaseError("the database is damaged (it names no client)")


def _lock(data: Path) -> int:
    """Take the directory for this node alone; returns what holds it until it is closed.

    The system lets go of it even where the process is killed.
    """
    descriptor = os.open(data, os.O_RDONLY | os.O_DIRECTORY)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        os.close(descriptor)
        if isinstance(error, BlockingIOError):
            raise UnfitData(f"Another sandbox runs on {data}; stop it first.") from None
        raise UnfitData(f"{data} can't be locked: {error.strerror}.") from None
    return descriptor


def _prepare(data: Path) -> None:
    """Make the directory (0700) and the file (0600), or make sure that they are that private."""
    file = data / FILE
    try:
        data.mkdir(mode=0o700, parents=True, exist_ok=True)
        if not file.exists() and any(data.iterdir()):
            raise UnfitData(f"{data} holds other things; choose an empty or a new directory.")
        data.chmod(0o700)
        descriptor = os.open(file, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW, 0o600)
        try:
            os.fchmod(descriptor, 0o600)
        finally:
            os.close(descriptor)
    except OSError as error:
        raise UnfitData(f"{data} can't be used: {error.strerror}.") from None
