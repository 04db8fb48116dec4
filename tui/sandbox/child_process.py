"""`momentum-keys --sandbox`: a node in a child process that lives as long as the app does."""

from __future__ import annotations

import json
import select
import subprocess
import sys
from contextlib import suppress
from types import TracebackType
from typing import IO

from tui.sandbox.options import (
    Announcement,
    SandboxFailed,
    SandboxMissing,
    SandboxOptions,
    require_packages,
)

__all__ = [
    "Announcement", "RunningSandbox", "SandboxFailed", "SandboxMissing", "SandboxOptions", "start"
]  # fmt: skip

_START_SECONDS = 20.0
_STOP_SECONDS = 5.0


class RunningSandbox:
    """A node beside the app; `announcement` says how to reach it."""

    def __init__(self, process: subprocess.Popen[bytes], announcement: Announcement) -> None:
        self._process = process
        self.announcement = announcement

    def __enter__(self) -> RunningSandbox:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.stop()

    def stop(self) -> None:
        """Stop the node and wait until it is gone; once more does nothing."""
        _end(self._process)


def start(options: SandboxOptions) -> RunningSandbox:
    """Start a node in a child process and return it once it can be reached.

    The child hears on its standard input when this process is gone, however it went, and then
    goes as well.

    Raises `SandboxMissing` where the packages that it needs are not installed, and
    `SandboxFailed` where it did not start.
    """
    require_packages(tls=options.tls)
    process = subprocess.Popen(  # noqa: S603  # this very interpreter, with our own arguments
        # -P: the directory that the app was started in holds no modules of ours.
        [sys.executable, "-P", "-m", "tui.sandbox", *_arguments(options)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        start_new_session=True,  # the terminal's ctrl+c is meant for the app
    )
    try:
        return RunningSandbox(process, _announced(process))
    except BaseException:  # raised again: a child must not outlive its start
        _end(process)
        raise


def _announced(process: subprocess.Popen[bytes]) -> Announcement:
    output = _pipe(process.stdout)
    if not select.select([output], [], [], _START_SECONDS)[0]:
        raise SandboxFailed(f"The sandbox did not start within {_START_SECONDS:.0f} s.")
    try:
        message = json.loads(output.readline())
    except ValueError:
        raise SandboxFailed("The sandbox ended before it could be reached.") from None
    if "problem" in message:
        raise SandboxFailed(message["problem"])
    return Announcement(**message)


def _arguments(options: SandboxOptions) -> list[str]:
    arguments = ["--port", str(options.port), "--edition", options.edition]
    arguments += ["--account", options.account]
    if options.data is not None:
        arguments += ["--data", str(options.data)]
    if not options.auth:
        arguments.append("--no-auth")
    if options.require_client:
        arguments.append("--require-client")
    if options.tls:
        arguments.append("--tls")
    arguments += [f"--fault={fault}" for fault in options.faults]
    return arguments


def _end(process: subprocess.Popen[bytes]) -> None:
    with suppress(OSError):
        _pipe(process.stdin).close()
    try:
        process.wait(_STOP_SECONDS)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
    _pipe(process.stdout).close()


def _pipe(pipe: IO[bytes] | None) -> IO[bytes]:
    if pipe is None:
        raise ValueError("the child was started without its pipes")
    return pipe
