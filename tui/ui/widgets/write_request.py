"""One write request of the journal as text: a line of a list, or all of it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass

from textual.content import Content

from tui.journal import PROOFS, JournalEntry
from tui.keys.labels import shown_label
from tui.text import mask, plain, short
from tui.ui.widgets.columns import fit
from tui.ui.widgets.facts_pane import fact

_LABEL_SHARE, _LABEL_MIN, _LABEL_MAX = 0.3, 8, 44
"""The label's part of a line, and its limits in cells."""

_OUTCOMES = {
    "begun": "no answer noted: the program was stopped during it",
    "done": "",
    "refused": "not done",
    "unknown": "unknown",
    "delivering": "",
    "undelivered": "",
    "stored": "",
}
_SIGNS = {"refused": ("✗", "$text-error")}
_DONE, _OPEN = ("✓", "$text-success"), ("!", "$text-warning")
_PROOFS = {"verified": "verified", "unverified": "not verified"}


@dataclass(frozen=True, slots=True)
class WriteRequest:
    """What the journal holds of one write request, its last line last."""

    entries: tuple[JournalEntry, ...]
    who: str = ""
    """Who is signed in and where, which is left out of that person's own requests there."""
    is_doubted: bool = False
    """Whether the journal says more of it than is understood."""
    predecessor: str = ""
    """The short key, masked, of the key that the created one succeeds, or nothing."""

    @property
    def last(self) -> JournalEntry:
        """What is known now of the request."""
        return [entry for entry in self.entries if entry.phase not in PROOFS][-1]

    @property
    def label(self) -> str:
        """The label of the key, safe to show."""
        return short(shown_label(self.last.label))

    @property
    def stored(self) -> str:
        """How the secret of a created key was stored; that it was not, where it was not."""
        storings = [entry.detail for entry in self.entries if entry.phase == "stored"]
        if storings:
            where = plain(storings[-1]).rstrip(".")
            return f"stored: {where[:1].lower()}{where[1:]}"
        if self.last.phase == "delivering":
            return "delivery interrupted: verify the key to know whether it was stored"
        if self.last.action != "create" or self.last.phase not in {"done", "undelivered"}:
            return ""
        if self.is_doubted:
            return "perhaps stored: a line can't be understood"
        return "secret never stored"

    @property
    def is_lost(self) -> bool:
        """Whether a key was created of whose secret nothing tells that it was stored."""
        return bool(self.stored) and all(entry.phase != "stored" for entry in self.entries)

    @property
    def outcome(self) -> str:
        """What came of it, in words; nothing where it was simply done."""
        return " · ".join(self._outcomes)

    @property
    def _outcomes(self) -> list[str]:
        last = self.last
        unsaid = {"stored", "undelivered"} if not self.is_lost else {"stored"}
        details = [entry.detail for entry in self.entries if entry.phase not in unsaid]
        proofs = [_PROOFS[entry.phase] for entry in self.entries if entry.phase in PROOFS][-1:]
        words = [self.stored, _OUTCOMES[last.phase], *map(plain, details), *proofs]
        if last.predecessor:
            words.append(f"successor of {self.predecessor or 'a key that is gone'}")
        words.append(self.elsewhere)
        return [word for word in words if word]

    @property
    def failed_deliveries(self) -> str:
        """Why deliveries of a secret failed that was stored all the same, or nothing."""
        if self.is_lost:
            return ""
        failures = [entry.detail for entry in self.entries if entry.phase == "undelivered"]
        return " ".join(dict.fromkeys(map(plain, failures)))

    @property
    def elsewhere(self) -> str:
        """Who did it and where, unless that is who is signed in here."""
        last = self.last
        sender = f"{last.username}@" * bool(last.username) + last.server.partition("://")[2]
        return "" if short(sender, 60) == self.who else plain(sender)

    @property
    def facts(self) -> list[tuple[str, str]]:
        """When it was made, by whom, where, and of which key, as far as that is known."""
        last = self.last
        facts = [
            ("When", f"{last.when.astimezone():%Y-%m-%d %H:%M:%S}"),
            ("By", plain(last.username)),
            ("Server", plain(last.server)),
            ("ID", short(last.key_id)),
        ]
        return [(name, text) for name, text in facts if text]

    def text(self, width: int) -> Content:
        """Return all of it in lines of `width` cells."""
        head = Content.assemble(
            (self.label or "(no label)", "bold $text-accent"),
            (f"  {mask(self.last.short_key)}" if self.last.short_key else "", "$text-muted"),
        )
        sign, style = self.sign
        lines = [head, Content.assemble((f"{sign} ", style), self.last.action)]
        for text in self._outcomes:
            lines += [Content("  ") + line for line in Content(text).wrap(max(width - 2, 1))]
        lines.append(Content(""))
        for name, text in self.facts:
            lines += fact(name, [Content(text)], width)
        if tries := self.failed_deliveries:
            lines += [Content(""), Content.styled(f"Other tries: {tries}", "$text-muted")]
        return Content("\n").join(lines)

    @property
    def sign(self) -> tuple[str, str]:
        """The sign of the outcome, and its colour."""
        phase = self.last.phase
        is_open = phase in {"begun", "unknown"} or self.is_lost
        return _OPEN if is_open else _SIGNS.get(phase, _DONE)

    def line(self, width: int, *, when: str = "%H:%M", is_named: bool = True) -> Content:
        """Return it in one line of at most so many cells; the key is left out where it is known."""
        last = self.last
        parts = [
            (f"{last.when.astimezone():{when}}  ", "$text-muted"),
            (f"{self.sign[0]} ", self.sign[1]),
            (f"{last.action:<8}", ""),
        ]
        if is_named:
            label_width = max(_LABEL_MIN, min(_LABEL_MAX, int(width * _LABEL_SHARE)))
            parts.append((f"{mask(last.short_key):<10}", "$text-muted"))
            parts.append((f"{fit(self.label, label_width)}  ", "bold"))
        line = Content.assemble(*parts, (self.outcome, "$text-muted" * (self.sign == _DONE)))
        return line.truncate(max(width, 1), ellipsis=True)

    @property
    def searched(self) -> str:
        """All that it says, to be searched."""
        last = self.last
        moment = f"{last.when.astimezone():%A %d %B %Y-%m-%d %H:%M:%S}"
        words = (moment, last.action, mask(last.short_key), self.label, self.outcome)
        return " ".join(words) + " done" * (self.sign == _DONE)


def write_requests(
    entries: Iterable[JournalEntry],
    who: str,
    doubts: Callable[[JournalEntry], bool] = lambda _: False,
    short_keys: Mapping[str, str] | None = None,
) -> list[WriteRequest]:
    """Return the requests that the lines are about, newest first, without those cut off.

    `doubts` tells of which the journal says more than is understood; `short_keys` are those of
    listed keys, by id, beside what the lines themselves tell.
    """
    by_attempt: dict[str, list[JournalEntry]] = {}
    names = dict(short_keys or {})
    for entry in entries:
        by_attempt.setdefault(entry.attempt, []).insert(0, entry)
        if entry.key_id and entry.short_key:
            names.setdefault(entry.key_id, entry.short_key)
    # A proof is written after the request itself: alone, the lines before it were cut off.
    whole = (lines for lines in by_attempt.values() if any(e.phase not in PROOFS for e in lines))
    return [
        WriteRequest(
            tuple(lines), who, any(map(doubts, lines)), mask(names.get(lines[-1].predecessor, ""))
        )
        for lines in whole
    ]
