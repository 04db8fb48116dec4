"""The secrets that are not stored yet; files keep them if the program ends without asking."""

from __future__ import annotations

import weakref
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from tui.api.models import CreatedKey, KeyDraft
from tui.delivery.recovery import KeptSecret, NotKept, RecoveryFolder
from tui.journal import Attempt
from tui.text import count, plain, short
from tui.waiting import in_thread

if TYPE_CHECKING:
    from pydantic import SecretStr


@dataclass(frozen=True, slots=True)
class _UnstoredSecret:
    """A secret, which is not held here, and what names its key."""

    secret: weakref.ref[SecretStr]
    key_id: str
    label: str
    short_key: str
    draft: KeyDraft
    attempt: Attempt


class UnstoredSecrets:
    """Knows the secrets of created keys for as long as something else holds them.

    Once the program ends without asking they are kept in `folder`, and so is each that still comes.
    `now` is the clock in UTC.
    """

    def __init__(
        self, folder: RecoveryFolder, *, now: Callable[[], datetime] = lambda: datetime.now(UTC)
    ) -> None:
        self.folder, self._now = folder, now
        self._secrets: dict[str, _UnstoredSecret] = {}
        self._kept: dict[str, _UnstoredSecret] = {}
        self._not_kept: dict[str, tuple[_UnstoredSecret, str]] = {}
        self.is_ending = False
        """Whether the program ends without asking."""
        self._held: tuple[SecretStr | None, ...] = ()

    def hold(self) -> None:
        """Hold all secrets from now on: what holds them otherwise goes as the program ends."""
        self.is_ending = True
        self._held = tuple(unstored.secret() for unstored in self._secrets.values())

    async def add(self, key: CreatedKey, draft: KeyDraft, attempt: Attempt) -> None:
        """Take in the secret of a key that was just created; while the program ends, keep it."""
        for name in [name for name, known in self._secrets.items() if known.secret() is None]:
            del self._secrets[name]
        unstored = _UnstoredSecret(
            weakref.ref(key.secret), key.id or "", key.label, key.short_key, draft, attempt
        )
        self._secrets[attempt.id] = unstored
        if self.is_ending:
            await self._keep(unstored)

    async def keep(self) -> None:
        """Keep what is not stored; remove what was kept and has been stored meanwhile."""
        for unstored in tuple(self._secrets.values()):
            if unstored.attempt.is_stored:
                await self._remove(unstored)
            elif unstored.attempt.id not in self._kept:
                await self._keep(unstored)

    @property
    def outcome(self) -> str:
        """What became of the secrets that were not stored, in sentences, or nothing."""
        sentences = []
        if kept := self._kept.values():
            pronoun = "It is" if len(kept) == 1 else "They are"
            sentences.append(
                f"{_secrets_of(kept)} not stored. {pronoun} kept in {plain(str(self.folder.path))} "
                "and offered at the next sign-in to this server."
            )
        if self._not_kept:
            lost = [unstored for unstored, _ in self._not_kept.values()]
            reason = next(reversed(self._not_kept.values()))[1]
            sentences.append(
                f"{_secrets_of(lost)} not stored, and could not be kept for the next start "
                f"({reason})."
            )
        return "\n".join(sentences)

    async def _keep(self, unstored: _UnstoredSecret) -> None:
        if (secret := unstored.secret()) is None:
            return
        entry, draft = unstored.attempt.entry, unstored.draft
        kept = KeptSecret(
            secret, entry.server, entry.username, entry.attempt, unstored.key_id, unstored.label,
            unstored.short_key, entry.predecessor, draft.grants, draft.valid_ips,
            draft.subaccount_id, self._now(),
        )  # fmt: skip
        try:
            await in_thread(lambda: self.folder.keep(kept))
        except NotKept as failure:
            self._not_kept[entry.attempt] = unstored, failure.sentence
        except TimeoutError:
            self._not_kept[entry.attempt] = unstored, "the file system does not answer"
        else:
            self._kept[entry.attempt] = unstored
            self._not_kept.pop(entry.attempt, None)

    async def _remove(self, unstored: _UnstoredSecret) -> None:
        name = unstored.attempt.id
        self._not_kept.pop(name, None)
        if name not in self._kept:
            return
        try:
            await in_thread(lambda: self.folder.remove(name))
        except (OSError, TimeoutError):
            return  # `outcome` still names it
        del self._kept[name]


def _secrets_of(unstored: Iterable[_UnstoredSecret]) -> str:
    """Return `The secret of Billing (9ac1) was`, or how many there were."""
    secrets = list(unstored)
    if len(secrets) > 1:
        return f"{count(len(secrets), 'secret')} were"
    label, short_key = short(secrets[0].label, 60), short(secrets[0].short_key, 12)
    return f"The secret of {label} ({short_key}) was" if short_key else f"The secret of {label} was"
