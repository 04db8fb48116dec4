"""The results of a create and of a deletion, and which listed keys a create may have made."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import dataclass

from tui.api.errors import Invalid
from tui.api.models import CreatedKey, Key, KeyDraft
from tui.journal import Attempt
from tui.keys.labels import mark_of, nonce_of
from tui.keys.listing import Listing


@dataclass(frozen=True, slots=True)
class Created:
    """A key that was created, the draft it was made from, and where to note how it was stored.

    `label` is what was sent, with the mark of a successor; `mark_refused` is the server's reason
    where it did not take that label, so that the key has the draft's own.
    """

    key: CreatedKey
    draft: KeyDraft
    attempt: Attempt
    label: str = ""
    mark_refused: Invalid | None = None

    @property
    def is_marked(self) -> bool:
        """Whether the key's label tells whose successor it is, as far as the answer says."""
        mark = mark_of(self.key.label)
        return mark is not None and mark.nonce in {"", nonce_of(self.attempt.id)}


@dataclass(frozen=True, slots=True)
class Deleted:
    """A key that is gone: whether it was there before, and the one that stays as just read."""

    was_there: bool
    staying: Key | None = None


@dataclass(frozen=True)
class KnownIds(Collection[str]):
    """The ids of the keys in a listing, and `others`; made at no cost, whatever the listing's size.

    It stays as it is when the service reads its next listing.
    """

    listing: Listing
    others: frozenset[str] = frozenset()

    def __contains__(self, key_id: object) -> bool:
        return key_id in self.listing.by_id or key_id in self.others

    def __iter__(self) -> Iterator[str]:
        return iter(self.listing.by_id.keys() | self.others)

    def __len__(self) -> int:
        return len(self.listing.by_id.keys() | self.others)

    def __bool__(self) -> bool:
        return bool(self.listing.keys or self.others)


def is_of_account(key: Key, subaccount_id: int | None) -> bool:
    """Tell whether a key is the primary account's (None, 0), or that subaccount's."""
    return (key.subaccount_id or 0) == (subaccount_id or 0)


def is_as_asked(key: Key, draft: KeyDraft) -> bool:
    """Tell whether a key may have come of `draft`; what the server does not tell may fit."""
    return (key.raw_grants is None or set(key.raw_grants) == set(draft.grants)) and (
        key.raw_valid_ips is None or set(key.raw_valid_ips) == set(draft.valid_ips)
    )
