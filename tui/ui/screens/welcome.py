"""The first screen of a first start: asks for the address of a server."""

from __future__ import annotations

from typing import ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import Center, VerticalScroll
from textual.content import Content
from textual.message import Message
from textual.screen import Screen
from textual.widgets import Input, Static

from tui.api.address import AddressFault, BadAddress, parse_server
from tui.problems import describe
from tui.ui.bindings import Place, bindings_for
from tui.ui.widgets.field import Field
from tui.ui.widgets.key_footer import KeyFooter
from tui.ui.widgets.top_bar import TopBar

_ABOUT = (
    "Manage the API keys of a Momentum or SparkPost server: see who may do what, create keys and "
    "store their secrets, rotate keys without an outage.\n\n"
    "You need the server's address and your web-interface account."
)
_MORE = Content.assemble(
    "No server at hand? ",
    ("momentum-keys --sandbox", "bold"),
    " starts a sandbox.\nSeveral servers? ",
    ("momentum-keys config example", "bold"),
    " shows how to name them.",
)


class WelcomeScreen(Screen[None]):
    """Says what the program is for and what it needs, and asks for the server."""

    CSS_PATH = "welcome.tcss"
    AUTO_FOCUS = "Input"
    PLACE = Place.WELCOME
    BINDINGS: ClassVar[list[BindingType]] = list(bindings_for(PLACE))

    class Named(Message):
        """The operator named a server that can be called."""

        def __init__(self, url: str) -> None:
            super().__init__()
            self.url = url

    def __init__(self, *, plain_http_allowed: bool = False) -> None:
        super().__init__()
        self._plain_http_allowed = plain_http_allowed

    def compose(self) -> ComposeResult:
        """What it is for, what it needs, the server, and what else there is."""
        yield TopBar("Welcome")
        with Center(id="middle"), VerticalScroll(id="page", can_focus=False):
            yield Static(_ABOUT, id="about", markup=False)
            yield Field("Server", id="server", placeholder="https://momentum.example")
            yield Static(_MORE, id="more")
        yield KeyFooter()

    @on(Input.Submitted)
    def action_go_on(self) -> None:
        """Go on with the server that is typed, if it can be called."""
        field = self.query_one("#server", Field)
        try:
            parse_server(field.value, plain_http_allowed=self._plain_http_allowed)
        except BadAddress as error:
            problem = describe(error)
            is_empty = error.reason is AddressFault.EMPTY
            field.error = "Type its address." if is_empty else f"{problem.title}. {problem.hint}"
            field.focus_input()
        else:
            self.post_message(self.Named(field.value.strip()))
