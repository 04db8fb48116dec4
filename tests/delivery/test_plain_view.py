"""Showing a secret on the ordinary screen, and taking it away again."""

from __future__ import annotations

import asyncio
import signal
import subprocess
import sys
from collections.abc import Callable

import pyte
import pytest
from pydantic import SecretStr

from tests.terminal import Terminal
from tui.delivery import plain_view

SECRET = SecretStr("9ac1f00dcafe9ac1f00dcafe9ac1f00dcafe0042")
VALUE = SECRET.get_secret_value()
HEADING = "The secret of “billing mailer”. It is shown only once."


class Paper:
    """An ordinary screen with a shell's line at its top, or its bottom."""

    def __init__(self, columns: int, rows: int = 24, above: int = 1) -> None:
        self.screen = pyte.Screen(columns, rows)
        self.stream = pyte.Stream(self.screen)
        self.during = ""
        for number in range(above):
            self.stream.feed(f"$ {number}\r\n")

    @property
    def text(self) -> str:
        return "\n".join(row.rstrip() for row in self.screen.display).rstrip()

    def show(
        self,
        read_line: Callable[[], object] = lambda: "",
        secret: SecretStr = SECRET,
        heading: str = HEADING,
    ) -> None:
        def read() -> object:
            self.during = self.text
            return read_line()

        plain_view(secret, heading, read, self.stream.feed, lambda: self.screen.columns)


def raising(error: type[BaseException]) -> Callable[[], object]:
    def read() -> object:
        raise error

    return read


def test_the_secret_stands_on_a_line_of_its_own() -> None:
    paper = Paper(80)
    paper.show()
    assert paper.during.splitlines() == [
        "$ 0",
        HEADING,
        VALUE,
        "Press Enter to erase this and go back.",
    ]


@pytest.mark.parametrize("columns", [8, 20, 38, 40, 41, 80])
@pytest.mark.parametrize("heading", [HEADING, "", "two\nlines", "日本語の鍵日本語の鍵"])
def test_exactly_its_rows_are_erased(columns: int, heading: str) -> None:
    paper = Paper(columns)
    paper.show(heading=heading)
    assert VALUE in paper.during.replace("\n", "")
    assert paper.text == "$ 0"
    assert (paper.screen.cursor.x, paper.screen.cursor.y) == (0, 1)


@pytest.mark.parametrize(
    ("heading", "columns", "rows"),
    [("日本語", 6, 1), ("日本語", 5, 2), ("日本語", 2, 3), ("e\u0301" * 40, 40, 1)],
)
def test_wide_and_combining_characters_are_reckoned_as_terminals_do(
    heading: str, columns: int, rows: int
) -> None:
    def up(heading: str) -> int:
        written: list[str] = []
        plain_view(SECRET, heading, lambda: "", written.append, lambda: columns)
        return int(written[-1].removeprefix("\r\x1b[").removesuffix("A\x1b[J"))

    assert up(heading) == up("") + rows


def test_at_the_bottom_of_the_screen_too() -> None:
    paper = Paper(30, rows=10, above=9)
    paper.show()
    assert paper.text.splitlines()[-1] == "$ 8"
    assert "9ac1" not in paper.text


@pytest.mark.parametrize("error", [KeyboardInterrupt, EOFError, OSError])
def test_ctrl_c_and_the_end_of_input_count_as_enter(error: type[BaseException]) -> None:
    paper = Paper(80)
    paper.show(raising(error))
    assert paper.text == "$ 0"


def test_any_other_trouble_erases_it_too() -> None:
    paper = Paper(80)
    with pytest.raises(SystemExit):
        paper.show(raising(SystemExit))
    assert paper.text == "$ 0"


def test_a_window_made_narrower_meanwhile_leaves_nothing_of_it() -> None:
    written: list[str] = []
    widths = iter((80, 20))
    plain_view(SECRET, HEADING, lambda: "", written.append, lambda: next(widths))
    assert written[-1] == "\r\x1b[6A\x1b[J"


def test_a_hostile_secret_is_shown_with_marks_and_says_so() -> None:
    paper = Paper(80)
    paper.show(secret=SecretStr("a\x1b[2Jb"), heading="x\x1b]0;y\x07z")
    assert "a␛[2Jb\nSome characters are shown as marks" in paper.during
    assert "x␛]0;y␇z" in paper.during
    assert paper.text == "$ 0"


