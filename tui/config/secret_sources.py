"""Passwords that a file holds or a command prints: read when they are needed, and never kept."""

from __future__ import annotations

import asyncio
import os
import shlex
import shutil
import signal
import stat
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Self

from tui.text import plain, short
from tui.waiting import in_thread, time_limit

if TYPE_CHECKING:
    from pydantic import SecretStr

COMMAND_SECONDS = 60.0
"""How long a command may take, which may ask for a passphrase or a touch of its own."""
_GRACE_SECONDS = 0.2
"""How long a command's children may go on writing after its end."""
_MOST_BYTES = 4096


class NoSecretRead(Exception):
    """A file or command gave no secret; `sentence` says why, without anything that it gave."""

    def __init__(self, sentence: str) -> None:
        super().__init__(sentence)
        self.sentence = sentence


async def secret_of_command(
    command: tuple[str, ...], seconds: float = COMMAND_SECONDS
) -> SecretStr:
    """Return the first line that a command prints; it is run without a shell or a terminal.

    Raises NoSecretRead.
    """
    shown = short(shlex.join(command), 100)
    program = shutil.which(command[0])
    if program is None:
        raise NoSecretRead(f"There is no program {plain(command[0])} here that you may run.")
    code, output, errors = await _run([program, *command[1:]], shown, seconds)
    if code:
        from tui.delivery.redaction import last_words  # slow to import, and only for a failure

        words = last_words(errors, output.strip())
        said = f" It said: {words}" if words else " It said nothing."
        how = f"exit {code}" if code > 0 else f"signal {-code}"
        raise NoSecretRead(f"{shown} failed ({how}).{said}")
    return _first_line(output, shown)


async def _run(argv: Sequence[str], shown: str, seconds: float) -> tuple[int, bytes, bytes]:
    """Return exit code and beginnings of both outputs; the command's children are not awaited."""
    async with _Outlet() as output, _Outlet() as errors:
        try:
            process = await asyncio.create_subprocess_exec(
                *argv, stdin=asyncio.subprocess.DEVNULL, stdout=output.sink, stderr=errors.sink,
                start_new_session=True,
            )  # fmt: skip
        except OSError as error:
            why = plain(error.strerror or "unknown error").lower()
            raise NoSecretRead(f"{shown} could not be started: {why}.") from None
        finally:
            output.close_sink()
            errors.close_sink()
        try:
            async with time_limit(seconds):
                code = await process.wait()
        except TimeoutError:
            raise NoSecretRead(f"{shown} did not finish within {seconds:g} s.") from None
        finally:
            if process.returncode is None:
                with suppress(ProcessLookupError):
                    os.killpg(process.pid, signal.SIGKILL)
                await process.wait()
        with suppress(TimeoutError):
            async with asyncio.timeout(_GRACE_SECONDS):
                await output.ended.wait()
                await errors.ended.wait()
        return code, bytes(output.kept), bytes(errors.kept)


class _Outlet(asyncio.Protocol):
    """A pipe whose beginning is kept; the rest is thrown away, so that its writer never waits."""

    def __init__(self) -> None:
        self.kept = bytearray()
        self.ended = asyncio.Event()
        source, self.sink = os.pipe()
        self._source = os.fdopen(source, "rb", 0)
        self._reading: asyncio.ReadTransport | None = None

    async def __aenter__(self) -> Self:
        loop = asyncio.get_running_loop()
        self._reading, _ = await loop.connect_read_pipe(lambda: self, self._source)
        return self

    async def __aexit__(self, *_: object) -> None:
        if self._reading is not None:
            self._reading.close()

    def close_sink(self) -> None:
        """Leave the writing end to the command."""
        os.close(self.sink)

    def data_received(self, data: bytes) -> None:
        self.kept += data[: _MOST_BYTES - len(self.kept)]

    def connection_lost(self, _: Exception | None) -> None:
        self.ended.set()


async def secret_of_file(path: Path) -> SecretStr:
    """Return the first line of a file; raises NoSecretRead."""
    shown = plain(str(path))
    try:
        content = await in_thread(lambda: _content(path))
    except TimeoutError:
        raise NoSecretRead(f"{shown} can't be read: the file system does not answer.") from None
    except OSError as error:
        why = plain(error.strerror or "unknown error").lower()
        raise NoSecretRead(f"{shown} can't be read: {why}.") from None
    return _first_line(content, shown)


def _content(path: Path) -> bytes:
    descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    with os.fdopen(descriptor, "rb") as file:
        if not stat.S_ISREG(os.fstat(descriptor).st_mode):
            raise OSError(0, "it is not a file")
        return file.read(_MOST_BYTES)


def _first_line(output: bytes, shown: str) -> SecretStr:
    from pydantic import SecretStr  # slow to import, and not needed for the first screen

    line = output.partition(b"\n")[0].removesuffix(b"\r")
    try:
        text = line.decode()
    except UnicodeDecodeError:
        raise NoSecretRead(f"What {shown} gives first is not text.") from None
    if not text.strip() or len(line) >= _MOST_BYTES:
        raise NoSecretRead(f"What {shown} gives first is no password: it is empty or too long.")
    return SecretStr(text)
