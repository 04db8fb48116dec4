"""Takes the guard before deletions, or one of its checks, out of the program."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from unittest.mock import patch

from tui.api.models import Key
from tui.keys import service
from tui.keys.created import Deleted
from tui.keys.guard import Staying, check_deletion, check_going, check_staying
from tui.keys.labels import base_label, mark_of
from tui.keys.presence import Worker
from tui.keys.service import KeyService
from tui.keys.write_outcomes import OpenWrite

_delete = KeyService.delete

_Hide = Callable[[Key, Key], Key]
"""Takes a key as shown and as it is now; returns it without what a check would see."""

_HIDDEN: dict[str, _Hide] = {
    "identity": lambda shown, now: replace(
        now, raw_short_key=shown.raw_short_key, raw_created_at=shown.raw_created_at
    ),
    "owner": lambda shown, now: replace(now, raw_username=shown.raw_username),
    "grants": lambda shown, now: replace(now, raw_grants=shown.raw_grants),
    "addresses": lambda shown, now: replace(now, raw_valid_ips=shown.raw_valid_ips),
    "label": lambda shown, now: replace(now, raw_label=_relabelled(shown, now)),
}

CHECKS = (
    "open-write",
    "work",
    *(f"going-{what}" for what in _HIDDEN),
    "going-mark",
    *(f"staying-{what}" for what in _HIDDEN),
    "lost-mark",
    "other-mark",
)
"""The checks of the guard: each refuses a deletion for a reason of its own."""


@contextmanager
def without_guard() -> Iterator[None]:
    """Have every deletion go out unchecked: whatever else is open, and whatever is to stay."""
    with (
        patch.object(service, "check_deletion", lambda *_, **__: None),
        patch.object(service, "check_going", lambda *_, **__: None),
        patch.object(KeyService, "delete", _delete_unchecked),
    ):
        yield


async def _delete_unchecked(
    self: KeyService, key: Key, *, staying: Staying | None = None, insist: bool = False
) -> Deleted:
    return await _delete(self, key, insist=insist)


@contextmanager
def without_check(name: str) -> Iterator[None]:
    """Have one of the CHECKS see nothing, while the keys are read and all others go on."""

    def deletion(
        key: Key, partners: Iterable[OpenWrite], workers: Iterable[Worker], *, insist: bool
    ) -> None:
        partners = () if name == "open-write" else partners
        workers = () if name == "work" else workers
        check_deletion(key, partners, workers, insist=insist)

    def going(shown: Key, now: Key, *, is_alone: bool) -> None:
        now = _without("going", name, shown, now)
        check_going(shown, now, is_alone=is_alone and name != "going-mark")

    def staying(key: Key, staying: Staying, now: Key) -> None:
        now = _without("staying", name, staying.key, now)
        mark = mark_of(now.raw_label or "")
        if name == "lost-mark":
            staying = replace(staying, is_known_here=True)
        if name == "other-mark" and mark is not None and not mark.is_about(key.id):
            now = replace(now, raw_label=base_label(now.raw_label or ""))
            staying = replace(staying, is_known_here=True)
        check_staying(key, staying, now)

    with (
        patch.object(service, "check_deletion", deletion),
        patch.object(service, "check_going", going),
        patch.object(service, "check_staying", staying),
    ):
        yield


def _without(part: str, name: str, shown: Key, now: Key) -> Key:
    hidden, _, what = name.partition("-")
    return _HIDDEN[what](shown, now) if hidden == part and what in _HIDDEN else now


def _relabelled(shown: Key, now: Key) -> str:
    """Return the label as shown, with the mark that the key has now."""
    label = now.raw_label or ""
    return base_label(shown.raw_label or "") + label.removeprefix(base_label(label))
