"""Showing that one key works, as one of many."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from tui.api.models import Key
from tui.keys.rotation.machine import Machine
from tui.keys.rotation.states import NotVerified, OtherSecret, State, Step, Transitions
from tui.keys.service import KeyService

if TYPE_CHECKING:
    from pydantic import SecretStr


class SecretCheck(Machine):
    """A key and the secret that is said to be its own; nothing is changed to prove it."""

    transitions: ClassVar[Transitions] = {
        State.PLANNED: {Step.VERIFY: (State.VERIFIED,)},
        State.VERIFIED: {},
    }

    def __init__(self, service: KeyService, key: Key, secret: SecretStr) -> None:
        super().__init__()
        self.predecessor = key
        self._service, self._secret = service, secret

    async def verify(self) -> State:
        """Have the key shown to work; `problem` is NotVerified where it does not."""
        return await self._take(Step.VERIFY, self._verify)

    async def _verify(self) -> None:
        key = self.predecessor
        if not key.may_have(self._secret):
            raise OtherSecret
        found = await self._service.verify(self._secret, key.grants, key.raw_valid_ips or ())
        if found.is_certain and (attempt := self._service.noted.attempt_of(key.id)):
            attempt.proven(found.works)
        if not found.works:
            raise NotVerified(found)
        self._reach(State.VERIFIED)
