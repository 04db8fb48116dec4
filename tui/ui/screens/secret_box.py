"""A secret, and where it can go: shared by the screens that show one."""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import Protocol, TypeVar, cast

from rich.cells import cached_cell_len
from textual import work
from textual.app import ComposeResult, SuspendNotSupported
from textual.containers import Vertical
from textual.content import Content
from textual.message import Message
from textual.screen import Screen
from textual.widgets import Static

from tui.delivery import (
    CommandDelivery,
    DeliveryFailed,
    DeliveryFault,
    FileDelivery,
    NewSecret,
    Sent,
    does_not_answer,
    form_of,
    plain_view,
    send_to_clipboard,
    suggested_file_name,
    typed_path,
    variable_name,
    write_secret_file,
)
from tui.journal import Attempt
from tui.keys.handing_over import handing_over
from tui.text import plain, short
from tui.ui.screens.ask_command import AskCommandScreen
from tui.ui.screens.dialog import AskPathScreen
from tui.ui.terminal.output import write_and_wait
from tui.ui.terminal.textual_internals import write_to_terminal
from tui.ui.widgets.action_list import ActionLine, ActionList
from tui.ui.widgets.command_field import delivery_memory_of
from tui.ui.widgets.status import Status
from tui.waiting import in_thread, see_through, seen_through

Result = TypeVar("Result")

WAYS = (
    ActionLine("c", "Clipboard", "clipboard", "of tmux, the desktop or the terminal"),
    ActionLine("w", "File", "write", "a new one that only you can read"),
    ActionLine("x", "Command", "command", "gets it on its standard input"),
    ActionLine("p", "Plain view", "plain", "to select it with the mouse"),
)
"""Where a secret can go."""


class LocksWhenIdle(Protocol):
    """An app that hides everything after a time without a key."""

    @property
    def seconds_to_lock(self) -> float | None:
        """In how many seconds that is if no key comes; None: never."""

    def note_key(self) -> None:
        """Note that somebody is there."""


