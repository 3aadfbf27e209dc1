"""The audit log's entries as records of its topic."""

from __future__ import annotations

from uuid import uuid5

from streams.bus_store import AuditEntry
from streams.codec import Codec
from streams.headers import CONTENT_TYPE, Headers, time_text
from streams.names import AUDIT_TOPIC, BUS, EVENT_NAMESPACE, EventType
from streams.store import OutboxRow

__all__ = ["audit_row"]

_TYPE = EventType("audit.recorded")
_TYPE_NAME = _TYPE.encode()
_CONTENT_TYPE = CONTENT_TYPE.encode()
_SOURCE = f"//lienthong/agency/{BUS}".encode()


def audit_row(codec: Codec, entry: AuditEntry) -> OutboxRow:
    """Make the record of an audit entry; its id tells one entry from another, so a repeat is the same."""
    name = f"audit|{entry.action}|{entry.event_id}|{entry.agency}|{entry.officer}|{entry.reason_code}"
    entry_id = uuid5(EVENT_NAMESPACE, name)
    subject = f"event:{entry.event_id or entry_id}".encode()
    shared = [{"agency": each.agency, "removed": each.removed, "legal_article": each.article} for each in entry.shared]
    data = {
        "action": entry.action,
        "recorded_at": entry.at,
        "event_id": entry.event_id,
        "event_type": entry.event_type,
        "agency": entry.agency,
        "officer": entry.officer,
        "recipients": shared or None,
        "reason_code": entry.reason_code,
        "details": entry.details,
    }
    return OutboxRow(
        row_id=entry_id,
        topic=AUDIT_TOPIC,
        key=subject,
        value=codec.encode(_TYPE, data),
        headers=_headers(str(entry_id).encode(), time_text(entry.at).encode(), subject),
    )


def _headers(entry_id: bytes, at: bytes, subject: bytes) -> Headers:
    """
    Write the envelope of an entry.

    By hand, for there is one for every event and nearly all of it is always the same; a test compares it with
    `event_headers`.
    """
    return [
        ("content-type", _CONTENT_TYPE),
        ("ce_specversion", b"1.0"),
        ("ce_id", entry_id),
        ("ce_source", _SOURCE),
        ("ce_type", _TYPE_NAME),
        ("ce_time", at),
        ("ce_subject", subject),
        ("ce_subjectscheme", b"uuid"),
        ("ce_correlationid", entry_id),
        ("ce_depth", b"0"),
    ]
