"""Settings: the API keys of the server, and what can be done with them."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine, Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime
from typing import Any, ClassVar

from textual import on, work
from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import Horizontal, Vertical
from textual.content import Content
from textual.message import Message
from textual.screen import Screen
from textual.widgets import Button, Footer, Static
from textual.worker import Worker

from tui.api.errors import ApiError
from tui.api.models import Key
from tui.api.session import SessionProblem
from tui.keys.rotation import Unfinished, unfinished_rotations
from tui.keys.service import KeyService, Listing
from tui.problems import Problem, describe
from tui.text import short
from tui.ui.bindings import Place, bindings_for
from tui.ui.screens.bulk import BulkScreen
from tui.ui.screens.bulk_actions import (
    BulkDeleteScreen,
    BulkFinishScreen,
    BulkRotateScreen,
    BulkVerifyScreen,
)
from tui.ui.screens.dialog import ProblemScreen
from tui.ui.screens.journal import JournalScreen
from tui.ui.screens.key_actions import KeyActions
from tui.ui.screens.rotation_text import state_text
from tui.ui.widgets.columns import Column
from tui.ui.widgets.key_facts import KeyFacts
from tui.ui.widgets.key_table import KeyTable
from tui.ui.widgets.messages import MessageKind, Messages
from tui.ui.widgets.status import Status
from tui.ui.widgets.top_bar import Link, TopBar

LISTED_IN_PART = (
    "The server lists only part of its keys. A key that is not shown here may exist all the same."
)
LONGEST_LABEL = 60
"""How much of a label is told in a message, in characters, so that the rest is seen."""

_WANTS_KEYS = frozenset(
    {"edit", "delete", "rotate", "verify", "finish", "sort", "mark", "stretch", "mark_all"}
)


class KeysScreen(Screen[None]):
    """The panel API keys: a table, and beside it, on wide terminals, the key under the cursor."""

    CSS_PATH = "keys.tcss"
    AUTO_FOCUS = "KeyTable"
    HORIZONTAL_BREAKPOINTS: list[tuple[int, str]] | None = [  # noqa: RUF012  # as Screen has it
        (0, "-narrow"),
        (110, "-wide"),
    ]
    BINDINGS: ClassVar[list[BindingType]] = list(bindings_for(Place.KEYS))

    class SignedOut(Message):
        """The operator wants to sign out."""

    def __init__(
        self, service: KeyService, now: Callable[[], datetime], who: str, notice: str
    ) -> None:
        super().__init__()
        self._service, self._now, self._who = service, now, who
        self._standing = notice
        self._problem: Problem | None = None
        self._load: Worker[None] | None = None
        self._writing: list[str] = []
        self._errands = KeyActions(self, service, now)

    def compose(self) -> ComposeResult:
        """The panel and the detail."""
        link = "Sign out" if not self._service.session.is_open else "Leave"
        yield TopBar("Settings › API keys", self._who, self.notice, link)
        with Horizontal(id="page"):
            with Vertical(id="panel"):
                with Horizontal(id="head"):
                    yield Static("API keys", id="title")
                    yield Static(id="count", markup=False)
                    yield Status()
                    yield Button("New API Key", id="new", variant="primary", compact=True)
                yield Messages()
                yield KeyTable()
                with Vertical(id="state"):
                    yield Static(id="state-text", markup=False)
                    with Horizontal(id="ways"):
                        yield Button("Try again", id="try-again", variant="primary", compact=True)
                        yield Button("Show error details", id="show-details", compact=True)
            yield KeyFacts()
        yield Footer(show_command_palette=False, compact=True)

    @property
    def notice(self) -> str:
        """What stands as long as it is true."""
        in_part = "" if self._service.listing.is_whole else LISTED_IN_PART
        return "\n".join(filter(None, (self._standing, in_part, self._service.journal.problem)))

    def on_mount(self) -> None:
        """Read the keys."""
        self.action_reload()

    @on(Button.Pressed, "#try-again")
    def action_reload(self) -> None:
        """Read the keys again; the cursor stays on its key."""
        self._load = self._reload()

    @work(group="load", exclusive=True, description="read the keys")
    async def _reload(self) -> None:
        await self.read(can_be_cancelled=True)

    @on(Button.Pressed, "#new")
    def action_new(self) -> None:
        """Create a key."""
        self._run(self._errands.create(), "create a key")

    def action_delete(self) -> None:
        """Delete the marked keys, else the one under the cursor."""
        self._run_with_marked(BulkDeleteScreen, self._errands.delete, "delete keys")

    def action_rotate(self) -> None:
        """Rotate the marked keys, else the one under the cursor."""
        self._run_with_marked(BulkRotateScreen, self._errands.rotate, "rotate keys")

    def action_finish(self) -> None:
        """Finish the rotation of the marked keys, else of the one under the cursor."""
        self._run_with_marked(BulkFinishScreen, self._errands.finish, "finish rotations")

    def action_edit(self) -> None:
        """Edit the key under the cursor."""
        self._run_with_key(self._errands.edit, "edit a key")

    def action_verify(self) -> None:
        """Verify the marked keys, else the one under the cursor."""
        self._run_with_marked(BulkVerifyScreen, self._errands.verify, "verify keys")

    @on(KeyTable.Opened)
    def _open(self, event: KeyTable.Opened) -> None:
        """Edit a key, by way of its details where they don't stand beside the list."""
        if self.has_class("-wide"):
            self._run(self._errands.edit(event.key), "edit a key")
        else:
            self._run(self._errands.open(event.key, self._who), "open a key")

    def _run_with_marked(
        self,
        screen: type[BulkScreen],
        errand: Callable[[Key], Coroutine[Any, Any, None]],
        what: str,
    ) -> None:
        if marked := self.query_one(KeyTable).marked:
            self._run(self._errands.many(screen, marked), what)
        else:
            self._run_with_key(errand, what)

    def _run_with_key(self, errand: Callable[[Key], Coroutine[Any, Any, None]], what: str) -> None:
        """Take the key under the cursor now, before any dialog opens."""
        if (key := self.query_one(KeyTable).key) is not None:
            self._run(errand(key), what)

    def _run(self, errand: Coroutine[Any, Any, None], what: str) -> None:
        self.run_worker(errand, group="errand", description=what)

    def action_sort(self, column: int) -> None:
        """Sort by the column, or turn its order around."""
        self.query_one(KeyTable).sort(list(Column)[column])

    def action_mark(self) -> None:
        """Mark the key under the cursor, or unmark it."""
        self.query_one(KeyTable).mark()

    def action_stretch(self, rows: int) -> None:
        """Mark a range, by one row up (-1) or down (1)."""
        self.query_one(KeyTable).stretch(rows)

    def action_mark_all(self) -> None:
        """Mark all keys, or none."""
        self.query_one(KeyTable).mark_all()

    @on(KeyTable.Marked)
    @on(KeyTable.Sorted)
    def _count(self) -> None:
        """Tell how many keys there are, how many are marked, and by which column they go."""
        table = self.query_one(KeyTable)
        told = [f"{table.count:,}"]
        if marked := len(table.marked):
            told.append(f"{marked:,} marked")
        if table.order is not None:
            column, descends = table.order
            told.append(f"by {column.title} {'▼' if descends else '▲'}")
        self.query_one("#count", Static).update(Content(" · ".join(told)))

    def action_close_message(self) -> None:
        """Stop loading, else close the newest message."""
        if self._load is not None and not self._load.is_finished:
            self._load.cancel()
            if not self._service.listing.keys:
                self._failed(Problem("Reading the keys was cancelled."))
        else:
            self.query_one(Messages).dismiss()

    @on(Button.Pressed, "#show-details")
    def action_details(self) -> None:
        """Tell what exactly went wrong."""
        if self._problem is not None:
            self.app.push_screen(ProblemScreen(self._problem))

    def action_journal(self) -> None:
        """Show what was done."""
        self.app.push_screen(JournalScreen(self._service.journal, self._who))

    @on(Link.Clicked)
    def action_sign_out(self) -> None:
        """Sign out."""
        if self._is_free():
            if self._load is not None:
                self._load.cancel()
            self.post_message(self.SignedOut())

    async def may_leave(self) -> bool:
        """Refuse while the server is at it."""
        return self._is_free()

    def _is_free(self) -> bool:
        """Tell whether no write is under way, and otherwise which one is."""
        if self._writing:
            told = f"{self._writing[0]} Its answer is awaited, then you can leave."
            self.query_one(Messages).tell(Content(told), "note")
        return not self._writing

    @on(KeyTable.Highlighted)
    def _highlighted(self, event: KeyTable.Highlighted) -> None:
        self.query_one(KeyFacts).show(event.key, self._service.listing.catalogue, self._now())

    async def read(self, *, can_be_cancelled: bool = False) -> bool:
        """Read the keys and show them; False, with the reason told, where that fails."""
        doing = f"Reading the keys{' · Esc cancels' if can_be_cancelled else ''}"
        try:
            with self.query_one(Status).working(doing):
                listing = await self._service.load()
        except (ApiError, SessionProblem) as error:
            if self._is_there:
                self._failed(describe(error))
            return False
        if not self._is_there:
            return False
        self._problem = None
        self._show(listing)
        begun = await asyncio.to_thread(unfinished_rotations, self._service)
        unstored = await asyncio.to_thread(self._service.never_stored)
        doubted = await asyncio.to_thread(self._service.maybe_stored)
        if not self._is_there:
            return False
        self.query_one(TopBar).notice = self.notice  # the journal has just been read
        self._show_states(begun, unstored, doubted)
        return True

    def _show_states(
        self, rotations: Sequence[Unfinished], unstored: Sequence[Key], doubted: Sequence[Key]
    ) -> None:
        """Tell beside the keys which are retiring, and whose secrets were never stored."""
        table, today = self.query_one(KeyTable), self._now().date()
        table.clear_states()
        for begun in rotations:
            table.set_state(begun.predecessor.id, state_text(begun, today), "working")
        for key in unstored:
            table.set_state(key.id, "secret never stored: r replaces it", "problem")
        for key in doubted:
            table.set_state(key.id, "secret perhaps stored: see J", "working")

    @property
    def _is_there(self) -> bool:
        """Whether there is something to show an answer on: one may come while the program ends."""
        return self.is_attached and bool(self.query(KeyTable))

    def _show(self, listing: Listing) -> None:
        table = self.query_one(KeyTable)
        table.show(listing.keys, listing.catalogue, self._now())
        self._count()
        empty = not listing.keys
        if empty:
            told = "No API keys yet.\n\nPress n to create the first one."
            self.query_one("#state-text", Static).update(Content(told))
        self._switch(table=not empty, problem=False)
        self.query_one(KeyFacts).show(table.key, listing.catalogue, self._now())
        self.refresh_bindings()

    def _failed(self, problem: Problem) -> None:
        """Tell a failed load: above the keys that are there, else in their place."""
        self._problem = problem
        if self._service.listing.keys:
            self.tell_problem(problem)
            return
        lines = filter(None, (problem.detail, problem.hint))
        title = Content.styled(f"✗ {problem.title}", "bold $text-error")
        told = Content("\n\n").join([title, *map(Content, lines)])
        self.query_one("#state-text", Static).update(told)
        self._switch(table=False, problem=True)
        self.query_one("#try-again").focus()

    def _switch(self, *, table: bool, problem: bool) -> None:
        self.query_one(KeyTable).display = table
        self.query_one("#state").display = not table
        self.query_one("#try-again").display = problem
        self.query_one("#show-details").display = problem
        if table and (self.focused is None or not self.focused.display):
            self.query_one(KeyTable).focus()

    def move_to(self, key_id: str) -> bool:
        """Put the cursor on a key."""
        return self.query_one(KeyTable).move_to(key_id)

    def unmark(self) -> None:
        """Take all marks away."""
        self.query_one(KeyTable).unmark_all()

    @contextmanager
    def writing(self, doing: str) -> Iterator[None]:
        """Tell that a write is under way; the program is not left meanwhile."""
        self._writing.append(doing)
        try:
            with self.query_one(Status).working(doing, is_write=True):
                yield
        finally:
            self._writing.remove(doing)
            self.query_one(Messages).withdraw_notes()

    def tell(self, before: str, label: str, after: str, kind: MessageKind = "done") -> None:
        """Tell what was done."""
        told = Content.assemble(before, (short(label, LONGEST_LABEL), "bold"), after)
        self.query_one(Messages).tell(told, kind)

    def tell_problem(self, problem: Problem) -> None:
        """Tell what could not be done."""
        self._problem = problem
        told = Content.assemble(
            (f"{problem.title.rstrip('.')}. ", "bold"), problem.detail, " ", problem.hint
        )
        self.query_one(Messages).tell(told, "problem")
        self.refresh_bindings()

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Offer what the table's state allows."""
        if action in _WANTS_KEYS and not self._service.listing.keys:
            return False
        return not (action == "details" and self._problem is None)
