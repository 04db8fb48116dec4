"""What is said where the program can't be started."""

from __future__ import annotations

import sys


def refuse(sentence: str) -> int:
    """Say why nothing is started; returns the exit code."""
    if sys.stderr is not None:  # as it is where it was closed
        sys.stderr.write(f"momentum-keys: {sentence}\n")
    return 2
