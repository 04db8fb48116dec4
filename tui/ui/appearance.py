"""How the program looks on this terminal: theme, number of colours, and signs."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from rich.color import ColorSystem

from tui.ui.terminal.colours import color_system
from tui.ui.themes import theme_name

_LIGHT_BACKGROUNDS = frozenset({"7", "15"})
"""White among the numbers that COLORFGBG tells a terminal's colours by."""


@dataclass(frozen=True, slots=True)
class Appearance:
    """Theme, colours and signs; `colours` is None where nothing is to be coloured."""

    theme: str = "momentum"
    colours: ColorSystem | None = ColorSystem.TRUECOLOR
    is_ascii: bool = False


def appearance(
    environ: Mapping[str, str], chosen: str = "", *, is_ascii: bool = False
) -> Appearance:
    """Return what fits the terminal, with the theme that is `chosen` if any.

    NO_COLOR, unless it is empty, takes all colours away.
    """
    colours = None if environ.get("NO_COLOR") else color_system(environ)
    background = environ.get("COLORFGBG", "").rpartition(";")[2].strip()
    name = theme_name(
        chosen,
        is_background_light=background in _LIGHT_BACKGROUNDS,
        has_few_colours=colours in {ColorSystem.STANDARD, None},
    )
    return Appearance(name, colours, is_ascii)


def is_ascii_locale(environ: Mapping[str, str], *, is_utf8_mode: bool) -> bool:
    """Return whether the environment names a locale without Unicode: C, POSIX, or none at all.

    In such a locale Python turns its UTF-8 mode on by itself and sets LC_CTYPE, so that neither
    that nor the encoding of standard output tells what the terminal knows.
    """
    names = [environ.get(name, "") for name in ("LC_ALL", "LC_CTYPE", "LANG")]
    if is_utf8_mode and names[1] in {"C.UTF-8", "C.utf8", "UTF-8"}:
        names[1] = ""
    return next(filter(None, names), "C") in {"C", "POSIX"}
