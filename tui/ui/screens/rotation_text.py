"""Where a rotation stands, in words."""

from __future__ import annotations

from datetime import date

from textual.content import Content

from tui.api.grants import Catalogue
from tui.api.models import KeyDraft
from tui.keys.rotation import (
    TRANSITIONS,
    Rotation,
    State,
    Step,
    Unfinished,
    UnfinishedKind,
    base_label,
)
from tui.text import count, mask, plain, short

S = State

_STEP_TITLES = ("Create successor", "Store secret", "Verify", "Delete predecessor")
_VERIFY = _STEP_TITLES.index("Verify")
_PAUSE_TITLE = "Pause"

_PLACE_OF_STEP = {
    Step.CREATE: 0,
    Step.DELIVER: 1,
    Step.STORED: 1,
    Step.REPLACE: 1,
    Step.VERIFY: _VERIFY,
    Step.FINISH: 3,
}
"""Where in the row the steps stand that bring a rotation closer to its end."""

_NEXT_STEP_TEXTS = {
    S.DELIVERED: (
        "The secret is stored; the successor was not shown to work yet. Both keys are there. "
        "Press v to verify it, d to delete the predecessor all the same, or l to keep both for a "
        "while."
    ),
    S.VERIFIED: (
        "Both keys work. Put the new secret to use, then press d to delete the predecessor, z to "
        "pause it first and see whether anything breaks, or l to keep both for a while: everybody "
        "sees the old one marked as retiring."
    ),
    S.OVERLAPPING: (
        "Both keys work; the old one is marked as retiring in the list, for everybody to see. "
        "Press d once nobody uses its secret any more: whoever does is locked out at once."
    ),
    S.FINISHED: "Rotated: only the successor works now.",
    S.UNDONE: "Undone: the key is as it was, and there is no successor.",
    S.SECRET_LOST: (
        "A successor was made, but nobody has its secret. Press r to delete it and make another, "
        "or u to delete it and leave the key as it was."
    ),
    S.INTERRUPTED: (
        "This key already has a successor. Press s if its secret is stored where it is needed; "
        "else r to delete it and make another, or u to delete it."
    ),
    S.UNKNOWN: "It is not known what became of the last step. F5 looks at the list again.",
}

_PAUSED_TEXT = (
    "The predecessor is paused: whatever still uses it is refused. Once nothing breaks, press d to "
    "delete it; z resumes it."
)
_PAUSED_OUTCOME = "its predecessor is paused. z on it resumes it, f deletes it."
_PAUSED_STATES = frozenset({S.DELIVERED, S.VERIFIED, S.OVERLAPPING})

_OUTCOME_TEXTS = {
    S.REFUSED: "nothing was created, and the key is as it was.",
    S.DELIVERED: "both keys are there. f on the older one goes on.",
    S.VERIFIED: "both keys work. f on the older one goes on.",
    S.OVERLAPPING: "both keys work, and the older one is marked as retiring. f on it deletes it.",
    S.FINISHED: "rotated. Only the successor works now.",
    S.UNDONE: "as it was. There is no successor.",
    S.SECRET_LOST: "it has a successor whose secret nobody has. r replaces it.",
    S.INTERRUPTED: "it has a successor still. f goes on.",
    S.UNKNOWN: "it is not known what became of the last step. The list shows what is there now.",
}


def state_text(rotation: Unfinished, today: date) -> str:
    """Return what stands beside a key that has, or may have, a successor."""
    if rotation.kind is UnfinishedKind.RECORDED and rotation.known is not None:
        if not rotation.known.is_stored:
            return "rotation interrupted: r goes on"
        return (
            "has a successor: f finishes" if rotation.is_proven else "has a successor, unverified"
        )
    if rotation.kind is UnfinishedKind.MAYBE_INTERRUPTED or rotation.since is None:
        return "rotation interrupted?"
    days = (today - rotation.since).days
    return f"retiring for {count(days, 'day')}" if days > 0 else "retiring since today"


ENDED = frozenset({S.FINISHED, S.UNDONE})


def next_step_text(state: State, *, is_paused: bool = False) -> str:
    """Return what can be done next, or the outcome; nothing before the first step.

    `is_paused` says that the predecessor is out of service.
    """
    if is_paused and state in _PAUSED_STATES:
        return _PAUSED_TEXT
    return _NEXT_STEP_TEXTS.get(state, "")


def outcome_text(state: State, *, is_paused: bool = False) -> str:
    """Return what follows the key's label above the list; nothing before the first step."""
    if is_paused and state in _PAUSED_STATES:
        return _PAUSED_OUTCOME
    return _OUTCOME_TEXTS.get(state, "")


def render_steps(state: State, *, verified: bool, is_paused: bool = False) -> Content:
    """Return the steps in a row: those behind, the current one, those ahead.

    The pause of a predecessor stands among them while it lasts.
    """
    next_step = next(iter(TRANSITIONS[state]))
    current = len(_STEP_TITLES) if state is S.FINISHED else _PLACE_OF_STEP.get(next_step, 0)
    behind = set(range(current)) - {_VERIFY} | ({_VERIFY} if verified else set())
    parts: list[Content] = []
    for number, step_title in enumerate(_STEP_TITLES):
        if is_paused and number == len(_STEP_TITLES) - 1:
            parts.append(Content.styled(f"✓ {_PAUSE_TITLE}", "$text-success"))
        if number in behind:
            parts.append(Content.styled(f"✓ {step_title}", "$text-success"))
        elif number == current and state not in ENDED:
            parts.append(Content.styled(f"▸ {step_title}", "bold $text-accent"))
        else:
            parts.append(Content.styled(f"· {step_title}", "$text-muted"))
    return Content(" " * (2 if is_paused else 3)).join(parts)


def render_title(rotation: Rotation) -> Content:
    """Return whose rotation it is, and the short keys of both keys as far as they are known."""
    key, short_key = rotation.predecessor, rotation.short_key
    label = plain(base_label(key.raw_label or ""))
    parts = [("Rotate API Key: ", "bold $text-accent"), (short(label, 36), "bold")]
    if key.short_key:
        parts.append((f"  {mask(key.short_key)}", "$text-muted"))
    if short_key:
        parts.append((f" → {mask(short_key)}", "$text-muted"))
    return Content.assemble(*parts)


def draft_texts(draft: KeyDraft, catalogue: Catalogue) -> dict[str, str]:
    """Return label, grants and IPs of the successor to be, by the names of the fields."""
    return {
        "label": short(draft.label),
        "grants": ", ".join(map(catalogue.label, draft.grants))
        or "none told by the server: ctrl+e chooses them",
        "ips": ", ".join(map(plain, draft.valid_ips)) or "any address",
    }
