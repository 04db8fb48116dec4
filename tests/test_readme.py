"""The README tells what the program does: its table of keys comes from the bindings."""

from __future__ import annotations

import os
import re
from pathlib import Path

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


def test_the_pictures_in_the_readme_are_there() -> None:
    pictures = re.findall(r"\((screenshots/[^)]+)\)", README.read_text(encoding="utf-8"))
    assert pictures
    assert [name for name in pictures if not (README.parent / name).is_file()] == []
