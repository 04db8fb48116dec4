"""What a terminal sends besides keys, over the list and over a new secret: nothing comes of it."""

from __future__ import annotations

import re
import signal

import pytest

from tests.node import Node
from tests.program.program import IMPATIENT, SECRET, Program, StartProgram

PASTE, PASTED = "\x1b[200~", "\x1b[201~"
KEYS = "/api/v1/api-keys"

LATE_ANSWERS = (
    "\x1b[0n",
    "\x1b]11;rgb:0000/0000/0000\x1b\\",
    "\x1bP>|XTerm(370)\x1b\\",
    "\x1b[?62;22c",
    "\x1b[?2048;2$y",
)
KITTY_RESTS = ("\x1b[13;1:3u", "\x1b[115;1:3u", "\x1b[1114112u", "\x1b[9999999;2u", "\x1b[57441u")
TOO_MUCH = ("\x1b[48;99999;99999;0;0t", "\x1b]52;c;" + "cm0g" * 5000 + "\x07")


def create(program: Program, node: Node) -> str:
    """Create a key; return its secret, which is shown."""
    program.send(f"nMade here\t{node.password}\t\t\t \r")
    program.shows("The API key was created")
    return program.secret


def test_what_is_no_key_does_nothing(to_node: StartProgram, node: Node) -> None:
    sent = (*LATE_ANSWERS, *KITTY_RESTS, *TOO_MUCH)
    program = to_node()
    program.sign_in(node)
    before = program.wait_quiet(0.6)
    for sequence in sent:
        program.send(sequence[:6])
        program.has_read()
        program.send(sequence[6:])
    program.resize(80, 24)
    program.wait_for(before)
    program.send("n")
    program.shows("Create New API Key")
    program.send("".join(sent) + "Label")
    program.wait_for(re.compile(r"Label \*\s+▌Label\n").search)
    program.press("escape", "tab", "enter")
    program.at_keys()
    secret = create(program, node)
    for sequence in sent:
        program.send(sequence)
    program.has_read()
    assert SECRET.findall(program.text) == [secret]
    assert program.process.poll() is None
    program.leave_secret()
    assert node.seen("DELETE", KEYS) == 0


def test_a_paste_that_stalls_is_never_keys(to_node: StartProgram, node: Node) -> None:
    program = to_node(driver=IMPATIENT)
    program.sign_in(node)
    before = program.wait_quiet(0.6)
    program.send(f"{PASTE}some text")
    program.has_read()
    program.send("dd\rnq")
    program.has_read()
    program.send(PASTED)
    program.resize(80, 24)
    program.wait_for(before)
    program.send(f"n{PASTE}Pas")
    program.has_read()
    program.send(f"ted{PASTED}")
    program.shows("Pasted")


def test_keys_are_typed_as_kitty_reports_them(to_node: StartProgram, node: Node) -> None:
    program = to_node()
    program.sign_in(node)
    program.send("n")
    program.shows("Create New API Key")
    program.send(
        "\x1b[97:65;2u\x1b[97;1:3u\x1b[32u\x1b[98u\x1b[32;2u\x1b[57400;129u\x1b[57399u\x1b[57400u"
    )
    program.wait_for(re.compile(r"Label \*\s+▌A b 101\n").search)


def test_a_key_in_two_parts_is_one_key(to_node: StartProgram, node: Node) -> None:
    program = to_node()
    program.sign_in(node)
    program.press("g")
    lines = program.wait_for("▌ Old bounce importer").splitlines()
    second = lines[next(n for n, line in enumerate(lines) if "▌" in line) + 1].split("  ")[1]
    for first, rest, label in (
        ("\x1b[", "B", second),
        ("\x1b[1", ";1A", "Old bounce importer"),
        ("\x1bO", "B", second),
    ):
        program.send(first)
        program.has_read()
        program.send(rest)
        program.wait_for(f"▌ {label}")


def test_a_million_characters_in_a_field_keep_it_usable(to_node: StartProgram, node: Node) -> None:
    program = to_node()
    program.sign_in(node)
    program.send("n\t")
    program.shows("Create New API Key")
    program.send(PASTE + "x" * 1_000_000 + PASTED)
    program.shows("A field takes 4,096 characters at most.")
    program.send("\x15short")
    program.wait_for(re.compile(r"Password \*\s+▌•{5}\n").search)


def test_a_signal_is_heard_ahead_of_a_flood_of_keys(to_node: StartProgram, node: Node) -> None:
    program = to_node()
    program.sign_in(node)
    program.send("jk" * 2500)
    program.signal(signal.SIGTERM)
    program.leaves(143)
    program = to_node()
    program.sign_in(node)
    program.send("jk" * 2500 + "\x03")
    program.leaves()


@pytest.mark.parametrize(
    ("options", "env", "has_mouse"),
    [((), {}, True), ((), {"STY": "1234.pts-0.host"}, False), (("--no-mouse",), {}, False)],
    ids=["usual", "screen", "option"],
)
def test_the_mouse_is_left_alone_under_gnu_screen_and_on_request(
    start: StartProgram, options: tuple[str, ...], env: dict[str, str], has_mouse: bool
) -> None:
    program = start("--url", "https://momentum.example", *options, env=env)
    program.at_login()
    assert (b"\x1b[?1000h" in program.raw) is has_mouse
    program.press("ctrl+q")
    program.leaves()


def test_no_variable_of_textual_counts(to_node: StartProgram, node: Node) -> None:
    names = ("DEBUG", "LOG", "ALLOW_SIGNALS", "DISABLE_KITTY_KEY", "SHOW_RETURN", "PRESS")
    env = {f"TEXTUAL_{name}": "1" for name in names}
    odd = {"TEXTUAL_COLOR_SYSTEM": "bad", "TEXTUAL_FPS": "x", "TEXTUAL_DRIVER": "no:where"}
    filters = {"TEXTUAL_FILTERS": "bad", "TEXTUAL_SCREENSHOT": "0", "TEXTUAL": "devtools"}
    program = to_node(env={**env, **odd, **filters})
    program.sign_in(node)
    secret = create(program, node)
    program.press("ctrl+c")
    program.shows("stored")
    program.press("escape")
    program.wait_for(secret)
    assert {path.name for path in program.state.iterdir()} <= {"momentum-keys"}
