"""The states of a rotation, the steps that lead from one to the other, and why one may not."""

from __future__ import annotations

from collections.abc import Mapping
from enum import Enum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tui.api.errors import ApiError
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
    """The delivered successor was shown to work."""
    OVERLAPPING = "overlapping"
    """The predecessor is marked as retiring; both keys work."""
    FINISHED = "finished"
    """The predecessor is deleted."""
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
    RETIRE = "retire_later"
    PAUSE = "pause_predecessor"
    RESUME = "resume_predecessor"
    FINISH = "finish"
    UNDO = "undo"
    REPLACE = "replace_lost"
    LOOK = "look_again"
    FORGET = "forget_secret"


S = State
_UNDOING = (S.UNDONE, S.UNKNOWN)
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
        Step.VERIFY: (),
        Step.UNDO: _UNDOING,
        Step.FORGET: (S.SECRET_LOST,),
    },
    S.DELIVERED: {
        Step.VERIFY: (S.VERIFIED,),
        Step.DELIVER: (),
        Step.STORED: (S.VERIFIED,),
        Step.RETIRE: (S.OVERLAPPING, S.UNKNOWN),
        Step.FINISH: (S.FINISHED, S.UNKNOWN),
        **_PAUSING,
        Step.UNDO: _UNDOING,
        Step.FORGET: (),
    },
    S.VERIFIED: {
        Step.FINISH: (S.FINISHED, S.UNKNOWN),
        Step.RETIRE: (S.OVERLAPPING, S.UNKNOWN),
        Step.VERIFY: (S.DELIVERED,),
        Step.DELIVER: (),
        Step.STORED: (),
        **_PAUSING,
        Step.UNDO: _UNDOING,
        Step.FORGET: (),
    },
    S.OVERLAPPING: {
        Step.FINISH: (S.FINISHED, S.UNKNOWN),
        **_PAUSING,
        Step.VERIFY: (),
        Step.DELIVER: (),
        Step.STORED: (),
        Step.UNDO: (S.DELIVERED, S.VERIFIED, *_UNDOING),
        Step.FORGET: (),
    },
    S.FINISHED: {Step.FORGET: ()},
    S.UNDONE: {Step.FORGET: ()},
    S.SECRET_LOST: {
        Step.REPLACE: (S.PLANNED, S.UNKNOWN),
        Step.UNDO: _UNDOING,
    },
    S.INTERRUPTED: {
        Step.STORED: (S.DELIVERED, S.VERIFIED),
        Step.REPLACE: (S.PLANNED, S.UNKNOWN),
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


class CannotGoOn(Exception):
    """Base of what keeps a rotation from its next step besides the server's errors.

    `sentence` says what and what to do.
    """

    sentence = ""

    def __str__(self) -> str:
        return self.sentence


class GrantsNotTold(CannotGoOn):
    """The server does not tell what the predecessor may do, so no successor can have the same."""

    sentence = "The server does not tell this key's grants, so choose those of its successor."


class PausedBefore(CannotGoOn):
    """The predecessor is paused, and what its allowed IPs were is not known here."""

    sentence = (
        "This key is paused, and what its allowed IPs were is not known here: resume it first, "
        "where it was paused."
    )


class OtherSecret(CannotGoOn):
    """A secret that was given is not that of the key to be verified."""

    sentence = "This is another key's secret: it begins otherwise than this key's."


class SecretForgotten(CannotGoOn):
    """The secret that a step needs is not held here any more."""

    sentence = "Its secret is not held here any more: paste it to verify the key."


class PredecessorGone(CannotGoOn):
    """The predecessor is not in the list: deleting the successor would leave no key."""

    sentence = "The predecessor is not in the list of keys any more, so nothing was changed."


class SuccessorGone(CannotGoOn):
    """The successor is not in the list: deleting the predecessor would leave no key."""

    sentence = "The successor can't be found in the list of keys, so nothing was deleted."


class StillThere(CannotGoOn):
    """A write got no good answer, and the list shows that it did not take effect."""

    sentence = "The list of keys was read again: nothing has changed so far. Try it again."

    def __init__(self, cause: ApiError | None = None) -> None:
        super().__init__()
        self.cause = cause


class ListedInPart(CannotGoOn):
    """The server lists only some of its keys, so the list tells of no key that it is gone."""

    sentence = "The server lists only part of its keys, so it is not known what came of this."


class Interrupted(CannotGoOn):
    """The program was stopped in the middle of a write."""

    sentence = "The program was stopped in the middle of it."


class NotVerified(CannotGoOn):
    """The successor was not shown to work; `verification` tells why."""

    sentence = "The successor was not shown to work, so the predecessor stays."

    def __init__(self, verification: Verification) -> None:
        super().__init__()
        self.verification = verification
