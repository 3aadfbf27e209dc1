"""
An agency's own work on its inbox: remember, hand to its handlers, queue what they want published.

Many records are one transaction. Handlers run over states held in memory, as if the records had come one by one; inbox
rows, states and outgoing events are then written set by set. A repeat is known by its id and has no effect; a copy that
must come after another one waits for it (`streams.waiting`).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from streams.agency_store import AgencyStore
from streams.agent import AgentSpec
from streams.errors import PermanentError, UnstorableError
from streams.handling import Handling
from streams.metrics import Metrics
from streams.names import AgencyCode, EventType
from streams.reader import Reader
from streams.receiving import Done, Reading, Receiving
from streams.record import Record
from streams.record_log import in_hand, log_quarantined
from streams.references import key_ids_in
from streams.sealing import KeyService, Reveal
from streams.sender import Sender
from streams.surroundings import opener

__all__ = ["InboxPipeline", "revealer"]

_OVERDUE_TOGETHER = 100


@dataclass(frozen=True)
class InboxPipeline:
    """
    Runs an agency's handlers on its inbox.

    Args:
        agency: whose.
        spec: its kind's handlers.
        sinks: names of its connectors by the event type they take.
        reader: makes events of records.
        sender: makes records of drafts.
        keys: opens what was sealed for this agency.
        store: its own store.
        clock: gives the time, aware UTC.
        metrics: counted after the transaction.
        queued: called when rows wait for Kafka.
    """

    agency: AgencyCode
    spec: AgentSpec
    sinks: Mapping[EventType, Sequence[str]]
    reader: Reader
    sender: Sender
    keys: KeyService
    store: AgencyStore
    clock: Callable[[], datetime]
    metrics: Metrics
    queued: Callable[[], object] = lambda: None

    async def process(self, records: Sequence[Record]) -> None:
        """
        Process, park or quarantine records in one transaction; when it returns, they may be acknowledged.

        Args:
            records: those of each partition in order; all of their effects are in memory until they are written.

        Raises:
            TransientError: a server is away and nothing was done; try the same records again.
        """
        with self.metrics.stage("read"):
            readings = [await self.read(record) for record in records]
        await self._settle(readings)

    async def refuse_overdue(self, wait_seconds: float) -> int:
        """
        Quarantine copies that waited too long for their cause; what waited only behind them goes on.

        Args:
            wait_seconds: how long a copy may wait.

        Returns:
            How many were looked at; none when nothing is overdue.

        Raises:
            TransientError: the store is away and nothing was done.
        """
        before = self.clock() - timedelta(seconds=wait_seconds)
        async with self.store.transaction() as transaction:
            overdue = await transaction.overdue(before, limit=_OVERDUE_TOGETHER)
        missing = PermanentError("The event that it must come after did not come.", code="cause_missing")
        await self._settle([Reading(each.record, missing, each.event_id) for each in overdue])
        return len(overdue)

    async def read(self, record: Record) -> Reading:
        """
        Read a record, whatever it holds.

        Raises:
            TransientError: the registry had to be asked and is away.
        """
        with in_hand(record):
            try:
                return Reading(record, await self.reader.read(record))
            except PermanentError as error:
                return Reading(record, error)

    async def _settle(self, readings: Sequence[Reading]) -> None:
        if not readings:
            return
        try:
            done = await self._together(readings)
        except UnstorableError:
            done = await self._one_by_one(readings)
        if done.effects.rows or done.effects.quarantined:
            self.queued()
        for (topic, outcome), count in Counter(done.outcomes).items():
            self.metrics.processed(topic, outcome, count)
        self.metrics.durable([each.event for each in done.effects.arrivals])
        for item in done.effects.quarantined:
            log_quarantined(item)

    async def _together(self, readings: Sequence[Reading]) -> Done:
        async with self.store.transaction() as transaction:
            await transaction.share_parking()
            done = await self._receiving().decide(transaction, readings)
            if not done.effects.parked:
                with self.metrics.stage("transaction"):
                    await done.effects.write(transaction)
                return done
        # Look again with nobody beside us: what it waits for may have been applied in this moment.
        async with self.store.transaction() as transaction:
            await transaction.own_parking()
            done = await self._receiving().decide(transaction, readings)
            with self.metrics.stage("transaction"):
                await done.effects.write(transaction)
            return done

    async def _one_by_one(self, readings: Sequence[Reading]) -> Done:
        # The database names no record: with each in a part of its own, the one that cannot be kept is found.
        async with self.store.transaction() as transaction:
            await transaction.own_parking()
            return await self._receiving().write_each(transaction, readings)

    def _receiving(self) -> Receiving:
        handling = Handling(agency=self.agency, spec=self.spec, sinks=self.sinks, sender=self.sender, clock=self.clock)
        return Receiving(handling=handling, read=self.read, keys=self.keys, metrics=self.metrics)


async def revealer(keys: KeyService, data: Mapping[str, Any]) -> Reveal:
    """
    Fetch the keys that this agency was granted for an event's sealed fields, and give the function that opens them.

    Raises:
        TransientError: the key service is away.
    """
    found = await keys.keys(key_ids_in(data))
    return opener(lambda: found)
