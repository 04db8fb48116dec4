"""Giving secrets to a program of the operator's, such as a vault's, on its standard input."""

from __future__ import annotations

import asyncio
import os
import shlex
import shutil
import signal
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path

from tui.delivery.names import argument_form
from tui.delivery.new_secret import DeliveryFailed, DeliveryFault, NewSecret, Sent, encoded
from tui.delivery.redaction import last_words
from tui.delivery.template import Word, bad_command, parse_template
from tui.text import plain, short
from tui.waiting import see_through, time_limit

MOST_OUTPUT = 65_536
"""How much of a command's output is kept, in bytes; what comes last counts."""
GRACE_SECONDS = 0.2
"""How long a command's children may go on writing after its end."""


class CommandDelivery:
    """Runs a command for each secret, with the secret and nothing else on its standard input.

    No newline follows it, as `vault kv put … key=-` stores what it reads as it is. There is no
    shell, and no terminal that the command could ask something on. Placeholders are filled in
    within single arguments: `{label}` and `{short_key}` in the form that `argument_form` makes of
    them, `{id}` as it is. Whoever reads arguments, as `ps` does, sees no secret.
    """

    def __init__(self, template: str, *, seconds: float = 20.0) -> None:
        self._template, self._seconds = template, seconds
        self._program = ""
        self._words: tuple[Word, ...] = ()
        self._key_of_run: dict[tuple[str, ...], tuple[str, str, str]] = {}
        self._process: asyncio.subprocess.Process | None = None
        self._is_running = self._is_stopped = False

    def check(self, labels: Sequence[str] = (), others: Iterable[str] = ()) -> None:
        """Raise `DeliveryFailed` where the command cannot be run, before the first key is made.

        So does one that would be the same for two keys of these `labels`: the second secret would
        take the place of the first. Of the `others` on the server only one with another label
        counts, where the command names the label: a successor takes the place of its predecessor.
        """
        words = parse_template(self._template)
        self._program, self._words = _find_program(words[0].text), words
        if not any(word.holds("id", "short_key") for word in words):
            seen: dict[tuple[str, ...], str] = {}
            for label in labels:
                arguments = self._fill({"label": _label_argument(label)})
                if arguments in seen:
                    raise _same_command(seen[arguments], label)
                seen[arguments] = label
            names_label = any(word.holds("label") for word in words)
            for label in others if names_label else ():  # else it is meant for this one secret
                chosen = seen.get(self._fill({"label": _label_argument(label)}), label)
                if chosen != label:
                    raise _same_command(chosen, label)

    @property
    def template(self) -> str:
        """The command as it was typed."""
        return self._template

    def stop(self) -> None:
        """Kill the command that runs now, if any, with all its children: its delivery fails."""
        has_ended = self._process is not None and self._process.returncode is not None
        if self._is_running and not has_ended:
            self._is_stopped = True
            if self._process is not None:
                _kill(self._process)

    def close(self) -> None:
        """Do nothing: no command outlives its delivery."""

    async def deliver(self, new_secret: NewSecret) -> Sent:
        """Run the command with one secret; it ended well, and read all of it, when this returns.

        One that takes too long is killed with all its children; none is because the program ends.
        """
        return await see_through(self._deliver(new_secret))

    async def _deliver(self, new_secret: NewSecret) -> Sent:
        if not self._words:
            self.check()
        arguments = self._arguments(new_secret)
        shown = short(shlex.join(arguments), 100)
        value = encoded(new_secret.secret)
        inlet = _filled_pipe(value)
        try:
            status, output = await self._run(arguments[1:], inlet)
            unread = os.read(inlet, len(value))
        finally:
            os.close(inlet)
        last_lines = last_words(output, value)
        said = f"It said: {last_lines}" if last_lines else "It said nothing."
        if self._is_stopped:
            raise DeliveryFailed(
                DeliveryFault.FAILED,
                f"{shown} was stopped. Whether it stored the secret is not known. {said}",
                "stopped",
            )
        if status is None:
            raise DeliveryFailed(
                DeliveryFault.TOO_SLOW,
                f"{shown} did not finish within {self._seconds:g} s and was stopped. Whether it "
                f"stored the secret is not known. {said}",
            )
        if status:
            how = f"exit {status}" if status > 0 else f"signal {-status}"
            brief = last_lines.splitlines()[-1] if last_lines else how
            raise DeliveryFailed(DeliveryFault.FAILED, f"{shown} failed ({how}). {said}", brief)
        if unread:
            raise DeliveryFailed(
                DeliveryFault.NOT_READ,
                f"{shown} ended well (exit 0) without reading the secret from its standard input, "
                f"so it cannot have stored it. {said}",
            )
        return Sent(f"{shown} took it (exit 0).", said)

    def _arguments(self, new_secret: NewSecret) -> tuple[str, ...]:
        """Fill in the placeholders, and refuse what would be about another key."""
        for name, value in (("id", new_secret.key_id), ("short_key", new_secret.short_key)):
            if not value and any(word.holds(name) for word in self._words):
                raise DeliveryFailed(
                    DeliveryFault.BAD_NAME,
                    f"The server did not return the key's {name}, so the command was not run. "
                    f"Leave {{{name}}} out of it.",
                )
        if argument_form(new_secret.key_id) != new_secret.key_id and any(
            w.holds("id") for w in self._words
        ):
            raise DeliveryFailed(
                DeliveryFault.BAD_NAME,
                f"The key's id, {short(new_secret.key_id, 64)}, is not safe in a command's "
                "arguments, so the command was not run.",
            )
        short_key = argument_form(new_secret.short_key)
        label = _label_argument(new_secret.label)
        arguments = self._fill({"label": label, "id": new_secret.key_id, "short_key": short_key})
        key = new_secret.key_id, new_secret.label, new_secret.short_key
        if self._key_of_run.setdefault(arguments, key) != key:
            raise DeliveryFailed(
                DeliveryFault.BAD_COMMAND,
                f"{short(shlex.join(arguments), 100)} was already run with another key's secret, "
                "which it could overwrite. It was not run: add {id} to the command.",
            )
        return arguments

    def _fill(self, values: Mapping[str, str]) -> tuple[str, ...]:
        return tuple(word.fill(values) for word in self._words)

    async def _run(self, arguments: Sequence[str], inlet: int) -> tuple[int | None, bytes]:
        """Return exit status and output; no status where time was up."""
        outlet, sink = os.pipe()
        listener = _Listener()
        reading, _ = await asyncio.get_running_loop().connect_read_pipe(
            lambda: listener, os.fdopen(outlet, "rb", 0)
        )
        try:
            self._is_stopped, self._is_running = False, True
            self._process = process = await self._start(arguments, inlet, sink)
            if self._is_stopped:  # it was asked for while the command started
                _kill(process)
            try:
                with suppress(TimeoutError):
                    async with time_limit(self._seconds):
                        await process.wait()
                status = process.returncode
            finally:
                if process.returncode is None:
                    _kill(process)
                    await process.wait()
            with suppress(TimeoutError):
                async with asyncio.timeout(GRACE_SECONDS):
                    await listener.ended.wait()
        finally:
            self._process, self._is_running = None, False
            reading.close()
        return status, bytes(listener.kept)

    async def _start(
        self, arguments: Sequence[str], inlet: int, sink: int
    ) -> asyncio.subprocess.Process:
        """Start the command in a session of its own, so that it can be killed with its children."""
        try:
            return await asyncio.create_subprocess_exec(
                self._program,
                *arguments,
                stdin=inlet,
                stdout=sink,
                stderr=sink,
                start_new_session=True,
            )
        except OSError as error:
            word = plain(error.strerror or "unknown error").lower()
            raise DeliveryFailed(
                DeliveryFault.NO_PROGRAM, f"{short(self._program)} could not be started: {word}."
            ) from None
        finally:
            os.close(sink)


