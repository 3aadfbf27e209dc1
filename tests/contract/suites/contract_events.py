"""Events, records and rows that the suites put into stores; no schema is needed for them."""

from __future__ import annotations

import hashlib
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID, uuid5

from streams.bus_store import Admission
from streams.errors import UndecodableError
from streams.event import Event
from streams.names import EVENT_NAMESPACE, AgencyCode, EventType, TopicName
from streams.policy import Delivery
from streams.record import QuarantineItem, Record, quarantine_item
from streams.store import OutboxRow
from streams.subject import pseudonym

TAX = AgencyCode("tax-hanam")
SURVEILLANCE = AgencyCode("qltt-hanam")
BANK = AgencyCode("sbv-hanam")
NOON = datetime(2026, 11, 20, 5, 0, 0, 123456, tzinfo=UTC)
SELLER = pseudonym("seller", "vn-mst", "0100233488")
ODD_HEADERS = [("ce_type", b"x"), ("trace", b"\x00\xff"), ("trace", b""), ("dữ liệu", "có dấu".encode())]
"""Headers as strangers write them: twice the same name, bytes that are no text, an empty one."""


def named_id(name: str) -> UUID:
    """Make an id that a test can name."""
    return uuid5(EVENT_NAMESPACE, f"contract|{name}")


def event(name: str = "one", **changes: Any) -> Event:
    """Make an event; its id follows from its name."""
    fields: dict[str, Any] = {
        "id": named_id(name),
        "type": EventType("seller.suspected"),
        "source": SURVEILLANCE,
        "subject": SELLER,
        "time": NOON,
        "data": {},
        "correlation": named_id(name),
        **changes,
    }
    return Event(**fields)


def record(offset: int = 0, *, value: bytes | None = b"\x00value") -> Record:
    """Make a record as Kafka gives it."""
    topic = TopicName("lt.inbox.tax-hanam")
    return Record(topic=topic, partition=1, offset=offset, key=b"seller:x", value=value, headers=ODD_HEADERS)


def row(name: str, *, value: bytes | None = b"\x00value") -> OutboxRow:
    """Make an outbox row; its id follows from its name."""
    topic = TopicName("lt.seller.suspected")
    return OutboxRow(row_id=named_id(name), topic=topic, key=name.encode(), value=value, headers=ODD_HEADERS)


def quarantined(offset: int = 0) -> QuarantineItem:
    """Make a record that cannot be processed."""
    return quarantine_item(record(offset, value=None), UndecodableError("Không đọc được.", code="not_framed"))


def delivery(agency: AgencyCode, *, answer: str | None = None) -> Delivery:
    """Make a delivery, with an answer due in a day where one is owed."""
    return Delivery(
        agency=agency,
        removed=("account", "customer"),
        purpose="oversight",
        article="ke-hoach-1679-2023/IV.1",
        answer_type=EventType(answer) if answer else None,
        answer_due=NOON + timedelta(days=1) if answer else None,
    )


def admission(
    made: Event,
    *deliveries: Delivery,
    value: bytes = b"\x00value",
    status: str | None = None,
    after: tuple[AgencyCode, ...] = (),
    offset: int = 0,
) -> Admission:
    """Make what admission decided; an event with a status answers its cause."""
    return Admission(
        event=made,
        record=record(offset, value=value),
        fingerprint=hashlib.sha256(value).digest(),
        deliveries=deliveries,
        after=frozenset(after),
        answers=status is not None,
        status=status,
        at=NOON,
    )
