"""Where the program keeps what it remembers on this host."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path


def state_folder(environ: Mapping[str, str] = os.environ) -> Path | None:
    """Return that folder by the XDG rules; None where no directory is named as a whole."""
    state, home = Path(environ.get("XDG_STATE_HOME", "")), Path(environ.get("HOME", ""))
    if not state.is_absolute():
        state = home / ".local" / "state"
    return state / "momentum-keys" if state.is_absolute() else None
