"""The tax against its rates: each rate's row, and their sum against the invoice's tax amount."""

from __future__ import annotations

from decimal import Decimal

from agents.tax_office.amounts import agree, amount_text, currency_of, rows, sum_tolerance, tax_percent
from agents.tax_office.finding import Finding, RuleCard
from streams.event import Data
from streams.sealing import Reveal

__all__ = ["CARD", "check"]

CARD = RuleCard(
    id="tax_sum",
    version="1",
    severity="medium",
    description_vi=(
        "Tiền thuế của một thuế suất khác thành tiền nhân thuế suất, hoặc tổng các dòng thuế suất khác tổng tiền thuế, "
        "quá một đơn vị tiền nhỏ nhất cộng nửa đơn vị cho mỗi dòng hàng (mỗi thuế suất)."
    ),
    description_en=(
        "A rate's tax differs from its net times the rate, or the rates' taxes from the tax amount, by more than "
        "one smallest unit of the currency and half a unit for each goods line (each rate)."
    ),
)


def check(invoice: Data, reveal: Reveal) -> Finding | None:  # noqa: ARG001 -- one signature for all rules
    """Report the first rate whose tax is wrong, else a wrong sum; silent about rates that say no number."""
    rates = rows(invoice, "tax_rates")
    if not rates:
        return _check_single_rate(invoice)
    for row in rates:
        found = _check_row(invoice, row)
        if found:
            return found
    tax = invoice.get("tax_amount")
    taxes = [each["tax_amount"] for each in rates if each.get("tax_amount") is not None]
    if tax is None or len(taxes) < len(rates):
        return None
    added = sum(taxes, Decimal(0))
    tolerance = sum_tolerance(currency_of(invoice), len(rates))
    return None if agree(added, tax, tolerance) else _sum_finding(invoice, added, tax, tolerance)


def _check_row(invoice: Data, row: Data) -> Finding | None:
    percent, net, tax = tax_percent(row.get("rate")), row.get("net_amount"), row.get("tax_amount")
    if percent is None or net is None or tax is None:
        return None
    taxed = sum(1 for each in rows(invoice, "lines") if tax_percent(each.get("tax_rate")) == percent)
    return _compare(invoice, rate=percent, net=net, tax=tax, items=max(taxed, 1))


def _check_single_rate(invoice: Data) -> Finding | None:
    """Without rows by rate, the lines' rate serves when they all have the same one."""
    percents = {tax_percent(each.get("tax_rate")) for each in rows(invoice, "lines")}
    net, tax = invoice.get("net_amount"), invoice.get("tax_amount")
    if len(percents) != 1 or None in percents or net is None or tax is None:
        return None
    percent = percents.pop() or Decimal(0)
    return _compare(invoice, rate=percent, net=net, tax=tax, items=len(rows(invoice, "lines")))


def _compare(invoice: Data, *, rate: Decimal, net: Decimal, tax: Decimal, items: int) -> Finding | None:
    due = net * rate / 100
    currency = currency_of(invoice)
    tolerance = sum_tolerance(currency, items)
    if agree(due, tax, tolerance):
        return None
    percent = amount_text(rate)
    return CARD.finding(
        f"Thuế {percent}% của {amount_text(net)} là {amount_text(due)}, hóa đơn ghi {amount_text(tax)} {currency}.",
        f"{percent}% of {amount_text(net)} is {amount_text(due)}, the invoice says {amount_text(tax)} {currency}.",
        inputs={
            "rate_percent": percent,
            "net_amount": amount_text(net),
            "tax_amount": amount_text(tax),
            "currency": currency,
            "tolerance": amount_text(tolerance),
        },
    )


def _sum_finding(invoice: Data, added: Decimal, tax: Decimal, tolerance: Decimal) -> Finding:
    currency = currency_of(invoice)
    return CARD.finding(
        f"Tiền thuế theo các thuế suất cộng lại là {amount_text(added)}, hóa đơn ghi {amount_text(tax)} {currency}.",
        f"The rates' taxes add up to {amount_text(added)}, the invoice says {amount_text(tax)} {currency}.",
        inputs={
            "rates_tax_sum": amount_text(added),
            "tax_amount": amount_text(tax),
            "currency": currency,
            "tolerance": amount_text(tolerance),
        },
    )
