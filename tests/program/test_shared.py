"""A terminal that another program has told not to keep its readers and writers waiting."""

from __future__ import annotations

import os
import threading

from tests.node import Node
from tests.program.program import StartProgram
from tui.ui.terminal.output import write_and_wait

DRIVER = """
import os, sys
from tui import cli

read = os.read

def taken(descriptor, size):  # as where somebody else was quicker
    os.read = read
    os.set_blocking(descriptor, False)
    raise BlockingIOError

os.read = taken
sys.exit(cli.main(sys.argv[1:]))
"""


def test_what_does_not_fit_now_is_written_all_the_same() -> None:
    reading, writing = os.pipe()
    os.set_blocking(writing, False)
    text = "│ key\n" * 100_000
    got = bytearray()

    def read() -> None:
        with open(reading, "rb") as pipe:  # noqa: PTH123  # a descriptor
            got.extend(pipe.read())

    reader = threading.Thread(target=read)
    with open(writing, "w", encoding="utf-8") as file:  # noqa: PTH123  # a descriptor
        while True:  # until nothing fits any more
            try:
                os.write(writing, b" " * 4096)
            except BlockingIOError:
                break
        reader.start()
        write_and_wait(file, text)
    reader.join(60)
    assert got.decode().lstrip(" ") == text


def test_a_key_that_somebody_else_read_is_no_lost_terminal(
    to_node: StartProgram, node: Node
) -> None:
    program = to_node(driver=DRIVER)
    program.at_login()
    program.send("x")
    program.shows("•")
    program.press("backspace")
    program.sign_in(node)
    program.press("q")
    program.leaves()
