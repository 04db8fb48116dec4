"""One line of the journal: its fields, and how they are written as JSON."""

from __future__ import annotations

import json
from dataclasses import dataclass, fields
from datetime import UTC, datetime
from functools import lru_cache
from typing import Literal, cast, get_args

LONGEST = 1_000
"""Where labels and all other texts are cut, in characters."""

LONGEST_SHORT_KEY = 12
"""Where short keys are cut, should a server call more of the secret a short key."""

LONGEST_IPS = 20_000
"""Where lists of allowed IPs are cut; no key with a longer one is paused."""

Action = Literal["create", "update", "delete", "pause", "resume"]
Phase = Literal[
    "begun", "done", "refused", "unknown",
    "delivering", "undelivered", "stored",
    "verified", "unverified",
]  # fmt: skip
"""What became known: of the request, of its key's secret, and of what the key is good for."""

PROOFS = ("verified", "unverified")
"""The phases that tell what a created key was good for, and nothing of the request."""


DELIVERIES = ("delivering", "undelivered", "stored")
"""The phases that tell what became of a created key's secret."""


@dataclass(frozen=True, slots=True)
class JournalEntry:
    """One line; `attempt` links those about the same request. Texts are raw, not fit to be shown.

    `detail` says how a secret was stored, or why that or a request failed; `predecessor` is the id
    of the key that a created one is to succeed; `valid_ips` are the allowed IPs of a key before it
    is paused, kept apart by blanks, none for any address.
    """

    when: datetime
    server: str
    username: str
    action: Action
    phase: Phase
    attempt: str
    key_id: str = ""
    label: str = ""
    short_key: str = ""
    detail: str = ""
    predecessor: str = ""
    valid_ips: str = ""


_LIMITS = {"short_key": LONGEST_SHORT_KEY, "valid_ips": LONGEST_IPS}


_FIELDS = tuple(field.name for field in fields(JournalEntry))


def encode(entry: JournalEntry) -> bytes:
    """Return the line that holds `entry`, in ASCII, with texts cut to their limits."""
    texts = {name: getattr(entry, name) for name in _FIELDS}
    texts["when"] = entry.when.astimezone(UTC).isoformat(timespec="milliseconds")
    filled = {name: text[: _LIMITS.get(name, LONGEST)] for name, text in texts.items() if text}
    return json.dumps(filled, separators=(",", ":")).encode("ascii") + b"\n"


_TEXTS = (
    "server", "username", "attempt", "key_id", "label", "short_key", "detail", "predecessor",
    "valid_ips",
)  # fmt: skip
_ACTIONS, _PHASES = get_args(Action), get_args(Phase)


@lru_cache(maxsize=16_384)
def decode(line: bytes) -> JournalEntry | None:
    """Return the entry that `line` holds; None for what this program cannot have written.

    Lines are remembered, as a file that grew by one line is read as a whole.
    """
    try:
        decoded = json.loads(line.decode("utf-8"))
        when = datetime.fromisoformat(decoded["when"])
        utc = when.astimezone(UTC)
        texts = {name: decoded.get(name, "") for name in _TEXTS}
    except (ValueError, TypeError, KeyError, AttributeError, OverflowError, RecursionError):
        return None
    action, phase = decoded.get("action"), decoded.get("phase")
    if (
        when.tzinfo is None
        or action not in _ACTIONS
        or phase not in _PHASES
        or not all(isinstance(text, str) for text in texts.values())
        or not texts["server"]
        or not texts["attempt"]
    ):
        return None
    return JournalEntry(when=utc, action=cast(Action, action), phase=cast(Phase, phase), **texts)


@lru_cache(maxsize=16_384)
def holds_more(line: bytes) -> bool:
    """Tell whether a line that is an entry has fields that entries do not have."""
    return not json.loads(line).keys() <= set(_FIELDS)
