"""
Stateless work: consume, enrich, republish directly.

Nothing is remembered, so a repeat has the same effect again: events with the same ids and the same bytes, which
whoever receives them knows. For that their time is that of the admission of the event in hand, and no clock is asked.
What cannot be processed goes to quarantine, and the batch ends only when that is durable.

A copy's `ce_after` is not waited for: what is made of an event depends on nothing that came before it
(docs/decisions/0015-a-stateless-agency.md).
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

from streams.agent import AgentSpec, Context, Handler
from streams.codec import UnknownSchemaError
from streams.errors import ConfigurationError, PermanentError
from streams.event import Event, derived_id
from streams.loops import passed_through
from streams.metrics import Metrics
from streams.names import AgencyCode, EventType, quarantine_topic
from streams.reader import Reader
from streams.record import QuarantineItem, Record, quarantine_item
from streams.record_log import log_quarantined
from streams.sealing import reveal_personal
from streams.sender import Sender
from streams.store import OutboxRow

__all__ = ["Emit", "Keep", "RepublishPipeline"]

Emit = Callable[[OutboxRow], None]
"""Hands a record to the producer; the batch in hand ends only when it is confirmed."""

Keep = Callable[[Sequence[QuarantineItem]], Awaitable[None]]
"""Makes quarantined records durable, with their way to the quarantine topic; a repeat changes nothing."""


@dataclass(frozen=True)
class RepublishPipeline:
    """
    Runs stateless handlers.

    Args:
        agency: whose.
        spec: its kind's handlers, all without state.
        reader: makes events of records.
        sender: makes records of drafts.
        metrics: counted when a batch was handed over.
        keep: where quarantined records go; None sends them to the quarantine topic as the work's own records go.

    Raises:
        ConfigurationError: a handler keeps state.
    """

    agency: AgencyCode
    spec: AgentSpec
    reader: Reader
    sender: Sender
    metrics: Metrics
    keep: Keep | None = None

    def __post_init__(self) -> None:
        """Refuse handlers that keep state."""
        keeping = [handler.name for handler in self.spec.handlers if handler.state_key is not None]
        if keeping:
            raise ConfigurationError(f"These handlers keep state and cannot be stateless: {', '.join(keeping)}.")

    async def process(self, records: Sequence[Record], emit: Emit) -> None:
        """
        Hand over what handlers make of records.

        Raises:
            TransientError: a server is away; some may have been handed over and are again.
        """
        republished = 0
        refused: list[QuarantineItem] = []
        event: Event | None = None
        for record in records:
            try:
                try:
                    event, _ = self.reader.read_known(record)
                except UnknownSchemaError:
                    event = await self.reader.read(record)
                # All before the first is handed over: a record is republished whole or quarantined, never both.
                rows = self._handle(event)
            except PermanentError as error:
                refused.append(quarantine_item(record, error))
                continue
            for row in rows:
                emit(row)
            republished += 1
        await self._quarantine(refused, emit)
        if republished:
            self.metrics.processed(records[0].topic, "republished", republished)  # it reads one topic, its inbox
        if event is not None:
            self.metrics.durable([event])  # one of each batch: more would be felt at this pace

    @cached_property
    def _handlers(self) -> Mapping[EventType, Sequence[Handler]]:
        found: dict[EventType, list[Handler]] = {}
        for handler in self.spec.handlers:
            found.setdefault(handler.event_type, []).append(handler)
        return found

    def _handle(self, event: Event) -> list[OutboxRow]:
        rows = []
        at = event.admitted or event.time
        for handler in self._handlers.get(event.type, ()):
            passed = passed_through(self.agency, handler.name, event)
            context = Context(agency=self.agency, now=at, state={}, reveal=reveal_personal)
            for index, draft in enumerate(handler.handle(event, context).events):
                event_id = derived_id(event.id, handler.name, index)
                prepared = self.sender.prepare_sealed(draft, at=at, cause=event, event_id=event_id, passed=passed)
                rows.append(prepared.row)
        return rows

    async def _quarantine(self, items: Sequence[QuarantineItem], emit: Emit) -> None:
        if self.keep is not None and items:
            await self.keep(items)
        for item in items:
            record = item.record
            if self.keep is None:
                topic = quarantine_topic(self.agency)
                emit(OutboxRow(row_id=item.id, topic=topic, key=record.key, value=record.value, headers=item.headers))
            self.metrics.processed(record.topic, f"quarantined_{item.reason}")
            log_quarantined(item)
