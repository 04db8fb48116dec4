"""What is left on a terminal's screen where it has no other one for programs."""

from __future__ import annotations

import re
from collections.abc import Mapping

_HAS_ONE_SCREEN = re.compile(r"vt\d+(-.*)?|linux(-.*)?|screen(\..*)?|ansi(-.*)?|cons25.*|sun(-.*)?")
"""What TERM is called on terminals that may have no alternate screen; GNU screen has it off."""

ERASE = "\x1b[H\x1b[2J"


def erasing(environ: Mapping[str, str]) -> str:
    """Return what erases the program's picture from the screen that the shell goes on with.

    That is nothing where the terminal has a screen of its own for programs, and goes back from it.
    """
    in_screen = bool(environ.get("STY"))
    in_tmux = bool(environ.get("TMUX")) and not in_screen
    name = environ.get("TERM", "").strip().lower()
    has_one = in_screen or (not in_tmux and _HAS_ONE_SCREEN.fullmatch(name))
    return ERASE if has_one else ""
