"""`momentum-keys config`: what is configured, what is in force, and what is wrong."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from io import TextIOWrapper
from pathlib import Path

from tui.cli.arguments import CommandLineParser, command_parser
from tui.cli.profiles import (
    configuration,
    program_options,
    server_name,
    server_options,
    start_profile,
    unfit_server,
    unknown_server,
    vocabulary,
)
from tui.cli.refusal import refuse, refuse_config
from tui.config.check import check_references
from tui.config.config_file import BadConfig, ConfigFile, Values
from tui.config.example import example
from tui.config.paths import config_path
from tui.config.profile import in_force
from tui.config.read_config import read_config
from tui.config.settings import Scope, settings
from tui.text import count, plain

_NONE = "There is no configuration at {}; `momentum-keys config example` prints one.\n"


def run(options: argparse.Namespace) -> int:
    """Do what the words say; returns the exit code."""
    parser = command_parser("config")
    words = _with_actions(parser).parse_args(options.words)
    try:
        match words.action:
            case None:
                parser.exit(2, parser.format_help())
            case "path":
                return _say(f"{config_path()}\n")
            case "example":
                return _say(example(vocabulary()))
            case "check":
                return _check(words.file)
            case "list":
                return _list(configuration())
            case _:
                options.words = [words.server] if words.server else []
                return _show(options, configuration())
    except BadConfig as bad:
        return refuse_config(bad)


def _with_actions(parser: CommandLineParser) -> CommandLineParser:
    """Add the actions to the parser of the command."""
    actions = parser.add_subparsers(title="actions", dest="action", metavar="ACTION")

    def add(name: str, does: str) -> CommandLineParser:
        return actions.add_parser(name, help=does, description=does, allow_abbrev=False)

    add("list", "list the servers")
    show = add("show", "show each setting in force, and the line or option that set it")
    show.add_argument(
        "server", nargs="?", default="", metavar="SERVER", help="a server of the configuration"
    )
    check = add("check", "report each fault of the file, with line and column")
    check.add_argument(
        "file", nargs="?", type=Path, metavar="FILE", help="a file other than the one in force"
    )
    add("example", "print a file with every setting explained")
    add("path", "print the path of the file")
    return parser


def _say(text: str) -> int:
    """Write to standard output, where somebody may have stopped reading."""
    if isinstance(sys.stdout, TextIOWrapper):
        sys.stdout.reconfigure(errors="replace")
    if sys.stdout is not None:
        with suppress(BrokenPipeError):
            sys.stdout.write(text)
            sys.stdout.flush()
    return 0


def _check(file: Path | None) -> int:
    path = file or config_path()
    try:
        config = read_config(path, vocabulary())
    except FileNotFoundError:
        if file is not None:
            return refuse(f"{plain(str(path))}: there is no such file")
        return _say(_NONE.format(plain(str(path))))
    check_references(config)
    servers = count(len(config.servers), "server")
    return _say(f"{plain(str(path))}: {servers}, no faults.\n")


def _list(config: ConfigFile) -> int:
    if not config.servers:
        return _say(_NONE.format(plain(str(config.path))))
    rows = []
    for name, table in config.servers.items():
        read_only = in_force(config, name).get("read_only")
        marks = "read-only" if read_only is not None and read_only.meaning else ""
        rows.append((name, _text(table, "url"), _text(table, "user"), marks))
    return _say(_columns(rows))


def _text(table: Values, name: str) -> str:
    return plain(str(table[name].meaning)) if name in table else ""


def _show(options: argparse.Namespace, config: ConfigFile) -> int:
    """Show what is in force for a server, or in general where there are several or none."""
    name = server_name(options, config)
    if name and name not in config.servers:
        return refuse(unknown_server(name, config))
    called = replace(start_profile(name, options, config), ca_file=None)  # shown, and not read
    if unfit := unfit_server(called):
        return refuse(unfit)
    values = in_force(config, name, {**program_options(options), **server_options(options)})
    has_server = bool(name or options.url)
    rows = []
    for setting in settings(vocabulary()):
        if value := values.get(setting.name):
            rows.append((setting.name, value.origin, _toml(value.written)))
        elif has_server or setting.scope is not Scope.SERVER:
            rows.append((setting.name, "default", setting.otherwise))
    server = f", server {name}" if name else ""
    is_there = "" if config.path and config.path.exists() else " (there is no such file)"
    return _say(f"{plain(str(config.path))}{server}{is_there}\n\n{_columns(rows)}")


def _toml(value: object) -> str:
    """Return a value as it may stand in the file."""
    if isinstance(value, Mapping):
        lines = (f"{_key(key)} = {_toml(inner)}" for key, inner in value.items())
        return f"{{ {', '.join(lines)} }}"
    if isinstance(value, list | tuple):
        return f"[{', '.join(map(_toml, value))}]"
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, int | float):
        return f"{value:g}"
    return json.dumps(plain(str(value)), ensure_ascii=False)


def _key(name: str) -> str:
    is_bare = name.replace("_", "").replace("-", "").isalnum() and name.isascii()
    return name if is_bare else json.dumps(plain(name), ensure_ascii=False)


def _columns(rows: Sequence[tuple[str, ...]]) -> str:
    """Return rows with their columns beneath each other, as far as texts are no longer than 48."""
    widths = [min(48, max(map(len, column))) for column in zip(*rows, strict=True)]
    lines = (
        "  ".join(text.ljust(width) for text, width in zip(row, widths, strict=True)).rstrip()
        for row in rows
    )
    return "".join(f"{line}\n" for line in lines)
