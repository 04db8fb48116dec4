"""What must hold, told from the server's store and from what each vault and program holds."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Literal, get_args

from tests.model.server import Intent, Observer, Server
from tui.sandbox.store import StoredKey

Kind = Literal[
    "label without a key",
    "deleted unnamed",
    "deleted as lost",
    "fields wiped",
    "successor unlike",
    "said lost",
    "untold",
    "not converged",
    "fault",
]
"""
label without a key   the last key that does a label's work, and whose secret somebody has, went
                      by a step of a rotation, and nobody was told
deleted unnamed       a key was deleted that no operator picked, nor is part of the rotation
deleted as lost       a key was deleted for its secret being lost, which somebody has
fields wiped          an update of the label changed grants or addresses
successor unlike      a successor has other grants or addresses than its predecessor, unasked
said lost             the program says of a key that its secret was never stored: somebody has it
untold                nobody has a key's secret, and the program that made it does not say so
not converged         repeating the bulk actions in calm weather leaves more or less than one
                      working key with its plain label
fault                 the program raised what it should not
"""

KINDS: tuple[Kind, ...] = get_args(Kind)

_DELETING = {"delete", "bulk delete"}


@dataclass(frozen=True)
class Violation:
    """What did not hold, and when."""

    kind: Kind
    text: str


@dataclass
class Label:
    """The keys that share a label's first word, which no habit of a server touches."""

    grants: frozenset[str]
    plain: str
    is_given_up: bool = False


@dataclass
class Made:
    """Where a key comes from: who made it, and the id of the key that it is to succeed."""

    home: str
    predecessor: str


def word(label: str) -> str:
    """Return what a label's keys have in common."""
    return label.split()[0].casefold() if label.split() else ""


_MARKED = re.compile(r" \((retiring|replaces|paused) .*$", re.IGNORECASE)


