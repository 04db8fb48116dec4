"""Everything that is known of one key."""

from __future__ import annotations

from functools import partial

from rich.cells import cell_len
from textual.content import Content

from tui.api.grants import Catalogue, letters
from tui.api.models import Key
from tui.keys.labels import shown_label
from tui.keys.paused_mark import is_paused, paused_mark
from tui.search.permissions import PREFIX, allowed_by, is_documented
from tui.text import age, mask, plain, short
from tui.ui.bindings import with_keys
from tui.ui.widgets.columns import LETTERS
from tui.ui.widgets.facts_pane import FactsText, fact
from tui.ui.widgets.table_line import DUE, KeyContext, RowState


class KeyFacts(FactsText):
    """Label, short key, every grant with what it allows, allowed IPs, owner and dates."""

    def __init__(self, classes: str = "") -> None:
        super().__init__(classes)
        self._shown: tuple[Key | None, KeyContext, RowState | None] | None = None

    def show(self, key: Key | None, context: KeyContext, state: RowState | None = None) -> None:
        """Show the facts of `key`, or nothing; its state stands below its label."""
        facts = (key, context, state)
        if facts == self._shown:
            return
        self._shown = facts
        exposed = with_keys(SENDS_FROM_ANYWHERE, self.app)

        def in_lines(width: int, *, is_brief: bool = False) -> Content:
            if key is None:
                return Content("")
            return describe_key(key, context, width, state, exposed=exposed, is_brief=is_brief)

        brief = partial(in_lines, is_brief=True) if self.has_class("beside") else None
        self.show_text(in_lines, key, brief)


SENDS_FROM_ANYWHERE = "It sends mail: {keys.edit} limits it."
"""What is said of a listed key that sends mail from any address, for `with_keys`."""


def describe_key(
    key: Key,
    context: KeyContext,
    width: int,
    state: RowState | None = None,
    *,
    exposed: str = "It sends mail.",
    is_brief: bool = False,
) -> Content:
    """Return what is known of `key`, in lines of `width` columns.

    `exposed` is what is said of one that sends mail from any address. In brief, what each grant
    allows is left out.
    """
    label = short(shown_label(key.raw_label or "")) or "(no label)"
    lines = [Content.assemble((label, "bold $text-accent"), (_masked(key), "$text-muted"))]
    if state is not None and state.text:
        style = "$text-error" if state.kind == "problem" else "$text-accent"
        lines.append(Content.styled(f"{state.sign} {short(state.text)}".strip(), style))
    grants = grant_lines(key, context.catalogue, width, is_brief=is_brief)
    lines += [Content(""), *grants, Content("")]
    lines += fact("From", _addresses(key, context, exposed), width)
    if key.owner:
        lines += fact("Owner", [Content(short(key.owner))], width)
    if key.subaccount_id:
        lines += fact("Subacc", [Content(str(key.subaccount_id))], width)
    if moment := key.created_at:
        attention = context.attention
        is_retiring = state is not None and state.kind == "retiring"
        due = f" {DUE}" * (attention.is_due(key) and not is_retiring)
        made = Content.assemble(
            age(moment, attention.now),
            (due, "$text-warning"),
            (f" {moment:%Y-%m-%d %H:%M} UTC", "$text-muted"),
        )
        lines += fact("Made", [made], width)
    if key.id:
        lines += fact("ID", [Content(short(key.id))], width)
    return Content("\n").join(lines)


def _masked(key: Key) -> str:
    return f"  {mask(key.short_key)}" if key.short_key else ""


def grant_lines(
    key: Key, catalogue: Catalogue, width: int, *, is_brief: bool = False
) -> list[Content]:
    """Return the grants: what each is good for in letters, its label, and what it allows."""
    grants = catalogue.ordered(key.grants)
    if not grants:
        return [Content("no grants" if key.raw_grants is not None else "grants unknown")]
    labels = {grant: catalogue.label(grant) for grant in grants}
    column = max(map(cell_len, labels.values())) + 2
    lines: list[Content] = []
    for grant in grants:
        label = Content.assemble((f"{letters([grant])}  ", "$text-muted"), labels[grant])
        allowed = _allowed(grant, catalogue) if not is_brief else []
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


def _addresses(key: Key, context: KeyContext, exposed: str) -> list[Content]:
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
    if context.attention.is_exposed(key):
        return [
            Content.assemble("any address", (f" {DUE}", "$text-warning")),
            Content.styled(exposed, "$text-muted"),
        ]
    return [Content("any address")]


def _indented(text: str, width: int) -> list[Content]:
    """Return muted lines that all begin beneath the label."""
    lines = Content.styled(text, "$text-muted").wrap(max(width - LETTERS, 1))
    return [Content(" " * LETTERS) + line for line in lines]
