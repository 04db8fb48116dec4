"""Passwords: minted, hashed slowly, compared in constant time (faults, E)."""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import secrets

COST = 2**14
"""scrypt's n: 16 MiB and some 70 ms a try. Tests may lower it."""

_LETTERS = "abcdefghjkmnpqrstuvwxyz23456789"


def new_password() -> str:
    """Return a random password of some 39 bits that is quickly typed: `k7f3-9qmd`.

    Each try takes the sandbox some 70 ms, and it is asked for again before each new key.
    """
    return "-".join("".join(secrets.choice(_LETTERS) for _ in range(4)) for _ in range(2))


def new_code() -> str:
    """Return a random six-digit code, as an authenticator shows it (contract 2)."""
    return f"{secrets.randbelow(10**6):06}"


def hashed(password: str, cost: int = COST) -> str:
    """Return the hash of `password` with its salt and cost: `16384$salt$hash`."""
    salt = secrets.token_bytes(16)
    return f"{cost}${salt.hex()}${_scrypt(password, salt, cost).hex()}"


async def matches(password: str, kept: str | None, cost: int = COST) -> bool:
    """Tell, in a thread, whether `password` is the one whose hash was kept.

    Where there is none, as for an unknown user, as much time passes all the same.
    """
    return await asyncio.to_thread(_matches, password, kept, cost)


def _matches(password: str, kept: str | None, cost: int) -> bool:
    if kept is None:
        _scrypt(password, bytes(16), cost)
        return False
    own_cost, salt, digest = kept.split("$")
    tried = _scrypt(password, bytes.fromhex(salt), int(own_cost))
    return hmac.compare_digest(tried, bytes.fromhex(digest))


def _scrypt(password: str, salt: bytes, cost: int) -> bytes:
    raw = password.encode(errors="replace")
    return hashlib.scrypt(raw, salt=salt, n=cost, r=8, p=1, dklen=32)
