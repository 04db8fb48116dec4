"""What a terminal shows of a screen's colours, and how well each pair of them can be told apart."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from rich.color import Color, ColorSystem
from rich.color_triplet import ColorTriplet
from rich.segment import Segment
from rich.terminal_theme import TerminalTheme

EDGES = frozenset("─│╭╮╰╯▏▌▕━┃█ ")
"""Characters of borders, edges and bars."""
TEXT_LEAST, EDGE_LEAST = 4.5, 3.0
"""The contrasts that WCAG asks for (1.4.3 and 1.4.11)."""

_NORMAL = [(0, 0, 0), (170, 0, 0), (0, 170, 0), (170, 85, 0)]
_NORMAL += [(0, 0, 170), (170, 0, 170), (0, 170, 170), (170, 170, 170)]
_BRIGHT = [(85, 85, 85), (255, 85, 85), (85, 255, 85), (255, 255, 85)]
_BRIGHT += [(85, 85, 255), (255, 85, 255), (85, 255, 255), (255, 255, 255)]
VGA = TerminalTheme((0, 0, 0), (170, 170, 170), _NORMAL, _BRIGHT)

_NORMAL = [(0, 0, 0), (205, 0, 0), (0, 205, 0), (205, 205, 0)]
_NORMAL += [(0, 0, 238), (205, 0, 205), (0, 205, 205), (229, 229, 229)]
_BRIGHT = [(127, 127, 127), (255, 0, 0), (0, 255, 0), (255, 255, 0)]
_BRIGHT += [(92, 92, 255), (255, 0, 255), (0, 255, 255), (255, 255, 255)]
XTERM = TerminalTheme((0, 0, 0), (229, 229, 229), _NORMAL, _BRIGHT)


@dataclass(frozen=True)
class Terminal:
    """A kind of terminal: how many colours, and for 16 of them which."""

    name: str
    colours: ColorSystem
    palette: TerminalTheme = VGA

    def shows(self, colour: Color) -> ColorTriplet:
        """Return the colour that is seen of one that the program wants."""
        return colour.downgrade(self.colours).get_truecolor(self.palette)


MANY_COLOURS = (
    Terminal("true colour", ColorSystem.TRUECOLOR),
    Terminal("256", ColorSystem.EIGHT_BIT),
)
SIXTEEN = (
    Terminal("16 of a console", ColorSystem.STANDARD),
    Terminal("16 of xterm", ColorSystem.STANDARD, XTERM),
)


@dataclass(frozen=True)
class Pair:
    """A colour on another, as the program wants them, and whether as text or as an edge."""

    foreground: Color
    background: Color
    is_text: bool

    @property
    def least(self) -> float:
        return TEXT_LEAST if self.is_text else EDGE_LEAST

    def contrast_on(self, terminal: Terminal) -> float:
        return contrast(terminal.shows(self.foreground), terminal.shows(self.background))


def pairs(segments: Iterable[Segment], beneath: Color) -> Mapping[Pair, str]:
    """Return the pairs in use, each with a text in it; `beneath` is where nothing else is."""
    texts: dict[Pair, str] = {}
    for text, front, back in _coloured(segments, beneath):
        texts.setdefault(Pair(front, back, not EDGES.issuperset(text)), text.strip())
    return texts


def _coloured(segments: Iterable[Segment], beneath: Color) -> Iterator[tuple[str, Color, Color]]:
    for text, style, _ in segments:
        if style is None or (not text.strip() and not style.reverse):
            continue
        front, back = style.color or beneath, style.bgcolor or beneath
        yield (text, back, front) if style.reverse and text.strip() else (text, front, back)


def contrast(one: ColorTriplet, other: ColorTriplet) -> float:
    """Return how well two colours can be told apart, from 1 to 21, as WCAG has it."""
    darker, lighter = sorted((_luminance(one), _luminance(other)))
    return (lighter + 0.05) / (darker + 0.05)


def _luminance(colour: ColorTriplet) -> float:
    linear = [
        c / 12.92 if c <= 0.03928 else ((c + 0.055) / 1.055) ** 2.4 for c in colour.normalized
    ]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]
