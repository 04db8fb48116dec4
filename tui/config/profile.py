"""The settings in force for one server: options first, then its table, then the general ones."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any

from tui.api.address import LIST_LIMIT, PREFIX
from tui.config.config_file import ConfigFile, Value
from tui.keys.rotation_policy import A_YEAR, RotationPolicy


@dataclass(frozen=True, slots=True)
class Profile:
    """What is settled for one server; the fields are those of the settings.

    `name` is empty where the server has none. Times are in seconds, sizes in bytes; None is what
    the program does of itself.
    """

    name: str = ""
    url: str = ""
    known_as: str = ""
    user: str = ""
    password_command: tuple[str, ...] = ()
    ca_file: Path | None = None
    allow_http: bool = False
    client_id: str = ""
    client_secret_file: Path | None = None
    client_secret_command: tuple[str, ...] = ()
    api_prefix: str = PREFIX
    subaccount: int | None = None
    read_only: bool = False
    color: str = ""
    deliver: Mapping[str, str] = field(default_factory=dict)
    rotate_after: RotationPolicy = A_YEAR
    lock_after: float | None = None
    list_limit: int = LIST_LIMIT
    theme: str = ""
    keys: Mapping[str, str] = field(default_factory=dict)
    ascii: bool = False
    no_mouse: bool = False
    journal: Path | None = None
    remember: bool = True


@dataclass(frozen=True, slots=True)
class InForce:
    """The value of one setting, as it is written, and where it comes from, in words."""

    meaning: object
    written: object
    origin: str


_IN_TABLES = ("deliver", "keys")
"""What a server's own table adds to, line by line, instead of replacing it."""


_CLIENT_SECRETS = ("client_secret_file", "client_secret_command")
_BELONGING_TO = {
    "url": ("known_as", "password_command", *_CLIENT_SECRETS),
    "user": ("password_command",),
    "client_id": _CLIENT_SECRETS,
}
"""What belongs to that which a setting names, and to nothing else."""


def in_force(
    config: ConfigFile, server: str, given: Mapping[str, InForce] | None = None
) -> dict[str, InForce]:
    """Return the settings in force for a server of the file, or for none where it is empty.

    What is `given` on the command line counts most, then the server's table, then the general
    settings. An OAuth client that is given has nothing to do with the secret of another.
    """
    file = config.path.name if config.path else ""

    def of_file(value: Value) -> InForce:
        return InForce(value.meaning, value.written, f"{file}:{value.position.line}")

    settled = {name: of_file(value) for name, value in config.general.items()}
    for name, value in config.servers.get(server, {}).items():
        own = of_file(value)
        if name in _IN_TABLES and name in settled:
            own = _joined(own, settled[name])
        settled[name] = own
    for name in [own for changed in given or () for own in _BELONGING_TO.get(changed, ())]:
        settled.pop(name, None)
    return {**settled, **(given or {})}


def profile(name: str, settled: Mapping[str, InForce]) -> Profile:
    """Return the profile of a server from the settings in force for it."""
    names = {field.name for field in fields(Profile)}
    values: dict[str, Any] = {key: value.meaning for key, value in settled.items() if key in names}
    return Profile(name=name, **values)


def _joined(own: InForce, general: InForce) -> InForce:
    """Return two tables as one, in which the server's own lines count more and come first."""
    tables = [table for table in (own.meaning, general.meaning) if isinstance(table, Mapping)]
    joined = {key: value for table in reversed(tables) for key, value in table.items()}
    ordered = {key: joined[key] for table in tables for key in table}
    return InForce(ordered, ordered, f"{own.origin} and {general.origin}")
