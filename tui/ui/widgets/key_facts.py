"""Everything that is known of one key."""

from __future__ import annotations

from collections.abc import Sequence

from rich.cells import cell_len
from textual.app import ComposeResult
from textual.containers import VerticalScroll
from textual.content import Content
from textual.widgets import Static

from tui.api.grants import Catalogue, letters
from tui.api.models import Key
from tui.keys.labels import shown_label
from tui.keys.paused_mark import is_paused, paused_mark
from tui.search.permissions import PREFIX, allowed_by, is_documented
from tui.text import age, mask, plain, short
from tui.ui.widgets.columns import LETTERS
from tui.ui.widgets.table_line import DUE, Reading, RowState

_NAMES = len("Subacc ")
"""How many cells the names of the facts take."""


class KeyFacts(VerticalScroll, can_focus=False):
    """Label, short key, every grant with what it allows, allowed IPs, owner and dates.

    While it is hidden, nothing is laid out for it.
    """

    DEFAULT_CSS = """
    KeyFacts { padding: 0 1; scrollbar-size-vertical: 1; scrollbar-gutter: stable; }
    """

    def __init__(self) -> None:
        super().__init__()
        self._shown: tuple[Key | None, Reading, RowState | None] | None = None
        self._drawn_width = 0

    def compose(self) -> ComposeResult:
        """One text that scrolls."""
        yield Static(id="facts")

    def show(self, key: Key | None, reading: Reading, state: RowState | None = None) -> None:
        """Show the facts of `key`, or nothing; its state stands below its label."""
        facts = (key, reading, state)
        if facts == self._shown:
            return
        is_other = key != (self._shown[0] if self._shown else None)
        self._shown, self._drawn_width = facts, 0
        if self.display:
            self._update()
        if is_other:
            self.scroll_home(animate=False, immediate=True)

    def on_show(self) -> None:
        """Draw what was to be shown while this was hidden."""
        self._update()

    def on_resize(self) -> None:
        """Break the lines anew."""
        self._update()

    def _update(self) -> None:
        width = self.scrollable_content_region.width
        if self._shown is not None and width != self._drawn_width:
            key, reading, state = self._shown
            text = Content("") if key is None else describe(key, reading, width, state)
            self.query_one("#facts", Static).update(text)
            self._drawn_width = width


def describe(key: Key, reading: Reading, width: int, state: RowState | None = None) -> Content:
    """Return what is known of `key`, in lines of `width` columns."""
    label = short(shown_label(key.raw_label or "")) or "(no label)"
    lines = [Content.assemble((label, "bold $text-accent"), (_masked(key), "$text-muted"))]
    if state is not None and state.text:
        style = "$text-error" if state.kind == "problem" else "$text-accent"
        lines.append(Content.styled(f"{state.sign} {short(state.text)}".strip(), style))
    lines += [Content(""), *_grants(key, reading.catalogue, width), Content("")]
    lines += _fact("From", _addresses(key, reading), width)
    if key.owner:
        lines += _fact("Owner", [Content(short(key.owner))], width)
    if key.subaccount_id:
        lines += _fact("Subacc", [Content(str(key.subaccount_id))], width)
    if moment := key.created_at:
        attention = reading.attention
        is_retiring = state is not None and state.kind == "retiring"
        due = f" {DUE}" * (attention.is_due(key) and not is_retiring)
        made = Content.assemble(
            age(moment, attention.now),
            (due, "$text-warning"),
            (f" {moment:%Y-%m-%d %H:%M} UTC", "$text-muted"),
        )
        lines += _fact("Made", [made], width)
    lines += _fact("ID", [Content(short(key.id))], width)
    return Content("\n").join(lines)


def _masked(key: Key) -> str:
    return f"  {mask(key.short_key)}" if key.short_key else ""


def _fact(name: str, values: Sequence[Content], width: int) -> list[Content]:
    """Return a fact, its values below each other behind its name; where they are too wide, below.

    So nothing is broken over two lines that one line has room for.
    """
    heading = Content.styled(f"{name:<{_NAMES}}", "$text-muted")
    if any(value.cell_length > width - _NAMES for value in values):
        return [heading, *values]
    indents = [heading, *[Content(" " * _NAMES)] * (len(values) - 1)]
    return [indent + value for indent, value in zip(indents, values, strict=True)]


def _grants(key: Key, catalogue: Catalogue, width: int) -> list[Content]:
    """Return the grants: what each is good for in letters, its label, and what it allows."""
    grants = catalogue.ordered(key.grants)
    if not grants:
        return [Content("no grants" if key.raw_grants is not None else "grants not told")]
    labels = {grant: catalogue.label(grant) for grant in grants}
    column = max(map(cell_len, labels.values())) + 2
    lines: list[Content] = []
    for grant in grants:
        label = Content.assemble((f"{letters([grant])}  ", "$text-muted"), labels[grant])
        allowed = _allowed(grant, catalogue)
        if allowed and all(cell_len(text) <= width - LETTERS - column for text in allowed):
            first, *others = (Content.styled(text, "$text-muted") for text in allowed)
            lines.append(label.pad_right(column - cell_len(labels[grant])) + first)
            lines += [Content(" " * (LETTERS + column)) + text for text in others]
        else:
            lines.append(label)
            lines += [line for text in allowed for line in _indented(text, width)]
    return lines


def _allowed(grant: str, catalogue: Catalogue) -> list[str]:
    """Return what a grant allows, as far as somebody says or its name tells."""
    texts: list[str] = []
    if allows := catalogue.description(grant):
        texts.append(allows)
    elif grant not in catalogue:
        texts.append("not in this server's catalogue")
    for access in () if is_documented(grant) else allowed_by(grant):
        methods = ", ".join(access.methods)
        texts.append(f"{methods} on {PREFIX}{access.path}, to judge by its name")
    return texts


def _addresses(key: Key, reading: Reading) -> list[Content]:
    """Return from where the key works; of a paused one, since when it works from nowhere."""
    if is_paused(key.raw_valid_ips):
        mark = paused_mark(key.raw_label or "")
        since = f" since {mark.since:%Y-%m-%d}" if mark else ""
        lines = [Content.styled(f"none: paused{since}, z resumes it", "$text-warning")]
        if mark is not None and mark.valid_ips is not None:
            before = ", ".join(map(plain, mark.valid_ips)) or "any address"
            lines.append(Content(f"before: {before}"))
        return lines
    if key.allowed_ips:
        return [Content(short(ip)) for ip in key.allowed_ips]
    if reading.attention.is_exposed(key):
        return [
            Content.assemble("any address", (f" {DUE}", "$text-warning")),
            Content.styled("It sends mail: e limits it.", "$text-muted"),
        ]
    return [Content("any address")]


def _indented(text: str, width: int) -> list[Content]:
    """Return muted lines that all begin beneath the label."""
    lines = Content.styled(text, "$text-muted").wrap(max(width - LETTERS, 1))
    return [Content(" " * LETTERS) + line for line in lines]
