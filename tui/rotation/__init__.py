"""Rotating keys: one or many, verified before anything is destroyed, and safe to interrupt."""

from tui.rotation.marks import base_label, retiring_label, retiring_since
from tui.rotation.rotation import Rotation
from tui.rotation.states import TRANSITIONS, State, Step, WrongStep, drawn
from tui.rotation.unfinished import Kind, Unfinished, find_unfinished

__all__ = [
    "TRANSITIONS",
    "Kind",
    "Rotation",
    "State",
    "Step",
    "Unfinished",
    "WrongStep",
    "base_label",
    "drawn",
    "find_unfinished",
    "retiring_label",
    "retiring_since",
]
