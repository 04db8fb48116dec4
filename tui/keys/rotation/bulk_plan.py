"""What rotating many keys would do, in words to show before it starts."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass

from tui.api.models import Key, User
from tui.keys.key_record import Knowledge, UnfinishedRotation
from tui.keys.labels import retiring_since
from tui.text import count

_RETIRING = "retiring already"
_UNFINISHED = "with a successor that is stored: Finish on each ends that"
_ELSEWHERE = "with a successor of which nothing more is known here: Finish on each asks"
_SEVERAL = "with several successors: Finish on the one that is to stay"
_SUCCESSOR = "the successor of another key"
_AT_WORK = "being worked on by another instance of this program"
_ORPHAN = "of no use, as nobody has the secret: Rotate on each deletes it"
_UNCLEAR = "not known to be of use, as their secrets may be lost: rotate each by itself"
_GRANTS_UNKNOWN = "the server does not return the grants"
_OF_OTHERS = "not yours: the successor will be, and the server may not let you delete this key"
_REPLACED = "has a successor whose secret was never stored: that one is deleted first"
_REASONS = (
    _RETIRING, _UNFINISHED, _ELSEWHERE, _SEVERAL, _SUCCESSOR, _AT_WORK, _ORPHAN,
    _UNCLEAR, _GRANTS_UNKNOWN,
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Plan:
    """The keys that will get successors and those left out; `sentences` are about all of them.

    Of the keys, those in `replaced` have successors already, whose secrets were never stored.
    `notes` say by key id why a key is left out, or what is special about its rotation.
    """

    keys: tuple[Key, ...]
    left_out: tuple[Key, ...]
    replaced: tuple[UnfinishedRotation, ...]
    sentences: tuple[str, ...]
    notes: Mapping[str, str]


def plan_rotations(
    keys: Iterable[Key],
    user: User | None,
    unfinished: Iterable[UnfinishedRotation] = (),
    *,
    orphans: Collection[str] = (),
    unclear: Collection[str] = (),
    tells_addresses: bool = True,
) -> Plan:
    """Return what rotating `keys` would do; `user` is who is signed in, as far as that is known.

    Keys that have a part in one of the `unfinished` rotations are left out, but for those whose
    successors are known never to have been stored. `orphans` are the ids of keys whose secrets
    nobody has, and whose places others took; of the `unclear` ones that is not known.
    """
    lost: dict[str, UnfinishedRotation] = {}
    involved = dict.fromkeys(unclear, _UNCLEAR) | dict.fromkeys(orphans, _ORPHAN)
    for earlier in unfinished:
        if not earlier.is_known:
            continue
        reason = _why_unfinished(earlier)
        involved |= dict.fromkeys((successor.id for successor in earlier.successors), _SUCCESSOR)
        if reason:
            involved[earlier.predecessor.id] = reason
        else:
            lost[earlier.predecessor.id] = earlier
    by_id = {key.id: key for key in keys}
    by_reason: dict[str, list[Key]] = {}
    chosen: list[Key] = []
    for key in by_id.values():
        reason = _why_left_out(key, involved)
        (by_reason.setdefault(reason, []) if reason else chosen).append(key)
    replaced = tuple(lost[key.id] for key in chosen if key.id in lost)
    of_others = [
        key for key in chosen if user is not None and key.raw_username not in (None, user.username)
    ]
    notes = {key.id: _OF_OTHERS for key in of_others}
    notes |= {key.id: _limited(key) for key in chosen if key.raw_valid_ips}
    notes |= {rotation.predecessor.id: _REPLACED for rotation in replaced}
    notes |= {key.id: reason for reason, keys in by_reason.items() for key in keys}
    sentences = _what_will_happen(len(chosen), len(of_others), len(replaced), tells_addresses)
    left_out = tuple(key for reason in _REASONS for key in by_reason.get(reason, ()))
    return Plan(tuple(chosen), left_out, replaced, tuple(sentences), notes)


def _what_will_happen(
    chosen: int, of_others: int, replaced: int, tells_addresses: bool
) -> list[str]:
    """Return what becomes of the chosen keys; `of_others` are other people's."""
    gets = "a successor" if chosen == 1 else "successors"
    creation = f"{count(chosen, 'key')} will get {gets}"
    sentences = [
        f"{creation}; {_number_and_verb(of_others)} not yours." if of_others else f"{creation}."
    ]
    sentences.append("No predecessor is deleted before its successor works and you confirm it.")
    if chosen and not tells_addresses:
        sentences.append(
            "The server does not return allowed IPs: successors will work from any address."
        )
    if replaced:
        is_one = replaced == 1
        have = (
            "has a successor whose secret was" if is_one else "have successors whose secrets were"
        )
        subject = "that one is" if is_one else "those are"
        sentences.append(f"{replaced:,} {have} never stored: {subject} deleted first.")
    return sentences


def _why_unfinished(earlier: UnfinishedRotation) -> str:
    """Return why an earlier rotation is not gone on with, or nothing where it can be."""
    if earlier.worker is not None:
        return _AT_WORK
    if len(earlier.successors) > 1:
        return _SEVERAL
    if earlier.knowledge is Knowledge.NEVER_STORED:
        return ""
    return _UNFINISHED if earlier.is_stored else _ELSEWHERE


def _why_left_out(key: Key, involved: Mapping[str, str]) -> str:
    if key.id in involved:
        return involved[key.id]
    if retiring_since(key.raw_label or "") is not None:
        return _RETIRING
    return _GRANTS_UNKNOWN if key.raw_grants is None else ""


def _limited(key: Key) -> str:
    addresses = count(len(key.raw_valid_ips or ()), "address range")
    return (
        f"works from {addresses}: where this host is not among them, the successor can't be "
        "verified from here, and you are asked about it at the end"
    )


def _number_and_verb(number: int) -> str:
    return f"{number:,} {'is' if number == 1 else 'are'}"
