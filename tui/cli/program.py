"""The program itself: what it needs of the terminal, its look, its start and its end."""

from __future__ import annotations

import argparse
import gc
import os
import sys
from contextlib import suppress
from io import TextIOWrapper
from typing import TYPE_CHECKING

from tui.cli.arguments import COMMANDS, close_name
from tui.cli.refusal import refuse
from tui.cli.sandbox_command import sandbox_defaults, sandbox_options
from tui.sandbox.options import SandboxMissing

if TYPE_CHECKING:
    from tui.ui.appearance import Appearance
    from tui.ui.screens.login import SignInDefaults


def run(options: argparse.Namespace) -> int:
    """Run the program with these options; returns its exit code."""
    if options.words:
        name = options.words[0]
        close = close_name(name, COMMANDS)
        return refuse(f"there is neither a command nor a server {name!r}{close}")
    if unfit := _unfit_server(options) or _unfit_terminal():
        return refuse(unfit)
    _keep_to_itself()
    for name in ("COLUMNS", "LINES"):
        os.environ.pop(name, None)
    _load_app()
    look = _appearance(options)
    if options.sandbox:
        return _run_beside_sandbox(options, look)
    return _run_app(
        _sign_in_defaults(options), look, keeps_at_home=True, lock_seconds=options.lock_after
    )


def _appearance(options: argparse.Namespace) -> Appearance:
    """Return how the program looks here; where the locale is C, also have nothing but ASCII out."""
    from tui.ui.appearance import appearance, is_ascii_locale

    is_ascii = is_ascii_locale(os.environ, is_utf8_mode=bool(sys.flags.utf8_mode))
    if is_ascii and isinstance(sys.stdout, TextIOWrapper):
        sys.stdout.reconfigure(encoding="ascii", errors="replace")
    return appearance(
        os.environ,
        options.theme,
        is_ascii=options.ascii or is_ascii,
        sends_all=options.send_all,
    )


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


def _unfit_server(options: argparse.Namespace) -> str:
    """Return what is wrong with the server's address or certificates, or nothing."""
    from tui.api.address import AddressFault, BadAddress, check_ca_file, parse_server

    try:
        if options.ca_file is not None:
            check_ca_file(options.ca_file)
        if options.url:
            parse_server(options.url, plain_http_allowed=options.allow_http)
    except BadAddress as error:
        if error.reason is AddressFault.CA_FILE:
            return f"--ca-file {error.detail}"
        from tui.problems import describe

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
    keeps_at_home: bool = False,
    lock_seconds: float | None = None,
) -> int:
    import asyncio

    from tui.crash import BackgroundFaults
    from tui.ui.app import KeysApp, Loop

    faults = BackgroundFaults()
    faults.watch()
    app = KeysApp(defaults, keeps_at_home=keeps_at_home, lock_seconds=lock_seconds, appearance=look)
    with asyncio.Runner(loop_factory=lambda: Loop(faults.note)) as runner:
        runner.run(app.run_async())
        unstored = runner.run(app.see_out())
    for sentence in filter(None, (unstored, faults.sentence if faults.reports else "")):
        if sys.stderr is not None:
            with suppress(OSError):  # its terminal is gone
                sys.stderr.write(f"{sentence}\n")
    return app.return_code or 0


def _run_beside_sandbox(options: argparse.Namespace, look: Appearance) -> int:
    from tui.sandbox.child_process import SandboxFailed, start

    try:
        sandbox = start(sandbox_options(options))
    except (SandboxMissing, SandboxFailed) as error:
        return refuse(str(error))
    try:
        return _run_app(
            sandbox_defaults(sandbox.announcement), look, lock_seconds=options.lock_after
        )
    finally:
        sandbox.stop()
