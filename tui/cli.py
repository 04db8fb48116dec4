"""The command line: arguments, exit codes, and where everything is put together."""

from __future__ import annotations

import argparse
import gc
import os
import shlex
import signal
import sys
import threading
import time
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import replace
from difflib import get_close_matches
from io import TextIOWrapper
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn

from tui import __version__
from tui.sandbox.fault_options import FAULTS
from tui.sandbox.options import ACCOUNTS, EDITIONS, SandboxMissing, SandboxOptions, require_packages
from tui.ui.themes import CHOICES

if TYPE_CHECKING:
    from tui.delivery.recovery import RecoveryFolder
    from tui.journal import Journal
    from tui.sandbox.options import Announcement
    from tui.ui.appearance import Appearance
    from tui.ui.screens.login import SignInDefaults

THREAD_SECONDS = 0.5
"""How long threads may take at the end, in seconds."""
_OF_A_SERVER = ("url", "username", "ca_file", "client_id", "allow_http")
"""The options that tell which server is called and how."""

_OF_SANDBOX_ALONE = ("--port", "--data", "--require-client")
"""The options of a sandbox that runs without the program."""


class _Parser(argparse.ArgumentParser):
    """Says what is wrong with an argument in one sentence."""

    def error(self, message: str) -> NoReturn:
        self.exit(2, f"{self.prog}: {message}; see {self.prog} --help\n")


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the program; returns its exit code.

    That is 0, 1 after a crash, 2 for what can't be started, 128 + n where signal n ended it.
    """
    options = _parsed(arguments)
    try:
        return _start(options)
    except KeyboardInterrupt:
        return 128 + signal.SIGINT


def run() -> NoReturn:
    """Run the program as a process of its own, and end that with its exit code.

    Nothing can stop the look-up of a name, for which Python would wait at its end: threads have a
    moment to finish what they write, and what hangs then goes with the process.
    """
    # Shells start background jobs with SIGINT ignored; in a terminal Ctrl+C has to be heard.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    code = main()
    deadline = time.monotonic() + THREAD_SECONDS
    with suppress(KeyboardInterrupt):  # which asks for haste
        for thread in threading.enumerate():
            if thread is not threading.current_thread() and not thread.daemon:
                thread.join(max(0.0, deadline - time.monotonic()))
    for stream in (sys.stdout, sys.stderr):
        with suppress(AttributeError, OSError, ValueError):  # closed, or its terminal is gone
            stream.flush()
    os._exit(code)


def _start(options: argparse.Namespace) -> int:
    if unfit := _unfit_options(options):
        return _refuse(unfit)
    if options.command == "sandbox":
        return _run_sandbox(options)
    if unfit := _unfit_server(options) or _unfit_terminal():
        return _refuse(unfit)
    _keep_to_itself()
    for name in ("COLUMNS", "LINES"):
        os.environ.pop(name, None)
    _load_app()
    look = _appearance(options)
    if options.sandbox:
        return _run_beside_sandbox(options, look)
    from tui.delivery.recovery import RecoveryFolder
    from tui.journal import journal_at_home

    return _run_app(
        _sign_in_defaults(options),
        look,
        journal=journal_at_home(),
        recovery=RecoveryFolder(),
        lock_seconds=options.lock_after,
    )


def _appearance(options: argparse.Namespace) -> Appearance:
    """Return how the program looks here; where the locale is C, also have nothing but ASCII out."""
    from tui.ui.appearance import appearance, is_ascii_locale

    is_ascii = is_ascii_locale(os.environ, is_utf8_mode=bool(sys.flags.utf8_mode))
    if is_ascii and isinstance(sys.stdout, TextIOWrapper):
        sys.stdout.reconfigure(encoding="ascii", errors="replace")
    return appearance(os.environ, options.theme, is_ascii=options.ascii or is_ascii)


def _keep_to_itself() -> None:
    """Have nothing that is typed or held in memory end up in a file, not even after a crash.

    Textual's variables would have it write keys and pictures to files, or take ctrl+c away.
    """
    for name in [name for name in os.environ if name.startswith("TEXTUAL")]:
        del os.environ[name]
    with suppress(ImportError):  # not every system has it
        import resource

        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


def _load_app() -> None:
    """Load what is shown first, without looking for garbage: loading makes none."""
    gc.disable()
    import tui.ui.app  # noqa: F401  # --help and --version do without

    gc.freeze()
    gc.enable()


def _parsed(arguments: Sequence[str] | None) -> argparse.Namespace:
    """Return the options, and as `command` that there is one; exits where there is no such one."""
    parser = _parser()
    options, rest = parser.parse_known_args(arguments)
    options.command = "sandbox" if "sandbox" in rest else ""
    if unknown := [word for word in rest if word != "sandbox"]:
        parser.error(_unknown(unknown, parser))
    return options


def _unknown(rest: Sequence[str], parser: argparse.ArgumentParser) -> str:
    """Return what is wrong with arguments that nothing takes; a value may be a secret."""
    names = [word.partition("=")[0] for word in rest if word.startswith("-")]
    if names:
        known = [name for name in parser.format_help().split() if name.startswith("--")]
        close = get_close_matches(names[0], known, 1, 0.7)
        hint = f"; did you mean {close[0]}?" if close else ""
        return f"there is no option {names[0]}{hint}"
    if "." in rest[0] or ":" in rest[0]:
        return "the server's address goes with --url, as in --url https://HOST"
    close = get_close_matches(rest[0], ["sandbox"], 1)
    hint = "did you mean sandbox?" if close else "the only one is sandbox"
    return f"there is no command {rest[0]!r}; {hint}"


def _parser() -> argparse.ArgumentParser:
    parser = _Parser(
        prog="momentum-keys",
        usage="%(prog)s [OPTION]... [sandbox]",
        description="Manage the API keys of Momentum and SparkPost servers from a terminal.",
        allow_abbrev=False,
    )
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


def _refuse(sentence: str) -> int:
    if sys.stderr is not None:  # as it is where it was closed
        sys.stderr.write(f"momentum-keys: {sentence}\n")
    return 2


def _unfit_options(options: argparse.Namespace) -> str:
    """Return why these options don't go together, or nothing."""
    if not options.command and (given := _of_sandbox_alone(options)):
        names = ", ".join(word for word in given if word in _OF_SANDBOX_ALONE)
        command = shlex.join(["momentum-keys", "sandbox", *given])
        return f"only with the sandbox alone: {names}, as in {command}"
    if options.command == "sandbox" and (options.theme or options.ascii):
        return "--theme and --ascii are of the program, which the sandbox alone runs without"
    if options.sandbox or options.command == "sandbox":
        given = ["--sandbox"] if options.sandbox and options.command else []
        given += [f"--{name.replace('_', '-')}" for name in _OF_A_SERVER if vars(options)[name]]
        return f"the sandbox is a server of its own: leave out {', '.join(given)}" if given else ""
    if options.edition or options.account or options.no_auth or options.tls or options.fault:
        return "--edition, --account, --no-auth, --tls and --fault go with --sandbox"
    return ""


