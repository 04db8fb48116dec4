"""Where a rotation stands, in words."""

from __future__ import annotations

from datetime import datetime

from textual.content import Content

from tui.api.errors import Forbidden, Invalid
from tui.api.grants import Catalogue, letters, sends
from tui.api.models import KeyDraft
from tui.keys.labels import base_label, shown_label
from tui.keys.rotation import Rotation, State
from tui.keys.rotation.states import MarkNotKept
from tui.keys.write_outcomes import SecretLost
from tui.problems import describe
from tui.text import age, count, mask, plain, short
from tui.ui.widgets.facts_pane import fact

S = State

_CHANGE = (
    "The successor gets the same label, grants and allowed IPs; `{rotate.change}` changes them."
)
_NEXT_STEP_TEXTS = {
    S.PLANNED: _CHANGE + " The predecessor works until you delete it.",
    S.REFUSED: (
        "The predecessor works as before. `{rotate.create}` tries again; `{rotate.change}` changes "
        "the draft."
    ),
    S.CREATED: "The predecessor still works. Store the new secret, then press `{rotate.stored}`.",
    S.DELIVERED: (
        "The secret is stored; the successor was not verified yet. `{rotate.verify}` verifies "
        "it, `{rotate.finish}` deletes the predecessor all the same, `{rotate.later}` keeps both "
        "for a while."
    ),
    S.VERIFIED: (
        "Both keys work. Put the new secret to use; then `{rotate.finish}`, or `{rotate.pause}` "
        "to pause the predecessor first and see whether anything breaks, or `{rotate.later}` to "
        "keep both."
    ),
    S.FINISHED: "Rotated: only the successor works now.",
    S.UNDONE: "Undone: the key is as it was, and there is no successor.",
    S.SECRET_LOST: (
        "A successor was made, but nobody has its secret. Press `{rotate.replace}` to delete it "
        "and make another, or `{rotate.undo}` to delete it and leave the predecessor as it was."
    ),
    S.INTERRUPTED: (
        "This key already has a successor. Press `{rotate.stored}` if its secret is stored where "
        "it is needed, or `{rotate.verify}` to show that it works. If nobody has its secret, "
        "`{rotate.undo}` deletes it, and `{rotate.replace}` makes another."
    ),
    S.NOTHING_LEFT: (
        "NO KEY IS LEFT of this label. Press `{rotate.create}` to create another one at once, with "
        "the same grants and allowed IPs."
    ),
    S.UNKNOWN: ("The outcome of the last step is not known. `{rotate.look}` reads the list again."),
}
"""What can be done next, or the outcome, for `with_keys`; keys stand between backticks."""

_HINTED_STATES = frozenset({S.PLANNED, S.REFUSED, S.CREATED})
"""Where what to do about a problem is not said by the next step."""

_PAUSED_TEXT = (
    "The predecessor is paused: whatever still uses it is refused. Once nothing breaks, press "
    "`{rotate.finish}` to delete it; `{rotate.resume}` resumes it."
)
_PAUSED_OUTCOME = (
    "its predecessor is paused. {keys.pause} on it resumes it, {keys.finish} deletes it."
)
_PAUSED_STATES = frozenset({S.DELIVERED, S.VERIFIED})

_OUTCOME_TEXTS = {
    S.REFUSED: "no successor was seen so far, and the key is as it was.",
    S.DELIVERED: "both keys are there. {keys.finish} on the older one goes on.",
    S.VERIFIED: "both keys work. {keys.finish} on the older one goes on.",
    S.NOTHING_LEFT: "NO KEY IS LEFT: both were deleted. {keys.new} creates another one.",
    S.FINISHED: "rotated. Only the successor works now.",
    S.UNDONE: "as it was. There is no successor.",
    S.SECRET_LOST: "it has a successor whose secret nobody has. {keys.rotate} replaces it.",
    S.INTERRUPTED: "it has a successor still. {keys.finish} goes on.",
    S.UNKNOWN: "the outcome of the last step is not known. The list shows what is there now.",
}


def time_text(moment: datetime) -> str:
    """Return the time of day, on the clock of this host."""
    return f"{moment.astimezone():%H:%M}"


ENDED = frozenset({S.FINISHED, S.UNDONE})


