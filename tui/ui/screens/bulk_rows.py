"""How far the rotation of one key among many has come, as a row of the table."""

from __future__ import annotations

from tui.api.errors import Invalid, Refused
from tui.delivery import DeliveryFailed
from tui.keys.rotation import NotVerified, Rotation, State, Step
from tui.keys.write_outcomes import NotSeenSoFar, SecretLost, StillThere
from tui.problems import describe
from tui.ui.widgets.run_table import RunRow, StepSign

ROTATION_STEPS = ("made", "stored", "verified", "old")
"""The steps in the order in which a run takes them, and what became of the predecessor."""

AHEAD = RunRow(("ahead", "ahead", "ahead", "works"))
LEFT_OUT: tuple[StepSign, ...] = ("left out", "none", "none", "none")

_FIELD_WORDS = {"label": "label", "grants": "grants", "valid_ips": "allowed IPs"}

_GONE = frozenset({State.FINISHED, State.NOTHING_LEFT})


def rotation_row(rotation: Rotation) -> RunRow:
    """Return a rotation's row; its words say what stopped it."""
    problem = rotation.problem
    words = problem_in_short(problem) if problem is not None else ""
    steps = (
        _create_sign(rotation),
        _store_sign(rotation),
        _verify_sign(rotation),
        _predecessor_sign(rotation),
    )
    return RunRow(steps, words, is_problem=problem is not None)


def problem_in_short(problem: Exception) -> str:
    """Return in few words what stopped a key, where its row already shows at which step."""
    match problem:
        case NotSeenSoFar(cause=Refused(status=status)):
            return f"{status}, no successor yet"
        case NotSeenSoFar():
            return "no successor so far"
        case StillThere(cause=Refused(status=status)):
            return f"{status}, no effect so far"
        case SecretLost():
            return "secret lost"
        case DeliveryFailed():
            return problem.brief
        case NotVerified():
            return "not verified"
    description = describe(problem)
    if (
        isinstance(problem, Invalid)
        and (name := next(iter(description.fields), "")) in _FIELD_WORDS
    ):
        return f"{_FIELD_WORDS[name]} refused"
    return description.one_line


def _create_sign(rotation: Rotation) -> StepSign:
    if rotation.unknown_step is Step.CREATE:
        return "unknown"
    if rotation.successor is not None or rotation.short_key:
        return "done"
    if rotation.problem is not None or rotation.state is State.NOTHING_LEFT:
        return "failed"
    return "working" if rotation.is_busy else "ahead"


def _store_sign(rotation: Rotation) -> StepSign:
    if rotation.stored or rotation.state in _GONE:
        return "done"
    if rotation.state is State.SECRET_LOST or isinstance(rotation.problem, DeliveryFailed):
        return "failed"
    return "working" if rotation.state is State.CREATED and rotation.is_busy else "ahead"


def _verify_sign(rotation: Rotation) -> StepSign:
    if rotation.is_proven:
        return "done"
    if isinstance(rotation.problem, NotVerified):
        return "failed" if rotation.problem.verification.is_certain else "unknown"
    if rotation.state in _GONE:
        return "unknown"
    return "working" if rotation.state is State.DELIVERED and rotation.is_busy else "ahead"


def _predecessor_sign(rotation: Rotation) -> StepSign:
    if rotation.state in _GONE:
        return "gone"
    return "unknown" if rotation.unknown_step is Step.FINISH else "works"
