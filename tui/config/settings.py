"""Every setting, in one table: reading, the example, and what is shown as in force follow it."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from enum import Enum
from functools import partial

from tui.config import values
from tui.config.values import Read


class Scope(Enum):
    """Where in the file a setting may stand."""

    GENERAL = "above all tables"
    SERVER = "in a table [servers.NAME]"
    EITHER = "in either place; a server's own counts more"


@dataclass(frozen=True, slots=True)
class Vocabulary:
    """Names that other rooms know: themes, commands of the command line, and commands with keys.

    `wrong_keys` returns what is wrong with a key map, by the id of the command.
    """

    themes: tuple[str, ...]
    commands: Collection[str]
    wrong_keys: Callable[[Mapping[str, str]], Mapping[str, str]]


@dataclass(frozen=True, slots=True)
class Setting:
    """One setting: `example` is a value in TOML, `otherwise` what counts where it isn't set."""

    name: str
    scope: Scope
    read: Read
    meaning: str
    example: str
    otherwise: str = "none"

    def stands_in(self, *, is_server: bool) -> bool:
        """Tell whether it may stand in a server's table, or above all tables."""
        return self.scope is not (Scope.GENERAL if is_server else Scope.SERVER)


def settings(vocabulary: Vocabulary) -> tuple[Setting, ...]:
    """Return all settings, in the order in which they are shown."""
    setting, server = partial(Setting, scope=Scope.EITHER), partial(Setting, scope=Scope.SERVER)
    general = partial(Setting, scope=Scope.GENERAL)
    theme = values.one_of(vocabulary.themes)
    return (
        server("url", read=values.url, meaning="the server", example='"https://momentum.example"'),
        server("user", read=values.text, meaning="who signs in", example='"admin"'),
        server(
            "password_command",
            read=values.argv,
            meaning="prints the password on its first line; run without a shell when you sign in",
            example='["pass", "show", "momentum/prod"]',
            otherwise="the password is typed",
        ),
        server(
            "ca_file",
            read=values.file,
            meaning="trust this certificate authority as well",
            example='"~/momentum-ca.pem"',
        ),
        server(
            "allow_http",
            read=values.flag,
            meaning="allow a server without TLS; everything is readable",
            example="false",
            otherwise="false",
        ),
        server(
            "client_id",
            read=values.text,
            meaning="the installation's OAuth client, if it has one",
            example='"momentum-keys"',
        ),
        server(
            "client_secret_file",
            read=values.file,
            meaning="a file whose first line is the client's secret",
            example='"~/.config/momentum-keys/client-secret"',
        ),
        server(
            "client_secret_command",
            read=values.argv,
            meaning="or a command that prints it",
            example='["pass", "show", "momentum/client"]',
        ),
        server(
            "api_prefix",
            read=values.prefix,
            meaning="the path that all calls begin with",
            example='"/api/v1"',
            otherwise='"/api/v1"',
        ),
        server(
            "subaccount",
            read=values.subaccount,
            meaning="the subaccount that new keys are for, unless the form says otherwise",
            example="7",
            otherwise="the primary account",
        ),
        setting(
            "read_only",
            read=values.flag,
            meaning="offer nothing that changes a key",
            example="true",
            otherwise="false",
        ),
        server(
            "color",
            read=values.one_of(values.COLOURS),
            meaning="the bar at the top, to know this server by: " + ", ".join(values.COLOURS),
            example='"red"',
        ),
        setting(
            "deliver",
            read=values.deliveries,
            meaning="commands that take a new secret on their standard input, by name",
            example='{ vault = "vault kv put -mount=secret momentum/{label} key=-" }',
        ),
        setting(
            "rotate_after",
            read=values.rotate_after,
            meaning="when a key is due for rotation, as here or by label: "
            '{ "*" = "1y", "batch-*" = "30d", "archive" = "never" }',
            example='"90d"',
            otherwise="no key is ever due",
        ),
        setting(
            "lock_after",
            read=values.minutes,
            meaning="lock the screen after so many minutes without a key; 0: never",
            example="15",
            otherwise="15",
        ),
        setting(
            "theme",
            read=theme,
            meaning=", ".join(vocabulary.themes),
            example=f'"{vocabulary.themes[0]}"',
            otherwise="the one that fits the terminal",
        ),
        setting(
            "keys",
            read=values.key_map,
            meaning="other keys for what the table of keys lists, by its name",
            example='{ "keys.reload" = "f5" }',
            otherwise="those of the help",
        ),
        general(
            "ascii",
            read=values.flag,
            meaning="draw signs and frames in ASCII",
            example="false",
            otherwise="where the locale has no Unicode",
        ),
        general(
            "no_mouse",
            read=values.flag,
            meaning="leave the mouse to the terminal",
            example="false",
            otherwise="false",
        ),
        general(
            "journal",
            read=values.file,
            meaning="the file that tells what was done",
            example='"~/.local/state/momentum-keys/journal.jsonl"',
            otherwise="in the folder of the state",
        ),
        general(
            "remember",
            read=values.flag,
            meaning="offer the last server, user, delivery command and folder again",
            example="true",
            otherwise="true",
        ),
    )
