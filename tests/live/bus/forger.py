"""What somebody with a plain Kafka client can write: right events, and every kind of wrong one."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any
from uuid import UUID, uuid4

from streams.catalogue import load_catalogue
from streams.codec import Codec
from streams.event import Event
from streams.headers import event_headers
from streams.names import AgencyCode, EventType
from streams.registry import ConfluentRegistry, RegistryAddress, preload_ids
from streams.subject import SubjectRef, pseudonym

__all__ = ["Forged", "Forger", "changed", "invoice", "payment_block"]


@dataclass(frozen=True)
class Forged:
    """A record that is yet to be written."""

    event: Event
    value: bytes
    headers: list[tuple[str, bytes]]


class Forger:
    """
    Makes records with the ids of a registry.

    Args:
        address: of the registry.
    """

    def __init__(self, address: RegistryAddress) -> None:
        with ConfluentRegistry(address) as registry:
            catalogue = load_catalogue()
            self.codec = Codec(catalogue=catalogue, ids=preload_ids(registry, catalogue))

    def make(
        self,
        event_type: str,
        subject: SubjectRef,
        data: Mapping[str, Any],
        *,
        source: str,
        event_id: UUID | None = None,
    ) -> Forged:
        """Make a record as its sender would, unsigned."""
        chosen = event_id or uuid4()
        event = Event(
            id=chosen,
            type=EventType(event_type),
            source=AgencyCode(source),
            subject=subject,
            time=datetime.now(UTC),
            data=data,
            correlation=chosen,
        )
        return Forged(event, self.codec.encode(event.type, data), event_headers(event))

    def invoice(self, number: str, *, source: str = "tax-hanam", event_id: UUID | None = None) -> Forged:
        """Make an `einvoice.received` with nothing in it but its key; no rule says anything about it."""
        subject, data = invoice(number)
        return self.make("einvoice.received", subject, data, source=source, event_id=event_id)


def invoice(number: str) -> tuple[SubjectRef, dict[str, Any]]:
    """Give the seller and the fields of a bare invoice."""
    seller = pseudonym("seller", "vn-mst", f"forged {number}")
    ref = {"seller": seller.as_data(), "form": "1", "series": "C26TXX", "number": number, "issued_on": None}
    return seller, {"seller": seller.as_data(), "invoice": ref}


def changed(forged: Forged, **texts: str | None) -> Forged:
    """Change headers: a text in place of another, or None to leave one out; names without `ce_`."""
    headers = [(name, value) for name, value in forged.headers if name.removeprefix("ce_") not in texts]
    headers += [(f"ce_{name}", text.encode()) for name, text in texts.items() if text is not None]
    return replace(forged, headers=headers)


def payment_block(forger: Forger, *, source: str = "police-hanam", sealed: bool = False) -> Forged:
    """Make a payment-block order that nobody signed; with an account under a key that nobody has, where asked for."""
    target = pseudonym("account", "vn-account", uuid4().hex)
    now = datetime.now(UTC)
    data = {
        "target": target.as_data(),
        "authority": source,
        "decision_number": "1/QD",
        "decision_date": now.date(),
        "legal_act": "nd-52-2024",
        "legal_article": "11.1",
        "decision": {"sha256": "0" * 64, "media_type": "application/pdf", "size_bytes": 1},
        "bank_bin": "970999",
        "account": {"key_id": "nobodys", "nonce": bytes(12), "ciphertext": bytes(20)} if sealed else None,
        "extent": "full",
        "valid_from": now,
    }
    return forger.make("payment_block.requested", target, data, source=source)
