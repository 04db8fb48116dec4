"""The secret of a new key: shown once, on a screen of its own."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import ClassVar

from textual import on, work
from textual.app import ComposeResult, SuspendNotSupported
from textual.binding import BindingType
from textual.containers import Horizontal, Vertical
from textual.content import Content
from textual.screen import Screen
from textual.widgets import Button, Footer, Static

from tui.api.grants import Catalogue
from tui.api.models import CreatedKey, KeyDraft
from tui.bindings import Place, bindings_for
from tui.delivery import (
    DeliveryFailed,
    plain_view,
    send_to_clipboard,
    suggested_file_name,
    write_secret_file,
)
from tui.screens.dialog import AskScreen, ConfirmScreen
from tui.text import mask, plain, short
from tui.widgets.messages import Kind, Messages
from tui.widgets.status import Status
from tui.widgets.top_bar import TopBar


class SecretScreen(Screen[str]):
    """Shows a secret until the operator says that it is stored; returns where it was sent to.

    Nothing here leaves before that, and afterwards the program holds the secret no more.
    """

    CSS_PATH = "secret.tcss"
    AUTO_FOCUS = ""
    ALLOW_SELECT = False
    BINDINGS: ClassVar[list[BindingType]] = list(bindings_for(Place.SECRET))

    def __init__(self, created: CreatedKey, draft: KeyDraft, catalogue: Catalogue) -> None:
        super().__init__()
        self._created, self._draft, self._catalogue = created, draft, catalogue
        self._went_to: list[str] = []

    def compose(self) -> ComposeResult:
        """The secret, what it is for, and where it can go."""
        created = self._created
        yield TopBar("Settings › API keys › New")
        with Vertical(id="page"):
            yield Static("The API key was created", id="title")
            yield Static(self._about(), id="about")
            yield Static(Content(plain(created.secret.get_secret_value())), id="secret")
            yield Static(
                "This is the only time that the secret is shown: it can never be retrieved again. "
                "Take care to record and safeguard it.",
                id="warning",
            )
            with Horizontal(id="ways"):
                yield Button("Send to clipboard", id="clipboard", compact=True)
                yield Button("Write to a file", id="write", compact=True)
                yield Button("Plain view", id="plain", compact=True)
            yield Status()
            yield Messages()
            with Horizontal(id="buttons"):
                yield Button("I have stored it", id="stored", variant="primary", compact=True)
        yield Footer(show_command_palette=False, compact=True)

    @on(Button.Pressed, "#clipboard")
    @work(group="deliver", description="send the secret to the clipboard")
    async def action_clipboard(self) -> None:
        """Send the secret to the clipboard that is nearest."""
        with self.query_one(Status).working("Sending it to the clipboard"):
            sent = await send_to_clipboard(self._created.secret, os.environ, self._write_terminal)
        self._delivered(sent.where, sent.caveat)

    @on(Button.Pressed, "#write")
    @work(group="deliver", description="write the secret to a file")
    async def action_write(self) -> None:
        """Ask for a path, and write the secret to a new file there."""
        name = suggested_file_name(self._created.label, self._created.short_key)
        body = Content("A new file that only you can read. An existing one is never overwritten.")
        path, refusal = str(Path.cwd() / name), ""
        while True:
            ask = AskScreen(
                "Write the secret to a file", body, "Path", yes="Write", value=path, refusal=refusal
            )
            answer = await self.app.push_screen_wait(ask)
            if answer is None:
                return
            try:
                written = write_secret_file(Path(answer.strip()), self._created.secret)
            except DeliveryFailed as failure:
                path, refusal = answer, failure.sentence
            else:
                self._delivered(f"Written to {plain(str(written))}, which only you can read.")
                return

    @on(Button.Pressed, "#plain")
    def action_plain(self) -> None:
        """Show the secret on the ordinary screen, for selection by mouse."""
        heading = f"The secret of {short(self._created.label, 60)}, to select with the mouse:"
        try:
            with self.app.suspend():
                plain_view(
                    self._created.secret,
                    heading,
                    sys.stdin.readline,
                    self._write_plain,
                    _columns,
                )
        except SuspendNotSupported:
            self._tell(Content("This terminal can't be given back for a while."), "problem")
        else:
            self._delivered("Shown plain, and erased again.")

    @on(Button.Pressed, "#stored")
    def action_stored(self) -> None:
        """The operator says that the secret is stored."""
        self._leave()

    @work(group="leave", description="ask whether the secret is stored")
    async def action_close(self) -> None:
        """Leave, once the operator has said that the secret is stored."""
        if await self.may_leave():
            self._leave()

    async def may_leave(self) -> bool:
        """Ask whether the secret is stored; the program must not leave before that."""
        body = Content.assemble(
            "Once you leave, nobody can ever show the secret of ",
            (short(self._created.label), "bold"),
            " again. ",
            " ".join(self._went_to) or "So far it was sent nowhere.",
        )
        ask = ConfirmScreen(
            "Have you stored the secret?", body, yes="I have stored it", no="Go back", danger=True
        )
        return await self.app.push_screen_wait(ask)

    def _leave(self) -> None:
        went_to, self._went_to = " ".join(self._went_to), []
        self.query_one("#secret", Static).update("")
        del self._created
        self.dismiss(went_to)

    def _about(self) -> Content:
        lines = [
            Content.assemble(
                (short(self._created.label), "bold"), "  ", mask(self._created.short_key)
            ),
            Content(", ".join(map(self._catalogue.label, self._draft.grants))),
        ]
        if self._draft.valid_ips:
            lines.append(Content(f"Only from {', '.join(map(plain, self._draft.valid_ips))}"))
        return Content("\n").join(lines)

    def _delivered(self, where: str, caveat: str = "") -> None:
        if where not in self._went_to:
            self._went_to.append(where)
        self._tell(Content(f"{where} {caveat}".strip()), "done")

    def _tell(self, content: Content, kind: Kind) -> None:
        messages = self.query_one(Messages)
        messages.clear()
        messages.tell(content, kind)

    def _write_terminal(self, sequence: str) -> None:
        driver = self.app._driver  # App.copy_to_clipboard would keep the secret
        if driver is not None:
            driver.write(sequence)
            driver.flush()

    @staticmethod
    def _write_plain(text: str) -> None:
        terminal = sys.__stdout__
        if terminal is not None:
            terminal.write(text)
            terminal.flush()


def _columns() -> int:
    """Return how wide the terminal is now; a window may be resized while the app is suspended."""
    return os.get_terminal_size().columns