def next_step_text(state: State, *, is_paused: bool = False) -> str:
    """Return what can be done next, or the outcome, for `with_keys`; keys are between backticks.

    `is_paused` says that the predecessor is out of service.
    """
    if is_paused and state in _PAUSED_STATES:
        return _PAUSED_TEXT
    return _NEXT_STEP_TEXTS[state]


def problem_text(rotation: Rotation) -> Content:
    """Return what stopped the last step, and what to do where the next step does not say it."""
    error = rotation.problem
    if error is None:
        return Content("")
    problem = describe(error, rotation.predecessor)
    is_hinted = rotation.state in _HINTED_STATES and not isinstance(error, Invalid)
    says_more = is_hinted or isinstance(error, Forbidden)
    detail = "" if isinstance(error, SecretLost) else problem.detail  # the next step says as much
    said = [sentence for name, sentence in problem.fields.items() if name != "password"]
    lines = filter(None, (*said, "" if said else detail, problem.hint if says_more else ""))
    title = Content.assemble(("✗ ", "$text-error"), (problem.title, "bold $text-error"))
    return Content("\n").join([title, *map(Content, lines)])


def outcome_text(state: State, *, is_paused: bool = False) -> str:
    """Return what follows the key's label above the list, for `with_keys`; at first nothing."""
    if is_paused and state in _PAUSED_STATES:
        return _PAUSED_OUTCOME
    return _OUTCOME_TEXTS.get(state, "")


def render_title(rotation: Rotation) -> Content:
    """Return whose rotation it is, and what the successor may do, and from where."""
    draft = rotation.draft
    label = plain(base_label(rotation.predecessor.raw_label or ""))
    addresses = count(len(draft.valid_ips), "address range") if draft.valid_ips else "any address"
    is_exposed = sends(draft.grants) and not draft.valid_ips
    return Content.assemble(
        (short(label, 44), "bold"),
        f"   {letters(draft.grants)}   ",
        (addresses, "$text-muted"),
        (" !" if is_exposed else "", "$text-warning"),
    )


def pair_text(rotation: Rotation, now: datetime, width: int) -> Content:
    """Return which two keys these are: short key, owner, age and ID, in lines of `width` cells."""
    lines: list[Content] = []
    for name, key in (("Predecessor", rotation.predecessor), ("Successor", rotation.successor)):
        if key is None:
            continue
        if lines:
            lines.append(Content(""))
        lines.append(Content.assemble((name, "bold"), f"  {mask(key.short_key)}"))
        if key.owner:
            lines += fact("Owner", [Content(short(key.owner))], width)
        if moment := key.created_at:
            made = Content.assemble(
                age(moment, now), (f" {moment:%Y-%m-%d %H:%M} UTC", "$text-muted")
            )
            lines += fact("Made", [made], width)
        lines += fact("ID", [Content(short(key.id))], width)
    return Content("\n").join(lines)


def note_text(rotation: Rotation, finish_key: str) -> str:
    """Return what else is to be known: an open deletion, a mark that is not as it should be."""
    write, notes = rotation.open_write, list[str]()
    if write is not None and rotation.state not in ENDED:
        which = "predecessor" if write.key_id == rotation.predecessor.id else "successor"
        notes.append(
            f"The deletion of the {which} was not answered, and may still take effect until "
            f"{time_text(write.until)}: the other key stays until then."
        )
    problem = rotation.mark_problem
    if isinstance(problem, MarkNotKept) and rotation.state is not S.UNDONE:
        notes.append(problem.sentence)
    elif problem is not None and rotation.state is not S.UNDONE:
        is_marked = mark_is_there(rotation)
        reason = describe(problem).one_line
        notes.append(
            f"The successor keeps its mark for now, and {finish_key} puts the plain label back "
            f"later: {reason}"
            if is_marked
            else f"The successor has no mark, so only this host knows whose it is: {reason}"
        )
    return " ".join(notes)


def mark_is_there(rotation: Rotation) -> bool:
    """Tell whether the successor's label carries a mark, as last seen."""
    label = (rotation.successor.raw_label or "") if rotation.successor else ""
    return shown_label(label) != label


def draft_texts(draft: KeyDraft, catalogue: Catalogue, change_key: str) -> dict[str, str]:
    """Return label, grants and IPs of the successor to be, by the names of the fields."""
    return {
        "label": short(draft.label),
        "grants": ", ".join(map(catalogue.label, draft.grants))
        or f"none told by the server: {change_key} chooses them",
        "ips": ", ".join(map(plain, draft.valid_ips)) or "any address",
    }
