"""Rotating keys: one or many, verified before anything is destroyed, and safe to interrupt."""

from tui.rotation.marks import base_label, retiring_label, retiring_since
from tui.rotation.plan import Plan, plan
from tui.rotation.rotation import Rotation
from tui.rotation.run import Failure, RotationRun, Run
from tui.rotation.states import (
    TRANSITIONS,
    CannotGoOn,
    NotVerified,
    OfSubaccount,
    OtherSecret,
    State,
    Step,
    WrongStep,
    drawn,
)
from tui.rotation.unfinished import Kind, Unfinished, find_unfinished, unfinished
from tui.rotation.works import Work, deleting, finishing, proving, retiring, rotating

__all__ = [
    "TRANSITIONS",
    "CannotGoOn",
    "Failure",
    "Kind",
    "NotVerified",
    "OfSubaccount",
    "OtherSecret",
    "Plan",
    "Rotation",
    "RotationRun",
    "Run",
    "State",
    "Step",
    "Unfinished",
    "Work",
    "WrongStep",
    "base_label",
    "deleting",
    "drawn",
    "find_unfinished",
    "finishing",
    "plan",
    "proving",
    "retiring",
    "retiring_label",
    "retiring_since",
    "rotating",
    "unfinished",
]
