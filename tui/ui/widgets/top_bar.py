"""The line at the top: product and place at the left, who is signed in and where at the right."""

from __future__ import annotations

from typing import Protocol, runtime_checkable

from textual import events
from textual.app import ComposeResult
from textual.containers import Horizontal, Vertical
from textual.content import Content
from textual.message import Message
from textual.reactive import reactive
from textual.widgets import Static

from tui.ui.widgets.too_small import TooSmall


@runtime_checkable
class KnowsWho(Protocol):
    """A screen that knows who is signed in, and where."""

    who: str


class Link(Static):
    """A word to click on; the keyboard has a key for the same."""

    class Clicked(Message):
        """The word was clicked."""

    def on_click(self, event: events.Click) -> None:
        """Let the screen know."""
        event.stop()
        self.post_message(self.Clicked())


class TopBar(Vertical):
    """Product, place and person, and beneath them the lasting notices.

    `who` and `notice` may hold a server's words, made safe; nothing here is parsed as markup.
    Without `who` it says what a screen beneath knows, so that it is seen where keys are changed.
    """

    DEFAULT_CSS = """
    TopBar {
        dock: top; height: auto;
        & > Horizontal { height: 1; background: $panel; padding: 0 2; }
        .top-bar--place { width: auto; max-width: 100%; text-wrap: nowrap;
            text-overflow: ellipsis; }
        .top-bar--who { width: 1fr; text-align: right; color: $text-muted; text-wrap: nowrap;
            text-overflow: ellipsis; padding-left: 2; }
        Link { width: auto; margin-left: 2; color: $text-accent; }
        Link:hover { text-style: underline; }
        .top-bar--notice { height: auto; padding: 0 2; background: $panel;
            color: $text-warning; }
    }
    """

    notice = reactive("", init=False)

    def __init__(self, place: str, who: str = "", notice: str = "", link: str = "") -> None:
        super().__init__()
        self._place, self._who, self._link = place, who, link
        self.set_reactive(TopBar.notice, notice)

    def compose(self) -> ComposeResult:
        """One line, and one more for the notice where there is one."""
        yield TooSmall()
        with Horizontal():
            product = "bold" if self.app.has_class("-bar") else "bold $text-accent"
            place = Content.assemble(("momentum-keys", product), ("  ", ""), self._place)
            yield Static(place, classes="top-bar--place")
            yield Static(Content(self._who or self._known_who()), classes="top-bar--who")
            if self._link:
                yield Link(Content(self._link))
        line = Static(Content(self.notice), classes="top-bar--notice")
        line.display = bool(self.notice)
        yield line

    def _known_who(self) -> str:
        screens = (screen for screen in self.app.screen_stack if isinstance(screen, KnowsWho))
        return next((screen.who for screen in screens), "")

    def watch_notice(self, notice: str) -> None:
        """Show what stands from now on."""
        for line in self.query(".top-bar--notice").results(Static):
            line.update(Content(notice))
            line.display = bool(notice)
