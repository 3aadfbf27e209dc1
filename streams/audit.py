"""The audit log's entries as records of its topic."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property

from streams.bus_store import AuditEntry
from streams.codec import Codec
from streams.headers import CONTENT_TYPE, Headers, time_text
from streams.names import AUDIT_TOPIC, BUS, EventType
from streams.redaction import Pieces, Redactor
from streams.store import OutboxRow
from streams.uuids import event_uuid, uuid_text

__all__ = ["AuditWriter", "audit_row"]

_Alike = tuple[object, ...]

_TYPE = EventType("audit.recorded")
_MAX_ENCODED = 1_000
_TYPE_NAME = _TYPE.encode()
_CONTENT_TYPE = CONTENT_TYPE.encode()
_SOURCE = f"//lienthong/agency/{BUS}".encode()


@dataclass(frozen=True)
class AuditWriter:
    """
    Makes records of audit entries.

    Args:
        codec: with the registry's ids.
    """

    codec: Codec
    _encoded: dict[_Alike, Pieces] = field(default_factory=dict, repr=False)

    @cached_property
    def _redactor(self) -> Redactor:
        return Redactor(self.codec)

    def row(self, entry: AuditEntry) -> OutboxRow:
        """Make the record of an entry; its id tells one entry from another, so a repeat is the same."""
        about = uuid_text(entry.event_id) if entry.event_id else None
        name = f"audit|{entry.action}|{about}|{entry.agency}|{entry.officer}|{entry.reason_code}"
        entry_id = event_uuid(name)
        subject = f"event:{uuid_text(entry.event_id or entry_id)}".encode()
        return OutboxRow(
            row_id=entry_id,
            topic=AUDIT_TOPIC,
            key=subject,
            value=self._value(entry),
            headers=_headers(uuid_text(entry_id).encode(), time_text(entry.at).encode(), subject),
        )

    def _value(self, entry: AuditEntry) -> bytes:
        """Encode an entry; of entries that differ in event and time alone, only these two are encoded anew."""
        if entry.event_id is None or entry.details is not None:
            return self.codec.encode(_TYPE, _data(entry))
        shared = tuple([(each.agency, each.removed, each.article) for each in entry.shared])
        alike = entry.action, entry.event_type, entry.agency, entry.officer, entry.reason_code, shared
        pieces = self._encoded.get(alike)
        if pieces is None:
            if len(self._encoded) >= _MAX_ENCODED:
                self._encoded.clear()
            pieces = self._encoded[alike] = self._redactor.encode(_TYPE, _data(entry))
        own = self._redactor.encode_fields(_TYPE, {"recorded_at": entry.at, "event_id": entry.event_id})
        return pieces.replaced(own)


def audit_row(codec: Codec, entry: AuditEntry) -> OutboxRow:
    """Make the record of one entry; who makes many keeps an `AuditWriter`."""
    return AuditWriter(codec).row(entry)


def _data(entry: AuditEntry) -> dict[str, object]:
    shared = [{"agency": each.agency, "removed": each.removed, "legal_article": each.article} for each in entry.shared]
    return {
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
