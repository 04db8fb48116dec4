"""Sending a secret to a clipboard: which one, how, and what is said about it."""

from __future__ import annotations

import asyncio
import json
import os
import shutil
import stat
import subprocess
import sys
from base64 import b64decode, b64encode
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from pydantic import SecretStr

from tests.clock import in_vain
from tests.terminal import Terminal
from tui.delivery import DeliveryFailed, Sent, clipboard, send_to_clipboard

SECRET = SecretStr("9ac1f00dcafe9ac1f00dcafe9ac1f00dcafe0042")
VALUE = SECRET.get_secret_value()
OSC_52 = f"\x1b]52;c;{b64encode(VALUE.encode()).decode()}\x07"
COREUTILS = str(Path(shutil.which("cat") or "").parent)

type_in = "cat > {folder}/{name}.stdin"
hang = "exec sleep 600"
hang_in_a_child = "sleep 600 & wait"
fail = "exit 3"


class Desk:
    """A directory of made-up programs, and what they were given."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.written = ""
        self.environ = {"PATH": f"{folder}:{COREUTILS}", "TERM": "xterm-256color"}

    def program(self, name: str, does: str) -> None:
        note = '{{ printf "%s\\n" "$*"; env; }} > {folder}/{name}.call; '
        script = f"#!/bin/sh\n{(note + does).format(folder=self.folder, name=name)}\n"
        (self.folder / name).write_text(script)
        (self.folder / name).chmod(0o700)

    def got(self, name: str) -> str:
        call = (self.folder / f"{name}.call").read_text()
        assert VALUE not in call, "the secret was in the arguments or the environment"
        return (self.folder / f"{name}.stdin").read_text()

    def arguments(self, name: str) -> str:
        return (self.folder / f"{name}.call").read_text().splitlines()[0]

    async def send(self, **environ: str) -> Sent:
        def write(text: str) -> None:
            self.written += text

        return await send_to_clipboard(SECRET, {**self.environ, **environ}, write)


@pytest.fixture
def desk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Desk:
    monkeypatch.setattr(sys, "platform", "linux")
    return Desk(tmp_path)


@pytest.mark.parametrize(
    ("display", "name", "arguments"),
    [("WAYLAND_DISPLAY", "wl-copy", ""), ("DISPLAY", "xclip", "-selection clipboard")],
)
async def test_a_desktop_gets_it_on_standard_input(
    desk: Desk, display: str, name: str, arguments: str
) -> None:
    desk.program(name, type_in)
    sent = await desk.send(**{display: ":0", "OTHER": "unchanged"})
    assert desk.got(name) == VALUE
    assert desk.arguments(name) == arguments
    assert "OTHER=unchanged" in (desk.folder / f"{name}.call").read_text()
    assert sent.where == f"Sent to the desktop's clipboard by {name}."
    assert "history" in sent.caveat
    assert desk.written == ""


async def test_a_mac_uses_pbcopy(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "platform", "darwin")
    desk.program("pbcopy", type_in)
    sent = await desk.send()
    assert desk.got("pbcopy") == VALUE
    assert "pbcopy" in sent.where


async def test_a_program_that_is_not_installed_is_not_mentioned(desk: Desk) -> None:
    sent = await desk.send(WAYLAND_DISPLAY="wayland-0", DISPLAY=":0")
    assert desk.written == OSC_52
    assert sent == Sent(
        "Sent to the terminal's clipboard (OSC 52).",
        "The terminal does not confirm it. Paste it somewhere safe to check; some "
        "terminals disable this.",
        is_confirmed=False,
    )


@pytest.mark.parametrize("ssh", ["SSH_CONNECTION", "SSH_TTY"])
async def test_over_ssh_the_terminal_is_preferred_to_a_display(desk: Desk, ssh: str) -> None:
    desk.program("xclip", type_in)
    await desk.send(DISPLAY="localhost:10.0", **{ssh: "yes"})
    assert desk.written == OSC_52
    assert not (desk.folder / "xclip.call").exists()


async def test_one_that_fails_is_followed_by_the_next(desk: Desk) -> None:
    desk.program("wl-copy", fail)
    desk.program("xclip", type_in)
    sent = await desk.send(WAYLAND_DISPLAY="wayland-0", DISPLAY=":0")
    assert desk.got("xclip") == VALUE
    assert "xclip" in sent.where
    assert sent.caveat.startswith("wl-copy failed (exit status 3). ")


async def test_one_that_cannot_be_started_is_followed_by_the_next(desk: Desk) -> None:
    (desk.folder / "wl-copy").write_text("#!/no/such/interpreter\n")
    (desk.folder / "wl-copy").chmod(0o700)
    sent = await desk.send(WAYLAND_DISPLAY="wayland-0")
    assert desk.written == OSC_52
    assert sent.caveat.startswith("wl-copy could not be started. ")


def gone(process: int) -> bool:
    state = Path(f"/proc/{process}/stat")
    return not state.exists() or state.read_text().rpartition(")")[2].split()[0] == "Z"


@pytest.mark.parametrize("does", [hang, hang_in_a_child])
async def test_one_that_hangs_is_killed(
    desk: Desk, does: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(clipboard, "TOOL_SECONDS", 8.0)
    desk.program("xclip", f"echo $$ > {{folder}}/number; {does}")
    number = desk.folder / "number"
    sending = desk.send(DISPLAY=":0")
    sent = await in_vain(sending, hangs=lambda: number.exists() and number.read_text())
    assert gone(int(number.read_text()))
    assert desk.written == OSC_52
    assert sent.caveat.startswith("xclip did not finish within 8 s. ")


async def test_giving_up_kills_it_too(desk: Desk) -> None:
    os.mkfifo(desk.folder / "started")
    desk.program("xclip", f"echo $$ > {{folder}}/started; {hang}")
    sending = asyncio.create_task(desk.send(DISPLAY=":0"))
    number = await asyncio.to_thread((desk.folder / "started").read_text)
    sending.cancel()
    with pytest.raises(asyncio.CancelledError):
        await sending
    assert gone(int(number))


async def test_a_keeper_that_stays_behind_is_not_waited_for(desk: Desk) -> None:
    desk.program("xclip", f"{type_in}; sleep 600 & echo $! > {{folder}}/keeper")
    sent = await desk.send(DISPLAY=":0")
    keeper = int((desk.folder / "keeper").read_text())
    try:
        assert "xclip" in sent.where
        assert not gone(keeper)
        assert os.getsid(keeper) != os.getsid(0), "it would die with the terminal"
    finally:
        os.kill(keeper, 9)


async def test_gnu_screen_gets_it_wrapped(desk: Desk) -> None:
    sent = await desk.send(STY="1.pts-0", TERM="screen")
    assert desk.written == f"\x1bP{OSC_52}\x1b\\"
    assert sent.where == "Sent through GNU screen to the terminal's clipboard (OSC 52)."


async def test_what_may_be_screen_or_tmux_far_away_gets_both_forms(desk: Desk) -> None:
    await desk.send(TERM="screen-256color", SSH_TTY="/dev/pts/9")
    assert desk.written == f"{OSC_52}\x1bP{OSC_52}\x1b\\"


async def test_gnu_screen_gets_a_long_one_in_pieces() -> None:
    written: list[str] = []
    long = SecretStr("0123456789abcdef" * 100)
    await send_to_clipboard(long, {"STY": "1", "PATH": ""}, written.append)
    pieces = "".join(written).removesuffix("\x1b\\").split("\x1b\\")
    assert all(piece.startswith("\x1bP") and len(piece) < 256 for piece in pieces)
    whole = "".join(piece.removeprefix("\x1bP") for piece in pieces)
    payload = whole.removeprefix("\x1b]52;c;").removesuffix("\x07")
    assert b64decode(payload).decode() == long.get_secret_value()


async def test_tmux_that_fails_is_followed_by_the_terminal(desk: Desk) -> None:
    desk.program("tmux", fail)
    sent = await desk.send(TMUX="/nowhere,1,0", TERM="screen-256color")
    assert desk.written == OSC_52
    assert sent.where == "Sent to the terminal's clipboard (OSC 52)."
    assert sent.caveat.startswith("tmux failed (exit status 3). ")
    assert "set-clipboard on" in sent.caveat


async def test_a_missing_tmux_is_said(desk: Desk) -> None:
    desk.environ["PATH"] = str(desk.folder)
    sent = await desk.send(TMUX="/nowhere,1,0")
    assert sent.caveat.startswith("tmux is not installed here. ")


async def test_a_buffer_that_could_not_be_erased_is_said(desk: Desk) -> None:
    desk.program("tmux", f"case $1 in load-buffer) {type_in};; *) exit 1;; esac")
    sent = await desk.send(TMUX="/nowhere,1,0")
    assert desk.got("tmux") == VALUE
    assert "tmux may still hold a copy: run 'tmux delete-buffer -b momentum-keys-" in sent.caveat


@pytest.mark.parametrize("does", [type_in, fail, hang])
async def test_nothing_is_called_copied(
    desk: Desk, does: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(clipboard, "TOOL_SECONDS", 0.2)
    for name in ("tmux", "wl-copy", "xclip"):
        desk.program(name, does)
    for environ in ({"TMUX": "x"}, {"DISPLAY": ":0"}, {"STY": "1"}, {}):
        sent = await desk.send(**environ)
        assert "copied" not in f"{sent.where} {sent.caveat}".lower()
        assert VALUE not in f"{sent}"


real_tmux = shutil.which("tmux")
Tmux = Callable[..., str]


@pytest.fixture
def socket(short_folder: Path) -> str:
    """A path for a socket, which holds 100 bytes or so."""
    return str(short_folder / "socket")


@pytest.fixture
def tmux(socket: str) -> Iterator[Tmux]:
    """A tmux server of its own: nothing of the developer's sessions or settings."""

    def run(*arguments: str) -> str:
        command = [real_tmux or "tmux", "-S", socket, "-f", os.devnull, *arguments]
        environ = {"PATH": os.environ["PATH"], "TERM": "xterm-256color", "LANG": "C.UTF-8"}
        done = subprocess.run(command, env=environ, capture_output=True, text=True, check=True)  # noqa: S603  # tmux itself
        return done.stdout

    run("new-session", "-d", "cat")
    yield run
    run("kill-server")


