"""Where a rotation stands, in words."""

from __future__ import annotations

from textual.content import Content

from tui.rotation import State

S = State

_STEPS = ("Create successor", "Store secret", "Verify", "Delete predecessor")

_DONE = {
    S.CREATED: 1,
    S.SECRET_LOST: 1,
    S.INTERRUPTED: 1,
    S.DELIVERED: 2,
    S.VERIFIED: 3,
    S.OVERLAPPING: 3,
    S.FINISHED: 4,
}
"""How many of the steps lie behind a rotation in each state."""

_NOW = {
    S.REFUSED: "Nothing was created. What you chose is still here.",
    S.DELIVERED: "Both keys work. The successor was not shown to work yet: v verifies it.",
    S.VERIFIED: (
        "Both keys work. Put the new secret to use, then press d to delete the predecessor; "
        "or press l to keep both for a while: everybody sees the old one marked as retiring."
    ),
    S.OVERLAPPING: (
        "Both keys work; the old one is marked as retiring in the list, for everybody to see. "
        "d deletes it now; f on the list does so later, on any host."
    ),
    S.FINISHED: "Rotated: only the successor works now.",
    S.UNDONE: "Undone: the key is as it was, and there is no successor.",
    S.SECRET_LOST: (
        "A successor was made, but nobody has its secret. r deletes it and makes another; "
        "u deletes it and leaves the key as it was."
    ),
    S.INTERRUPTED: (
        "This key already has a successor. Press s if its secret is stored where it is needed; "
        "else r deletes it and makes another, and u deletes it."
    ),
    S.UNKNOWN: "It is not known what became of the last step. F5 looks at the list again.",
}

ENDED = frozenset({S.FINISHED, S.UNDONE})


def now(state: State) -> str:
    """Return what can be done now, or what became of it; nothing where nothing was done."""
    return _NOW.get(state, "")


def steps(state: State) -> Content:
    """Return the steps in a row: those behind, the one at hand, those ahead."""
    done = _DONE.get(state, 0)
    parts: list[Content] = []
    for number, step in enumerate(_STEPS):
        if number < done:
            parts.append(Content.styled(f"✓ {step}", "$text-success"))
        elif number == done and state not in ENDED:
            parts.append(Content.styled(f"▸ {step}", "bold $text-accent"))
        else:
            parts.append(Content.styled(f"· {step}", "$text-muted"))
    return Content("   ").join(parts)
