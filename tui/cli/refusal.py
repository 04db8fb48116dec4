"""The messages on standard error if the program can't start."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from contextlib import suppress
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tui.config.config_file import BadConfig


def refuse(sentence: str) -> int:
    """Say why nothing is started; returns the exit code."""
    _say([sentence])
    return 2


def refuse_config(bad: BadConfig) -> int:
    """Say what is wrong with a configuration, a line for each place; returns the exit code."""
    _say(bad.lines)
    return 2


def _say(lines: Sequence[str]) -> None:
    with suppress(AttributeError, OSError):  # it is closed, or its disk is full
        sys.stderr.write("".join(f"momentum-keys: {line}\n" for line in lines))
