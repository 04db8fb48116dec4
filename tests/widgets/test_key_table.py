"""The table of keys: hostile text, the cursor that stays on its key, the order, the sizes."""

from __future__ import annotations

import asyncio
import unicodedata
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from typing import ClassVar

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from rich.cells import cell_len
from textual.app import App, ComposeResult
from textual.binding import BindingType
from textual.geometry import Region
from textual.message import Message
from textual.strip import Strip

from tui.api.grants import MOMENTUM, Catalogue
from tui.api.models import Key
from tui.ui.widgets.columns import (
    GAP,
    SIGN,
    Column,
    Order,
    cell,
    fit,
    informative_columns,
    layout,
)
from tui.ui.widgets.key_table import KeyTable
from tui.ui.widgets.table_line import MARK, MARKED, RowState

NOW = datetime(2026, 1, 1, tzinfo=UTC)
CATALOGUE = Catalogue()

HOSTILE = {
    "click": "[@click=app.quit]x[/]",
    "stray tag": "A[/foo]",
    "variable": "[$x]",
    "backslash": "trailing\\",
    "clipboard": "\x1b]52;c;aGk=\x07",
    "bidi": "abc\u202edef\u2066",
    "long": "x" * 10_000,
    "long and unprintable": "\x1b[31m" * 200_000,
    "emoji": "👩\u200d👩\u200d👧 ❤\ufe0f 🏳\ufe0f\u200d🌈",
    "wide": "漢字かな" * 20,
    "combining": "e" + "\u0301" * 500,
    "lines": "a\nb\r\tc\u2028d",
    "surrogate": "\ud800",
    "empty": "",
}


def key(id_: str, label: str | None = None, **more: object) -> Key:
    return Key(id_, f"label {id_}" if label is None else label, **more)  # type: ignore[arg-type]  # any field


def keys(count: int, start: int = 0) -> list[Key]:
    return [key(str(n)) for n in range(start, start + count)]


class Shell(App[None]):
    ENABLE_COMMAND_PALETTE = False

    def __init__(self) -> None:
        super().__init__()
        self.messages: list[Message] = []
        self.counts: list[int] = []

    BINDINGS: ClassVar[list[BindingType]] = [
        ("space", "mark"),
        ("shift+down", "stretch(1)"),
        ("shift+up", "stretch(-1)"),
        ("a", "mark_all"),
    ]

    def compose(self) -> ComposeResult:
        yield KeyTable()

    def action_mark(self) -> None:
        self.table.mark()

    def action_stretch(self, rows: int) -> None:
        self.table.stretch(rows)

    def action_mark_all(self) -> None:
        self.table.mark_all()

    @property
    def table(self) -> KeyTable:
        return self.query_one(KeyTable)

    def show(self, shown: Sequence[Key]) -> None:
        self.table.show(shown, CATALOGUE, NOW)

    def on_key_table_highlighted(self, message: KeyTable.Highlighted) -> None:
        self.messages.append(message)

    def on_key_table_opened(self, message: KeyTable.Opened) -> None:
        self.messages.append(message)

    def on_key_table_sorted(self, message: KeyTable.Sorted) -> None:
        self.messages.append(message)

    def on_key_table_marked(self, message: KeyTable.Marked) -> None:
        self.counts.append(message.count)

    @property
    def opened(self) -> list[str]:
        return [post.key.id for post in self.messages if isinstance(post, KeyTable.Opened)]

    @property
    def highlighted(self) -> list[str | None]:
        shown = [post.key for post in self.messages if isinstance(post, KeyTable.Highlighted)]
        return [key.id if key else None for key in shown]


def lines(table: KeyTable) -> list[str]:
    """Every line of the table, each checked to be safe and exactly as wide as it must be."""
    texts = [table.render_line(y).text for y in range(table.size.height)]
    for text in texts:
        assert cell_len(text) == table.scrollable_content_region.width
        assert not [c for c in text if unicodedata.category(c) in {"Cc", "Cf", "Cs", "Zl", "Zp"}]
    return texts


def ids(table: KeyTable) -> list[str]:
    return [key.id for key in table.keys]


