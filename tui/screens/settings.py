"""Settings: the API keys of the server, and what can be done with them."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import ClassVar

from rich.cells import cell_len
from textual import on, work
from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import Center, Horizontal, Vertical
from textual.content import Content
from textual.message import Message
from textual.screen import Screen
from textual.widgets import Button, Footer, Static
from textual.worker import Worker

from tui.api.errors import ApiError
from tui.api.grants import sends
from tui.api.models import Key
from tui.bindings import Place, bindings_for
from tui.errands import explain
from tui.problems import Problem
from tui.screens.dialog import DeleteKeyScreen, ProblemScreen
from tui.screens.key_detail import KeyDetailScreen
from tui.screens.key_form import CreateKeyScreen, EditKeyScreen
from tui.screens.secret import SecretScreen
from tui.screens.verify import verification_of
from tui.service import KeyService, Listing
from tui.session import SessionProblem
from tui.text import mask, short
from tui.widgets.columns import Column
from tui.widgets.key_detail import KeyDetail
from tui.widgets.key_table import KeyTable
from tui.widgets.messages import Messages
from tui.widgets.status import Status
from tui.widgets.top_bar import Link, TopBar

LONGEST_TYPED = 40
"""Up to how many cells a label is asked to be typed before a key that sends is deleted."""


class SettingsScreen(Screen[None]):
    """The panel API keys: a table, and beside it, on wide terminals, the key under the cursor."""

    CSS_PATH = "settings.tcss"
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
        self._writing = ""

    def compose(self) -> ComposeResult:
        """The panel and the detail."""
        link = "Sign out" if not self._service.session.is_open else "Leave"
        yield TopBar("Settings › API keys", self._who, self._notice, link)
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
                    with Center():
                        yield Button("Try again", id="try-again", variant="primary", compact=True)
                        yield Button("Show error details", id="show-details", compact=True)
            yield KeyDetail()
        yield Footer(show_command_palette=False, compact=True)

    @property
    def _notice(self) -> str:
        """What stands as long as it is true."""
        return "\n".join(filter(None, (self._standing, self._service.journal.problem)))

    def on_mount(self) -> None:
        """Read the keys."""
        self.action_reload()

    @on(Button.Pressed, "#try-again")
    def action_reload(self) -> None:
        """Read the keys again; the cursor stays on its key."""
        self._load = self._reload()

    @work(group="load", exclusive=True, description="read the keys")
    async def _reload(self) -> None:
        await self._read()

    @on(Button.Pressed, "#new")
    @work(group="errand", exclusive=False, description="create a key")
    async def action_new(self) -> None:
        """Create a key, show its secret once, and go on with the key in the list."""
        created = await self.app.push_screen_wait(CreateKeyScreen(self._service, self._notice))
        if created is None:
            return
        key = created.key
        key_id, short_key, label = key.id, key.short_key, key.label
        attempt = created.attempt
        draft, catalogue = created.draft, self._service.listing.catalogue
        client = self._service.session.client
        proof = verification_of(client, key.secret, draft.grants, draft.valid_ips)
        screen = SecretScreen(key, draft, catalogue, proof)
        del created, key, proof
        went_to = await self.app.push_screen_wait(screen)
        del screen
        attempt.stored(went_to or "By the operator's own word.")
        if await self._read():
            made = self._service.listing.find(key_id, short_key, label)
            if made is not None:
                self.query_one(KeyTable).move_to(made.id)
        self._tell("API key ", label, f" was created. {went_to}")

    @work(group="errand", exclusive=False, description="edit a key")
    async def action_edit(self) -> None:
        """Edit the key under the cursor."""
        if (key := self.query_one(KeyTable).key) is not None:
            await self._edit(key)

    @work(group="errand", exclusive=False, description="delete a key")
    async def action_delete(self) -> None:
        """Delete the key under the cursor, after asking."""
        if (key := self.query_one(KeyTable).key) is not None:
            await self._delete(key)

    @on(KeyTable.Opened)
    @work(group="errand", exclusive=False, description="open a key")
    async def _open(self, event: KeyTable.Opened) -> None:
        """Edit a key, by way of its details where they don't stand beside the list."""
        key = event.key
        wanted = "edit"
        if not self.has_class("-wide"):
            detail = KeyDetailScreen(key, self._service.listing.catalogue, self._now(), self._who)
            wanted = await self.app.push_screen_wait(detail)
        if wanted == "edit":
            await self._edit(key)
        elif wanted == "delete":
            await self._delete(key)

    def action_sort(self, column: int) -> None:
        """Sort by the column, or turn its order around."""
        self.query_one(KeyTable).sort(list(Column)[column])

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

    @on(Link.Clicked)
    def action_sign_out(self) -> None:
        """Sign out."""
        if not self._writing:
            self.post_message(self.SignedOut())

    async def may_leave(self) -> bool:
        """Refuse while the server is at it."""
        if self._writing:
            self._tell("", self._writing, " Its answer is awaited, then you can leave.")
        return not self._writing

    @on(KeyTable.Highlighted)
    def _highlighted(self, event: KeyTable.Highlighted) -> None:
        self.query_one(KeyDetail).show(event.key, self._service.listing.catalogue, self._now())

    async def _edit(self, key: Key) -> None:
        if await self.app.push_screen_wait(EditKeyScreen(self._service, self._notice, key)) is None:
            return
        await self._read()
        self._tell("API key ", key.label, " was updated.")

    async def _delete(self, key: Key) -> None:
        if not await self.app.push_screen_wait(self._ask_delete(key)):
            return
        self._writing = f"{short(key.label, 40)} is being deleted."
        try:
            with self.query_one(Status).working(self._writing):
                was_there = await self._service.delete(key)
        except (ApiError, SessionProblem) as error:
            self._tell_problem(explain(error, key))
            return
        finally:
            self._writing = ""
        await self._read()
        gone = " was deleted." if was_there else " had already been deleted by somebody else."
        self._tell("API key ", key.label, gone)

    def _ask_delete(self, key: Key) -> DeleteKeyScreen:
        label = short(key.label) or "(no label)"
        about = f"  {mask(key.short_key)}" if key.short_key else ""
        parts = [
            Content.assemble((label, "bold"), (about, "$text-muted")),
            Content(
                "Are you sure? Access is revoked at once for every client that uses this key, "
                "and it can't be undone."
            ),
        ]
        typed = ""
        if sends(key.grants):
            parts.append(
                Content.styled("This key sends mail: what uses it stops.", "$text-warning")
            )
            typed = label if cell_len(label) <= LONGEST_TYPED else key.short_key or "delete"
        title = f"Delete API Key: {short(label, 40)}"
        return DeleteKeyScreen(title, Content("\n\n").join(parts), typed=typed)

    async def _read(self) -> bool:
        """Read the keys and show them; False, with the reason told, where that fails."""
        try:
            with self.query_one(Status).working("Reading the keys · Esc cancels"):
                listing = await self._service.load()
        except (ApiError, SessionProblem) as error:
            self._failed(explain(error))
            return False
        self._problem = None
        self.query_one(TopBar).notice = self._notice
        self._show(listing)
        return True

    def _show(self, listing: Listing) -> None:
        table = self.query_one(KeyTable)
        table.show(listing.keys, listing.catalogue, self._now())
        self.query_one("#count", Static).update(Content(f"{len(listing.keys):,}"))
        empty = not listing.keys
        if empty:
            told = "No API keys yet.\n\nPress n to create the first one."
            self.query_one("#state-text", Static).update(Content(told))
        self._switch(table=not empty, problem=False)
        self.query_one(KeyDetail).show(table.key, listing.catalogue, self._now())
        self.refresh_bindings()

    def _failed(self, problem: Problem) -> None:
        """Tell a failed load: above the keys that are there, else in their place."""
        self._problem = problem
        if self._service.listing.keys:
            self._tell_problem(problem)
            return
        lines = (problem.title, problem.detail, problem.hint)
        told = Content("\n\n".join(line for line in lines if line))
        self.query_one("#state-text", Static).update(told)
        self._switch(table=False, problem=True)
        self.query_one("#try-again").focus()

    def _switch(self, *, table: bool, problem: bool) -> None:
        self.query_one(KeyTable).display = table
        self.query_one("#state").display = not table
        self.query_one("#try-again").display = problem
        self.query_one("#show-details").display = problem
        if table and self.focused is None:
            self.query_one(KeyTable).focus()

    def _tell(self, before: str, label: str, after: str) -> None:
        told = Content.assemble(before, (short(label), "bold"), after)
        self.query_one(Messages).tell(told, "done")

    def _tell_problem(self, problem: Problem) -> None:
        self._problem = problem
        told = Content.assemble((problem.title, "bold"), " ", problem.detail, " ", problem.hint)
        self.query_one(Messages).tell(told, "problem")
        self.refresh_bindings()

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Offer what the table's state allows."""
        if action in {"edit", "delete", "sort"} and not self._service.listing.keys:
            return False
        return not (action == "details" and self._problem is None)
