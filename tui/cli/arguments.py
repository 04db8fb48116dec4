"""The arguments of the command line: options, the name of a server, commands."""

from __future__ import annotations

import argparse
from collections.abc import Iterable, Mapping, Sequence
from difflib import get_close_matches
from pathlib import Path
from types import MappingProxyType
from typing import NoReturn

from tui import __version__
from tui.sandbox.fault_options import FAULTS
from tui.sandbox.options import ACCOUNTS, EDITIONS
from tui.ui.themes import CHOICES

COMMANDS: Mapping[str, str] = MappingProxyType(
    {
        "config": "list, show, check: what is configured; example, path: to begin with",
        "help": "print a page of the manual",
        "sandbox": "run the made-up server alone until ctrl+c",
    }
)
"""What each command does; `run` of the module `NAME_command` beside this one does it."""


class CommandLineParser(argparse.ArgumentParser):
    """Says what is wrong with an argument in one sentence."""

    def error(self, message: str) -> NoReturn:
        """Leave with exit code 2."""
        self.exit(2, f"{self.prog}: {message}; see {self.prog} --help\n")


def parsed(arguments: Sequence[str] | None) -> argparse.Namespace:
    """Return the options, the `command` or nothing, and the `words` that follow it.

    Without a command the only word is the name of a server. Leaves with exit code 2 where there is
    no such option.
    """
    parser = _parser()
    options, rest = parser.parse_known_args(arguments)
    unknown = [word.partition("=")[0] for word in rest if word.startswith("-")]
    if unknown:
        parser.error(_unknown_option(unknown[0], parser))
    options.command = rest.pop(0) if rest and rest[0] in COMMANDS else ""
    options.words = rest
    if options.help and options.command in {"", "sandbox"}:
        parser.print_help()
        parser.exit()
    if options.help:
        options.words = ["--help"]
    elif options.command == "sandbox" and rest:
        parser.error(f"the sandbox takes options alone, and not {rest[0]!r}")
    elif not options.command and rest:
        _check_server_name(rest, parser)
    return options


def command_parser(name: str) -> CommandLineParser:
    """Return a parser for the words that follow a command."""
    return CommandLineParser(
        prog=f"momentum-keys {name}", description=COMMANDS[name], allow_abbrev=False
    )


def _unknown_option(name: str, parser: CommandLineParser) -> str:
    """Return what is wrong with an option that nothing takes; its value may be a secret."""
    known = [word for word in parser.format_help().split() if word.startswith("--")]
    close = get_close_matches(name, known, 1, 0.7)
    hint = f"; did you mean {close[0]}?" if close else ""
    return f"there is no option {name}{hint}"


def _check_server_name(words: Sequence[str], parser: CommandLineParser) -> None:
    """Refuse what is no name; what looks like an address may hold a password."""
    if any(mark in words[0] for mark in ".:@/"):
        parser.error("the server's address goes with --url, as in --url https://HOST")
    if len(words) > 1:
        parser.error(f"there is no command {words[0]!r}{close_name(words[0], COMMANDS)}")


def close_name(name: str, known: Iterable[str]) -> str:
    """Return a question after the one of the names that is spelt nearly so, or nothing."""
    close = get_close_matches(name, known, 1)
    return f"; did you mean {close[0]}?" if close else ""


def _parser() -> CommandLineParser:
    parser = CommandLineParser(
        prog="momentum-keys",
        usage="%(prog)s [OPTION]... [SERVER]\n       %(prog)s COMMAND [WORD]...",
        description="Manage the API keys of Momentum and SparkPost servers from a terminal.",
        epilog="SERVER is a name from the configuration. Commands: "
        + "; ".join(f"{name}: {does}" for name, does in COMMANDS.items()),
        allow_abbrev=False,
        add_help=False,
    )
    parser.add_argument("-h", "--help", action="store_true", help="show this, or a command's help")
    parser.add_argument("--version", action="version", version=f"momentum-keys {__version__}")
    parser.add_argument("--url", default="", metavar="URL", help="the server, https://HOST[:PORT]")
    parser.add_argument("--username", default="", metavar="NAME", help="who signs in")
    parser.add_argument(
        "--ca-file", type=Path, metavar="FILE", help="trust this certificate authority as well"
    )
    parser.add_argument(
        "--client-id", default="", metavar="ID", help="the installation's OAuth client, if any"
    )
    parser.add_argument(
        "--allow-http",
        action="store_true",
        help="allow a server without TLS; everything is readable",
    )
    parser.add_argument(
        "--lock-after",
        type=_minutes,
        metavar="MINUTES",
        help="lock the screen after so long without a key (15; 0: never)",
    )
    parser.add_argument(
        "--sandbox", action="store_true", help="try it out against a server made up on this machine"
    )
    parser.add_argument(
        "--theme", choices=CHOICES, default="", metavar="NAME", help=", ".join(CHOICES)
    )
    parser.add_argument("--ascii", action="store_true", help="draw signs and frames in ASCII")
    parser.add_argument("--no-mouse", action="store_true", help="leave the mouse to the terminal")
    parser.add_argument(
        "--send-all",
        action="store_true",
        help="send the terminal all that is drawn, not only what changed there",
    )
    _add_sandbox_options(parser)
    return parser


def _add_sandbox_options(parser: argparse.ArgumentParser) -> None:
    either = parser.add_argument_group(
        "the sandbox", "beside the program (--sandbox), or alone until ctrl+c (%(prog)s sandbox)"
    )
    either.add_argument("--edition", choices=EDITIONS, metavar="NAME", help=", ".join(EDITIONS))
    either.add_argument("--account", choices=ACCOUNTS, metavar="KIND", help=", ".join(ACCOUNTS))
    either.add_argument("--no-auth", action="store_true", help="authentication switched off")
    either.add_argument("--tls", action="store_true", help="speak https, with a CA file of its own")
    either.add_argument(
        "--fault",
        action="append",
        default=[],
        metavar="FAULT",
        help="; ".join(f"{fault.name}{fault.form}: {fault.help}" for fault in FAULTS),
    )
    alone = parser.add_argument_group("the sandbox alone", "%(prog)s sandbox")
    alone.add_argument("--port", type=_port, metavar="N", help="listen there")
    alone.add_argument("--data", type=Path, metavar="DIR", help="keep users and keys there")
    alone.add_argument(
        "--require-client", action="store_true", help="want an OAuth client credential to sign in"
    )


def _minutes(text: str) -> float:
    """Return how many seconds so many minutes are."""
    try:
        minutes = float(text)
    except ValueError:
        minutes = -1.0
    if not 0 <= minutes <= 7 * 24 * 60:
        raise argparse.ArgumentTypeError("minutes are a number from 0, for never, to 10080")
    return 60 * minutes


def _port(text: str) -> int:
    if not text.isascii() or not text.isdigit() or int(text) > 65535:
        raise argparse.ArgumentTypeError("a port is a number from 0 to 65535")
    return int(text)