def _of_sandbox_alone(options: argparse.Namespace) -> list[str]:
    """Return those of the arguments that only a sandbox without the program takes."""
    given = [] if options.port is None else ["--port", str(options.port)]
    if options.data is not None:
        given += ["--data", str(options.data)]
    return [*given, "--require-client"] if options.require_client else given


def _unfit_server(options: argparse.Namespace) -> str:
    """Return what is wrong with the server's address or certificates, or nothing."""
    from tui.api.address import AddressFault, BadAddress, check_ca_file, parse_server
    from tui.problems import describe

    try:
        if options.ca_file is not None:
            check_ca_file(options.ca_file)
        if options.url:
            parse_server(options.url, plain_http_allowed=options.allow_http)
    except BadAddress as error:
        if error.reason is AddressFault.CA_FILE:
            return f"--ca-file {error.detail}"
        problem = describe(error)
        what, hint = (text[0].lower() + text[1:] for text in (problem.title, problem.hint))
        return f"--url: {what}; {hint.rstrip('.')}"
    return ""


def _unfit_terminal() -> str:
    if not all(stream is not None and stream.isatty() for stream in (sys.stdin, sys.stdout)):
        return "this needs a terminal, and standard input or output is none"
    terminal = os.environ.get("TERM", "")
    if terminal in {"", "dumb"}:
        return f"this terminal (TERM={terminal}) can't be drawn on; set TERM to what it really is"
    return ""


