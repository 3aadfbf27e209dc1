"""
Honest sellers: the variety that rules must not take for faults.

Discount, promotion and note lines, a line's own discount, a discount on the whole invoice, rounding, several rates,
goods without tax, a foreign currency, a sales invoice without tax, a decrease by correction.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal
from random import Random

from lienthong.samples.bill import DISCOUNT, NOTE, PROMOTION, Bill, Line, honest_bill, total_words
from lienthong.samples.firms import Firm
from lienthong.samples.words import STYLES

__all__ = ["goods", "honest_bills"]

_GOODS = ("Nồi cơm điện", "Son dưỡng môi", "Giày thể thao", "Áo sơ mi", "Bếp từ", "Sữa bột", "Bánh đa nem", "Quạt cây")


def goods(random: Random, count: int, *, rate: str = "10%") -> tuple[Line, ...]:
    """Invent so many ordinary lines at prices in whole thousands of dong."""
    return tuple(
        Line(
            name=random.choice(_GOODS),
            price=Decimal(random.randrange(20, 2_000) * 1_000),
            quantity=Decimal(random.randrange(1, 9)),
            rate=rate,
        )
        for _ in range(count)
    )


def honest_bills(
    random: Random, sellers: Sequence[Firm], buyers: Sequence[Firm], *, as_of: date
) -> list[tuple[str, Bill]]:
    """
    Make one bill of every variety, spread over the sellers.

    Args:
        random: gives goods and prices.
        sellers: each gets several.
        buyers: each is at times a buyer.
        as_of: all are dated 3 to 20 days before.

    Returns:
        Pairs of the variety's name and the bill.
    """
    bills = []
    for place, (variety, lines, options) in enumerate(_varieties(random)):
        bill = honest_bill(
            sellers[place % len(sellers)],
            None if variety == "consumer" else buyers[place % len(buyers)],
            lines,
            series=f"C{as_of:%y}TVD",
            number=str(101 + place),
            issued_on=as_of - timedelta(days=random.randrange(3, 21)),
            style=STYLES[place % len(STYLES)],
            discount=options.get("discount", Decimal(0)),
        )
        bills.append((variety, bill))
    return [*bills, *_special(random, sellers, buyers, as_of=as_of)]


def _varieties(random: Random) -> list[tuple[str, tuple[Line, ...], dict[str, Decimal]]]:
    discounted = replace(goods(random, 1)[0], quantity=Decimal(10), discount=Decimal(15_000))
    rounded = Line(name="Thịt lợn sạch", price=Decimal("136363.64"), quantity=Decimal("2.355"), rate="8%")
    uneven = tuple(Line(name="Tem truy xuất", price=Decimal(1_333), quantity=Decimal(7), rate="8%") for _ in range(5))
    return [
        ("plain", goods(random, 3), {}),
        ("consumer", goods(random, 1, rate="8%"), {}),
        ("two-rates", (*goods(random, 2), *goods(random, 2, rate="5%")), {}),
        ("untaxed", (*goods(random, 1, rate="KCT"), *goods(random, 1, rate="8%")), {}),
        (
            "discount-line",
            (*goods(random, 2), Line(name="Chiết khấu thương mại", price=Decimal(12_000), kind=DISCOUNT)),
            {},
        ),
        ("line-discount", (discounted,), {}),
        ("promotion", (*goods(random, 1), Line(name="Quà tặng kèm", price=Decimal(0), kind=PROMOTION)), {}),
        ("note", (*goods(random, 1), Line(name="Giao hàng giờ hành chính", price=Decimal(0), kind=NOTE, rate="")), {}),
        ("invoice-discount", goods(random, 2), {"discount": Decimal(10_000)}),
        ("rounding", (replace(rounded, discount=rounded.quantity * rounded.price % 1), *uneven), {}),
    ]


def _special(random: Random, sellers: Sequence[Firm], buyers: Sequence[Firm], *, as_of: date) -> list[tuple[str, Bill]]:
    day = as_of - timedelta(days=5)
    series = f"C{as_of:%y}TVD"
    dollars = honest_bill(
        sellers[0],
        buyers[0],
        (Line(name="Hàng thêu xuất khẩu", price=Decimal("12.35"), quantity=Decimal(30), rate="0%"),),
        series=series,
        number="201",
        issued_on=day,
        currency="USD",
        exchange_rate=Decimal(25_400),
    )
    whole = honest_bill(sellers[1], None, goods(random, 2, rate=""), series=series, number="202", issued_on=day)
    sales = replace(whole, form="2", title="Hóa đơn bán hàng", net=None, tax=None, rates=())
    lines = tuple(replace(each, quantity=-each.quantity) for each in goods(random, 1))
    decrease = honest_bill(sellers[2], buyers[2], lines, series=series, number="203", issued_on=day)
    decrease = replace(decrease, title="Hóa đơn giá trị gia tăng (điều chỉnh giảm)", words=total_words(decrease.total))
    return [("dollars", dollars), ("sales", sales), ("decrease", decrease)]
