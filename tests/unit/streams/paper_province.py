"""What the tests of the pipelines publish: drafts, officers with keys, records as Kafka gives them."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any
from uuid import UUID, uuid5

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from streams.directory import Agency, Directory, Officer
from streams.event import Draft
from streams.names import EVENT_NAMESPACE, AgencyCode, EventType
from streams.record import Record
from streams.sealing import Personal
from streams.signing import OfficerKey
from streams.store import OutboxRow
from streams.subject import pseudonym

TAX, SURVEILLANCE, POLICE = AgencyCode("tax-hanam"), AgencyCode("qltt-hanam"), AgencyCode("police-hanam")
BANK, POST, COMMITTEE = AgencyCode("sbv-hanam"), AgencyCode("post-hanam"), AgencyCode("bcd389-hanam")
INFORMATION = AgencyCode("stttt-hanam")
SELLER = pseudonym("seller", "vn-mst", "9900000056")
ACCOUNT = pseudonym("account", "vn-account", "970436 900000000001")
PARCEL = pseudonym("parcel", "postal-number", "EE123456785VN")
SUSPECTED, FLAGGED = EventType("seller.suspected"), EventType("shipment.flagged")
REQUESTED, ANSWERED = EventType("payment_block.requested"), EventType("payment_block.answered")
DECISION = {"sha256": "ab" * 32, "media_type": "application/pdf", "size_bytes": 9}
NOON_MS = int(datetime(2026, 11, 20, 5, tzinfo=UTC).timestamp() * 1000)
BEGINS = datetime(2026, 11, 21, tzinfo=UTC)


def named_id(name: str) -> UUID:
    """Make an id that a test can name."""
    return uuid5(EVENT_NAMESPACE, f"unit|{name}")


def suspicion(name: str = "suspicion", **changes: Any) -> Draft:
    """Make what market surveillance says about a seller."""
    data = {
        "seller": SELLER.as_data(),
        "score": 22,
        "threshold": 15,
        "reasons": [],
        "evidence": [],
        "first_seen_at": BEGINS,
        "seller_tax_code": Personal(SELLER, "9900000056"),
        "seller_name": Personal(SELLER, "Công ty Ví Dụ"),
        "seller_account": Personal(SELLER, "900000000001"),
        "seller_bank": "Ngân hàng Ví Dụ",
        "parcels": [{"parcel": PARCEL.as_data(), "number": Personal(PARCEL, "EE123456785VN"), "carrier": None}],
        **changes,
    }
    return Draft(type=SUSPECTED, subject=SELLER, data=data, event_id=named_id(name))


def block(name: str = "block", **changes: Any) -> Draft:
    """Make a payment-block order."""
    data = {
        "target": ACCOUNT.as_data(),
        "seller": SELLER.as_data(),
        "authority": POLICE,
        "signer": "police-hanam/investigator",
        "decision_number": "15/QĐ-CSĐT",
        "decision_date": date(2026, 11, 20),
        "legal_act": "nd-52-2024",
        "legal_article": "11.1.b",
        "decision": DECISION,
        "bank_bin": "970436",
        "account": Personal(ACCOUNT, "900000000001"),
        "customer": None,
        "extent": "amount",
        "amount_vnd": Decimal(15_000_000),
        "valid_from": BEGINS,
        "valid_to": None,
        "reason": "điều tra",
        "suspicion": None,
        **changes,
    }
    return Draft(type=REQUESTED, subject=ACCOUNT, data=data, event_id=named_id(name))


def answer(request: UUID, status: str = "executed", **changes: Any) -> Draft:
    """Make the bank's answer to an order."""
    data = {
        "target": ACCOUNT.as_data(),
        "request_id": request,
        "status": status,
        "reason": None,
        "blocked_vnd": Decimal(15_000_000),
        "answered_by": "sbv-hanam/payment-desk",
        "bank_bin": "970436",
        **changes,
    }
    return Draft(type=ANSWERED, subject=ACCOUNT, data=data, event_id=named_id(f"answer {status}"))


def officer_key(name: str, *, seed: str = "") -> OfficerKey:
    """Make an officer's key; it follows from the name."""
    secret = hashlib.sha256(f"{name}{seed}".encode()).digest()
    return OfficerKey(name=name, private=Ed25519PrivateKey.from_private_bytes(secret))  # type: ignore[arg-type] # a name is a str


def with_officer(directory: Directory, name: str, **changes: Any) -> Directory:
    """Enter an officer with a key in a directory."""
    entry = {
        "name": name,
        "role": "officer",
        "valid_from": date(2026, 1, 1),
        "public_key": officer_key(name).private.public_key().public_bytes_raw(),
        **changes,
    }
    code = AgencyCode(name.split("/", maxsplit=1)[0])
    agency = directory.agencies[code]
    return with_agency(directory, agency.model_copy(update={"officers": (*agency.officers, Officer(**entry))}))


def with_agency(directory: Directory, agency: Agency) -> Directory:
    """Put an agency's entry in place of its old one."""
    return Directory(agencies={**directory.agencies, agency.code: agency})


def as_record(row: OutboxRow, *, offset: int = 0, **changes: Any) -> Record:
    """Give an outbox row as Kafka gives it back."""
    fields: Mapping[str, Any] = {
        "topic": row.topic,
        "partition": 0,
        "offset": offset,
        "key": row.key,
        "value": row.value,
        "headers": list(row.headers),
        "timestamp_ms": NOON_MS + offset,
        **changes,
    }
    return Record(**fields)


def with_header(row: OutboxRow, name: str, value: bytes | None) -> list[tuple[str, bytes]]:
    """Give a row's headers with one replaced, or left out for None."""
    kept = [(known, each) for known, each in row.headers if known != name]
    return kept if value is None else [*kept, (name, value)]
