"""A fault of the program's own: one sentence, a report without values, the terminal given back."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.node import Node
from tests.program.program import StartProgram

VALUE = "5ec2e75ec2e75ec2e75ec2e75ec2e75ec2e75ec2"

DRIVER = f"""
import sys
from tui import cli
from tui.ui.screens.keys import KeysScreen
from tui.ui.terminal.driver import TerminalDriver

def broken(self, *_):
    secret = "{VALUE}"
    raise ValueError("it was " + secret)

if sys.argv.pop(1) == "screen":
    KeysScreen.compose = broken
else:
    TerminalDriver._read = broken
cli.run()
"""


@pytest.mark.parametrize("where", ["screen", "keyboard"])
def test_a_crash_tells_one_sentence(start: StartProgram, node: Node, where: str) -> None:
    program = start(where, "--url", node.url, "--username", node.username, driver=DRIVER)
    program.at_login()
    program.send(node.password + "\r")
    program.leaves(1)

    # A line may break at any blank, and within the path.
    match = re.fullmatch(
        r"momentum-keysstoppedbecauseofaninternalerror\.Whereithappenediswrittenin"
        r"(/\S+\.txt),withoutanysecret\.",
        "".join(program.text.split()),
    )
    assert match, program.text
    report = Path(match[1])
    assert report.stat().st_mode & 0o777 == 0o600
    written = report.read_text()
    assert "builtins.ValueError" in written
    assert re.search(r"<string>:\d+ broken", written)
    for secret in (VALUE, node.password):
        assert secret not in written
        assert secret.encode() not in program.raw
    assert b"Traceback" not in program.raw
