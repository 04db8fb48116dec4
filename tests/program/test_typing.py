"""What is typed, however fast and however broken it comes."""

from __future__ import annotations

from tests.node import Node
from tests.program.program import IMPATIENT, StartProgram

PASTE, PASTED = "\x1b[200~", "\x1b[201~"


def test_typed_ahead_in_one_packet(start: StartProgram, node: Node) -> None:
    program = start("--url", node.url)
    program.at_login()
    program.send(f"{node.username}\t{node.password}\r")
    program.at_keys()

    program.send(f"nTyped ahead\t{node.password}\t\t\t \r")
    program.shows("The API key was created", "Typed ahead")
    made = node.keys()[-1]
    assert (made.label, made.grants) == ("Typed ahead", ("metrics/view",))
    program.send("si\r")
    program.shows("API key Typed ahead was created.")

    program.send(
        f"n{PASTE}Pasted{PASTED}\t{PASTE}{node.password}{PASTED}\t\t{PASTE}10.0.0.1{PASTED}"
    )
    program.send("\t \r")
    program.shows("The API key was created", "from 10.0.0.1")
    assert (node.keys()[-1].label, node.keys()[-1].valid_ips) == ("Pasted", ("10.0.0.1",))
    program.send("si\rq")
    program.leaves()


def test_what_is_broken_harms_nothing(to_node: StartProgram, node: Node) -> None:
    program = to_node(driver=IMPATIENT)
    program.sign_in(node)
    first = next(line for line in program.text.splitlines() if line.startswith("▌"))
    for broken in (b"\xff\xfe", b"\x1b[M \xff\xc3", b"\xc3", b"\x1b[<35;9999;9999M"):
        program.send(broken + b"j")
        program.wait_for(lambda now: first not in now)
        program.send("g")
        program.wait_for(first)
    program.send("n")
    program.shows("Create New API Key", "Grants *")
    program.send(PASTE + "The end is lost")
    program.has_read()
    program.press("escape")
    program.shows("The end is lost")
    program.press("escape")
    program.shows("Discard the draft?")
    program.press("tab", "enter")
    program.at_keys()
    program.press("q")
    program.leaves()


def test_a_key_that_opens_a_screen_has_opened_it_before_the_next_one(
    to_node: StartProgram, node: Node
) -> None:
    program = to_node()
    program.sign_in(node)
    for opening in ("gr", "g\r"):  # from the list, and by way of the details of a key
        program.send(opening)
        if opening == "g\r":
            program.shows("Settings › API keys › Details", "Old bounce importer")
            program.send("r")
        program.send(node.password)
        program.wait_for("•" * len(node.password))
        program.shows("› Rotate ", " Old bounce importer ")
        program.press("escape")
        program.at_keys()
    program.send("nrquit d")
    program.wait_for(lambda now: "Create New API Key" in now and "rquit d" in now)
    assert len(node.keys()) == 8


def test_nothing_typed_before_a_secret_is_there_acts_on_it(
    to_node: StartProgram, node: Node
) -> None:
    program = to_node()
    program.sign_in(node)
    node.fail("POST", "/api/v1/api-keys", "hang")
    program.send(f"nUnseen\t{node.password}\t\t\t \r")
    node.wait_held(1)
    program.send("s\t\rpx")
    program.has_read()
    node.release()
    program.shows("The API key was created", "Unseen")
    assert program.wait_quiet() == program.text
    assert program.secret
    program.leave_secret()
    program.press("q")
    program.leaves()
