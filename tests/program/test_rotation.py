"""Rotating a key at the keyboard, counted; and killed in the middle."""

from __future__ import annotations

import signal

import pytest

from tests.node import Node
from tests.program.program import Program, StartProgram, answer

KEYS = "/api/v1/api-keys"


def begin(program: Program, node: Node, label: str) -> None:
    """From the list to the secret of the successor."""
    program.press("r")
    program.shows("› Rotate ", f" {label} ", "Account Password")
    program.send(node.password)
    program.press("enter")
    program.shows("never be retrieved again", "s Stored")
    program.wait_for(lambda now: "asking" not in now.lower())


def ids(node: Node) -> list[str]:
    keys = node.keys()
    return [key.id for key in keys if key.label.startswith("Rotated")]


def test_one_key_from_the_list_to_the_end(to_node: StartProgram, node: Node) -> None:
    key_id, old = node.add_key("Rotated", ("metrics/view", "webhooks/view"))
    program = to_node()
    program.sign_in(node)
    program.go_to("Rotated")
    node.requests.clear()
    pressed: list[str] = []

    def press(key: str) -> None:
        pressed.append(key)
        program.press(key)

    press("r")
    program.shows("› Rotate ", "Rotated", "Account Password")
    program.send(node.password)
    press("enter")
    program.shows("never be retrieved again", "View Webhooks", "Stored")
    new = program.secret
    press("c")
    program.shows("Sent to the terminal's clipboard")
    press("s")
    program.shows("Both keys work")
    press("d")
    program.shows("Rotated: only the successor works now.")
    press("enter")
    program.shows("Rotated: rotated. Only the successor works now.")
    assert "▌ Rotated" in program.text
    assert pressed == ["r", "enter", "c", "s", "d", "enter"]
    new_id = node.keys()[-1].id
    names = {f"{KEYS}/{key_id}": "OLD", f"{KEYS}/{new_id}": "NEW"}
    asked = [(method, names.get(path, path)) for method, path in node.requests]
    asked.remove(("POST", "/api/v1/authenticate/logout"))  # the password check's; nothing waits
    assert asked == [
        ("POST", "/api/v1/authenticate"),  # the password's check
        ("GET", "OLD"),  # what it is now
        ("POST", KEYS),
        ("GET", KEYS),  # with the new key: it is alive
        ("GET", "/api/v1/metrics/"),  # and each grant of it
        ("GET", "/api/v1/webhooks"),
        ("GET", "OLD"),  # it is what was shown
        ("GET", "NEW"),  # and so is what stays
        ("DELETE", "OLD"),
        ("GET", KEYS),  # something is left
        ("PUT", "NEW"),  # its plain label
        ("GET", KEYS),  # the list afterwards
    ]
    assert (answer(node.url, old), answer(node.url, new)) == (401, 200)
    program.press("q")
    program.leaves()


def test_killed_before_the_secret_was_stored(to_node: StartProgram, node: Node) -> None:
    node.add_key("Rotated")
    program = to_node()
    program.sign_in(node)
    program.go_to("Rotated")
    begin(program, node, "Rotated")
    program.signal(signal.SIGKILL)
    assert program.wait_exit() == -signal.SIGKILL
    older, lost = ids(node)

    program = to_node()
    program.sign_in(node)
    program.shows("Rotated → r-- interrupted: r goes on", "Rotated ✗ r-- never stored")
    program.go_to("Rotated")
    program.press("r")
    program.shows("› Rotate ", "Rotated", "r Replace", "u Undo")
    program.press("r")
    program.shows("Replace the successor?")
    program.press("tab", "enter")
    program.shows("Account Password")
    assert ids(node) == [older]
    program.send(node.password)
    program.press("enter")
    program.shows("never be retrieved again", "s Stored")
    new = program.secret
    program.press("s")
    program.shows("Have you stored the secret?")
    program.press("y")
    program.shows("Both keys work")
    program.press("d")
    program.shows("Rotated: only the successor works now.")
    program.press("escape")
    program.at_keys()
    (left,) = ids(node)
    assert left not in {older, lost}
    assert answer(node.url, new) == 200
    program.wait_gone("✗")

    program.wait_quiet(2)
    mark = program.mark
    with pytest.raises(AssertionError, match="never showed"):
        program.wait_for(lambda _: program.mark > mark, seconds=1.5)
    assert program.bytes_since(mark) == b"", "an idle list sends nothing"
    program.press("q")
    program.leaves()
