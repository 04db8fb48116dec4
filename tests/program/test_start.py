"""What the start takes: modules, layouts and style passes; `tests.bench` times it."""

from __future__ import annotations

import json
from pathlib import Path

from tests.program.program import StartProgram

COUNTED = """
import json, sys
from pathlib import Path

report = Path(sys.argv.pop(1))
counts = {"modules": [], "layouts": 0, "styled": 0, "frames": 0}

from textual.css.stylesheet import Stylesheet
from textual.screen import Screen
from tui import cli
from tui.ui.terminal.picture import Picture

def counted(kind, name, count):
    method = getattr(kind, name)
    def wrapped(*args, **options):
        outcome = method(*args, **options)
        counts[count] += 1
        report.write_text(json.dumps(counts))
        return outcome
    setattr(kind, name, wrapped)

changes = Picture.changes
def drawn(picture):
    sequences = changes(picture)
    counts["modules"] = counts["modules"] or [*sys.modules]
    counts["frames"] += bool(sequences)
    report.write_text(json.dumps(counts))
    return sequences

Picture.changes = drawn
counted(Screen, "_refresh_layout", "layouts")
counted(Stylesheet, "update_nodes", "styled")
cli.run()
"""

NEEDED = {
    "tui", "tui.api", "tui.api.address", "tui.api.errors", "tui.api.proxy", "tui.cli",
    "tui.cli.arguments", "tui.cli.start", "tui.cli.refusal", "tui.cli.sandbox_command",
    "tui.cli.profiles", "tui.config", "tui.config.config_file", "tui.config.known_servers",
    "tui.config.last_used", "tui.config.paths", "tui.config.profile",
    "tui.config.secret_sources", "tui.crash", "tui.keys", "tui.keys.rotation_policy",
    "tui.sandbox", "tui.sandbox.fault_options", "tui.sandbox.options", "tui.state_folder",
    "tui.text", "tui.ui", "tui.ui.app", "tui.ui.appearance", "tui.ui.bindings",
    "tui.ui.idle_lock", "tui.ui.key_map", "tui.ui.loading", "tui.ui.screens",
    "tui.ui.screens.leaving", "tui.ui.screens.login", "tui.ui.terminal", "tui.ui.terminal.colours",
    "tui.ui.terminal.driver", "tui.ui.terminal.input_stage", "tui.ui.terminal.key_names",
    "tui.ui.terminal.ordinary_screen", "tui.ui.terminal.output", "tui.ui.terminal.pen",
    "tui.ui.terminal.picture", "tui.ui.terminal.textual_internals",
    "tui.ui.terminal.type_ahead", "tui.ui.themes", "tui.ui.widgets", "tui.ui.widgets.field",
    "tui.ui.widgets.key_footer", "tui.ui.widgets.problem_text", "tui.ui.widgets.status",
    "tui.ui.widgets.too_small", "tui.ui.widgets.top_bar", "tui.waiting",
}  # fmt: skip
"""The program's own modules that the first paint may load."""
HEAVY = {
    "anyio", "click", "h11", "httpcore", "httpx", "lark", "pydantic", "pydantic_core", "pygments",
    "starlette", "uvicorn", "http.client", "http.cookiejar", "urllib.request", "email.message",
}  # fmt: skip
LAYOUTS, STYLE_PASSES, FRAMES = 6, 12, 4


def test_the_first_paint_needs_few_modules_layouts_and_style_passes(
    start: StartProgram, tmp_path: Path
) -> None:
    report = tmp_path / "report"
    program = start(
        str(report), "--url", "https://nowhere.invalid", "--username", "ops", driver=COUNTED
    )
    program.at_login()
    program.wait_quiet(0.5)
    counts = json.loads(report.read_text())
    loaded = {*counts["modules"]}
    assert loaded & HEAVY == set()
    own = {name for name in loaded if name.partition(".")[0] == "tui"}
    assert own - NEEDED == set(), "every start would be slower"
    spent = {name: counts[name] for name in ("layouts", "styled", "frames")}
    assert spent["layouts"] <= LAYOUTS, spent
    assert spent["styled"] <= STYLE_PASSES, spent
    assert spent["frames"] <= FRAMES, spent
    program.press("ctrl+q")
    program.leaves()
