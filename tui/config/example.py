"""A configuration to begin with, which tells every setting."""

from __future__ import annotations

import re
from textwrap import fill

from tui.config.settings import Scope, Setting, Vocabulary, settings

_HEAD = """\
# momentum-keys reads this file when it starts. Remove a "#" to settle something; what is left out
# is as it says behind "otherwise". `momentum-keys config check` says what is wrong, and where;
# `momentum-keys config show` says what is in force, and from where.
# No password or secret stands here.
"""
_SERVERS = """
# A table for each server: `momentum-keys prod` signs in to this one, and `momentum-keys` alone
# lets you choose where there are several. A server's own settings count more than those above.

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
    otherwise = "" if setting.name == set_name else f"; otherwise {setting.otherwise}"
    unbroken = _BRACES.sub(lambda braces: braces[0].replace(" ", _KEPT), setting.meaning)
    meaning = fill(
        unbroken + otherwise, 98, initial_indent="# ", subsequent_indent="# ",
        break_on_hyphens=False,
    ).replace(_KEPT, " ")  # fmt: skip
    return f"\n{meaning}\n{mark}{setting.name} = {setting.example}\n"
