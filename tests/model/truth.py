"""What must hold, told from the server's store and from what each vault and program holds."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from typing import Literal, get_args

from tests.model.server import STALE_SECONDS, Intent, Observer, Server
from tui.keys.labels import mark_of
from tui.sandbox.store import StoredKey

Kind = Literal[
    "label without a key",
    "deleted unnamed",
    "deleted as lost",
    "deleted in work",
    "fields wiped",
    "successor unlike",
    "succeeded twice",
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
deleted in work       a key was deleted whose secret, or that of its successor, another instance of
                      the same home was about to store, for everybody there to see
fields wiped          an update of the label changed grants or addresses
successor unlike      a successor has other grants or addresses than its predecessor, unasked
succeeded twice       a key gets another successor, though one that somebody has has been there for
                      a while, with its mark whole
said lost             the program says of a key that its secret was never stored: somebody has it
untold                nobody has a key's secret, and the program that made it does not say so
not converged         repeating the bulk actions in calm weather leaves a predecessor beside its
                      successor, a key whose secret nobody has, or a marked label
fault                 the program raised what it should not
"""

KINDS: tuple[Kind, ...] = get_args(Kind)

_DELETING = {"delete", "bulk delete"}
_EDITING = {"edit", "pause"}

NOTICED_SECONDS = 20.0
"""After how long an instance has noticed what another one of its home works on, in seconds."""

SEEN_SECONDS = 180.0
"""After how long a key counts as seen by everybody, in seconds: lists may be stale and kept."""

_MARK_IS_LOST = frozenset({"cut", "long-refused"})
"""Habits of servers on which a mark tells others nothing."""

PAUSED = ("192.0.2.0/32",)
"""The allowed addresses of a key that is paused: nobody's."""


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
    addresses: frozenset[str] = frozenset()
    """Where its clients are; none: anywhere."""
    is_given_up: bool = False

    def is_served_by(self, key: StoredKey) -> bool:
        """Tell whether a key does the label's work."""
        reaches = not key.valid_ips or (self.addresses and self.addresses <= {*key.valid_ips})
        return self.grants <= {*key.grants} and bool(reaches) and key.valid_ips != PAUSED


@dataclass
class Made:
    """Where a key comes from: who made it, and the id of the key that it is to succeed."""

    home: str
    predecessor: str
    operator: str = ""


def word(label: str) -> str:
    """Return what a label's keys have in common."""
    return label.split()[0].casefold() if label.split() else ""


