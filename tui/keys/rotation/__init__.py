"""Rotating keys: one or many, verified before anything is deleted, and safe to interrupt."""

from tui.keys.rotation.bulk_plan import Plan, plan_rotations
from tui.keys.rotation.bulk_run import BulkRotation, BulkRun, Failure, JournalNotWritten
from tui.keys.rotation.jobs import (
    Job,
    check_jobs,
    delete_jobs,
    finish_jobs,
    pause_jobs,
    resume_jobs,
    retire_jobs,
    rotation_job,
)
from tui.keys.rotation.retiring_label import base_label, retiring_label, retiring_since
from tui.keys.rotation.rotation import Rotation
from tui.keys.rotation.states import (
    TRANSITIONS,
    CannotGoOn,
    NotVerified,
    OtherSecret,
    State,
    Step,
    WrongStep,
)
from tui.keys.rotation.unfinished import (
    Unfinished,
    UnfinishedKind,
    find_unfinished,
    unfinished_rotations,
)

__all__ = [
    "TRANSITIONS",
    "BulkRotation",
    "BulkRun",
    "CannotGoOn",
    "Failure",
    "Job",
    "JournalNotWritten",
    "NotVerified",
    "OtherSecret",
    "Plan",
    "Rotation",
    "State",
    "Step",
    "Unfinished",
    "UnfinishedKind",
    "WrongStep",
    "base_label",
    "check_jobs",
    "delete_jobs",
    "find_unfinished",
    "finish_jobs",
    "pause_jobs",
    "plan_rotations",
    "resume_jobs",
    "retire_jobs",
    "retiring_label",
    "retiring_since",
    "rotation_job",
    "unfinished_rotations",
]
