"""What may be known of a key, and of a rotation that was not finished."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from enum import Enum

from tui.api.models import Key
from tui.journal import CreateRecord
from tui.keys.guard import differences
from tui.keys.labels import Mark
from tui.keys.presence import Worker
from tui.keys.write_outcomes import OpenWrite


class Knowledge(Enum):
    """What is known about the secret of a key."""

    HELD_SOMEWHERE = "stored"
    """It was stored, or seen to work with a secret that somebody has."""
    NEVER_STORED = "never stored"
    """The key was created here, and the whole account of that says nothing of storing."""
    PERHAPS_STORED = "perhaps stored"
    """As before, but a delivery was cut off, the secret is kept for the next sign-in, or there is a
    line that is not understood."""
    NOT_KNOWN = "not known"
    """The key was created elsewhere, or is being created by another instance."""


@dataclass(frozen=True, slots=True)
class KeyRecord:
    """One key and what is known of it; `successors` are those that are listed.

    `has_lost_predecessor` says that it was made to succeed a key that is not there any more;
    `has_heirs`, that its secret may be lost, and that others took the place meant for it;
    `is_kept`, that its secret is kept here for the next sign-in.
    """

    key: Key
    mark: Mark | None = None
    created: CreateRecord | None = None
    knowledge: Knowledge = Knowledge.NOT_KNOWN
    predecessor: Key | None = None
    successors: tuple[Key, ...] = ()
    has_lost_predecessor: bool = False
    has_heirs: bool = False
    is_kept: bool = False
    open_write: OpenWrite | None = None
    worker: Worker | None = None

    @property
    def is_orphan(self) -> bool:
        """Whether nobody has its secret, and other keys took the place meant for it."""
        return self.knowledge is Knowledge.NEVER_STORED and self.has_heirs

    @property
    def is_proven(self) -> bool:
        """Whether its secret is stored and it was verified, as is known here."""
        return (
            self.knowledge is Knowledge.HELD_SOMEWHERE
            and self.created is not None
            and self.created.is_verified
        )


class UnfinishedKind(Enum):
    """How an unfinished rotation is known."""

    KNOWN = "known"
    """A mark or the journal tells that one key was made to succeed the other."""
    RETIRING = "retiring"
    """An earlier version marked the key as retiring; nothing tells its successor."""
    ALIKE = "alike"
    """Keys are alike, and nothing more is known: they may have nothing to do with each other."""


@dataclass(frozen=True, slots=True)
class UnfinishedRotation:
    """A key and what may be its successors: of known ones those that are of most use.

    `known` is what the journal here knows of the successor, where there is exactly one. `since` is
    the day on which it was created, or that of the predecessor's mark.
    """

    kind: UnfinishedKind
    predecessor: Key
    successors: tuple[Key, ...] = ()
    since: date | None = None
    known: CreateRecord | None = None
    knowledge: Knowledge = Knowledge.NOT_KNOWN
    worker: Worker | None = None

    @property
    def is_proven(self) -> bool:
        """Whether the successor is stored and was verified, as is known here."""
        is_verified = self.known is not None and self.known.is_verified
        return self.knowledge is Knowledge.HELD_SOMEWHERE and is_verified

    @property
    def is_stored(self) -> bool:
        """Whether the successor's secret is known to be stored."""
        return self.knowledge is Knowledge.HELD_SOMEWHERE

    @property
    def differences(self) -> str:
        """What a successor has else than the predecessor, as "other grants", or nothing."""
        texts = (differences(self.predecessor, successor) for successor in self.successors)
        return next(filter(None, texts), "")

    @property
    def is_known(self) -> bool:
        """Whether a mark or the journal tells of the rotation."""
        return self.kind is UnfinishedKind.KNOWN

    def involves(self, key: Key) -> bool:
        """Tell whether the key is the predecessor or one of the successors."""
        return key.id in {self.predecessor.id, *(successor.id for successor in self.successors)}
