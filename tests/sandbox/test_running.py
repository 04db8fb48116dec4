"""The node as a command, and as a child beside the app: how it starts, and how it goes."""

from __future__ import annotations

import os
import select
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path

import httpx
import pytest

from tests.node import Node
from tui.api.trust import tls_context
from tui.sandbox import child_process
from tui.sandbox.options import (
    Announcement,
    SandboxFailed,
    SandboxMissing,
    SandboxOptions,
    require_packages,
)
from tui.sandbox.running import run_node
from tui.sandbox.standalone import banner, run

RUN = """
import sys
from tui.sandbox.standalone import SandboxOptions, run
sys.exit(run(SandboxOptions()))
"""


@contextmanager
def command() -> Iterator[subprocess.Popen[str]]:
    process = subprocess.Popen(  # noqa: S603  # this very interpreter
        [sys.executable, "-c", RUN],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    with process:  # whose end waits for that of the process
        try:
            yield process
        finally:
            process.kill()


def shown(process: subprocess.Popen[str]) -> str:
    """Return what the command prints once it is ready: all there is up to its last sentence."""
    assert process.stdout is not None
    text = ""
    while not text.endswith("It is not a mail server: it sends nothing.\n"):
        line = process.stdout.readline()
        assert line, process.communicate()
        text += line
    return text


def row(text: str, name: str) -> str:
    (line,) = (line for line in text.splitlines() if line.strip().startswith(name))
    return line.strip().removeprefix(name).strip()


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_the_command_tells_how_to_get_in_and_leaves_quietly(number: signal.Signals) -> None:
    with command() as process:
        text = shown(process)
        url = row(text, "Address")
        answer = httpx.post(
            f"{url}/api/v1/authenticate",
            data={
                "grant_type": "password",
                "username": row(text, "User"),
                "password": row(text, "Password"),
            },
            trust_env=False,
            timeout=60,
        )
        assert answer.status_code == 200
        assert f"curl -H @- {url}/api/v1/metrics/" in text
        process.send_signal(number)
        rest, problems = process.communicate(timeout=60)
        assert (process.returncode, rest, problems) == (0, "", "")


def banner_of(options: SandboxOptions) -> str:
    """Return what the command would show, from a node that is stopped as soon as it can be."""
    texts: list[str] = []

    def announce(announcement: Announcement) -> None:
        texts.append(banner(announcement, options))
        signal.raise_signal(signal.SIGTERM)

    run_node(options, announce)
    (text,) = texts
    return text


def test_the_command_shows_what_the_account_needs(tmp_path: Path) -> None:
    text = banner_of(SandboxOptions(data=tmp_path, account="two-factor", require_client=True))
    assert len(row(text, "Two-factor code")) == 6
    assert row(text, "Client id").startswith("console-")
    assert len(row(text, "Client secret")) == 32
    assert row(text, "Data") == str(tmp_path)

    options = SandboxOptions(data=tmp_path, account="single-sign-on", require_client=True)
    again = banner_of(options)
    assert len(row(again, "Access token")) == 40
    assert row(again, "Password") == f"the one shown when {tmp_path} was made"
    assert row(again, "Client secret") == f"the one shown when {tmp_path} was made"
    assert row(again, "Client id") == row(text, "Client id")


@pytest.mark.parametrize("is_kept", [True, False])
def test_the_node_speaks_https_and_names_whom_to_trust(tmp_path: Path, is_kept: bool) -> None:
    options = SandboxOptions(tls=True, data=tmp_path / "node" if is_kept else None)
    seen: list[tuple[str, Path]] = []

    def announce(announcement: Announcement) -> None:
        text = banner(announcement, options)
        path = Path(row(text, "CA file"))
        assert f"curl --cacert {path} -H" in text
        assert path.read_text().startswith("-----BEGIN CERTIFICATE-----")
        seen.append((announcement.url, path))
        signal.raise_signal(signal.SIGTERM)

    for _ in range(2):
        run_node(options, announce)
    assert all(url.startswith("https://127.0.0.1:") for url, _ in seen)
    assert [path.exists() for _, path in seen] == [is_kept] * 2


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost"])
def test_a_node_beside_the_app_speaks_https(host: str) -> None:
    with child_process.start(SandboxOptions(tls=True, faults=("slow=0.01",))) as sandbox:
        announcement = sandbox.announcement
        assert announcement.ca_file
        context = tls_context(Path(announcement.ca_file))
        url = f"{announcement.url.replace('127.0.0.1', host)}/api/v1/metrics"
        assert httpx.get(url, trust_env=False, verify=context, timeout=60).status_code == 401
        with pytest.raises(httpx.ConnectError):
            httpx.get(url, trust_env=False, timeout=60)
        plain = httpx.URL(announcement.url).copy_with(scheme="http")
        with pytest.raises(httpx.RemoteProtocolError):
            httpx.get(plain, trust_env=False, timeout=60)


def test_it_listens_on_this_machine_alone(node: Node) -> None:
    with socket.create_connection(("127.0.0.1", node.port), timeout=60):
        pass
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection(("127.0.0.2", node.port), timeout=60)


@pytest.mark.parametrize("is_second", [False, True])
@pytest.mark.parametrize("beginning", [b"G", b"GET / HTTP/1.1\r\nHost: x\r\nX-Drip:"])
def test_a_request_whose_head_does_not_end_is_hung_up_on(
    beginning: bytes, is_second: bool, monkeypatch: pytest.MonkeyPatch, node: Node
) -> None:
    impatient = partial(monkeypatch.setattr, "tui.sandbox.http_server.HEADER_SECONDS", 0.2)
    if not is_second:
        impatient()
    with socket.create_connection(("127.0.0.1", node.port), timeout=60) as connection:
        if is_second:
            connection.sendall(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")
            answer = b""
            while not answer.endswith(b"]}"):
                part = connection.recv(4096)
                assert part, "hung up on too early"
                answer += part
            assert answer.startswith(b"HTTP/1.1 404")
            impatient()
        connection.sendall(beginning)
        assert connection.recv(4096) == b""


def test_the_command_says_that_authentication_is_off() -> None:
    text = banner_of(SandboxOptions(auth=False))
    assert row(text, "Authentication").startswith("switched off")
    assert "Client" not in text


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        (SandboxOptions(edition="momentum-3"), "There is no edition 'momentum-3'"),
        (SandboxOptions(account="card"), "There is no account kind 'card'"),
        (SandboxOptions(edition="momentum-4.1", account="two-factor"), "Momentum 4.1 has no"),
        (SandboxOptions(faults=("hail",)), "There is no fault 'hail'"),
        (SandboxOptions(port=99999), "A port lies between 0 and 65535"),
        (SandboxOptions(data=Path("/dev/null")), "/dev/null can't be used"),
    ],
)
def test_what_can_not_be_is_said_in_one_sentence(
    options: SandboxOptions, sentence: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(options) == 2
    shown = capsys.readouterr()
    assert shown.out == ""
    assert shown.err.startswith(sentence)
    assert shown.err.count("\n") == 1


def test_a_taken_port_is_said_in_one_sentence(capsys: pytest.CaptureFixture[str]) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        assert run(SandboxOptions(port=port)) == 2
        problem = capsys.readouterr().err
        assert problem == f"Port {port} on 127.0.0.1 is taken; choose another.\n"
        with pytest.raises(SandboxFailed) as failure:
            child_process.start(SandboxOptions(port=port))
    assert f"{failure.value}\n" == problem


def test_a_node_beside_the_app_answers_and_goes_when_told() -> None:
    with child_process.start(SandboxOptions(account="two-factor", require_client=True)) as sandbox:
        announcement = sandbox.announcement
        url = f"{announcement.url}/api/v1/metrics"
        assert httpx.get(url, trust_env=False, timeout=60).status_code == 401
        for secret in (announcement.password, announcement.code, announcement.client_secret):
            assert secret
            assert secret not in repr(announcement)
        assert announcement.access_token is None
    with pytest.raises(httpx.ConnectError):
        httpx.get(url, trust_env=False, timeout=60)
    sandbox.stop()


def test_a_node_beside_the_app_goes_when_the_app_is_killed() -> None:
    parent = (
        "import sys, time; from tui.sandbox import child_process\n"
        "sandbox = child_process.start(child_process.SandboxOptions())\n"
        "print(sandbox._process.pid, sandbox.announcement.url, flush=True); time.sleep(60)"
    )
    with subprocess.Popen(  # noqa: S603  # this very interpreter
        [sys.executable, "-c", parent], stdout=subprocess.PIPE, text=True
    ) as app:
        assert app.stdout is not None
        pid, url = app.stdout.readline().split()
        child = os.pidfd_open(int(pid))
        try:
            assert (
                httpx.get(f"{url}/api/v1/metrics", trust_env=False, timeout=60).status_code == 401
            )
            app.kill()
            gone, _, _ = select.select([child], [], [], 60)
            assert gone, "the child outlived the app"
        finally:
            os.close(child)


def test_the_app_does_not_load_the_server() -> None:
    check = (
        "import sys; import tui.sandbox.child_process, tui.sandbox.standalone\n"
        "print(sorted({'starlette', 'uvicorn', 'pydantic', 'textual'} & set(sys.modules)))"
    )
    loaded = subprocess.run(  # noqa: S603  # this very interpreter
        [sys.executable, "-c", check], capture_output=True, text=True, check=True
    )
    assert loaded.stdout == "[]\n"


def test_missing_packages_are_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tui.sandbox.options.find_spec", lambda name: None)
    with pytest.raises(SandboxMissing, match=r"pip install -e '\.\[sandbox\]'"):
        child_process.start(SandboxOptions())


def test_https_alone_needs_what_makes_certificates(monkeypatch: pytest.MonkeyPatch) -> None:
    def find_spec(name: str) -> str | None:
        return None if name == "trustme" else name

    monkeypatch.setattr("tui.sandbox.options.find_spec", find_spec)
    require_packages()
    with pytest.raises(SandboxMissing):
        require_packages(tls=True)
