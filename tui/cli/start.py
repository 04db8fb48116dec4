"""Starts the program: checks the terminal, joins options and configuration, runs the app."""

from __future__ import annotations

import argparse
import gc
import os
import sys
from contextlib import suppress
from io import TextIOWrapper
from typing import TYPE_CHECKING

from tui.cli.profiles import (
    configuration,
    configured_profile,
    profiles,
    server_name,
    server_options,
    start_profile,
    unfit_server,
    unknown_server,
)
from tui.cli.refusal import refuse, refuse_config
from tui.cli.sandbox_command import sandbox_defaults, sandbox_options
from tui.config.config_file import BadConfig, ConfigFile
from tui.config.known_servers import KnownServers
from tui.config.last_used import LastUsed
from tui.config.profile import Profile
from tui.sandbox.options import SandboxMissing
from tui.state_folder import state_folder

if TYPE_CHECKING:
    from pathlib import Path

    from tui.ui.appearance import Appearance
    from tui.ui.screens.login import SignInDefaults

SWITCH_SECONDS = 0.001
"""How long a thread that computes may keep the event loop waiting at a time, in seconds."""


def run(options: argparse.Namespace) -> int:
    """Run the program with these options; returns its exit code.

    A sandbox starts without the configuration where that can't be used, and says so.
    """
    unused = ""
    try:
        config = configuration()
    except BadConfig as bad:
        refuse_config(bad)  # where the program starts, it is read after leaving
        if not options.sandbox:
            return 2
        config, unused = ConfigFile(bad.path), bad.lines[0]
    name = "" if options.sandbox else server_name(options, config)
    if name and name not in config.servers:
        return refuse(unknown_server(name, config))
    profile = start_profile(name, options, config)
    if unfit := unfit_server(profile) or _unfit_terminal():
        return refuse(unfit)
    _forbid_dumps()
    for variable in ("COLUMNS", "LINES"):
        os.environ.pop(variable, None)
    _load_app()
    look = _appearance(is_ascii=profile.ascii, sends_all=options.send_all)
    if options.sandbox:
        return _run_beside_sandbox(options, look, profile, unused)
    general = configured_profile("", options, config)
    servers = KnownServers(
        general=general,
        profiles=profiles(options, config),
        last_used=_last_used(is_remembered=general.remember),
        started=profile if profile.url or server_options(options) else None,
    )
    return _run_app(
        None,
        look,
        has_mouse=not profile.no_mouse,
        keeps_at_home=True,
        journal_file=profile.journal,
        servers=servers,
    )


def _last_used(*, is_remembered: bool) -> LastUsed:
    """Return what was used last; where nothing is to be remembered, that is gone, too."""
    folder = state_folder()
    last_used = LastUsed(folder / "last-used.json" if folder and is_remembered else None)
    if folder is not None and not is_remembered:
        LastUsed(folder / "last-used.json").forget()
    last_used.read()
    return last_used


def _appearance(*, is_ascii: bool, sends_all: bool) -> Appearance:
    """Return how the program looks here; where the locale is C, also have nothing but ASCII out."""
    from tui.ui.appearance import appearance, is_ascii_locale

    has_ascii_locale = is_ascii_locale(os.environ, is_utf8_mode=bool(sys.flags.utf8_mode))
    if has_ascii_locale and isinstance(sys.stdout, TextIOWrapper):
        sys.stdout.reconfigure(encoding="ascii", errors="replace")
    is_ascii = is_ascii or has_ascii_locale
    return appearance(os.environ, is_ascii=is_ascii, sends_all=sends_all)


def _forbid_dumps() -> None:
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


def _unfit_terminal() -> str:
    if not all(stream is not None and stream.isatty() for stream in (sys.stdin, sys.stdout)):
        return "this needs a terminal, and standard input or output is none"
    terminal = os.environ.get("TERM", "")
    if terminal in {"", "dumb"}:
        return f"this terminal (TERM={terminal}) can't be drawn on; set TERM to what it really is"
    return ""


def _run_app(
    defaults: SignInDefaults | None,
    look: Appearance,
    *,
    has_mouse: bool,
    keeps_at_home: bool = False,
    journal_file: Path | None = None,
    servers: KnownServers | None = None,
) -> int:
    import asyncio

    from tui.crash import BackgroundFaults
    from tui.ui.app import KeysApp, Loop

    sys.setswitchinterval(SWITCH_SECONDS)
    faults = BackgroundFaults()
    faults.watch()
    app = KeysApp(
        defaults,
        keeps_at_home=keeps_at_home,
        journal_file=journal_file,
        appearance=look,
        servers=servers,
    )
    with asyncio.Runner(loop_factory=lambda: Loop(faults.note)) as runner:
        runner.run(app.run_async(mouse=has_mouse))
        unstored = runner.run(app.see_out())
    for sentence in filter(None, (unstored, faults.sentence if faults.reports else "")):
        if sys.stderr is not None:
            with suppress(OSError):  # its terminal is gone
                sys.stderr.write(f"{sentence}\n")
    return app.return_code or 0


def _run_beside_sandbox(
    options: argparse.Namespace, look: Appearance, profile: Profile, unused_config: str
) -> int:
    """Run the program beside a sandbox; `unused_config` is why the configuration isn't used."""
    from tui.sandbox.child_process import SandboxFailed, start

    try:
        sandbox = start(sandbox_options(options))
    except (SandboxMissing, SandboxFailed) as error:
        return refuse(str(error))
    try:
        return _run_app(
            sandbox_defaults(sandbox.announcement, profile, unused_config),
            look,
            has_mouse=not profile.no_mouse,
            servers=KnownServers(profile),
        )
    finally:
        sandbox.stop()
