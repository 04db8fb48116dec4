"""The output of a command, made safe to show, without the secret that it was given."""

from __future__ import annotations

import re
from base64 import b64encode

from tui.text import plain

LINES = 3
"""How many of a command's last lines are shown."""
LONGEST = 240
"""How much of them is shown, in characters."""
PART = 8
"""So many characters of a secret in a row are too many to be shown."""


def last_words(output: bytes, secret: bytes) -> str:
    """Return the last lines of a command's output on one line, or nothing where there are none.

    The secret becomes `•••`. Where parts of it are left, because it was wrapped, coloured, encoded
    or cut, nothing at all is shown.
    """
    output = output.replace(secret, "•••".encode()) if secret else output
    if _holds_part(output, secret):
        return "(not shown, as it holds parts of the secret)"
    lines = [line for line in output.decode(errors="replace").splitlines() if line.strip()]
    last = " / ".join(plain(line[-LONGEST:]).strip() for line in lines[-LINES:])
    return last if len(last) <= LONGEST else f"…{last[1 - LONGEST :]}"


def _holds_part(output: bytes, secret: bytes) -> bool:
    searched = _squeezed(output)
    beginning = secret[:192]
    # In base64, it depends on what stands before the secret with which byte a group begins.
    encoded = (b64encode(beginning[at:]) for at in range(3))
    for form in map(_squeezed, (beginning, beginning.hex().encode(), *encoded)):
        parts = (form[at : at + PART] for at in range(max(1, len(form) - PART + 1)))
        if form and any(part in searched for part in parts):
            return True
    return False


def _squeezed(text: bytes) -> bytes:
    return re.sub(rb"\x1b\[[0-9;]*m|[^a-z0-9]+", b"", text.lower())
