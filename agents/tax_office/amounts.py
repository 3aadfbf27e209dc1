"""
Money on an invoice: how exact a currency is, when two amounts agree, how a rate is written.

Amounts are Decimals in the invoice's own currency. What counts as equal depends on the currency's smallest unit and
on how many rounded items were added up: each may be off by half a unit.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from decimal import Decimal
from typing import Any

from streams.event import Data

__all__ = [
    "DEFAULT_CURRENCY",
    "agree",
    "amount_text",
    "currency_of",
    "rows",
    "smallest_unit",
    "sum_tolerance",
    "tax_percent",
]

DEFAULT_CURRENCY = "VND"
"""An invoice that names no currency is in dong."""

WHOLE_CURRENCIES = frozenset(
    {"BIF", "CLP", "DJF", "GNF", "ISK", "JPY", "KMF", "KRW", "PYG", "RWF", "UGX", "VND", "VUV", "XAF", "XOF", "XPF"}
)
"""Currencies without a minor unit in practice (ISO 4217)."""

THOUSANDTH_CURRENCIES = frozenset({"BHD", "IQD", "JOD", "KWD", "LYD", "OMR", "TND"})
"""Currencies whose minor unit is a thousandth (ISO 4217)."""

UNTAXED_RATES = frozenset({"KCT", "KKKNT", "0"})
"""Rates that charge nothing: not subject to tax (không chịu thuế), not declared (không kê khai), zero."""

_PERCENT = re.compile(r"(?:KHAC:)?(\d{1,3}(?:[.,]\d{1,4})?)%*")


def currency_of(invoice: Data) -> str:
    """Name the invoice's currency, `VND` when it names none."""
    return (invoice.get("currency") or DEFAULT_CURRENCY).strip().upper() or DEFAULT_CURRENCY


def smallest_unit(currency: str) -> Decimal:
    """
    Give the smallest amount that the currency knows; a hundredth for a currency not listed here.

    >>> smallest_unit("VND"), smallest_unit("USD"), smallest_unit("KWD")
    (Decimal('1'), Decimal('0.01'), Decimal('0.001'))
    """
    if currency in WHOLE_CURRENCIES:
        return Decimal(1)
    return Decimal("0.001") if currency in THOUSANDTH_CURRENCIES else Decimal("0.01")


def sum_tolerance(currency: str, items: int) -> Decimal:
    """
    Say how far a sum of rounded items may be off: one unit, and half a unit for each item.

    >>> sum_tolerance("VND", 4)
    Decimal('3')
    """
    return smallest_unit(currency) * (1 + Decimal(items) / 2)


def agree(left: Decimal, right: Decimal, tolerance: Decimal) -> bool:
    """Say whether two amounts agree; a difference of exactly the tolerance still does."""
    return abs(left - right) <= tolerance


def rows(invoice: Data, name: str) -> Sequence[Data]:
    """Give the records of an array field, none when it is absent."""
    found: Sequence[Any] | None = invoice.get(name)
    return tuple(found) if found else ()


def amount_text(amount: Decimal | None) -> str:
    """
    Write an amount for people and for the inputs of a finding: plain digits, no superfluous zeros.

    >>> amount_text(Decimal("1100000.000000")), amount_text(Decimal("0.50")), amount_text(None)
    ('1100000', '0.5', '')
    """
    if amount is None:
        return ""
    text = f"{amount:f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


def tax_percent(rate: str | None) -> Decimal | None:
    """
    Read a tax rate (TSuat) as per cent; None when it does not say a number.

    >>> tax_percent("8%"), tax_percent("KCT"), tax_percent("KHAC:7%"), tax_percent("KHAC")
    (Decimal('8'), Decimal('0'), Decimal('7'), None)
    """
    text = re.sub(r"\s", "", rate or "").upper()
    if text in UNTAXED_RATES:
        return Decimal(0)
    match = _PERCENT.fullmatch(text)
    return Decimal(match.group(1).replace(",", ".")) if match else None
