"""Rotations recognised from a list of keys, by whoever reads it."""

from __future__ import annotations

from datetime import date

from hypothesis import given
from hypothesis import strategies as st

from tui.api.models import Key
from tui.keys.rotation import Unfinished, UnfinishedKind, find_unfinished

DAY = date(2026, 11, 23)
OLD, NEW = "2026-01-05T10:00:00.000Z", "2026-11-23T10:00:00.000Z"


def key(
    key_id: str,
    label: str | None = "billing",
    created: str | None = OLD,
    grants: tuple[str, ...] | None = ("metrics/view",),
    ips: tuple[str, ...] | None = (),
    subaccount: int | None = None,
) -> Key:
    return Key(key_id, label, key_id, grants, ips, created, "ops", subaccount)


def test_a_marked_key_and_its_successor_overlap() -> None:
    old, new = key("1", "billing (retiring 2026-11-23)"), key("2", created=NEW, grants=("a",))
    assert find_unfinished([new, old, key("3", "other")]) == (
        Unfinished(UnfinishedKind.OVERLAPPING, old, (new,), DAY),
    )


def test_a_marked_key_without_successor_is_alone() -> None:
    old = key("1", "billing (retiring 2026-11-23)", NEW)
    older = key("2", created=OLD)
    assert find_unfinished([old, older]) == (Unfinished(UnfinishedKind.ALONE, old, (), DAY),)


def test_alike_keys_may_have_been_interrupted() -> None:
    old, new = key("1", ips=("192.0.2.1",)), key("2", created=NEW, ips=("192.0.2.1",))
    assert find_unfinished([new, old]) == (
        Unfinished(UnfinishedKind.MAYBE_INTERRUPTED, old, (new,), DAY),
    )


def test_keys_that_differ_are_nobodys_business() -> None:
    keys = [key("1"), key("2", grants=("a",)), key("3", ips=("192.0.2.1",)), key("4", "other")]
    assert find_unfinished([*keys, key("5", subaccount=7)]) == ()


def test_an_old_server_that_tells_little_is_read_in_its_order() -> None:
    keys = [key("1", created=None, ips=None), key("2", created="no date", ips=None)]
    (rotation,) = find_unfinished(keys)
    assert (rotation.predecessor.id, rotation.successors[0].id, rotation.since) == ("1", "2", None)


def test_keys_without_label_or_grants_and_equal_ids_are_not_alike() -> None:
    bare = [Key("1"), Key("2"), key("3", " "), key("4", " "), key("5", "x", grants=None)]
    assert find_unfinished([*bare, key("6", "x", grants=None), key("7"), key("7")]) == ()


def test_each_successor_of_a_marked_key_is_named_once() -> None:
    old = key("1", "billing (retiring 2026-11-23)")
    keys = [old, key("2", created=NEW), key("3", created=NEW)]
    (rotation,) = find_unfinished(keys)
    assert [successor.id for successor in rotation.successors] == ["2", "3"]


some_keys = st.builds(
    key,
    st.sampled_from("abcdef"),
    st.sampled_from(["x", "x (retiring 2026-11-23)", "x (retiring 2025-01-01)", "y", "", None]),
    st.sampled_from([OLD, NEW, None, "junk"]),
    st.sampled_from([("a",), ("b", "a"), (), None]),
)


@given(st.lists(some_keys, max_size=8))
def test_any_list_is_read_without_contradiction(keys: list[Key]) -> None:
    rotations = find_unfinished(keys)
    predecessors = [rotation.predecessor.id for rotation in rotations]
    assert len(predecessors) == len(set(predecessors))
    for rotation in rotations:
        successors = {key.id for key in rotation.successors}
        assert bool(successors) is (rotation.kind is not UnfinishedKind.ALONE)
        assert not successors & set(predecessors)
