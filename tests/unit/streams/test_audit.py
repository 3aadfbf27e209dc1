"""The audit log's entries as records."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

from paper_province import BANK, POLICE, named_id

from streams.audit import audit_row
from streams.bus_store import AuditEntry
from streams.codec import Codec
from streams.headers import event_headers, parse_event
from streams.names import AUDIT_TOPIC, BUS, EventType
from streams.policy import Delivery

NOON = datetime(2026, 11, 20, 5, tzinfo=UTC)


def test_an_audit_entry_becomes_a_record_of_its_topic(codec: Codec) -> None:
    """A repeat is the same record; another action, agency or reason is another one."""
    shared = Delivery(BANK, ("a", "b"), "p", "act/1", None, None)
    entry = AuditEntry(action="admitted", at=NOON, event_id=named_id("e"), agency=POLICE, shared=[shared])
    row = audit_row(codec, entry)
    event = parse_event(row.headers, codec.decode(row.value, expected=EventType("audit.recorded")))

    assert (AUDIT_TOPIC, BUS, f"event:{named_id('e')}") == (row.topic, event.source, event.subject.key)
    assert (event.data["action"], event.data["recorded_at"]) == ("admitted", NOON)
    assert event.data["recipients"] == [{"agency": BANK, "removed": ["a", "b"], "legal_article": "act/1"}]
    assert row == audit_row(codec, entry)
    assert event_headers(event) == row.headers
    assert event.subject.key.encode() == row.key
    others = [replace(entry, agency=BUS), replace(entry, reason_code="x"), replace(entry, event_id=None)]
    assert len({audit_row(codec, each).row_id for each in [entry, *others]}) == 4
