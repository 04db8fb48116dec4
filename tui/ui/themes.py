"""The palettes: what each colour of the screens is, by the name of the theme."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from textual.theme import Theme

_BLACK, _RED, _BLUE, _MAGENTA, _CYAN = "#000000", "#aa0000", "#0000aa", "#aa00aa", "#00aaaa"
_GREY, _LIGHT_RED, _LIGHT_GREEN, _YELLOW = "#aaaaaa", "#ff5555", "#55ff55", "#ffff55"
_LIGHT_CYAN, _WHITE = "#55ffff", "#ffffff"
"""Those of the 16 colours that the themes use, as exactly what a terminal with 16 is sent for."""

PALETTES: Mapping[str, Mapping[str, str]] = {
    "momentum": {
        "background": "#121416",
        "panel": "#24282c",  # the bars
        "surface": "#2e3338",  # what is typed in or pressed
        "border": "#6b737b",
        "foreground": "#d4d8dc",
        "muted": "#aab1b8",
        "accent": "#60cdd1",
        "success": "#6ccf7c",
        "warning": "#e5c06a",
        "error": "#f07878",
        "primary": "#1d6166",
        "on-primary": "#d4d8dc",
        "danger": "#7a2226",
        "on-danger": "#d4d8dc",
        "danger-focused": "#d75f5f",
        "cursor": "#1c4d52",
        "on-cursor": "#f2f5f7",
        "cursor-blurred": "#24282c",
        "on-cursor-blurred": "#d4d8dc",
    },
    "light": {
        "background": "#ffffff",
        "panel": "#eeeeee",
        "surface": "#e4e4e4",
        "border": "#767d85",
        "foreground": "#1a1d20",
        "muted": "#505860",
        "accent": "#0a6268",
        "success": "#1b6e2c",
        "warning": "#6b4700",
        "error": "#b3261e",
        "primary": "#0a6268",
        "on-primary": "#ffffff",
        "danger": "#f6d5d3",
        "on-danger": "#8c1d18",
        "danger-focused": "#b3261e",
        "cursor": "#b8e3e5",
        "on-cursor": "#1a1d20",
        "cursor-blurred": "#eeeeee",
        "on-cursor-blurred": "#1a1d20",
    },
    "contrast": {
        "background": "#000000",
        "panel": "#000000",
        "surface": "#1c1c1c",
        "border": "#ffffff",
        "foreground": "#ffffff",
        "muted": "#dadada",
        "accent": "#5fffff",
        "success": "#5fff5f",
        "warning": "#ffff00",
        "error": "#ff8787",
        "primary": "#005f5f",
        "on-primary": "#ffffff",
        "danger": "#870000",
        "on-danger": "#ffffff",
        "danger-focused": "#ff8787",
        "cursor": "#ffff00",
        "on-cursor": "#000000",
        "cursor-blurred": "#1c1c1c",
        "on-cursor-blurred": "#ffffff",
    },
    "sixteen": {
        "background": _BLACK,
        "panel": _BLACK,
        "surface": _BLACK,
        "border": _GREY,
        "foreground": _WHITE,
        "muted": _GREY,
        "accent": _LIGHT_CYAN,
        "success": _LIGHT_GREEN,
        "warning": _YELLOW,
        "error": _LIGHT_RED,
        "primary": _CYAN,
        "on-primary": _BLACK,
        "danger": _RED,
        "on-danger": _WHITE,
        "danger-focused": _LIGHT_RED,
        "cursor": _BLUE,
        "on-cursor": _WHITE,
        "cursor-blurred": _BLACK,
        "on-cursor-blurred": _WHITE,
    },
    "sixteen-light": {
        "background": _WHITE,
        "panel": _WHITE,
        "surface": _WHITE,
        "border": _BLACK,
        "foreground": _BLACK,
        "muted": _BLACK,  # how dark the one grey of the 16 is differs by terminal
        "accent": _BLUE,
        "success": _BLUE,
        "warning": _MAGENTA,
        "error": _RED,
        "primary": _BLUE,
        "on-primary": _WHITE,
        "danger": _WHITE,
        "on-danger": _RED,
        "danger-focused": _RED,
        "cursor": _CYAN,
        "on-cursor": _BLACK,
        "cursor-blurred": _WHITE,
        "on-cursor-blurred": _BLACK,
    },
}

OWN = ("momentum", "light", "contrast", "sixteen")
OF_TEXTUAL = (
    "textual-dark", "textual-light", "nord", "gruvbox", "catppuccin-mocha", "dracula",
    "tokyo-night", "monokai", "flexoki", "catppuccin-latte", "catppuccin-frappe",
    "catppuccin-macchiato", "solarized-light", "solarized-dark", "rose-pine", "rose-pine-moon",
    "rose-pine-dawn", "atom-one-dark", "atom-one-light",
)  # fmt: skip
"""Textual's own, but for those that leave the colours to the terminal."""
CHOICES = (*OWN, *OF_TEXTUAL)
"""The themes that an operator chooses from; the first is the usual one."""

