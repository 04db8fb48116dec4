"""A rotation as two lanes: what became of the old key, and of the new one."""

from __future__ import annotations

from tui.keys.rotation import Rotation, State, Step
from tui.keys.verification import Verdict, Verification
from tui.text import mask
from tui.ui.bindings import with_keys
from tui.ui.widgets.lanes import Lane, Station, StationKind

S = State

_MADE = Station("made", "done")
_USE = "put to use"
_BEFORE = frozenset({S.PLANNED, S.REFUSED})


def lanes_of(
    rotation: Rotation, verification: Verification | None, app: object
) -> tuple[Lane, Lane]:
    """Return the lanes of the predecessor and of its successor, the older one first.

    `verification` is what is known of the successor by now, also while that is being found
    out. The keys are those in force in `app`.
    """
    key, is_gone = rotation.predecessor, rotation.state in {S.FINISHED, S.NOTHING_LEFT}
    stations, is_off = _old_stations(rotation, app), rotation.is_paused
    old = Lane("old", mask(key.short_key), stations, has_ended=is_gone, is_off=is_off)
    is_undone = rotation.state in {S.UNDONE, S.NOTHING_LEFT}
    short_key, stations = mask(rotation.short_key), _new_stations(rotation, verification, app)
    return old, Lane("new", short_key, stations, is_new=True, has_ended=is_undone)


def _old_stations(rotation: Rotation, app: object) -> tuple[Station, ...]:
    start = Station("", "start")
    if rotation.state in {S.FINISHED, S.NOTHING_LEFT}:
        return start, Station("deleted", "failed")
    status = _old_status(rotation)
    if not rotation.allows(Step.FINISH):
        return start, status
    kind: StationKind = "current" if rotation.is_proven else "ahead"
    return start, status, Station(with_keys("`{rotate.finish}` deletes", app), kind)


def _old_status(rotation: Rotation) -> Station:
    """Return whether the predecessor works, as far as that is known."""
    write, step = rotation.open_write, rotation.unknown_step
    if step is Step.FINISH:
        return Station("perhaps deleted", "unknown")
    if step in {Step.PAUSE, Step.RESUME}:
        return Station("perhaps paused", "unknown")
    if write is not None and write.key_id == rotation.predecessor.id:
        return Station("perhaps deleted", "unknown")
    return Station("paused", "off") if rotation.is_paused else Station("works", "plain")


def _new_stations(
    rotation: Rotation, verification: Verification | None, app: object
) -> tuple[Station, ...]:
    state, step = rotation.state, rotation.unknown_step
    ahead = [Station(words, "ahead") for words in ("verify", "store", _USE)]
    if state in _BEFORE or step is Step.CREATE:
        first = {
            S.PLANNED: Station("create", "current"),
            S.REFUSED: Station("not made", "failed"),
        }.get(state, Station("perhaps made", "unknown"))
        return first, *ahead
    if state is S.NOTHING_LEFT:
        return Station("deleted", "failed"), Station("create", "current")
    if state is S.UNDONE:
        return _MADE, Station("deleted", "failed")
    if step in {Step.UNDO, Step.REPLACE}:
        return _MADE, Station("perhaps deleted", "unknown")
    if state is S.SECRET_LOST:
        replaces = Station(with_keys("`{rotate.replace}` replaces it", app), "current")
        return _MADE, Station("secret lost", "failed"), replaces
    return _MADE, *_middle(rotation, verification), _last(rotation)


def _middle(rotation: Rotation, verification: Verification | None) -> tuple[Station, Station]:
    """Return storing and verifying in the order in which they happened, or are to happen."""
    verify, store = _verified(rotation, verification), _stored(rotation)
    is_first = (
        rotation.verified_first
        if rotation.is_proven
        else not rotation.stored and verify.kind != "ahead"
    )
    return (verify, store) if is_first else (store, verify)


def _stored(rotation: Rotation) -> Station:
    if rotation.stored:
        return Station("stored", "done")
    if rotation.known_state is S.INTERRUPTED:
        return Station("stored", "unknown")
    is_at_hand = rotation.known_state is S.CREATED and not rotation.is_busy
    return Station("store", "current" if is_at_hand else "ahead")


def _verified(rotation: Rotation, verification: Verification | None) -> Station:
    state = rotation.known_state
    if verification is not None:
        of = len(verification.proofs) + len(verification.awaited)
        shown = sum(proof.verdict is Verdict.GRANTED for proof in verification.proofs)
        if verification.works:
            return Station(f"verified {shown}/{of}" if of else "verified", "done")
        if rotation.is_busy:
            return Station(f"verify {shown}/{of}", "current")
        return Station("not verified", "failed" if verification.is_certain else "unknown")
    if rotation.is_proven:
        return Station("verified", "done")
    if state is S.FINISHED:
        return Station("not verified", "unknown")
    return Station("verify", "current" if state is S.DELIVERED else "ahead")


def _last(rotation: Rotation) -> Station:
    """Return what comes last: the successor is put to use, and is then the only key."""
    write = rotation.open_write
    if write is not None and write.key_id != rotation.predecessor.id:
        return Station("perhaps deleted", "unknown")
    if rotation.known_state is S.FINISHED:
        return Station("the only key", "current")
    return Station(_USE, "current" if rotation.known_state is S.VERIFIED else "ahead")
