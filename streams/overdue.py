"""What waited too long for its cause goes to quarantine; what waited only behind it goes on."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from uuid import uuid5

from streams.admission import AdmissionPipeline
from streams.background import pause, with_patience
from streams.errors import PermanentError
from streams.names import EVENT_NAMESPACE
from streams.record import quarantine_item
from streams.settlement import Settlement
from streams.store import OutboxRow

__all__ = ["OverdueService"]

_TOGETHER = 100


@dataclass(frozen=True)
class OverdueService:
    """
    Looks for events that wait too long.

    No record in hand stands for what it decides, so its copies and quarantined records go through the bus's outbox.

    Args:
        admission: decides about what goes on.
        clock: gives the time, aware UTC.
        wait_seconds: how long an event waits for its cause.
        poll_seconds: how often it looks.
    """

    admission: AdmissionPipeline
    clock: Callable[[], datetime]
    wait_seconds: float
    poll_seconds: float = 2.0

    @property
    def name(self) -> str:
        """For logs."""
        return "overdue"

    async def run(self, stop: asyncio.Event) -> None:
        """Look until told to stop."""
        while not stop.is_set():
            await with_patience(self.refuse_overdue, stop=stop, retried=self.admission.metrics.retried)
            await pause(stop, self.poll_seconds)

    async def refuse_overdue(self) -> None:
        """
        Refuse the oldest of those that waited too long.

        Raises:
            TransientError: the ledger is away and nothing was done.
        """
        before = self.clock() - timedelta(seconds=self.wait_seconds)
        async with self.admission.store.transaction() as transaction:
            overdue = await transaction.overdue(before, limit=_TOGETHER)
            if not overdue:
                return
            settlement = Settlement(transaction, self.admission.examiner(), self.admission.audit)
            missing = PermanentError("The event that it names as its cause did not come.", code="cause_missing")
            await settlement.refuse([quarantine_item(each.record, missing) for each in overdue])
            await settlement.release({each.event_id: each.event_id for each in overdue})
            await transaction.queue([_queued(row) for row in settlement.rows])
        self.admission.account(settlement)


def _queued(row: OutboxRow) -> OutboxRow:
    """Give a row an id of its own: an event's copies share the event's."""
    return replace(row, row_id=uuid5(EVENT_NAMESPACE, f"copy|{row.row_id}|{row.topic}"))
