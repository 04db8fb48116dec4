"""The report of a crash: where it happened, without any value that the program held."""

from __future__ import annotations

import os
import platform
import sys
import tempfile
import threading
import traceback
from pathlib import Path

from tui import __version__

MOST_REPORTS = 5
"""How many faults in the background leave a report: one that repeats tells nothing new."""


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


class BackgroundFaults:
    """Exceptions that nobody handles, in threads, callbacks and destructors; each leaves a report.

    The program goes on, as it would without this; Textual would show none of what Python prints.
    """

    def __init__(self) -> None:
        self.reports: list[Path] = []

    def watch(self) -> None:
        """Hear of exceptions in threads and destructors from now on."""
        threading.excepthook = lambda fault: self.note(fault.exc_value)
        sys.unraisablehook = lambda fault: self.note(fault.exc_value)

    def note(self, error: BaseException | None) -> None:
        """Write a report of `error`, unless there are many already."""
        if error is None or isinstance(error, SystemExit) or len(self.reports) >= MOST_REPORTS:
            return
        if report := write_report(error):
            self.reports.append(report)

    @property
    def sentence(self) -> str:
        """What the operator reads of them after the end; nothing where there were none."""
        if not self.reports:
            return ""
        where = ", ".join(map(str, self.reports))
        return (
            "momentum-keys met an internal error. "
            f"Where it happened is written in {where}, without any secret."
        )
