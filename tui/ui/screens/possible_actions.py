"""What the keys of a screen can do at this moment."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from textual.binding import Binding
from textual.dom import DOMNode
from textual.screen import Screen

from tui.ui.bindings import COMMANDS, Command, Place

_PLACELESS = frozenset({Place.PALETTE, Place.SEARCH})
"""Places whose keys only serve what is typed there."""


@dataclass(frozen=True, slots=True)
class PossibleAction:
    """A command that a screen offers now, and the node that carries it out."""

    command: Command
    binding: Binding
    node: DOMNode

    @property
    def title(self) -> str:
        """What it does, in words."""
        return self.command.title or self.command.help

    async def run(self) -> None:
        """Do it, unless it has become impossible."""
        if self.node.is_attached:
            await self.node.app.run_action(self.binding.action, self.node)


def possible_actions(screen: Screen[Any]) -> Iterator[PossibleAction]:
    """Yield what the keys of a screen can do now, from the table of keys: nearest first.

    Of several keys for one action the first in the table stands for all.
    """
    commands = {(command.id, command.action): command for command in COMMANDS if command.action}
    offered: set[Command] = set()
    for active in screen.active_bindings.values():
        command = commands.get((active.binding.id or "", active.binding.action))
        if command is None or not active.enabled or command in offered:
            continue
        if (command.help or command.title) and command.place not in _PLACELESS:
            offered.add(command)
            yield PossibleAction(command, active.binding, active.node)
