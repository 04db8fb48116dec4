"""Each sign that the program draws has its ASCII form, one cell for one cell."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

from rich.cells import cell_len

import tui
from tui.text import plain
from tui.ui.app import KeysApp
from tui.ui.appearance import appearance
from tui.ui.bindings import drawn_keys
from tui.ui.terminal.output import PLAIN_SIGNS

ROOT = Path(tui.__file__).parent
DRAWN = (
    "cli",
    "config",
    "crash.py",
    "problems",
    "delivery/command.py",
    "delivery/clipboard.py",
)
"""What besides tui/ui holds words that are shown."""
NO_SIGNS = {"\N{NO-BREAK SPACE}", "\u2028", "\u2029", "\ufe0f"}
"""Characters that are looked for in texts, and never drawn."""


def files() -> Iterator[Path]:
    for folder in ("ui", *DRAWN):
        path = ROOT / folder
        yield from path.rglob("*.py") if path.is_dir() else [path]


def literals(path: Path) -> Iterator[str]:
    """Return the texts in a file that are no docstrings."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    unused = {id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Expr)}
    for node in ast.walk(tree):
        if (
            isinstance(node, ast.Constant)
            and isinstance(node.value, str)
            and id(node) not in unused
        ):
            yield node.value


def test_each_sign_in_the_code_has_an_ascii_form() -> None:
    drawn = {sign for path in files() for text in literals(path) for sign in text}
    signs = {sign for sign in drawn if not sign.isascii()} - NO_SIGNS
    assert {"▌", "●", "✓", "✗", "→", "▸", "━", "▼", "▲", "\N{EN DASH}"} <= signs
    assert sorted(sign for sign in signs if ord(sign) not in PLAIN_SIGNS) == []


def test_every_button_and_list_has_its_signs() -> None:
    allowed = {"button.py", "marked_list.py"}
    imports = [
        f"{path.name} imports {name.name}"
        for path in (ROOT / "ui").rglob("*.py")
        if path.name not in allowed
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("textual")
        for name in node.names
        if name.name in {"Button", "OptionList"}
    ]
    assert imports == [], "tui/ui/widgets has those that show the focus without colour"


def test_control_characters_made_visible_have_one_too() -> None:
    for code in (*range(0x20), 0x7F):
        assert plain(chr(code)).translate(PLAIN_SIGNS).isascii()


def test_the_ascii_forms_take_as_much_room() -> None:
    assert [chr(s) for s, ascii_sign in PLAIN_SIGNS.items() if not ascii_sign.isascii()] == []
    assert [chr(s) for s, ascii_sign in PLAIN_SIGNS.items() if cell_len(chr(s)) != 1] == []
    assert {*map(len, PLAIN_SIGNS.values())} == {1}


def test_signs_that_stand_for_different_things_stay_different() -> None:
    for signs in ("▌●", "✓✗·▸", "━─", "▲▼", "✓✗⋯", "▏▌"):
        assert len({PLAIN_SIGNS[ord(sign)] for sign in signs}) == len(signs), signs


def test_arrow_keys_are_named_in_words_where_they_would_be_drawn_as_letters() -> None:
    program = KeysApp(appearance=appearance({}, is_ascii=True))
    assert drawn_keys("ctrl+↑ ↓, alt+↑ ↓", program) == "ctrl+Up Down, alt+Up Down"
    assert drawn_keys("ctrl+↑ ↓", KeysApp()) == "ctrl+↑ ↓"
