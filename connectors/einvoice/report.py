"""One JSON object for each file: what it was, its invoices, what became of it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date
from decimal import Decimal
from typing import Any

from connectors.einvoice.files import EinvoiceFile
from connectors.einvoice.invoice import Invoice
from connectors.einvoice.values import plain

__all__ = ["file_report"]


def file_report(
    file: EinvoiceFile, *, outcome: str | None = None, findings: Sequence[Mapping[str, str]] = ()
) -> dict[str, Any]:
    """
    Make the JSON object of a file: decimals are strings, days ISO 8601, absent is null.

    Args:
        file: what was read.
        outcome: `published` or `duplicate` for a file with drafts; a file without drafts says itself what it is.
        findings: each with rule, severity and message.
    """
    return {
        "file": str(file.path),
        "root": file.root,
        "kind": file.kind,
        "message_id": file.message_id,
        "refers_to": file.refers_to,
        "invoices": [_invoice(invoice) for invoice in file.invoices],
        "outcome": file.outcome or outcome,
        "reason": file.reason,
        "findings": [dict(finding) for finding in findings],
    }


def _invoice(invoice: Invoice) -> dict[str, str | int | None]:
    """Give an invoice's key and totals."""
    return {
        "seller_tax_code": invoice.seller.tax_code,
        "buyer_tax_code": invoice.buyer.tax_code,
        "form": invoice.form,
        "series": invoice.series,
        "number": invoice.number,
        "date": _day(invoice.issued_on),
        "lines": len(invoice.lines),
        "net": _number(invoice.net_amount),
        "tax": _number(invoice.tax_amount),
        "total": _number(invoice.total_amount),
        "tax_authority_code": invoice.tax_authority_code,
    }


def _number(value: Decimal | None) -> str | None:
    """Write a number, or null."""
    return None if value is None else plain(value)


def _day(value: date | None) -> str | None:
    """Write a day, or null."""
    return None if value is None else value.isoformat()
