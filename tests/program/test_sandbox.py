"""What the README promises to somebody who tries the program out."""

from __future__ import annotations

import os
import re
import subprocess

import httpx
import pytest

from tests.program.program import Program, StartProgram, answer


def children(program: Program) -> list[int]:
    listed = subprocess.run(["ps", "-A", "-o", "pid=,ppid="], capture_output=True, check=True)  # noqa: S607  # POSIX has it
    pairs = [line.split() for line in listed.stdout.decode().splitlines()]
    return [int(pid) for pid, parent in pairs if int(parent) == program.process.pid]


def test_the_sandbox_speaks_https_to_the_program(start: StartProgram) -> None:
    program = start("--sandbox", "--tls", "--fault", "slow=0.01")
    program.at_login()
    assert re.search(r"https://127\.0\.0\.1:\d+", program.text)
    program.press("enter")
    program.at_keys()
    program.press("q")
    program.leaves()
    assert not list(program.state.rglob("*.pem")), "the authority's certificate is gone as well"


def test_from_the_first_enter_to_leaving(start: StartProgram) -> None:
    program = start("--sandbox")
    program.at_login()
    password = re.findall(r"password (\w+(?:-\w+)+)", program.text)[0]
    url = re.findall(r"http://127\.0\.0\.1:\d+", program.text)[0]
    program.press("enter")
    program.at_keys()

    program.press("n")
    program.shows("Create New API Key", "Grants *")
    program.send("Journey\t" + password)
    program.press("tab", "tab", "tab", "down", "space", "down", "space")
    program.shows("2 of 11")
    program.press("enter")
    program.shows("The API key was created", "View Webhooks", "can never be retrieved again")
    secret = program.secret
    assert answer(url, secret) == 403
    program.press("s")
    program.shows("Have you stored the secret?")
    program.press("y")
    program.at_keys()
    program.shows("API key Journey was created.")
    assert "▌ Journey" in program.text

    program.press("e")
    program.shows("Edit API Key", "2 of 11")
    program.press("tab", "tab", "home", "space")
    program.shows("3 of 11")
    program.press("enter")
    program.shows("API key Journey was updated.")
    assert answer(url, secret) == 200

    program.press("d")
    program.shows("Delete API Key: Journey", "Are you sure?")
    program.press("tab", "enter")
    program.shows("API key Journey was deleted.")
    assert answer(url, secret) == 401
    assert "▌ Journey" not in program.text

    sandbox = children(program)
    assert sandbox
    program.press("q")
    program.leaves()
    for process in sandbox:
        with pytest.raises(ProcessLookupError):
            os.kill(process, 0)
    with pytest.raises(httpx.ConnectError):
        answer(url, secret)
    assert "momentum-keys" not in program.text
    assert not list(program.state.rglob("*")), "the sandbox's journal is kept nowhere"
