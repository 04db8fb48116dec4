"""Theme, colours and signs by what the environment tells of the terminal."""

from __future__ import annotations

from collections.abc import Mapping

import pytest
from rich.color import ColorSystem

from tui.ui.appearance import Appearance, appearance, is_ascii_locale

OF_256 = {"TERM": "xterm-256color"}


@pytest.mark.parametrize(
    ("env", "chosen", "expected"),
    [
        (OF_256, "", Appearance("momentum", ColorSystem.EIGHT_BIT)),
        (OF_256, "light", Appearance("light", ColorSystem.EIGHT_BIT)),
        (OF_256 | {"COLORFGBG": "0;15"}, "", Appearance("light", ColorSystem.EIGHT_BIT)),
        (OF_256 | {"COLORFGBG": "0;default;15"}, "", Appearance("light", ColorSystem.EIGHT_BIT)),
        (OF_256 | {"COLORFGBG": "0;7"}, "", Appearance("light", ColorSystem.EIGHT_BIT)),
        (OF_256 | {"COLORFGBG": "15;0"}, "", Appearance("momentum", ColorSystem.EIGHT_BIT)),
        (OF_256 | {"COLORFGBG": "what"}, "", Appearance("momentum", ColorSystem.EIGHT_BIT)),
        (OF_256 | {"COLORFGBG": "0;15"}, "momentum", Appearance("momentum", ColorSystem.EIGHT_BIT)),
        ({"TERM": "linux"}, "", Appearance("sixteen", ColorSystem.STANDARD)),
        (
            {"TERM": "linux", "COLORFGBG": "0;15"},
            "",
            Appearance("sixteen-light", ColorSystem.STANDARD),
        ),
        (OF_256, "sixteen", Appearance("sixteen", ColorSystem.EIGHT_BIT)),
        ({"TERM": "vt100"}, "", Appearance("sixteen", None)),
        (OF_256 | {"NO_COLOR": "1"}, "light", Appearance("sixteen-light", None)),
        (OF_256 | {"NO_COLOR": ""}, "", Appearance("momentum", ColorSystem.EIGHT_BIT)),
    ],
)
def test_the_terminal_is_fitted(env: Mapping[str, str], chosen: str, expected: Appearance) -> None:
    fitting = appearance(env)
    assert (fitting.in_theme(chosen) if chosen else fitting) == expected


@pytest.mark.parametrize(
    ("env", "is_utf8_mode", "is_ascii"),
    [
        ({}, False, True),
        ({"LANG": "C"}, False, True),
        ({"LANG": "POSIX"}, False, True),
        ({"LC_ALL": "C", "LANG": "de_DE.UTF-8"}, False, True),
        ({"LC_ALL": "", "LC_CTYPE": "C", "LANG": "de_DE.UTF-8"}, False, True),
        ({"LANG": "C", "LC_CTYPE": "C.UTF-8"}, True, True),  # as Python sets it for LANG=C
        ({"LANG": "C", "LC_CTYPE": "C.UTF-8"}, False, False),  # as the operator did
        ({"LANG": "not_installed.UTF-8", "LC_CTYPE": "C.UTF-8"}, True, False),
        ({"LANG": "C.UTF-8"}, False, False),
        ({"LANG": "en_GB.UTF-8"}, False, False),
        ({"LC_ALL": "en_GB.UTF-8", "LANG": "C"}, False, False),
        ({"LANG": "de_DE.ISO-8859-1"}, False, False),
    ],
)
def test_the_locale_tells_whether_there_is_only_ascii(
    env: Mapping[str, str], is_utf8_mode: bool, is_ascii: bool
) -> None:
    assert is_ascii_locale(env, is_utf8_mode=is_utf8_mode) is is_ascii


@pytest.mark.parametrize(
    ("env", "colours"),
    [
        ({"TERM": "xterm"}, ColorSystem.STANDARD),
        ({"TERM": "linux"}, ColorSystem.STANDARD),
        ({"TERM": "screen"}, ColorSystem.STANDARD),
        ({"TERM": "xterm-16color"}, ColorSystem.STANDARD),
        ({"TERM": "never-heard-of"}, ColorSystem.STANDARD),
        ({"TERM": "xterm-256color"}, ColorSystem.EIGHT_BIT),
        ({"TERM": "screen.xterm-256color"}, ColorSystem.EIGHT_BIT),
        ({"TERM": "alacritty"}, ColorSystem.EIGHT_BIT),
        ({"TERM": "foot"}, ColorSystem.EIGHT_BIT),
        ({"TERM": "foot-extra"}, ColorSystem.EIGHT_BIT),
        ({"TERM": "xterm-kitty"}, ColorSystem.EIGHT_BIT),
        ({"TERM": "xterm-ghostty"}, ColorSystem.EIGHT_BIT),
        ({"TERM": "wezterm"}, ColorSystem.EIGHT_BIT),
        ({"TERM": "screen", "TMUX": "/run/tmux/default,1,0"}, ColorSystem.EIGHT_BIT),
        (
            {"TERM": "screen-256color", "STY": "1.x", "COLORTERM": "truecolor"},
            ColorSystem.EIGHT_BIT,
        ),
        ({"TERM": "alacritty", "COLORTERM": "truecolor"}, ColorSystem.TRUECOLOR),
        ({"TERM": "xterm", "COLORTERM": "24bit"}, ColorSystem.TRUECOLOR),
        ({"TERM": "xterm-direct"}, ColorSystem.TRUECOLOR),
        ({"TERM": "vt100"}, None),
        ({"TERM": "vt220"}, None),
        ({"TERM": "xterm", "COLORTERM": "truecolor", "NO_COLOR": "1"}, None),
        ({"TERM": "alacritty", "NO_COLOR": ""}, ColorSystem.EIGHT_BIT),
        ({"TERM": "xterm-mono"}, None),
    ],
)
def test_the_environment_tells_the_colours(
    env: Mapping[str, str], colours: ColorSystem | None
) -> None:
    assert appearance(env).colours is colours
