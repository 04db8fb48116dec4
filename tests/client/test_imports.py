from __future__ import annotations

import subprocess
import sys

import pytest

LIGHT = ("tui.problems", "tui.api.errors", "tui.api.models", "tui.api.address", "tui.api.proxy")


@pytest.mark.parametrize("module", LIGHT)
def test_what_the_first_screen_needs_is_imported_without_http_and_models(module: str) -> None:
    heavy = "{'httpx', 'pydantic', 'ssl', 'textual', 'asyncio', 'idna', 'urllib.request'}"
    code = f"import sys, {module}; sys.exit(' '.join({heavy} & set(sys.modules)) or None)"
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, check=False, text=True)  # noqa: S603  # our own code
    assert (run.returncode, run.stderr) == (0, "")
