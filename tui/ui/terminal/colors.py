"""How many colours a terminal has."""

from __future__ import annotations

import re
from collections.abc import Mapping

from rich.color import ColorSystem

_MONOCHROME = re.compile(r"vt(52|1\d\d|220|320|420|5[12]0)(-.*)?|.*-(m|mono)")
"""What TERM is called on terminals that have no colours."""

_FEW_COLORS = re.compile(r".*-(8|16|88)color")

_256_COLORS = frozenset({
    "alacritty", "contour", "domterm", "foot", "ghostty", "gnome", "hterm", "iterm", "iterm2",
    "iterm2.app", "iterm.app", "kitty", "konsole", "mintty", "mlterm", "ms", "nsterm", "putty",
    "rio", "st", "terminator", "terminology", "termite", "tmux", "vscode", "vte", "warp", "wezterm",
    "zellij",
})  # fmt: skip
"""Parts of what TERM is called on terminals that have 256 colours without saying so in it."""


def color_system(environ: Mapping[str, str]) -> ColorSystem | None:
    """Return how many colours the terminal has by COLORTERM and TERM; None where it has none.

    SSH passes on TERM alone, so where that names a terminal known to have 256 it has as many.
    """
    name = environ.get("TERM", "").strip().lower()
    in_screen = bool(environ.get("STY"))  # which passes on the COLORTERM around it, and can't do it
    if environ.get("COLORTERM", "").strip().lower() in {"truecolor", "24bit"} and not in_screen:
        return ColorSystem.TRUECOLOR
    if "-direct" in name:
        return ColorSystem.TRUECOLOR
    if _MONOCHROME.fullmatch(name):
        return None
    if _FEW_COLORS.fullmatch(name):
        return ColorSystem.STANDARD
    if "256color" in name or environ.get("TMUX") or _256_COLORS & {*name.split("-")}:
        return ColorSystem.EIGHT_BIT
    return ColorSystem.STANDARD
