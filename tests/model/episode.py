"""One episode: two operators walk at random on one server, then the weather calms down.

All is drawn from the seed; each action has randomness of its own, so that leaving one out, as
shrinking does, leaves the others what they were.
"""

from __future__ import annotations

import asyncio
import random
import tempfile
from collections.abc import Callable, Coroutine, Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass, field, replace
from datetime import timedelta
from pathlib import Path
from typing import Any

from tests.model.operator import Home, Program, Vault
from tests.model.server import HABITS, INTENT, Intent, Server
from tests.model.truth import Truth, Violation, word
from tests.model.virtual_time import GROUP, run
from tui.api.models import Key
from tui.sandbox.store import StoredKey

ACTIONS = 10
"""How many actions each operator takes."""

LANDED_SECONDS = 2_000.0
"""After so long nothing of a write can land any more, and the program may know that."""

ROUNDS = 5
"""How often the bulk actions are repeated at most, to bring every key to its end."""

GRANTS = ("metrics/view", "templates/view")
FIRST: tuple[tuple[str, tuple[str, ...], tuple[str, ...]], ...] = (
    ("A1 Billing mailer", GRANTS, ()),
    ("B2 Support de\u0301sk", ("webhooks/view",), ("127.0.0.0/8",)),
    ("C3 Relay ", GRANTS, ("192.0.2.7", "198.51.100.0/24")),
    ("D4 Newsletter of the whole company (test)", GRANTS, ()),
)
TWINS: tuple[tuple[str, tuple[str, ...], tuple[str, ...]], ...] = (
    ("A1 Billing mailer", ("metrics/view",), ()),
    ("A1 Billing mailer", GRANTS, ()),
)
"""What another key of the first one's label may be: with fewer grants, or just alike."""


MARKS_LOST = frozenset({"cut", "long-refused", "addressless", "stale"})
"""Habits of servers on which a mark does not tell that a predecessor is gone."""

MEDDLING = ("grants", "grants", "addresses", "addresses", "label", "mark", "delete", "delete")
"""What is done to keys that are being rotated, as often as it stands here."""


@dataclass(frozen=True)
class Spec:
    """An episode, repeatable: its seed, what is left out of it, and whether there are two homes."""

    seed: int
    without: frozenset[str] = frozenset()
    """Habits and actions that are left out, and others: `late`, `a3`, `kills`, `meddles`."""

    def __str__(self) -> str:
        return " ".join([str(self.seed), *(f"-{name}" for name in sorted(self.without))])

    @classmethod
    def parse(cls, text: str) -> Spec:
        """Return the episode that `str()` made the text of."""
        seed, *without = text.split()
        return cls(int(seed), frozenset(name.removeprefix("-") for name in without))

    @property
    def habits(self) -> frozenset[str]:
        """What the server is like."""
        rng = self.rng("habits")
        drawn = {
            habit for habit in HABITS if rng.random() < (0.05 if habit == "reinstalled" else 0.2)
        }
        return frozenset(drawn) - self.without

    @property
    def is_one_home(self) -> bool:
        """Whether both operators share a journal."""
        return self.rng("homes").random() < 0.4

    def rng(self, *what: object) -> random.Random:
        """Return the randomness for something, the same each time."""
        return random.Random(" ".join(map(str, (self.seed, *what))))  # noqa: S311  # repeatable


@dataclass
class Result:
    """What an episode met."""

    spec: Spec
    violations: list[Violation] = field(default_factory=list)
    trace: list[str] = field(default_factory=list)
    actions: int = 0
    steps: int = 0
    kills: int = 0

    @property
    def kinds(self) -> set[str]:
        """The kinds of violations, each once."""
        return {violation.kind for violation in self.violations}


def walk(spec: Spec) -> Result:
    """Walk an episode, in virtual time."""
    with tempfile.TemporaryDirectory() as folder:

        async def whole() -> Result:
            with closing(Episode(spec, Path(folder))) as episode:
                return await episode.walk()

        return run(whole, str(spec.seed))


