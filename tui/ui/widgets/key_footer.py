"""The last line: the keys that can be pressed now, those that are needed most first."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Protocol, runtime_checkable

from rich.cells import cell_len
from textual import events
from textual.content import Content
from textual.screen import Screen
from textual.widget import Widget

from tui.ui.bindings import footer_rank

_GAP = 2
_LAST = ("scroll_facts(1)", "help")
"""The actions at the end, whatever else has room: nothing else tells the first; the second tells
all the others."""


@runtime_checkable
class WordsActions(Protocol):
    """A screen that words what a key does now."""

    def footer_word(self, action: str) -> str | None:
        """Return the word, nothing to leave the key out, None for the usual one."""


@dataclass(frozen=True, slots=True)
class _Item:
    action: str
    key: str
    shown: str
    word: str

    @property
    def width(self) -> int:
        return cell_len(self.shown) + 1 + cell_len(self.word)


class KeyFooter(Widget):
    """As many keys as fit, each with a word for what it does; a click presses one."""

    ALLOW_SELECT = False
    DEFAULT_CSS = """
    KeyFooter { dock: bottom; height: 1; padding: 0 2; background: $footer-background; }
    """

    def __init__(self) -> None:
        super().__init__()
        self._items: list[_Item] = []

    def on_mount(self) -> None:
        """Follow what can be pressed."""
        self.screen.bindings_updated_signal.subscribe(self, self._follow)

    def _follow(self, screen: Screen[object]) -> None:
        if self.is_attached and screen is self.screen and screen.app.app_focus:
            items = list(self._active())
            if items != self._items:
                self._items = items
                self.refresh()

    def _active(self) -> Iterator[_Item]:
        """Yield what is offered now, in order of need, each action once."""
        screen = self.screen
        active = [each for each in screen.active_bindings.values() if each.enabled]
        active.sort(key=lambda each: footer_rank(each.binding))
        actions: set[str] = set()
        for _, binding, _, _ in active:
            word = screen.footer_word(binding.action) if isinstance(screen, WordsActions) else None
            if word is None:
                word = binding.description if binding.show else ""
            if word and binding.action not in actions:
                actions.add(binding.action)
                yield _Item(binding.action, binding.key, self.app.get_key_display(binding), word)

    def _placed(self) -> Iterator[tuple[int, _Item]]:
        """Yield what fits, with its first cell."""
        last = [item for item in self._items if item.action in _LAST]
        last.sort(key=lambda item: _LAST.index(item.action))
        room = self.content_size.width - sum(item.width + _GAP for item in last)
        shown: list[_Item] = []
        for item in self._items:
            if item.action not in _LAST and item.width <= room:
                shown.append(item)
                room -= item.width + _GAP
        start = 0
        for item in (*shown, *last):
            yield start, item
            start += item.width + _GAP

    def render(self) -> Content:
        """Return the line."""
        line = Content("")
        for start, item in self._placed():
            gap = " " * (start - line.cell_length)
            line += Content.assemble(gap, (item.shown, "bold $text-accent"), f" {item.word}")
        return line

    def on_click(self, event: events.Click) -> None:
        """Press the key that was clicked."""
        place = event.get_content_offset(self)
        for start, item in self._placed():
            if place is not None and start <= place.x < start + item.width:
                event.stop()
                self.app.simulate_key(item.key)
