"""The states of a rotation, its steps, the table of transitions, and the reasons for refusals."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from enum import Enum
from typing import TYPE_CHECKING

from tui.api.models import Key
from tui.keys.write_outcomes import CannotGoOn
from tui.text import mask

if TYPE_CHECKING:
    from datetime import datetime

    from tui.keys.verification import Verification


class State(Enum):
    """Where a rotation stands; the values are fit to be shown."""

    PLANNED = "planned"
    """Nothing has been done yet."""
    REFUSED = "refused"
    """Nothing was created; the draft may be changed and the create repeated."""
    CREATED = "created"
    """The successor exists, its secret is held here and nowhere else."""
    DELIVERED = "delivered"
    """The successor's secret is where the operator wanted it."""
    VERIFIED = "verified"
    """The delivered successor was verified."""
    FINISHED = "finished"
    """The predecessor is deleted."""
    NOTHING_LEFT = "no key left"
    """Both keys are deleted, one of them by somebody else: another successor is due."""
    UNDONE = "undone"
    """The predecessor is as it was, and there is no successor."""
    SECRET_LOST = "secret lost"  # noqa: S105  # a state's name
    """The successor exists, but nobody has its secret: it is deleted before another is made."""
    INTERRUPTED = "interrupted"
    """A successor is listed, and nothing here says that its secret was stored."""
    UNKNOWN = "unknown"
    """A write got no answer and the list could not be read; looking again will tell."""


class Step(Enum):
    """What can be done with a rotation; the values are the names of its methods."""

    CREATE = "create"
    DELIVER = "deliver"
    STORED = "stored_by_hand"
    VERIFY = "verify"
    PAUSE = "pause_predecessor"
    RESUME = "resume_predecessor"
    FINISH = "finish"
    UNDO = "undo"
    REPLACE = "replace_lost"
    LOOK = "look_again"
    FORGET = "forget_secret"


S = State
_UNDOING = (S.UNDONE, S.NOTHING_LEFT, S.UNKNOWN)
_PAUSING = {Step.PAUSE: (S.UNKNOWN,), Step.RESUME: (S.UNKNOWN,)}
"""The steps that take a predecessor out of service, and back, before it is deleted."""

Transitions = Mapping[State, Mapping[Step, tuple[State, ...]]]
"""Of each state its steps, the one that leads on first, and of each step where it may end.

A step may also end where it began. `Machine` enforces the table: anything else is a WrongStep.
"""

TRANSITIONS: Transitions = {
    S.PLANNED: {
        Step.CREATE: (S.CREATED, S.REFUSED, S.SECRET_LOST, S.UNKNOWN),
        Step.UNDO: _UNDOING,
    },
    S.REFUSED: {
        Step.CREATE: (S.CREATED, S.REFUSED, S.SECRET_LOST, S.UNKNOWN),
        Step.UNDO: _UNDOING,
    },
    S.CREATED: {
        Step.DELIVER: (S.DELIVERED, S.VERIFIED),
        Step.STORED: (S.DELIVERED, S.VERIFIED),
        Step.VERIFY: (S.VERIFIED,),
        Step.UNDO: _UNDOING,
        Step.FORGET: (S.SECRET_LOST,),
    },
    S.DELIVERED: {
        Step.VERIFY: (S.VERIFIED,),
        Step.DELIVER: (),
        Step.STORED: (S.VERIFIED,),
        Step.FINISH: (S.FINISHED, S.NOTHING_LEFT, S.UNKNOWN),
        **_PAUSING,
        Step.UNDO: _UNDOING,
        Step.FORGET: (),
    },
    S.VERIFIED: {
        Step.FINISH: (S.FINISHED, S.NOTHING_LEFT, S.UNKNOWN),
        Step.VERIFY: (S.DELIVERED,),
        Step.DELIVER: (),
        Step.STORED: (),
        **_PAUSING,
        Step.UNDO: _UNDOING,
        Step.FORGET: (),
    },
    S.FINISHED: {Step.FORGET: ()},
    S.UNDONE: {Step.FORGET: ()},
    S.NOTHING_LEFT: {Step.CREATE: (S.CREATED, S.SECRET_LOST, S.UNKNOWN)},
    S.SECRET_LOST: {
        Step.REPLACE: (S.PLANNED, S.UNKNOWN),
        Step.UNDO: _UNDOING,
    },
    S.INTERRUPTED: {
        Step.STORED: (S.DELIVERED, S.VERIFIED),
        Step.REPLACE: (S.PLANNED, S.UNKNOWN),
        Step.VERIFY: (S.VERIFIED,),
        Step.UNDO: _UNDOING,
    },
    S.UNKNOWN: {Step.LOOK: tuple(S)},
}
"""The steps of a rotation."""


