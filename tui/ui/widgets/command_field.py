"""A command to hand a secret to: typed, or picked and changed."""

from __future__ import annotations

import asyncio
import os
from typing import Any, Protocol, runtime_checkable

from textual import events, on
from textual.app import App, ComposeResult
from textual.containers import Vertical
from textual.content import Content
from textual.widgets import Input
from textual.widgets.option_list import Option

from tui.config.last_used import DeliveryMemory, LastUsed
from tui.delivery.recipes import Recipe, recipes
from tui.text import short
from tui.ui.widgets.field import Field
from tui.ui.widgets.marked_list import MarkedList


@runtime_checkable
class KnowsDeliveries(Protocol):
    """A screen that knows where the secrets of its server went."""

    delivery_memory: DeliveryMemory


def delivery_memory_of(app: App[Any]) -> DeliveryMemory:
    """Return what the screens beneath know of deliveries; nothing where there is none such."""
    for screen in app.screen_stack:
        if isinstance(screen, KnowsDeliveries):
            return screen.delivery_memory
    return DeliveryMemory(LastUsed(), "", {})


_LONGEST_NAME = 20
"""How many characters of a command's name are shown."""


class CommandField(Vertical):
    """A field, and beneath it the commands on offer: the arrow keys put one of them into it.

    One that `hides_list` takes no more room than the field.
    """

    DEFAULT_CSS = """
    CommandField {
        height: auto;
        MarkedList {
            height: auto; max-height: 8; border: none; padding: 0; margin-top: 1;
            background: transparent; text-wrap: nowrap; text-overflow: ellipsis;
        }
    }
    """

    def __init__(self, field: Field, memory: DeliveryMemory, *, hides_list: bool = False) -> None:
        super().__init__()
        self._hides_list = hides_list
        self.field = field
        self._memory = memory
        self._recipes: tuple[Recipe, ...] = ()
        self._list = MarkedList(compact=True)
        self._list.can_focus = False
        self._list.display = False

    def compose(self) -> ComposeResult:
        """The field, then what is on offer."""
        yield self.field
        yield self._list

    async def on_mount(self) -> None:
        """Look for what is installed, without keeping anybody from typing."""
        memory, path = self._memory, os.environ.get("PATH")
        self._recipes = await asyncio.to_thread(recipes, memory.commands, memory.last_command, path)
        for recipe in self._recipes:
            is_named = recipe.name != recipe.command.partition(" ")[0]
            name = f"{short(recipe.name, _LONGEST_NAME)}: " if is_named else ""
            line = Content.assemble((name, "$text-muted"), short(recipe.command))
            self._list.add_option(Option(line))
        self._list.highlighted = next(
            (n for n, each in enumerate(self._recipes) if each.command == self.field.value), None
        )
        self._list.display = bool(self._recipes) and not self._hides_list

    @on(events.Key)
    def _pick(self, event: events.Key) -> None:
        """Put the next command, or the one before, into the field."""
        if event.key not in {"up", "down"} or not self._recipes:
            return
        event.stop()
        if event.key == "down":
            self._list.action_cursor_down()
        else:
            self._list.action_cursor_up()
        self._put_into_field()

    @on(MarkedList.OptionSelected)
    def _click(self, event: MarkedList.OptionSelected) -> None:
        event.stop()
        self._list.highlighted = event.option_index
        self._put_into_field()

    def _put_into_field(self) -> None:
        if self._list.highlighted is not None:
            self.field.value = self._recipes[self._list.highlighted].command
            self.field.query_one(Input).action_end()
            self.field.focus_input()
