"""The program as its operators use it: the one module of the model that knows the use cases.

What an operator does with a screen is a method here, as the screen would do it. A changed API of
rotations, records or guards changes this module and no other.
"""

from __future__ import annotations

import asyncio
import os
import random
from collections.abc import Awaitable, Callable, Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

from pydantic import SecretStr

from tests.model.server import INTENT, PREDECESSOR, URL, Server
from tests.model.truth import word
from tui.api.address import parse_server
from tui.api.client import Client
from tui.api.errors import ApiError
from tui.api.models import Key, KeyDraft
from tui.api.session import Session, SessionProblem
from tui.delivery.new_secret import DeliveryFailed, DeliveryFault, NewSecret, Sent
from tui.journal import Journal, JournalEntry
from tui.keys.created import Created
from tui.keys.handing_over import handing_over
from tui.keys.key_history import KeyHistory
from tui.keys.key_record import UnfinishedRotation
from tui.keys.labels import base_label, nonce_of, successor_label
from tui.keys.presence import Presence
from tui.keys.records import Records
from tui.keys.rotation import (
    BulkRotation,
    BulkRun,
    Rotation,
    State,
    Step,
    finish_jobs,
    plan_rotations,
    unmark_jobs,
)
from tui.keys.rotation.rotation import SEEN_TO_WORK
from tui.keys.service import KeyService
from tui.keys.write_outcomes import (
    CannotGoOn,
    ChangedMeanwhile,
    NotSeenSoFar,
    OutcomeUnknown,
    SecretLost,
)

PROBLEMS = (ApiError, SessionProblem, DeliveryFailed, ChangedMeanwhile, CannotGoOn)
CREATE_PROBLEMS = (SecretLost, NotSeenSoFar, OutcomeUnknown)

STEPS = {
    "create": Step.CREATE,
    "deliver": Step.DELIVER,
    "stored": Step.STORED,
    "verify": Step.VERIFY,
    "finish": Step.FINISH,
    "undo": Step.UNDO,
    "replace": Step.REPLACE,
    "look": Step.LOOK,
}
"""The steps that the rotation's screen offers, by the names that the model uses."""


@dataclass
class Vault:
    """Where an operator's secrets go, by key id; it outlives the program."""

    secrets: dict[str, str] = field(default_factory=dict)


@dataclass
class Home:
    """What a host keeps between runs of the program: the folder of its journal."""

    name: str
    folder: Path


class MortalJournal(Journal):
    """A journal that is written to only as long as its program lives."""

    def __init__(
        self, home: Home, now: Callable[[], datetime], is_alive: Callable[[], bool]
    ) -> None:
        super().__init__(home.folder / "journal.jsonl", now=now)
        self._is_alive = is_alive

    def note(self, entry: JournalEntry) -> None:
        if self._is_alive():
            super().note(entry)


class MortalPresence(Presence):
    """Says what is worked on as long as its program lives, by the time of the model."""

    def __init__(
        self, home: Home, now: Callable[[], datetime], is_alive: Callable[[], bool]
    ) -> None:
        super().__init__(home.folder / "working", URL)
        self._now, self._is_alive = now, is_alive

    def _clock(self) -> float:
        return self._now().timestamp()

    def _write_file(self) -> None:
        if self._is_alive():
            super()._write_file()

    def _replace_file(self, names: frozenset[str]) -> None:
        super()._replace_file(names)
        os.utime(self._path, (self._clock(), self._clock()))


class TracedService(KeyService):
    """Lets the server know which key the one being created is to succeed."""

    async def create(self, draft: KeyDraft, *, predecessor: Key | None = None) -> Created:
        PREDECESSOR.set(predecessor.id if predecessor is not None else "")
        return await super().create(draft, predecessor=predecessor)


