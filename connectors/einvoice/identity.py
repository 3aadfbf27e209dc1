"""
What makes two invoices one: the natural key, and a digest of what the invoice states.

The same file twice, or the same invoice in two files, is one event; the same key with another amount or day is
another event, which a rule of the tax office finds.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Mapping
from dataclasses import asdict
from datetime import date
from decimal import Decimal
from typing import Any
from uuid import UUID

from connectors.einvoice.invoice import Invoice
from connectors.einvoice.values import plain
from streams.documents import DocumentRef
from streams.event import stated_id
from streams.names import EventType

__all__ = ["EINVOICE_RECEIVED", "facts_of", "invoice_event_id", "natural_key"]

EINVOICE_RECEIVED = EventType("einvoice.received")
"""The event type that this connector makes."""

_SEPARATORS = re.compile(r"[\s.\-_/]+")
_FORM_IN_SERIES = re.compile(r"([1-9])([CK][0-9]{2}[A-Z][A-Z0-9]{2})")


def natural_key(invoice: Invoice) -> tuple[str, str, str, str] | None:
    """
    Give seller's tax code, form, series and number in one spelling, or None when one of them is missing.

    Programs pad the number with zeros or not, and some write the form's digit in front of the series, with the form
    or instead of it.
    """
    parts = (invoice.seller.tax_code, invoice.form, invoice.series, invoice.number)
    seller, form, series, number = (_SEPARATORS.sub("", part or "").upper() for part in parts)
    joined = _FORM_IN_SERIES.fullmatch(series)
    if joined and form in {"", joined[1]}:
        form, series = joined[1], joined[2]
    key = (seller, form, series, number.lstrip("0") or number)
    return key if all(key) else None


def facts_of(invoice: Invoice) -> bytes:
    """
    Write what an invoice states, in one spelling, without how it travelled.

    Absent facts are left out, so that a field read by a later version changes no id of a file that lacks it.
    """
    facts = {
        "seller": invoice.seller.tax_code,
        "buyer": invoice.buyer.tax_code or invoice.buyer.personal_number,
        "key": natural_key(invoice) or (invoice.form, invoice.series, invoice.number),
        "issued_on": invoice.issued_on,
        "currency": invoice.currency,
        "exchange_rate": invoice.exchange_rate,
        "lines": [_present(asdict(line)) for line in invoice.lines],
        "tax_rates": [_present(asdict(rate)) for rate in invoice.tax_rates],
        "net_amount": invoice.net_amount,
        "tax_amount": invoice.tax_amount,
        "discount_amount": invoice.discount_amount,
        "total_amount": invoice.total_amount,
        "total_in_words": invoice.total_in_words,
        "tax_authority_code": invoice.tax_authority_code,
        "parcels": [parcel.number for parcel in invoice.free.parcels] or None,
        "shop": invoice.free.shop,
    }
    return json.dumps(_present(facts), default=_spell, ensure_ascii=False, sort_keys=True).encode()


def invoice_event_id(invoice: Invoice, *, facts: bytes, document: DocumentRef, index: int) -> UUID:
    """
    Make the event id of an invoice.

    Args:
        invoice: what was read.
        facts: of the invoice, by `facts_of`.
        document: the file; names an invoice whose natural key is not complete.
        index: the invoice's place in the file, from 0.
    """
    key = natural_key(invoice)
    if key is None:
        return stated_id(EINVOICE_RECEIVED, "document", document.sha256, str(index))
    return stated_id(EINVOICE_RECEIVED, *key, hashlib.sha256(facts).hexdigest())


def _present(facts: Mapping[str, Any]) -> dict[str, Any]:
    """Leave out what is absent."""
    return {name: value for name, value in facts.items() if value is not None}


def _spell(value: object) -> str:
    """Spell a number or a day for the digest."""
    if isinstance(value, Decimal):
        return plain(value)
    if isinstance(value, date):
        return value.isoformat()
    raise TypeError(type(value).__name__)  # pragma: no cover - a new kind of value in Invoice belongs here
