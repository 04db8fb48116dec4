"""The theme's colours mean the same on a terminal with 256 colours as on one with all of them.

Over SSH a terminal seldom tells that it has more; Rich then takes the nearest of those it has.
"""

from __future__ import annotations

from collections.abc import Callable
from colorsys import rgb_to_hls

import pytest
from rich.color import Color, ColorSystem
from rich.color_triplet import ColorTriplet

from tui.ui.app import THEME

COLOURS = {**THEME.to_color_system().generate(), **THEME.variables}


def true_colour(name: str) -> ColorTriplet:
    return Color.parse(COLOURS[name]).get_truecolor()


def of_256(name: str) -> ColorTriplet:
    return Color.parse(COLOURS[name]).downgrade(ColorSystem.EIGHT_BIT).get_truecolor()


def of_16(name: str) -> int | None:
    return Color.parse(COLOURS[name]).downgrade(ColorSystem.STANDARD).number


SEEN = pytest.mark.parametrize("seen", [true_colour, of_256])
Seen = Callable[[str], ColorTriplet]


def contrast(one: ColorTriplet, other: ColorTriplet) -> float:
    darker, lighter = sorted((luminance(one), luminance(other)))
    return (lighter + 0.05) / (darker + 0.05)


def luminance(colour: ColorTriplet) -> float:
    """Return how bright a colour is to the eye, as WCAG has it."""
    linear = [
        c / 12.92 if c <= 0.03928 else ((c + 0.055) / 1.055) ** 2.4 for c in colour.normalized
    ]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


@SEEN
@pytest.mark.parametrize(
    "name",
    [
        "background",
        "surface",
        "panel",
        "border",
        "foreground",
        "text-muted",
        "text-disabled",
        "block-cursor-blurred-background",
    ],
)
def test_greys_are_grey(name: str, seen: Seen) -> None:
    red, green, blue = seen(name)
    assert max(red, green, blue) - min(red, green, blue) <= 20


@SEEN
@pytest.mark.parametrize("name", ["error", "text-error", "error-muted"])
def test_danger_is_red(name: str, seen: Seen) -> None:
    red, green, blue = seen(name)
    assert red > 1.5 * max(green, blue)
    assert abs(green - blue) < 20


@SEEN
@pytest.mark.parametrize("name", ["primary", "accent", "text-accent", "block-cursor-background"])
def test_the_accent_is_cyan(name: str, seen: Seen) -> None:
    hue, _, saturation = rgb_to_hls(*seen(name).normalized)
    assert abs(hue - 0.5) < 0.05
    assert saturation > 0.3


@SEEN
def test_what_lies_on_another_stands_out(seen: Seen) -> None:
    greys = [seen(name) for name in ("background", "panel", "surface", "border")]
    assert greys == sorted(set(greys))


@SEEN
@pytest.mark.parametrize(
    ("text", "background", "least"),
    [
        *(("foreground", name, 4.5) for name in ("background", "panel", "surface")),
        *(("foreground", name, 4.5) for name in ("primary", "block-cursor-background")),
        ("foreground", "error-muted", 4.5),
        *(("text-muted", name, 4.5) for name in ("background", "panel", "surface")),
        ("text-disabled", "surface", 4.5),
        ("text-muted", "block-cursor-background", 3),
        ("text-accent", "block-cursor-background", 3),
        ("block-cursor-foreground", "block-cursor-background", 4.5),
        ("footer-key-foreground", "panel", 4.5),
        *(("text-accent", name, 4.5) for name in ("background", "panel")),
        *(("text-error", name, 4.5) for name in ("background", "panel")),
        *(("text-warning", name, 4.5) for name in ("background", "panel")),
        *(("text-success", name, 4.5) for name in ("background", "panel")),
        ("background", "foreground", 4.5),
        ("background", "error", 4.5),
    ],
)
def test_text_can_be_read(text: str, background: str, least: float, seen: Seen) -> None:
    assert contrast(seen(text), seen(background)) >= least


@pytest.mark.parametrize(
    ("background", "texts"),
    [
        ("panel", "foreground text-muted text-accent text-error text-warning text-success"),
        ("background", "foreground text-muted text-accent text-error text-warning text-success"),
        ("surface", "foreground text-muted text-disabled"),
        ("block-cursor-background", "block-cursor-foreground text-muted text-accent"),
        ("primary", "foreground"),
        ("error-muted", "foreground"),
    ],
)
def test_no_text_vanishes_among_16_colours(background: str, texts: str) -> None:
    assert of_16(background) not in map(of_16, texts.split())


def test_danger_and_accent_keep_their_colours_among_16() -> None:
    red, cyan = {1, 9}, {6, 14}
    assert {of_16(name) for name in ("error", "text-error", "error-muted")} <= red
    assert of_16("text-accent") in cyan
