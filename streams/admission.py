"""
Admit and share: the bus's own work on every published event.

Decode guard, sender, grant, officer's signature, duplicate, then policy. One transaction writes the event into the
ledger, an inbox copy for each entitled agency into the outbox, what that copy may open, and the audit entries. What
cannot be admitted goes to quarantine with its original bytes, in a transaction of the same kind.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from uuid import UUID, uuid5

from streams.calendar import vietnamese_day
from streams.catalogue import EventTypeSpec
from streams.codec import Codec
from streams.directory import Directory
from streams.errors import ForbiddenError, PermanentError
from streams.event import Event
from streams.headers import event_headers
from streams.metrics import Metrics
from streams.names import BUS, EVENT_NAMESPACE, AgencyCode, event_topic, inbox_topic, quarantine_topic
from streams.policy import Delivery, redact, share, withhold
from streams.reader import Reader
from streams.record import Record, quarantine_item
from streams.sender import audit_row, key_ids_in
from streams.signing import verify_officer
from streams.store import Admission, AuditEntry, BusStore, BusTransaction, OutboxRow

__all__ = ["AdmissionPipeline"]


@dataclass(frozen=True)
class AdmissionPipeline:
    """
    Admits records of the event topics.

    Args:
        reader: makes events of records.
        codec: encodes redacted copies.
        directory: gives the directory as it is now.
        store: the bus's ledger.
        clock: gives the time, aware UTC.
        metrics: counted after the transaction.
    """

    reader: Reader
    codec: Codec
    directory: Callable[[], Directory]
    store: BusStore
    clock: Callable[[], datetime]
    metrics: Metrics

    async def process(self, records: Sequence[Record]) -> None:
        """
        Admit or quarantine records; when it returns, all of it is durable and they may be acknowledged.

        Raises:
            TransientError: a server is away and nothing was done; try the same records again.
        """
        results = []
        directory = self.directory()  # once for all of them: an officer is entered before the officer's first act
        async with self.store.transaction() as transaction:
            for record in records:
                outcome = await self._process(transaction, record, directory)
                results.append((record.topic, outcome))
        for topic, outcome in results:
            self.metrics.processed(topic, outcome)

    async def _process(self, transaction: BusTransaction, record: Record, directory: Directory) -> str:
        now = self.clock()
        try:
            event = await self.reader.read(record)
            spec = self.codec.catalogue[event.type]
            _check(event, spec, record, directory, now)
            admission = Admission(
                event=event,
                record=record,
                deliveries=share(event.data, spec, directory, at=now),
                answers=spec.answers is not None and event.cause is not None,
                status=event.data.get("status"),
                at=now,
            )
            return await self._admit(transaction, admission)
        except PermanentError as error:
            return await self._quarantine(transaction, record, error, now)

    async def _admit(self, transaction: BusTransaction, admission: Admission) -> str:
        event, record, deliveries, now = admission.event, admission.record, admission.deliveries, admission.at
        # Before anything is written: a value that cannot be encoded again must leave no event without its copies.
        copies = [self._copy(event, record, delivery) for delivery in deliveries]
        if not await transaction.admit(admission):
            return "repeated"
        for delivery, (_, key_ids) in zip(deliveries, copies, strict=True):
            await transaction.grant_keys(key_ids, delivery.agency, sender=event.source)
        rows = [row for row, _ in copies]
        await transaction.publish(rows, deliveries=[(event.id, delivery.agency) for delivery in deliveries])
        entries = [_admitted(event, now), *(_delivered(event, delivery, now) for delivery in deliveries)]
        await transaction.audit(entries, [audit_row(self.codec, entry) for entry in entries])
        return "admitted"

    def _copy(self, event: Event, record: Record, delivery: Delivery) -> tuple[OutboxRow, frozenset[str]]:
        data = redact(event.data, delivery.removed)
        copy = replace(
            withhold(event, delivery.removed),
            purpose=delivery.purpose,
            legal_article=delivery.article,
            removed=delivery.removed,
            answer_due=delivery.answer_due,
        )
        row = OutboxRow(
            row_id=_copy_id(event.id, delivery.agency),
            topic=inbox_topic(delivery.agency),
            key=record.key,
            value=self.codec.encode(event.type, data) if delivery.removed else record.value,
            headers=event_headers(copy),
        )
        return row, key_ids_in(data)

    async def _quarantine(
        self, transaction: BusTransaction, record: Record, error: PermanentError, now: datetime
    ) -> str:
        item = quarantine_item(record, error)
        row = OutboxRow(
            row_id=item.id, topic=quarantine_topic(BUS), key=record.key, value=record.value, headers=item.headers
        )
        if await transaction.quarantine(item, row):
            entry = AuditEntry(action="quarantined", at=now, event_id=item.id, agency=BUS, reason_code=item.reason)
            await transaction.audit([entry], [audit_row(self.codec, entry)])
        return f"quarantined_{item.reason}"


def _check(event: Event, spec: EventTypeSpec, record: Record, directory: Directory, now: datetime) -> None:
    if record.topic != event_topic(event.type):
        raise ForbiddenError(f"A {event.type} does not belong on {record.topic}.", code="wrong_topic")
    agency = directory.agencies.get(event.source)
    if agency is None or not agency.may_publish(event.type, on=vietnamese_day(now)):
        raise ForbiddenError(f"{event.source} may not publish {event.type}.", code="not_granted")
    if spec.signed_by_officer:
        verify_officer(event, record.value or b"", directory, on=vietnamese_day(now))


def _copy_id(event_id: UUID, agency: AgencyCode) -> UUID:
    return uuid5(EVENT_NAMESPACE, f"copy|{event_id}|{agency}")


def _admitted(event: Event, now: datetime) -> AuditEntry:
    return AuditEntry(
        action="admitted", at=now, event_id=event.id, event_type=event.type, agency=event.source, officer=event.officer
    )


def _delivered(event: Event, delivery: Delivery, now: datetime) -> AuditEntry:
    return AuditEntry(
        action="delivered",
        at=now,
        event_id=event.id,
        event_type=event.type,
        agency=BUS,
        recipient=delivery.agency,
        removed=delivery.removed,
        legal_article=delivery.article,
    )
