"""What admission hands to Kafka: inbox copies, audit records, quarantined records. All are made again for a repeat."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache

from streams.audit import AuditWriter
from streams.bus_store import AuditEntry, Kept, KeptCopy, KeyGrant
from streams.examination import Accepted
from streams.headers import Headers, sender_headers, time_text
from streams.names import BUS, inbox_topic, quarantine_topic
from streams.policy import withheld
from streams.record import QuarantineItem
from streams.references import key_ids_in
from streams.store import OutboxRow
from streams.uuids import uuid_text

__all__ = ["admitted_entry", "copies", "key_grants", "quarantine_rows", "quarantined_entry"]


def copies(accepted: Accepted, kept: Kept) -> list[OutboxRow]:
    """Make each recipient's copy as the ledger has it, also for a repeat, whatever the directory says by then."""
    event, record = accepted.event, accepted.record
    # Whatever the sender wrote in the bus's own headers is left out here, once for all.
    own = sender_headers(event)
    recorded = ("ce_recordedtime", time_text(kept.at).encode())
    rows = []
    for copy in kept.copies:
        delivery = copy.delivery
        gone = withheld(event, delivery.removed)
        headers = [header for header in own if header[0] not in gone] if gone else own
        rows.append(
            OutboxRow(
                row_id=event.id,
                topic=inbox_topic(delivery.agency),
                key=record.key,
                # Never the record's own bytes: another version of the schema may have fields that no entry grants.
                value=accepted.pieces.without(delivery.removed) if delivery.removed else accepted.pieces.whole,
                headers=headers + _bus_headers(accepted, copy, recorded),
            )
        )
    return rows


def _bus_headers(accepted: Accepted, copy: KeptCopy, recorded: tuple[str, bytes]) -> list[tuple[str, bytes]]:
    delivery, cause = copy.delivery, accepted.event.cause
    found = [*_granted_headers(delivery.purpose, delivery.article, delivery.removed)]
    if delivery.answer_due:
        found.append(("ce_answerdue", time_text(delivery.answer_due).encode()))
    found += (recorded, ("ce_sequence", b"%d" % copy.sequence))
    if copy.after and cause:
        found.append(("ce_after", uuid_text(cause).encode()))
    return found


# As many as the directory has entries, times the fields that events leave empty.
@lru_cache(1024)
def _granted_headers(purpose: str, article: str, removed: tuple[str, ...]) -> Headers:
    found = [("ce_purpose", purpose.encode()), ("ce_legalarticle", article.encode())]
    if removed:
        found.append(("ce_removed", ",".join(removed).encode()))
    return found


def key_grants(accepted: Accepted) -> list[KeyGrant]:
    """Name the keys under which something is sealed that a recipient's copy still has."""
    data = accepted.event.data
    sealed = {name: key_ids_in({name: data[name]}) for name in accepted.spec.sealed if data.get(name) is not None}
    return [
        KeyGrant(key_id, delivery.agency, accepted.event.source)
        for delivery in accepted.deliveries
        for name, key_ids in sealed.items()
        if name not in delivery.removed
        for key_id in key_ids
    ]


def admitted_entry(accepted: Accepted, kept: Kept) -> AuditEntry:
    """Make the audit entry of an admission; it names everybody who is sent a copy."""
    event = accepted.event
    return AuditEntry(
        action="admitted",
        at=kept.at,
        event_id=event.id,
        event_type=event.type,
        agency=event.source,
        officer=event.officer,
        shared=[copy.delivery for copy in kept.copies],
    )


def quarantined_entry(item: QuarantineItem) -> AuditEntry:
    """Make the audit entry of a refusal."""
    return AuditEntry(action="quarantined", at=item.record.time, event_id=item.id, agency=BUS, reason_code=item.reason)


def quarantine_rows(audit: AuditWriter, item: QuarantineItem) -> Sequence[OutboxRow]:
    """Make the record of the quarantine topic and that of the audit log."""
    record = item.record
    row = OutboxRow(
        row_id=item.id, topic=quarantine_topic(BUS), key=record.key, value=record.value, headers=item.headers
    )
    return [row, audit.row(quarantined_entry(item))]