_Fields = tuple[frozenset[str], frozenset[str]]
"""A key's grants and allowed addresses."""

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
    homes: dict[str, str] = field(default_factory=dict)
    """The home of each program."""
    made: dict[str, Made] = field(default_factory=dict)
    words: dict[str, str] = field(default_factory=dict)
    roots: dict[str, str] = field(default_factory=dict)
    """Of each key ever made the first of its line: itself where it succeeds none."""
    wanted_gone: set[str] = field(default_factory=set)
    """Keys that an operator picked to be deleted for good."""
    rotated: set[str] = field(default_factory=set)
    """The first keys of lines that were rotated or touched otherwise."""
    _lost: dict[str, Intent] = field(default_factory=dict)
    _rotated_at: dict[str, tuple[float, str]] = field(default_factory=dict)
    """When and at which home a step of a rotation deleted keys."""
    _deleted_at: dict[str, float] = field(default_factory=dict)
    _edited_at: dict[str, float] = field(default_factory=dict)
    _before_pause: dict[str, _Fields] = field(default_factory=dict)
    _wronged: set[str] = field(default_factory=set)
    _meddled: set[str] = field(default_factory=set)
    """The first keys of lines of which an operator changed a label."""
    _remarked: dict[str, float] = field(default_factory=dict)
    """When an operator changed the marks of keys."""
    _crossed: set[str] = field(default_factory=set)
    """The first keys of lines of which two hosts deleted keys at the same time, for opposite ends.
    """
    _deleted_of: dict[str, tuple[float, str]] = field(default_factory=dict)
    """When and at which home a key of a line was last deleted, by its first one."""
    _fields: dict[str, list[tuple[float, _Fields]]] = field(default_factory=dict)
    now: Callable[[], float] = lambda: 0.0

    def add_first(self, key: StoredKey, secret: str) -> None:
        """Take in a key that was there before; whoever uses it has its secret."""
        self._add_label(key)
        self.outside.add(secret)
        self._take_in(key, secret, key.id)

    def reinstalled(self) -> None:
        """Forget all: other keys have taken the ids."""
        for things in (
            self.labels,
            self.secrets,
            self.made,
            self.roots,
            self.words,
            self._lost,
            self._fields,
            self._before_pause,
            self._edited_at,
            self._remarked,
        ):
            things.clear()
        for names in (
            self.outside, self.wanted_gone, self.rotated, self._wronged, self._meddled,
        ):  # fmt: skip
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
            for key in self.server.all_keys()
            if word(key.label) == name and label.is_served_by(key) and self.is_held(key.id)
        ]

    def created(self, intent: Intent, predecessor: str, key: StoredKey, secret: str) -> None:
        """A key was made."""
        root = (
            key.id if self._is_rival(predecessor, intent) else self.roots.get(predecessor, key.id)
        )
        if predecessor and self._is_succeeded(predecessor, intent):
            self._violate("succeeded twice", f"{predecessor[:8]} by {intent.actor}")
        self._take_in(key, secret, root)
        self.made[key.id] = Made(intent.home, predecessor, intent.actor[:1])
        self.rotated.add(root)
        self._add_label(key)
        if (
            predecessor
            and not intent.is_asked
            and _fields(key) not in self._lately(predecessor, intent)
        ):
            self._violate("successor unlike", f"{key.id[:8]} {key.valid_ips} of {predecessor[:8]}")

    def _is_rival(self, predecessor: str, intent: Intent) -> bool:
        """Tell whether the other operator's successor of the same key is there, too.

        Where two operators rotate a key at the same moment, or marks are lost, each may use the
        own successor. Nothing tells the program that one of them is not needed, so each goes on as
        a line of its own, which must come to one key. So does the successor of a key whose mark is
        lost or whose secret is, as far as only another journal tells of that.
        """
        left = [ancestor for key in self.server.all_keys() for ancestor in self._ancestors(key.id)]
        made = self.made.get(predecessor)
        if made and made.predecessor and made.home != intent.home:
            key = self.server.store.key(predecessor)
            is_unmarked = key is not None and mark_of(key.label) is None
            may_be_unmarked = bool(self.server.habits & _MARK_IS_LOST)
            if (is_unmarked and may_be_unmarked) or not self.is_held(predecessor):
                return True
        return bool(predecessor) and any(
            made.predecessor == predecessor and made.operator != intent.actor[:1]
            for key_id in left
            if (made := self.made.get(key_id))
        )

    def _ancestors(self, key_id: str) -> Iterator[str]:
        """Yield a key, the one that it succeeds, and so on."""
        while key_id:
            yield key_id
            made = self.made.get(key_id)
            key_id = made.predecessor if made else ""

    def _is_succeeded(self, predecessor: str, intent: Intent) -> bool:
        """Tell whether a key had a successor that is of use, for everybody to see."""
        return not self.server.habits & _MARK_IS_LOST and any(
            made.predecessor == predecessor
            and (mark := mark_of(key.label)) is not None
            and mark.is_about(predecessor)
            and self._fields[key.id][0][0] < intent.began - SEEN_SECONDS
            and self.is_held(key.id)
            for key in self.server.all_keys()
            if (made := self.made.get(key.id))
        )

    def changed(self, intent: Intent, before: StoredKey, after: StoredKey) -> None:
        """A key was updated."""
        name, old, new = word(before.label), _fields(before), _fields(after)
        label = self.labels.get(name)
        was_working = label is not None and label.is_served_by(before) and self.is_held(before.id)
        if intent.action in _EDITING:
            self._edited_at[name] = self.now()
            self._note_edit(before, after)
        if after.valid_ips == PAUSED != before.valid_ips:
            self._before_pause[before.id] = old
            may_be = {(old[0], frozenset(PAUSED))}
        elif before.valid_ips == PAUSED != after.valid_ips:
            may_be = {self._before_pause.get(before.id, new)}
        elif intent.action == "edit":
            may_be = {new}
        else:
            may_be = self._lately(before.id, intent)
        if new not in may_be:
            text = f"{before.id[:8]} {sorted(old[1])} to {sorted(new[1])}"
            self._violate("fields wiped", text)
        self._fields.setdefault(before.id, []).append((self.now(), new))
        is_wanted = intent.action in _EDITING
        if new == old and not is_wanted:
            self.words[before.id] = word(after.label)
            return  # a label that lands late may be older than a colleague's
        self._note_loss(intent, name, was_working=was_working, is_wanted=is_wanted)

    def _lately(self, key_id: str, intent: Intent) -> set[_Fields]:
        """Return what a key's fields have been since a step began: any may have been read.

        A run over many keys goes by a list, which may be older.
        """
        is_by_list = intent.step == "bulk" and "stale" in self.server.habits
        began = intent.began - (STALE_SECONDS if is_by_list else 0.0)
        known = self._fields.get(key_id, [])
        earlier = [fields for when, fields in known if when < began]
        return {fields for when, fields in known if when >= began} | set(earlier[-1:])

    def deleted(self, intent: Intent, key: StoredKey) -> None:
        """A key was deleted: whose step it was decides whether it may be the last one."""
        root, name = self.roots.get(key.id, key.id), word(key.label)
        self.rotated.add(root)
        is_deletion = intent.action in _DELETING
        self._deleted_at[key.id] = self.now()
        if not is_deletion:
            self._rotated_at[key.id] = self.now(), intent.home
        if is_deletion and key.id in intent.picked:
            self.wanted_gone.add(key.id)
        is_crossed = self._crosses(intent, root)
        wrong = None if is_crossed else self._wrong(intent, key)
        if wrong is None and self._is_in_work(intent, key):
            wrong = "deleted in work"
        if wrong:
            self._wronged.add(root)
            self._violate(wrong, f"{key.id[:8]} by {intent.actor} {intent.step}")
        label = self.labels.get(name)
        does_work = label is not None and label.is_served_by(key)
        was_working = does_work and self.is_held(key.id) and not self._was_only_tried(key)
        if label is not None and is_crossed and intent.ending.is_over and not self.working(name):
            label.is_given_up = True
        is_wanted = is_deletion and not wrong
        self._note_loss(intent, name, was_working=was_working, is_wanted=is_wanted)

    def _is_in_work(self, intent: Intent, key: StoredKey) -> bool:
        """Tell whether another instance of the same home was about to store a secret of a pair."""
        latest = intent.began - NOTICED_SECONDS
        successors = [each for each, made in self.made.items() if made.predecessor == key.id]
        secrets = {
            self.secrets[key_id]
            for key_id in (key.id, *successors)
            if key_id in self.made and self._fields[key_id][0][0] < latest
        }
        secrets -= {secret for vault in self.vaults for secret in vault.values()}
        return any(
            name != intent.actor and self.homes.get(name) == intent.home and secrets & {*held()}
            for name, held in self.memories.items()
        )

    def _crosses(self, intent: Intent, root: str) -> bool:
        """Tell whether the other host took the opposite step meanwhile, which nobody can prevent.

        A request that is under way can't be called back, and hosts without a common journal do not
        see each other's. What is left is told by whoever looks last.
        """
        when, home = self._deleted_of.get(root, (-1.0, intent.home))
        self._deleted_of[root] = self.now(), intent.home
        if intent.action in _DELETING:
            return False
        is_crossed = home != intent.home and when >= intent.began
        self._crossed |= {root} if is_crossed else set()
        return is_crossed

    def _was_only_tried(self, key: StoredKey) -> bool:
        """Tell whether a key goes whose predecessor is there, but unheld.

        Nobody stored it, or only another host's journal can tell that of the predecessor.
        """
        made, secret = self.made.get(key.id), self.secrets[key.id]
        before = self.made.get(made.predecessor) if made is not None else None
        is_stored = any(secret in vault.values() for vault in self.vaults)
        is_known = before is None or made is None or before.home == made.home
        return (
            made is not None
            and not (is_stored and is_known)
            and not self.is_held(made.predecessor)
            and self.server.store.key(made.predecessor) is not None
        )

    def _note_loss(self, intent: Intent, name: str, *, was_working: bool, is_wanted: bool) -> None:
        """Take note of a label that has no working key any more, unless an operator wanted that."""
        label = self.labels.get(name)
        if label is None or label.is_given_up or name in self._lost or not was_working:
            return
        if self.working(name):
            return
        is_deletion = intent.action in _DELETING
        relied = is_deletion and any(
            self._rotated_at[other][1] == intent.home
            or self._rotated_at[other][0] < intent.began - NOTICED_SECONDS
            for other in intent.others & self._rotated_at.keys()
        )
        was_edited = self._edited_at.get(name, -1.0) >= intent.began
        is_agreed = intent.is_asked and intent.step in {"finish", "undo"}
        if (is_wanted and not relied) or was_edited or is_agreed:
            label.is_given_up = True
            return
        self._lost[name] = intent
        self.server.note(f"!!! {name} has no key any more, by {intent.actor} {intent.step}")
        if intent.ending.is_over:
            self.check_lost(frozenset())

    def check_lost(self, reported: frozenset[str]) -> None:
        """After an action: labels without a key count, unless they were `reported`."""
        for name, intent in tuple(self._lost.items()):
            if self.working(name):
                del self._lost[name]
            elif name in reported:
                self.labels[name].is_given_up = True
                del self._lost[name]
            elif intent.ending.is_over:
                self._violate("label without a key", f"{name}, by {intent.actor} {intent.step}")
                self.labels[name].is_given_up = True
                del self._lost[name]

    def check_said(self, home: str, program: str, lost: Iterable[str]) -> None:
        """After the list was read: a secret said to be lost is nobody's, or its own program's."""
        ids = {key.id for key in self.server.all_keys()}
        for key_id in lost:
            if key_id in ids and self.is_held(key_id, but=program):
                self._violate("said lost", f"{key_id[:8]} by {home}")

    def check_named(self, home: str, ids: Iterable[str]) -> None:
        """At the end: of each key made at `home` whose secret nobody has, it is told there."""
        named = set(ids)
        self.server.note(f"{home} names {', '.join(sorted(key[:8] for key in named)) or 'none'}")
        for key in self.server.all_keys():
            made = self.made.get(key.id)
            if self.roots.get(key.id) in self._meddled:
                continue  # of a key that was given another label, nothing may be known any more
            if made and made.home == home and not self.is_held(key.id) and key.id not in named:
                self._violate("untold", f"{key.id[:8]} {key.label!r} of {home}")

    def check_converged(self) -> None:
        """At the end: each line that was touched is one working key with the plain label."""
        for root in sorted(self.rotated - self._meddled):
            line = [key for key in self.server.all_keys() if self.roots.get(key.id) == root]
            was_picked = any(self._goes_back_to(root, gone) for gone in self.wanted_gone)
            label = self.labels[self.words[root]]
            if not line:
                is_rival = bool((made := self.made.get(root)) and made.predecessor)
                is_excused = (
                    was_picked or label.is_given_up or root in self._wronged | self._crossed
                )
                if not (is_rival or is_excused or self._has_heir(root)):
                    self._violate("not converged", f"nothing left of {root[:8]}")
            elif not self._is_brought_to_its_end(line):
                named = ", ".join(f"{key.id[:8]} {key.label!r}" for key in line)
                self._violate("not converged", f"left are {named}")
            elif not (was_picked or self._keeps_marks) and _MARKED.search(line[0].label):
                self._violate("not converged", f"still marked: {line[0].label!r}")

    def _has_heir(self, root: str) -> bool:
        """Tell whether a key of another line goes back to this one."""
        return any(self._goes_back_to(root, key.id) for key in self.server.all_keys())

    def _goes_back_to(self, root: str, key_id: str) -> bool:
        return any(self.roots.get(ancestor) == root for ancestor in self._ancestors(key_id))

    @property
    def _keeps_marks(self) -> bool:
        """Whether marks may stay: taking one off would wipe addresses that are not told."""
        return "addressless" in self.server.habits

    def _is_brought_to_its_end(self, line: list[StoredKey]) -> bool:
        """Tell whether no key has a successor beside it, and each is held by somebody else.

        Without short keys, nothing tells a key with a plain label from one of a server that was
        installed anew, so that none counts as the heir of another.
        """
        left = self.server.all_keys()
        followed = {its.predecessor for key in left if (its := self.made.get(key.id))}
        secrets = {self.secrets[key.id] for key in line}
        most_in_one = max((len(secrets & set(vault.values())) for vault in self.vaults), default=0)
        return (
            not followed & {key.id for key in line}
            and all(self.is_held(key.id) for key in line)
            and (most_in_one <= 1 or "keyless" in self.server.habits)
        )

    def fault(self, error: BaseException) -> None:
        """The program raised what it should not."""
        self._violate("fault", repr(error))

    def _add_label(self, key: StoredKey) -> None:
        label = Label(frozenset(key.grants), key.label, frozenset(key.valid_ips))
        self.labels.setdefault(word(key.label), label)

    def _take_in(self, key: StoredKey, secret: str, root: str) -> None:
        self.secrets[key.id], self.roots[key.id] = secret, root
        self.words[key.id] = word(key.label)
        self._fields[key.id] = [(self.now(), _fields(key))]

    def _note_edit(self, before: StoredKey, after: StoredKey) -> None:
        """What an operator gives a label's key, it needs; what they take from its only one, not."""
        name = word(before.label)
        is_relabelled = before.label not in {after.label, *_MARKED.split(after.label)[:1]}
        if is_relabelled or mark_of(before.label) != mark_of(after.label):
            self._meddled |= {self.roots.get(each, each) for each in self._ancestors(before.id)}
        if (mark := mark_of(after.label)) != mark_of(before.label):
            self._remarked[before.id] = self.now()
            named = [each for each in self.roots if mark is not None and mark.is_about(each)]
            self._meddled |= {self.roots[each] for each in named}
        if word(after.label) != name:
            self.words[before.id] = word(after.label)
            self._add_label(after)
            return
        label = self.labels.get(name)
        if label is None or label.is_given_up:
            return
        if label.is_served_by(before) and label.is_served_by(after) and self.is_held(after.id):
            label.grants |= {*after.grants} - {*before.grants}
            label.addresses = frozenset(after.valid_ips) and (label.addresses | {*after.valid_ips})
        held = [
            key
            for key in self.server.all_keys()
            if word(key.label) == name and self.is_held(key.id)
        ]
        if held and not self.working(name):
            best = max(held, key=lambda key: len(label.grants & set(key.grants)))
            label.grants &= frozenset(best.grants)
            label.addresses = frozenset(best.valid_ips)

    def _wrong(self, intent: Intent, key: StoredKey) -> Kind | None:
        """Check that the key was picked, or is the rotation's own in the role it was deleted in."""
        made = self.made.get(key.id)
        is_of_use = self.is_held(key.id, but=intent.actor)
        if key.id in self._remarked and intent.action not in _DELETING:
            return None  # an operator said by hand whose successor it is
        if intent.action in _DELETING:
            if key.id not in intent.picked:
                return "deleted unnamed"
            return "deleted as lost" if intent.step == "lost" and is_of_use else None
        successors = [
            other.id
            for other in self.server.all_keys()
            if ((its := self.made.get(other.id)) and its.predecessor == key.id)
            or (other.id in self._remarked and (m := mark_of(other.label)) and m.is_about(key.id))
        ]
        was_picked = key.id in intent.picked and intent.action == "rotate"
        if successors and all(self._is_disowned(intent, each, key.id) for each in successors):
            return "deleted unnamed" if intent.step in {"finish", "bulk"} else None
        if intent.step in {"finish", "bulk"} and (successors or was_picked):
            return None
        if made is not None and made.predecessor:
            was_there = self._deleted_at.get(made.predecessor, intent.began) >= intent.began
            is_own = made.operator == intent.actor[:1]
            if intent.step == "undo" and (was_there or (is_own and not is_of_use)):
                return None
            if intent.step in {"replace", "bulk"}:
                return "deleted as lost" if is_of_use else None
        return "deleted unnamed"

    def _is_disowned(self, intent: Intent, key_id: str, predecessor: str) -> bool:
        """Tell whether somebody said, before a step, that a key is no successor of that one."""
        key, made = self.server.store.key(key_id), self.made.get(key_id)
        if key is None or self._remarked.get(key_id, intent.began) >= intent.began:
            return False
        mark, is_known = mark_of(key.label), made is not None and made.home == intent.home
        if self.server.habits & _MARK_IS_LOST or (mark is None and is_known):
            return False
        return mark is None or not mark.is_about(predecessor)

    def _violate(self, kind: Kind, text: str) -> None:
        self.server.note(f"!!! {kind}: {text}")
        self.violations.append(Violation(kind, text))


def _fields(key: StoredKey) -> tuple[frozenset[str], frozenset[str]]:
    return frozenset(key.grants), frozenset(key.valid_ips)