def cursor_line(table: KeyTable) -> int:
    (y,) = [y for y, text in enumerate(lines(table)) if text.startswith(MARK)]
    return y


SIZES = [(40, 10), (80, 24), (140, 40)]


def hostile(id_: str, text: str) -> Key:
    grants = (text, "metrics/view")
    return key(id_, text, raw_short_key=text, raw_grants=grants, raw_username=text)


@pytest.mark.parametrize("text", HOSTILE.values(), ids=HOSTILE.keys())
async def test_hostile_text_is_only_text(text: str) -> None:
    app = Shell()
    async with app.run_test(size=(140, 10)) as pilot:
        app.show([hostile("h", text), key("1")])
        for x in (4, 50):
            await pilot.click(KeyTable, offset=(x, 1))
        lines(app.table)
        assert app.is_running
        assert app.opened == ["h", "h"]


@pytest.mark.parametrize("size", SIZES)
async def test_hostile_lists_fit_every_size_in_every_order(size: tuple[int, int]) -> None:
    app = Shell()
    async with app.run_test(size=size) as pilot:
        app.show([hostile(name, text) for name, text in HOSTILE.items()])
        for column in Column:
            app.table.sort(column)
            await pilot.pause()
            lines(app.table)
        await pilot.press("end")
        lines(app.table)


@pytest.mark.parametrize("size", SIZES)
async def test_columns_follow_the_width(size: tuple[int, int]) -> None:
    full = key(
        "1",
        "prod",
        raw_short_key="9ac1",
        raw_grants=("metrics/view", "smtp/inject"),
        raw_created_at="2025-12-29T00:00:00Z",
        raw_username="ann",
    )
    app = Shell()
    async with app.run_test(size=size) as pilot:
        app.show([full])
        await pilot.pause()
        header, row, *rest = lines(app.table)
        assert row.startswith(f"{MARK} prod ")
        assert "3 d" in row
        assert ("Permissions" in header) is ("r-s  smtp, metrics" in row) is (size[0] > 40)
        for text in ["9ac1••••", "ann"]:
            assert (text in row) is (size[0] == 140)
        assert not "".join(rest).strip()


async def test_columns_without_values_are_left_out() -> None:
    app = Shell()
    async with app.run_test(size=(140, 10)) as pilot:
        app.show([key("1"), key("2", raw_created_at="soon")])
        await pilot.pause()
        assert lines(app.table)[0].split() == ["Key", "Permissions"]
        app.show([key("1"), key("2", raw_username="ann")])
        await pilot.pause()
        assert lines(app.table)[0].split() == ["Key", "Permissions", "Owner"]


async def test_keys_move_the_cursor_and_enter_opens() -> None:
    app = Shell()
    async with app.run_test(size=(60, 11)) as pilot:
        app.show(keys(100))
        await pilot.press("down", "j", "down", "up", "k")
        assert app.table.row == 1
        await pilot.press("pagedown")
        assert (app.table.row, app.table.scroll_offset.y) == (11, 10)
        await pilot.press("pageup")
        assert (app.table.row, app.table.scroll_offset.y) == (1, 0)
        for last, first in [("end", "home"), ("G", "g")]:
            await pilot.press(last)
            assert (app.table.row, cursor_line(app.table)) == (99, 10)
            await pilot.press("down", "pagedown", first)
            assert (app.table.row, cursor_line(app.table)) == (0, 1)
        await pilot.press("up", "pageup", "enter")
        assert app.opened == ["0"]
        assert app.highlighted[:5] == ["0", "1", "2", "3", "2"]


def marked(table: KeyTable) -> str:
    assert table.marked_count == len(table.marked)
    return " ".join(key.id for key in table.marked)


