"""The private names of Textual that the program touches still do what it counts on."""

from __future__ import annotations

import gc
import weakref
from collections.abc import Callable, Iterable
from contextlib import suppress
from typing import Any

import pytest
from rich.color import ColorSystem
from rich.console import Console
from rich.style import Style
from textual._compositor import CompositorUpdate
from textual.app import App, ComposeResult
from textual.containers import Vertical
from textual.css.parse import parse
from textual.css.stylesheet import Stylesheet
from textual.dom import DOMNode
from textual.geometry import Offset
from textual.screen import Screen
from textual.widgets import Input, Label

from tui.ui.terminal.textual_internals import (
    CachedStylesheet,
    DiscreetApp,
    ScreenPiece,
    SendingDriver,
    limit_colours,
    make_replaceable,
    write_to_terminal,
)


class Faulty(DiscreetApp[None]):
    """An app that fails at a key, holding a text that nobody may read."""

    def fault_sentence(self, error: Exception) -> str:
        return f"ended by {type(error).__name__}"

    def on_key(self) -> None:
        held = "swordfish"
        raise KeyError(held)


async def test_a_fault_ends_the_app_with_code_and_sentence(
    capsys: pytest.CaptureFixture[str],
) -> None:
    app = Faulty()
    with pytest.raises(KeyError):
        async with app.run_test() as pilot:
            await pilot.press("x")
    assert app.return_code == 1
    heard = capsys.readouterr()
    assert "ended by KeyError" in heard.err
    assert "swordfish" not in heard.err + heard.out


async def test_only_the_first_fault_is_told(capsys: pytest.CaptureFixture[str]) -> None:
    app = Faulty()

    async def fail_twice() -> None:
        async with app.run_test():
            app._handle_exception(ValueError("first"))
            app._handle_exception(TypeError("second"))

    with pytest.raises(ValueError, match="first"):
        await fail_twice()
    assert "ValueError" in (heard := capsys.readouterr().err)
    assert "TypeError" not in heard


async def test_a_fault_that_nobody_can_read_of_any_more_is_the_only_one() -> None:
    app = Faulty()
    with open("/dev/full", "w", encoding="utf-8") as gone:  # noqa: ASYNC230, PTH123  # a device
        app.error_console, console = Console(file=gone), app.error_console
        with pytest.raises(KeyError):
            async with app.run_test() as pilot:
                await pilot.press("x")
        app.error_console = console
        with suppress(OSError):
            gone.close()
    assert app.return_code == 1


class Recorder(SendingDriver):
    """A driver that keeps what is written."""

    def __init__(self, app: App[None]) -> None:
        super().__init__(app)
        self.written = ""

    def write(self, data: str) -> None: ...

    def draw(
        self, pieces: Iterable[ScreenPiece], cursor: Offset, colours: ColorSystem, *, at_once: bool
    ) -> None: ...

    def redraw(self) -> None:
        self.written += "all of it"

    def send(self, sequence: str) -> None:
        self.written += sequence

    def start_application_mode(self) -> None: ...

    def disable_input(self) -> None: ...

    def stop_application_mode(self) -> None: ...


async def test_a_sequence_reaches_the_driver_of_the_app() -> None:
    app = Faulty()
    async with app.run_test():
        app._driver = driver = Recorder(app)
        write_to_terminal(app, "\x1b]52;c;aGk=\x07")
        assert driver.written == "\x1b]52;c;aGk=\x07"
    write_to_terminal(Faulty(), "nowhere to go, and no error")


class Replacing(App[None]):
    """Shows a screen of its own at first."""

    def get_default_screen(self) -> Screen[None]:
        first = Screen[None](id="first")
        make_replaceable(self, first)
        return first


async def test_the_first_screen_can_be_replaced() -> None:
    app = Replacing()
    async with app.run_test():
        assert app.screen.id == "first"
        await app.switch_screen(Screen(id="second"))
        assert [screen.id for screen in app.screen_stack] == ["second"]


async def test_the_driver_of_the_app_draws_all_of_it() -> None:
    app = Faulty()
    async with app.run_test():
        app.action_redraw()
        app._driver = driver = Recorder(app)
        app.action_redraw()
        assert driver.written == "all of it"


class Red(App[None]):
    """Shows a red text."""

    def compose(self) -> ComposeResult:
        yield Label("red", id="red")

    CSS = "#red { color: rgb(255, 0, 0); }"

    def first_cell(self) -> Style:
        """The style in which the text is drawn."""
        return next(
            segment.style or Style()
            for segment in self.screen._compositor.render_strips()[0]
            if segment.text.startswith("red")
        )


@pytest.mark.parametrize(
    ("colors", "sent"),
    [
        (ColorSystem.TRUECOLOR, "\x1b[38;2;255;0;0"),
        (ColorSystem.EIGHT_BIT, "\x1b[38;5;"),
        (ColorSystem.STANDARD, "\x1b[31;"),
    ],
)
async def test_as_many_colours_are_drawn_as_there_are(colors: ColorSystem, sent: str) -> None:
    app = Red()
    limit_colours(app, colors)
    async with app.run_test():
        frame = app.screen._compositor.render_update(full=True)
        assert isinstance(frame, CompositorUpdate)
        assert sent in frame.render_segments(app.console)


