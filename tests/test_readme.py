"""The README tells what the program does: its table of keys comes from the bindings."""

from __future__ import annotations

import os
import re
from pathlib import Path

import pytest

from tui.ui.bindings import Place, key_rows

README = Path(__file__).parent.parent / "README.md"
BEGIN, END = "<!-- keys: begin -->\n", "<!-- keys: end -->"


def table() -> str:
    rows = ["| Where | Key | What it does |", "|---|---|---|"]
    for place in Place:
        for number, (keys, help_) in enumerate(key_rows(place)):
            rows.append(f"| {place.value if number == 0 else ''} | {keys} | {help_} |")
    return "\n".join(rows) + "\n"


def test_the_keys_in_the_readme_are_those_of_the_program() -> None:
    text = README.read_text(encoding="utf-8")
    before, _, rest = text.partition(BEGIN)
    told_now, _, after = rest.partition(END)
    if os.environ.get("README") == "write":
        README.write_text(f"{before}{BEGIN}{table()}{END}{after}", encoding="utf-8")
        return
    assert told_now == table(), "Renew the table: README=write pytest tests/test_readme.py"


@pytest.mark.parametrize("name", ["README.md", "docs/performance.md"])
def test_each_picture_and_file_that_is_linked_is_there(name: str) -> None:
    page = README.parent / name
    linked = re.findall(r"\]\((?!https?:|#)([^)#]+)\)", page.read_text(encoding="utf-8"))
    assert any(path.endswith(".png") for path in linked)
    assert [path for path in linked if not (page.parent / path).is_file()] == []