def _sign_in_defaults(options: argparse.Namespace) -> SignInDefaults:
    from tui.ui.screens.login import SignInDefaults

    return SignInDefaults(
        url=options.url,
        username=options.username,
        ca_file=options.ca_file,
        client_id=options.client_id,
        plain_http_allowed=options.allow_http,
    )


def _run_app(
    defaults: SignInDefaults,
    look: Appearance,
    *,
    journal: Journal | None = None,
    recovery: RecoveryFolder | None = None,
    lock_seconds: float | None = None,
) -> int:
    import asyncio

    from tui.crash import BackgroundFaults
    from tui.ui.app import KeysApp, Loop

    faults = BackgroundFaults()
    faults.watch()
    app = KeysApp(
        defaults, journal=journal, recovery=recovery, lock_seconds=lock_seconds, appearance=look
    )
    with asyncio.Runner(loop_factory=lambda: Loop(faults.note)) as runner:
        runner.run(app.run_async())
        unstored = runner.run(app.see_out())
    for sentence in filter(None, (unstored, faults.sentence if faults.reports else "")):
        if sys.stderr is not None:
            with suppress(OSError):  # its terminal is gone
                sys.stderr.write(f"{sentence}\n")
    return app.return_code or 0


def _run_sandbox(options: argparse.Namespace) -> int:
    try:
        require_packages()
    except SandboxMissing as missing:
        return _refuse(str(missing))
    from tui.sandbox.standalone import run

    return run(
        replace(
            _sandbox_options(options),
            port=options.port or 0,
            data=options.data,
            require_client=options.require_client,
        )
    )


def _run_beside_sandbox(options: argparse.Namespace, look: Appearance) -> int:
    from tui.sandbox.child_process import SandboxFailed, start

    try:
        sandbox = start(_sandbox_options(options))
    except (SandboxMissing, SandboxFailed) as error:
        return _refuse(str(error))
    try:
        return _run_app(
            _sandbox_defaults(sandbox.announcement), look, lock_seconds=options.lock_after
        )
    finally:
        sandbox.stop()


def _sandbox_options(options: argparse.Namespace) -> SandboxOptions:
    return SandboxOptions(
        edition=options.edition or "momentum-4.2",
        account=options.account or "password",
        auth=not options.no_auth,
        faults=tuple(options.fault),
        tls=options.tls,
    )


def _sandbox_defaults(announcement: Announcement) -> SignInDefaults:
    from pydantic import SecretStr

    from tui.ui.screens.login import SignInDefaults

    notices = ["Sandbox on this machine, gone when you leave"]
    if announcement.password:
        notices.append(f"password {announcement.password}")
    if announcement.code:
        notices.append(f"two-factor code {announcement.code}")
    if announcement.access_token:
        notices.append(f"access token {announcement.access_token}")
    return SignInDefaults(
        url=announcement.url,
        username=announcement.username,
        password=SecretStr(announcement.password) if announcement.password else None,
        ca_file=Path(announcement.ca_file) if announcement.ca_file else None,
        client_id=announcement.client_id,
        client_secret=SecretStr(announcement.client_secret or ""),
        notice=" · ".join(notices),
    )
