"""Bugs that can be planted in the bus's worker."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import count
from typing import Any
from uuid import UUID

from rewording import reworded

from connectors.postgres import PostgresBusStore, bus_store, parking
from streams import examination, settlement
from streams.admission import AdmissionPipeline
from streams.bus_store import BusTransaction, Kept
from streams.codec import Codec
from streams.errors import ForbiddenError, PermanentError, TransientError
from streams.examination import Accepted, Examiner, Refused
from streams.names import EventType
from streams.parking import Sorted
from streams.policy import Delivery
from streams.record import QuarantineItem, Record
from streams.republish import Emit
from streams.store import OutboxRow

__all__ = [
    "audit_first_try_only",
    "compare_ids_only",
    "drop_quarantined",
    "forget_after_a_while",
    "give_up_at_once",
    "ignore_grants",
    "ignore_signatures",
    "keep_old_schema",
    "key_by_event",
    "never_release",
    "number_anew",
    "quarantine_later",
    "show_everything",
    "wait_for_nobody",
]

_WINDOW = timedelta(seconds=0.2)
_LATE_SECONDS = 4.0
_FAILS_EVERY = 4


def forget_after_a_while() -> None:
    """Know an id for a short while only; the tables' keys are taken away beside this."""
    inner = bus_store._Transaction.known

    async def known(self: Any, event_ids: Sequence[UUID]) -> Mapping[UUID, Kept]:
        found = await inner(self, event_ids)
        return {event_id: kept for event_id, kept in found.items() if datetime.now(UTC) - kept.at < _WINDOW}

    bus_store._Transaction.known = known  # type: ignore[method-assign] # that is the bug


def key_by_event() -> None:
    """Key copies by their event."""
    inner = settlement.copies

    def copies(accepted: Accepted, kept: Kept) -> list[OutboxRow]:
        return [
            OutboxRow(
                row_id=row.row_id,
                topic=row.topic,
                key=row.row_id.bytes,
                value=row.value,
                headers=row.headers,
            )
            for row in inner(accepted, kept)
        ]

    settlement.copies = copies


def ignore_signatures() -> None:
    """Check a signature and go on, whatever came out."""
    inner = examination.verify_officer

    def verify_officer(*arguments: Any, **named: Any) -> None:
        try:
            inner(*arguments, **named)
        except ForbiddenError:
            return

    examination.verify_officer = verify_officer


def ignore_grants() -> None:
    """Ask nobody whether a sender may publish a type."""
    Examiner._require_grant = lambda *_: None  # type: ignore[method-assign,assignment] # that is the bug


def quarantine_later() -> None:
    """Keep refused records after a while, in a transaction of their own."""
    inner, tasks = PostgresBusStore.transaction, set()

    async def keep(store: PostgresBusStore, items: Sequence[QuarantineItem]) -> None:
        await asyncio.sleep(_LATE_SECONDS)
        async with inner(store) as transaction:
            await transaction.quarantine(items)

    @asynccontextmanager
    async def transaction(self: PostgresBusStore) -> AsyncIterator[Any]:
        async with inner(self) as opened:

            async def quarantine(items: Sequence[QuarantineItem]) -> None:
                task = asyncio.create_task(keep(self, items))
                tasks.add(task)
                task.add_done_callback(tasks.discard)

            opened.quarantine = quarantine  # type: ignore[method-assign] # that is the bug
            yield opened

    PostgresBusStore.transaction = transaction  # type: ignore[method-assign] # as above


def drop_quarantined() -> None:
    """Hand refused records to nobody."""
    settlement.quarantine_rows = lambda *_: []


def audit_first_try_only() -> None:
    """Fail one transaction in a few, and write nothing to the audit log when it is tried again."""
    inner, calls, failed = PostgresBusStore.transaction, count(1), [False]

    async def nothing(_entries: object) -> None:
        """Write nothing."""

    @asynccontextmanager
    async def transaction(self: PostgresBusStore) -> AsyncIterator[Any]:
        again, failed[0] = failed[0], False
        async with inner(self) as opened:
            if again:
                opened.audit = nothing  # type: ignore[method-assign] # that is the bug
            yield opened
            if not again and next(calls) % _FAILS_EVERY == 0:
                failed[0] = True
                raise TransientError("a planted failure")

    PostgresBusStore.transaction = transaction  # type: ignore[method-assign] # as above


def keep_old_schema() -> None:
    """Read the values of a newer schema by the one that is known."""
    inner = Codec.learn

    def learn(self: Codec, schema_id: int, event_type: EventType, _schema: Mapping[str, Any]) -> None:
        inner(self, schema_id, event_type, self.catalogue[event_type].schema)

    Codec.learn = learn  # type: ignore[method-assign] # that is the bug


def number_anew() -> None:
    """Begin to number copies anew in each transaction."""
    bus_store._NUMBER = reworded(bus_store._NUMBER, "numbering.last + excluded.last", "excluded.last")


def never_release() -> None:
    """Leave waiting what waits."""

    async def release(_self: object, _waited_for: object) -> list[Any]:
        return []

    parking.ParkingTable.release = release  # type: ignore[method-assign,assignment] # that is the bug


def wait_for_nobody() -> None:
    """Admit at once what names a cause that is not there."""

    async def sort(transaction: BusTransaction, accepted: Sequence[Accepted], *, queued: bool) -> Sorted:
        del queued
        causes = [each.event.cause for each in accepted if each.event.cause]
        found = Sorted(dict(await transaction.recipients(causes)) if causes else {})
        for each in accepted:
            found.free.setdefault(each.event.id, each)
        return found

    settlement.sort = sort


def show_everything() -> None:
    """Take nothing out of copies."""
    inner = examination.share

    def share(*arguments: Any, **named: Any) -> Sequence[Delivery]:
        return [replace(each, removed=()) for each in inner(*arguments, **named)]

    examination.share = share


def compare_ids_only() -> None:
    """Take every record of a known id for a repeat."""
    inner = Examiner._accepted

    def accepted(self: Examiner, record: Record, event: Any, ends: Any) -> Accepted:
        return replace(inner(self, record, event, ends), fingerprint=b"\0" * 32)

    Examiner._accepted = accepted  # type: ignore[method-assign] # that is the bug


def give_up_at_once() -> None:
    """Refuse the records at hand when the database is away for a moment."""
    inner = AdmissionPipeline.process

    async def process(self: AdmissionPipeline, records: Sequence[Record], emit: Emit) -> None:
        try:
            await inner(self, records, emit)
        except TransientError as error:
            given_up = PermanentError(str(error), code="database_value")
            await asyncio.sleep(1)
            await self._settle(self.examiner(), [Refused(each, given_up) for each in records], emit)

    AdmissionPipeline.process = process  # type: ignore[method-assign] # that is the bug
