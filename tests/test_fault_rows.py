"""Each row of docs/faults.md is shown by tests, or there is a reason why not."""

from __future__ import annotations

from tests.proofs.fault_rows import begin_of, names_in, places_of_tests, rows, shown_by


def test_each_row_has_tests_or_a_reason() -> None:
    table = shown_by()
    assert [row for row in rows() if begin_of(row, table) is None] == []


def test_each_entry_of_the_table_is_about_a_row() -> None:
    table = shown_by()
    used = {(row.section, begin_of(row, table)) for row in rows()}
    entries = {(section, begin) for section, begins in table.items() for begin in begins}
    assert entries == used


def test_each_test_of_the_table_is_there_once() -> None:
    ids = places_of_tests()
    places = {name: ids.get(name, []) for name in names_in(shown_by())}
    assert {name: where for name, where in places.items() if len(where) != 1} == {}
