"""Every setting, in one table: reading, the example, and what is shown as in force follow it."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from enum import Enum

from tui.config import values
from tui.config.values import Read


class Scope(Enum):
    """Where in the file a setting may stand."""

    GENERAL = "above all tables"
    SERVER = "in a table [servers.NAME]"
    EITHER = "above all tables or in a server's table, which overrides it"


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


_OF_SERVERS = (
    Setting(
        "url",
        Scope.SERVER,
        values.url,
        "the server's address",
        '"https://momentum.example"',
    ),
    Setting(
        "known_as",
        Scope.SERVER,
        values.url,
        "another address of the same server, under which the journal lists it",
        '"https://mail.momentum.example"',
        "its url",
    ),
    Setting(
        "user",
        Scope.SERVER,
        values.text,
        "the user who signs in",
        '"admin"',
    ),
    Setting(
        "password_command",
        Scope.SERVER,
        values.argv,
        "a command that prints the password on its first line; run without a shell at sign-in",
        '["pass", "show", "momentum/prod"]',
        "none; the password is typed",
    ),
    Setting(
        "ca_file",
        Scope.SERVER,
        values.file,
        "a certificate authority to trust in addition to the system's",
        '"~/momentum-ca.pem"',
    ),
    Setting(
        "allow_http",
        Scope.SERVER,
        values.flag,
        "allow a server without TLS; the network can read everything",
        "false",
        "false",
    ),
    Setting(
        "client_id",
        Scope.SERVER,
        values.text,
        "the ID of the installation's OAuth client, if it has one",
        '"momentum-keys"',
    ),
    Setting(
        "client_secret_file",
        Scope.SERVER,
        values.file,
        "a file with the OAuth client's secret on its first line",
        '"~/.config/momentum-keys/client-secret"',
    ),
    Setting(
        "client_secret_command",
        Scope.SERVER,
        values.argv,
        "a command that prints the OAuth client's secret on its first line",
        '["pass", "show", "momentum/client"]',
    ),
    Setting(
        "api_prefix",
        Scope.SERVER,
        values.prefix,
        "the path that all requests begin with",
        '"/api/v1"',
        '"/api/v1"',
    ),
    Setting(
        "subaccount",
        Scope.SERVER,
        values.subaccount,
        "the subaccount that the form of a new key begins with",
        "7",
        "the primary account",
    ),
    Setting(
        "color",
        Scope.SERVER,
        values.one_of(values.COLOURS),
        "the colour of the top bar, to tell servers apart: " + ", ".join(values.COLOURS),
        '"red"',
    ),
)
_EITHER = (
    Setting(
        "read_only",
        Scope.EITHER,
        values.flag,
        "offer no action that changes a key",
        "true",
        "false",
    ),
    Setting(
        "deliver",
        Scope.EITHER,
        values.deliveries,
        "commands that take a new secret on their standard input, by name",
        '{ vault = "vault kv put -mount=secret momentum/{label} key=-" }',
    ),
    Setting(
        "rotate_after",
        Scope.EITHER,
        values.rotate_after,
        "the age at which a key is due for rotation; ages by label are written as "
        '{ "*" = "1y", "batch-*" = "30d", "archive" = "never" }',
        '"90d"',
        "1y",
    ),
    Setting(
        "lock_after",
        Scope.EITHER,
        values.minutes,
        "minutes without a key press after which the screen is locked; 0: never",
        "15",
        "15",
    ),
    Setting(
        "list_limit",
        Scope.EITHER,
        values.mebibytes,
        "the largest list of keys that is read, in MiB, 1 to 4096; 64 MiB hold 230,000 keys or "
        "more, and a list takes up to five times its size in memory",
        "64",
        "64",
    ),
    Setting(
        "keys",
        Scope.EITHER,
        values.key_map,
        "other keys for commands, by the names that `momentum-keys help keyboard` lists",
        '{ "keys.reload" = "f5" }',
        "the keys of the manual",
    ),
)
_GENERAL = (
    Setting(
        "ascii",
        Scope.GENERAL,
        values.flag,
        "draw signs and frames in ASCII",
        "false",
        "true in a locale without Unicode",
    ),
    Setting(
        "no_mouse",
        Scope.GENERAL,
        values.flag,
        "leave the mouse to the terminal",
        "false",
        "false",
    ),
    Setting(
        "journal",
        Scope.GENERAL,
        values.file,
        "the file of the journal",
        '"~/.local/state/momentum-keys/journal.jsonl"',
        "journal.jsonl in the state folder",
    ),
    Setting(
        "remember",
        Scope.GENERAL,
        values.flag,
        "offer the last server, user, delivery command and folder again",
        "true",
        "true",
    ),
)


def settings(vocabulary: Vocabulary) -> tuple[Setting, ...]:
    """Return all settings, in the order in which they are shown."""
    theme = Setting(
        "theme",
        Scope.EITHER,
        values.one_of(vocabulary.themes),
        "the colours: " + ", ".join(vocabulary.themes),
        f'"{vocabulary.themes[0]}"',
        "chosen by the terminal's colours",
    )
    return (*_OF_SERVERS, *_EITHER, theme, *_GENERAL)
