"""The arguments of the command line: options, the name of a server, commands."""

from __future__ import annotations

import argparse
from collections.abc import Mapping, Sequence
from pathlib import Path
from textwrap import wrap
from types import MappingProxyType
from typing import NoReturn

from tui import __version__
from tui.sandbox.fault_options import FAULTS
from tui.sandbox.options import ACCOUNTS, EDITIONS
from tui.text import did_you_mean
from tui.ui.themes import CHOICES

COMMANDS: Mapping[str, str] = MappingProxyType(
    {
        "config": "show and check the configuration, or print an example of one",
        "help": "print a page of the manual",
        "sandbox": "run a sandbox server without the program, until ctrl+c",
    }
)
"""What each command does; `run` of the module `NAME_command` beside this one does it."""

_DESCRIPTION = "\n".join(
    [
        "Manage the API keys of Momentum and SparkPost servers from a terminal.",
        "",
        "commands:",
        *(f"  {name:<8} {does}" for name, does in COMMANDS.items()),
        "",
        "momentum-keys COMMAND --help prints the help of a command.",
    ]
)


class _Formatter(argparse.RawDescriptionHelpFormatter):
    """Keeps the line breaks of a help text, and breaks no name at its hyphens."""

    def _split_lines(self, text: str, width: int) -> list[str]:
        return [
            part for line in text.split("\n") for part in wrap(line, width, break_on_hyphens=False)
        ]


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
        (_sandbox_parser() if options.command else parser).print_help()
        parser.exit()
    if options.help:
        options.words = [*rest, "--help"]
    elif options.command == "sandbox" and rest:
        parser.error(f"sandbox takes options only, not {rest[0]!r}")
    elif not options.command and rest:
        _check_server_name(rest, parser)
    return options


def command_parser(name: str) -> CommandLineParser:
    """Return a parser for the words that follow a command."""
    return CommandLineParser(
        prog=f"momentum-keys {name}",
        description=COMMANDS[name],
        formatter_class=_Formatter,
        allow_abbrev=False,
    )


def _unknown_option(name: str, parser: CommandLineParser) -> str:
    """Return what is wrong with an option that nothing takes; its value may be a secret."""
    known = [word for word in parser.format_help().split() if word.startswith("--")]
    return f"there is no option {name}{did_you_mean(name, known, 0.7)}"


def _check_server_name(words: Sequence[str], parser: CommandLineParser) -> None:
    """Refuse what is no name; what looks like an address may hold a password."""
    if any(mark in words[0] for mark in ".:@/"):
        parser.error("the server's address goes with --url, as in --url https://HOST")
    if len(words) > 1:
        parser.error(f"there is no command {words[0]!r}{did_you_mean(words[0], COMMANDS)}")


def _parser() -> CommandLineParser:
    parser = CommandLineParser(
        prog="momentum-keys",
        usage="%(prog)s [OPTION]... [SERVER]\n       %(prog)s COMMAND [ARGUMENT]...",
        description=_DESCRIPTION,
        epilog="SERVER is the name of a server in the configuration.",
        formatter_class=_Formatter,
        allow_abbrev=False,
        add_help=False,
    )
    parser.add_argument("-h", "--help", action="store_true", help="print this help, and exit")
    parser.add_argument(
        "--version",
        action="version",
        version=f"momentum-keys {__version__}",
        help="print the version, and exit",
    )
    parser.add_argument("--url", default="", metavar="URL", help="the server, https://HOST[:PORT]")
    parser.add_argument("--username", default="", metavar="NAME", help="the user who signs in")
    parser.add_argument(
        "--ca-file",
        type=Path,
        metavar="FILE",
        help="trust this certificate authority in addition to the system's",
    )
    parser.add_argument(
        "--client-id", default="", metavar="ID", help="the installation's OAuth client, if any"
    )
    parser.add_argument(
        "--allow-http",
        action="store_true",
        help="allow a server without TLS; the network can read everything",
    )
    parser.add_argument(
        "--lock-after",
        type=_minutes,
        metavar="MINUTES",
        help="lock the screen after MINUTES without a key press; 0: never; default: 15",
    )
    parser.add_argument(
        "--sandbox", action="store_true", help="start a sandbox server, and sign in to it"
    )
    _add_display_options(parser)
    _add_sandbox_options(
        parser, "with --sandbox, or momentum-keys sandbox", "%(prog)s sandbox only"
    )
    return parser


def _add_display_options(parser: CommandLineParser) -> None:
    parser.add_argument(
        "--theme", choices=CHOICES, default="", metavar="NAME", help=", ".join(CHOICES)
    )
    parser.add_argument("--ascii", action="store_true", help="draw signs and frames in ASCII")
    parser.add_argument("--no-mouse", action="store_true", help="leave the mouse to the terminal")
    parser.add_argument(
        "--send-all",
        action="store_true",
        help="send whole frames, not only what changed; for a terminal that shows errors",
    )


def _sandbox_parser() -> CommandLineParser:
    """Return a parser that has the sandbox's options alone, for its help."""
    parser = command_parser("sandbox")
    _add_sandbox_options(parser, "", "")
    return parser


def _add_sandbox_options(parser: argparse.ArgumentParser, either_way: str, alone_only: str) -> None:
    either = parser.add_argument_group("options of the sandbox", either_way)
    either.add_argument("--edition", choices=EDITIONS, metavar="NAME", help=", ".join(EDITIONS))
    either.add_argument("--account", choices=ACCOUNTS, metavar="KIND", help=", ".join(ACCOUNTS))
    either.add_argument("--no-auth", action="store_true", help="switch authentication off")
    either.add_argument(
        "--tls", action="store_true", help="serve https, with a certificate authority of its own"
    )
    either.add_argument(
        "--fault",
        action="append",
        default=[],
        metavar="FAULT",
        help="make something go wrong; may be given more than once:\n"
        + "\n".join(f"{fault.name}{fault.form}: {fault.help}" for fault in FAULTS),
    )
    alone = parser.add_argument_group("more options of the sandbox", alone_only)
    alone.add_argument("--port", type=_port, metavar="N", help="the port to listen on")
    alone.add_argument(
        "--data", type=Path, metavar="DIR", help="keep users and keys in this directory"
    )
    alone.add_argument(
        "--require-client", action="store_true", help="require an OAuth client to sign in"
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
