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


def switch(old: Pen, new: Pen) -> str:
    """Return what has a terminal that draws with `old` draw with `new`."""
    if old == new:
        return ""
    is_more = not old.attributes and new != PLAIN
    before = old if is_more else PLAIN
    codes = [code for code, already in zip(new, before, strict=True) if code != already]
    return f"\x1b[{';'.join(codes if is_more else ['', *codes])}m"


def erases_in_colour(environ: Mapping[str, str]) -> bool:
    """Tell whether the terminal is sure to fill what it erases with the background of the pen."""
    in_screen = bool(environ.get("STY"))
    in_tmux = bool(environ.get("TMUX")) and not in_screen
    name = environ.get("TERM", "").strip().lower()
    return in_tmux or not (in_screen or _NO_BACKGROUND_ERASE.match(name))
