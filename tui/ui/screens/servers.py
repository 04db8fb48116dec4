"""The servers to choose from: those of the configuration, and those that were used last."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import Vertical
from textual.content import Content
from textual.screen import ModalScreen
from textual.widgets import Static
from textual.widgets.option_list import Option

from tui.config.profile import Profile
from tui.text import count, short
from tui.ui.bindings import Place, bindings_for
from tui.ui.widgets.key_footer import KeyFooter
from tui.ui.widgets.marked_list import MarkedList
from tui.ui.widgets.too_small import TooSmall


class ServersScreen(ModalScreen["Profile | None"]):
    """Offers `profiles` and, as `other`, a server that is none of them; returns the one chosen.

    `warning` says what choosing one ends.
    """

    CSS_PATH = "servers.tcss"
    AUTO_FOCUS = "#servers"
    PLACE = Place.SERVERS
    BINDINGS: ClassVar[list[BindingType]] = list(bindings_for(PLACE))

    def __init__(self, profiles: Sequence[Profile], other: Profile, warning: str = "") -> None:
        super().__init__()
        self._profiles, self._warning = [*profiles, other], warning

    def compose(self) -> ComposeResult:
        """A line for each server, and one for any other."""
        width = max((len(profile.name) for profile in self._profiles), default=0)
        mark_width = max(len(_mark(profile)) for profile in self._profiles)
        lines = [_line(profile, width, mark_width) for profile in self._profiles[:-1]]
        yield TooSmall()
        with Vertical(id="box"):
            servers = count(len(lines), "server")
            title = Content.assemble(("Which server?", "bold"), (f"  {servers}", "$text-muted"))
            yield Static(title, id="title")
            warning = Static(Content(self._warning), id="warning")
            warning.display = bool(self._warning)
            yield warning
            lines.append(Content("Another one: its address is asked for"))
            yield MarkedList(*map(Option, lines), id="servers", compact=True)
        yield KeyFooter()

    @on(MarkedList.OptionSelected)
    def _selected(self, event: MarkedList.OptionSelected) -> None:
        self.dismiss(self._profiles[event.option_index])

    def action_choose(self) -> None:
        """Choose the server under the cursor."""
        self.query_one("#servers", MarkedList).action_select()

    def action_close(self) -> None:
        """Choose none."""
        self.dismiss(None)


def _line(profile: Profile, width: int, mark_width: int) -> Content:
    """Return name, whether it is only read, user and address, which is cut where it is long."""
    address = short(profile.url.partition("://")[2] or profile.url, 60)
    who = f"{short(profile.user, 30)}@{address}" if profile.user else address
    parts: list[str | tuple[str, str]] = []
    if width:
        parts.append((f"{profile.name:{width}}  ", "bold"))
    if mark_width:
        parts.append((f"{_mark(profile):{mark_width}}  ", "$text-muted"))
    return Content.assemble(*parts, who)


def _mark(profile: Profile) -> str:
    return "read-only" if profile.read_only else ""
