"""Pausing a key, so that it works from no address, and resuming it.

What it takes to resume a key stands in the journal before the key is changed and, where it is
short, in the key's label, so that other hosts can resume it, too.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import date

from tui.api.models import Key, KeyDraft
from tui.api.session import SessionProblem
from tui.journal import LONGEST, LONGEST_IPS, LONGEST_SHORT_KEY, JournalEntry
from tui.keys.paused_mark import (
    PAUSED_IPS,
    PausedMark,
    is_paused,
    paused_label,
    paused_mark,
    without_paused_mark,
)
from tui.keys.service import KeyService
from tui.keys.write_outcomes import ChangedMeanwhile

IPS_NOT_TOLD = (
    "This server does not return the allowed IPs of a key, so a paused key could not be resumed "
    "with the IPs that it had."
)
_GRANTS_NOT_TOLD = (
    "The server does not return this key's grants, so they could not be sent back unchanged."
)
_TOO_MANY_IPS = "This key has more allowed IPs than can be kept for resuming it."
_NOT_NOTED = (
    "This key's allowed IPs are too many for its label, and the journal, which would keep them, "
    "can't be written."
)
_NOT_KNOWN = (
    "The allowed IPs that this key had are not known on this host. The journal of the host that "
    "paused it has them: resume it there, or edit it to enter allowed IPs."
)
_NOT_OURS = (
    "Neither label nor journal says that this key was paused, but its only allowed IP is one that "
    "nobody has. Edit it to enter other allowed IPs."
)
_CHANGED = (
    "Somebody else has changed this key since it was shown, so nothing was done. Check it, then "
    "try again."
)


class PauseRefused(SessionProblem):
    """Why a key is not paused or resumed; nothing was changed.

    `key` is how it is now, where somebody else has changed it.
    """

    def __init__(self, sentence: str, key: Key | None = None) -> None:
        super().__init__(sentence)
        self.sentence, self.key = sentence, key


@dataclass(frozen=True, slots=True)
class Pause:
    """What a paused key was before; `valid_ips` is None where that is not known here."""

    since: date
    label: str
    valid_ips: tuple[str, ...] | None


def tells_ips(keys: Iterable[Key]) -> bool:
    """Tell whether a server that lists these keys tells of allowed IPs at all (contract 4)."""
    return any(key.raw_valid_ips is not None for key in keys)


def why_not_paused(key: Key, *, ips_are_told: bool) -> str:
    """Return why a key can't be paused, in a sentence, or nothing."""
    if not ips_are_told:
        return IPS_NOT_TOLD
    if key.raw_grants is None:
        return _GRANTS_NOT_TOLD
    return _TOO_MANY_IPS if len(" ".join(key.raw_valid_ips or ())) > LONGEST_IPS else ""


async def pause(service: KeyService, seen: Key, today: date) -> Key:
    """Take a key out of service, provided that it still is as it was `seen`; return it.

    Raises:
        PauseRefused: it can't be paused, or is not as it was seen.
        ApiError, SessionProblem: the server refused, or could not be asked.
    """
    if sentence := why_not_paused(seen, ips_are_told=tells_ips((seen, *service.listing.keys))):
        raise PauseRefused(sentence)
    if is_paused(seen.raw_valid_ips):
        return seen
    label = paused_label(seen.raw_label or "", today, seen.raw_valid_ips or ())
    mark = paused_mark(label)
    is_kept_by_label = mark is not None and mark.valid_ips is not None
    if not is_kept_by_label and (service.journal.path is None or service.journal.problem):
        raise PauseRefused(_NOT_NOTED)
    return await _change(service, seen, label, PAUSED_IPS, is_pause=True)


async def resume(service: KeyService, seen: Key) -> Key:
    """Put a paused key back into service as it was before; return it.

    Raises:
        PauseRefused: what it was is not known here, or it is not as it was seen.
        ApiError, SessionProblem: the server refused, or could not be asked.
    """
    if not is_paused(seen.raw_valid_ips):
        return seen
    if seen.raw_grants is None:
        raise PauseRefused(_GRANTS_NOT_TOLD)
    before = (await find_pauses(service, [seen])).get(seen.id)
    if before is None:
        raise PauseRefused(_NOT_OURS)
    if before.valid_ips is None:
        raise PauseRefused(_NOT_KNOWN)
    return await _change(service, seen, before.label, before.valid_ips, is_pause=False)


def paused_keys(keys: Iterable[Key]) -> list[Key]:
    """Return those that are paused."""
    return [key for key in keys if key.raw_valid_ips and is_paused(key.raw_valid_ips)]


async def find_pauses(service: KeyService, keys: Iterable[Key]) -> dict[str, Pause]:
    """Return what the paused keys among `keys` were before, by their ids."""
    paused = paused_keys(keys)
    if not paused:
        return {}
    snapshot = await asyncio.to_thread(service.journal.read)
    noted = _newest_by_id(snapshot.entries)
    server = service.session.client.server.identity
    pauses = ((key.id, _pause(key, noted.get(key.id), server)) for key in paused)
    return {key_id: pause for key_id, pause in pauses if pause is not None}


def pause_by_mark(key: Key) -> Pause | None:
    """Return what a paused key was before as far as its label alone tells, or None."""
    mark = paused_mark(key.raw_label or "") if is_paused(key.raw_valid_ips) else None
    if mark is None:
        return None
    return Pause(mark.since, without_paused_mark(key.raw_label or ""), mark.valid_ips)


async def _change(
    service: KeyService, seen: Key, label: str, valid_ips: tuple[str, ...], *, is_pause: bool
) -> Key:
    draft = KeyDraft(label, seen.grants, valid_ips, seen.subaccount_id)
    try:
        await service.edit(seen, draft, action="pause" if is_pause else "resume")
    except ChangedMeanwhile as changed:
        raise PauseRefused(_CHANGED, changed.key) from None
    return replace(seen, raw_label=label, raw_valid_ips=valid_ips)


def _newest_by_id(entries: Iterable[JournalEntry]) -> dict[str, JournalEntry]:
    """Return the newest pause or resumption of each key that may have been done.

    `entries` are newest first; of a refused request no line counts.
    """
    refused: set[str] = set()
    newest: dict[str, JournalEntry] = {}
    for entry in entries:
        if entry.action in {"pause", "resume"}:
            if entry.phase == "refused":
                refused.add(entry.attempt)
            elif entry.attempt not in refused:
                newest.setdefault(entry.key_id, entry)
    return newest


def _pause(key: Key, noted: JournalEntry | None, server: str) -> Pause | None:
    """Return what a paused key was by its mark, else by what is `noted` of it here, else None.

    A note counts where it agrees with the mark, or where there is no mark, as a server may cut
    labels.
    """
    marked, mark = pause_by_mark(key), paused_mark(key.raw_label or "")
    if marked is not None and marked.valid_ips is not None:
        return marked
    if noted is None or not _is_about(noted, key, server, mark):
        return marked
    valid_ips = tuple(noted.valid_ips.split())
    if marked is not None:
        return replace(marked, valid_ips=valid_ips)
    label, before = key.raw_label or "", noted.label
    was_cut = label.startswith(before) and len(before) < LONGEST
    return Pause(noted.when.date(), before if was_cut else label, valid_ips)


def _is_about(noted: JournalEntry, key: Key, server: str, mark: PausedMark | None) -> bool:
    short_key = (key.raw_short_key or "")[:LONGEST_SHORT_KEY]
    if noted.action != "pause" or noted.short_key != short_key:
        return False
    if mark is not None:
        return mark.may_stand_for(noted.valid_ips.split())
    return noted.server == server
