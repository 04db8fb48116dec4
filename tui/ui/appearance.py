"""How the program looks on this terminal: theme, number of colours, and signs."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

from rich.color import ColorSystem

from tui.ui.terminal.colours import color_system
from tui.ui.themes import CHOICES, theme_name

_LIGHT_BACKGROUNDS = frozenset({"7", "15"})
"""White among the numbers that COLORFGBG tells a terminal's colours by."""


@dataclass(frozen=True, slots=True)
class Appearance:
    """Theme, colours and signs; `colours` is None where nothing is to be coloured.

    With `sends_all`, the terminal is sent all that is drawn, not only what changed.
    """

    theme: str = "momentum"
    colours: ColorSystem | None = ColorSystem.TRUECOLOR
    is_ascii: bool = False
    sends_all: bool = False

    def in_theme(self, chosen: str) -> Appearance:
        """Return the same in another theme, or in what stands for it where colours are few."""
        return replace(self, theme=theme_name(chosen, has_few_colours=self.has_few_colours))

    @property
    def has_few_colours(self) -> bool:
        """Whether there are 16 colours, or none."""
        return self.colours in {ColorSystem.STANDARD, None}


def appearance(
    environ: Mapping[str, str],
    *,
    is_ascii: bool = False,
    sends_all: bool = False,
) -> Appearance:
    """Return what fits the terminal.

    NO_COLOR, unless it is empty, takes all colours away.
    """
    colours = None if environ.get("NO_COLOR") else color_system(environ)
    background = environ.get("COLORFGBG", "").rpartition(";")[2].strip()
    usual = "light" if background in _LIGHT_BACKGROUNDS else CHOICES[0]
    return Appearance(usual, colours, is_ascii, sends_all).in_theme(usual)


def is_ascii_locale(environ: Mapping[str, str], *, is_utf8_mode: bool) -> bool:
    """Return whether the environment names a locale without Unicode: C, POSIX, or none at all.

    In such a locale Python turns its UTF-8 mode on by itself and sets LC_CTYPE, so that neither
    that nor the encoding of standard output tells what the terminal knows.
    """
    names = [environ.get(name, "") for name in ("LC_ALL", "LC_CTYPE", "LANG")]
    if is_utf8_mode and names[1] in {"C.UTF-8", "C.utf8", "UTF-8"}:
        names[1] = ""
    return next(filter(None, names), "C") in {"C", "POSIX"}
