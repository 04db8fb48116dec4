"""The messages above the table: said, counted, closed, and never more than text."""

from __future__ import annotations

import unicodedata

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from rich.cells import cell_len
from textual.app import App, ComposeResult
from textual.content import Content
from textual.widgets import Static

from tui.text import plain
from tui.ui.widgets.messages import CLOSE, Messages, _wrap

HOSTILE = {
    "click": "[@click=app.quit]x[/]",
    "stray tag": "A[/foo]",
    "variable": "[$x]",
    "backslash": "trailing\\",
    "clipboard": "\x1b]52;c;aGk=\x07",
    "bidi": "abc\u202edef\u2066",
    "long": "x" * 10_000,
    "emoji": "👩\u200d👩\u200d👧 ❤\ufe0f",
    "wide": "漢字かな" * 20,
    "lines": "a\nb\n\nc\td",
    "empty": "",
}


class Shell(App[None]):
    ENABLE_COMMAND_PALETTE = False

    def compose(self) -> ComposeResult:
        yield Messages()
        yield Static("the table", markup=False)

    @property
    def messages(self) -> Messages:
        return self.query_one(Messages)


def lines(messages: Messages) -> list[str]:
    """Every line, each checked to be safe and exactly as wide as the widget."""
    strips = [messages.render_line(y) for y in range(messages.size.height)]
    for strip in strips:
        assert cell_len(strip.text) == messages.size.width
        assert not [c for c in strip.text if unicodedata.category(c) in {"Cc", "Cf", "Cs"}]
    return [strip.text for strip in strips]


@pytest.mark.parametrize("text", HOSTILE.values(), ids=HOSTILE.keys())
async def test_hostile_text_is_only_text(text: str) -> None:
    app = Shell()
    async with app.run_test(size=(40, 10)) as pilot:
        app.messages.show(Content.from_markup("Created [b]$label[/b].", label=text), "done")
        app.messages.show(Content(text), "problem")
        await pilot.pause()
        assert 2 <= len(lines(app.messages)) <= 2 * 2
        for x in (3, 10):
            await pilot.click(Messages, offset=(x, 0))
        assert app.is_running
        assert app.messages.count == 2


async def test_nothing_stands_there_until_something_is_said() -> None:
    app = Shell()
    async with app.run_test(size=(40, 10)) as pilot:
        assert app.query_one(Static).region.y == 0
        app.messages.show(Content("Deleted prod."), "done")
        await pilot.pause()
        assert lines(app.messages) == [f"✓ {'Deleted prod.':<36} {CLOSE}"]
        assert app.query_one(Static).region.y == 1
        app.messages.dismiss()
        app.messages.dismiss()
        await pilot.pause()
        assert app.query_one(Static).region.y == 0


async def test_three_are_shown_and_the_others_counted() -> None:
    app = Shell()
    async with app.run_test(size=(20, 10)) as pilot:
        for n in range(5):
            app.messages.show(Content(f"number {n}"), "note")
        await pilot.pause()
        assert [line[:10] for line in lines(app.messages)] == [
            "i number 4",
            "i number 3",
            "i number 2",
            "  2 more  ",
        ]
        app.messages.dismiss()
        app.messages.dismiss()
        await pilot.pause()
        assert [line[:10] for line in lines(app.messages)] == [
            "i number 2",
            "i number 1",
            "i number 0",
        ]
        app.messages.clear()
        await pilot.pause()
        assert (app.messages.count, app.messages.size.height) == (0, 0)


async def test_the_cross_closes_its_own_message_only() -> None:
    app = Shell()
    async with app.run_test(size=(30, 10)) as pilot:
        app.messages.show(Content("first"), "done")
        app.messages.show(Content("second, which is told in more than one line"), "problem")
        await pilot.pause()
        assert [line[:3] for line in lines(app.messages)] == ["! s", "  m", "✓ f"]
        await pilot.click(Messages, offset=(29, 1))
        assert app.messages.count == 2
        await pilot.click(Messages, offset=(29, 2))
        await pilot.pause()
        assert [line[:3] for line in lines(app.messages)] == ["! s", "  m"]
        await pilot.click(Messages, offset=(29, 0))
        assert app.messages.count == 0


async def test_every_width_is_kept() -> None:
    app = Shell()
    async with app.run_test(size=(80, 20)) as pilot:
        app.messages.show(Content("漢字 " * 40), "problem")
        app.messages.show(Content.from_markup("[b]new key[/b] for $who", who="ann"), "done")
        for size in [(140, 40), (40, 10), (7, 10), (3, 10), (1, 10)]:
            await pilot.resize_terminal(*size)
            await pilot.pause()
            lines(app.messages)


@given(
    text=st.text(max_size=200) | st.text("a漢 \n\ufe0f❤", max_size=80),
    width=st.integers(1, 90),
    most=st.integers(1, 5),
)
@example(text="漢", width=1, most=1)
@example(text="漢漢", width=1, most=1)
@example(text="\u200d\u200d漢", width=1, most=1)
@example(text="\u0301\u0301\u3000", width=2, most=1)
@example(text="000000\x1f", width=2, most=3)
@settings(deadline=None)
def test_a_message_is_never_more_than_its_lines(text: str, width: int, most: int) -> None:
    safe = "\n".join(map(plain, text.split("\n")))
    assert_fits(_wrap(Content(safe), width, most), width, most)


@pytest.mark.parametrize(("text", "width"), [("\u0301\u0301\u3000", 2), ("000000\x1f", 2)])
def test_a_wide_blank_that_is_stripped_at_the_end_of_a_line_is_no_single_cell(
    text: str, width: int
) -> None:
    assert_fits(_wrap(Content(text), width, 3), width, 3)


def assert_fits(wrapped: list[Content], width: int, most: int) -> None:
    assert 1 <= len(wrapped) <= most
    for line in wrapped:
        assert cell_len(line.truncate(width, pad=True).plain) == width
