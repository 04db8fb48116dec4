"""The permissions to choose from, one checkbox each."""

from __future__ import annotations

from collections.abc import Iterable
from typing import ClassVar

from rich.cells import cell_len
from textual.binding import Binding, BindingType
from textual.content import Content
from textual.message import Message
from textual.widgets.option_list import Option

from tui.api.grants import Catalogue
from tui.search.index import Index
from tui.search.matches import Matches, TextSearch
from tui.search.query import Query
from tui.text import plain
from tui.ui.widgets.marked_list import MarkedList
from tui.ui.widgets.search_row import highlighted


class GrantList(MarkedList):
    """The catalogue's grants in its order, each with what it allows; then those it does not know.

    Space gives and takes; Enter is left to the form. A box reads without colour, unlike those of
    Textual's own selection list.
    """

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("space", "select", "Give or take", key_display="Space"),
        Binding("enter", "submit", "Save", show=False),
        Binding("slash", "find", "Find", key_display="/"),
        Binding("escape", "end_search", "End search", key_display="Esc"),
        Binding("j", "cursor_down", "Down", show=False),
        Binding("k", "cursor_up", "Up", show=False),
    ]

    DEFAULT_CSS = """
    GrantList, GrantList:focus {
        height: 1fr; min-height: 3; border: none; padding: 0; background: transparent;
        background-tint: transparent; scrollbar-size-vertical: 1;
        text-wrap: nowrap; text-overflow: ellipsis;
    }
    """

    class Changed(Message):
        """A grant was given or taken."""

    class Submitted(Message):
        """Enter was pressed."""

    class SearchRequested(Message):
        """The operator wants to search the grants."""

    class SearchEnded(Message):
        """The operator wants to see all grants again."""

    def __init__(self, catalogue: Catalogue, given: Iterable[str], *, id: str) -> None:  # noqa: A002
        self._catalogue = catalogue
        self._given = set(given)
        self._offered = self._shown = self._all_with(self._given)
        self._query = Query()
        self._label_width = self._widest_label()
        super().__init__(*(Option(self._prompt(key)) for key in self._offered), id=id, compact=True)

    def _all_with(self, keys: Iterable[str]) -> tuple[str, ...]:
        """Return the catalogue's grants, then those of `keys` that it does not know."""
        unknown = [key for key in self._catalogue.ordered(keys) if key not in self._catalogue]
        return tuple(dict.fromkeys([*(grant.key for grant in self._catalogue.grants), *unknown]))

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
        self._label_width = self._widest_label()
        self._show(self._offered, Query())
        self.post_message(self.Changed())
        return taken

    def _widest_label(self) -> int:
        """Return how many cells the labels take, up to a limit."""
        return min(36, max(map(cell_len, map(self._catalogue.label, self._offered)), default=0))

    @property
    def offered_count(self) -> int:
        """How many grants are on offer, shown or not."""
        return len(self._offered)

    def search(self) -> TextSearch:
        """Return a search of the grants on offer: label, key, and what each allows."""
        catalogue = self._catalogue
        rows = [(catalogue.label(k), plain(k), catalogue.description(k)) for k in self._offered]
        return TextSearch(Index(rows))

    def narrow(self, matches: Matches) -> None:
        """Show only the grants that match; the cursor stays on its grant, else on the first."""
        place = self.highlighted
        before = self._shown[place] if place is not None else None
        self._show(tuple(self._offered[row] for row in matches.rows), matches.highlighted)
        if self._shown:
            self.highlighted = self._shown.index(before) if before in self._shown else 0

    def _show(self, keys: tuple[str, ...], query: Query) -> None:
        self._shown, self._query = keys, query
        self.clear_options()
        self.add_options(Option(self._prompt(key)) for key in keys)
        self.refresh_bindings()

    @property
    def given(self) -> tuple[str, ...]:
        """The wire keys of the grants that are given, in the list's order."""
        return tuple(key for key in self._offered if key in self._given)

    @property
    def all_given(self) -> bool:
        """Whether every grant on offer is given."""
        return len(self._given) == len(self._offered) > 0

    def give_all_or_none(self) -> None:
        """Give every grant that is shown, or, where all of them are given, none of them."""
        shown = set(self._shown)
        self._given = self._given - shown if shown <= self._given else self._given | shown
        for index in range(self.option_count):
            self._repaint(index)
        self.post_message(self.Changed())

    def action_select(self) -> None:
        """Give or take the grant under the cursor."""
        if self.highlighted is not None:
            self._given ^= {self._shown[self.highlighted]}
            self._repaint(self.highlighted)
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

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Leave Esc to the form while all grants are shown."""
        return action != "end_search" or len(self._shown) < len(self._offered)

    def _repaint(self, index: int) -> None:
        self.replace_option_prompt_at_index(index, self._prompt(self._shown[index]))

    def _prompt(self, key: str) -> Content:
        label, allows = self._catalogue.label(key), self._catalogue.description(key)
        if key not in self._catalogue:
            allows = allows or "not in this server's catalogue; kept unless you take it"
        pad = " " * max(2, self._label_width + 2 - cell_len(label))
        box = ("[x] ", "bold $text-accent") if key in self._given else ("[ ] ", "$text-muted")
        shown = highlighted(Content(label), self._query)
        allowed = highlighted(Content.styled(allows, "$text-muted"), self._query)
        return Content.assemble(box, shown, pad, allowed)
