"""Beside an agency's worker: copies that waited too long for what they must come after go to quarantine."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass

from streams.background import pause, with_patience
from streams.inbox import InboxPipeline

__all__ = ["ParkedService"]


@dataclass(frozen=True)
class ParkedService:
    """
    Looks for parked copies whose time is over.

    Args:
        pipeline: refuses them, and lets go on what waited only behind them.
        wait_seconds: how long a copy may wait.
        poll_seconds: how often it looks.
    """

    pipeline: InboxPipeline
    wait_seconds: float
    poll_seconds: float = 2.0

    @property
    def name(self) -> str:
        """For logs."""
        return "parked"

    async def run(self, stop: asyncio.Event) -> None:
        """Look until told to stop."""
        while not stop.is_set():
            await with_patience(self._look, stop=stop, retried=self.pipeline.metrics.retried)
            await pause(stop, self.poll_seconds)

    async def _look(self) -> None:
        await self.pipeline.refuse_overdue(self.wait_seconds)
