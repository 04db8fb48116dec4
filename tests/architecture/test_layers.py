"""What the layers promise, looked at from inside an interpreter and from the sources."""

from __future__ import annotations

import ast
import subprocess
import sys
from importlib import import_module
from inspect import getmembers, isclass
from pathlib import Path
from typing import Any

import pytest
from textual.app import App
from textual.binding import Binding
from textual.widget import Widget

import tui
from tui.ui.app import KeysApp
from tui.ui.bindings import COMMANDS, Place

ROOT = Path(tui.__file__).parent
SOURCES = sorted(ROOT.rglob("*.py"))

LIGHT = (
    "problems", "problems.program", "keys.service", "keys.verification", "keys.rotation",
    "keys.validation", "api.session", "api.models", "api.errors", "api.grants", "api.address",
    "journal", "delivery", "text", "crash", "cli", "sandbox.options", "sandbox.child_process",
    "search.query", "search.index", "search.key_rows", "search.highlights", "search.permissions",
    "search.matches", "search.key_search", "manual", "manual.layout",
    "config.read_config", "config.settings", "config.example", "config.check", "config.profile",
    "config.known_servers", "config.secret_sources",
)  # fmt: skip
SCREENS = tuple(
    f"ui.screens.{path.stem}" for path in sorted((ROOT / "ui/screens").glob("[!_]*.py"))
)
WIDGETS = tuple(
    f"ui.widgets.{path.stem}" for path in sorted((ROOT / "ui/widgets").glob("[!_]*.py"))
)

IMPORT_ALL = """
import sys
from importlib import import_module

forbidden, *names = sys.argv[1:]
for name in names:
    import_module(f"tui.{name}")
    if loaded := {*forbidden.split(",")} & {*sys.modules}:
        sys.exit(f"tui.{name} loads {', '.join(sorted(loaded))}")
"""


@pytest.mark.parametrize(
    ("modules", "forbidden"),
    [
        (LIGHT, "textual,rich,httpx,pydantic,starlette,uvicorn,lark"),
        (("ui.app", *SCREENS, *WIDGETS), "httpx,pydantic,starlette,uvicorn,lark"),
        (("api.client",), "textual,starlette,uvicorn"),
        (("sandbox.application", "sandbox.running"), "textual,rich,httpx"),
    ],
    ids=["light", "screens", "client", "sandbox"],
)
def test_what_a_module_loads(modules: tuple[str, ...], forbidden: str) -> None:
    """One interpreter imports all of them in turn, as what one loads, the next may not either."""
    command = [sys.executable, "-c", IMPORT_ALL, forbidden, *modules]
    ran = subprocess.run(command, capture_output=True, check=False, text=True)  # noqa: S603  # our own code
    assert (ran.returncode, ran.stderr) == (0, "")


def owners() -> dict[Place, list[type[App[Any] | Widget]]]:
    """Return who binds the keys of each place, subclasses after their bases."""
    modules = [import_module(f"tui.{name}") for name in (*SCREENS, *WIDGETS)]
    classes = {kind for module in modules for _, kind in getmembers(module, isclass)}
    kinds: list[type[App[Any] | Widget]] = [KeysApp]
    kinds += [kind for kind in classes if issubclass(kind, Widget)]
    binders: dict[Place, list[type[App[Any] | Widget]]] = {place: [] for place in Place}
    for kind in sorted(kinds, key=lambda kind: len(kind.mro())):
        bound = {binding.id for binding in kind.BINDINGS if isinstance(binding, Binding)}
        for place in Place:
            if {command.id for command in COMMANDS if command.place is place} & bound:
                binders[place].append(kind)
    return binders


def test_every_key_of_the_table_is_bound_to_an_action_that_there_is() -> None:
    binders = owners()
    for command in COMMANDS:
        if not command.action:
            continue
        assert binders[command.place], f"nothing binds the keys of {command.place}"
        name = command.action.partition("(")[0]
        action = f"action_{name.removeprefix('app.')}"
        actors = [KeysApp] if name.startswith("app.") else binders[command.place]
        assert any(callable(getattr(actor, action, None)) for actor in actors), command
        keys = binders[command.place][0]._merge_bindings().key_to_bindings
        for key in command.keys.split(","):
            assert command.id in {binding.id for binding in keys[key]}, command


def test_every_binding_is_made_in_the_table_of_keys() -> None:
    makers = {
        str(path.relative_to(ROOT))
        for path in SOURCES
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.Call) and ast.unparse(node.func) == "Binding"
    }
    assert makers == {"ui/bindings.py"}


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: str(path.relative_to(ROOT)))
def test_files_and_functions_stay_small(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    assert text.count("\n") <= 650
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            length = (node.end_lineno or node.lineno) - node.lineno + 1
            assert length <= 50, f"{node.name} has {length} lines"


def test_each_class_has_a_name_of_its_own() -> None:
    """A name that stands in two modules has its readers look up which of them is meant."""
    modules: dict[str, list[str]] = {}
    for path in SOURCES:
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.ClassDef):
                modules.setdefault(node.name.lstrip("_"), []).append(str(path.relative_to(ROOT)))
    assert {name: paths for name, paths in modules.items() if len(paths) > 1} == {}


def test_each_module_has_a_name_of_its_own() -> None:
    folders: dict[str, list[str]] = {}
    for path in SOURCES:
        if not path.name.startswith("__"):
            folders.setdefault(path.name, []).append(str(path.parent.relative_to(ROOT)))
    assert {name: rooms for name, rooms in folders.items() if len(rooms) > 1} == {}