class _Listener(asyncio.Protocol):
    """Keeps the end of what a command says, and throws away the rest, so that it never waits."""

    def __init__(self) -> None:
        self.kept = bytearray()
        self.ended = asyncio.Event()

    def data_received(self, data: bytes) -> None:
        self.kept += data
        del self.kept[:-MOST_OUTPUT]

    def connection_lost(self, _: Exception | None) -> None:
        self.ended.set()


def _kill(process: asyncio.subprocess.Process) -> None:
    """Kill a command with its children."""
    with suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)


def _filled_pipe(value: bytes) -> int:
    """Return the reading end of a pipe that holds `value` and nothing after it.

    What is left in there at the end was not read; and no command can end too early for a writer.
    """
    inlet, feed = os.pipe()
    try:
        os.set_blocking(feed, False)
        if os.write(feed, value) == len(value):
            return inlet
    finally:
        os.close(feed)
    os.close(inlet)
    raise DeliveryFailed(DeliveryFault.OTHER, "The secret is too long to be passed to a command.")


def _find_program(name: str) -> str:
    program = None
    with suppress(RuntimeError):  # no such user behind the ~
        program = shutil.which(str(Path(name).expanduser()) if name.startswith("~") else name)
    if program is None:
        raise DeliveryFailed(
            DeliveryFault.NO_PROGRAM,
            f"There is no program {short(name)} here that you may run. Check its name, or give its "
            "whole path.",
        )
    return program


def _label_argument(label: str) -> str:
    return argument_form(label) or "api-key"


def _same_command(label: str, other_label: str) -> DeliveryFailed:
    return bad_command(
        f"The command is the same for “{short(label, 40)}” and “{short(other_label, 40)}”, so that "
        "one secret would take the place of the other. Add {id} to it."
    )
