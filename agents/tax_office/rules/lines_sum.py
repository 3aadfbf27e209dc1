"""
The lines against the net amount, with discount, promotion and note lines understood.

Writers differ on whether a line's amount is before or after the line's own discount, whether promotions are counted,
and whether the net amount is before or after the invoice's discount. Any of these readings that fits is enough.
"""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from itertools import product

from agents.tax_office.amounts import agree, amount_text, currency_of, rows, smallest_unit, sum_tolerance
from agents.tax_office.finding import Finding, RuleCard, Severity
from streams.event import Data
from streams.sealing import Reveal

__all__ = ["CARD", "check"]

CARD = RuleCard(
    id="lines_sum",
    version="1",
    severity="medium",
    description_vi=(
        "Tổng các dòng hàng khác tổng tiền chưa thuế quá một đơn vị tiền nhỏ nhất cộng nửa đơn vị cho mỗi dòng, "
        "đã tính chiết khấu (TChat 3, STCKhau, TLCKhau, TTCKTMai), khuyến mại (2) và ghi chú (4)."
    ),
    description_en=(
        "The lines differ from the net amount by more than one smallest unit of the currency and half a unit a line, "
        "discounts (TChat 3, STCKhau, TLCKhau, TTCKTMai), promotions (2) and notes (4) understood."
    ),
)

SEVERITY_TAX_INCLUDED: Severity = "low"
"""When the lines add up to the total with tax: common on tickets and receipts, and explained by it."""

PROMOTION, DISCOUNT, NOTE = 2, 3, 4
"""Values of TChat that are no ordinary goods."""


def check(invoice: Data, reveal: Reveal) -> Finding | None:  # noqa: ARG001 -- one signature for all rules
    """Report lines that do not add up; silent when a goods line or the amounts to compare with are missing."""
    lines = [each for each in rows(invoice, "lines") if each.get("kind") != NOTE]
    if not lines or any(each.get("amount") is None and each.get("kind") != PROMOTION for each in lines):
        return None
    stated = _stated(invoice)
    if stated is None:
        return None
    name, net = stated
    currency, total = currency_of(invoice), invoice.get("total_amount")
    tolerance = sum_tolerance(currency, len(lines))
    readings = _readings(lines, currency, invoice.get("discount_amount") or Decimal(0))
    if any(agree(each, net, tolerance) for each in readings):
        return None
    nearest = min(readings, key=lambda each: abs(each - net))
    included = total is not None and any(agree(each, total, tolerance) for each in readings)
    inputs = {
        "lines": str(len(lines)),
        "lines_sum": amount_text(nearest),
        name: amount_text(net),
        "currency": currency,
        "tolerance": amount_text(tolerance),
    }
    return CARD.finding(
        f"Tổng các dòng là {amount_text(nearest)}, hóa đơn ghi {amount_text(net)} {currency}"
        + (" (bằng tổng tiền đã có thuế)." if included else "."),
        f"The lines add up to {amount_text(nearest)}, the invoice says {amount_text(net)} {currency}"
        + (" (they equal the total with tax)." if included else "."),
        inputs=inputs,
        severity=SEVERITY_TAX_INCLUDED if included else None,
    )


def _stated(invoice: Data) -> tuple[str, Decimal] | None:
    """Give the amount that the lines must add up to: net, or the total on an invoice that states no tax at all."""
    net, total = invoice.get("net_amount"), invoice.get("total_amount")
    if net is not None:
        return "net_amount", net
    return ("total_amount", total) if total is not None and not invoice.get("tax_amount") else None


def _readings(lines: Sequence[Data], currency: str, invoice_discount: Decimal) -> list[Decimal]:
    """Give every sum that an honest writer may have meant, the plainest first; no two are equal."""
    goods = Decimal(0)
    promotions = Decimal(0)
    undeducted = Decimal(0)
    for line in lines:
        amount = line.get("amount") or Decimal(0)
        if line.get("kind") == DISCOUNT:
            goods -= abs(amount)
        elif line.get("kind") == PROMOTION:
            promotions += amount
        else:
            goods += amount
            undeducted += _undeducted(line, amount, currency)
    sums = [
        goods - less_line + promoted - less_invoice
        for less_line, promoted, less_invoice in product(
            (Decimal(0), undeducted), (Decimal(0), promotions), (Decimal(0), abs(invoice_discount))
        )
    ]
    return list(dict.fromkeys(sums))


def _undeducted(line: Data, amount: Decimal, currency: str) -> Decimal:
    """Give a line's own discount when its amount is still quantity times price, else nothing."""
    quantity, price = line.get("quantity"), line.get("unit_price")
    if quantity is None or price is None or not agree(quantity * price, amount, smallest_unit(currency)):
        return Decimal(0)
    stated, rate = line.get("discount_amount"), line.get("discount_rate")
    if stated:
        return Decimal(stated)
    return amount * rate / 100 if rate else Decimal(0)
