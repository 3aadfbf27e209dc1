"""
An agency's own work on every event of its inbox: remember, hand to its handlers, queue what they want published.

Inbox row, handlers' state and outgoing events are one transaction. A repeat is known by its id and has no effect.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from streams.agent import AgentSpec, Context, Handler
from streams.catalogue import Catalogue
from streams.errors import PermanentError
from streams.event import Event, derived_id
from streams.metrics import Metrics
from streams.names import AgencyCode, EventType
from streams.reader import Reader
from streams.record import Record, quarantine_item
from streams.record_log import log_quarantined
from streams.sealing import KeyService, Personal, Reveal, SubjectKey, open_sealed
from streams.sender import Prepared, Sender, documents_in, key_ids_in
from streams.store import AgencyStore, AgencyTransaction

__all__ = ["InboxPipeline", "note_answer", "revealer"]


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

    async def process(self, records: Sequence[Record]) -> None:
        """
        Process or quarantine records; when it returns, all of it is durable and they may be acknowledged.

        Raises:
            TransientError: a server is away and nothing was done; try the same records again.
        """
        results = []
        for record in records:
            outcome = await self._process(record)
            results.append((record.topic, outcome))
        for topic, outcome in results:
            self.metrics.processed(topic, outcome)

    async def _process(self, record: Record) -> str:
        try:
            event = await self.reader.read(record)
            with self.metrics.stage("transaction"):
                async with self.store.transaction() as transaction:
                    outcome = await self._apply(transaction, event, record)
        except PermanentError as error:
            # The transaction above was undone, so nothing half-done stays beside the quarantined record.
            item = quarantine_item(record, error)
            async with self.store.transaction() as transaction:
                await transaction.quarantine(item)
            log_quarantined(item)
            return f"quarantined_{item.reason}"
        if outcome == "applied":
            self.metrics.durable([event])
        return outcome

    async def _apply(self, transaction: AgencyTransaction, event: Event, record: Record) -> str:
        if not await transaction.receive(event, record):
            return "repeated"
        await transaction.name_documents(event.id, documents_in(event.data))
        await transaction.hand_over(event.id, self.sinks.get(event.type, ()))
        reveal = await revealer(self.keys, event.data)
        for handler in self.spec.handlers:
            if handler.event_type == event.type:
                await self._handle(transaction, handler, event, reveal)
        return "applied"

    async def _handle(self, transaction: AgencyTransaction, handler: Handler, event: Event, reveal: Reveal) -> None:
        key = handler.state_key(event) if handler.state_key else None
        state = {} if key is None else await transaction.state(handler.name, key)
        context = Context(agency=self.agency, now=event.time, state=state, reveal=reveal)
        outcome = handler.handle(event, context)
        prepared = [
            await self.sender.prepare(
                draft, at=self.clock(), cause=event, event_id=derived_id(event.id, handler.name, index)
            )
            for index, draft in enumerate(outcome.events)
        ]
        await _queue(transaction, self.sender.codec.catalogue, prepared)
        if key is not None and outcome.state is not None:
            await transaction.keep_state(handler.name, key, outcome.state)
        if outcome.note:
            await transaction.annotate(event.id, outcome.note)


async def revealer(keys: KeyService, data: Mapping[str, Any]) -> Reveal:
    """
    Fetch the keys that this agency was granted for an event's sealed fields, and give the function that opens them.

    Raises:
        TransientError: the key service is away.
    """
    held = await keys.keys(key_ids_in(data))

    def reveal(value: Personal | Mapping[str, Any] | None) -> str | None:
        if isinstance(value, Personal):
            return value.text
        key: SubjectKey | None = held.get(value["key_id"]) if value else None
        return open_sealed(value, key) if value and key else None

    return reveal


async def note_answer(transaction: AgencyTransaction, catalogue: Catalogue, event: Event) -> None:
    """Where an event of ours answers an item of our inbox, note it there."""
    if catalogue[event.type].answers is not None and event.cause is not None:
        status = str(event.data.get("status") or "answered")
        await transaction.answer(event.cause, answer=event.id, status=status, at=event.time)


async def _queue(transaction: AgencyTransaction, catalogue: Catalogue, prepared: Sequence[Prepared]) -> None:
    await transaction.publish([each.row for each in prepared])
    for each in prepared:
        await transaction.name_documents(each.event.id, documents_in(each.event.data))
        await note_answer(transaction, catalogue, each.event)
