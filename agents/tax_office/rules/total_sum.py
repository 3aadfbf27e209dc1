"""
The total against net amount, tax and discount.

The net amount may be stated before or after the invoice's discount (TTCKTMai): either reading that fits is enough.
Without a stated tax the rates' taxes serve; without these a higher total is explained by the tax that is not stated.
Fees (DSLPhi) are not among an event's fields, so a total that is too high may be innocent and weighs less.
"""

from __future__ import annotations

from decimal import Decimal

from agents.tax_office.amounts import agree, amount_text, currency_of, rows, sum_tolerance
from agents.tax_office.finding import Finding, RuleCard, Severity
from streams.event import Data
from streams.sealing import Reveal

__all__ = ["CARD", "check"]

CARD = RuleCard(
    id="total_sum",
    version="1",
    severity="medium",
    description_vi=(
        "Tổng thanh toán khác tiền chưa thuế cộng thuế (trừ chiết khấu) quá hai đơn vị tiền nhỏ nhất; "
        "mức thấp khi tổng cao hơn, vì có thể có phí, lệ phí."
    ),
    description_en=(
        "The total differs from net plus tax (less discount) by more than two smallest units of the currency; "
        "low when the total is higher, for fees may explain it."
    ),
)

SEVERITY_HIGHER: Severity = "low"
"""When the total is higher than net and tax: fees may explain it."""

ADDENDS = 2
"""Net and tax are each rounded: the tolerance is two smallest units."""


def check(invoice: Data, reveal: Reveal) -> Finding | None:  # noqa: ARG001 -- one signature for all rules
    """Report a total that neither reading explains; silent when the net amount or the total is absent."""
    net, total = invoice.get("net_amount"), invoice.get("total_amount")
    if net is None or total is None:
        return None
    stated, discount = _stated_tax(invoice), abs(invoice.get("discount_amount") or Decimal(0))
    currency, tax = currency_of(invoice), stated or Decimal(0)
    tolerance = sum_tolerance(currency, ADDENDS)
    expected = net + tax
    if agree(expected, total, tolerance) or agree(expected - discount, total, tolerance):
        return None
    if stated is None and total > expected:
        return None
    nearest = min((expected, expected - discount), key=lambda each: abs(each - total))
    return CARD.finding(
        f"Tiền hàng cộng thuế trừ chiết khấu là {amount_text(nearest)}, tổng thanh toán ghi "
        f"{amount_text(total)} {currency}.",
        f"Net plus tax less discount is {amount_text(nearest)}, the total says {amount_text(total)} {currency}.",
        inputs={
            "net_amount": amount_text(net),
            "tax_amount": amount_text(tax),
            "discount_amount": amount_text(discount),
            "total_amount": amount_text(total),
            "currency": currency,
            "tolerance": amount_text(tolerance),
        },
        severity=SEVERITY_HIGHER if total > expected else None,
    )


def _stated_tax(invoice: Data) -> Decimal | None:
    """Give the tax amount, else the sum of the rates' taxes where each has one; None when no tax is stated."""
    tax: Decimal | None = invoice.get("tax_amount")
    if tax is not None:
        return tax
    taxes = [each.get("tax_amount") for each in rows(invoice, "tax_rates")]
    known = [each for each in taxes if each is not None]
    return sum(known, Decimal(0)) if known and len(known) == len(taxes) else None
