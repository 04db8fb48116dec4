"""Pausing many keys, or resuming them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime

from tui.api.grants import sends
from tui.api.models import Key
from tui.keys.pause import tells_ips, why_not_paused
from tui.keys.paused_mark import is_paused
from tui.keys.records import Records
from tui.keys.rotation import BulkRun, pause_jobs, resume_jobs
from tui.keys.service import KeyService
from tui.text import count
from tui.ui.bindings import with_keys
from tui.ui.screens.bulk import BulkScreen
from tui.ui.widgets.run_table import RunRow, RunTable


class BulkPauseScreen(BulkScreen):
    """Keys are taken out of service; where all of them are already, they are put back into it."""

    verb = "Pause"
    start_label = "Pause API Keys"
    steps = ("paused",)
    is_danger = True

    def __init__(
        self,
        service: KeyService,
        keys: Sequence[Key],
        now: Callable[[], datetime],
        notice: str,
        records: Records,
    ) -> None:
        super().__init__(service, keys, now, notice, records)
        ips_are_told = tells_ips(service.listing.keys)
        self._reasons = {key.id: why_not_paused(key, ips_are_told=ips_are_told) for key in keys}
        self._is_resuming = all(is_paused(key.raw_valid_ips) for key in keys)
        self._chosen = [
            key
            for key in keys
            if not self._reasons[key.id] and is_paused(key.raw_valid_ips) is self._is_resuming
        ]
        if self._is_resuming:
            self.verb, self.start_label = "Resume", "Resume API Keys"
            self.steps, self.is_danger = ("resumed",), False

    def on_mount(self) -> None:
        """Show beside the keys which are left out."""
        chosen = {key.id for key in self._chosen}
        rows = {
            key.id: RunRow(("left out",), self._reasons[key.id] or "paused already")
            for key in self.keys
            if key.id not in chosen
        }
        self.query_one(RunTable).set_rows(rows)

    def sentences(self) -> list[str]:
        """Return what will happen."""
        keys = count(len(self._chosen), "key")
        if self._is_resuming:
            return [f"{keys} will work again, from the addresses that they had before."]
        resumes = with_keys("{keys.pause} resumes them", self.app)
        sentences = [f"{keys} will be refused by the server until {resumes}."]
        if sending := sum(sends(key.grants) for key in self._chosen):
            sentences.append(f"{sending:,} of them can send mail: what uses them stops.")
        if left := len(self.keys) - len(self._chosen):
            sentences.append(f"{left:,} left out.")
        return [*sentences, "Their labels and the journal keep the allowed IPs for resuming them."]

    async def make_run(self) -> BulkRun:
        """Return the run."""
        if self._is_resuming:
            return BulkRun(self.service, resume_jobs(self.service, self._chosen))
        today = self.now().date()
        return BulkRun(self.service, pause_jobs(self.service, self._chosen, today))

    def summary(self, run: BulkRun) -> str:
        """Return how many keys were paused or resumed."""
        done, total = run.progress
        return f"{done:,} of {count(total, 'key')} {'resumed' if self._is_resuming else 'paused'}."
