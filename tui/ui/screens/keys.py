"""Settings: the API keys of the server, and what can be done with them."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from datetime import datetime
from typing import Any, ClassVar

from textual import events, on, work
from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import Horizontal
from textual.content import Content
from textual.message import Message
from textual.screen import Screen
from textual.worker import Worker

from tui.api.errors import ApiError
from tui.api.models import Key
from tui.api.session import SessionProblem
from tui.config.last_used import DeliveryMemory, LastUsed
from tui.config.profile import Profile
from tui.keys.attention import Attention
from tui.keys.labels import shown_label
from tui.keys.listing import Listing
from tui.keys.pause import find_pauses, paused_keys
from tui.keys.service import KeyService
from tui.problems import Problem, describe
from tui.search.key_search import KeySearch
from tui.text import short
from tui.ui.bindings import Place, bindings_for, changing_actions
from tui.ui.screens.bulk import BulkScreen
from tui.ui.screens.bulk_actions import (
    BulkDeleteScreen,
    BulkFinishScreen,
    BulkRotateScreen,
    BulkVerifyScreen,
)
from tui.ui.screens.bulk_pause import BulkPauseScreen
from tui.ui.screens.compare import FEWEST, MOST, CompareScreen
from tui.ui.screens.dialog import ProblemScreen
from tui.ui.screens.journal import JournalScreen
from tui.ui.screens.kept_secrets import offer_kept_secrets
from tui.ui.screens.key_actions import KeyActions
from tui.ui.screens.key_states import groups, row_states, word_for_state
from tui.ui.terminal.type_ahead import HEARD_MEANWHILE, opening_screen
from tui.ui.widgets.button import Button
from tui.ui.widgets.columns import Column
from tui.ui.widgets.facts_pane import BREAKPOINTS
from tui.ui.widgets.key_facts import KeyFacts
from tui.ui.widgets.key_footer import KeyFooter
from tui.ui.widgets.key_list_panel import KeyListPanel
from tui.ui.widgets.key_table import KeyTable
from tui.ui.widgets.table_line import StateKind
from tui.ui.widgets.top_bar import Link, TopBar
from tui.ui.widgets.write_request import WriteRequest, write_requests

KeyAction = Callable[[Key], Coroutine[Any, Any, None]]

LISTED_LATE = (
    "The server's list is older than the last change made here: F5 reads it again. It may lack "
    "other keys, or show keys that were deleted."
)
LISTED_IN_PART = "The server lists only part of its keys. A key that is not shown may exist."

LONG_LIST = 5_000
"""From so many keys on, what is typed is heard as soon as they are shown, and counted later."""

MOVE_ON_SECONDS = 60
"""How often ages are told anew, in seconds."""

_WANTS_KEYS = frozenset(
    {
        "edit",
        "new_like",
        "delete",
        "rotate",
        "verify",
        "finish",
        "pause",
        "sort",
        "mark",
        "stretch",
        "mark_all",
        "compare",
        "copy",
        "next_group",
    }
)
_WHILE_TYPING = frozenset({"reload", "details", "stretch", "back"})
"""What is offered while letters go into the search."""
_LEAVING = frozenset({"leave", "sign_out"})
"""What is done at once while the keys are first read."""


class KeysScreen(Screen[None]):
    """The panel API keys, and beside it, on wide terminals, the key under the cursor."""

    CSS_PATH = "keys.tcss"
    AUTO_FOCUS = "KeyTable"
    HORIZONTAL_BREAKPOINTS: list[tuple[int, str]] | None = [  # noqa: RUF012  # as Screen has it
        *BREAKPOINTS,
        (140, "-widest"),
    ]
    PLACE = Place.KEYS
    BINDINGS: ClassVar[list[BindingType]] = list(bindings_for(PLACE))

    class SignedOut(Message):
        """The operator wants to sign out."""

    def __init__(
        self,
        service: KeyService,
        now: Callable[[], datetime],
        who: str,
        notice: str,
        profile: Profile | None = None,
        delivery_memory: DeliveryMemory | None = None,
    ) -> None:
        """Take what is settled for the server, and where its secrets can go."""
        super().__init__()
        self.profile = profile or Profile()
        self.delivery_memory = delivery_memory or DeliveryMemory(LastUsed(), "", {})
        self._service, self._now, self.who = service, now, who
        self._standing_notice = notice
        self.panel = KeyListPanel(self.profile.rotate_after)
        self._loading: Worker[None] | None = None
        self._writing: list[str] = []
        self._actions = KeyActions(self, service, now)
        self._has_offered = False
        self._first_reading = ExitStack()
        self._footer_kind: StateKind = ""

    def compose(self) -> ComposeResult:
        """The panel and the key's facts."""
        link = "Sign out" if not self._service.session.is_open else "Leave"
        yield TopBar("Settings › API keys", self.who, self.notice, link)
        with Horizontal(id="page"):
            yield self.panel
            yield KeyFacts(classes="beside")
        yield KeyFooter()

    @property
    def notice(self) -> str:
        """The lasting notices: of the profile, of a partial list, of the journal."""
        listing = self._service.listing
        in_part = "" if listing.is_whole else LISTED_LATE if listing.is_stale else LISTED_IN_PART
        notices = (self._standing_notice, in_part, self._service.journal.problem)
        return "\n".join(filter(None, notices))

    def on_mount(self) -> None:
        """Read the keys, and hold what is typed meanwhile for the list; keep the ages current."""
        bindings = self.active_bindings.items()
        leaving = {key for key, active in bindings if active.binding.action in _LEAVING}
        self._first_reading.enter_context(opening_screen(self.app, HEARD_MEANWHILE | leaving))
        self.action_reload()
        self.set_interval(MOVE_ON_SECONDS, self._move_on)

    @on(events.Resize)
    def _follow_width(self) -> None:
        """Tell in the footer what Enter does at this width."""
        self.call_after_refresh(self.refresh_bindings)

    def on_unmount(self) -> None:
        """Let other instances know that nothing is worked on here any more."""
        self._first_reading.close()
        self._service.presence.close()

    @on(Button.Pressed, "#try-again")
    def action_reload(self) -> None:
        """Read the keys again; the cursor stays on its key."""
        self._loading = self._reload()

    @work(group="load", exclusive=True, description="read the keys")
    async def _reload(self) -> None:
        with self._first_reading:
            is_read = await self.read(can_be_cancelled=True)
        if is_read and not self._has_offered:
            self._has_offered = True
            self._run(offer_kept_secrets(self, self._service), "offer secrets that were kept")

    async def read(self, *, can_be_cancelled: bool = False) -> bool:
        """Read the keys and show them; False, with the reason shown, where that fails."""
        doing = f"Reading the keys{' · Esc cancels' if can_be_cancelled else ''}"
        try:
            with self.panel.status.working(doing):
                listing = await self._service.load()
        except (ApiError, SessionProblem) as error:
            if self._is_there:
                self.panel.show_failure(describe(error))
            return False
        if not self._is_there:
            return False
        search = await self._search_of(listing) if self.panel.search_row.is_open else None
        self.panel.show(listing.keys, listing.catalogue, self._now(), search)
        self._show_facts()
        self.refresh_bindings()
        if len(listing.keys) >= LONG_LIST:
            self._first_reading.close()
        await self._show_states(listing)
        return self._is_there

    @property
    def listing(self) -> Listing:
        """The keys as last read."""
        return self._service.listing

    @property
    def prefix(self) -> str:
        """The beginning of all paths of the API."""
        return self._service.session.client.server.prefix

    def go_to(self, key_id: str) -> None:
        """Put the cursor on a key; a search that leaves it out is ended."""
        if not self.panel.table.move_to(key_id):
            self.panel.end_search()
            self.panel.table.move_to(key_id)
        self.panel.table.focus()

    def search_for(self, text: str) -> None:
        """Search the keys for a text."""
        self.action_find()
        self.panel.search_row.text = text

    def action_find(self) -> None:
        """Search the keys; what takes long of it is prepared while the operator types."""
        self.panel.open_search()
        if self.panel.search_row.search is None:
            self._prepare_search()

    @work(group="search", exclusive=True, description="prepare the search")
    async def _prepare_search(self) -> None:
        listing = self._service.listing
        search = await self._search_of(listing)
        if self._is_there and listing is self._service.listing:
            self.panel.search(search)

    async def _search_of(self, listing: Listing) -> KeySearch:
        return await asyncio.to_thread(KeySearch, listing.keys, listing.catalogue, self.prefix)

    @property
    def _is_there(self) -> bool:
        """Whether there is something to show an answer on: one may come while the program ends."""
        return self.is_attached and bool(self.query(KeyTable))

    async def _show_states(self, listing: Listing) -> None:
        """Show beside the keys what is known of them, and count what asks for attention."""
        records = await self._service.records()
        paused = await asyncio.to_thread(paused_keys, listing.keys)
        pauses = await find_pauses(self._service, paused)
        attention = Attention(self.profile.rotate_after, self._now(), listing.tells_addresses)
        requests = await asyncio.to_thread(self._requests_by_key, listing)
        due, exposed = await asyncio.to_thread(_due_and_exposed, listing.keys, attention)
        today = self._now().date()
        states = await asyncio.to_thread(row_states, records, pauses, today, self.app)
        counted = await asyncio.to_thread(groups, records, pauses)
        if not self._is_there or listing is not self._service.listing:
            return
        self.query_one(TopBar).notice = self.notice  # the journal has just been read
        self.panel.journal.show_requests(requests)
        self.panel.table.show_states(states)
        self.panel.show_groups({**counted, "due": due - counted["retiring"], "exposed": exposed})
        self._show_facts()
        self.refresh_bindings()

    def _requests_by_key(self, listing: Listing) -> dict[str, list[WriteRequest]]:
        """Return what the journal tells of each listed key, newest first, and of its successors."""
        history = self._service.history
        snapshot = history.current.snapshot
        by_key: dict[str, list[WriteRequest]] = {}
        named = {entry.predecessor for entry in snapshot.entries} & listing.by_id.keys()
        short_keys = {key_id: listing.by_id[key_id].short_key for key_id in named}
        for request in write_requests(snapshot.entries, self.who, snapshot.doubts, short_keys):
            last = request.last
            if last.key_id and history.is_about_this_server(last, listing):
                by_key.setdefault(last.key_id, []).append(request)
                if last.predecessor:
                    by_key.setdefault(last.predecessor, []).append(request)
        return by_key

    def _move_on(self) -> None:
        """Show ages as of now."""
        self.panel.table.set_now(self._now())
        self._show_facts()

    @on(KeyTable.Highlighted)
    def _show_facts(self) -> None:
        table = self.panel.table
        self.query_one(KeyFacts).show(table.key, table.key_context, table.state)
        key = table.key
        label = short(shown_label(key.raw_label or "")) if key is not None else ""
        self.panel.journal.show(key.id if key is not None else "", label)
        kind = table.state.kind if table.state is not None else ""
        if kind != self._footer_kind:
            self._footer_kind = kind
            self.refresh_bindings()

    def footer_word(self, action: str) -> str | None:
        """Return what a key does with the key under the cursor, or with those that are marked."""
        kind: StateKind = "" if self.panel.table.marked_count > 1 else self._footer_kind
        match action:
            case "open" if not self.panel.table.count:
                return ""
            case "open":  # where it edits, as another key does, that one is named
                return "" if self._opens_to_edit else "Details"
            case "reload" if self.panel.search_row.is_typed_in or self.panel.offers_reload:
                return ""
            case "details" if not self.panel.messages.tells_problem:
                return ""
            case "next_group":
                return self.panel.next_group_words
        return word_for_state(action, kind)

    @property
    def _opens_to_edit(self) -> bool:
        """Whether Enter edits: the key's facts stand beside the list, and it may be changed."""
        shows_facts = self.has_class("-wide") or self.has_class("-widest")
        return shows_facts and not self.profile.read_only

    def action_next_group(self) -> None:
        """Show only the keys of the next count above the list; after the last one all."""
        self.panel.show_next_group()

    def action_new(self) -> None:
        """Create a key."""
        self._run(self._actions.create(), "create a key")

    def action_new_like(self) -> None:
        """Create a key with the grants and addresses of the one under the cursor."""
        self._run_with_key(self._actions.create_like, "create a key like another one")

    def action_delete(self) -> None:
        """Delete the marked keys, else the one under the cursor."""
        self._run_with_marked(BulkDeleteScreen, self._actions.delete, "delete keys")

    def action_rotate(self) -> None:
        """Rotate the marked keys, else the one under the cursor."""
        self._run_with_marked(BulkRotateScreen, self._actions.rotate, "rotate keys")

    def action_finish(self) -> None:
        """Finish the rotation of the marked keys, else of the one under the cursor."""
        self._run_with_marked(BulkFinishScreen, self._actions.finish, "finish rotations")

    def action_pause(self) -> None:
        """Pause the marked keys, else the one under the cursor; where paused, resume them."""
        self._run_with_marked(BulkPauseScreen, self._actions.pause, "pause keys")

    def action_edit(self) -> None:
        """Edit the key under the cursor."""
        self._run_with_key(self._actions.edit, "edit a key")

    def action_verify(self) -> None:
        """Verify the marked keys, else the one under the cursor."""
        self._run_with_marked(BulkVerifyScreen, self._actions.verify, "verify keys")

    @on(KeyTable.Opened)
    def _open(self, event: KeyTable.Opened) -> None:
        """Edit a key, by way of its details where they don't stand beside the list."""
        if self._opens_to_edit:
            self._run(self._actions.edit(event.key), "edit a key")
        else:
            self._run(self._actions.open(event.key, self.who), "open a key")

    def _run_with_marked(
        self, screen: type[BulkScreen], action: KeyAction, description: str
    ) -> None:
        """Take the marked keys; one alone is treated as the one under the cursor is."""
        marked = self.panel.table.marked
        if len(marked) > 1:
            self._run(self._actions.run_bulk(screen, marked), description)
        elif marked:
            self._run(action(marked[0]), description)
        else:
            self._run_with_key(action, description)

    def _run_with_key(self, action: KeyAction, description: str) -> None:
        """Take the key under the cursor now, before any dialog opens."""
        if (key := self.panel.table.key) is not None:
            self._run(action(key), description)

    def _run(self, action: Coroutine[Any, Any, None], description: str) -> None:
        self.run_worker(action, group="action", description=description)

    def action_sort(self, column: int) -> None:
        """Sort by the column, or turn its order around."""
        self.panel.table.sort(list(Column)[column])

    def action_mark(self) -> None:
        """Mark the key under the cursor, or unmark it."""
        self.panel.table.mark()

    def action_stretch(self, rows: int) -> None:
        """Mark a range, by one row up (-1) or down (1)."""
        self.panel.table.stretch(rows)

    def action_copy(self) -> None:
        """Send label, short key or id of the key under the cursor to the clipboard."""
        self._run_with_key(self._actions.copy, "copy a name of a key")

    def action_compare(self) -> None:
        """Show the grants of the marked keys side by side."""
        keys = self.panel.table.marked
        if FEWEST <= len(keys) <= MOST:
            self.app.push_screen(CompareScreen(keys, self._service.listing.catalogue))
        else:
            text = f"Mark {FEWEST} to {MOST} keys with Space to compare what they may do."
            self.panel.messages.show(Content(text), "note")

    def action_mark_all(self) -> None:
        """Mark all keys, or none."""
        self.panel.table.mark_all()

    def action_back(self) -> None:
        """Stop loading; else end the search, show all, unmark all, close the newest message."""
        if self._loading is not None and not self._loading.is_finished:
            self._loading.cancel()
            if not self.panel.table.total:
                self.panel.show_failure(Problem("Reading the keys was cancelled."))
        elif self.panel.search_row.is_open:
            self.panel.end_search()
        elif self.panel.group:
            self.panel.show_only("")
        elif self.panel.table.has_marks:
            self.panel.table.unmark_all()
        else:
            self.panel.messages.dismiss()

    def action_close_message(self) -> None:
        """Close the newest message."""
        self.panel.messages.dismiss()

    @on(Button.Pressed, "#show-details")
    def action_details(self) -> None:
        """Show what exactly went wrong."""
        if self.panel.problem is not None:
            self.app.push_screen(ProblemScreen(self.panel.problem))

    @work(group="journal", exclusive=True, description="read the journal")
    async def action_journal(self) -> None:
        """Show what was done."""
        journal = self._service.journal
        snapshot = await asyncio.to_thread(journal.read)
        keys = self._service.listing.keys
        self.app.push_screen(JournalScreen(snapshot, journal.path, self.who, keys))

    async def action_leave(self) -> None:
        """Sign out and leave the program."""
        await self.run_action("app.leave")

    @on(Link.Clicked)
    def action_sign_out(self) -> None:
        """Sign out, unless a write is under way."""
        if self._check_idle():
            if self._loading is not None:
                self._loading.cancel()
            self.post_message(self.SignedOut())

    async def may_leave(self) -> bool:
        """Refuse while the server is at it."""
        return self._check_idle()

    def _check_idle(self) -> bool:
        """Return whether no write is under way; show which one is."""
        if self._writing:
            message = f"{self._writing[0]} You can leave once the server has answered."
            self.panel.messages.show(Content(message), "note")
        return not self._writing

    @contextmanager
    def writing(self, sentence: str) -> Iterator[None]:
        """Show that a write is under way; the program is not left meanwhile."""
        self._writing.append(sentence)
        try:
            with self.panel.status.working(sentence, is_write=True):
                yield
        finally:
            self._writing.remove(sentence)
            self.panel.messages.withdraw_notes()

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Offer what the table's state allows, and no change where the server is only read."""
        if self.profile.read_only and action in changing_actions(self.PLACE):
            return False
        if self.panel.search_row.is_typed_in and action not in _WHILE_TYPING:
            return False
        if action in _WANTS_KEYS and not self.panel.table.count:
            return False
        if action == "find" and not self.panel.table.total:
            return False
        return not (action == "details" and self.panel.problem is None)


def _due_and_exposed(
    keys: Sequence[Key], attention: Attention
) -> tuple[frozenset[str], frozenset[str]]:
    """Return the ids of the keys that are due, and of those that send from any address."""
    due = frozenset(key.id for key in keys if attention.is_due(key))
    return due, frozenset(key.id for key in keys if attention.is_exposed(key))