async def test_marks_are_set_stretched_and_kept_by_id() -> None:
    app = Shell()
    async with app.run_test(size=(60, 11)) as pilot:
        table = app.table
        app.show(keys(30))
        await pilot.press("space", "space", "down", "space")
        assert (marked(table), table.row, app.counts) == ("0 1 3", 4, [1, 2, 3])
        starts = [text[:3] for text in lines(table)[1:7]]
        assert starts == [" ●l", " ●l", "  l", " ●l", f"{MARK} l", "  l"]
        await pilot.press("up", "up", "up", "up", "space")
        assert marked(table) == "1 3"
        # a range, beyond its beginning to the other side, gives back what was there before
        await pilot.press("down", "down", "down", "shift+up", "shift+up", "shift+up")
        assert (marked(table), table.row) == ("1 2 3 4", 1)
        assert lines(table)[2].startswith(f"{MARK}{MARKED}label")
        await pilot.press("shift+down", "shift+down", "shift+down", "shift+down", "shift+down")
        assert (marked(table), table.row) == ("1 3 4 5 6", 6)
        await pilot.press("shift+up")
        assert (marked(table), app.counts[-1]) == ("1 3 4 5", 4)
        await pilot.press("up", "shift+down", "end", "shift+down", "shift+down", "space")
        assert (marked(table), table.row) == ("1 3 4 5", 29)
        # filters, orders and reloads
        table.sort(Column.LABEL)
        table.sort(Column.LABEL)
        assert marked(table) == "5 4 3 1"
        app.show(keys(3, start=3))
        await pilot.pause()
        assert (marked(table), app.counts[-1]) == ("5 4 3", 3)
        await pilot.press("a", "a")
        assert (marked(table), app.counts[-2:]) == ("5 4 3", [0, 3])
        await pilot.press("a")
        app.show(keys(6))
        await pilot.pause()
        assert (marked(table), app.counts[-1]) == ("1", 1)
        posted = len(app.counts)
        app.show(keys(6))
        await pilot.pause()
        assert len(app.counts) == posted
        await pilot.press("a")
        assert app.counts[-1] == 6
        assert all(text[1] == MARKED for text in lines(table)[1:7])
        app.show(keys(2))
        table.unmark_all()
        app.show(keys(6))
        await pilot.pause()
        assert (marked(table), app.counts[-2:]) == ("", [2, 0])
        # the same id twice is one key
        app.show([key("a"), key("a"), key("b")])
        await pilot.press("home", "space", "shift+down")
        assert marked(table) == "b a"
        assert app.counts[-1] == 2
        # with nothing to mark
        app.show([])
        await pilot.press("space", "shift+down", "shift+up", "a")
        assert (marked(table), app.counts[-1]) == ("", 0)


