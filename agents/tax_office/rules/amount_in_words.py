"""The total in words against the total in figures. Words that cannot be read with certainty accuse no one."""

from __future__ import annotations

from decimal import Decimal

from agents.tax_office.amounts import DEFAULT_CURRENCY, agree, amount_text, currency_of, smallest_unit
from agents.tax_office.finding import Finding, RuleCard, Severity
from agents.tax_office.number_words import read_amount
from streams.event import Data
from streams.sealing import Reveal

__all__ = ["CARD", "check"]

CARD = RuleCard(
    id="amount_in_words",
    version="1",
    severity="high",
    description_vi=(
        "Số tiền bằng chữ khác số tiền bằng số: quá 1 đồng (tiền không có đơn vị lẻ), từ 1 đơn vị trở lên khi chữ "
        "không ghi phần lẻ, quá đơn vị nhỏ nhất khi có ghi; mức thấp khi chữ ghi số tiền ngoại tệ đã quy đổi ra đồng."
    ),
    description_en=(
        "The amount in words contradicts the figures: by more than 1 (currencies without a minor unit), by 1 or more "
        "when the words name no hundredths, by more than the smallest unit when they do; "
        "low when they state a foreign amount in dong."
    ),
)

SEVERITY_IN_DONG: Severity = "low"
"""When the words state a foreign amount in dong at the invoice's own exchange rate (TGia), within 1 dong."""


def check(invoice: Data, reveal: Reveal) -> Finding | None:  # noqa: ARG001 -- one signature for all rules
    """Report words that say another amount; a sign that only the figures carry is no contradiction."""
    total, words = invoice.get("total_amount"), read_amount(invoice.get("total_in_words"))
    if total is None or words is None:
        return None
    currency = currency_of(invoice)
    difference = abs(abs(words) - abs(total)) if words >= 0 else abs(words - total)
    if _within(difference, words, smallest_unit(currency)):
        return None
    in_dong = _in_dong(invoice, words, total)
    return CARD.finding(
        f"Số tiền bằng chữ là {amount_text(words)}, bằng số là {amount_text(total)} {currency}"
        + (" (chữ ghi số tiền quy đổi ra đồng)." if in_dong else "."),
        f"The words say {amount_text(words)}, the figures {amount_text(total)} {currency}"
        + (" (the words say it in dong)." if in_dong else "."),
        inputs={
            "words_amount": amount_text(words),
            "total_amount": amount_text(total),
            "currency": currency,
            "exchange_rate": amount_text(invoice.get("exchange_rate")),
            "difference": amount_text(difference),
        },
        severity=SEVERITY_IN_DONG if in_dong else None,
    )


def _within(difference: Decimal, words: Decimal, unit: Decimal) -> bool:
    whole_words = words == words.to_integral_value()
    return difference < 1 if whole_words and unit < 1 else difference <= unit


def _in_dong(invoice: Data, words: Decimal, total: Decimal) -> bool:
    rate = invoice.get("exchange_rate")
    return rate is not None and currency_of(invoice) != DEFAULT_CURRENCY and agree(words, total * rate, Decimal(1))
