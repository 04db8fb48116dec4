"""The messages on standard error if the program can't start."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tui.config.config_file import BadConfig


def refuse(sentence: str) -> int:
    """Say why nothing is started; returns the exit code."""
    if sys.stderr is not None:  # as it is where it was closed
        sys.stderr.write(f"momentum-keys: {sentence}\n")
    return 2


def refuse_config(bad: BadConfig) -> int:
    """Say what is wrong with a configuration, a line for each place; returns the exit code."""
    if sys.stderr is not None:
        sys.stderr.write("".join(f"momentum-keys: {line}\n" for line in bad.lines))
    return 2
