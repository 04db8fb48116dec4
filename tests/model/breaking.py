"""Takes the guard before deletions out of the program, to show that the model misses it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from unittest.mock import patch

from tui.api.models import Key
from tui.keys import service
from tui.keys.created import Deleted
from tui.keys.guard import Staying
from tui.keys.service import KeyService

_delete = KeyService.delete


@contextmanager
def without_guard() -> Iterator[None]:
    """Have every deletion go out unchecked: whatever else is open, and whatever is to stay."""
    with (
        patch.object(service, "check_deletion", lambda *_, **__: None),
        patch.object(KeyService, "delete", _delete_unchecked),
    ):
        yield


async def _delete_unchecked(
    self: KeyService, key: Key, *, staying: Staying | None = None, insist: bool = False
) -> Deleted:
    return await _delete(self, key, insist=insist)
