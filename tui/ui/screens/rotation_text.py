"""Where a rotation stands, in words."""

from __future__ import annotations

from datetime import datetime

from textual.content import Content

from tui.api.grants import Catalogue
from tui.api.models import KeyDraft
from tui.keys.labels import base_label, shown_label
from tui.keys.rotation import TRANSITIONS, Rotation, State, Step
from tui.problems import describe
from tui.text import mask, plain, short

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
        "sees whose successor the new one is."
    ),
    S.FINISHED: "Rotated: only the successor works now.",
    S.UNDONE: "Undone: the key is as it was, and there is no successor.",
    S.SECRET_LOST: (
        "A successor was made, but nobody has its secret. Press r to delete it and make another, "
        "or u to delete it and leave the key as it was."
    ),
    S.INTERRUPTED: (
        "This key already has a successor. Press s if its secret is stored where it is needed, or "
        "v to show that it works. If nobody has its secret, u deletes it, and r makes another."
    ),
    S.NOTHING_LEFT: (
        "NO KEY IS LEFT of this label. Press Enter to create another one at once, with the same "
        "grants and allowed IPs."
    ),
    S.UNKNOWN: "It is not known what became of the last step. F5 looks at the list again.",
}

_PAUSED_TEXT = (
    "The predecessor is paused: whatever still uses it is refused. Once nothing breaks, press d to "
    "delete it; z resumes it."
)
_PAUSED_OUTCOME = "its predecessor is paused. z on it resumes it, f deletes it."
_PAUSED_STATES = frozenset({S.DELIVERED, S.VERIFIED})

_OUTCOME_TEXTS = {
    S.REFUSED: "no successor was seen so far, and the key is as it was.",
    S.DELIVERED: "both keys are there. f on the older one goes on.",
    S.VERIFIED: "both keys work. f on the older one goes on.",
    S.NOTHING_LEFT: "NO KEY IS LEFT: both were deleted. n creates another one.",
    S.FINISHED: "rotated. Only the successor works now.",
    S.UNDONE: "as it was. There is no successor.",
    S.SECRET_LOST: "it has a successor whose secret nobody has. r replaces it.",
    S.INTERRUPTED: "it has a successor still. f goes on.",
    S.UNKNOWN: "it is not known what became of the last step. The list shows what is there now.",
}


def time_text(moment: datetime) -> str:
    """Return the time of day, on the clock of this host."""
    return f"{moment.astimezone():%H:%M}"


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


def note_text(rotation: Rotation) -> str:
    """Return what else is to be known: an open deletion, a mark that is not as it should be."""
    write, notes = rotation.open_write, list[str]()
    if write is not None and rotation.state not in ENDED:
        which = "predecessor" if write.key_id == rotation.predecessor.id else "successor"
        notes.append(
            f"The deletion of the {which} was not answered, and may still take effect until "
            f"{time_text(write.until)}: the other key stays until then."
        )
    problem = rotation.mark_problem
    if problem is not None and rotation.state is not S.UNDONE:
        is_marked = mark_is_there(rotation)
        reason = describe(problem).one_line
        notes.append(
            f"The successor keeps its mark for now, and f puts the plain label back later: {reason}"
            if is_marked
            else f"The successor has no mark, so only this host knows whose it is: {reason}"
        )
    return " ".join(notes)


def mark_is_there(rotation: Rotation) -> bool:
    """Tell whether the successor's label carries a mark, as last seen."""
    label = (rotation.successor.raw_label or "") if rotation.successor else ""
    return shown_label(label) != label


def draft_texts(draft: KeyDraft, catalogue: Catalogue) -> dict[str, str]:
    """Return label, grants and IPs of the successor to be, by the names of the fields."""
    return {
        "label": short(draft.label),
        "grants": ", ".join(map(catalogue.label, draft.grants))
        or "none told by the server: ctrl+e chooses them",
        "ips": ", ".join(map(plain, draft.valid_ips)) or "any address",
    }