async def test_states_stand_where_the_permissions_were_and_paint_one_row(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    app = Shell()
    async with app.run_test(size=(100, 11)) as pilot:
        table = app.table
        shown = [
            key(str(n), raw_grants=("metrics/view",), raw_short_key="9ac1") for n in range(100)
        ]
        app.show(shown)
        await pilot.pause()
        before = lines(table)
        painted: list[int] = []
        render_line = KeyTable.render_line

        def watched(self: KeyTable, y: int) -> Strip:
            painted.append(y)
            return render_line(self, y)

        monkeypatch.setattr(KeyTable, "render_line", watched)
        states = {"3": RowState("verifying", "working")}
        table.show_states(states)
        await pilot.pause()
        assert painted
        painted.clear()
        table.show_states(dict(states))
        await pilot.pause()
        assert painted == [], "the same states"
        states["0"] = RowState("plain \x1b[2J[b]text[/b]")
        states["1"] = RowState("verified", "done")
        states["2"] = RowState("x" * 1000, "problem")
        table.show_states(states)
        monkeypatch.undo()
        after = lines(table)
        for text, state in zip(
            after[1:5], ("plain ␛[2J[b]text", "verified", "xxx", "verifying"), strict=True
        ):
            assert text.index("9ac1••••") == before[1].index("9ac1••••")
            is_whole = "xxx" not in state
            assert text.index(state) == before[1].index("metrics" if is_whole else "r--")
            assert ("r--" in text) is is_whole
        assert [text.split()[2 + text.startswith(MARK)] for text in after[2:5]] == ["✓", "✗", "·"]
        segments = list(table.render_line(2))
        texts = [segment.text.strip() for segment in segments]
        assert texts[:5] == ["", "label 1", "✓", "r--", "verified"]
        assert segments[2].style == segments[4].style != segments[1].style
        app.show(shown[:4])
        del states["1"]
        table.show_states(states | {"gone": RowState("deleted", "done")})
        assert "✗  xxx" in lines(table)[3]
        table.show_states({})
        await pilot.pause()
        assert lines(table)[1:5] == before[1:5]


async def test_an_empty_table_answers_to_everything() -> None:
    app = Shell()
    async with app.run_test(size=(60, 11)) as pilot:
        app.show([])
        await pilot.press("down", "up", "home", "end", "pageup", "pagedown", "enter")
        await pilot.click(KeyTable, offset=(5, 1))
        await pilot.click(KeyTable, offset=(5, 0))
        assert (app.table.key, app.table.count, app.opened) == (None, 0, [])
        assert not app.table.move_to("0")
        lines(app.table)
        app.show(keys(3))
        app.show([])
        await pilot.pause()
        assert app.highlighted == ["0", None]
        assert app.table.order == (Column.LABEL, False)


async def until(wanted: Callable[[], bool]) -> None:
    """Wait until something is true: a busy host paints a while after the key."""
    async with asyncio.timeout(60):
        while not wanted():  # noqa: ASYNC110  # told by a widget that paints
            await asyncio.sleep(0.005)


async def test_a_move_paints_two_lines_and_leaves_the_scrollbar_alone(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    app = Shell()
    async with app.run_test(size=(60, 11)) as pilot:
        app.show(keys(100))
        await pilot.pause()
        painted: list[int] = []
        render_line = KeyTable.render_line

        def watched(self: KeyTable, y: int) -> Strip:
            painted.append(y)
            return render_line(self, y)

        monkeypatch.setattr(KeyTable, "render_line", watched)
        await pilot.press("down")
        await until(lambda: len(painted) >= 2)
        assert sorted(painted) == [1, 2]
        painted.clear()
        await pilot.press("end")
        await until(lambda: len(painted) >= 10)
        assert sorted(painted) == list(range(1, 11))
        regions: list[Region] = []
        monkeypatch.setattr(KeyTable, "refresh", lambda _, *given: regions.extend(given))
        app.table.move_to("98")
        assert {region.width for region in regions} == {59}


async def test_the_mouse_goes_to_a_row_and_opens_it() -> None:
    app = Shell()
    async with app.run_test(size=(60, 11)) as pilot:
        app.show(keys(100))
        await pilot.click(KeyTable, offset=(5, 4))
        assert (app.table.row, app.opened) == (3, [])
        await pilot.click(KeyTable, offset=(5, 4))
        assert app.opened == ["3"]
        await pilot.double_click(KeyTable, offset=(5, 6))
        assert app.opened[1:] == ["5"]
        await pilot.click(KeyTable, offset=(5, 6), button=3)
        assert app.opened[1:] == ["5"]
        app.show(keys(3))
        await pilot.click(KeyTable, offset=(5, 8))
        assert app.table.row == 2


async def test_the_wheel_scrolls_and_a_key_comes_back_to_the_cursor() -> None:
    app = Shell()
    async with app.run_test(size=(60, 11)) as pilot:
        app.show(keys(100))
        await pilot.pause()
        app.table.scroll_page_down()
        app.table.scroll_page_down()
        await pilot.pause()
        assert (app.table.row, app.table.scroll_offset.y) == (0, 20)
        app.show(keys(100))
        await pilot.pause()
        assert app.table.scroll_offset.y == 20
        await pilot.click(KeyTable, offset=(59, 1))
        await pilot.pause()
        assert app.table.scroll_offset.y == 10
        await pilot.press("down")
        assert (app.table.row, cursor_line(app.table)) == (1, 1)


async def test_the_cursor_stays_on_its_key() -> None:
    app = Shell()
    async with app.run_test(size=(60, 11)) as pilot:
        app.show(keys(100))
        assert app.table.move_to("50")
        await pilot.pause()
        line = cursor_line(app.table)
        app.show([key("new"), *keys(100)])
        await pilot.pause()
        assert (app.table.key, cursor_line(app.table)) == (key("50"), line)
        app.table.sort(Column.LABEL)
        app.table.sort(Column.LABEL)
        await pilot.pause()
        assert app.table.key == key("50")
        cursor_line(app.table)
        assert app.table.move_to("7")
        await pilot.pause()
        assert app.table.key == key("7")
        cursor_line(app.table)
        assert not app.table.move_to("missing")
        assert app.table.key == key("7")


async def test_a_deleted_key_leaves_the_cursor_on_the_next() -> None:
    app = Shell()
    async with app.run_test(size=(60, 11)) as pilot:
        app.show(keys(5))
        app.table.move_to("2")
        app.show([key for key in keys(5) if key.id != "2"])
        assert app.table.key == key("3")
        await pilot.press("end")
        app.show(keys(4))
        assert app.table.key == key("3")
        app.show(keys(1, start=8))
        await pilot.pause()
        assert app.highlighted[-1] == "8"


async def test_a_changed_key_is_told_and_an_unchanged_one_is_not() -> None:
    app = Shell()
    async with app.run_test() as pilot:
        app.show(keys(5))
        app.show(keys(5))
        await pilot.pause()
        assert app.highlighted == ["0"]
        app.show([key("0", "renamed"), *keys(4, start=1)])
        await pilot.pause()
        assert app.highlighted == ["0", "0"]


async def test_keys_with_the_same_id_do_not_confuse_the_cursor() -> None:
    app = Shell()
    async with app.run_test() as pilot:
        twins = [key("a", f"same {n}") for n in range(5)]
        app.show(twins)
        await pilot.press("down", "down")
        app.show(twins)
        assert app.table.row == 2
        app.table.sort(Column.LABEL)
        app.table.sort(Column.LABEL)
        assert app.table.move_to("a")
        await pilot.pause()
        lines(app.table)


async def test_the_header_sorts_and_shows_how() -> None:
    app = Shell()
    shown = [
        key("b", "Beta", raw_grants=("metrics/view",), raw_created_at="2024-01-01T00:00:00Z"),
        key("a", "alpha", raw_grants=("smtp/inject", "metrics/view")),
        key("c", "gamma", raw_grants=("smtp/inject",), raw_created_at="2025-01-01T00:00:00+02:00"),
    ]
    async with app.run_test(size=(110, 10)) as pilot:
        app.show(shown)
        await pilot.pause()
        assert (ids(app.table), app.table.order) == (["b", "a", "c"], None)
        header = lines(app.table)[0]
        await pilot.click(KeyTable, offset=(2, 0))
        assert ids(app.table) == ["a", "b", "c"]
        assert "Key ▲" in lines(app.table)[0]
        await pilot.click(KeyTable, offset=(2, 0))
        assert ids(app.table) == ["c", "b", "a"]
        assert "Key ▼" in lines(app.table)[0]
        await pilot.click(KeyTable, offset=(header.index("Permissions"), 0))
        assert ids(app.table) == ["c", "b", "a"]
        await pilot.click(KeyTable, offset=(header.index("Age"), 0))
        assert ids(app.table) == ["b", "c", "a"], "the oldest first"
        assert app.table.order == (Column.AGE, True)
        await pilot.click(KeyTable, offset=(header.index("Age"), 0))
        assert ids(app.table) == ["c", "b", "a"]
        await pilot.pause()
        posted = [m for m in app.messages if isinstance(m, KeyTable.Sorted)]
        assert [(m.column, m.descending) for m in posted] == [
            (Column.LABEL, False),
            (Column.LABEL, True),
            (Column.PERMISSIONS, False),
            (Column.AGE, True),
            (Column.AGE, False),
        ]
        app.show(list(reversed(shown)))
        assert ids(app.table) == ["c", "b", "a"]


async def test_another_size_keeps_the_cursor_in_sight() -> None:
    app = Shell()
    async with app.run_test(size=(80, 40)) as pilot:
        app.show(keys(100))
        app.table.move_to("35")
        await pilot.pause()
        for size in [(40, 10), (140, 30), (10, 2), (1, 1), (80, 24)]:
            await pilot.resize_terminal(*size)
            await pilot.pause()
            if size[1] > 1:
                assert cursor_line(app.table)
            else:
                lines(app.table)


async def test_shown_before_there_is_a_size() -> None:
    class Early(Shell):
        def on_mount(self) -> None:
            self.show(keys(100))
            self.table.move_to("80")

    app = Early()
    async with app.run_test(size=(60, 11)) as pilot:
        await pilot.pause()
        assert app.table.key == key("80")
        cursor_line(app.table)


async def test_the_cursor_is_marked_when_blurred_and_every_binding_has_an_id() -> None:
    app = Shell()
    async with app.run_test(size=(60, 11)) as pilot:
        app.show(keys(3))
        await pilot.pause()
        strong = next(iter(app.table.render_line(1))).style
        app.screen.set_focus(None)
        await pilot.pause()
        assert cursor_line(app.table) == 1
        assert next(iter(app.table.render_line(1))).style != strong
        assert all(binding.id for _, binding in app.table._bindings)


async def test_the_ends_of_the_calendar() -> None:
    dates = ["0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59-12:00", "0001-01-01", "nonsense"]
    shown = [key(date, raw_created_at=date) for date in dates]
    app = Shell()
    async with app.run_test(size=(140, 11)) as pilot:
        app.show(shown)
        app.table.sort(Column.AGE)
        await pilot.pause()
        lines(app.table)
        assert ids(app.table) == [dates[0], dates[2], dates[1], dates[3]]


any_text = st.text(max_size=60) | st.sampled_from(sorted(HOSTILE.values(), key=len)[:-1])
wide_text = st.text(alphabet="a漢é\u0301\ufe0f❤👩\u200d☺ ", max_size=30)


@given(text=any_text | wide_text, width=st.integers(0, 250))
@settings(deadline=None)
def test_a_line_is_exactly_as_wide_as_it_must_be(text: str, width: int) -> None:
    shown = Key("1", text, text, (text,) * 3, None, "2025-01-01", text)
    spans = layout(width, informative_columns([shown]))
    taken = SIGN + sum(span.width for span in spans) + GAP * (len(spans) - 1)
    assert taken == max(width, SIGN)
    for span in spans:
        made = fit(cell(span.column, shown, span.width, CATALOGUE, NOW), span.width)
        assert cell_len(made) == span.width


moments = st.sampled_from([None, "x", "2024-01-01T00:00:00Z", "2024-01-01T01:00:00+01:00", "2025"])
any_keys = st.lists(
    st.builds(
        Key,
        st.sampled_from("abc"),
        st.sampled_from([None, "", "a", "A", "b"]),
        st.sampled_from([None, "1", "2"]),
        st.none() | st.lists(st.sampled_from([g.key for g in MOMENTUM[:2]]), max_size=2).map(tuple),
        st.none(),
        moments,
        st.sampled_from([None, "ann", "Bob"]),
    ),
    max_size=12,
)


@given(lists=st.lists(any_keys, max_size=3), column=st.sampled_from(Column))
@settings(deadline=None)
def test_an_order_used_before_arranges_as_a_new_one_does(
    lists: list[list[Key]], column: Column
) -> None:
    order = Order()
    for shown in map(tuple, lists):
        order.sort_by(column)
        afresh = Order()
        afresh.column, afresh.descending = column, order.descending
        for _ in range(2):
            rows = list(order.rows(shown, CATALOGUE))
            assert rows == list(afresh.rows(shown, CATALOGUE))
            assert sorted(rows) == list(range(len(shown)))


def test_equals_stay_as_they_came_in_both_directions_and_missing_ones_come_last() -> None:
    shown = (key("1", "b"), key("2", "a"), key("3", "A"), Key("4"), key("5", "B"), key("6", ""))
    order = Order()
    order.sort_by(Column.LABEL)
    assert [shown[row].id for row in order.rows(shown, CATALOGUE)] == ["2", "3", "1", "5", "4", "6"]
    order.sort_by(Column.LABEL)
    assert [shown[row].id for row in order.rows(shown, CATALOGUE)] == ["1", "5", "2", "3", "4", "6"]
