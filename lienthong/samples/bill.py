"""An invoice before it is written: its lines, and what an honest program computes from them."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import ROUND_HALF_UP, Decimal

from lienthong.samples.firms import Firm
from lienthong.samples.words import STYLES, Style, in_words

__all__ = ["DISCOUNT", "GOODS", "NOTE", "PROMOTION", "Bill", "Line", "honest_bill", "total_words"]

GOODS, PROMOTION, DISCOUNT, NOTE = 1, 2, 3, 4
"""Values of TChat."""


@dataclass(frozen=True, slots=True)
class Line:
    """
    One line of a bill.

    Args:
        name: of the goods.
        price: for one, before tax.
        quantity: how many.
        rate: TSuat as written.
        kind: TChat.
        discount: the line's own, already taken from its amount.
        stated: the amount that the line says when it is not what it should be.
    """

    name: str
    price: Decimal
    quantity: Decimal = Decimal(1)
    rate: str = "10%"
    kind: int = GOODS
    discount: Decimal = Decimal(0)
    stated: Decimal | None = None

    @property
    def amount(self) -> Decimal:
        """What the line says: nothing for promotions and notes."""
        if self.stated is not None:
            return self.stated
        return self.quantity * self.price - self.discount if self.kind in {GOODS, DISCOUNT} else Decimal(0)


@dataclass(frozen=True, slots=True)
class Bill:
    """
    A whole invoice as it will be written; `dataclasses.replace` plants a fault.

    Args:
        seller: who sells.
        buyer: who buys; None for a consumer who gave no name.
        series: KHHDon, six characters.
        number: SHDon.
        issued_on: NLap.
        lines: in order.
        rates: rate -> (net, tax).
        net: TgTCThue; None on a sales invoice, which names no tax.
        tax: TgTThue; None with `net`.
        total: TgTTTBSo.
        words: TgTTTBChu.
        currency: DVTTe.
        exchange_rate: TGia.
        discount: TTCKTMai, the whole invoice's.
        form: KHMSHDon, 1 with value-added tax, 2 for sales.
        title: THDon.
        parcels: numbers of the parcels that the goods went in.
        carrier: who carries them.
        shop: the shop on a platform.
        sent_at: TGGui, Vietnamese local time; None for a file without an envelope.
    """

    seller: Firm
    buyer: Firm | None
    series: str
    number: str
    issued_on: date
    lines: tuple[Line, ...]
    rates: tuple[tuple[str, Decimal, Decimal], ...]
    net: Decimal | None
    tax: Decimal | None
    total: Decimal
    words: str
    currency: str = "VND"
    exchange_rate: Decimal = Decimal(1)
    discount: Decimal = Decimal(0)
    form: str = "1"
    title: str = "Hóa đơn giá trị gia tăng"
    parcels: tuple[str, ...] = ()
    carrier: str | None = None
    shop: str | None = None
    sent_at: datetime | None = field(default=None)


def honest_bill(
    seller: Firm,
    buyer: Firm | None,
    lines: tuple[Line, ...],
    *,
    series: str,
    number: str,
    issued_on: date,
    style: Style = STYLES[0],
    discount: Decimal = Decimal(0),
    currency: str = "VND",
    exchange_rate: Decimal = Decimal(1),
) -> Bill:
    """
    Compute an invoice with value-added tax from its lines, everything in agreement.

    Args:
        seller: who sells.
        buyer: who buys.
        lines: in order; discount lines take away.
        series: KHHDon.
        number: SHDon.
        issued_on: NLap; it is sent at a quarter past nine on that day.
        style: how its writer writes amounts in words.
        discount: the whole invoice's, taken from the total after tax.
        currency: VND or USD.
        exchange_rate: dong for one unit.
    """
    rates = _rates(lines, currency)
    net = sum((each[1] for each in rates), Decimal(0))
    tax = sum((each[2] for each in rates), Decimal(0))
    total = net + tax - discount
    return Bill(
        seller=seller,
        buyer=buyer,
        series=series,
        number=number,
        issued_on=issued_on,
        lines=lines,
        rates=rates,
        net=net,
        tax=tax,
        total=total,
        words=total_words(total, currency=currency, style=style),
        currency=currency,
        exchange_rate=exchange_rate,
        discount=discount,
        sent_at=datetime(issued_on.year, issued_on.month, issued_on.day, 9, 15),  # noqa: DTZ001 -- local, as files say
    )


def total_words(total: Decimal, *, currency: str = "VND", style: Style = STYLES[0]) -> str:
    """Write a total in words; dollars with their cents."""
    if currency == "VND":
        return in_words(int(total), style=style)
    dollars, cents = divmod(int(total * 100), 100)
    said = in_words(dollars, currency="đô la Mỹ")
    return f"{said} và {in_words(cents, currency='xu').lower()}" if cents else said


def _rates(lines: tuple[Line, ...], currency: str) -> tuple[tuple[str, Decimal, Decimal], ...]:
    place = Decimal(1) if currency == "VND" else Decimal("0.01")
    nets: dict[str, Decimal] = {}
    for line in lines:
        signed = -line.amount if line.kind == DISCOUNT else line.amount
        if line.kind in {GOODS, DISCOUNT}:
            nets[line.rate] = nets.get(line.rate, Decimal(0)) + signed
    return tuple(
        (rate, net, (net * _percent(rate) / 100).quantize(place, rounding=ROUND_HALF_UP)) for rate, net in nets.items()
    )


def _percent(rate: str) -> Decimal:
    return Decimal(rate.removesuffix("%")) if rate.endswith("%") else Decimal(0)
