"""A list of actions, a line each, with the outcome of each so far."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from textual import on
from textual.containers import VerticalScroll
from textual.content import Content
from textual.widgets.option_list import Option

from tui.text import plain
from tui.ui.widgets.marked_list import MarkedList

_NAME_WIDTH = 18
"""How many cells the key and the name of an action take, with the blanks after them."""
_SIDE_BY_SIDE = 40
"""From so many cells on, what came of an action stands beside it, else beneath."""


@dataclass(frozen=True, slots=True)
class ActionLine:
    """One action of the screen: its key, its name, and what it is called among the bindings.

    `hint` says what it does, until something came of it.
    """

    key: str
    name: str
    action: str
    hint: str = ""


class ActionList(MarkedList):
    """The actions of the screen around it; Enter and a click do the one of the line.

    The cursor appears with the first arrow key: an Enter that was pressed for the screen before
    does nothing here.
    """

    DEFAULT_CSS = """
    ActionList, ActionList:focus {
        height: auto; border: none; padding: 0; background: transparent;
        background-tint: transparent;
    }
    """

    def __init__(self, lines: Sequence[ActionLine], *, id: str) -> None:  # noqa: A002  # as Widget has it
        self._lines_of = {line.action: line for line in lines}
        self._outcomes: dict[str, tuple[Content, str]] = {}
        options = [Option(self._prompt(line, 0), id=line.action) for line in lines]
        super().__init__(*options, id=id, compact=True)
        self.set_reactive(MarkedList.highlighted, None)

    def show_outcome(self, action: str, outcome: Content, more: str = "") -> None:
        """Show what came of an action, and beneath it in plain style what is to be known of it."""
        text = outcome.plain
        if not text.isprintable():
            outcome = Content(plain(text))
        self._outcomes[action] = outcome, plain(more)
        self._draw()
        self.call_after_refresh(self._bring_into_view, self.get_option_index(action))

    def clear_outcomes(self) -> None:
        """Show the actions as if none had been done."""
        if self._outcomes:
            self._outcomes.clear()
            self._draw()

    def on_resize(self) -> None:
        """Break the lines anew."""
        self._draw()

    def scroll_to_highlight(self, top: bool = False) -> None:
        """Have the page around the list follow the cursor, too."""
        super().scroll_to_highlight(top)
        if self.highlighted is not None and self.is_mounted:
            self._bring_into_view(self.highlighted)

    def _bring_into_view(self, index: int) -> None:
        """Have the page around the list scroll to all lines of an action."""
        heights = [str(option.prompt).count("\n") + 1 for option in self.options[: index + 1]]
        bottom = self.region.y + sum(heights)
        for page in self.screen.query(VerticalScroll):
            view = page.content_region
            above, below = view.y - (bottom - heights[-1]), bottom - view.bottom
            if above > 0 or below > 0:
                page.scroll_relative(y=-above if above > 0 else below, animate=False)

    def _draw(self) -> None:
        width = self.scrollable_content_region.width - 2
        for line in self._lines_of.values():
            self.replace_option_prompt(line.action, self._prompt(line, width))
        self.refresh(layout=True)

    def _prompt(self, line: ActionLine, width: int) -> Content:
        name = f"{line.key}  {line.name}"
        head = Content.assemble((line.key, "bold $text-accent"), f"  {line.name}")
        is_beside = width >= _SIDE_BY_SIDE
        if line.action not in self._outcomes:
            room = width - _NAME_WIDTH if is_beside else 0
            hint = line.hint if len(line.hint) <= room else ""
            gap = " " * (_NAME_WIDTH - len(name)) if hint else ""
            return head + Content.assemble(gap, (hint, "$text-muted"))
        outcome, more = self._outcomes[line.action]
        indent = _NAME_WIDTH if is_beside else 3
        room = max(width - indent, 1)
        texts = [
            *outcome.wrap(room),
            *(Content.styled(more, "$text-muted").wrap(room) if more else ()),
        ]
        lines = [Content(" " * indent) + text for text in texts]
        if is_beside:
            lines[0] = head + Content(" " * (indent - len(name))) + texts[0]
        else:
            lines.insert(0, head)
        return Content("\n").join(lines)

    @on(MarkedList.OptionSelected)
    async def _do(self, event: MarkedList.OptionSelected) -> None:
        event.stop()
        await self.screen.run_action(event.option_id or "")
