"""What is kept of a crash: where it happened, and nothing of what the program held."""

from __future__ import annotations

import os
import platform
import tempfile
import traceback
from pathlib import Path

from tui import __version__


def write_report(error: BaseException) -> Path | None:
    """Write where `error` came from to a new 0600 file; returns its path, None if none can be made.

    Values stay out, and so do the errors' own texts: both can hold a password or a secret.
    """
    lines = [
        f"momentum-keys {__version__}, Python {platform.python_version()}, {platform.system()}"
    ]
    cause: BaseException | None = error
    seen: set[int] = set()
    while cause is not None and id(cause) not in seen:
        seen.add(id(cause))
        lines.append(f"\n{type(cause).__module__}.{type(cause).__qualname__}")
        for frame in traceback.extract_tb(cause.__traceback__, limit=200):
            lines.append(f"  {Path(frame.filename).name}:{frame.lineno} {frame.name}")
        carried = getattr(cause, "error", None)  # a failed worker's own; it may be a text elsewhere
        if not isinstance(carried, BaseException):
            carried = cause.__cause__ or cause.__context__
        cause = carried
    try:
        handle, path = tempfile.mkstemp(prefix="momentum-keys-crash-", suffix=".txt")
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            file.write("\n".join(lines) + "\n")
    except OSError:
        return None
    return Path(path)
