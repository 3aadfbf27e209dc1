"""
Planted anomalies: an honest bill with one fault each, and the ids of the rules that should find it.

The ids stand here as plain text on purpose: the generator shares no code with the rules.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import date, timedelta
from decimal import Decimal
from random import Random

from lienthong.samples.bill import Bill, honest_bill, total_words
from lienthong.samples.firms import Firm, courier_number, misspell, s10_number
from lienthong.samples.honest import goods
from lienthong.samples.words import in_words

__all__ = ["CARELESS_SELLERS", "Planted", "careless_bills", "suspect_bills"]

POSTAL_CARRIER = "Bưu điện tỉnh Hà Nam"
"""Carries the postal numbers."""

COURIER = "Chuyển phát Ví Dụ"
"""An invented courier."""

SHOP = "Gian hàng Ví Dụ Chính Hãng"
"""The suspect seller's shop on an invented platform."""


@dataclass(frozen=True, slots=True)
class Planted:
    """
    One bill with a fault.

    Args:
        name: of the fault, for the file's name.
        bill: as it will be written.
        rules: ids of the rules that should find something, sorted.
    """

    name: str
    bill: Bill
    rules: tuple[str, ...]


def suspect_bills(random: Random, seller: Firm, buyers: list[Firm], *, as_of: date) -> list[Planted]:
    """
    Make the bills of a seller who is to be suspected: five faults on as many invoices and a sixth, each with parcels.

    The last one has the key of the first with another amount, so it must be read after it.
    """
    planted = []
    for place, (name, plant, rules) in enumerate(_SUSPECT_FAULTS):
        bill = _bill(random, seller, buyers[place % len(buyers)], number=301 + place, as_of=as_of)
        planted.append(Planted(name=name, bill=_with_parcels(random, plant(bill), place), rules=rules))
    first = planted[0].bill
    again = honest_bill(
        seller,
        first.buyer,
        goods(random, 3),
        series=first.series,
        number=first.number.zfill(8),
        issued_on=first.issued_on,
    )
    planted.append(
        Planted(name="changed-later", bill=_with_parcels(random, again, len(planted)), rules=("invoice_changed",))
    )
    return planted


def careless_bills(random: Random, sellers: list[Firm], buyers: list[Firm], *, as_of: date) -> list[Planted]:
    """Make one faulty bill for each of several sellers: too little to suspect any of them."""
    return [
        Planted(
            name=name,
            bill=plant(_bill(random, seller, buyers[place % len(buyers)], number=401 + place, as_of=as_of)),
            rules=rules,
        )
        for place, (seller, (name, plant, rules)) in enumerate(zip(sellers, _CARELESS_FAULTS, strict=True))
    ]


def _bill(random: Random, seller: Firm, buyer: Firm, *, number: int, as_of: date) -> Bill:
    return honest_bill(
        seller,
        buyer,
        goods(random, 2),
        series=f"C{as_of:%y}TVD",
        number=str(number),
        issued_on=as_of - timedelta(days=random.randrange(4, 15)),
    )


def _with_parcels(random: Random, bill: Bill, place: int) -> Bill:
    postal = place % 2 == 0
    numbers = (s10_number(random),) if postal else (courier_number(random), courier_number(random))
    return replace(bill, parcels=numbers, carrier=POSTAL_CARRIER if postal else COURIER, shop=SHOP)


def _other_words(bill: Bill) -> Bill:
    return replace(bill, words=in_words(int(bill.total) // 10))


def _hidden_line(bill: Bill) -> Bill:
    return replace(bill, lines=bill.lines[:1])


def _too_little_tax(bill: Bill) -> Bill:
    rate, net, tax = bill.rates[0]
    less = (tax / 2).quantize(Decimal(1))
    total = net + less
    return replace(bill, rates=((rate, net, less),), tax=less, total=total, words=total_words(total))


def _too_small_total(bill: Bill) -> Bill:
    total = (bill.total * 3 / 4).quantize(Decimal(1))
    return replace(bill, total=total, words=total_words(total))


def _dated_ahead(bill: Bill) -> Bill:
    return replace(bill, issued_on=bill.issued_on + timedelta(days=3))


def _dated_back(bill: Bill) -> Bill:
    return replace(bill, issued_on=bill.issued_on - timedelta(days=90))


def _bad_tax_code(bill: Bill) -> Bill:
    return replace(bill, seller=replace(bill.seller, tax_code=misspell(bill.seller.tax_code)))


def _sold_to_itself(bill: Bill) -> Bill:
    return replace(bill, buyer=bill.seller)


def _unknown_rate(bill: Bill) -> Bill:
    lines = tuple(replace(each, rate="9%") for each in bill.lines)
    return honest_bill(bill.seller, bill.buyer, lines, series=bill.series, number=bill.number, issued_on=bill.issued_on)


def _wrong_quantity(bill: Bill) -> Bill:
    first = bill.lines[0]
    more = replace(first, quantity=first.quantity + 3, stated=first.amount)
    return replace(bill, lines=(more, *bill.lines[1:]))


def _nothing_to_pay(bill: Bill) -> Bill:
    nothing = Decimal(0)
    return replace(bill, rates=(), net=nothing, tax=nothing, total=nothing, words=in_words(0))


Plant = Callable[[Bill], Bill]
"""Puts one fault into an honest bill."""

_SUSPECT_FAULTS: tuple[tuple[str, Plant, tuple[str, ...]], ...] = (
    ("words", _other_words, ("amount_in_words",)),
    ("lines", _hidden_line, ("lines_sum",)),
    ("tax", _too_little_tax, ("tax_sum",)),
    ("total", _too_small_total, ("total_sum",)),
    ("dated-ahead", _dated_ahead, ("dated_after_sent",)),
)

_CARELESS_FAULTS: tuple[tuple[str, Plant, tuple[str, ...]], ...] = (
    ("tax-code", _bad_tax_code, ("seller_tax_code",)),
    ("to-itself", _sold_to_itself, ("same_party",)),
    ("unknown-rate", _unknown_rate, ("tax_rate_unknown",)),
    ("quantity", _wrong_quantity, ("line_amount",)),
    ("nothing-to-pay", _nothing_to_pay, ("lines_sum", "total_sign")),
    ("dated-back", _dated_back, ("dated_long_before_sent",)),
)

CARELESS_SELLERS = len(_CARELESS_FAULTS)
"""So many sellers `careless_bills` needs."""