@pytest.mark.skipif(real_tmux is None, reason="tmux is not installed")
@pytest.mark.parametrize("setting", [None, "on", "external", "off"])
async def test_tmux_passes_it_on_whatever_its_settings_and_keeps_nothing(
    tmp_path: Path, socket: str, tmux: Tmux, desk: Desk, setting: str | None
) -> None:
    if setting:
        tmux("set-option", "-s", "set-clipboard", setting)
    watch = f'printf "%s\\n" "$*" >> {json.dumps(str(tmp_path / "calls"))}; exec {real_tmux} "$@"'
    (tmp_path / "tmux").write_text(f"#!/bin/sh\n{watch}\n")
    (tmp_path / "tmux").chmod(stat.S_IRWXU)
    with Terminal([real_tmux or "tmux", "-S", socket, "attach"]) as outside:
        outside.wait_bytes(b"\x1b[?1049h")
        outside.wait_for("[0]")
        process, session = tmux("display-message", "-p", "#{pid} #{session_id}").split()
        sent = await desk.send(TMUX=f"{socket},{process},{session.removeprefix('$')}")
        outside.wait_bytes(b64encode(VALUE.encode()))
    assert tmux("list-buffers") == ""
    calls = (tmp_path / "calls").read_text()
    assert VALUE not in calls
    assert [line.split()[0] for line in calls.splitlines()] == [
        "display-message",
        "show-messages",
        "load-buffer",
        "delete-buffer",
    ]
    assert desk.written == ""
    assert sent == Sent(
        "Sent to tmux; whether your terminal's clipboard has it is not known.",
        "Paste it somewhere safe to check.",
        is_confirmed=False,
    )


@pytest.mark.skipif(real_tmux is None, reason="tmux is not installed")
async def test_a_terminal_without_a_clipboard_in_tmux_is_sent_nothing(
    socket: str, tmux: Tmux, desk: Desk
) -> None:
    desk.environ["PATH"] = os.environ["PATH"]
    with Terminal(
        [real_tmux or "tmux", "-S", socket, "attach"],
        env={"PATH": os.environ["PATH"], "TERM": "vt100", "LANG": "C.UTF-8"},
    ) as outside:
        outside.wait_for("[0]")
        process, session = tmux("display-message", "-p", "#{pid} #{session_id}").split()
        with pytest.raises(DeliveryFailed, match="Nothing was sent: tmux knows no clipboard"):
            await desk.send(TMUX=f"{socket},{process},{session.removeprefix('$')}")
    assert tmux("list-buffers") == ""
    assert desk.written == ""
