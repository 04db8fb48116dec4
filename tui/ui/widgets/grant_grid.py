"""The permissions to choose from, one checkbox each."""

from __future__ import annotations

from collections.abc import Iterable
from typing import ClassVar

from rich.cells import cell_len
from rich.segment import Segment
from textual import events
from textual.binding import BindingType
from textual.content import Content
from textual.geometry import Region, Size
from textual.message import Message
from textual.scroll_view import ScrollView
from textual.strip import Strip

from tui.api.grants import SENDING, Catalogue
from tui.search.index import Index
from tui.search.matches import Matches, TextSearch
from tui.search.permissions import allowed_by
from tui.search.query import Query
from tui.text import plain
from tui.ui.bindings import Place, bindings_for
from tui.ui.widgets.grant_layout import MANY, Cell, GrantLayout, arrange, remark
from tui.ui.widgets.marked_list import EDGE
from tui.ui.widgets.search_row import highlighted
from tui.ui.widgets.table_line import MARK


class GrantGrid(ScrollView, can_focus=True, inherit_bindings=False):
    """The catalogue's grants in its order, then those it does not know.

    Space gives and takes; Enter is left to the form. A box reads without colour.
    """

    PLACE = Place.GRANTS
    BINDINGS: ClassVar[list[BindingType]] = list(bindings_for(PLACE))

    COMPONENT_CLASSES: ClassVar[set[str]] = {
        "grants--plain",
        "grants--muted",
        "grants--given",
        "grants--sending",
        "grants--cursor",
        "grants--cursor-blurred",
    }

    DEFAULT_CSS = """
    GrantGrid {
        height: 1fr; min-height: 3; background: transparent; scrollbar-size-vertical: 1;
        overflow-x: hidden;
        & > .grants--muted { color: $text-muted; }
        & > .grants--given { color: $text-accent; text-style: bold; }
        & > .grants--sending { color: $text-warning; }
        & > .grants--cursor {
            color: $block-cursor-foreground; background: $block-cursor-background;
            text-style: bold;
        }
        & > .grants--cursor-blurred {
            color: $block-cursor-blurred-foreground; background: $block-cursor-blurred-background;
        }
    }
    """

    class Changed(Message):
        """A grant was given or taken."""

    class Moved(Message):
        """The cursor is on another grant."""

    class Submitted(Message):
        """Enter was pressed."""

    class SearchRequested(Message):
        """The operator wants to search the grants."""

    class SearchEnded(Message):
        """The operator wants to see all grants again."""

    class AnotherKeyRequested(Message):
        """The operator wants the grants of another key."""

    def __init__(self, catalogue: Catalogue, given: Iterable[str], *, id: str) -> None:  # noqa: A002  # Textual's own name for it
        super().__init__(id=id)
        self._catalogue = catalogue
        self._given = set(given)
        self._offered = self._shown = self._all_with(self._given)
        self._query = Query()
        self._cursor = 0
        self._layout_for: tuple[object, ...] = ()
        self._arranged = GrantLayout()

    def _all_with(self, keys: Iterable[str]) -> tuple[str, ...]:
        """Return the catalogue's grants, then those of `keys` that it does not know."""
        unknown = [key for key in self._catalogue.ordered(keys) if key not in self._catalogue]
        return tuple(dict.fromkeys([*(grant.key for grant in self._catalogue.grants), *unknown]))

    # What is on offer, and what of it is given

    def offer(self, keys: Iterable[str], *, give: bool) -> None:
        """Offer these grants, too, where the catalogue does not know them; `give` just these."""
        keys = tuple(keys)
        self._given = set(keys) if give else self._given
        self._offered = self._all_with({*keys, *self._given})
        self._show(self._offered, Query())
        self.post_message(self.Changed())

    def offer_catalogue(self, catalogue: Catalogue, *, keep: Iterable[str]) -> int:
        """Offer another catalogue's grants; return how many were taken, as it does not list them.

        Those to `keep` stay, whether it lists them or not.
        """
        kept = {*(grant.key for grant in catalogue.grants), *keep}
        taken = len(self._given - kept)
        self._catalogue = catalogue
        self._given &= kept
        self._offered = self._all_with(self._given)
        self._show(self._offered, Query())
        self.post_message(self.Changed())
        return taken

    @property
    def shown(self) -> tuple[str, ...]:
        """The wire keys of the grants that are shown, in their order."""
        return self._shown

    @property
    def offered_count(self) -> int:
        """How many grants are on offer, shown or not."""
        return len(self._offered)

    @property
    def given(self) -> tuple[str, ...]:
        """The wire keys of the grants that are given, in the catalogue's order."""
        return tuple(key for key in self._offered if key in self._given)

    @property
    def all_given(self) -> bool:
        """Whether every grant on offer is given."""
        return len(self._given) == len(self._offered) > 0

    @property
    def current(self) -> str:
        """The wire key of the grant under the cursor; nothing where none is shown."""
        return self._shown[self._cursor] if self._shown else ""

    @property
    def note(self) -> Content:
        """Label of the grant under the cursor, and what it allows, unless that is seen."""
        if not self._shown or self.has_remarks:
            return Content("")
        key = self.current
        allows = remark(key, self._catalogue)
        label = highlighted(Content(self._catalogue.label(key)), self._query)
        if not allows:
            return label
        return Content.assemble(label, ": ", highlighted(Content(allows), self._query))

    @property
    def has_remarks(self) -> bool:
        """Whether what each grant allows is seen beside it."""
        return bool(self._arranged.remarks)

    @property
    def catalogue(self) -> Catalogue:
        """What is on offer, with labels and what each grant allows."""
        return self._catalogue

    def search(self) -> TextSearch:
        """Return a search of the grants on offer: label, key, and what each allows."""
        catalogue = self._catalogue
        rows = [(catalogue.label(k), plain(k), catalogue.description(k)) for k in self._offered]
        return TextSearch(Index(rows))

    def narrow(self, matches: Matches) -> None:
        """Show only the grants that match; the cursor stays on its grant, else on the first."""
        self._show(tuple(self._offered[row] for row in matches.rows), matches.highlighted)

    def _show(self, keys: tuple[str, ...], query: Query) -> None:
        before = self.current
        self._shown, self._query = keys, query
        self._cursor = keys.index(before) if before in keys else 0
        self.refresh(layout=True)
        self.refresh_bindings()
        self.post_message(self.Moved())

    # What the keys do

    def action_give(self) -> None:
        """Give or take the grant under the cursor."""
        if self._shown:
            self._give(self._given ^ {self.current})

    def action_give_all(self) -> None:
        """Give every grant that is shown, or, where all of them are given, none of them."""
        shown = set(self._shown)
        self._give(self._given - shown if shown <= self._given else self._given | shown)

    def action_give_reading(self) -> None:
        """Give what only reads, as far as is known, and take all else."""
        self._give({key for key in self._offered if _only_reads(key)})

    def action_give_sending(self) -> None:
        """Give what sends mail, and take all else."""
        self._give({key for key in self._offered if key in SENDING})

    def give_just(self, keys: Iterable[str]) -> None:
        """Give these grants where they are on offer, and take all else."""
        self._give(set(keys) & set(self._offered))

    def _give(self, keys: set[str]) -> None:
        self._given = keys
        self.refresh()
        self.post_message(self.Changed())

    def action_submit(self) -> None:
        """Leave Enter to the form."""
        self.post_message(self.Submitted())

    def action_find(self) -> None:
        """Leave the search to the form."""
        self.post_message(self.SearchRequested())

    def action_end_search(self) -> None:
        """Leave it to the form to show all grants again."""
        self.post_message(self.SearchEnded())

    def action_same_as(self) -> None:
        """Leave the choice of a key to the form."""
        self.post_message(self.AnotherKeyRequested())

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Leave Esc to the form while all grants are shown."""
        return action != "end_search" or len(self._shown) < len(self._offered)

    def action_cursor_up(self) -> None:
        """Go up by a line."""
        self._go(0, -1)

    def action_cursor_down(self) -> None:
        """Go down by a line."""
        self._go(0, 1)

    def action_page_up(self) -> None:
        """Go up by a screen."""
        self._go(0, 1 - max(2, self.size.height))

    def action_page_down(self) -> None:
        """Go down by a screen."""
        self._go(0, max(2, self.size.height) - 1)

    def action_beside(self, step: int) -> None:
        """Go to the grant on the left or on the right."""
        self._go(step, 0)

    def action_first(self) -> None:
        """Go to the first grant."""
        self._go_to(0)

    def action_last(self) -> None:
        """Go to the last grant."""
        self._go_to(len(self._shown) - 1)

    def _go(self, across: int, down: int) -> None:
        """Go to the nearest grant in a direction, if there is one."""
        cells = self._cells()
        if not cells:
            return
        current = cells[self._cursor]
        if across:
            beside = [c for c in cells if c.y == current.y and (c.x - current.x) * across > 0]
            wanted = min(beside, key=lambda c: abs(c.x - current.x), default=current)
        else:
            line = max(0, min(self._arranged.height - 1, current.y + down))
            lines = {c.y for c in cells if (c.y - current.y) * down >= 0}
            line = min(lines, key=lambda y: abs(y - line))
            near = [c for c in cells if c.y == line]
            wanted = min(near, key=lambda c: (abs(c.x - current.x), c.x))
        self._go_to(cells.index(wanted))

    def _go_to(self, place: int) -> None:
        if self._shown and place != self._cursor:
            self._cursor = place
            self.refresh()
            self.post_message(self.Moved())
        self._scroll_to_cursor()

    def _scroll_to_cursor(self) -> None:
        if cells := self._cells():
            y = cells[self._cursor].y
            self.scroll_to_region(Region(0, y, 1, 1), animate=False, force=True)

    def on_focus(self) -> None:
        """Show what the cursor is on."""
        self._scroll_to_cursor()

    def on_click(self, event: events.Click) -> None:
        """Give or take the grant that was clicked."""
        place = event.get_content_offset(self)
        if place is None:
            return
        x, y = place + self.scroll_offset
        for number, cell in enumerate(self._cells()):
            if cell.y == y and cell.x - 1 <= x < cell.x + cell.width:
                self._go_to(number)
                self.action_give()

    # How it is drawn

    def _cells(self) -> tuple[Cell, ...]:
        """Return where each grant that is shown stands, for the size that there is now."""
        size = self.size
        wanted = (self._shown, size, self._catalogue)
        if wanted != self._layout_for:
            self._layout_for = wanted
            self._arranged = self._arrange(size.width, size.height)
            self.virtual_size = Size(0, self._arranged.height)
        return self._arranged.cells

    def _arrange(self, width: int, height: int) -> GrantLayout:
        is_grouped = len(self._offered) > MANY
        return arrange(
            self._shown, self._catalogue, is_grouped=is_grouped, width=width, height=height
        )

    def get_content_height(self, container: Size, viewport: Size, width: int) -> int:
        """Return how many lines one column takes."""
        return max(1, self._arrange(0, 1).height)

    def on_resize(self) -> None:
        """Arrange the grants anew."""
        self._cells()
        self._scroll_to_cursor()
        self.post_message(self.Moved())

    def render_line(self, y: int) -> Strip:
        """Return one line."""
        cells = self._cells()
        line = y + self.scroll_offset.y
        plain_style = self.get_visual_style("grants--plain").rich_style
        muted = self.get_visual_style("grants--muted").rich_style
        pieces: list[tuple[int, list[Segment]]] = [
            (title.x, [Segment(title.text, muted)])
            for title in self._arranged.titles
            if title.y == line
        ]
        for caption in self._arranged.remarks:
            if caption.y == line:
                text = highlighted(Content(caption.text), self._query)
                style = self.get_visual_style("grants--muted")
                pieces.append((caption.x, list(text.render_segments(style))))
        for number, cell in enumerate(cells):
            if cell.y == line:
                is_current = number == self._cursor
                pieces.append((cell.x - 1, self._segments(cell, is_current=is_current)))
        segments: list[Segment] = []
        x = 0
        for start, piece in sorted(pieces, key=lambda pair: pair[0]):
            segments.append(Segment(" " * (start - x), plain_style))
            segments += piece
            x = start + sum(cell_len(segment.text) for segment in piece)
        strip = Strip(segments).adjust_cell_length(self.size.width, plain_style)
        return strip.crop(0, self.size.width)

    def _segments(self, cell: Cell, *, is_current: bool) -> list[Segment]:
        """Return mark, box and text of a grant."""
        is_given = cell.key in self._given
        box = "[x] " if is_given else "[ ] "
        if is_current:
            name = "grants--cursor" if self.has_focus else "grants--cursor-blurred"
            style = self.get_visual_style(name).rich_style
            return [Segment(f"{MARK if self.has_focus else EDGE}{box}{cell.text}", style)]
        plain_style = self.get_visual_style("grants--plain")
        box_name = "grants--given" if is_given else "grants--muted"
        sign = " !" if cell.key in SENDING else ""
        text = Content(cell.text.removesuffix(sign))
        return [
            Segment(" ", plain_style.rich_style),
            Segment(box, self.get_visual_style(box_name).rich_style),
            *highlighted(text, self._query).render_segments(plain_style),
            Segment(sign, self.get_visual_style("grants--sending").rich_style),
        ]


def _only_reads(key: str) -> bool:
    """Tell whether all that a grant allows is to read, as far as is known."""
    accesses = allowed_by(key)
    return bool(accesses) and all(set(access.methods) <= {"GET"} for access in accesses)
