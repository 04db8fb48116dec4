"""The program as its operators use it: the one module of the model that knows the use cases.

What an operator does with a screen is a method here, as the screen would do it. A changed API of
rotations, records or guards changes this module and no other.
"""

from __future__ import annotations

import asyncio
import random
from collections.abc import Awaitable, Callable, Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

from pydantic import SecretStr

from tests.model.server import INTENT, PREDECESSOR, URL, Server
from tui.api.address import parse_server
from tui.api.client import Client
from tui.api.errors import ApiError
from tui.api.models import Key, KeyDraft
from tui.api.session import Session, SessionProblem
from tui.delivery.new_secret import DeliveryFailed, DeliveryFault, NewSecret, Sent
from tui.journal import Journal
from tui.journal.log import JournalEntry
from tui.keys.rotation import (
    BulkRotation,
    BulkRun,
    Rotation,
    State,
    Step,
    Unfinished,
    UnfinishedKind,
    finish_jobs,
    plan_rotations,
    unfinished_rotations,
)
from tui.keys.service import Created, KeyService
from tui.keys.write_outcomes import ChangedMeanwhile, NothingCreated, OutcomeUnknown, SecretLost

PROBLEMS = (ApiError, SessionProblem, DeliveryFailed, ChangedMeanwhile)
CREATE_PROBLEMS = (SecretLost, NothingCreated, OutcomeUnknown)