class WrongStep(Exception):
    """A step that the state does not allow, or that ended where it must not.

    Either is a fault of the program.
    """

    def __init__(self, state: State, step: Step | None, why: str = "") -> None:
        name = step.value if step else "no step"
        super().__init__(f"{name} when {state.value}{f': {why}' if why else ''}")
        self.state, self.step = state, step


class GrantsNotTold(CannotGoOn):
    """The server does not tell what the predecessor may do, so no successor can have the same."""

    sentence = "The server does not return this key's grants, so choose those of its successor."


class AddressesNotTold(CannotGoOn):
    """The server does not tell the allowed addresses, so an update would wipe them."""

    sentence = (
        "The server does not return this key's allowed IPs, and a change of its label would remove "
        "them: the label stays as it is."
    )


class StillPaused(CannotGoOn):
    """The key is paused, and its label tells what it takes to resume it."""

    sentence = "This key is paused: its label is put back once it is resumed."


class AddressesNotChosen(CannotGoOn):
    """The server does not tell the predecessor's addresses, so the operator has to decide."""

    sentence = (
        "The server does not return this key's allowed IPs. Its successor would work from any "
        "address: choose Change to enter allowed IPs, or to confirm any address."
    )


class MarkNotKept(CannotGoOn):
    """The server did not keep the successor's label as it was sent, so that its mark is lost."""

    sentence = (
        "The server has changed the successor's label, so that only this host knows whose "
        "successor it is."
    )


class NothingLeft(CannotGoOn):
    """Somebody else deleted one of the keys while the other one was being deleted."""

    sentence = (
        "NO KEY IS LEFT: predecessor and successor were both deleted, one of them by somebody "
        "else. Choose Create to have another one at once."
    )


class PausedBefore(CannotGoOn):
    """The predecessor is paused, and what its allowed IPs were is not known here."""

    sentence = (
        "This key is paused, and the allowed IPs that it had are not known on this host. Resume it "
        "first, on the host that paused it."
    )


class OtherSecret(CannotGoOn):
    """A secret that was given is not that of the key to be verified."""

    sentence = "This is another key's secret: it does not begin with this key's short key."


class SecretForgotten(CannotGoOn):
    """The secret that a step needs is not held here any more."""

    sentence = "The program no longer holds its secret: paste it to verify the key."


class PredecessorGone(CannotGoOn):
    """The predecessor is not in the list: deleting the successor would leave no key."""

    def __init__(self, until: datetime | None = None) -> None:
        """Say where an earlier deletion of the successor may take effect `until` then."""
        super().__init__()
        self.sentence = (
            "The predecessor is not in the list of keys any more, so nothing was changed."
            f"{_may_leave_nothing('successor', until)}"
        )


class SucceededAlready(CannotGoOn):
    """A successor of the key is listed that was made since the rotation began."""

    def __init__(self, successors: Sequence[Key]) -> None:
        super().__init__()
        named = ", ".join(mask(key.short_key) or "?" for key in successors)
        self.sentence = (
            f"Nothing was created: this key has a successor by now ({named}). Leave this screen, "
            "and choose Finish on the key to continue with that one."
        )


class SuccessorGone(CannotGoOn):
    """The successor is not in the list: deleting the predecessor would leave no key."""

    def __init__(self, until: datetime | None = None) -> None:
        """Say where an earlier deletion of the predecessor may take effect `until` then."""
        super().__init__()
        self.sentence = (
            "The successor can't be found in the list of keys, so nothing was deleted."
            f"{_may_leave_nothing('predecessor', until)}"
        )


def _may_leave_nothing(which: str, until: datetime | None) -> str:
    if until is None:
        return ""
    return (
        f" An earlier deletion of the {which} was not answered, and may take effect until "
        f"{until.astimezone():%H:%M}: then no key is left. Create another one now."
    )


class ListedInPart(CannotGoOn):
    """The server lists only some of its keys, so the list proves no key's absence."""

    sentence = "The server lists only part of its keys, so the outcome is not known."


class Interrupted(CannotGoOn):
    """The program was stopped in the middle of a write."""

    sentence = "The program was stopped during the request."


class NotVerified(CannotGoOn):
    """The successor was not verified; `verification` tells why."""

    sentence = "The successor was not verified, so the predecessor stays."

    def __init__(self, verification: Verification) -> None:
        super().__init__()
        self.verification = verification
