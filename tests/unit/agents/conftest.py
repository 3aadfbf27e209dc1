"""Builders of invoices, events and contexts for the agents' tests."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any
from uuid import UUID, uuid5

import pytest

from streams.agent import Context
from streams.event import Event
from streams.names import EVENT_NAMESPACE, AgencyCode, EventType
from streams.sealing import Personal, reveal_personal
from streams.subject import SubjectRef, pseudonym

SELLER_CODE = "9900000056"
NOON = datetime(2026, 11, 20, 5, tzinfo=UTC)


@pytest.fixture
def line() -> Callable[..., dict[str, Any]]:
    """Make a line of two pieces at 50,000 dong."""

    def make(**changes: Any) -> dict[str, Any]:
        return {
            "kind": 1,
            "quantity": Decimal(2),
            "unit_price": Decimal(50_000),
            "discount_rate": None,
            "discount_amount": None,
            "amount": Decimal(100_000),
            "tax_rate": "10%",
            **changes,
        }

    return make


@pytest.fixture
def invoice(line: Callable[..., dict[str, Any]]) -> Callable[..., dict[str, Any]]:
    """Make the fields of a clean `einvoice.received`: 100,000 dong and 10 %; changes replace fields."""
    seller = pseudonym("seller", "vn-mst", SELLER_CODE)
    buyer = pseudonym("buyer", "vn-mst", "0100233488")

    def make(**changes: Any) -> dict[str, Any]:
        return {
            "seller": seller.as_data(),
            "invoice": {
                "seller": seller.as_data(),
                "form": "1",
                "series": "C26TVD",
                "number": "7",
                "issued_on": date(2026, 11, 20),
            },
            "document": {"sha256": "ab" * 32, "media_type": "application/xml", "size_bytes": 9},
            "title": "Hóa đơn giá trị gia tăng",
            "seller_tax_code": Personal(seller, "0100233488-001"),
            "seller_name": Personal(seller, "Công ty Ví Dụ"),
            "seller_account": Personal(seller, "900000000001"),
            "seller_bank": "Ngân hàng TMCP Ví Dụ",
            "buyer_tax_code": Personal(buyer, "0100233488"),
            "currency": "VND",
            "exchange_rate": Decimal(1),
            "lines": [line()],
            "tax_rates": [{"rate": "10%", "net_amount": Decimal(100_000), "tax_amount": Decimal(10_000)}],
            "net_amount": Decimal(100_000),
            "tax_amount": Decimal(10_000),
            "discount_amount": Decimal(0),
            "total_amount": Decimal(110_000),
            "total_in_words": "Một trăm mười nghìn đồng",
            "sent_at": NOON,
            "received_at": NOON,
            "parcels": [],
            **changes,
        }

    return make


@pytest.fixture
def event() -> Callable[..., Event]:
    """Make an event; its id follows from its `tag`."""

    def make(event_type: str, data: Mapping[str, Any], *, tag: str = "1", **envelope: Any) -> Event:
        return Event(
            id=uuid5(EVENT_NAMESPACE, f"test|{tag}"),
            type=EventType(event_type),
            source=AgencyCode("tax-hanam"),
            subject=SubjectRef(kind="seller", scheme="vn-mst", value="x"),
            time=envelope.pop("time", NOON),
            data=data,
            correlation=UUID(int=1),
            **envelope,
        )

    return make


@pytest.fixture
def context() -> Callable[..., Context]:
    """Make a context of noon with a state."""

    def make(state: Mapping[str, Any] | None = None) -> Context:
        return Context(agency=AgencyCode("test-agency"), now=NOON, state=state or {}, reveal=reveal_personal)

    return make