LIGHT = frozenset(
    {
        "light", "sixteen-light", "textual-light", "catppuccin-latte", "solarized-light",
        "rose-pine-dawn", "atom-one-light",
    }
)  # fmt: skip
FEW_COLOURS = frozenset({"sixteen", "sixteen-light"})
"""Themes in which a line under a field and brackets around a button do what a shade can't."""


def theme_name(chosen: str, *, has_few_colours: bool) -> str:
    """Return the name of the theme that is `chosen`, or that stands for it in few colours."""
    if not has_few_colours:
        return chosen
    return "sixteen-light" if chosen in LIGHT else "sixteen"


TEXT_LEAST, EDGE_LEAST = 4.5, 3.0
"""The contrasts that text and edges keep, as WCAG asks for (1.4.3 and 1.4.11)."""

_Rgb = tuple[int, int, int]


def _of_textual(name: str, *, has_256_colours: bool) -> dict[str, str]:
    """Return a palette of Textual's theme of that name, changed only where it is hard to read."""
    from textual.color import Color
    from textual.theme import BUILTIN_THEMES

    readable = partial(
        _made_readable, shown=_shown_in_256_colours if has_256_colours else _shown_exactly
    )

    system = BUILTIN_THEMES[name].to_color_system().generate()
    given = {of: Color.parse(system[of]).rgb for of in _TAKEN}
    background = given["background"]
    # Nearer to the background than Textual has them, so that colours on them need less changing.
    panel, surface = (_mixed(background, given["panel"], share) for share in (0.5, 0.7))
    behind = (background, panel, surface)
    cursor = _mixed(background, given["accent"], 0.2)
    danger = _mixed(background, given["error"], 0.45)
    foreground = readable(given["foreground"], behind)
    on_primary = readable(background, (given["primary"],))
    colours = {
        "background": background,
        "panel": panel,
        "surface": surface,
        "foreground": foreground,
        "border": readable(_mixed(foreground, background, 0.5), behind, EDGE_LEAST),
        "muted": readable(_mixed(foreground, background, 0.25), behind),
        "accent": readable(given["accent"], behind),
        "success": readable(given["success"], behind),
        "warning": readable(given["warning"], behind),
        "error": readable(given["error"], behind),
        "primary": readable(given["primary"], (on_primary,)),
        "on-primary": on_primary,
        "danger": danger,
        "on-danger": readable(foreground, (danger,)),
        "danger-focused": readable(given["error"], behind),
        "cursor": cursor,
        "on-cursor": readable(foreground, (cursor,)),
        "cursor-blurred": panel,
        "on-cursor-blurred": foreground,
    }
    return {of: f"#{red:02x}{green:02x}{blue:02x}" for of, (red, green, blue) in colours.items()}


_TAKEN = (
    "background", "panel", "foreground", "primary", "accent", "success", "warning", "error",
)  # fmt: skip