class Program:
    """One run of the program, of an operator with a vault, on a host with a home."""

    def __init__(self, name: str, user: str, server: Server, home: Home, vault: Vault) -> None:
        self.name, self.user, self.home, self.vault = name, user, home, vault
        self.is_alive = True
        self._server = server
        self._wire = server.wire(lambda: self.is_alive, self.point)
        self.points_left: int | None = None
        """After how many points more the program is to be killed; None: it is not."""
        self.killed = asyncio.Event()
        self._rotations: list[Rotation] = []
        self._empty: set[str] = set()
        self._shown: set[str] = set()
        """Secrets of plain creates on the screen."""
        self.rng = random.Random()  # noqa: S311

    def begin_action(self, rng: random.Random) -> None:
        """Have what follows repeatable by `rng`, whatever came before."""
        self.rng = self._wire.rng = rng

    async def point(self) -> None:
        """Let the program be killed here: it does nothing more from then on."""
        if self.points_left is None:
            return
        self.points_left -= 1
        if self.points_left < 0:
            self.killed.set()
            await asyncio.Event().wait()

    async def start(self) -> None:
        """Sign in, and read the list if that can be."""
        session = Session(Client(parse_server(URL), transport=self._wire))
        token = SecretStr(self._server.add_user(self.user))
        await session.enter_with_token(self.user, token)
        journal = MortalJournal(self.home, self._server.now, lambda: self.is_alive)
        self.service = TracedService(session, journal)
        presence = MortalPresence(self.home, self._server.now, lambda: self.is_alive)
        self.service.presence = presence
        self.service.history = KeyHistory(journal, session.client.server.url, presence)
        await self._read_records()
        await self.reload()

    def close(self) -> None:
        """Leave in order: what is on a screen is let go of."""
        for rotation in self._rotations:
            if rotation.allows(Step.FORGET):
                rotation.forget_secret()
        self._rotations.clear()
        self._shown.clear()
        self.service.presence.close()
        self.is_alive = False

    def memory(self) -> set[str]:
        """Return the secrets that this run holds."""
        if not self.is_alive:
            return set()
        held = [rotation.secret for rotation in self._rotations]
        return self._shown | {secret.get_secret_value() for secret in held if secret}

    async def reload(self) -> bool:
        """Read the list (F5)."""
        try:
            await self.service.load()
        except PROBLEMS:
            return False
        await self._read_records()
        return True

    async def _read_records(self) -> None:
        self.records: Records = await self.service.records()
        self._listing = self.service.listing

    @property
    def keys(self) -> tuple[Key, ...]:
        """The keys as the list shows them: what was read since for a step is not in it."""
        return self._listing.keys

    def lost(self) -> set[str]:
        """Return the ids of the keys of which the list says that nobody has the secret."""
        return {record.key.id for record in self.records.never_stored}

    def unclear(self) -> set[str]:
        """Return the ids of the keys of which the list says that their secrets may be lost."""
        return {record.key.id for record in self.records.perhaps_stored}

    def is_replaced(self, key: Key) -> bool:
        """Tell whether the list says of a key whose secret may be lost that others replace it."""
        return self.records[key].has_heirs

    def reported_empty(self) -> frozenset[str]:
        """Return the words of the labels that are said, loudly, to have no key left."""
        return frozenset(self._empty)

    def unfinished(self) -> list[Key]:
        """Return the predecessors of the rotations that the list shows as unfinished."""
        return [each.predecessor for each in self.records.unfinished if each.is_known]

    async def create(self, label: str, grants: Sequence[str]) -> None:
        """Create a key (n), and store its secret."""
        try:
            created = await self.service.create(KeyDraft(label, tuple(grants)))
        except (*CREATE_PROBLEMS, *PROBLEMS):
            await self.reload()
            return
        secret = created.key.secret.get_secret_value()
        self._shown.add(secret)
        async with handing_over(created.attempt):
            await self._store(created.key.id or secret[:4], secret)
        created.attempt.stored("the vault")
        self.service.presence.release(created.attempt.id)
        self._shown.discard(secret)
        await self.reload()

    async def edit(
        self,
        key: Key,
        grants: Sequence[str] | None = None,
        *,
        label: str | None = None,
        valid_ips: tuple[str, ...] | None = None,
    ) -> None:
        """Edit a key (e): what is given, all else as it is."""
        draft = KeyDraft(
            (key.raw_label or "") if label is None else label,
            tuple(key.grants if grants is None else grants),
            (key.raw_valid_ips or ()) if valid_ips is None else valid_ips,
        )
        with suppress(*PROBLEMS):
            await self.service.edit(key, draft)
        await self.reload()

    async def remark(self, key: Key, predecessor: Key | None) -> None:
        """Edit a key (e) so that its label marks it as the successor of another one, or of none."""
        label = base_label(key.raw_label or "")
        if predecessor is not None:
            short_key = predecessor.raw_short_key or ""
            label = successor_label(label, predecessor.id, short_key, nonce_of("0123456789"))
        await self.edit(key, label=label)

    def opposites(self) -> list[Key]:
        """Return the keys that must stay as long as the deletion of another may take effect."""
        deletions = [
            key_id for key_id, write in self.records.open_writes.items() if write.action == "delete"
        ]
        keys = [key for key in self.keys if key.id in deletions]
        return [other for key in keys for other in self.records.partners(key)]

    def involved(self) -> list[Key]:
        """Return the keys of unfinished rotations, and those that other instances work on."""
        return [
            key
            for key in self.keys
            if self.records.rotation_of(key) is not None or self.records[key].worker is not None
        ]

    async def verify(self, key: Key) -> None:
        """Verify a key (v) with its secret from the vault, and read the list."""
        secret = self.vault.secrets.get(key.id)
        if secret is None:
            return
        with suppress(*PROBLEMS):
            verification = await self.service.verify(SecretStr(secret), key.grants)
            attempt = await self.service.attempt_of(key)
            if attempt is not None and verification.works:
                attempt.stored(SEEN_TO_WORK)
                attempt.proven(True)
        await self.reload()

    async def delete(self, key: Key) -> None:
        """Delete a key (d)."""
        with suppress(*PROBLEMS):
            await self.service.delete(key)
        await self.reload()

    def open_rotation(self, key: Key, answer: bool | None) -> Rotation | None:
        """Open the rotation of a key (r); `answer` is what is said about keys that are alike."""
        if not self._is_listed(key):
            return None
        record = self.records[key]
        if record.is_orphan or record.worker is not None:
            return None
        if (unfinished := self.records.rotation_of(key)) is not None:
            return self._resumed(unfinished)
        if key.id in self.records.unclear:
            return None  # the list says that perhaps nobody has its secret
        if self.records.alike(key) is not None and not answer:
            return None
        return self._opened(Rotation(self.service, key))

    def open_finish(self, key: Key) -> Rotation | None:
        """Open the rotation that a key is part of (f)."""
        unfinished = self.records.rotation_of(key) if self._is_listed(key) else None
        return self._resumed(unfinished) if unfinished is not None else None

    def open_one_of_several(self, key: Key) -> Rotation | None:
        """Open the rotation of a key with several successors by one that is to stay (f on it)."""
        unfinished = self.records.rotation_of(key) if self._is_listed(key) else None
        if unfinished is None or len(unfinished.successors) < 2:
            return None
        own = [each for each in unfinished.successors if each.id in self.vault.secrets]
        of_one = self.records.rotation_of(own[0]) if own else None
        return self._resumed(of_one) if of_one is not None else None

    def _resumed(self, unfinished: UnfinishedRotation) -> Rotation | None:
        if unfinished.worker is not None or len(unfinished.successors) > 1:
            return None
        return self._opened(Rotation.resume(self.service, unfinished))

    def steps(self, rotation: Rotation) -> list[str]:
        """Return the steps that the rotation's screen offers, of those that make sense."""
        return [name for name in STEPS if self._offers(rotation, name)]

    async def take(self, rotation: Rotation, name: str) -> None:
        """Take a step as its button does, and what the screen does after it by itself."""
        _step(name)
        if name in {"finish", "undo"} and rotation.differences:
            _agree()
        takes: dict[str, Callable[[], Awaitable[object]]] = {
            "create": lambda: self._create_and_verify(rotation),
            "deliver": lambda: rotation.deliver(self),
            "stored": lambda: rotation.stored_by_hand("the vault"),
            "verify": lambda: rotation.verify(secret=self._given(rotation)),
            "finish": lambda: rotation.finish(even_unverified=not rotation.is_proven),
            "undo": rotation.undo,
            "replace": rotation.replace_lost,
            "look": rotation.look_again,
        }
        await takes[name]()
        if rotation.state is State.VERIFIED and rotation.secret is not None and rotation.stored:
            rotation.forget_secret()
        self._note_empty(rotation)

    def _note_empty(self, rotation: Rotation) -> None:
        if rotation.state is State.NOTHING_LEFT:
            self._empty.add(word(base_label(rotation.predecessor.raw_label or "")))

    async def _create_and_verify(self, rotation: Rotation) -> None:
        if rotation.lacks_addresses:
            _agree()
            rotation.agrees_to_any_address = True
        await rotation.create()
        if rotation.state is State.CREATED:
            await rotation.verify()

    def is_over(self, rotation: Rotation) -> bool:
        """Tell whether the rotation came to its end."""
        return rotation.state in {State.FINISHED, State.UNDONE}

    def describe(self, rotation: Rotation) -> str:
        """Return where the rotation stands, for the trace."""
        problem = f" {type(rotation.problem).__name__}" if rotation.problem else ""
        return f"{rotation.state.value}{problem}"

    async def leave(self, rotation: Rotation) -> None:
        """Close the rotation's screen; the secret in it is let go of."""
        await rotation.settled()
        if rotation.allows(Step.FORGET):
            rotation.forget_secret()
        if rotation in self._rotations:
            self._rotations.remove(rotation)
        await self.reload()

    async def bulk_rotate(self, keys: Sequence[Key], then: str) -> None:
        """Rotate many keys; `then` is finish, later or nothing, with what came so far."""
        _step("bulk")
        tells_addresses = self.service.listing.tells_addresses
        plan = plan_rotations(
            keys,
            self.service.session.user,
            self.records.unfinished,
            orphans=self.records.orphans,
            unclear=self.records.unclear,
            tells_addresses=tells_addresses,
        )
        if not tells_addresses:
            _agree()
        run = BulkRotation(self.service, plan.keys, self, unfinished=plan.replaced)
        rotations = list(run.rotations.values())
        self._rotations += rotations
        await self._see_through(run, run.run())
        if run.failed and self.rng.random() < 0.5:
            await self._see_through(run, run.retry_failed())
        if run.verified and then == "finish":
            await self._see_through(run, run.finish_verified())
        for rotation in rotations:
            self._note_empty(rotation)
            await self.leave_quietly(rotation)
        await self.reload()

    async def bulk_finish(self, keys: Iterable[Key]) -> None:
        """Delete the predecessors of many keys, those of known and proven successors."""
        _step("bulk")
        chosen = {key.id for key in keys}
        unfinished = [
            each
            for each in self.records.unfinished
            if each.is_known
            and each.predecessor.id in chosen
            and each.is_proven
            and not each.differences
            and len(each.successors) == 1
            and each.worker is None
        ]
        left_marked = [key for key in self.records.to_unmark if key.id in chosen]
        rotations = [Rotation.resume(self.service, each) for each in unfinished]
        jobs = [*finish_jobs(rotations), *unmark_jobs(self.service, left_marked)]
        run = BulkRun(self.service, jobs)
        await self._see_through(run, run.run())
        for rotation in rotations:
            self._note_empty(rotation)
        await self.reload()

    async def leave_quietly(self, rotation: Rotation) -> None:
        """Let go of a rotation of a run that was left."""
        await rotation.settled()
        if rotation.allows(Step.FORGET):
            rotation.forget_secret()
        if rotation in self._rotations:
            self._rotations.remove(rotation)

    async def deliver(self, parcel: NewSecret) -> Sent:
        """Deliver a secret to the vault, as a command of the operator's."""
        if self.rng.random() < 0.05:
            await asyncio.sleep(1)
            raise DeliveryFailed(DeliveryFault.FAILED, "The vault is sealed.")
        secret = parcel.secret.get_secret_value()
        await self._store(parcel.key_id or secret[:4], secret)
        return Sent("the vault", "nothing stands in the way")

    async def _store(self, name: str, secret: str) -> None:
        await asyncio.sleep(self.rng.uniform(0.1, 20))
        await self.point()
        if self.is_alive:
            self.vault.secrets[name] = secret
        await self.point()

    async def _see_through(self, run: BulkRun, work: Any) -> None:  # noqa: ANN401  # a coroutine
        """Wait for a run; one that pauses by itself is stopped."""
        task = asyncio.ensure_future(work)
        while not task.done():
            await asyncio.wait({task}, timeout=5)
            if run.is_paused:
                run.cancel()
        with suppress(*PROBLEMS):
            task.result()

    def _opened(self, rotation: Rotation) -> Rotation:
        if self.service.is_fresh:
            rotation.compare(self.service.listing)
        self._rotations.append(rotation)
        return rotation

    def _is_listed(self, key: Key) -> bool:
        return any(listed.id == key.id for listed in self.keys)

    def _secret_of(self, rotation: Rotation) -> SecretStr | None:
        return rotation.secret or self._given(rotation)

    def _given(self, rotation: Rotation) -> SecretStr | None:
        """Return the secret that the operator has to paste, where none is held any more."""
        if rotation.secret is not None:
            return None
        kept = self.vault.secrets.get(rotation.successor.id) if rotation.successor else None
        return SecretStr(kept) if kept else None

    def _offers(self, rotation: Rotation, name: str) -> bool:
        if not rotation.allows(STEPS[name]) or rotation.is_held_back(STEPS[name]):
            return False
        has_secret = self._secret_of(rotation) is not None
        match name:
            case "deliver":
                return not rotation.stored
            case "stored":  # nobody says so who has not stored it
                is_kept = rotation.secret is None and has_secret
                return is_kept and not rotation.stored
            case "verify":
                return has_secret and not rotation.is_proven
            case "undo":
                return rotation.successor is not None or bool(rotation.short_key)
            case "replace":  # nobody replaces what they know to have stored
                return not has_secret
        return True


def _agree() -> None:
    """Have the operator agree to a successor that is not as its predecessor."""
    intent = INTENT.get()
    if intent is not None:
        intent.is_asked = True


def _step(name: str) -> None:
    intent = INTENT.get()
    if intent is not None:
        intent.step = name