class SecretBox(Vertical):
    """Shows one secret and sends it where the operator says; `forget` ends that.

    What becomes of it is noted at once with the `attempt` that made the key, if there is one.
    """

    DEFAULT_CSS = """
    SecretBox {
        height: auto;
        #secret {
            padding: 0 1; width: auto; max-width: 100%; border: round $accent; text-style: bold;
        }
        #warning { color: $text-warning; margin-bottom: 1; }
    }
    """

    class Delivered(Message):
        """The secret was sent somewhere."""

    def __init__(
        self,
        attempt: Callable[[], Attempt | None] = lambda: None,
        labels: Sequence[str] = (),
        more_actions: Sequence[ActionLine] = (),
    ) -> None:
        """Take the raw `labels` of all keys: no command may mistake one for another.

        `more_actions` of the screen stand beneath the ways out.
        """
        super().__init__()
        self._attempt, self._labels = attempt, labels
        self._actions = ActionList([*WAYS, *more_actions], id="ways")
        self._new_secret: NewSecret | None = None
        self._command: CommandDelivery | None = None
        self._went_to: list[str] = []
        self._ways: set[str] = set()

    @property
    def went_to(self) -> str:
        """Where the secret was sent, in words; nothing where it was sent nowhere."""
        return " ".join(self._went_to)

    @property
    def ways(self) -> list[str]:
        """The names of the ways that the secret was sent by, each once: `File`."""
        return [line.name for line in WAYS if line.action in self._ways]

    def compose(self) -> ComposeResult:
        """The secret, the warning, and the ways out with what came of them."""
        yield Static(id="secret", markup=False)
        yield Static(
            "! Shown only now: it can never be retrieved again. Take care to record it.",
            id="warning",
        )
        yield self._actions
        yield Status()

    def show_outcome(self, action: str, outcome: Content) -> None:
        """Show what came of an action of the screen."""
        self._actions.show_outcome(action, outcome)

    def focus_actions(self) -> None:
        """Take the arrow keys, and leave what is seen of the page as it is."""
        self._actions.focus(scroll_visible=False)

    def show(self, new_secret: NewSecret) -> None:
        """Show a secret; the same one once more, where more is known of its key by now."""
        if self._new_secret is None or new_secret.secret is not self._new_secret.secret:
            self._went_to, self._ways = [], set()
            self._actions.clear_outcomes()
        self._new_secret = new_secret
        value = new_secret.secret.get_secret_value()
        shown = self.query_one("#secret", Static)
        shown.update(Content(plain(value)))
        self.call_after_refresh(shown.scroll_visible, animate=False)

    def forget(self) -> None:
        """Let go of the secret."""
        self._new_secret = None
        self.query_one("#secret", Static).update("")
        cached_cell_len.cache_clear()  # it remembers the texts that were measured

    @work(group="deliver", description="send the secret to the clipboard")
    async def send_to_clipboard(self) -> None:
        """Send the secret to the clipboard that is nearest."""
        if self._new_secret is None:
            return
        try:
            with self.query_one(Status).working("Sending it to the clipboard"):
                async with handing_over(self._attempt()):
                    sent = await send_to_clipboard(
                        self._new_secret.secret, os.environ, self._write_terminal
                    )
        except DeliveryFailed as failure:
            self._failed("clipboard", failure.sentence)
        else:
            self._delivered("clipboard", sent)

    @work(group="deliver", description="write the secret to a file")
    async def write_to_file(self) -> None:
        """Ask for a path, and write the secret to a new file there."""
        new_secret = self._new_secret
        if new_secret is None:
            return
        name = variable_name(plain(new_secret.label), new_secret.short_key, ())
        body = Content(
            "A new file that only you can read. An existing one is never overwritten. One that "
            f"ends in .env, .json or .csv tells whose secret it is, too: {name}=…"
        )
        memory = delivery_memory_of(self.app)
        folder = Path(memory.last_folder) if memory.last_folder else _working_directory()
        path = str(folder / suggested_file_name(plain(new_secret.label), new_secret.short_key))
        refusal = ""
        while True:
            ask = AskPathScreen("Write the secret to a file", body, value=path, refusal=refusal)
            answer = await self.app.push_screen_wait(ask)
            if answer is None:
                return
            try:
                with self.query_one(Status).working("The file is being written"):
                    async with handing_over(self._attempt()):
                        where = await _write_new_file(typed_path(answer), new_secret)
            except DeliveryFailed as failure:
                path, refusal = answer, failure.sentence
            else:
                memory.note_folder(_folder_of(answer))
                self._delivered("write", Sent(where, ""), is_stored=True)
                return

    @work(group="plain", exclusive=True, description="show the secret as plain text")
    async def show_plain(self) -> None:
        """Show the secret on the ordinary screen, for selection by mouse."""
        new_secret = self._new_secret
        if new_secret is None:
            return
        try:
            with self.query_one(Status).working("The plain view is being prepared"):
                async with handing_over(self._attempt()):
                    if self._new_secret is not new_secret or not self.screen.is_current:
                        sentence = "Not shown, as another screen was opened meanwhile."
                        raise DeliveryFailed(DeliveryFault.OTHER, sentence)
                    self._show_on_ordinary_screen(new_secret)
        except DeliveryFailed as failure:
            self._failed("plain", failure.sentence)
        else:
            self._delivered("plain", Sent("Shown plain, and erased again.", ""))

    def _show_on_ordinary_screen(self, new_secret: NewSecret) -> None:
        heading = f"The secret of {short(new_secret.label, 60)}, to select with the mouse:"
        app = cast("LocksWhenIdle", self.app)
        try:
            with self.app.suspend():
                is_left = plain_view(
                    new_secret.secret, heading, sys.stdin.readline, _write_plain, _columns,
                    seconds=app.seconds_to_lock,
                )  # fmt: skip
        except SuspendNotSupported:
            sentence = "This terminal can't be given back for a while."
            raise DeliveryFailed(DeliveryFault.OTHER, sentence) from None
        if is_left:
            app.note_key()

    @work(group="deliver", description="hand the secret to a command on its standard input")
    async def hand_to_command(self) -> None:
        """Ask for a command, and run it with the secret on its input; one that runs is stopped."""
        new_secret, memory = self._new_secret, delivery_memory_of(self.app)
        if self._command is not None:
            self._command.stop()
            return
        if new_secret is None:
            return
        command, refusal = "", ""
        while True:
            ask = AskCommandScreen(memory, value=command, refusal=refusal)
            answer = await self.app.push_screen_wait(ask)
            if answer is None:
                return
            delivery = CommandDelivery(answer)
            try:
                delivery.check([new_secret.label], self._labels)
                sent = await self._hand_over(delivery, new_secret)
            except DeliveryFailed as failure:
                command, refusal = answer, failure.sentence
            else:
                memory.note_command(answer)
                self._delivered("command", sent, is_stored=True)
                return

    async def _hand_over(self, delivery: CommandDelivery, new_secret: NewSecret) -> Sent:
        """Have a command take the secret; meanwhile the key that runs commands stops it."""
        self._command = delivery
        try:
            with self.query_one(Status).working("The command runs · x stops it"):
                async with handing_over(self._attempt()):
                    return await delivery.deliver(new_secret)
        finally:
            self._command = None

    def _delivered(self, action: str, sent: Sent, *, is_stored: bool = False) -> None:
        if is_stored and (attempt := self._attempt()):
            attempt.stored(sent.where)
        if sent.where not in self._went_to:
            self._went_to.append(sent.where)
        self._ways.add(action)
        sign = ("✓ ", "$text-success") if sent.is_confirmed else ("→ ", "$text-accent")
        self._actions.show_outcome(action, Content.assemble(sign, sent.where), sent.caveat)
        self.post_message(self.Delivered())

    def _failed(self, action: str, sentence: str) -> None:
        self._actions.show_outcome(action, Content.assemble(("✗ ", "$text-error"), sentence))

    def _write_terminal(self, sequence: str) -> None:
        write_to_terminal(self.app, sequence)