class Operator:
    """A person, at a host, with one running program at a time."""

    def __init__(self, episode: Episode, name: str, user: str, home: Home) -> None:
        self.episode, self.name, self.user, self.home = episode, name, user, home
        self.vault = Vault()
        self.runs = 0
        self.tasks: set[asyncio.Task[Any]] = set()
        self.program: Program | None = None

    async def start(self) -> Program:
        """Start the program."""
        self.runs += 1
        server = self.episode.server
        name = f"{self.name}{self.runs}"
        self.tasks = set()
        self.program = program = Program(name, self.user, server, self.home, self.vault)
        self.episode.truth.memories[name] = program.memory
        self.episode.truth.homes[name] = self.home.name
        program.begin_action(self.episode.spec.rng(name, "start"))
        with self.meaning("start"):
            await asyncio.create_task(program.start())
        return program

    def is_in_a_vault(self, key: Key | None) -> bool:
        """Tell whether an operator finds a key's secret where the operators keep theirs."""
        truth = self.episode.truth
        secret = truth.secrets.get(key.id, "") if key is not None else ""
        return secret in truth.outside or any(secret in vault.values() for vault in truth.vaults)

    def close(self) -> None:
        """Leave the program in order."""
        if self.program is not None:
            self.program.close()
            self.program = None

    async def kill(self) -> None:
        """End the program in the middle of whatever it does."""
        if self.program is None:
            return
        self.program.is_alive = False
        tasks = [task for task in self.tasks if not task.done()]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        self.program = None

    @contextmanager
    def meaning(self, action: str, *keys: Key, step: str = "") -> Iterator[Intent]:
        """Have the requests from here on known to be meant so."""
        loop = asyncio.get_running_loop()
        actor = f"{self.name}{self.runs}"
        ids = frozenset(key.id for key in keys)
        intent = Intent(actor, action, self.home.name, ids, step, loop.time())
        intent.others = self.episode.others(ids)
        if action == "delete" and self.program is not None:
            intent.others |= self.episode.others(ids, self.program.keys)
        token, group = INTENT.set(intent), GROUP.set(self.tasks)
        try:
            yield intent
        finally:
            INTENT.reset(token)
            GROUP.reset(group)
            intent.ending.is_over = True


