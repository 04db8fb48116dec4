"""Everything that is known of one key."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

from textual.app import ComposeResult
from textual.containers import VerticalScroll
from textual.content import Content
from textual.widgets import Static

from tui.api.grants import Catalogue
from tui.api.models import Key
from tui.keys.labels import shown_label
from tui.keys.paused_mark import is_paused, paused_mark
from tui.search.permissions import PREFIX, allowed_by, is_documented
from tui.text import ago, count, mask, plain, short


class KeyFacts(VerticalScroll, can_focus=False):
    """Label, short key, every grant with what it allows, allowed IPs, owner and dates.

    While it is hidden, nothing is laid out for it.
    """

    DEFAULT_CSS = """
    KeyFacts { padding: 0 1; scrollbar-size-vertical: 1; scrollbar-gutter: stable; }
    """

    def __init__(self) -> None:
        super().__init__()
        self._describe: Callable[[int], Content] | None = None
        self._drawn_width = 0

    def compose(self) -> ComposeResult:
        """One text that scrolls."""
        yield Static(id="facts")

    def show(self, key: Key | None, catalogue: Catalogue, now: datetime) -> None:
        """Show the facts of `key`, or nothing."""

        def describe_in(width: int) -> Content:
            return Content("") if key is None else describe(key, catalogue, now, width)

        self._describe = describe_in
        self._drawn_width = 0
        if self.display:
            self._update()
        self.scroll_home(animate=False, immediate=True)

    def on_show(self) -> None:
        """Draw what was to be shown while this was hidden."""
        self._update()

    def on_resize(self) -> None:
        """Break the lines anew."""
        self._update()

    def _update(self) -> None:
        width = self.scrollable_content_region.width
        if self._describe is not None and width != self._drawn_width:
            self.query_one("#facts", Static).update(self._describe(width))
            self._drawn_width = width


def describe(key: Key, catalogue: Catalogue, now: datetime, width: int) -> Content:
    """Return what is known of `key`, in lines of `width` columns."""
    label = short(shown_label(key.raw_label or ""))
    lines = [Content.styled(label or "(no label)", "bold $text-accent")]
    if key.short_key:
        lines.append(Content.styled(mask(key.short_key), "$text-muted"))
    lines += [Content(""), Content.styled(count(len(key.grants), "permission"), "bold")]
    for grant in catalogue.ordered(key.grants):
        lines.append(Content(catalogue.label(grant)))
        if allows := catalogue.description(grant):
            lines += _indented(allows, width)
        elif grant not in catalogue:
            lines += _indented("not in this server's catalogue", width)
        for access in () if is_documented(grant) else allowed_by(grant):
            methods = ", ".join(access.methods)
            lines += _indented(f"{methods} on {PREFIX}{access.path}, to judge by its name", width)
    lines += [Content(""), Content.styled("Allowed IPs", "bold")]
    lines += _addresses(key)
    if key.owner:
        lines += [Content(""), Content.styled("Owner", "bold"), Content(short(key.owner))]
    if key.subaccount_id:
        lines += [
            Content(""),
            Content.styled("Subaccount", "bold"),
            Content(str(key.subaccount_id)),
        ]
    if moment := key.created_at:
        lines += [
            Content(""),
            Content.styled("Created", "bold"),
            Content(f"{ago(moment, now)}, {moment:%Y-%m-%d %H:%M} UTC"),
        ]
    lines += [Content(""), Content.styled("ID", "bold"), Content(short(key.id))]
    return Content("\n").join(lines)


def _addresses(key: Key) -> list[Content]:
    """Return from where the key works; of a paused one, since when it works from nowhere."""
    if not is_paused(key.raw_valid_ips):
        return [Content(short(ip)) for ip in key.allowed_ips] or [Content("any address")]
    mark = paused_mark(key.raw_label or "")
    since = f" since {mark.since:%Y-%m-%d}" if mark else ""
    lines = [Content.styled(f"none: paused{since}, z resumes it", "$text-warning")]
    if mark is not None and mark.valid_ips is not None:
        before = ", ".join(map(plain, mark.valid_ips)) or "any address"
        lines.append(Content(f"before: {before}"))
    return lines


def _indented(text: str, width: int) -> list[Content]:
    """Return muted lines that all begin two columns further in."""
    lines = Content.styled(text, "$text-muted").wrap(max(width - 2, 1))
    return [Content("  ") + line for line in lines]