class ShowsSecret(Screen[Result]):
    """A screen with a secret box on it, whose keys send the secret where it is to go."""

    ALLOW_SELECT = False

    def action_clipboard(self) -> None:
        """Send the secret to the clipboard."""
        self.query_one(SecretBox).send_to_clipboard()

    def action_write(self) -> None:
        """Write the secret to a file."""
        self.query_one(SecretBox).write_to_file()

    def action_plain(self) -> None:
        """Show the secret plain."""
        self.query_one(SecretBox).show_plain()

    def action_command(self) -> None:
        """Hand the secret to a command."""
        self.query_one(SecretBox).hand_to_command()


def _working_directory() -> Path:
    """Return the working directory; the home where somebody has deleted it meanwhile."""
    try:
        return Path.cwd()
    except OSError:
        return Path("~")


def _folder_of(path: str) -> Path:
    """Return in which folder a file lies, as a whole path."""
    return Path(os.path.abspath(os.path.expanduser(path.strip()))).parent  # noqa: PTH100, PTH111  # the names alone: nothing is looked up


async def _write_new_file(path: Path, new_secret: NewSecret) -> str:
    """Write the secret to a new file in the form that its ending asks for; return where it is."""
    form = form_of(path)
    if form is None:
        try:
            written = await see_through(
                in_thread(partial(write_secret_file, path, new_secret.secret))
            )
        except TimeoutError:
            raise does_not_answer(path) from None
        return f"Written to {plain(str(written))}, which only you can read."
    delivery = FileDelivery(path, form)
    try:
        return (await delivery.deliver(new_secret)).where
    finally:
        seen_through(in_thread(delivery.close))


def _write_plain(text: str) -> None:
    if sys.__stdout__ is not None:
        write_and_wait(sys.__stdout__, text)


def _columns() -> int:
    """Return how wide the terminal is now; a window may be resized while the app is suspended."""
    return shutil.get_terminal_size().columns
