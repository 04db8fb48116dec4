"""Runs the program, and compares after each frame what two terminals show.

One of them gets what Textual would have sent, the other what the program did send. The report says
how many frames were the same, and shows the first one that was not.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from rich.console import Console
from textual._compositor import ChopsUpdate, Compositor, LayoutUpdate
from textual.geometry import Size

from tests.ui.emulator import Cell, Emulator
from tui.ui.terminal.picture import Picture
from tui.ui.terminal.textual_internals import DiscreetApp, Patch, PatchCompositor


class Comparison:
    """Both terminals."""

    def __init__(self, report: Path) -> None:
        self._report, self._same, self._different = report, 0, ""
        self._whole, self._sent = Emulator(1, 1), Emulator(1, 1)
        self._is_drawn = False  # in the present size: what comes before may scroll the first one

    def resize(self, size: Size) -> None:
        if (self._whole.columns, self._whole.rows) != size:
            self._whole.resize(*size)
            self._is_drawn = False
        self._sent.resize(*size)

    def forget(self) -> None:
        """Have another program draw on the terminal."""
        self._sent.resize(self._sent.columns, self._sent.rows)

    def take_whole(self, drawn: LayoutUpdate | ChopsUpdate, console: Console) -> None:
        if isinstance(drawn, LayoutUpdate):
            whole = (self._whole.columns, self._whole.rows)
            self._is_drawn = self._is_drawn or drawn.region.size == whole
        if self._is_drawn:
            self._whole.feed(drawn.render_segments(console))

    def take_sent(self, sequences: str) -> None:
        self._sent.feed(sequences)
        if not self._is_drawn:
            return
        if self._whole.shown() == self._sent.shown():
            self._same += 1
        elif not self._different:
            pairs = zip(self._whole.cells, self._sent.cells, strict=True)
            rows = [f"{y}: {_text(a)}\n{y}: {_text(b)}" for y, (a, b) in enumerate(pairs) if a != b]
            self._different = f"after {self._same} frames\n" + "\n".join(rows)
        self._report.write_text(f"{self._same} the same\n{self._different}")


def _text(cells: list[Cell]) -> str:
    return "".join(cell.text for cell in cells)


def watch(report: Path) -> None:
    """Compare from now on."""
    both = Comparison(report)
    display, changes = DiscreetApp._display, Picture.changes
    resize, forget = Picture.resize, Picture.forget
    render_part = PatchCompositor.render_partial_update
    of_textual: list[ChopsUpdate | None] = []

    def watched_display(app: DiscreetApp[Any], screen: object, drawn: object) -> None:
        whole = of_textual.pop() if isinstance(drawn, Patch) else drawn
        if isinstance(whole, LayoutUpdate | ChopsUpdate) and not app._batch_count:
            both.take_whole(whole, app.console)
        display(app, screen, drawn)

    def watched_render(compositor: PatchCompositor) -> Patch | None:
        changed = compositor._dirty_regions.copy()
        of_textual[:] = [Compositor.render_partial_update(compositor)]
        compositor._dirty_regions = changed
        return render_part(compositor)

    def watched_changes(picture: Picture) -> str:
        sequences = changes(picture)
        both.take_sent(sequences)
        return sequences

    def watched_resize(picture: Picture, size: Size) -> None:
        resize(picture, size)
        both.resize(size)

    def watched_forget(picture: Picture) -> None:
        forget(picture)
        both.forget()

    PatchCompositor.render_partial_update = watched_render  # type: ignore[assignment, method-assign]
    DiscreetApp._display = watched_display  # type: ignore[assignment, method-assign]
    Picture.changes = watched_changes  # type: ignore[assignment, method-assign]
    Picture.resize = watched_resize  # type: ignore[assignment, method-assign]
    Picture.forget = watched_forget  # type: ignore[assignment, method-assign]
