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
    rotation_job,
    unmark_jobs,
)
from tui.keys.rotation.rotation import Rotation
from tui.keys.rotation.states import (
    TRANSITIONS,
    NotVerified,
    OtherSecret,
    State,
    Step,
    WrongStep,
)

__all__ = [
    "TRANSITIONS",
    "BulkRotation",
    "BulkRun",
    "Failure",
    "Job",
    "JournalNotWritten",
    "NotVerified",
    "OtherSecret",
    "Plan",
    "Rotation",
    "State",
    "Step",
    "WrongStep",
    "check_jobs",
    "delete_jobs",
    "finish_jobs",
    "pause_jobs",
    "plan_rotations",
    "resume_jobs",
    "rotation_job",
    "unmark_jobs",
]