class Episode:
    """One walk of two operators on one server."""

    def __init__(self, spec: Spec, folder: Path) -> None:
        self.spec, self.result = spec, Result(spec)
        self.loop = asyncio.get_running_loop()
        self.server = Server(str(spec.seed), spec.habits, trace=self.result.trace)
        self.truth = Truth(self.server, self.result.violations)
        self.server.observer, self.truth.now = self.truth, self.loop.time
        homes = [Home("h", folder / "h"), Home("i", folder / "i")]
        second = homes[0] if spec.is_one_home else homes[1]
        self.operators = (
            Operator(self, "a", "ada", homes[0]),
            Operator(self, "b", "ada" if spec.rng("users").random() < 0.3 else "ben", second),
        )
        self.truth.vaults = [operator.vault.secrets for operator in self.operators]

    async def walk(self) -> Result:
        """Walk, calm down, and look whether all is as it must be."""
        spec, server = self.spec, self.server
        server.note(f"habits: {' '.join(sorted(spec.habits)) or 'none'}")
        server.note("one home" if spec.is_one_home else "two homes")
        self.plant()
        await self.wander()
        await self._calm_down()
        await self._converge()
        return self.result

    def close(self) -> None:
        """Let go of the server."""
        self.server.close()

    async def wander(self) -> None:
        """Have both operators act, before and after the server may be installed anew."""
        for half in (range(ACTIONS // 2), range(ACTIONS // 2, ACTIONS)):
            await asyncio.gather(*(self._act(operator, half) for operator in self.operators))
            if half.start == 0 and "reinstalled" in self.spec.habits:
                self._reinstall()

    def others(self, ids: frozenset[str], shown: Sequence[Key] = ()) -> frozenset[str]:
        """Return the keys that do the same work as those picked, as it is or as it was shown."""
        words = {self.truth.words.get(key_id, "") for key_id in ids} & self.truth.labels.keys()
        if shown:
            tells = self.server.habits.isdisjoint(MARKS_LOST)
            return frozenset(
                key.id for key in shown if tells and key.id not in ids and word(key.label) in words
            )
        working = {key.id for name in words for key in self.truth.working(name)}
        return frozenset(working - ids)

    def plant(self, names: tuple[str, ...] = ()) -> None:
        """Have the server hold its first keys, with these ids as far as there are any."""
        rng = self.spec.rng("keys")
        drawn = list(FIRST[: rng.randint(1, 4)])
        twins = TWINS[: rng.randint(0, 2)][-1:]
        drawn += () if "twins" in self.spec.without else twins
        if names:
            rng.shuffle(drawn)
        for number, (label, grants, ips) in enumerate(drawn):
            owner = ("ada", "ben", "casey")[rng.randint(0, 2)]
            self.server.add_user(owner)
            days = rng.choice((0.0, 1.0, 10.0, 100.0, 1000.0)) + number / 24
            key, secret = self.server.store.add_key(
                self.server.kept_label(label), grants, ips, username=owner,
                created_at=self.server.server_time() - timedelta(days=days),
            )  # fmt: skip
            if number < len(names):
                self.server.rename(key.id, names[number])
                key = replace(key, id=names[number])
            self.take_in(key, secret)

    def take_in(self, key: StoredKey, secret: str) -> None:
        """Take in one of the first keys."""
        self.truth.add_first(key, secret)
        self.server.note(f"there is {key.id[:8]} {key.label!r}")

    def _reinstall(self) -> None:
        """Have other keys take the ids of those that there were."""
        for operator in self.operators:
            operator.close()
        self.server.forget_pending()
        ids = tuple(key.id for key in reversed(self.server.all_keys()))
        for key_id in ids:
            self.server.store.delete_key(key_id)
        self.truth.reinstalled()
        self.server.note("reinstalled: other keys have the ids")
        self.plant(ids)

    async def _act(self, operator: Operator, numbers: range) -> None:
        for number in numbers:
            name = f"{operator.name}{number}"
            rng = self.spec.rng(name)
            pause = rng.choice((0.1, 1, 5, 30, 200)) * rng.random()
            weights = {walk: weight for walk, (weight, _) in _WALKS.items()}
            does = _drawn(rng, {walk: weights[walk] for walk in weights.keys() - self.spec.without})
            kill_after, points, kill = rng.uniform(0, 3) ** 4, rng.randint(0, 12), rng.random()
            if name in self.spec.without:
                continue
            await asyncio.sleep(pause)
            program = operator.program or await operator.start()
            program.begin_action(self.spec.rng(name, "requests"))
            kills = "kills" not in self.spec.without
            program.points_left = points if kills and kill < 0.2 else None
            walked = _WALKS[does][1](self, operator, program, rng)
            await self.perform(operator, does, walked, kill_after if kills and kill > 0.9 else None)

    async def perform(
        self,
        operator: Operator,
        name: str,
        action: Coroutine[Any, Any, None],
        kill_after: float | None = None,
    ) -> None:
        """Take one action, to its end or until the program is killed, and check what must hold."""
        program = operator.program
        if program is None:
            raise RuntimeError("no program is running")
        self.result.actions += 1
        self.server.note(f"{program.name} {name}")
        group = GROUP.set(operator.tasks)
        task = asyncio.create_task(action)
        GROUP.reset(group)
        killed = asyncio.create_task(program.killed.wait())
        await asyncio.wait({task, killed}, timeout=kill_after, return_when="FIRST_COMPLETED")
        killed.cancel()
        program.points_left = None
        if not task.done():
            self.result.kills += 1
            self.server.note(f"{program.name} killed")
            await operator.kill()
        elif error := task.exception():
            self.truth.fault(error)
        self.truth.check_lost(program.reported_empty())

    def check_said(self, program: Program) -> None:
        """Compare what the list says with who has the secrets."""
        if "stale" in self.spec.habits and not self.server.is_calm:
            return
        self.truth.check_said(program.home.name, program.name, program.lost())

    async def _calm_down(self) -> None:
        """Let everything land, and have each program started anew."""
        self.server.calm()
        for operator in self.operators:
            operator.close()
        await self.server.landed()
        await asyncio.sleep(LANDED_SECONDS)
        self.truth.check_lost(frozenset())
        self.server.note("calm")
        named: dict[str, set[str]] = {}
        for operator in self.operators:
            program = await operator.start()
            self.check_said(program)
            named.setdefault(operator.home.name, set()).update(program.lost(), program.unclear())
            operator.close()
        for home, ids in named.items():
            self.truth.check_named(home, ids)

    async def _converge(self) -> None:
        """Repeat the bulk actions, and what the list says of single keys, until nothing changes."""
        before: object = None
        for number in range(ROUNDS):
            now = [(key.id, key.label) for key in self.server.all_keys()]
            if now == before:
                break
            before = now
            for operator in self.operators:
                program = await operator.start()
                program.begin_action(self.spec.rng(operator.name, "converge", number))
                for does in (_bulk_again, _finish_each, _delete_lost):
                    await self._guarded(does(operator, program))
                operator.close()
        self.truth.check_lost(frozenset())
        self.truth.check_converged()

    async def _guarded(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.create_task(work)
        await asyncio.wait({task})
        if error := task.exception():
            self.truth.fault(error)


def _drawn(rng: random.Random, weights: dict[str, int]) -> str:
    """Draw a name by its weight; a name more or less seldom changes which one that is."""
    drawn = rng.random()

    def waits(name: str) -> float:
        return random.Random(f"{drawn} {name}").expovariate(weights[name])  # noqa: S311

    return min(weights, key=waits)


_Walk = Callable[[Episode, Operator, Program, random.Random], Coroutine[Any, Any, None]]


async def _restart(
    episode: Episode, operator: Operator, program: Program, rng: random.Random
) -> None:
    operator.close()
    await operator.start()


async def _reload(
    episode: Episode, operator: Operator, program: Program, rng: random.Random
) -> None:
    with operator.meaning("reload"):
        if await program.reload():
            episode.check_said(program)


async def _wait(episode: Episode, operator: Operator, program: Program, rng: random.Random) -> None:
    await asyncio.sleep(rng.uniform(0, 1_000))


async def _create(
    episode: Episode, operator: Operator, program: Program, rng: random.Random
) -> None:
    label, grants, _ = rng.choice(FIRST[:2])
    if rng.random() < 0.5:
        label = f"E{rng.randint(1, 3)} {label}"
    with operator.meaning("create"):
        await program.create(label, grants)


async def _edit(episode: Episode, operator: Operator, program: Program, rng: random.Random) -> None:
    if program.keys:
        key = rng.choice(program.keys)
        grants = key.grants[:1] if rng.random() < 0.5 else (*key.grants, "metrics/view")
        with operator.meaning("edit", key):
            await program.edit(key, tuple(dict.fromkeys(grants)))


async def _meddle(
    episode: Episode, operator: Operator, program: Program, rng: random.Random
) -> None:
    """Change or delete a key that is being rotated, as somebody does who knows nothing of that."""
    what, number = rng.choice(MEDDLING), rng.random()
    if what != "delete" or number < 0.5:
        with operator.meaning("reload"):
            await program.reload()
    keys = program.opposites() or program.involved() or list(program.keys)
    if not keys:
        return
    key = rng.choice(keys)
    if what == "delete" or program.opposites():
        with operator.meaning("delete", key, step="delete"):
            await program.delete(key)
        return
    with operator.meaning("edit", key):
        match what:
            case "grants":
                grants = key.grants[:1] if number < 0.5 else (*key.grants, "webhooks/view")
                await program.edit(key, tuple(dict.fromkeys(grants)))
            case "addresses" if key.raw_valid_ips is not None:
                valid_ips = () if key.raw_valid_ips else ("192.0.2.7",)
                await program.edit(key, valid_ips=valid_ips)
            case "label":
                await program.edit(key, label=f"F{int(number * 3)} Spare")
            case "mark":
                await program.remark(key, rng.choice(program.keys) if number < 0.5 else None)


async def _delete(
    episode: Episode, operator: Operator, program: Program, rng: random.Random
) -> None:
    """Delete a key that is said to be of no use; now and then any."""
    lost = [key for key in program.keys if key.id in program.lost()]
    candidates = lost or (program.keys if rng.random() < 0.4 else ())
    if candidates:
        key = rng.choice(candidates)
        with operator.meaning("delete", key, step="lost" if lost else "delete"):
            await program.delete(key)


_WEIGHTS = {
    "create": 20, "deliver": 20, "stored": 20, "verify": 6, "finish": 10, "replace": 10,
    "look": 20, "later": 2, "undo": 2, "leave": 1,
}  # fmt: skip
"""How likely each step of a rotation is taken where it is offered."""


async def _rotate(
    episode: Episode, operator: Operator, program: Program, rng: random.Random
) -> None:
    if not program.keys:
        return
    key, answer = rng.choice(program.keys), rng.choice((None, True, False))
    with operator.meaning("rotate", key) as intent:
        rotation = program.open_rotation(key, answer)
        if rotation is not None:
            await _go_on(episode, program, rotation, intent, rng)


async def _finish(
    episode: Episode, operator: Operator, program: Program, rng: random.Random
) -> None:
    if program.keys:
        key = rng.choice(program.unfinished() or list(program.keys))
        with operator.meaning("finish", key) as intent:
            rotation = program.open_finish(key)
            if rotation is not None:
                await _go_on(episode, program, rotation, intent, rng)


async def _go_on(
    episode: Episode,
    program: Program,
    rotation: Any,  # noqa: ANN401  # what it is, the program's module knows
    intent: Intent,
    rng: random.Random,
) -> None:
    """Take steps that the screen offers until it is over or left."""
    for _ in range(12):
        if program.is_over(rotation):
            break
        names = program.steps(rotation)
        name = _drawn(rng, {name: _WEIGHTS[name] for name in [*names, "leave"]})
        if name == "leave":
            break
        await asyncio.sleep(rng.uniform(0, 2) ** 4)
        episode.result.steps += 1
        intent.began = asyncio.get_running_loop().time()
        await program.take(rotation, name)
        episode.server.note(f"{program.name} {name}: {program.describe(rotation)}")
    await program.leave(rotation)


async def _bulk_rotate(
    episode: Episode, operator: Operator, program: Program, rng: random.Random
) -> None:
    keys = [key for key in program.keys if rng.random() < 0.7]
    then = rng.choice(("finish", "finish", "later", ""))
    with operator.meaning("bulk rotate", *keys):
        await program.bulk_rotate(keys, then)


async def _bulk_finish(
    episode: Episode, operator: Operator, program: Program, rng: random.Random
) -> None:
    with operator.meaning("bulk finish", *program.keys):
        await program.bulk_finish(program.keys)


_WALKS: dict[str, tuple[int, _Walk]] = {
    "rotates": (10, _rotate),
    "finishes": (4, _finish),
    "rotates many": (4, _bulk_rotate),
    "finishes many": (3, _bulk_finish),
    "reloads": (3, _reload),
    "waits": (2, _wait),
    "restarts": (2, _restart),
    "creates": (1, _create),
    "edits": (1, _edit),
    "meddles": (4, _meddle),
    "deletes": (2, _delete),
}
"""What an operator does, and how often."""


async def _bulk_again(operator: Operator, program: Program) -> None:
    """Rotate and finish all that was begun: `a` `r` and `a` `f` on the unfinished ones."""
    unfinished = program.unfinished()
    if unfinished:
        with operator.meaning("bulk rotate", *unfinished):
            await program.bulk_rotate(unfinished, "finish")
    with operator.meaning("bulk finish", *program.keys):
        await program.bulk_finish(program.keys)


async def _finish_each(operator: Operator, program: Program) -> None:
    """Go on with each unfinished rotation, by what its screen offers."""
    for key in program.unfinished():
        with operator.meaning("rotate", key) as intent:
            rotation = program.open_finish(key) or program.open_one_of_several(key)
            if rotation is None:
                continue
            left = ["look", "stored", "deliver", "verify", "replace", "create", "finish", "finish"]
            if not operator.is_in_a_vault(rotation.successor):
                left.append("undo")
            while not program.is_over(rotation):
                name = next((name for name in left if name in program.steps(rotation)), "")
                if not name:
                    break
                left.remove(name)
                intent.began = asyncio.get_running_loop().time()
                await program.take(rotation, name)
            await program.leave(rotation)


async def _delete_lost(operator: Operator, program: Program) -> None:
    """Delete the keys of which the list says that nobody has the secret.

    Those of which it says that this is not known go, too, where no vault has them, or where the
    list says that another key took their places; the others are verified.
    """
    for key in program.keys:
        is_lost, is_unclear = key.id in program.lost(), key.id in program.unclear()
        is_of_use = operator.is_in_a_vault(key) and not program.is_replaced(key)
        if is_lost or (is_unclear and not is_of_use):
            with operator.meaning("delete", key, step="lost" if is_lost else "delete"):
                await program.delete(key)
        elif is_unclear:
            await program.verify(key)
