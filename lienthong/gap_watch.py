"""Beside an agency's worker: what is missing in the numbers of its copies is said, once, when it stays away."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass

import structlog

from connectors.postgres import Database, note_gaps, report_gaps
from streams.background import pause, with_patience
from streams.metrics import Metrics

__all__ = ["GapWatch"]

_log = structlog.get_logger(__name__)


@dataclass(frozen=True)
class GapWatch:
    """
    Looks for gaps.

    Args:
        database: the agency's.
        metrics: pauses are counted.
        patience_seconds: two workers of the bus may hand copies over in another order than they numbered them, and a
            crash delays some; a gap that closes within this time is no alarm.
        poll_seconds: how often it looks.
    """

    database: Database
    metrics: Metrics
    patience_seconds: float = 60.0
    poll_seconds: float = 5.0

    @property
    def name(self) -> str:
        """For logs."""
        return "gaps"

    async def run(self, stop: asyncio.Event) -> None:
        """Look until told to stop."""
        while not stop.is_set():
            await with_patience(self._look, stop=stop, retried=self.metrics.retried)
            await pause(stop, self.poll_seconds)

    async def _look(self) -> None:
        for gap in await note_gaps(self.database, overlap_seconds=self.poll_seconds):
            if gap.reported:
                _log.info("gap closed", subject=gap.subject, expected=gap.expected)
        for gap in await report_gaps(self.database, after_seconds=self.patience_seconds):
            _log.warning("gap", subject=gap.subject, expected=gap.expected, found=gap.found)
