"""The table of keys: long lists cost no more than the lines that are seen of them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from itertools import pairwise
from typing import ClassVar, overload

from rich.segment import Segment
from rich.style import Style
from textual import events
from textual.binding import BindingType
from textual.geometry import Region, Size
from textual.message import Message
from textual.scroll_view import ScrollView
from textual.strip import Strip

from tui.api.grants import Catalogue
from tui.api.models import Key
from tui.keys.attention import Attention
from tui.keys.rotation_policy import RotationPolicy
from tui.search.query import Query
from tui.ui.bindings import CURSOR_BINDINGS
from tui.ui.widgets.columns import Column, Order, Span, informative_columns, layout
from tui.ui.widgets.selection import Selection
from tui.ui.widgets.table_line import (
    GUTTER,
    MARK,
    MARKED,
    KeyContext,
    RowState,
    StyledText,
    header,
    line,
    matching_parts,
)


class _PickedKeys(Sequence[Key]):
    """The keys in some places of a list; picking out 100,000 takes no time."""

    def __init__(self, keys: Sequence[Key], places: Sequence[int]) -> None:
        self._keys, self._places = keys, places

    def __len__(self) -> int:
        return len(self._places)

    @overload
    def __getitem__(self, index: int) -> Key: ...

    @overload
    def __getitem__(self, index: slice) -> Sequence[Key]: ...

    def __getitem__(self, index: int | slice) -> Key | Sequence[Key]:
        if isinstance(index, slice):
            return _PickedKeys(self._keys, self._places[index])
        return self._keys[self._places[index]]

    def __iter__(self) -> Iterator[Key]:
        return map(self._keys.__getitem__, self._places)


class KeyTable(ScrollView, can_focus=True, inherit_bindings=False):
    """API keys line by line, the header first, with a cursor that stays on its key.

    Nothing is kept for a row but the key itself: a line's text is made when it is painted.
    """

    ALLOW_SELECT = False

    BINDINGS: ClassVar[list[BindingType]] = [*CURSOR_BINDINGS]

    COMPONENT_CLASSES: ClassVar[set[str]] = {
        "key-table--header",
        "key-table--row",
        "key-table--dim",
        "key-table--cursor",
        "key-table--due",
        "key-table--working",
        "key-table--done",
        "key-table--problem",
        "key-table--match",
    }

    DEFAULT_CSS = """
    KeyTable {
        overflow-x: hidden;
        scrollbar-gutter: stable;
        scrollbar-size-vertical: 1;
        & > .key-table--header { text-style: bold; color: $text-accent; background: $panel; }
        & > .key-table--dim { color: $text-muted; }
        & > .key-table--working { color: $text-accent; }
        & > .key-table--due { color: $text-warning; }
        & > .key-table--done { color: $text-success; }
        & > .key-table--problem { color: $text-error; }
        & > .key-table--match { color: $text-accent; text-style: bold underline; }
        & > .key-table--cursor {
            color: $block-cursor-blurred-foreground;
            background: $block-cursor-blurred-background;
            text-style: $block-cursor-blurred-text-style;
        }
        &:focus > .key-table--cursor {
            color: $block-cursor-foreground;
            background: $block-cursor-background;
            text-style: $block-cursor-text-style;
        }
    }
    """

    class Highlighted(Message):
        """The cursor came to another key, or to none; or the key under it was changed."""

        def __init__(self, key: Key | None) -> None:
            super().__init__()
            self.key = key

    class Opened(Message):
        """The operator chose a key with Enter or with the mouse."""

        def __init__(self, key: Key) -> None:
            super().__init__()
            self.key = key

    class Sorted(Message):
        """The order was changed."""

        def __init__(self, column: Column, descending: bool) -> None:
            super().__init__()
            self.column = column
            self.descending = descending

    class Marked(Message):
        """Marks were set or taken away; so many of the shown keys are marked now."""

        def __init__(self, count: int) -> None:
            super().__init__()
            self.count = count

    def __init__(self, policy: RotationPolicy | None = None) -> None:
        """Show which keys are due by the `policy`; without one, none is."""
        super().__init__()
        self._policy = policy or RotationPolicy()
        self._unordered: Sequence[Key] = ()
        self._order_rows: Sequence[int] = ()
        self._narrowed: Sequence[int] | None = None
        self._query = Query()
        self._rows_shown: Sequence[int] = ()
        self._keys: Sequence[Key] = ()
        self._row = 0
        self._order = Order()
        self._selection = Selection()
        self._states: dict[str, RowState] = {}
        self._columns = informative_columns(())
        self._key_context = KeyContext()
        self._styles: dict[str, Style] = {}

    @property
    def key(self) -> Key | None:
        """The key under the cursor."""
        return self._keys[self._row] if self._keys else None

    @property
    def keys(self) -> Sequence[Key]:
        """The keys that are shown, in their order on the screen."""
        return self._keys

    @property
    def count(self) -> int:
        """How many keys are shown."""
        return len(self._keys)

    @property
    def total(self) -> int:
        """How many keys there are, shown or not."""
        return len(self._unordered)

    @property
    def row(self) -> int:
        """The cursor's place among the keys, counted from 0."""
        return self._row

    @property
    def order(self) -> tuple[Column, bool] | None:
        """The column that the keys are sorted by and whether it descends; None as they came."""
        return (self._order.column, self._order.descending) if self._order.column else None

    @property
    def marked(self) -> tuple[Key, ...]:
        """The marked keys among those that are shown, in their order; of one id only the first."""
        return self._selection.among(self._keys)

    @property
    def marked_count(self) -> int:
        """How many of the keys that are shown are marked; telling it takes no time."""
        return self._selection.count

    @property
    def has_marks(self) -> bool:
        """Whether any key of the list is marked, shown or not."""
        return self._selection.count > 0 or self.hidden_marks > 0

    @property
    def hidden_marks(self) -> int:
        """How many marked keys are not shown, because a search leaves them out."""
        if self._narrowed is None:
            return 0
        return len(self._selection.among(self._unordered)) - self._selection.count

    def show(self, keys: Sequence[Key], catalogue: Catalogue, now: datetime) -> None:
        """Show `keys`, all of them, in the current order; the cursor stays on its key."""
        self._unordered = tuple(keys)
        self._columns = informative_columns(self._unordered)
        attention = Attention(self._policy, now, Column.FROM in self._columns)
        self._key_context = KeyContext(catalogue, attention)
        self._narrowed, self._query = None, Query()
        self._order_rows = self._order.rows(self._unordered, catalogue)
        self._arrange()

    def narrow(self, rows: Sequence[int] | None, query: Query) -> None:
        """Show only the keys in these places of the list, or all for None; highlight a query.

        The cursor stays on its key, or goes to the first if that is left out.
        """
        self._narrowed, self._query = rows, query
        self._arrange(is_narrowing=True)

    def sort(self, column: Column) -> None:
        """Sort by a column, or by the same one the other way round; the cursor keeps its key."""
        self._order.sort_by(column)
        self._order_rows = self._order.rows(self._unordered, self._key_context.catalogue)
        self._arrange()
        self.post_message(self.Sorted(column, self._order.descending))

    def move_to(self, key_id: str) -> bool:
        """Put the cursor on the key with this id; return whether there is one."""
        row = self._find(key_id)
        if row is not None:
            self._go(row)
        return row is not None

    def mark(self) -> None:
        """Mark the key under the cursor, or unmark it, and go to the next."""
        if self.key is not None:
            self._selection.toggle(self.key.id)
            self._repaint(self.key.id)
            self._go(self._row + 1)
            self.post_message(self.Marked(self._selection.count))

    def stretch(self, rows: int) -> None:
        """Extend the marked range by one row, 1 or -1; a row that it leaves is unmarked."""
        if self.key is not None:
            to = max(0, min(self._row + rows, len(self._keys) - 1))
            self._selection.stretch_range(self._keys, self._row, to)
            self._repaint(self.key.id)
            self._go(to, stretching=True)
            self.post_message(self.Marked(self._selection.count))

    def mark_all(self) -> None:
        """Mark all keys that are shown, or none when all are marked."""
        self._selection.toggle_all(self._keys)
        self._marks_changed()

    def unmark(self, keys: Sequence[Key]) -> None:
        """Take away the marks of these keys."""
        self._selection.remove(keys)
        self._marks_changed()

    def unmark_all(self) -> None:
        """Take away all marks, also those of keys that are not shown."""
        self._selection.clear()
        self._marks_changed()

    def show_states(self, states: Mapping[str, RowState]) -> None:
        """Show these states, by key id, and no others."""
        if states != self._states:
            self._states = dict(states)
            self.refresh(self._rows)

    @property
    def state(self) -> RowState | None:
        """The state that the key under the cursor is in."""
        return self.state_of(self.key) if self.key is not None else None

    def state_of(self, key: Key) -> RowState | None:
        """Return the state of a key, if it is in any."""
        return self._states.get(key.id)

    @property
    def key_context(self) -> KeyContext:
        """What the keys are shown with."""
        return self._key_context

    def set_now(self, now: datetime) -> None:
        """Show ages as they are at that moment, in UTC; only rows that change are painted."""
        before = self._seen_lines()
        attention = replace(self._key_context.attention, now=now)
        self._key_context = replace(self._key_context, attention=attention)
        for y, (old, new) in enumerate(zip(before, self._seen_lines(), strict=True), start=1):
            if old != new:
                self.refresh(Region(0, y, self._width, 1))

    def _seen_lines(self) -> list[list[StyledText]]:
        top = self.scroll_offset.y
        return [
            line(key, self._spans, self._key_context, self._states.get(key.id))
            for key in self._keys[top : top + self._page]
        ]

    # Rows and scrolling

    @property
    def _width(self) -> int:
        """How wide a line is: the scrollbar lies on the widget's last cell, not beside it."""
        return self.scrollable_content_region.width

    @property
    def _page(self) -> int:
        """How many rows are seen at a time: all lines but the header."""
        return max(1, self.size.height - 1)

    def _arrange(self, *, is_narrowing: bool = False) -> None:
        """Put the keys in order; the cursor keeps its key, and that key its line on the screen."""
        before, line_no = self.key, self._row - self.scroll_offset.y
        seen = 0 <= line_no < self._page
        place = self._rows_shown[self._row] if is_narrowing and self._keys else None
        self._rows_shown = self._ordered_rows()
        self._keys = _PickedKeys(self._unordered, self._rows_shown)
        row = self._find(before.id) if before is not None and not is_narrowing else None
        if is_narrowing:
            row = self._rows_shown.index(place) if place in self._rows_shown else 0
        self._row = max(0, min(self._row if row is None else row, len(self._keys) - 1))
        self.virtual_size = Size(1, len(self._keys) + 1)
        top = self.scroll_offset.y
        if seen and top:
            top = self._row - line_no
        self.scroll_to(y=max(0, min(top, self.max_scroll_y)), animate=False, force=True)
        if seen or is_narrowing:
            self._reveal()
        self.refresh()
        if self.key != before:
            self.post_message(self.Highlighted(self.key))
        if self._selection.set_shown(self._keys):
            self.post_message(self.Marked(self._selection.count))

    def _ordered_rows(self) -> Sequence[int]:
        """Return the places of the shown keys in the list that came, in the chosen order."""
        if self._narrowed is None:
            return self._order_rows
        if self.order is None:
            return self._narrowed
        return list(filter(set(self._narrowed).__contains__, self._order_rows))

    def _find(self, key_id: str) -> int | None:
        """Return the row of the key with this id; of several, the one under the cursor, if any."""
        keys, row = self._keys, self._row
        if row < len(keys) and keys[row].id == key_id:
            return row
        return next((row for row, key in enumerate(keys) if key.id == key_id), None)

    def _go(self, row: int, *, stretching: bool = False) -> None:
        """Move the cursor, and paint no more than the two lines where it was and is."""
        if not stretching:
            self._selection.end_range()
        row = max(0, min(row, len(self._keys) - 1))
        moved, before = row != self._row, self._row
        self._row = row
        if not self._reveal():
            for changed in {before, row} if moved else ():
                self.refresh(Region(0, changed - self.scroll_offset.y + 1, self._width, 1))
        if moved:
            self.post_message(self.Highlighted(self.key))

    def _reveal(self) -> bool:
        """Scroll as little as it takes to see the cursor; return whether it scrolled."""
        top = self.scroll_offset.y
        wanted = max(self._row - self._page + 1, min(top, self._row))
        if wanted != top:
            self.scroll_to(y=wanted, animate=False, force=True)
        return wanted != top

    def _turn_page(self, rows: int) -> None:
        """Scroll and move by as many rows, so that the cursor keeps its line."""
        self.scroll_to(y=self.scroll_offset.y + rows, animate=False, force=True)
        self._go(self._row + rows)

    def scroll_page_up(self, **_options: object) -> None:
        """Scroll one page up; the header takes no part in it."""
        self.scroll_to(y=self.scroll_offset.y - self._page, animate=False)

    def scroll_page_down(self, **_options: object) -> None:
        """Scroll one page down; the header takes no part in it."""
        self.scroll_to(y=self.scroll_offset.y + self._page, animate=False)

    def watch_scroll_y(self, old_value: float, new_value: float) -> None:
        """Paint the rows anew, and leave the header alone."""
        if self.show_vertical_scrollbar:
            self.vertical_scrollbar.position = new_value
        if round(old_value) != round(new_value):
            self.refresh(self._rows)

    # Painting

    @property
    def _rows(self) -> Region:
        """Where everything but the header is painted."""
        return Region(0, 1, self._width, self._page)

    def _repaint(self, key_id: str) -> None:
        """Paint the row of a key anew if it is seen, and nothing else."""
        top = self.scroll_offset.y
        for y, key in enumerate(self._keys[top : top + self._page], start=1):
            if key.id == key_id:
                self.refresh(Region(0, y, self._width, 1))

    def _marks_changed(self) -> None:
        """Paint all rows anew, and post how many are marked."""
        self.refresh(self._rows)
        self.post_message(self.Marked(self._selection.count))

    @property
    def _spans(self) -> tuple[Span, ...]:
        return layout(self._width - GUTTER - 1, self._columns)

    def render_line(self, y: int) -> Strip:
        """Return the header or one row, as wide as the scrollbar leaves it."""
        width = self._width
        if width < 1:
            return Strip([], 0)
        row = y - 1 + self.scroll_offset.y
        if y == 0:
            segments = [Segment(header(self._spans, self.order), self._style("header"))]
        elif row < len(self._keys):
            segments = self._segments(row)
        else:
            return Strip.blank(width, self._style("row"))
        return Strip(segments).adjust_cell_length(width, segments[-1].style)

    def notify_style_update(self) -> None:
        """Take in other colours: Textual itself would look them up for each row anew."""
        super().notify_style_update()
        self._styles.clear()

    def _style(self, name: str) -> Style:
        style = self._styles.get(name)
        if style is None:
            style = self._styles[name] = self.get_component_rich_style(f"key-table--{name}")
        return style

    def _segments(self, row: int) -> list[Segment]:
        """Return a row's text: one segment where one style will do, as each costs bytes."""
        key = self._keys[row]
        state = self._states.get(key.id)
        lead = (MARK if row == self._row else " ") + (MARKED if key.id in self._selection else " ")
        pieces = [("row", lead), *line(key, self._spans, self._key_context, state)]
        if row == self._row:
            segments = [Segment("".join(text for _, text in pieces), self._style("cursor"))]
        else:
            segments = [Segment(text, self._style(style)) for style, text in pieces]
        if self._query.matches_all:
            return segments
        parts = matching_parts(key, self._spans, self._key_context, state, self._query)
        style = Style(bold=True, underline=True) if row == self._row else self._style("match")
        return _highlighted(segments, [(a + GUTTER, b + GUTTER) for a, b in parts], style)

    # What the operator does

    def on_resize(self) -> None:
        """Keep the cursor in sight."""
        self._reveal()

    def on_click(self, event: events.Click) -> None:
        """Sort by the header that was clicked; go to the row, or open it if already there."""
        offset = event.get_content_offset(self)
        if offset is None or event.button != 1:
            return
        event.stop()
        if offset.y == 0:
            for span in self._spans:
                if span.start <= offset.x - GUTTER < span.start + span.width:
                    self.sort(span.column)
        elif (row := offset.y - 1 + self.scroll_offset.y) == self._row:
            self.action_open()
        elif row < len(self._keys):
            self._go(row)

    def action_cursor_up(self) -> None:
        """Go to the previous key."""
        self._go(self._row - 1)

    def action_cursor_down(self) -> None:
        """Go to the next key."""
        self._go(self._row + 1)

    def action_first(self) -> None:
        """Go to the first key."""
        self._go(0)

    def action_last(self) -> None:
        """Go to the last key."""
        self._go(len(self._keys) - 1)

    def action_page_up(self) -> None:
        """Go up by as many keys as are seen at a time."""
        self._turn_page(-self._page)

    def action_page_down(self) -> None:
        """Go down by as many keys as are seen at a time."""
        self._turn_page(self._page)

    def action_open(self) -> None:
        """Open the key under the cursor."""
        if self.key is not None:
            self.post_message(self.Opened(self.key))


def _highlighted(
    segments: Sequence[Segment], parts: Sequence[tuple[int, int]], style: Style
) -> list[Segment]:
    """Return the segments with `style` on those parts, which count characters of all the text."""
    result: list[Segment] = []
    place = 0
    for text, base, _ in segments:
        end = place + len(text)
        cuts = {place, end, *(cut for part in parts for cut in part if place < cut < end)}
        for start, stop in pairwise(sorted(cuts)):
            is_matching = any(a <= start < b for a, b in parts)
            shown = (base or Style()) + style if is_matching else base
            result.append(Segment(text[start - place : stop - place], shown))
        place = end
    return result
