"""Where a rotation stands, in words."""

from __future__ import annotations

from datetime import date, datetime

from textual.content import Content

from tui.api.errors import Forbidden
from tui.api.grants import Catalogue
from tui.api.models import KeyDraft
from tui.keys.labels import base_label, shown_label
from tui.keys.records import KeyRecord, Knowledge, Records, Unfinished, UnfinishedKind
from tui.keys.rotation import Rotation, State
from tui.keys.write_outcomes import OpenWrite, SecretLost
from tui.problems import describe
from tui.text import count, mask, plain, short
from tui.ui.widgets.table_line import StateKind

S = State

_CHANGE = "The successor gets the same label, grants and allowed IPs; `ctrl+e` changes them."
_NEXT_STEP_TEXTS = {
    S.PLANNED: f"{_CHANGE} The predecessor works until you delete it.",
    S.REFUSED: "The predecessor works as before. `Enter` tries again; `ctrl+e` changes the draft.",
    S.CREATED: "The predecessor still works. Store the new secret, then press `s`.",
    S.DELIVERED: (
        "The secret is stored; the successor was not shown to work yet. `v` verifies it, `d` "
        "deletes the predecessor all the same, `l` keeps both for a while."
    ),
    S.VERIFIED: (
        "Both keys work. Put the new secret to use; then `d`, or `z` to pause the predecessor "
        "first and see whether anything breaks, or `l` to keep both."
    ),
    S.FINISHED: "Rotated: only the successor works now.",
    S.UNDONE: "Undone: the key is as it was, and there is no successor.",
    S.SECRET_LOST: (
        "A successor was made, but nobody has its secret. Press `r` to delete it and make another, "
        "or `u` to delete it and leave the predecessor as it was."
    ),
    S.INTERRUPTED: (
        "This key already has a successor. Press `s` if its secret is stored where it is needed, "
        "or `v` to show that it works. If nobody has its secret, `u` deletes it, and `r` makes "
        "another."
    ),
    S.NOTHING_LEFT: (
        "NO KEY IS LEFT of this label. Press `Enter` to create another one at once, with the same "
        "grants and allowed IPs."
    ),
    S.UNKNOWN: "It is not known what became of the last step. `F5` looks at the list again.",
}
"""What can be done next, or the outcome; keys stand between backticks."""

_HINTED_STATES = frozenset({S.PLANNED, S.REFUSED, S.CREATED})
"""Where what to do about a problem is not said by the next step."""

_PAUSED_TEXT = (
    "The predecessor is paused: whatever still uses it is refused. Once nothing breaks, press "
    "`d` to delete it; `z` resumes it."
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


StateText = tuple[str, StateKind]
"""What stands beside a key in the list, and how it is drawn."""

_SUCCESSOR_TEXTS: dict[Knowledge, str] = {
    Knowledge.NEVER_STORED: "rotation interrupted: r goes on",
    Knowledge.PERHAPS_STORED: "has a successor, perhaps stored: see J",
    Knowledge.HELD_SOMEWHERE: "has a successor, unverified",
    Knowledge.NOT_KNOWN: "has a successor: f goes on",
}


def state_texts(records: Records, today: date) -> dict[str, StateText]:
    """Return what stands beside the keys, by their ids; what matters most comes last."""
    texts: dict[str, StateText] = {}
    for unfinished in records.unfinished:
        texts[unfinished.predecessor.id] = _unfinished_text(unfinished, today), "working"
    for record in records.marked:
        texts.setdefault(record.key.id, (_mark_text(record), "working"))
    for record in records.never_stored:
        what = "deletes" if record.is_orphan else "replaces"
        texts[record.key.id] = f"secret never stored: r {what} it", "problem"
    for record in records.perhaps_stored:
        texts[record.key.id] = _perhaps_stored_text(record), "working"
    for key_id, write in records.open_writes.items():
        texts[key_id] = _open_text(write), "problem"
    return texts


def _perhaps_stored_text(record: KeyRecord) -> str:
    if record.is_kept:
        return "secret kept: the next sign-in offers it"
    if record.created is not None and record.created.is_in_delivery:
        return "perhaps stored, delivery cut off: v shows"
    return "secret perhaps stored: see J"


def _unfinished_text(rotation: Unfinished, today: date) -> str:
    if rotation.kind is UnfinishedKind.ALIKE:
        return "alike to another key: r asks"
    if rotation.kind is UnfinishedKind.RETIRING:
        days = (today - rotation.since).days if rotation.since else 0
        return f"retiring for {count(days, 'day')}" if days > 0 else "retiring since today"
    if rotation.worker is not None:
        return f"being rotated by {short(str(rotation.worker), 40)}"
    if len(rotation.successors) > 1:
        return f"has {len(rotation.successors)} successors: f on the one that stays"
    if rotation.is_proven:
        return "has a successor: f finishes"
    return _SUCCESSOR_TEXTS[rotation.knowledge]


def _mark_text(record: KeyRecord) -> str:
    if record.worker is not None:
        return f"being made by {short(str(record.worker), 40)}"
    short_key = record.mark.short_key if record.mark is not None else ""
    named = mask(plain(short_key)) if short_key else "another key"
    if record.has_lost_predecessor:
        return f"replaced {named}: f puts its label back"
    return f"replaces {named}"


def _open_text(write: OpenWrite) -> str:
    what = "be deleted" if write.action == "delete" else "change"
    return f"no answer: may {what} until {time_text(write.until)}"


def time_text(moment: datetime) -> str:
    """Return the time of day, on the clock of this host."""
    return f"{moment.astimezone():%H:%M}"


ENDED = frozenset({S.FINISHED, S.UNDONE})


def next_step_text(state: State, *, is_paused: bool = False) -> str:
    """Return what can be done next, or the outcome, with keys between backticks.

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
    says_more = rotation.state in _HINTED_STATES or isinstance(error, Forbidden)
    detail = "" if isinstance(error, SecretLost) else problem.detail  # the next step says as much
    lines = filter(None, (detail, problem.hint if says_more else ""))
    title = Content.assemble(("✗ ", "$text-error"), (problem.title, "bold $text-error"))
    return Content("\n").join([title, *map(Content, lines)])


def outcome_text(state: State, *, is_paused: bool = False) -> str:
    """Return what follows the key's label above the list; nothing before the first step."""
    if is_paused and state in _PAUSED_STATES:
        return _PAUSED_OUTCOME
    return _OUTCOME_TEXTS.get(state, "")


def render_title(rotation: Rotation) -> Content:
    """Return whose rotation it is, and what the successor may do, and from where."""
    draft = rotation.draft
    label = plain(base_label(rotation.predecessor.raw_label or ""))
    addresses = count(len(draft.valid_ips), "address range") if draft.valid_ips else "any address"
    return Content.assemble(
        (short(label, 44), "bold"),
        (f"   {count(len(draft.grants), 'grant')}   {addresses}", "$text-muted"),
    )


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
