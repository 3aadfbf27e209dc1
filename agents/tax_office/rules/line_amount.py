"""
Each goods line: quantity times unit price, less the line's own discount, against its amount.

Unit prices and quantities are often rounded when an amount is split, so the tolerance grows with what half a unit
in the last written place of one does to the product.
"""

from __future__ import annotations

from decimal import Decimal

from agents.tax_office.amounts import agree, amount_text, currency_of, rows, smallest_unit
from agents.tax_office.finding import Finding, RuleCard
from streams.event import Data
from streams.sealing import Reveal

__all__ = ["CARD", "check"]

CARD = RuleCard(
    id="line_amount",
    version="1",
    severity="low",
    description_vi=(
        "Thành tiền của dòng hàng khác số lượng nhân đơn giá, trước và sau chiết khấu của dòng, quá "
        "một đơn vị tiền nhỏ nhất cộng sai số làm tròn của đơn giá và số lượng."
    ),
    description_en=(
        "A goods line's amount differs from quantity times unit price (before and after the line's discount) by more "
        "than one smallest unit of the currency and the rounding of price and quantity."
    ),
)

GOODS = (None, 1)
"""Values of TChat of ordinary goods and services; absent counts as goods."""


def check(invoice: Data, reveal: Reveal) -> Finding | None:  # noqa: ARG001 -- one signature for all rules
    """Report the first such line and how many there are; silent about lines without quantity, price or amount."""
    currency = currency_of(invoice)
    lines = [each for each in rows(invoice, "lines") if each.get("kind") in GOODS]
    wrong = [(place, each) for place, each in enumerate(lines, start=1) if not _fits(each, currency)]
    if not wrong:
        return None
    place, line = wrong[0]
    product, amount = line["quantity"] * line["unit_price"], line["amount"]
    return CARD.finding(
        f"Dòng hàng thứ {place}: số lượng nhân đơn giá là {amount_text(product)}, "
        f"thành tiền ghi {amount_text(amount)} {currency} ({len(wrong)} dòng như vậy).",
        f"Goods line {place}: quantity times price is {amount_text(product)}, "
        f"the amount says {amount_text(amount)} {currency} ({len(wrong)} such lines).",
        inputs={
            "line": str(place),
            "quantity": amount_text(line["quantity"]),
            "unit_price": amount_text(line["unit_price"]),
            "amount": amount_text(amount),
            "lines_wrong": str(len(wrong)),
            "currency": currency,
        },
    )


def _fits(line: Data, currency: str) -> bool:
    quantity, price, amount = line.get("quantity"), line.get("unit_price"), line.get("amount")
    if quantity is None or price is None or amount is None or not price:
        return True
    product = quantity * price
    discount = abs(line.get("discount_amount") or product * (line.get("discount_rate") or Decimal(0)) / 100)
    tolerance = smallest_unit(currency) + abs(quantity) * _half_place(price) + abs(price) * _half_place(quantity)
    return any(agree(reading, amount, tolerance) for reading in (product, product - discount))


def _half_place(value: Decimal) -> Decimal:
    """Give half of the last written decimal place; a whole number is taken as exact."""
    exponent = value.normalize().as_tuple().exponent
    return Decimal(1).scaleb(int(exponent)) / 2 if int(exponent) < 0 else Decimal(0)
