"""Many keys, rotated in bulk by two operators at once, each of whose programs is killed often."""

from __future__ import annotations

import asyncio
import tempfile
from contextlib import closing
from datetime import timedelta
from pathlib import Path

from tests.model.episode import GRANTS, Episode, Operator, Result, Spec
from tests.model.operator import Program
from tests.model.server import HABITS
from tests.model.virtual_time import run

KEYS = 50
KILLS = 10
LONGEST_LIFE = 120
"""After how many points at most a program is killed; a key takes about a dozen."""


class Crowd(Episode):
    """Both operators mark all keys, rotate and finish them, and are killed, time after time."""

    def plant(self, names: tuple[str, ...] = ()) -> None:
        self.server.add_user("ada")
        for number in range(KEYS):
            made = self.server.server_time() - timedelta(days=100 + number)
            key, secret = self.server.store.add_key(
                f"K{number} Mailer", GRANTS, (), username="ada", created_at=made
            )
            self.take_in(key, secret)

    async def wander(self) -> None:
        await asyncio.gather(*map(self._rotate_all, self.operators))

    async def _rotate_all(self, operator: Operator) -> None:
        rng = self.spec.rng("crowd", operator.name)
        first = {key.id for key in self.server.all_keys()}
        kills = 0
        while kills <= KILLS:
            program = await operator.start()
            program.begin_action(self.spec.rng("crowd", operator.name, operator.runs))
            longest = LONGEST_LIFE if operator.runs < 2 * KILLS else 3
            program.points_left = rng.randint(1, longest) if kills < KILLS else None
            await self.perform(
                operator, "rotates many", _rotate_and_finish(operator, program, first)
            )
            kills += operator.program is None or kills == KILLS
            operator.close()


async def _rotate_and_finish(operator: Operator, program: Program, first: set[str]) -> None:
    unfinished = {key.id for key in program.unfinished()}
    keys = [key for key in program.keys if key.id in first | unfinished]
    with operator.meaning("bulk rotate", *keys):
        await program.bulk_rotate(keys, "finish")
    with operator.meaning("bulk finish", *program.keys):
        await program.bulk_finish(program.keys)


def rotate_crowd(seed: int) -> tuple[Result, str]:
    """Return what a crowd met, and its figures in a sentence."""
    with tempfile.TemporaryDirectory() as folder:

        async def whole() -> tuple[Result, str]:
            with closing(Crowd(Spec(seed, frozenset(HABITS)), Path(folder))) as crowd:
                result = await crowd.walk()
                return result, _figures(crowd)

        return run(whole, str(seed))


def _figures(crowd: Crowd) -> str:
    truth, left = crowd.truth, crowd.server.all_keys()
    working = sum(bool(truth.working(name)) for name in truth.labels)
    rotated = sum(key.id in truth.made for key in left)
    unheld = sum(not truth.is_held(key.id) for key in left)
    homes = "one home" if crowd.spec.is_one_home else "two homes"
    return (
        f"{KEYS} keys, {homes}, {crowd.result.kills} kills: {working} labels with a working key; "
        f"{len(left)} keys left, {rotated} of them successors, {unheld} whose secrets nobody has"
    )
