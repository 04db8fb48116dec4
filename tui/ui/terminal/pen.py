"""How one cell is drawn, and what switches a terminal from one way to another."""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import lru_cache
from typing import NamedTuple

from rich.color import ColorSystem
from rich.style import Style

from tui.ui.terminal.textual_internals import sgr_codes

_NO_BACKGROUND_ERASE = re.compile(r"screen|vt\d|ansi|cons25|sun")
"""How TERM begins on terminals that may erase to the default background, not to the present one."""


class Pen(NamedTuple):
    """Attributes and colours of a cell, as the numbers of SGR that set them."""

    attributes: str = ""
    foreground: str = "39"
    background: str = "49"

    @property
    def is_fill(self) -> bool:
        """Whether blanks drawn with it show nothing but its background."""
        return not self.attributes


PLAIN = Pen()
"""What SGR 0 sets."""


@lru_cache(maxsize=4096)
def pen_of(style: Style | None, colours: ColorSystem) -> Pen:
    """Return how Textual draws cells of this style where there are so many colours."""
    return PLAIN if style is None else Pen(*sgr_codes(style, colours))


_OFF = {
    "1": "22", "2": "22", "3": "23", "4": "24", "21": "24", "5": "25", "6": "25", "7": "27",
    "8": "28", "9": "29", "51": "54", "52": "54", "53": "55",
}  # fmt: skip
"""What takes an attribute away, and sometimes another one with it."""


@lru_cache(maxsize=4096)
def switch(old: Pen, new: Pen) -> str:
    """Return what has a terminal that draws with `old` draw with `new`: the shortest way."""
    if old == new:
        return ""
    anew = ["", *(code for code, plain in zip(new, PLAIN, strict=True) if code != plain)]
    before, after = (pen.attributes.split(";") if pen.attributes else [] for pen in (old, new))
    off = {_OFF[code] for code in before if code not in after}
    on = [code for code in after if code not in before or _OFF[code] in off]
    changed = [*sorted(off), *on]
    changed += [code for code, was in zip(new[1:], old[1:], strict=True) if code != was]
    return min((f"\x1b[{';'.join(codes)}m" for codes in (anew, changed)), key=len)


def erases_in_colour(environ: Mapping[str, str]) -> bool:
    """Tell whether the terminal is sure to fill what it erases with the background of the pen."""
    in_screen = bool(environ.get("STY"))
    in_tmux = bool(environ.get("TMUX")) and not in_screen
    name = environ.get("TERM", "").strip().lower()
    return in_tmux or not (in_screen or _NO_BACKGROUND_ERASE.match(name))
