"""The rows of docs/faults.md, and the tests that show what each of them says."""

from __future__ import annotations

import ast
import re
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[2]
TESTS = ROOT / "tests"
_TITLE = re.compile(r"#+ (?:([A-Z])\. )?")


@dataclass(frozen=True)
class Row:
    """A row of a table, a point of a list, or a paragraph; `section` is a letter, or `before` A."""

    section: str
    text: str


def rows() -> list[Row]:
    """Return all that the document says, in its order."""
    section, listed = "before", []
    for block in re.split(r"\n\s*\n", (ROOT / "docs" / "faults.md").read_text(encoding="utf-8")):
        lines = block.strip().splitlines()
        while lines and (title := _TITLE.match(lines[0])):
            section = title[1] or section
            lines = lines[1:]
        listed += [Row(section, text) for text in _texts(lines)]
    return listed


def _texts(lines: list[str]) -> Iterator[str]:
    text = "\n".join(lines)
    if text.startswith("|"):
        yield from (line.strip("| ").partition(" | ")[0].strip() for line in lines[2:])
    elif text.startswith("- "):
        yield from (" ".join(point.split()) for point in text[2:].split("\n- "))
    elif text:
        yield " ".join(text.split()).removeprefix("**")


Table = dict[str, dict[str, list[str] | str]]
"""By section and the begin of a row: names of tests, or a reason why there are none."""


def shown_by() -> Table:
    """Return the table."""
    return tomllib.loads((Path(__file__).parent / "fault_tests.toml").read_text(encoding="utf-8"))


def names_in(table: Table) -> set[str]:
    """Return the names of all tests in the table."""
    entries = (tests for begins in table.values() for tests in begins.values())
    return {name for tests in entries if isinstance(tests, list) for name in tests}


def begin_of(row: Row, table: Table) -> str | None:
    """Return the longest begin in the table that the row has."""
    begins = [begin for begin in table.get(row.section, {}) if row.text.startswith(begin)]
    return max(begins, key=len, default=None)


def places_of_tests() -> dict[str, list[str]]:
    """Return the places of all tests, by their names, and by file and name."""
    ids: dict[str, list[str]] = {}
    for path in sorted(TESTS.rglob("test_*.py")):
        for node in ast.parse(path.read_text(encoding="utf-8")).body:
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                name = node.name.removeprefix("test_")
                place = f"{path.relative_to(ROOT)}::{node.name}"
                for key in (name, f"{path.name}::{name}"):
                    ids.setdefault(key, []).append(place)
    return ids
