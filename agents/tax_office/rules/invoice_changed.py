"""
One invoice key that comes back with another amount or date.

The one rule that remembers: its state, one for each invoice key, holds what was seen first and which other versions
were already reported. A correction is a new invoice with a key of its own, so this is never one.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from agents.tax_office.amounts import amount_text, currency_of
from agents.tax_office.finding import Finding, RuleCard
from streams.agent import State
from streams.event import Data
from streams.subject import SubjectRef

__all__ = ["CARD", "MAX_REPORTED", "NO_NUMBER", "compare", "invoice_key"]

CARD = RuleCard(
    id="invoice_changed",
    version="1",
    severity="high",
    description_vi=(
        "Cùng khóa hóa đơn (người bán, mẫu số, ký hiệu, số) quay lại với số tiền hoặc ngày khác; dung sai 0."
    ),
    description_en=(
        "The same invoice key (seller, form, series, number) came back with another amount or date; tolerance 0."
    ),
)

NO_NUMBER = "no-number"
"""Ends the key of an invoice that has no number yet: such invoices cannot be told apart and are not compared."""

MAX_REPORTED = 16
"""At most so many other versions of one invoice are remembered; the first is always kept, so state stays bounded."""

COMPARED = {
    "issued_on": ("ngày lập", "date"),
    "net_amount": ("tiền chưa thuế", "net amount"),
    "tax_amount": ("tiền thuế", "tax"),
    "total_amount": ("tổng thanh toán", "total"),
    "currency": ("loại tiền", "currency"),
}
"""What must stay the same, with its name in both languages. A value absent on one side is no difference."""

_SERIES_LENGTH = 6


def invoice_key(invoice: Data) -> str:
    """
    Name the invoice: seller, form, series and number, so that the ways of writing them do not matter.

    The number loses leading zeros; a series of seven characters that begins with the form's digit loses it.
    """
    ref: Mapping[str, Any] = invoice.get("invoice") or {}
    seller = SubjectRef.from_data(invoice["seller"]).key
    form, series, number = (str(ref.get(name) or "").strip().upper() for name in ("form", "series", "number"))
    if len(series) == _SERIES_LENGTH + 1 and series[0].isdigit() and form in {"", series[0]}:
        form, series = series[0], series[1:]
    return f"{seller}|{form}|{series}|{number.lstrip('0') or number or NO_NUMBER}"


def compare(invoice: Data, state: State) -> tuple[Finding | None, State | None]:
    """
    Compare an invoice with what was seen first under its key.

    Args:
        invoice: fields of `einvoice.received`.
        state: what this function gave last time under the same key; empty at first.

    Returns:
        The finding, if this version differs and was not reported yet, and the new state; None leaves it as it is.
    """
    if invoice_key(invoice).endswith(f"|{NO_NUMBER}"):
        return None, None
    seen = _seen(invoice)
    if not state:
        return None, {"first": seen, "reported": []}
    first, reported = state["first"], list(state["reported"])
    different = [name for name in COMPARED if first[name] and seen[name] and first[name] != seen[name]]
    version = "|".join(seen.values())
    if not different or version in reported:
        return None, None
    return _finding(first, seen, different), {"first": first, "reported": [*reported, version][-MAX_REPORTED:]}


def _seen(invoice: Data) -> dict[str, str]:
    issued_on = (invoice.get("invoice") or {}).get("issued_on")
    amounts = {name: amount_text(invoice.get(name)) for name in ("net_amount", "tax_amount", "total_amount")}
    return {"issued_on": issued_on.isoformat() if issued_on else "", **amounts, "currency": currency_of(invoice)}


def _finding(first: Mapping[str, str], seen: Mapping[str, str], different: list[str]) -> Finding:
    vi = "; ".join(f"{COMPARED[name][0]} {first[name]} → {seen[name]}" for name in different)
    en = "; ".join(f"{COMPARED[name][1]} {first[name]} → {seen[name]}" for name in different)
    inputs = {f"first_{name}": first[name] for name in different} | {name: seen[name] for name in different}
    return CARD.finding(
        f"Hóa đơn này đã được gửi trước đó với nội dung khác: {vi}.",
        f"This invoice was sent before with other content: {en}.",
        inputs=inputs,
    )
