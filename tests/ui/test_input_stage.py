"""What bytes mean: keys, pasted text, the mouse, or nothing; whole, in pieces, and broken."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from string import ascii_lowercase

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from textual import events
from textual.geometry import Size
from textual.message import Message
from textual.messages import TerminalSupportsSynchronizedOutput

from tests.noise import Noise
from tests.proofs.fuzz_stage import goes_on, heard_are_the_keys
from tui.ui.terminal.input_stage import LONGEST_PASTE, InputStage

ESC = b"\x1b"
PASTE, PASTED = b"\x1b[200~", b"\x1b[201~"
FAST, KITTY = b"\x1b[?62;22c", b"\x1b[?1u"
STREAMS = 400
"""How many streams are made up; `python -m tests.proofs.fuzz_stage` takes a million sequences."""
LONG = 60.0
"""Seconds after which nothing is waited for any more."""

Part = bytes | float
"""What comes, or how many seconds nothing comes."""


def meaning(*parts: Part) -> list[Message]:
    """Return what the parts mean, and nothing comes after them."""
    stage, now = InputStage(Size(80, 24), 0.0), 0.0
    messages: list[Message] = []

    def wait(seconds: float) -> None:
        nonlocal now
        until = now + seconds
        while stage.expires is not None and stage.expires <= until:
            now = stage.expires
            messages.extend(stage.expire(now))
        now = until

    for part in parts:
        if isinstance(part, bytes):
            messages.extend(stage.feed(part, now))
        else:
            wait(part)
    wait(LONG)
    return messages


def words(messages: Iterable[Message]) -> list[str]:
    """Return keys by their names, and pasted text in quotes."""
    return [
        message.key
        if isinstance(message, events.Key)
        else repr(message.text)
        if isinstance(message, events.Paste)
        else type(message).__name__
        for message in messages
    ]


def typed(messages: Iterable[Message]) -> str:
    """Return what the keys type."""
    keys = [message for message in messages if isinstance(message, events.Key)]
    return "".join(key.character or "" for key in keys if key.is_printable)


@pytest.mark.parametrize(
    ("data", "names"),
    [
        (b"aZ9?", "a Z 9 question_mark"),
        (b"\r\t \x7f\x08\x03\x11\x00", "enter tab space backspace backspace ctrl+c ctrl+q ctrl+@"),
        (b"\x1b[A\x1bOB\x1b[1;2C\x1b[1;5D\x1b[1;3H", "up down shift+right ctrl+left alt+home"),
        (b"\x1b[Z\x1b[3~\x1b[5;5~\x1b[3;2~", "shift+tab delete ctrl+pageup shift+delete"),
        (b"\x1bOP\x1b[15~\x1b[24~\x1b[[A\x1b[1;2P", "f1 f5 f12 f1 shift+f1"),
        (b"\x1b[7~\x1b[8^\x1b[7$\x1b[a\x1bOa", "home ctrl+end shift+home shift+up ctrl+up"),
        (b"\x1bO;2P\x1bO1;2P\x1bO2P\x1bO?3Q", "shift+f1 shift+f1 shift+f1"),
        (b"\x1bOM\x1bOp\x1bOy\x1bOk", "enter 0 9 plus"),
        (b"\x1b[27;5;13~\x1b[27;2;97~", "ctrl+enter A"),
        (b"\x1b\x1b[A", "escape up"),
    ],
)
def test_keys_of_every_kind_of_terminal(data: bytes, names: str) -> None:
    assert words(meaning(data)) == names.split()


@pytest.mark.parametrize(
    ("data", "names"),
    [
        (b"\x1b[97u\x1b[97;1u\x1b[97;1:1u\x1b[97;1:2u", "a a a a"),
        (b"\x1b[97;1:3u\x1b[13;1:3u\x1b[1;1:3A\x1b[3;1:3~\x1b[57441;2u", ""),
        (b"\x1b[97:65;2u\x1b[97;2u\x1b[97;65u\x1b[97;66u\x1b[47:63;2u", "A A A a question_mark"),
        (b"\x1b[97;;224u\x1b[0;;97:98u\x1b[233;;233u", "à a b é"),
        (b"\x1b[32u\x1b[32;2u\x1b[32;1;32u\x1b[32;5u", "space space space ctrl+space"),
        (b"\x1b[57399u\x1b[57408;129u\x1b[57409u\x1b[57414u\x1b[57419u", "0 9 full_stop enter up"),
        (b"\x1b[99;5u\x1b[113;69u\x1b[99;6u\x1b[120;3u", "ctrl+c ctrl+q ctrl+shift+c alt+x"),
        (
            b"\x1b[27u\x1b[27;129u\x1b[13u\x1b[9;2u\x1b[127u",
            "escape escape enter shift+tab backspace",
        ),
        (b"\x1b[1114112u\x1b[9999999u\x1b[55296u\x1b[1u\x1b[57344u\x1b[97;0u\x1b[97;999u", ""),
        (b"\x1b[97;1;1114112u\x1b[97;1;7u\x1b[97;1;55296u", ""),
        (b"\x1b[57376u\x1b[1;2:1B\x1b[1;129A", "f13 shift+down up"),
    ],
)
def test_reports_in_kitty_s_protocol(data: bytes, names: str) -> None:
    assert words(meaning(data)) == names.split()


def test_what_is_typed_in_kitty_s_protocol_has_its_character() -> None:
    assert (
        typed(meaning(b"\x1b[32u\x1b[97:65;2u\x1b[57400;129u\x1b[57401u\x1b[97;;224u")) == " A12à"
    )


ANSWERS = [
    b"\x1b[0n",
    b"\x1b[24;80R",
    b"\x1b[1;2R",
    b"\x1b[?1;2c",
    b"\x1b[>41;370;0c",
    b"\x1b[=1c",
    b"\x1b[?2004;1$y",
    b"\x1b[4;2$y",
    b"\x1b[?0u",
    b"\x1b[8;24;80t",
    b"\x1b[48;99999;99999;0;0t",
    b"\x1b[I",
    b"\x1b[O",
    b"\x1b]11;rgb:0000/0000/0000\x07",
    b"\x1b]10;rgb:ffff/ffff/ffff\x1b\\",
    b"\x1b]52;c;cm0gLXJm\x1b\\",
    b"\x1bP>|XTerm(370)\x1b\\",
    b"\x1bP1+r544e=787465726d\x1b\\",
    b"\x1b_Gi=1;OK\x1b\\",
    b"\x9b0n",
    b"\xc2\x9b0n",
    b"\x1b[M !!",
    b"\x1b[<35;9999;9999M",
    b"\x1b]52;" + b"d\r" * 10_000 + b"\x07",
    b"\x1b[" + b"1;" * 10_000 + b"A",
    b"\x1bP1$r" + b"q" * 20_000 + b"\x1b\\",
    b"\xff\xfe\xed\xa0\x80\xf4\x90\x80\x80\xc0\xaf",
]
"""What is no key, and may come at any time."""


@pytest.mark.parametrize("answer", ANSWERS, ids=lambda answer: repr(answer[:24]))
@pytest.mark.parametrize("seconds", [0.2, 2.7])
def test_answers_are_no_keys_however_they_come(answer: bytes, seconds: float) -> None:
    assert words(meaning(answer)) == []
    assert words(meaning(b"x" + answer + b"y")) == ["x", "y"]
    for at in range(2, min(len(answer), 30)):
        if answer[:at] not in (ESC, b"\xc2"):
            assert words(meaning(answer[:at], seconds, answer[at:], b"y")) == ["y"], at


@pytest.mark.parametrize("answer", [a for a in ANSWERS if a[:2] in (b"\x1b[", b"\x1b]", b"\x1bP")])
def test_the_rest_of_an_answer_whose_escape_came_alone_is_dropped(answer: bytes) -> None:
    assert words(meaning(ESC, 0.2, answer[1:], b"y"))[-1:] == ["y"]
    assert set(words(meaning(ESC, 0.9, answer[1:], b"y"))) <= {"escape", "y"} | {
        f"alt+{name}" for name in ("right_square_bracket", "P")
    }


@pytest.mark.parametrize("introducer", [b"]", b"P", b"X", b"^", b"_"])
def test_a_string_that_nobody_knows_is_dropped_too(introducer: bytes) -> None:
    assert words(meaning(ESC + introducer + b"dq\r" * 5000 + b"\x1b\\y")) == ["y"]
    assert words(meaning(ESC + introducer + b"d", 2.7, b"\rq\x1b", 2.7, b"\\y")) == ["y"]


def test_a_key_may_come_in_pieces() -> None:
    assert words(meaning(ESC, 0.2, b"[B")) == ["down"]
    assert words(meaning(b"\x1b[1;", 2.7, b"2B")) == ["shift+down"]
    assert words(meaning(b"\xe2", 0.5, b"\x82", 0.5, b"\xac")) == ["euro_sign"]
    assert words(meaning(ESC, 0.9, b"[B", b"j")) == ["escape", "j"]


def test_escape_is_known_by_what_the_terminal_answered() -> None:
    assert words(meaning(ESC, 0.2, b"q")) == ["escape", "q"]
    assert words(meaning(b"\x1bq")) == ["escape", "q"], "on a slow line any two come together"
    synchronized = b"\x1b[?2026;2$y"
    assert words(meaning(synchronized)) == [TerminalSupportsSynchronizedOutput.__name__]
    assert words(meaning(FAST, b"\x1bq", ESC, 0.15, b"[B")) == ["alt+q", "escape"]
    assert words(meaning(FAST, b"\x1b\x7f\x1b\x03")) == ["alt+backspace", "escape", "ctrl+c"]
    assert words(meaning(KITTY, ESC, 0.9, b"[B")) == ["down"]


def test_what_is_cut_short_swallows_no_key_for_ever() -> None:
    assert words(meaning(b"\x1b[1;", 3.1, b"j")) == ["j"]
    assert words(meaning(b"\x1b]11;", 3.1, b"j")) == ["j"]
    assert words(meaning(b"\x1b[1;\x1b[B")) == ["down"]
    assert words(meaning(b"\x1b]11;rgb\x1b[B")) == ["down"]
    assert words(meaning(b"\x1b[1;\x03", b"\x1b[\xc3\xa9", b"j")) == ["ctrl+c", "j"]
    assert words(meaning(b"\x1b]", 0.2, b"n")) == ["alt+right_square_bracket", "n"]
    assert words(meaning(b"\x1b_", 0.5, b"n")) == ["alt+underscore", "n"]
    assert words(meaning(b"\xc3", b"j")) == ["j"]


def test_a_paste_is_no_keys_before_its_end() -> None:
    assert words(meaning(PASTE + b"one\rd\x1b[A" + PASTED + b"x")) == [repr("one\rd\x1b[A"), "x"]
    parts = (
        PASTE[:3],
        2.7,
        PASTE[3:] + b"dd",
        2.7,
        b"\rq",
        60.0,
        PASTED[:2],
        2.7,
        PASTED[2:],
        b"x",
    )
    assert words(meaning(*parts)) == [repr("dd\rq"), "x"]
    assert words(meaning(ESC, 0.9, PASTE[1:] + b"dq" + PASTED)) == ["escape", repr("dq")]
    assert words(meaning(PASTE + PASTED + PASTE + b"\0\xff" + PASTED)) == []


@pytest.mark.parametrize("key", [ESC, b"\x1b[27u", b"\x03", b"\x1b[113;5u"])
def test_a_paste_whose_end_is_lost_can_be_given_up(key: bytes) -> None:
    assert words(meaning(PASTE + b"dd", 2.7, key, 2.0, b"x")) == [repr("dd"), "x"]
    assert words(meaning(PASTE + b"dd", 1.0, key, 2.0, b"x" + PASTED)) != [repr("dd"), "x"]


def test_a_paste_is_bounded() -> None:
    (pasted,) = meaning(PASTE, *[b"x" * 4096] * 256, b"y" + PASTED)
    assert isinstance(pasted, events.Paste)
    assert set(pasted.text) == {"x"}
    assert len(pasted.text) == LONGEST_PASTE


def test_the_mouse() -> None:
    down, up, move, scroll = meaning(b"\x1b[<0;3;4M\x1b[<0;3;4m\x1b[<35;5;6M\x1b[<65;1;1M")
    kinds = (events.MouseDown, events.MouseUp, events.MouseMove, events.MouseScrollDown)
    for event, kind in zip((down, up, move, scroll), kinds, strict=True):
        assert type(event) is kind
    assert isinstance(down, events.MouseDown)
    assert (down.x, down.y, down.button) == (2, 3, 1)


CONTROL_KEYS = {"enter", "tab", "backspace", "escape"} | {
    f"ctrl+{name}"
    for name in [
        *ascii_lowercase,
        *("@", "backslash", "right_square_bracket", "circumflex_accent", "underscore"),
    ]
}

KEY_BYTES = [b"j", b"\r", b"\x1b[B", b"\x1bOP", b"\x1b[97;5u", b"\xc3\xa9", b"\x1b[3~"]


@st.composite
def streams(draw: st.DrawFn) -> Sequence[Part]:
    """Anything that a terminal may send: answers, keys, pastes, mutated, cut, and with pauses."""
    pieces = st.one_of(
        st.sampled_from([*ANSWERS, *KEY_BYTES, PASTE, PASTED, ESC, FAST, KITTY]),
        st.binary(max_size=12),
        st.lists(st.sampled_from([*b"\x1b[]OP;:?<>$0123456789~uMRmncyt\\\x07\r"]), max_size=12).map(
            bytes
        ),
    )
    data = b"".join(draw(st.lists(pieces, max_size=6)))[:400]
    cuts = sorted(draw(st.lists(st.integers(0, len(data)), max_size=4)))
    parts: list[Part] = []
    for start, end in zip([0, *cuts], [*cuts, len(data)], strict=True):
        parts += [data[start:end], draw(st.sampled_from([0.0, 0.02, 0.2, 0.9, 2.7, 4.0]))]
    return parts


@settings(max_examples=STREAMS, deadline=None)
@given(streams())
@example([b"\x1b[97;1114112u", 0.0])
@example([b"\x1b", 0.9, b"[200~d\r"])
def test_whatever_comes_the_stage_goes_on(parts: Sequence[Part]) -> None:
    for message in meaning(*parts):
        if isinstance(message, events.Key):
            assert len(message.character or "") <= 1
            assert (message.character or "a").isprintable() or message.key in CONTROL_KEYS
    messages = meaning(*parts, LONG, b"\x1b[27u", LONG, PASTED, LONG, b"x")
    assert words(messages)[-1] == "x", "it listens again"


@settings(max_examples=STREAMS // 2, deadline=None)
@given(st.lists(st.sampled_from(ANSWERS), max_size=5), st.data())
def test_between_answers_cut_anywhere_only_the_keys_are_heard(
    answers: list[bytes], data: st.DataObject
) -> None:
    keys = [data.draw(st.sampled_from([b"j", b"\x1b[B", b"\r"])) for _ in answers]
    wanted = [{b"j": "j", b"\x1b[B": "down", b"\r": "enter"}[key] for key in keys]
    whole = b"".join(
        answer[:200] + answer[200:][-2:] + key for answer, key in zip(answers, keys, strict=True)
    )
    cuts = sorted(data.draw(st.lists(st.integers(0, len(whole)), max_size=4)))
    parts: list[Part] = []
    for start, end in zip([0, *cuts], [*cuts, len(whole)], strict=True):
        parts += [whole[start:end], 0.02]
    assert words(meaning(KITTY, *parts)) == wanted


def test_a_sample_of_the_fuzz() -> None:
    noise = Noise(7)
    for _ in range(100):
        heard_are_the_keys(noise, 8)
        goes_on(noise, 8)