@dataclass
class Truth(Observer):
    """Sees every write land, and keeps whose each secret is."""

    server: Server
    violations: list[Violation] = field(default_factory=list)
    labels: dict[str, Label] = field(default_factory=dict)
    secrets: dict[str, str] = field(default_factory=dict)
    outside: set[str] = field(default_factory=set)
    """Secrets that whoever uses the first keys has."""
    vaults: list[dict[str, str]] = field(default_factory=list)
    """The operators' secrets, by whatever they keep them by."""
    memories: dict[str, Callable[[], Iterable[str]]] = field(default_factory=dict)
    """The secrets in the running programs, by the program's name."""
    made: dict[str, Made] = field(default_factory=dict)
    words: dict[str, str] = field(default_factory=dict)
    roots: dict[str, str] = field(default_factory=dict)
    """Of each key ever made the first of its line: itself where it succeeds none."""
    wanted_gone: set[str] = field(default_factory=set)
    """Keys that an operator picked to be deleted for good."""
    rotated: set[str] = field(default_factory=set)
    """The first keys of lines that were rotated or touched otherwise."""
    _lost: dict[str, Intent] = field(default_factory=dict)
    _deleted_by: dict[str, str] = field(default_factory=dict)
    _fields: dict[str, list[tuple[float, tuple[frozenset[str], frozenset[str]]]]] = field(
        default_factory=dict
    )
    now: Callable[[], float] = lambda: 0.0

    def add_first(self, key: StoredKey, secret: str) -> None:
        """Take in a key that was there before; whoever uses it has its secret."""
        self.labels.setdefault(word(key.label), Label(frozenset(key.grants), key.label))
        self.outside.add(secret)
        self._take_in(key, secret, key.id)

    def reinstalled(self) -> None:
        """Forget all: other keys have taken the ids."""
        for things in (
            self.labels, self.secrets, self.made, self.roots, self.words, self._lost, self._fields
        ):
            things.clear()
        for names in (self.outside, self.wanted_gone, self.rotated):
            names.clear()

    def is_held(self, key_id: str, *, but: str = "") -> bool:
        """Tell whether somebody has a key's secret, `but` for the program of that name."""
        secret = self.secrets.get(key_id, "")
        return (
            secret in self.outside
            or any(secret in vault.values() for vault in self.vaults)
            or any(secret in held() for name, held in self.memories.items() if name != but)
        )

    def working(self, name: str) -> list[StoredKey]:
        """Return the keys that do a label's work and whose secrets somebody has."""
        label = self.labels[name]
        return [
            key
            for key in self.server.keys()
            if word(key.label) == name and label.grants <= set(key.grants) and self.is_held(key.id)
        ]

    def created(self, intent: Intent, predecessor: str, key: StoredKey, secret: str) -> None:
        """A key was made."""
        root = self.roots.get(predecessor, key.id)
        self._take_in(key, secret, root)
        self.made[key.id] = Made(intent.home, predecessor)
        self.rotated.add(root)
        if word(key.label) not in self.labels:
            self.labels[word(key.label)] = Label(frozenset(key.grants), key.label)
        known = self._fields.get(predecessor, []) if predecessor else []
        lately = [fields for when, fields in known if when >= intent.began] + [
            fields for _, fields in known[-1:]
        ]
        before = [fields for when, fields in known if when < intent.began][-1:]
        if known and not intent.is_asked and _fields(key) not in (*lately, *before):
            self._violate("successor unlike", f"{key.id[:8]} {key.valid_ips} of {predecessor[:8]}")

    def changed(self, intent: Intent, before: StoredKey, after: StoredKey) -> None:
        """A key was updated."""
        known = self._fields.setdefault(before.id, [])
        name = word(before.label)
        if intent.action == "edit":
            if name in self.labels and not self.labels[name].is_given_up:
                self._edited(self.labels[name], name)
        else:
            lately = [fields for when, fields in known if when >= intent.began]
            earlier = [fields for when, fields in known if when < intent.began][-1:]
            if _fields(after) not in (*lately, *earlier):
                was, became = _fields(before), _fields(after)
                self._violate(
                    "fields wiped", f"{before.id[:8]} {sorted(was[1])} to {sorted(became[1])}"
                )
        known.append((self.now(), _fields(after)))

    def deleted(self, intent: Intent, key: StoredKey) -> None:
        """A key was deleted: whose step it was decides whether it may be the last one."""
        root, name = self.roots.get(key.id, key.id), word(key.label)
        self.rotated.add(root)
        is_deletion = intent.action in _DELETING
        self._deleted_by[key.id] = "operator" if is_deletion else "rotation"
        if is_deletion and key.id in intent.picked:
            self.wanted_gone.add(key.id)
        self._check_named(intent, key)
        label = self.labels.get(name)
        if label is None or label.is_given_up or name in self._lost or self.working(name):
            return
        if not (label.grants <= set(key.grants) and self.is_held(key.id)):
            return
        relied = any(self._deleted_by.get(other) == "rotation" for other in intent.others)
        if is_deletion and not relied:
            label.is_given_up = True
        else:
            self._lost[name] = intent
            self.server.note(f"!!! {name} has no key any more, by {intent.actor} {intent.step}")
            if intent.ending.is_over:
                self.check_lost(frozenset())

    def check_lost(self, told: frozenset[str]) -> None:
        """After an action: labels without a key count, unless it was `told` which those are."""
        for name, intent in tuple(self._lost.items()):
            if self.working(name):
                del self._lost[name]
            elif name in told:
                self.labels[name].is_given_up = True
                del self._lost[name]
            elif intent.ending.is_over:
                self._violate("label without a key", f"{name}, by {intent.actor} {intent.step}")
                self.labels[name].is_given_up = True
                del self._lost[name]

    def check_said(self, home: str, program: str, lost: Iterable[str]) -> None:
        """After the list was read: a secret said to be lost is nobody's, or its own program's."""
        ids = {key.id for key in self.server.keys()}
        for key_id in lost:
            if key_id in ids and self.is_held(key_id, but=program):
                self._violate("said lost", f"{key_id[:8]} by {home}")

    def check_told(self, home: str, told: Iterable[str]) -> None:
        """At the end: of each key made at `home` whose secret nobody has, it is told there."""
        told = set(told)
        for key in self.server.keys():
            made = self.made.get(key.id)
            if made and made.home == home and not self.is_held(key.id) and key.id not in told:
                self._violate("untold", f"{key.id[:8]} {key.label!r} of {home}")

    def check_converged(self) -> None:
        """At the end: each line that was touched is one working key with the plain label."""
        for root in sorted(self.rotated):
            line = [key for key in self.server.keys() if self.roots.get(key.id) == root]
            was_picked = any(self.roots.get(gone) == root for gone in self.wanted_gone)
            label = self.labels[self.words[root]]
            if not line:
                if not (was_picked or label.is_given_up):
                    self._violate("not converged", f"nothing left of {root[:8]}")
            elif len(line) > 1:
                self._violate(
                    "not converged", ", ".join(f"{key.id[:8]} {key.label!r}" for key in line)
                )
            elif not self.is_held(line[0].id):
                self._violate("not converged", f"nobody has {line[0].id[:8]}'s secret")
            elif not was_picked and _MARKED.search(line[0].label):
                self._violate("not converged", f"still marked: {line[0].label!r}")

    def fault(self, error: BaseException) -> None:
        """The program raised what it should not."""
        self._violate("fault", repr(error))

    def _take_in(self, key: StoredKey, secret: str, root: str) -> None:
        self.secrets[key.id], self.roots[key.id] = secret, root
        self.words[key.id] = word(key.label)
        self._fields[key.id] = [(self.now(), _fields(key))]

    def _edited(self, label: Label, name: str) -> None:
        """What an operator takes from a label's only key is no more asked of it."""
        held = [
            key for key in self.server.keys() if word(key.label) == name and self.is_held(key.id)
        ]
        if held and not self.working(name):
            best = max(held, key=lambda key: len(label.grants & set(key.grants)))
            label.grants &= frozenset(best.grants)

    def _check_named(self, intent: Intent, key: StoredKey) -> None:
        """Check that the key was picked, or is the rotation's own in the role it was deleted in."""
        made = self.made.get(key.id)
        if intent.action in _DELETING:
            if key.id not in intent.picked:
                self._violate("deleted unnamed", f"{key.id[:8]} by {intent.actor}")
            elif intent.step == "lost" and self.is_held(key.id, but=intent.actor):
                self._violate("deleted as lost", f"{key.id[:8]} by {intent.actor}")
            return
        successors = [
            other.id
            for other in self.server.keys()
            if (its := self.made.get(other.id)) and its.predecessor == key.id
        ]
        is_successor = made is not None and bool(made.predecessor)
        as_predecessor = intent.step in {"finish", "bulk"} and bool(
            successors or (key.id in intent.picked and intent.action == "rotate")
        )
        if as_predecessor or (is_successor and intent.step == "undo"):
            return
        if is_successor and intent.step in {"replace", "bulk"}:
            if self.is_held(key.id, but=intent.actor):
                self._violate("deleted as lost", f"{key.id[:8]} by {intent.actor} {intent.step}")
            return
        self._violate("deleted unnamed", f"{key.id[:8]} by {intent.actor} {intent.step}")

    def _violate(self, kind: Kind, text: str) -> None:
        self.server.note(f"!!! {kind}: {text}")
        self.violations.append(Violation(kind, text))


def _fields(key: StoredKey) -> tuple[frozenset[str], frozenset[str]]:
    return frozenset(key.grants), frozenset(key.valid_ips)
