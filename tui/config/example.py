"""A configuration to begin with, which tells every setting."""

from __future__ import annotations

import re
from textwrap import fill

from tui.config.settings import Scope, Setting, Vocabulary, settings

_HEAD = """\
# The configuration of momentum-keys. To set a value, remove the "#" before its line.
# `momentum-keys config check` reports the faults of this file.
# `momentum-keys config show` shows the settings in force, and which line or option set each.
# Passwords and secrets are refused here: name a command that prints them.
"""
_SERVERS = """
# One table for each server. `momentum-keys prod` signs in to this one; `momentum-keys` without a
# name offers a choice if there are several. Settings in a table override those above all tables.

[servers.prod]
"""

_BRACES = re.compile(r"\{[^}]*\}")
_KEPT = "\N{NO-BREAK SPACE}"
"""A space within a value, where no line of a comment may end."""


def example(vocabulary: Vocabulary) -> str:
    """Return a commented file that can be read as it is, and sets nothing but a url."""
    general = [s for s in settings(vocabulary) if s.scope is not Scope.SERVER]
    of_servers = [s for s in settings(vocabulary) if s.scope is not Scope.GENERAL]
    parts = [_HEAD, *map(_lines, general), _SERVERS, *(_lines(s, "url") for s in of_servers)]
    return "".join(parts)


def _lines(setting: Setting, set_name: str = "") -> str:
    """Return a setting's meaning and its example; only the one named `set_name` is in force."""
    mark = "" if setting.name == set_name else "# "
    otherwise = "" if setting.name == set_name else f"; default: {setting.otherwise}"
    unbroken = _BRACES.sub(lambda braces: braces[0].replace(" ", _KEPT), setting.meaning)
    meaning = fill(
        unbroken + otherwise, 98, initial_indent="# ", subsequent_indent="# ",
        break_on_hyphens=False,
    ).replace(_KEPT, " ")  # fmt: skip
    return f"\n{meaning}\n{mark}{setting.name} = {setting.example}\n"
