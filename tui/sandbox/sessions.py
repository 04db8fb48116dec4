"""Sessions of people: access and refresh tokens, and whether the second factor was given."""

from __future__ import annotations

import secrets
import sqlite3
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

from tui.sandbox.store import digest, matches_digest, new_secret

ACCESS_SECONDS = 86_399
"""How long an access token lives (contract 2)."""

REFRESH_SECONDS = 30 * 86_400


@dataclass(frozen=True, slots=True)
class StoredSession:
    """What a token stands for; `kind` is `access` or `refresh`."""

    id: str
    kind: str
    username: str
    verified: bool


@dataclass(frozen=True, slots=True)
class Sessions:
    """The tokens of one node, kept as digests in its store's database."""

    db: sqlite3.Connection
    now: Callable[[], datetime]

    def open(self, username: str, *, remember: bool, verified: bool) -> tuple[str, str | None]:
        """Begin a session; return its access token and, where remembered, its refresh token."""
        self.db.execute("DELETE FROM tokens WHERE expires_at <= ?", (self._timestamp(),))
        session = secrets.token_hex(16)
        access = self._add(StoredSession(session, "access", username, verified), ACCESS_SECONDS)
        if not remember:
            return access, None
        return access, self._add(
            StoredSession(session, "refresh", username, verified), REFRESH_SECONDS
        )

    def renew(self, refresh_token: str) -> str | None:
        """Return a new access token for a refresh token that is still good, or None."""
        session = self.find(refresh_token)
        if session is None or session.kind != "refresh":
            return None
        return self._add(
            StoredSession(session.id, "access", session.username, session.verified), ACCESS_SECONDS
        )

    def find(self, token: str) -> StoredSession | None:
        """Return what the token stands for; None where it is unknown or has expired."""
        rows = self.db.execute(
            "SELECT * FROM tokens WHERE handle = ? AND expires_at > ?",
            (digest(token)[:8], self._timestamp()),
        )
        return next(
            (
                StoredSession(row["session"], row["kind"], row["username"], bool(row["verified"]))
                for row in rows
                if matches_digest(token, row["digest"])
            ),
            None,
        )

    def verify(self, id: str) -> None:  # noqa: A002  # the session's
        """Note that the second factor was given, for all tokens of the session."""
        self.db.execute("UPDATE tokens SET verified = 1 WHERE session = ?", (id,))

    def invalidate(self, token: str, username: str) -> None:
        """Forget one token, where it is this person's (contract 2, sign out)."""
        self.db.execute(
            "DELETE FROM tokens WHERE digest = ? AND username = ?", (digest(token), username)
        )

    def expire_access(self) -> None:
        """Let every access token end now, and keep the refresh tokens."""
        self.db.execute("DELETE FROM tokens WHERE kind = 'access'")

    def end_all(self) -> None:
        """Let every session end now."""
        self.db.execute("DELETE FROM tokens")

    def _add(self, session: StoredSession, seconds: int) -> str:
        token = new_secret()
        kept = digest(token)
        self.db.execute(
            "INSERT INTO tokens VALUES (?, ?, ?, ?, ?, ?, ?)",
            (kept[:8], kept, session.id, session.kind, session.username, session.verified,
             self._timestamp(seconds)),
        )  # fmt: skip
        return token

    def _timestamp(self, seconds: int = 0) -> str:
        return (self.now() + timedelta(seconds=seconds)).isoformat(timespec="milliseconds")
