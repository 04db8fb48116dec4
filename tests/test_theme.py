"""The colours of the themes mean the same on a terminal with 256 colours as on one with all.

Over SSH a terminal seldom tells that it has more; Rich then takes the nearest of those it has.
How well each pair that is in use can be read is measured on the screens, in tests/screens.
"""

from __future__ import annotations

from collections.abc import Callable
from colorsys import rgb_to_hls
from itertools import product

import pytest
from rich._palettes import STANDARD_PALETTE
from rich.color import Color, ColorSystem
from rich.color_triplet import ColorTriplet
from textual.theme import BUILTIN_THEMES

from tests.colours import MANY_COLOURS as TERMINALS
from tests.colours import Pair, Terminal
from tui.ui.appearance import appearance
from tui.ui.themes import FEW_COLOURS, LIGHT, OF_TEXTUAL, PALETTES, theme

MANY_COLOURS = sorted(set(PALETTES) - FEW_COLOURS)


def true_colour(value: str) -> ColorTriplet:
    return Color.parse(value).get_truecolor()


def of_256(value: str) -> ColorTriplet:
    return Color.parse(value).downgrade(ColorSystem.EIGHT_BIT).get_truecolor()


SEEN = pytest.mark.parametrize("seen", [true_colour, of_256])
Seen = Callable[[str], ColorTriplet]


@SEEN
@pytest.mark.parametrize("name", MANY_COLOURS)
@pytest.mark.parametrize("colour", ["background", "panel", "surface", "border", "foreground"])
def test_greys_are_grey(name: str, colour: str, seen: Seen) -> None:
    red, green, blue = seen(PALETTES[name][colour])
    assert max(red, green, blue) - min(red, green, blue) <= 20


@SEEN
@pytest.mark.parametrize("name", sorted(PALETTES))
def test_danger_is_red(name: str, seen: Seen) -> None:
    for colour in ("error", "danger-focused"):
        red, green, blue = seen(PALETTES[name][colour])
        assert red > 1.5 * max(green, blue)
        assert abs(green - blue) < 20
    button = [seen(PALETTES[name][colour]) for colour in ("danger", "on-danger")]
    assert any(red > 1.5 * max(green, blue) for red, green, blue in button)


@SEEN
@pytest.mark.parametrize(
    ("name", "colour"),
    [
        *product(("light", "momentum", "sixteen"), ("primary", "accent")),
        *product(("light", "momentum"), ("cursor",)),  # of 16, cyan is too bright for a row
    ],
)
def test_the_accent_is_cyan(name: str, colour: str, seen: Seen) -> None:
    hue, _, saturation = rgb_to_hls(*seen(PALETTES[name][colour]).normalized)
    assert abs(hue - 0.5) < 0.06
    assert saturation > 0.3


@pytest.mark.parametrize("name", sorted(FEW_COLOURS))
def test_a_theme_of_16_colours_has_no_others(name: str) -> None:
    of_16 = {tuple(STANDARD_PALETTE[number]) for number in range(16)}
    assert {tuple(true_colour(value)) for value in PALETTES[name].values()} <= of_16


@pytest.mark.parametrize("name", sorted(FEW_COLOURS))
def test_danger_differs_from_other_buttons_among_16(name: str) -> None:
    of = PALETTES[name]
    buttons = {(of["danger"], of["on-danger"]), (of["surface"], of["foreground"])}
    assert len(buttons | {(of["primary"], of["on-primary"])}) == 3


@pytest.mark.parametrize(
    ("chosen", "is_light", "is_few", "name"),
    [
        ("", False, False, "momentum"),
        ("", True, False, "light"),
        ("", False, True, "sixteen"),
        ("", True, True, "sixteen-light"),
        ("momentum", True, False, "momentum"),
        ("momentum", True, True, "sixteen"),
        ("light", False, False, "light"),
        ("light", False, True, "sixteen-light"),
        ("contrast", False, False, "contrast"),
        ("contrast", False, True, "sixteen"),
        ("sixteen", True, False, "sixteen"),
        ("sixteen", True, True, "sixteen"),
        ("nord", False, False, "nord"),
        ("nord", True, True, "sixteen"),
        ("solarized-light", False, True, "sixteen-light"),
    ],
)
def test_a_theme_fits_the_terminal(chosen: str, is_light: bool, is_few: bool, name: str) -> None:
    environ = {
        "TERM": "linux" if is_few else "xterm-256color",
        "COLORFGBG": "0;15" if is_light else "15;0",
    }
    fitting = appearance(environ)
    assert (fitting.in_theme(chosen) if chosen else fitting).theme == name


def test_textual_has_these_themes_of_its_own() -> None:
    themes = {name: theme for name, theme in BUILTIN_THEMES.items() if not theme.ansi}
    assert {*OF_TEXTUAL} == {*themes}
    assert {name for name, own in themes.items() if not own.dark} == LIGHT - {*PALETTES}


TEXTS = ("foreground", "text-muted", "text-accent", "text-success", "text-warning", "text-error")


@pytest.mark.parametrize("terminal", TERMINALS, ids=lambda terminal: terminal.name)
@pytest.mark.parametrize("name", OF_TEXTUAL)
def test_textuals_themes_can_be_read(name: str, terminal: Terminal) -> None:
    made = theme(name, has_256_colours=terminal.colours is ColorSystem.EIGHT_BIT)
    of = {
        **made.variables,
        "foreground": made.foreground or "",
        "background": made.background or "",
        "panel": made.panel or "",
        "surface": made.surface or "",
        "primary": made.primary,
    }
    behind = ("background", "panel", "surface")
    pairs = [(text, back) for text in TEXTS for back in behind]
    pairs += [
        ("on-primary", "primary"),
        ("on-danger", "danger"),
        ("danger-focused", "background"),
        ("block-cursor-foreground", "block-cursor-background"),
        ("block-cursor-blurred-foreground", "block-cursor-blurred-background"),
    ]
    for front, back in pairs:
        pair = Pair(Color.parse(of[front]), Color.parse(of[back]), is_text=True)
        assert pair.contrast_on(terminal) >= pair.least, (front, back)
    for back in behind[:2]:
        edge = Pair(Color.parse(of["border"]), Color.parse(of[back]), is_text=False)
        assert edge.contrast_on(terminal) >= edge.least, back