STEPS = {
    "create": Step.CREATE,
    "deliver": Step.DELIVER,
    "stored": Step.STORED,
    "verify": Step.VERIFY,
    "later": Step.RETIRE,
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


class TracedService(KeyService):
    """Lets the server know which key the one being created is to succeed."""

    async def create(self, draft: KeyDraft, *, predecessor: str = "") -> Created:
        PREDECESSOR.set(predecessor)
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
        await self.reload()

    def close(self) -> None:
        """Leave in order: what is on a screen is let go of."""
        for rotation in self._rotations:
            if rotation.allows(Step.FORGET):
                rotation.forget_secret()
        self._rotations.clear()
        self._shown.clear()
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
        return True

    @property
    def keys(self) -> tuple[Key, ...]:
        """The keys as listed."""
        return self.service.listing.keys

    def lost(self) -> set[str]:
        """Return the ids of the keys of which the list says that nobody has the secret."""
        return {key.id for key in self.service.never_stored()}

    def unclear(self) -> set[str]:
        """Return the ids of the keys of which the list says that their secrets may be lost."""
        not_stored = [
            unfinished.successors[-1].id
            for unfinished in unfinished_rotations(self.service)
            if unfinished.kind is UnfinishedKind.BEGUN
            and unfinished.known
            and not unfinished.known.is_stored
        ]
        return {*not_stored, *(key.id for key in self.service.maybe_stored())}

    def reported_empty(self) -> frozenset[str]:
        """Return the words of the labels that are said, loudly, to have no key left."""
        return frozenset()

    def unfinished(self) -> list[Key]:
        """Return the predecessors of the rotations that the list shows as unfinished."""
        return [
            unfinished.predecessor
            for unfinished in unfinished_rotations(self.service)
            if unfinished.kind is not UnfinishedKind.MAYBE_INTERRUPTED
        ]

    async def create(self, label: str, grants: Sequence[str]) -> None:
        """Create a key (n), and store its secret."""
        try:
            created = await self.service.create(KeyDraft(label, tuple(grants)))
        except (*CREATE_PROBLEMS, *PROBLEMS):
            await self.reload()
            return
        secret = created.key.secret.get_secret_value()
        self._shown.add(secret)
        await self._store(created.key.id or secret[:4], secret)
        created.attempt.stored("the vault")
        self._shown.discard(secret)
        await self.reload()

    async def edit(self, key: Key, grants: Sequence[str] | None = None) -> None:
        """Edit a key (e): its grants, all else as it is."""
        draft = KeyDraft(
            key.raw_label or "",
            tuple(key.grants if grants is None else grants),
            key.raw_valid_ips or (),
        )
        with suppress(*PROBLEMS):
            await self.service.edit(key, draft)
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
        unfinished = next(
            (u for u in unfinished_rotations(self.service) if _is_about(u, key)), None
        )
        rotation = Rotation(self.service, key)
        if unfinished is not None and unfinished.kind in {
            UnfinishedKind.OVERLAPPING,
            UnfinishedKind.BEGUN,
        }:
            rotation = Rotation.resume(self.service, unfinished)
        elif unfinished is not None and unfinished.kind is UnfinishedKind.MAYBE_INTERRUPTED:
            if answer is None:
                return None
            if answer:
                rotation = Rotation.resume(self.service, unfinished)
        return self._opened(rotation)

    def open_finish(self, key: Key) -> Rotation | None:
        """Open the rotation that a key is part of (f)."""
        for unfinished in unfinished_rotations(self.service):
            if unfinished.successors and _is_about(unfinished, key):
                return self._opened(Rotation.resume(self.service, unfinished))
        return None

    def steps(self, rotation: Rotation) -> list[str]:
        """Return the steps that the rotation's screen offers, of those that make sense."""
        return [name for name in STEPS if self._offers(rotation, name)]

    async def take(self, rotation: Rotation, name: str) -> None:
        """Take a step as its button does, and what the screen does after it by itself."""
        _step(name)
        today = self._server.now().date()
        takes: dict[str, Callable[[], Awaitable[object]]] = {
            "create": lambda: self._create_and_verify(rotation),
            "deliver": lambda: rotation.deliver(self),
            "stored": lambda: rotation.stored_by_hand("the vault"),
            "verify": lambda: rotation.verify(secret=self._secret_of(rotation)),
            "later": lambda: rotation.retire_later(today),
            "finish": lambda: rotation.finish(even_unverified=not rotation.is_proven),
            "undo": rotation.undo,
            "replace": rotation.replace_lost,
            "look": rotation.look_again,
        }
        await takes[name]()
        if rotation.state is State.VERIFIED and rotation.secret is not None and rotation.stored:
            rotation.forget_secret()

    async def _create_and_verify(self, rotation: Rotation) -> None:
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
        plan = plan_rotations(keys, self.service.session.user, unfinished_rotations(self.service))
        run = BulkRotation(self.service, plan.keys, self, begun=plan.replaced)
        rotations = list(run.rotations.values())
        self._rotations += rotations
        await self._see_through(run, run.run())
        if run.failed and self.rng.random() < 0.5:
            await self._see_through(run, run.retry_failed())
        if run.verified and then == "finish":
            await self._see_through(run, run.finish_verified())
        elif run.verified and then == "later":
            await self._see_through(run, run.retire_verified(self._server.now().date()))
        for rotation in rotations:
            await self.leave_quietly(rotation)
        await self.reload()

    async def bulk_finish(self, keys: Iterable[Key]) -> None:
        """Delete the predecessors of many keys, those of known and proven successors."""
        _step("bulk")
        chosen = {key.id for key in keys}
        unfinished = [
            unfinished
            for unfinished in unfinished_rotations(self.service)
            if unfinished.predecessor.id in chosen
            and unfinished.kind in {UnfinishedKind.OVERLAPPING, UnfinishedKind.BEGUN}
            and (unfinished.known is None or unfinished.is_proven)
        ]
        run = BulkRun(
            self.service, finish_jobs(Rotation.resume(self.service, u) for u in unfinished)
        )
        await self._see_through(run, run.run())
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
        rotation.compare(self.service.listing)
        self._rotations.append(rotation)
        return rotation

    def _is_listed(self, key: Key) -> bool:
        return any(listed.id == key.id for listed in self.keys)

    def _secret_of(self, rotation: Rotation) -> SecretStr | None:
        if rotation.secret is not None:
            return rotation.secret
        kept = self.vault.secrets.get(rotation.successor.id) if rotation.successor else None
        return SecretStr(kept) if kept else None

    def _offers(self, rotation: Rotation, name: str) -> bool:
        if not rotation.allows(STEPS[name]):
            return False
        has_secret = self._secret_of(rotation) is not None
        match name:
            case "deliver":
                return not rotation.stored
            case "stored":  # nobody says so who has not stored it
                is_kept = rotation.secret is None and has_secret
                return is_kept and not rotation.stored and rotation.state is not State.OVERLAPPING
            case "verify":
                return has_secret and not rotation.is_proven
            case "undo":
                return rotation.successor is not None or bool(rotation.short_key)
            case "replace":  # nobody replaces what they know to have stored
                return not has_secret
        return True


def _step(name: str) -> None:
    intent = INTENT.get()
    if intent is not None:
        intent.step = name


def _is_about(unfinished: Unfinished, key: Key) -> bool:
    return key.id in {
        unfinished.predecessor.id,
        *(successor.id for successor in unfinished.successors),
    }
