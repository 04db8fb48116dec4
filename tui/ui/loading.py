"""Loads the modules that the first paint does without, while the operator types."""

from __future__ import annotations

import asyncio
import gc
from collections import deque
from collections.abc import Callable
from importlib import import_module
from pathlib import Path

PAUSE_SECONDS = 0.03
"""How long the event loop has for others between two modules, in seconds."""

_LEAVES = (
    "ssl", "h11", "http.cookiejar", "anyio", "httpcore", "httpx", "pydantic_core",
    "annotated_types", "pydantic.types", "pydantic.type_adapter", "lark",
)  # fmt: skip
"""Packages of others from the bottom up, so that each step is a short one."""
_OWN = (
    "api.models", "api.session", "api.decode", "api.client", "journal", "delivery",
    "keys.unstored_secrets", "keys.service", "keys.rotation", "problems.program",
    "search.key_search", "ui.screens.dialog", "ui.screens.keys", "ui.screens.key_actions",
)  # fmt: skip


def _names() -> list[str]:
    """Return the modules in the order in which they are loaded; all screens are among them."""
    screens = sorted(path.stem for path in (Path(__file__).parent / "screens").glob("[!_]*.py"))
    return [*_LEAVES, *(f"tui.{name}" for name in (*_OWN, *(f"ui.screens.{s}" for s in screens)))]


class Loader:
    """Loads a module at a time while nothing else is to be done, or all of them at once."""

    def __init__(self, is_busy: Callable[[], bool]) -> None:
        self._is_busy = is_busy
        self._waiting: deque[str] | None = None
        self.client_is_loaded = asyncio.Event()
        """Set once there is what a server can be asked with."""

    def begin(self) -> None:
        """Load from now on in pauses, unless that was begun already."""
        if self._waiting is None:
            self._waiting = deque(_names())
            asyncio.get_running_loop().call_later(PAUSE_SECONDS, self._load_one)

    async def finish(self) -> None:
        """Load at once what is not loaded yet."""
        names = self._waiting if self._waiting is not None else deque(_names())
        self._waiting = deque()
        await asyncio.to_thread(lambda: [import_module(name) for name in names])
        gc.freeze()  # modules stay: to look for garbage among them would hold up keys
        self.client_is_loaded.set()

    def _load_one(self) -> None:
        if not self._waiting:
            return
        if not self._is_busy():
            name = self._waiting.popleft()
            import_module(name)
            if name == "tui.api.client":
                self.client_is_loaded.set()
        asyncio.get_running_loop().call_later(PAUSE_SECONDS, self._load_one)
