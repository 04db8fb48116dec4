"""The command line: `main` is the program, `run` is it as a process of its own."""

from __future__ import annotations

import os
import signal
import sys
import threading
import time
from collections.abc import Sequence
from contextlib import suppress
from importlib import import_module
from typing import NoReturn

from tui.cli.arguments import parsed
from tui.cli.refusal import refuse
from tui.cli.sandbox_command import unfit_options

THREAD_SECONDS = 0.5
"""How long threads may take at the end, in seconds."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the program; returns its exit code.

    That is 0, 1 after a crash, 2 for what can't be started, 128 + n where signal n ended it.
    """
    options = parsed(arguments)
    if unfit := unfit_options(options):
        return refuse(unfit)
    module = import_module(
        f"tui.cli.{options.command}_command" if options.command else "tui.cli.start"
    )
    try:
        return int(module.run(options))
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