async def test_without_colours_there_is_none() -> None:
    app = Red()
    limit_colours(app, None)
    async with app.run_test():
        color = app.first_cell().color
        assert color is None or color.is_default


class Padded(Screen[None]):
    CSS = "Padded { padding: 3; } Padded Label { color: $primary; }"

    def compose(self) -> ComposeResult:
        yield Label("padded")


class Sheets(App[None]):
    def __init__(self) -> None:
        super().__init__()
        self.stylesheet = CachedStylesheet(variables=self.get_css_variables())


async def test_a_style_sheet_is_parsed_once_and_anew_for_other_variables(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    parsed = list[str]()

    def counted(scope: str, css: str, *where: Any, **options: Any) -> Iterable[Any]:  # noqa: ANN401
        parsed.append(css)
        return parse(scope, css, *where, **options)

    monkeypatch.setattr("textual.css.stylesheet.parse", counted)
    for is_first in (True, False):
        parsed.clear()
        app = Sheets()
        async with app.run_test() as pilot:
            await app.push_screen(Padded())
            assert app.screen.styles.padding.top == 3
            assert bool(parsed) is is_first
            first = app.screen.query_one(Label).styles.color
            app.theme = "textual-light"
            await pilot.pause()
            assert app.screen.query_one(Label).styles.color != first


class Dressed(App[None]):
    """Shows what style sheets tell apart: focus, classes, being disabled, and being the first."""

    CSS = """
    Input:focus { color: $accent; }
    .far > Label:first-child { color: red; }
    .far Label { padding: 1; }
    #box:disabled Label { text-style: bold; }
    .far Input { margin: 1; }
    """

    def __init__(self) -> None:
        super().__init__()
        self.stylesheet = CachedStylesheet(variables=self.get_css_variables())

    def compose(self) -> ComposeResult:
        with Vertical(id="box"):
            yield Label("first")
            yield Label("second")
            yield Input()
            yield Input()

    def is_as_textual_has_it(self) -> bool:
        """Whether Textual itself, which keeps nothing, gives every node the same rules."""
        plain = Stylesheet(variables=self.stylesheet._variables)
        plain._rules = self.stylesheet.rules
        nodes = list(self.screen.walk_children(with_self=True))
        rules_before = [_rules(node) for node in nodes]
        for node in nodes:
            node.styles.base.reset()
        plain.update_nodes(nodes)
        return rules_before == [_rules(node) for node in nodes]


def _rules(node: DOMNode) -> list[dict[str, str]]:
    parts = node._component_styles.values()
    return [
        {name: repr(value) for name, value in styles.base._rules.items()}
        for styles in (node.styles, *parts)
    ]


async def test_styles_that_were_matched_before_are_those_that_textual_finds() -> None:
    def turn_off(app: Dressed, off: bool) -> None:
        app.query_one("#box").disabled = off

    def dress(app: Dressed, theme: str) -> None:
        app.theme = theme

    steps: list[Callable[[Dressed], object]] = [
        lambda app: app.query(Input).first().focus(),
        lambda app: app.query(Input).last().focus(),
        lambda app: app.query_one("#box").add_class("far"),
        lambda app: app.query(Input).first().focus(),
        lambda app: turn_off(app, True),
        lambda app: app.query_one("#box").remove_class("far"),
        lambda app: turn_off(app, False),
        lambda app: dress(app, "textual-light"),
        lambda app: app.query_one("#box").move_child(0, after=1),
        lambda app: app.query_one("#box").add_class("far"),
        lambda app: app.query_one("#box").remove_class("far"),
        lambda app: dress(app, "textual-dark"),
    ]
    app = Dressed()
    async with app.run_test() as pilot:
        for step in steps * 2:  # the second time all of it was matched before
            step(app)
            await pilot.pause()
            assert app.is_as_textual_has_it()


async def test_a_style_sheet_matches_nodes_that_look_alike_once_and_keeps_none(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    checked = list[object]()
    check = Stylesheet._check_rule

    def counted(rule: Any, path: list[DOMNode]) -> Iterable[Any]:  # noqa: ANN401
        checked.append(rule)
        return check(rule, path)

    for is_first in (True, False):
        app = Dressed()
        async with app.run_test() as pilot:
            monkeypatch.setattr(Stylesheet, "_check_rule", staticmethod(counted))
            inputs = app.query(Input)
            for widget in [*inputs, *inputs] if is_first else inputs:
                checked.clear()
                widget.focus()
                await pilot.pause()
            assert not checked
            label = weakref.ref(app.query_one(Label))
            await app.query(Label).remove()
        del app, inputs, widget, pilot
        gc.collect()
        assert label() is None