def _mixed(one: _Rgb, other: _Rgb, share: float) -> _Rgb:
    """Return a colour between two; `share` is that of the second, from 0 to 1."""
    red, green, blue = (round(a + (b - a) * share) for a, b in zip(one, other, strict=True))
    return red, green, blue


def _made_readable(
    colour: _Rgb,
    behind: Sequence[_Rgb],
    least: float = TEXT_LEAST,
    *,
    shown: Callable[[_Rgb], _Rgb],
) -> _Rgb:
    """Return a colour, or the nearest to it, towards black or white, that contrasts enough.

    `shown` tells what the terminal shows of a colour.
    """
    shades = [
        _mixed(colour, end, step / 20) for step in range(21) for end in ((0,) * 3, (255,) * 3)
    ]

    def contrast(shade: _Rgb) -> float:
        return min(_ratio(shown(shade), shown(other)) for other in behind)

    return next((s for s in shades if contrast(s) >= least), max(shades, key=contrast))


def _shown_exactly(colour: _Rgb) -> _Rgb:
    return colour


def _shown_in_256_colours(colour: _Rgb) -> _Rgb:
    """Return the colour that a terminal with 256 shows."""
    from rich.color import Color, ColorSystem

    red, green, blue = Color.from_rgb(*colour).downgrade(ColorSystem.EIGHT_BIT).get_truecolor()
    return red, green, blue


def _ratio(one: Sequence[int], other: Sequence[int]) -> float:
    darker, lighter = sorted((_luminance(one), _luminance(other)))
    return (lighter + 0.05) / (darker + 0.05)


def _luminance(colour: Sequence[int]) -> float:
    red, green, blue = (
        c / 255 / 12.92 if c <= 10 else ((c / 255 + 0.055) / 1.055) ** 2.4 for c in colour
    )
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def _input_cursor(name: str, palette: Mapping[str, str]) -> dict[str, str]:
    """Return the style of the cursor in a field; reversed, it is seen where nothing is coloured."""
    front, back, style = palette["background"], palette["foreground"], "none"
    if name in FEW_COLOURS:
        front, back, style = back, front, "reverse"
    return {
        "input-cursor-foreground": front,
        "input-cursor-background": back,
        "input-cursor-text-style": style,
    }


def theme(name: str, *, has_256_colours: bool = False) -> Theme:
    """Return the theme of that name for Textual, fit for so many colours."""
    from textual.theme import Theme  # --help and --version do without

    palette = PALETTES.get(name) or _of_textual(name, has_256_colours=has_256_colours)
    return Theme(
        name=name,
        primary=palette["primary"],
        accent=palette["accent"],
        warning=palette["warning"],
        error=palette["error"],
        success=palette["success"],
        foreground=palette["foreground"],
        background=palette["background"],
        surface=palette["surface"],
        panel=palette["panel"],
        dark=name not in LIGHT,
        variables={
            "border": palette["border"],
            "text-muted": palette["muted"],
            "text-disabled": palette["muted"],
            "text-accent": palette["accent"],
            "text-primary": palette["accent"],
            "text-success": palette["success"],
            "text-warning": palette["warning"],
            "text-error": palette["error"],
            "on-primary": palette["on-primary"],
            "danger": palette["danger"],
            "on-danger": palette["on-danger"],
            "danger-focused": palette["danger-focused"],
            "block-cursor-foreground": palette["on-cursor"],
            "block-cursor-background": palette["cursor"],
            "block-cursor-blurred-foreground": palette["on-cursor-blurred"],
            "block-cursor-blurred-background": palette["cursor-blurred"],
            "block-hover-background": palette["panel"],
            **_input_cursor(name, palette),
            "input-selection-foreground": palette["on-cursor"],
            "input-selection-background": palette["cursor"],
            "screen-selection-foreground": palette["on-cursor"],
            "screen-selection-background": palette["cursor"],
            "footer-key-foreground": palette["accent"],
            "footer-background": palette["panel"],
            "footer-item-background": palette["panel"],
            "footer-description-background": palette["panel"],
            "footer-key-background": palette["panel"],
        },
    )
