"""The states beside the keys of the list: rotations, pauses, failures."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date

from tui.keys.key_record import KeyRecord, Knowledge, UnfinishedKind, UnfinishedRotation
from tui.keys.pause import Pause
from tui.keys.records import Records
from tui.keys.write_outcomes import OpenWrite
from tui.text import mask, plain, short
from tui.ui.bindings import with_keys
from tui.ui.screens.pause_text import paused_since
from tui.ui.screens.rotation_text import time_text
from tui.ui.widgets.table_line import RowState, StateKind

_SUCCESSOR_TEXTS: dict[Knowledge, str] = {
    Knowledge.NEVER_STORED: "interrupted: {keys.rotate} goes on",
    Knowledge.PERHAPS_STORED: "successor perhaps stored: {keys.journal}",
    Knowledge.HELD_SOMEWHERE: "successor unverified: {keys.finish}",
    Knowledge.NOT_KNOWN: "has a successor: {keys.finish} goes on",
}


def row_states(
    records: Records, pauses: Mapping[str, Pause], today: date, app: object
) -> dict[str, RowState]:
    """Return the states of keys, by their ids; what matters most counts.

    The texts fit beside the letters of the permissions on 80 columns, and name the keys in force in
    `app`.
    """
    states: dict[str, RowState] = {}
    for unfinished in records.unfinished:
        states[unfinished.predecessor.id] = _unfinished(unfinished, today, app)
    for record in records.marked:
        states.setdefault(record.key.id, RowState(_mark_text(record, app), "successor"))
    for record in records.never_stored:
        what = "deletes" if record.is_orphan else "replaces"
        text = with_keys(f"never stored: {{keys.rotate}} {what}", app)
        states[record.key.id] = RowState(text, "problem")
    for record in records.perhaps_stored:
        states[record.key.id] = RowState(_perhaps_stored_text(record, app), "problem")
    for key_id, pause in pauses.items():
        states[key_id] = RowState(paused_since(pause.since, today), "paused")
    for key_id, write in records.open_writes.items():
        states[key_id] = RowState(_open_text(write), "problem")
    return states


def word_for_state(action: str, kind: StateKind) -> str | None:
    """Return the footer's word for what an action does with a key in this state.

    It is nothing where the state leaves it out, and None where it is the usual one.
    """
    match action:
        case "rotate" if kind == "retiring":
            return ""
        case "finish" if kind not in {"retiring", "successor"}:
            return ""
        case "pause" if kind == "paused":
            return "Resume"
    return None


def groups(records: Records, pauses: Mapping[str, Pause]) -> dict[str, frozenset[str]]:
    """Return the ids of the keys in each group that is counted above the list."""
    return {
        "retiring": frozenset(
            rotation.predecessor.id
            for rotation in records.unfinished
            if rotation.kind is not UnfinishedKind.ALIKE
        ),
        "unstored": frozenset(record.key.id for record in records.never_stored),
        "unanswered": frozenset(records.open_writes),
        "paused": frozenset(pauses),
    }


def _unfinished(rotation: UnfinishedRotation, today: date, app: object) -> RowState:
    if rotation.kind is UnfinishedKind.ALIKE:
        return RowState(with_keys("alike to another: {keys.rotate} asks", app), "alike")
    if rotation.worker is not None:
        return RowState(f"rotating: {short(str(rotation.worker), 40)}", "working")
    days = (today - rotation.since).days if rotation.since else 0
    since = f"retiring {days:,} d" if days > 0 else "retiring"
    if rotation.kind is UnfinishedKind.RETIRING:
        text = since
    elif len(rotation.successors) > 1:
        text = f"{len(rotation.successors)} successors: {{keys.finish}} on one"
    elif rotation.is_proven:
        text = f"{since}, {{keys.finish}} deletes"
    else:
        text = _SUCCESSOR_TEXTS[rotation.knowledge]
    return RowState(with_keys(text, app), "retiring")


def _perhaps_stored_text(record: KeyRecord, app: object) -> str:
    if record.is_kept:
        return "kept: next sign-in offers"
    if record.has_heirs:
        return with_keys("another took its place: {keys.delete}", app)
    if record.created is not None and record.created.is_in_delivery:
        return with_keys("delivery cut off: {keys.verify} shows", app)
    return with_keys("perhaps stored: see {keys.journal}", app)


def _mark_text(record: KeyRecord, app: object) -> str:
    if record.worker is not None:
        return f"being made: {short(str(record.worker), 40)}"
    if record.has_lost_predecessor:
        return with_keys("{keys.finish} puts its label back", app)
    short_key = record.mark.short_key if record.mark is not None else ""
    return f"replaces {mask(plain(short_key)) if short_key else 'another key'}"


def _open_text(write: OpenWrite) -> str:
    what = "be deleted" if write.action == "delete" else "change"
    return f"may {what} until {time_text(write.until)}"
