"""What went wrong, above a form."""

from __future__ import annotations

from typing import TYPE_CHECKING

from textual.content import Content
from textual.widgets import Static

if TYPE_CHECKING:
    from tui.problems import Problem


class ProblemText(Static):
    """A problem's title, detail and hint, a line each; no room is taken while there is none."""

    DEFAULT_CSS = """
    ProblemText { display: none; margin-bottom: 1; max-height: 8; }
    """

    def show(self, problem: Problem | None) -> None:
        """Show a problem, or nothing."""
        self.display = problem is not None
        if problem is not None:
            title = Content.styled(f"✗ {problem.title}", "bold $text-error")
            lines = filter(None, (problem.detail, problem.hint))
            self.update(Content("\n").join([title, *map(Content, lines)]))
