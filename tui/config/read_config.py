"""Reads the configuration file; reports every fault with line and column."""

from __future__ import annotations

import os
import re
import stat
import tomllib
from collections.abc import Mapping
from pathlib import Path

from tui.api.address import parse_server
from tui.config.config_file import FIRST, BadConfig, ConfigFault, ConfigFile, Value, Values
from tui.config.settings import Vocabulary, settings
from tui.config.toml_faults import toml_fault
from tui.config.toml_positions import TomlPath, TomlPositions, position_of
from tui.config.values import WrongValue
from tui.text import did_you_mean, short

MOST_BYTES = 2**20
"""How large the file may be."""

_SERVERS = "servers"
_SERVER_NAME = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_-]{0,39}")
_SECRET_NAMES = re.compile(r"(?:.*_)?(?:pass|passwd|password|passphrase|secret|token)")


def read_config(path: Path, vocabulary: Vocabulary) -> ConfigFile:
    """Return what the file at `path` settles.

    Raises BadConfig, and FileNotFoundError where there is no such file.
    """
    text = _text(path)
    try:
        tree = tomllib.loads(text)
    except ValueError as error:  # TOMLDecodeError, or a number too long for Python
        raise BadConfig(path, [toml_fault(text, str(error))]) from None
    except RecursionError:
        raise BadConfig(path, [ConfigFault(FIRST, "it is nested too deeply")]) from None
    return _Reader(path, tree, TomlPositions(text), vocabulary).config()


def _text(path: Path) -> str:
    """Return the text of a file of this or another user, but not one that everybody may change."""
    try:
        content = _content(path)
    except FileNotFoundError:
        raise
    except OSError as error:
        sentence = f"it can't be read: {error.strerror or 'for no reason given'}"
        raise BadConfig(path, [ConfigFault(FIRST, sentence)]) from None
    except ValueError as error:
        raise BadConfig(path, [ConfigFault(FIRST, str(error))]) from None
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        readable = content[: error.start].decode("utf-8-sig")
        position = position_of(readable, len(readable))
        raise BadConfig(path, [ConfigFault(position, "this is not UTF-8")]) from None
    return text.replace("\r\n", "\n")


def _content(path: Path) -> bytes:
    descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    with os.fdopen(descriptor, "rb") as file:
        status = os.fstat(descriptor)
        if not stat.S_ISREG(status.st_mode):
            raise ValueError("it is not a file")
        if status.st_mode & stat.S_IWOTH:
            raise ValueError("everybody can change it, and the commands in it: chmod o-w it")
        content = file.read(MOST_BYTES + 1)
    if len(content) > MOST_BYTES:
        raise ValueError("it is larger than 1 MiB")
    return content


class _Reader:
    """Turns a tree of TOML into values, and notes all that is wrong on the way."""

    def __init__(
        self,
        path: Path,
        tree: Mapping[str, object],
        positions: TomlPositions,
        vocabulary: Vocabulary,
    ) -> None:
        self._path, self._tree, self._positions = path, tree, positions
        self._vocabulary = vocabulary
        self._settings = {setting.name: setting for setting in settings(vocabulary)}
        self._faults: list[ConfigFault] = []

    def config(self) -> ConfigFile:
        """Return what the tree settles; raises BadConfig."""
        general = self._values((), {k: v for k, v in self._tree.items() if k != _SERVERS})
        tables = self._tree.get(_SERVERS, {})
        servers: dict[str, Values] = {}
        if not isinstance(tables, Mapping):
            self._refuse_key((_SERVERS,), "servers are tables: [servers.NAME]")
            tables = {}
        for name, table in tables.items():
            path = (_SERVERS, name)
            self._check_name(path, name)
            if isinstance(table, Mapping):
                servers[name] = self._values(path, table)
                self._check_server(path, table, servers[name])
            else:
                sentence = f"{short(name, 40)} belongs in a server's table: [servers.NAME]"
                self._refuse_key(path, sentence)
        if self._faults:
            raise BadConfig(self._path, self._faults)
        return ConfigFile(self._path, general, servers)

    def _values(self, path: TomlPath, table: Mapping[str, object]) -> Values:
        values = {}
        for name, written in table.items():
            setting = self._settings.get(name)
            if setting is None or not setting.stands_in(is_server=bool(path)):
                self._refuse_key((*path, name), self._why_not(path, name, written))
                continue
            try:
                meaning = setting.read(written, self._path.parent)
            except WrongValue as wrong:
                position = self._positions.of_value((*path, name, *wrong.path))
                self._faults.append(ConfigFault(position, f"{name} {wrong.sentence}"))
                continue
            values[name] = Value(meaning, written, self._positions.of_key((*path, name)))
            if name == "keys" and isinstance(meaning, Mapping):
                for command, sentence in self._vocabulary.wrong_keys(meaning).items():
                    self._refuse_key((*path, name, command), sentence)
        return values

    def _why_not(self, path: TomlPath, name: str, written: object) -> str:
        """Return why there is no setting of this name at this place, and what there is."""
        if name in self._settings:
            return f"{name} belongs {self._settings[name].scope.value}"
        if _SECRET_NAMES.fullmatch(name.lower()):
            return (
                f"{short(name, 40)}: this file must not hold a password or secret; use "
                "password_command, client_secret_file or client_secret_command"
            )
        is_server = bool(path)
        known = [s.name for s in self._settings.values() if s.stands_in(is_server=is_server)]
        known += [] if is_server else [_SERVERS]
        if isinstance(written, Mapping) and "url" in written and not is_server:
            return f"a server's table is [{_SERVERS}.{short(name, 40)}]"
        hint = did_you_mean(name, known) or f"; there are {', '.join(known)}"
        return f"there is no setting {short(name, 40)}{hint}"

    def _check_name(self, path: TomlPath, name: str) -> None:
        if not _SERVER_NAME.fullmatch(name):
            sentence = "a server's name is up to 40 letters, digits, _ and -, and begins with no -"
            self._refuse_key(path, sentence)
        elif name in self._vocabulary.commands:
            self._refuse_key(path, f"{name} is a command: a server needs another name")

    def _check_server(self, path: TomlPath, table: Mapping[str, object], values: Values) -> None:
        """Note what a server lacks, and what contradicts each other in it."""
        if "url" not in table:
            self._refuse_key(path, f"the server {short(str(path[-1]), 40)} has no url")
        allows_http = "allow_http" in values and values["allow_http"].meaning
        if "url" in values and not allows_http and _is_exposed(values["url"]):
            position = self._positions.of_value((*path, "url"))
            sentence = "url begins with http://, which the network can read; allow_http = true"
            self._faults.append(ConfigFault(position, f"{sentence} beside it allows that"))
        secret_names = [name for name in values if name.startswith("client_secret_")]
        for name in secret_names:
            if "client_id" not in table:
                self._refuse_key((*path, name), f"{name} needs a client_id beside it")
        if len(secret_names) > 1:
            sentence = "the client's secret comes from a file or from a command, not from both"
            self._refuse_key((*path, secret_names[1]), sentence)

    def _refuse_key(self, path: TomlPath, sentence: str) -> None:
        self._faults.append(ConfigFault(self._positions.of_key(path), sentence))


def _is_exposed(url: Value) -> bool:
    return parse_server(str(url.meaning), plain_http_allowed=True).is_exposed
