"""A secret on the screen, in the plain view and in the clipboard, and nowhere afterwards."""

from __future__ import annotations

from base64 import b64encode

from tests.node import Node
from tests.program.program import SECRET, StartProgram

LEFT, ENTERED = b"\x1b[?1049l", b"\x1b[?1049h"
STORED = "Have you stored the secret?"


def test_a_secret_from_its_screen_to_its_end(to_node: StartProgram, node: Node) -> None:
    program = to_node()
    program.sign_in(node)
    program.send(f"nMailer\t{node.password}\t\t\t \r")
    program.shows("The API key was created")
    secret = program.secret

    mark = program.mark
    program.press("p")
    shown = program.shows("The secret of Mailer", "Press Enter to erase this")
    assert secret in shown
    assert LEFT in program.bytes_since(mark), "it stands on the ordinary screen"
    program.press("enter")
    program.shows("The API key was created", "Shown plain, and erased again.")
    ordinary, back, _ = program.bytes_since(mark).partition(ENTERED)
    assert back
    assert ordinary.rstrip().endswith(b"\x1b[J"), "and was erased before the app came back"

    for key in ("ctrl+c", "ctrl+q", "escape", "q"):
        program.press(key)
        program.shows(STORED, "the secret of Mailer")
        program.press("enter")  # Go back has the focus
        program.wait_gone(STORED)
        assert program.process.poll() is None
        assert program.secret == secret

    mark = program.mark
    program.press("c")
    message = program.shows(
        "Sent to the terminal's clipboard (OSC 52).", "The terminal does not confirm it."
    )
    assert "copied" not in message.lower()
    sequence = b"\x1b]52;c;" + b64encode(secret.encode()) + b"\x07"
    assert program.bytes_since(mark).count(b"\x1b]52") == 1
    assert sequence in program.bytes_since(mark)

    program.press("s")
    program.wait_gone(secret)
    mark = program.mark
    program.at_keys()
    program.shows("API key Mailer was created.")
    program.press("J")
    program.shows("Settings › Journal", "Mailer")
    program.press("escape")
    program.at_keys()
    program.resize(100, 30)
    program.at_keys()
    program.resize(80, 24)
    program.at_keys()
    program.press("q")
    program.leaves()
    assert secret.encode() not in program.bytes_since(mark)
    assert not SECRET.search(program.text), "nor does the ordinary screen hold it"
    for path in program.state.rglob("*"):
        assert path.is_dir() or secret not in path.read_text()
