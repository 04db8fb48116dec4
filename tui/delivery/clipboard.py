"""Sending a secret to a clipboard; to another program it goes by standard input only."""

from __future__ import annotations

import asyncio
import os
import secrets
import shutil
import signal
import sys
from base64 import b64encode
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from typing import TYPE_CHECKING

from tui.delivery.new_secret import DeliveryFailed, DeliveryFault, Sent, encoded

if TYPE_CHECKING:
    from pydantic import SecretStr

TOOL_SECONDS = 2.0
"""How long another program may take to accept a secret, in seconds."""
SCREEN_LIMIT = 240
"""How many characters GNU screen passes on in one piece, with room to spare for old versions."""

_CUT_OFF = (
    "Nothing was sent: tmux knows no clipboard of the terminal that it runs in. If that has one, "
    "put this into tmux.conf: set -as terminal-features ',*:clipboard'"
)


async def send_to_clipboard(
    secret: SecretStr, environ: Mapping[str, str], write_terminal: Callable[[str], None]
) -> Sent:
    """Send `secret` to the nearest clipboard: tmux's, the desktop's, else the terminal's.

    `write_terminal` gets a raw escape sequence. Over SSH the desktop is the wrong one, so it is
    passed over. When one way fails the next is taken, and the caveat says so. Raises
    `DeliveryFailed` where tmux would drop it on the way to the terminal.
    """
    value = encoded(secret)
    failures: list[str] = []
    is_cut_off = bool(environ.get("TMUX")) and await _lacks_clipboard(environ)
    if environ.get("TMUX") and not is_cut_off:
        answer = await _send_to_tmux(value, environ)
        if isinstance(answer, Sent):
            return answer
        failures.append(answer)
    for command in _desktop_commands(environ):
        failure = await _run(command, value, environ)
        if not failure:
            caveat = "A clipboard history, if you keep one, may remember it."
            return Sent(
                f"Sent to the desktop's clipboard by {command[0]}.", _join(failures, caveat)
            )
        failures.append(failure)
    if is_cut_off:
        raise DeliveryFailed(DeliveryFault.OTHER, _join(failures, _CUT_OFF))
    write_terminal(_clipboard_sequence(value, environ))
    where, caveat = _terminal_words(environ)
    return Sent(where, _join(failures, caveat), is_confirmed=False)


def _join(failures: list[str], caveat: str) -> str:
    return " ".join([*failures, caveat])


async def _send_to_tmux(value: bytes, environ: Mapping[str, str]) -> Sent | str:
    """Pass `value` through a buffer of its own that does not outlive the call.

    `load-buffer -w` reaches the outer terminal whatever `set-clipboard` says, where an escape
    sequence is dropped in tmux's default setting.
    """
    buffer = f"momentum-keys-{secrets.token_hex(8)}"
    try:
        failure = await _run(("tmux", "load-buffer", "-b", buffer, "-w", "-"), value, environ)
    finally:
        erased = _run(("tmux", "delete-buffer", "-b", buffer), b"", environ)
        erasing_failed = await asyncio.shield(erased)
    if failure:
        return failure
    caveat = "Paste it somewhere safe to check."
    if erasing_failed:
        caveat += f" tmux may still hold a copy: run 'tmux delete-buffer -b {buffer}'."
    where = "Sent to tmux; whether your terminal's clipboard has it is not known."
    return Sent(where, caveat, is_confirmed=False)


async def _lacks_clipboard(environ: Mapping[str, str]) -> bool:
    """Tell whether tmux says that the terminal that it runs in takes nothing for its clipboard.

    A tmux that is too old to be asked does not say so.
    """
    ask_client = ("tmux", "display-message", "-p", "#{client_name}")
    client = (await _answer_to(ask_client, environ)).strip()
    ask_terminal = ("tmux", "show-messages", "-T", "-t", client)
    return bool(client) and " Ms: [missing]" in await _answer_to(ask_terminal, environ)


def _desktop_commands(environ: Mapping[str, str]) -> Iterator[tuple[str, ...]]:
    if environ.get("SSH_CONNECTION") or environ.get("SSH_TTY"):
        return
    commands: tuple[tuple[object, tuple[str, ...]], ...] = (
        (environ.get("WAYLAND_DISPLAY"), ("wl-copy",)),
        (environ.get("DISPLAY"), ("xclip", "-selection", "clipboard")),
        (sys.platform == "darwin", ("pbcopy",)),
    )
    for is_available, command in commands:
        if is_available and shutil.which(command[0], path=environ.get("PATH")):
            yield command


async def _answer_to(command: tuple[str, ...], environ: Mapping[str, str]) -> str:
    """Return what a command says; nothing where it fails."""
    output = bytearray()
    failure = await _run(command, b"", environ, output)
    return "" if failure else output.decode(errors="replace")


async def _run(
    command: tuple[str, ...],
    value: bytes,
    environ: Mapping[str, str],
    output: bytearray | None = None,
) -> str:
    """Run `command` with `value` on its standard input; return what went wrong, or nothing.

    It gets a session of its own: a clipboard's keeper outlives the terminal window that way, and
    a program that hangs is killed with all its children. What it says goes to `output`, if given.
    """
    name = command[0]
    program = shutil.which(name, path=environ.get("PATH"))
    if program is None:
        return f"{name} is not installed here."
    devnull, pipe = asyncio.subprocess.DEVNULL, asyncio.subprocess.PIPE
    try:
        process = await asyncio.create_subprocess_exec(
            program,
            *command[1:],
            stdin=pipe,
            stdout=devnull if output is None else pipe,
            stderr=devnull,
            env=dict(environ),
            start_new_session=True,
        )
    except OSError:
        return f"{name} could not be started."
    try:
        async with asyncio.timeout(TOOL_SECONDS):
            said, _ = await process.communicate(value)
            if output is not None:
                output += said
    except TimeoutError:
        return f"{name} did not finish within {TOOL_SECONDS:g} s."
    finally:
        if process.returncode is None:
            with suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            await process.wait()
    return f"{name} failed (exit status {process.returncode})." if process.returncode else ""


def _clipboard_sequence(value: bytes, environ: Mapping[str, str]) -> str:
    """Return OSC 52, wrapped for GNU screen where that is, or may be, in between.

    TERM=screen without STY may be tmux on the far side of an SSH connection, which understands
    only the plain form; GNU screen takes no notice of that one.
    """
    sequence = f"\x1b]52;c;{b64encode(value).decode()}\x07"
    if not _through_screen(environ):
        return sequence
    pieces = (sequence[at : at + SCREEN_LIMIT] for at in range(0, len(sequence), SCREEN_LIMIT))
    wrapped = "".join(f"\x1bP{piece}\x1b\\" for piece in pieces)
    return wrapped if environ.get("STY") else sequence + wrapped


def _through_screen(environ: Mapping[str, str]) -> bool:
    in_screen = environ.get("STY") or environ.get("TERM", "").startswith("screen")
    return bool(in_screen) and not environ.get("TMUX")


def _terminal_words(environ: Mapping[str, str]) -> tuple[str, str]:
    where = "Sent to the terminal's clipboard (OSC 52)."
    caveat = (
        "The terminal does not confirm it. Paste it somewhere safe to check; some "
        "terminals disable this."
    )
    if environ.get("TMUX"):
        caveat += " tmux passes it on only with 'set-clipboard on', and then keeps a buffer of it."
    elif _through_screen(environ):
        where = "Sent through GNU screen to the terminal's clipboard (OSC 52)."
    return where, caveat
