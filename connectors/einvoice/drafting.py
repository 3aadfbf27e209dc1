"""An invoice becomes a draft of `einvoice.received`: personal values under their subject, the rest in the clear."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from datetime import datetime
from typing import Any

from connectors.einvoice.free_fields import Parcel
from connectors.einvoice.identity import EINVOICE_RECEIVED, facts_of, invoice_event_id
from connectors.einvoice.invoice import Invoice, Party
from connectors.einvoice.message import Message
from streams.documents import DocumentRef
from streams.errors import InputError
from streams.event import Draft
from streams.sealing import Personal
from streams.subject import SubjectRef, pseudonym

__all__ = ["MAX_FACTS_BYTES", "draft_invoice"]

MAX_FACTS_BYTES = 700_000
"""Of one invoice's facts as text; a larger one would not fit into one Kafka record of 1 MiB."""

_PERSONAL_NUMBER_DIGITS = 12


def draft_invoice(
    invoice: Invoice, *, message: Message, document: DocumentRef, index: int, received_at: datetime
) -> Draft:
    """
    Make the event of an invoice.

    Args:
        invoice: what was read.
        message: the envelope that carried it.
        document: the file as it came.
        index: the invoice's place in the file, from 0.
        received_at: aware UTC.

    Raises:
        InputError: the invoice is too large for one event, or cannot be read in one way only.
    """
    if invoice.doubled:
        raise InputError(f"{' and '.join(invoice.doubled)} stand in it more than once: ask the sender for it again")
    facts = facts_of(invoice)
    if len(facts) > MAX_FACTS_BYTES:
        raise InputError(f"it is larger than one event may be ({MAX_FACTS_BYTES} bytes): ask for it in parts")
    unnamed = f"{document.sha256}:{index}"
    seller = _seller(invoice.seller, unnamed)
    return Draft(
        type=EINVOICE_RECEIVED,
        subject=seller,
        data={
            "seller": seller.as_data(),
            "invoice": _reference(invoice, seller),
            "document": document.as_data(),
            "message_kind": message.kind,
            "message_id": _personal(seller, message.message_id),
            "refers_to": _personal(seller, message.refers_to),
            "sent_at": message.sent_at,
            "received_at": received_at,
            **_seller_data(invoice.seller, seller),
            **_buyer_data(invoice.buyer, unnamed),
            **_content(invoice),
            "shop": _personal(seller, invoice.free.shop),
        },
        event_id=invoice_event_id(invoice, facts=facts, document=document, index=index),
    )


def _content(invoice: Invoice) -> Mapping[str, Any]:
    """Give the fields that are nobody's personal ones; parcel numbers are sealed inside."""
    return {
        "format_version": invoice.format_version,
        "title": invoice.title,
        "currency": invoice.currency,
        "exchange_rate": invoice.exchange_rate,
        "payment_method": invoice.payment_method,
        "lines": [asdict(line) for line in invoice.lines],
        "tax_rates": [asdict(rate) for rate in invoice.tax_rates],
        "net_amount": invoice.net_amount,
        "tax_amount": invoice.tax_amount,
        "discount_amount": invoice.discount_amount,
        "total_amount": invoice.total_amount,
        "total_in_words": invoice.total_in_words,
        "tax_authority_code": invoice.tax_authority_code,
        "parcels": [_parcel(parcel) for parcel in invoice.free.parcels],
    }


def _reference(invoice: Invoice, seller: SubjectRef) -> Mapping[str, Any]:
    """Give the Avro record InvoiceRef; what the file does not say is empty, as written otherwise."""
    return {
        "seller": seller.as_data(),
        "form": invoice.form or "",
        "series": invoice.series or "",
        "number": invoice.number or "",
        "issued_on": invoice.issued_on,
    }


def _seller(party: Party, unnamed: str) -> SubjectRef:
    """Give the seller's pseudonym; without a tax code it is one of this invoice only."""
    if party.tax_code is not None:
        return pseudonym("seller", "vn-mst", party.tax_code)
    return pseudonym("seller", "einvoice-document", unnamed)


def _seller_data(party: Party, seller: SubjectRef) -> Mapping[str, Any]:
    """Give the seller's fields."""
    return {
        "seller_tax_code": _personal(seller, party.tax_code),
        "seller_name": _personal(seller, party.name),
        "seller_address": _personal(seller, party.address),
        "seller_phone": _personal(seller, party.phone),
        "seller_account": _personal(seller, party.account),
        "seller_bank": party.bank,
    }


def _buyer_data(party: Party, unnamed: str) -> Mapping[str, Any]:
    """
    Give the buyer's fields.

    A buyer with a name alone gets no pseudonym, for a name joins strangers; the name is then sealed under a subject
    of this invoice only.
    """
    buyer = _buyer(party)
    owner = buyer or pseudonym("buyer", "einvoice-document", unnamed)
    return {
        "buyer": buyer.as_data() if buyer is not None else None,
        "buyer_tax_code": _personal(owner, party.tax_code),
        "buyer_name": _personal(owner, party.name),
    }


def _buyer(party: Party) -> SubjectRef | None:
    """Give the buyer's pseudonym: a person's number makes the same one wherever it stands."""
    number = party.tax_code or party.personal_number
    if number is None:
        return None
    is_person = party.tax_code is None or (number.isdigit() and len(number) == _PERSONAL_NUMBER_DIGITS)
    return pseudonym("buyer", "vn-cccd" if is_person else "vn-mst", number)


def _parcel(parcel: Parcel) -> Mapping[str, Any]:
    """Give the Avro record ParcelRef."""
    subject = pseudonym("parcel", "postal-number", parcel.number)
    return {
        "parcel": subject.as_data(),
        "number": Personal(subject=subject, text=parcel.number),
        "carrier": parcel.carrier,
    }


def _personal(subject: SubjectRef, text: str | None) -> Personal | None:
    """Mark a value as its subject's own."""
    return None if text is None else Personal(subject=subject, text=text)