SCRIPT = f"""
import sys
from pydantic import SecretStr
from tui.delivery import plain_view
def write(text):
    sys.stdout.write(text)
    sys.stdout.flush()
print("before")
plain_view(SecretStr("{VALUE}"), "Heading", sys.stdin.readline, write, lambda: 30)
print("after")
print("typed:", sys.stdin.readline().strip())
"""


@pytest.mark.parametrize(
    "leave", ["\n", "typed ahead and a long way over the edge\n", "\x03", "\x04"]
)
def test_in_a_terminal_what_is_typed_moves_nothing(leave: str) -> None:
    with Terminal([sys.executable, "-c", SCRIPT], columns=30) as terminal:
        terminal.wait_for("go back.")
        assert f"Heading\n{VALUE[:30]}\n{VALUE[30:]}\nPress Enter" in terminal.text
        terminal.send(leave)
        assert terminal.wait_for("after").strip() == "before\nafter"
        terminal.send("echoed\n")
        terminal.wait_for("echoed\ntyped: echoed")
        assert terminal.wait_exit() == 0
        assert terminal.restored()


def test_after_a_time_without_enter_it_is_erased() -> None:
    script = SCRIPT.replace("plain_view(Secret", "print(plain_view(Secret")
    script = script.replace("lambda: 30)", "lambda: 30, seconds=0.3))")
    with Terminal([sys.executable, "-c", script], columns=30) as terminal:
        terminal.wait_bytes(b"go back.")
        assert terminal.wait_for("after").strip() == "before\nFalse\nafter"
        terminal.send("echoed\n")
        terminal.wait_for("echoed\ntyped: echoed")


PROGRAM = f"""
import asyncio, signal, sys, time
from pydantic import SecretStr
from tui.delivery import plain_view
calls = []
def write(text):
    if "Press Enter" not in text:
        signal.raise_signal(signal.SIGINT if "twice" in sys.argv else signal.SIGHUP)
        signal.raise_signal(signal.SIGTERM)
    sys.stdout.write(text)
    sys.stdout.flush()
async def main():
    loop = asyncio.get_running_loop()
    loop.add_signal_handler(signal.SIGTERM, calls.append, "term")
    loop.add_signal_handler(signal.SIGHUP, lambda: None)
    if "own" in sys.argv:
        loop.add_signal_handler(signal.SIGINT, calls.append, "int")
    print("before")
    before = signal.getsignal(signal.SIGINT)
    plain_view(SecretStr("{VALUE}"), "Heading", sys.stdin.readline, write, lambda: 80)
    print("the same:", signal.getsignal(signal.SIGINT) is before)
    await asyncio.sleep(0.05)
    print("heard:", *calls)
    await asyncio.sleep(30)
asyncio.run(main())
"""


@pytest.mark.parametrize("way", ["", "twice", "own"])
def test_ctrl_c_ends_it_inside_an_event_loop_that_goes_on(way: str) -> None:
    with Terminal([sys.executable, "-c", PROGRAM, way]) as terminal:
        terminal.wait_for("go back.")
        terminal.press("ctrl+c")
        seen = terminal.wait_for("heard:").strip().splitlines()
        assert seen == ["before", "the same: True", "heard: term"]
        assert terminal.restored()
        terminal.press("ctrl+c")
        if way == "own":
            terminal.signal(signal.SIGKILL)
        terminal.wait_exit()


def test_a_signal_to_end_erases_it_and_is_heard_afterwards() -> None:
    with Terminal([sys.executable, "-c", PROGRAM]) as terminal:
        terminal.wait_for("go back.")
        terminal.signal(signal.SIGTERM)
        seen = terminal.wait_for("heard:").strip().splitlines()
        assert seen[:2] == ["before", "the same: True"]
        assert "term" in seen[2]
        assert terminal.restored()


async def test_in_another_thread_ctrl_c_is_left_alone() -> None:
    paper = Paper(80)
    before = signal.getsignal(signal.SIGINT)
    await asyncio.to_thread(paper.show)
    assert VALUE in paper.during
    assert paper.text == "$ 0"
    assert signal.getsignal(signal.SIGINT) is before


def test_delivery_knows_neither_textual_nor_http_nor_pydantic() -> None:
    code = (
        "import sys, tui.delivery;"
        "names = {name.partition('.')[0] for name in sys.modules};"
        "print(*names & {'textual', 'httpx', 'pydantic'})"
    )
    command = [sys.executable, "-c", code]
    assert subprocess.run(command, capture_output=True, text=True, check=True).stdout == "\n"  # noqa: S603  # this Python
