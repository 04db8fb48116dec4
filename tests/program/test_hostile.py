"""Text from the server is data, wherever it is shown: the terminal never gets it as it is."""

from __future__ import annotations

from base64 import b64encode

from tests.node import Node
from tests.program.program import StartProgram

PAYLOAD = b64encode(b"stolen").decode()
HOSTILE = {
    "escapes": f"\x1b]52;c;{PAYLOAD}\x07\x1b]0;title\x07\x1b[2J\x1b[H\x1b[31m\x9b31m\u202eexe.",
    "markup": "[ @click=app.leave][@click=screen.dismiss(True)]prod[/][/foo]",
    "long": "L" * 10_000,
}
FORBIDDEN = (b"\x1b]52", b"\x1b]0;", b"\x1b[2J\x1b[H\x1b[31m", "\x9b".encode(), "\u202e".encode())


def test_a_journey_among_hostile_keys(to_node: StartProgram, node: Node) -> None:
    for name, text in HOSTILE.items():
        node.add_key(f"{name} {text}", owner=f"owner {text}")
    keys = node.keys()
    program = to_node()
    program.sign_in(node)
    program.shows(*HOSTILE)
    for name in HOSTILE:
        program.go_to(name)
        program.press("enter")
        program.shows("Owner", f"{name} ", "Esc Back")
        program.press("e")
        program.shows("Edit API Key", f"{name} ")
        program.press("escape")
        program.at_keys()
        program.press("d")
        program.shows("Are you sure?", f"Delete API Key: {name} ")
        program.press("escape")
        program.at_keys()
        program.press("r")
        program.shows("› Rotate ", f" {name} ")
        program.press("escape")
        program.at_keys()
    assert node.keys() == keys, "nothing was deleted, nothing made"
    program.press("q")
    program.leaves()
    for sequence in FORBIDDEN:
        assert sequence not in program.raw
