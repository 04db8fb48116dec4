"""What a draft of a key allows, and who may do the same already, beside its form."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from textual.content import Content

from tui.api.grants import Catalogue
from tui.api.models import Key
from tui.keys.labels import shown_label
from tui.text import count, mask, short
from tui.ui.widgets.columns import fit
from tui.ui.widgets.grant_layout import remark
from tui.ui.widgets.key_facts import grant_lines

TAKEN = "\N{EN DASH}"
"""Stands before a grant that an edited key loses."""
MOST_HOLDERS = 8
"""How many of the keys that hold a grant are named."""


def holders(keys: Iterable[Key]) -> Mapping[str, Sequence[Key]]:
    """Return the keys that hold each grant, by the grant's wire key, in the order of the list."""
    by_grant: dict[str, list[Key]] = {}
    for key in keys:
        for grant in key.grants:
            by_grant.setdefault(grant, []).append(key)
    return by_grant


@dataclass(frozen=True, slots=True)
class DraftFacts:
    """A draft's grants, those it had before, and the grant at the cursor."""

    catalogue: Catalogue
    given: tuple[str, ...]
    before: tuple[str, ...] | None
    """What an edited key holds on the server; None of a new one."""
    current: str
    is_explained: bool
    """Whether what each grant allows is seen beside it, so that it is not said again."""

    def text(self, holding: Sequence[Key], width: int) -> Content:
        """Return it in lines of `width` cells; the keys `holding` the grant at the cursor last."""
        lines = [Content.styled("What the key may do", "bold $text-accent")]
        if self.given:
            key = Key("", raw_grants=self.given)
            lines += grant_lines(key, self.catalogue, width, is_brief=self.is_explained)
        else:
            lines.append(Content.styled("nothing yet", "$text-muted"))
        lines += self._changes()
        if self.current:
            label = self.catalogue.label(self.current)
            lines += [Content(""), Content.styled(label, "bold $text-accent")]
            if not self.is_explained and (allows := remark(self.current, self.catalogue)):
                lines += Content.styled(allows, "$text-muted").wrap(max(width, 1))
            lines += _holders(holding, width)
        return Content("\n").join(lines)

    def _changes(self) -> list[Content]:
        """Return which grants an edited key gets, and which it loses."""
        if self.before is None or set(self.before) == set(self.given):
            return []
        lines = [Content(""), Content.styled("What changes", "bold $text-accent")]
        for sign, style, listed, others in (
            ("✓", "$text-success", self.given, self.before),
            (TAKEN, "$text-muted", self.before, self.given),
        ):
            lines += [
                Content.assemble((f"{sign} ", style), self.catalogue.label(grant))
                for grant in self.catalogue.ordered(listed)
                if grant not in others
            ]
        return lines


def _holders(keys: Sequence[Key], width: int) -> list[Content]:
    """Return which other keys hold a grant, a line each."""
    if not keys:
        return [Content.styled("No other key holds it.", "$text-muted")]
    verb = "holds" if len(keys) == 1 else "hold"
    lines = [Content.styled(f"{count(len(keys), 'other key')} {verb} it:", "$text-muted")]
    for key in keys[:MOST_HOLDERS]:
        name = short(shown_label(key.raw_label or "")) or "(no label)"
        short_key = mask(key.short_key)
        room = max(width - len(short_key) - 2, 1)
        lines.append(Content.assemble(f"{fit(name, room)}  ", (short_key, "$text-muted")))
    if len(keys) > MOST_HOLDERS:
        lines.append(Content.styled(f"and {len(keys) - MOST_HOLDERS:,} more", "$text-muted"))
    return lines
