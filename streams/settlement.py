"""
One transaction's decisions about examined records: known, waiting, admitted, released, refused.

What was once decided about a record stands: a record that is read again is handed over as it was, or refused as it was,
whatever the directory says by then.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from uuid import UUID

from streams.audit import AuditWriter
from streams.bus_store import Admission, AuditEntry, BusTransaction, Kept, Parked, Place, Stretch
from streams.copies import admitted_entry, copies, key_grants, quarantine_rows, quarantined_entry
from streams.errors import ForbiddenError, PermanentError
from streams.event import Event
from streams.examination import Accepted, Examiner, Refused
from streams.names import AgencyCode, TopicName
from streams.parking import sort
from streams.policy import withheld
from streams.record import QuarantineItem, Record, quarantine_item
from streams.store import OutboxRow

__all__ = ["Settlement"]

_Examined = Accepted | Refused


class Settlement:
    """
    Decides within one transaction; read what it gathered after that is committed.

    Args:
        transaction: open.
        examiner: examines what is released.
        audit: writes the audit log's records.
    """

    def __init__(self, transaction: BusTransaction, examiner: Examiner, audit: AuditWriter) -> None:
        self._transaction = transaction
        self._examiner = examiner
        self._audit = audit
        self.rows: list[OutboxRow] = []
        """What is to be handed to Kafka, in order."""
        self.outcomes: list[tuple[TopicName, str]] = []
        """What became of each record, by its topic."""
        self.admitted: list[Event] = []
        """What was admitted now, for the first time."""
        self.refused: list[QuarantineItem] = []
        """What went to quarantine now, for the first time."""

    async def settle(self, part: Sequence[_Examined]) -> None:
        """Decide about records, those of each partition in order."""
        before = await self._transaction.refused(_stretches(part))
        left = []
        for each in part:
            reason = before.get(Place.of(each.record)) if before else None
            if reason is None:
                left.append(each)
            else:
                self._refuse_again(each.record, reason)
        again = await self._decide(left, {}, queued=True)
        if again:
            await self._hand_over_released(again)

    async def refuse(self, items: Sequence[QuarantineItem]) -> None:
        """Quarantine records, and let go what waited only for their turn."""
        await self._transaction.quarantine(items)
        await self._transaction.audit([quarantined_entry(item) for item in items])
        for item in items:
            self.rows += quarantine_rows(self._audit, item)
            self.outcomes.append((item.record.topic, f"quarantined_{item.reason}"))
        self.refused += items

    async def release(self, roots: Mapping[UUID, UUID]) -> None:
        """
        Decide about what waits for these events.

        Args:
            roots: each with the event whose record hands over what it releases.
        """
        released = await self._transaction.release(roots)
        if released:
            part = [await self._examiner.examine(parked.record) for parked, _ in released]
            await self._decide(part, {parked.event_id: root for parked, root in released}, queued=False)

    async def _decide(self, part: Sequence[_Examined], roots: Mapping[UUID, UUID], *, queued: bool) -> list[UUID]:
        """
        Decide about records that were not refused before.

        Args:
            part: the records, in order.
            roots: for released ones, the event whose record hands them over.
            queued: they come behind those of their key that wait; released ones have done so.

        Returns:
            The events that had been admitted from these very records before.
        """
        part = await self._stand_by(part)
        accepted = [each for each in part if isinstance(each, Accepted)]
        found = await sort(self._transaction, accepted, queued=queued)
        admissions = [_admission(each, found.recipients, roots) for each in found.free.values()]
        kept = await self._transaction.admit(admissions) if admissions else {}
        parked = await self._transaction.park(list(found.parked.values())) if found.parked else {}
        new: list[Accepted] = []
        again: list[UUID] = []
        refused = [each for each in part if isinstance(each, Refused)]
        entries: list[AuditEntry] = []
        for each in accepted:
            held = kept.get(each.event.id)
            if each.fingerprint != (held.fingerprint if held else parked[each.event.id]):
                refused.append(Refused(each.record, _conflict(each), each))
            elif held is None:
                self.outcomes.append((each.record.topic, "parked"))
            elif held.place != Place.of(each.record):
                # The record that was admitted hands its copies over, for it cannot be acknowledged before.
                self.outcomes.append((each.record.topic, "repeated"))
            else:
                entry = self._hand_over(each, held)
                if held.new:
                    new.append(each)
                    self.admitted.append(each.event)
                    entries.append(entry)
                else:
                    again.append(each.event.id)
        if new:
            await self._transaction.grant_keys([grant for each in new for grant in key_grants(each)])
            await self._transaction.audit(entries)
        if refused:
            await self.refuse([quarantine_item(each.record, each.error) for each in refused])
        # What a refused event was waited for goes on, too: it will never be admitted.
        done = [each.event.id for each in new]
        done += [each.readable.event.id for each in refused if each.readable and each.readable.event.id in roots]
        if done:
            await self.release({each: roots.get(each, each) for each in done})
        return again

    async def _stand_by(self, part: Sequence[_Examined]) -> Sequence[_Examined]:
        """Take for accepted what would be refused today and was admitted before, from the same record."""
        readable = {
            each.readable.event.id: each.readable for each in part if isinstance(each, Refused) and each.readable
        }
        if not readable:
            return part
        kept = await self._transaction.known(list(readable))
        stands = {
            event_id
            for event_id, each in readable.items()
            if event_id in kept and kept[event_id].place == Place.of(each.record)
        }
        return [
            each.readable if isinstance(each, Refused) and each.readable and each.event_id in stands else each
            for each in part
        ]

    def _hand_over(self, accepted: Accepted, held: Kept) -> AuditEntry:
        entry = admitted_entry(accepted, held)
        self.rows += copies(accepted, held)
        self.rows.append(self._audit.row(entry))
        self.outcomes.append((accepted.record.topic, "admitted" if held.new else "repeated"))
        return entry

    def _refuse_again(self, record: Record, reason: str) -> None:
        item = quarantine_item(record, PermanentError("It was refused before.", code=reason))
        self.rows += quarantine_rows(self._audit, item)
        self.outcomes.append((record.topic, "repeated"))

    async def _hand_over_released(self, event_ids: Sequence[UUID]) -> None:
        """Hand over again what these events once released."""
        released = [parked for parked, _ in await self._transaction.released_by(event_ids)]
        kept = await self._transaction.known([each.event_id for each in released]) if released else {}
        for each in released:
            place, held = Place.of(each.record), kept.get(each.event_id)
            examined = await self._examiner.examine(each.record)
            accepted = examined if isinstance(examined, Accepted) else examined.readable
            if held is not None and accepted is not None and held.place == place:
                self._hand_over(accepted, held)
                continue
            before = await self._transaction.refused(_stretches([each]))
            if place in before:
                self._refuse_again(each.record, before[place])


def _stretches(part: Sequence[_Examined | Parked]) -> list[Stretch]:
    """Say which stretches of which partitions records are."""
    offsets: dict[tuple[TopicName, int], list[int]] = {}
    for each in part:
        offsets.setdefault((each.record.topic, each.record.partition), []).append(each.record.offset)
    return [Stretch(topic, number, min(found), max(found)) for (topic, number), found in offsets.items()]


def _admission(
    accepted: Accepted, recipients: Mapping[UUID, frozenset[AgencyCode]], roots: Mapping[UUID, UUID]
) -> Admission:
    event = accepted.event
    sent_the_cause = recipients.get(event.cause, frozenset()) if event.cause else frozenset()
    return Admission(
        event=event,
        record=accepted.record,
        fingerprint=accepted.fingerprint,
        deliveries=accepted.deliveries,
        after=frozenset(
            each.agency
            for each in accepted.deliveries
            if each.agency in sent_the_cause and "ce_after" not in withheld(event, each.removed)
        ),
        answers=accepted.spec.answers is not None and event.cause is not None,
        status=event.data.get("status"),
        at=accepted.at,
        released_by=roots.get(event.id),
    )


def _conflict(accepted: Accepted) -> ForbiddenError:
    return ForbiddenError(f"Event {accepted.event.id} is known with another value.", code="conflicting_duplicate")
