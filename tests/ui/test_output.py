"""What is written to a terminal that takes everything, a part, or nothing."""

from __future__ import annotations

import asyncio
import os
import pty
import tty
from collections.abc import AsyncIterator

import pytest
from textual.geometry import Size

from tui.ui.terminal import output as output_module
from tui.ui.terminal.output import BYTES_A_CELL, Output

SIZE = Size(100, 10)
MOST = BYTES_A_CELL * SIZE.area
FRAME = "x" * 1000


class Line:
    """An output and the other end of its terminal, which takes only what it is told to."""

    def __init__(self) -> None:
        self._master, slave = pty.openpty()
        tty.setraw(slave)
        os.set_blocking(self._master, False)
        self._file = open(slave, "w", encoding="utf-8")  # noqa: SIM115, PTH123  # a descriptor
        self.repaints = 0
        self.output = Output(self._file, self._repaint)
        self.output.set_size(SIZE)

    def _repaint(self) -> None:
        self.repaints += 1

    def draw(self, frame: str) -> None:
        self.output.write(frame)
        self.output.flush()

    def fill(self) -> None:
        """Draw until frames must be dropped."""
        for _ in range(100):
            self.draw(FRAME)

    def overfill(self) -> None:
        """Send more, none of it to be dropped, than the kernel can hold."""
        self.output.send("x" * 1_000_000)

    def take(self) -> bytes:
        """Take all that there is."""
        taken = b""
        while True:
            try:
                taken += os.read(self._master, 65536)
            except BlockingIOError:
                return taken

    async def take_all(self) -> bytes:
        """Take until nothing more comes."""
        taken, idle = b"", 0
        while idle < 20:
            await asyncio.sleep(0.001)
            new = self.take()
            taken, idle = taken + new, 0 if new else idle + 1
        return taken

    def hang_up(self) -> None:
        if self._master >= 0:
            os.close(self._master)
            self._master = -1

    def close(self) -> None:
        self.output.close()
        self.hang_up()
        self._file.close()


@pytest.fixture(params=["own", "shared"])
async def line(
    request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[Line]:
    """A line; with a descriptor of its own, and as where the terminal can't be opened again."""
    if request.param == "shared":
        monkeypatch.setattr(output_module, "open_again", lambda _: None)
    made = Line()
    yield made
    made.close()


async def test_frames_arrive_whole_and_in_order(line: Line) -> None:
    line.output.write("one ")
    assert line.take() == b""
    line.draw("two")
    line.draw(" three")
    assert line.take() == b"one two three"
    assert line.repaints == 0


async def test_what_waits_is_bounded_and_a_repaint_follows(line: Line) -> None:
    line.fill()
    taken = await line.take_all()
    assert set(taken) == {ord("x")}
    assert len(taken) % len(FRAME) == 0, "no frame is cut"
    assert MOST - len(FRAME) < len(taken) < MOST + 66_000, "and what the kernel holds"
    assert line.repaints == 1
    line.draw("after")
    assert await line.take_all() == b"after"
    assert line.repaints == 1


async def test_a_single_frame_may_be_larger_than_what_may_wait(line: Line) -> None:
    line.draw("y" * (MOST + 100_000))
    assert len(await line.take_all()) == MOST + 100_000
    assert line.repaints == 0


async def test_a_frame_is_dropped_but_never_what_is_sent(line: Line) -> None:
    line.fill()
    line.draw("dropped")
    line.output.send("\x1b]52;c;aGk=\x07")
    line.draw("dropped")
    taken = await line.take_all()
    assert taken.endswith(b"x\x1b]52;c;aGk=\x07")
    assert b"dropped" not in taken


async def test_the_last_words_are_written_though_nothing_is_taken(
    line: Line, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(output_module, "FINISH_SECONDS", 0.05)
    line.overfill()
    line.output.finish("\x1b[?1049l")
    assert (await line.take_all()).endswith(b"x\x18\x1b[?1049l")


async def test_the_last_words_follow_what_is_still_taken(line: Line) -> None:
    line.draw("last frame ")
    line.output.finish("\x1b[?1049l")
    assert line.take() == b"last frame \x1b[?1049l"


async def test_without_a_terminal_everything_goes_nowhere(line: Line) -> None:
    line.fill()
    line.hang_up()
    line.draw("nobody")
    line.output.send("nobody")
    line.output.finish("nobody")
    assert line.output.is_gone


async def test_a_terminal_lost_while_output_waits_is_noticed(line: Line) -> None:
    line.fill()
    line.hang_up()
    async with asyncio.timeout(60):
        while not line.output.is_gone:  # noqa: ASYNC110  # nothing tells of it
            await asyncio.sleep(0.001)
