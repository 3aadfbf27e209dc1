"""
A total of zero or less that the lines do not explain.

The reasons that are taken: no goods line with a positive amount (promotions, notes, price zero), a negative line or
a discount line (a decrease), or a title that says adjustment (điều chỉnh) or replacement (thay thế).
"""

from __future__ import annotations

import unicodedata
from decimal import Decimal

from agents.tax_office.amounts import amount_text, currency_of, rows
from agents.tax_office.finding import Finding, RuleCard
from streams.event import Data
from streams.sealing import Reveal

__all__ = ["CARD", "check"]

CARD = RuleCard(
    id="total_sign",
    version="1",
    severity="medium",
    description_vi=(
        "Tổng thanh toán bằng 0 hoặc âm trong khi các dòng hàng có giá trị dương, "
        "không có dòng giảm và không phải hóa đơn điều chỉnh, thay thế."
    ),
    description_en=(
        "The total is zero or negative although goods lines are positive, no line decreases it, "
        "and the title names no adjustment or replacement."
    ),
)

GOODS = (None, 1)
"""Values of TChat of ordinary goods and services; absent counts as goods."""

DISCOUNT = 3
"""TChat of a trade discount."""

CORRECTION_WORDS = ("điều chỉnh", "thay thế")
"""A title with one of these is a correction, whose amounts may have any sign."""


def check(invoice: Data, reveal: Reveal) -> Finding | None:  # noqa: ARG001 -- one signature for all rules
    """Report a total whose sign contradicts the lines; silent when total or lines are absent."""
    total, lines = invoice.get("total_amount"), rows(invoice, "lines")
    if total is None or total > 0 or _is_correction(invoice.get("title")):
        return None
    goods = [each.get("amount") or Decimal(0) for each in lines if each.get("kind") in GOODS]
    positive = sum((each for each in goods if each > 0), Decimal(0))
    decreased = any(each < 0 for each in goods) or any(each.get("kind") == DISCOUNT for each in lines)
    if not positive or decreased or abs(invoice.get("discount_amount") or Decimal(0)) >= positive:
        return None
    currency = currency_of(invoice)
    return CARD.finding(
        f"Tổng thanh toán là {amount_text(total)} {currency}, các dòng hàng là {amount_text(positive)}.",
        f"The total is {amount_text(total)} {currency}, the goods lines are {amount_text(positive)}.",
        inputs={"total_amount": amount_text(total), "goods_amount": amount_text(positive), "currency": currency},
    )


def _is_correction(title: str | None) -> bool:
    folded = unicodedata.normalize("NFC", title or "").casefold()
    return any(each in folded for each in CORRECTION_WORDS)
