"""The rules about lines and tax: a hit, a near miss at the edge, absent fields."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from typing import Any

import pytest

from agents.tax_office import check_invoice
from streams.sealing import reveal_personal

Make = Callable[..., dict[str, Any]]


def rules(invoice: dict[str, Any]) -> list[str]:
    """Name the rules that find something."""
    return [each.rule_id for each in check_invoice(invoice, reveal_personal)]


def severities(invoice: dict[str, Any]) -> dict[str, str]:
    """Give each finding's severity."""
    return {each.rule_id: each.severity for each in check_invoice(invoice, reveal_personal)}


def test_a_clean_invoice_has_no_finding(invoice: Make) -> None:
    """Everything agrees."""
    assert rules(invoice()) == []


def test_an_invoice_without_any_optional_field_has_no_finding(invoice: Make) -> None:
    """Absent is not wrong."""
    bare = invoice()

    assert rules({"seller": bare["seller"], "invoice": bare["invoice"]}) == []
    assert rules({"seller": bare["seller"]}) == []


@pytest.mark.parametrize("field", ["net_amount", "tax_amount", "total_amount", "lines", "tax_rates", "currency"])
def test_one_absent_amount_accuses_no_one(invoice: Make, field: str) -> None:
    """What was not said cannot be contradicted."""
    assert rules(invoice(**{field: None})) == []


@pytest.mark.parametrize(
    ("rates", "total", "expected"),
    [
        ([], 110_000, []),
        ([], 99_997, ["total_sum"]),
        ([{"rate": "10%", "net_amount": None, "tax_amount": Decimal(10_000)}], 110_000, []),
        ([{"rate": "10%", "net_amount": None, "tax_amount": Decimal(10_000)}], 120_000, ["total_sum"]),
        ([{"rate": "10%", "net_amount": None, "tax_amount": None}], 120_000, []),
    ],
)
def test_without_a_stated_tax_the_rates_serve(
    invoice: Make, rates: list[dict[str, Any]], total: int, expected: list[str]
) -> None:
    """With neither, only a total below the net amount is wrong."""
    changed = invoice(tax_amount=None, tax_rates=rates, total_amount=Decimal(total), total_in_words=None)

    assert expected == rules(changed)


@pytest.mark.parametrize(
    ("net", "expected"), [("100001", []), ("100001.5", []), ("100002", ["lines_sum"]), ("99998", ["lines_sum"])]
)
def test_lines_may_be_off_by_one_and_a_half_dong_for_one_line(invoice: Make, net: str, expected: list[str]) -> None:
    """One smallest unit and half a unit a line."""
    amount = Decimal(net)
    changed = invoice(net_amount=amount, tax_rates=[], total_amount=amount + 10_000, total_in_words=None)

    assert expected == rules(changed)


def test_lines_of_cents_are_held_to_cents(invoice: Make, line: Make) -> None:
    """A foreign currency has its own tolerance, a line half a cent."""
    lines = [line(amount=Decimal("10.00"), quantity=None, tax_rate=None)]
    dollars = {"currency": "USD", "lines": lines, "tax_rates": [], "tax_amount": None, "total_in_words": None}

    assert rules(invoice(net_amount=Decimal("10.01"), total_amount=Decimal("10.01"), **dollars)) == []
    assert rules(invoice(net_amount=Decimal("10.02"), total_amount=Decimal("10.02"), **dollars)) == ["lines_sum"]


@pytest.mark.parametrize(
    "extra",
    [
        {"kind": 3, "amount": Decimal(20_000)},
        {"kind": 3, "amount": Decimal(-20_000)},
    ],
)
def test_a_discount_line_takes_away_whatever_its_sign(invoice: Make, line: Make, extra: dict[str, Any]) -> None:
    """TChat 3 is written with and without a minus."""
    lines = [line(quantity=Decimal(2), unit_price=Decimal(60_000), amount=Decimal(120_000)), line(**extra)]

    assert rules(invoice(lines=lines)) == []


def test_promotions_count_or_not_and_notes_never_do(invoice: Make, line: Make) -> None:
    """A promotion may carry a value that nobody pays; a note's amount means nothing."""
    gift, note = line(kind=2, amount=Decimal(30_000)), line(kind=4, amount=Decimal(999))

    assert rules(invoice(lines=[line(), gift, note, line(kind=2, amount=None)])) == []
    assert rules(invoice(lines=[note])) == []


@pytest.mark.parametrize(
    "discount", [{"discount_amount": Decimal(20_000)}, {"discount_rate": Decimal(20), "discount_amount": Decimal(0)}]
)
def test_a_lines_own_discount_may_be_still_to_take_or_taken(
    invoice: Make, line: Make, discount: dict[str, Any]
) -> None:
    """Writers differ on whether ThTien is before or after STCKhau or TLCKhau."""
    gross = {**discount, "quantity": Decimal(2)}
    before = line(unit_price=Decimal(50_000), amount=Decimal(100_000), **gross)
    after = line(unit_price=Decimal(50_000), amount=Decimal(80_000), **gross)
    net = {
        "net_amount": Decimal(80_000),
        "tax_rates": [],
        "tax_amount": Decimal(8_000),
        "total_amount": Decimal(88_000),
        "total_in_words": None,
    }

    assert rules(invoice(lines=[before], **net)) == []
    assert rules(invoice(lines=[after], **net)) == []
    assert rules(invoice(lines=[line(amount=Decimal(70_000), **gross)], **net)) == ["line_amount", "lines_sum"]


def test_the_invoices_discount_may_be_in_the_net_amount(invoice: Make) -> None:
    """TTCKTMai before or after the net amount."""
    net = {
        "net_amount": Decimal(90_000),
        "discount_amount": Decimal(10_000),
        "tax_rates": [],
        "tax_amount": Decimal(9_000),
        "total_amount": Decimal(99_000),
        "total_in_words": None,
    }

    assert rules(invoice(**net)) == []


def test_lines_that_include_the_tax_weigh_little(invoice: Make, line: Make) -> None:
    """A bus ticket's only line is what the passenger paid."""
    ticket = invoice(lines=[line(quantity=Decimal(1), unit_price=Decimal(110_000), amount=Decimal(110_000))])

    assert severities(ticket) == {"lines_sum": "low"}


def test_an_invoice_without_tax_compares_lines_with_its_total(invoice: Make) -> None:
    """A sales invoice states the total alone."""
    sales = {"net_amount": None, "tax_amount": None, "tax_rates": None, "total_in_words": None}

    assert rules(invoice(total_amount=Decimal(100_000), **sales)) == []
    assert rules(invoice(total_amount=Decimal(150_000), **sales)) == ["lines_sum"]


def test_a_line_must_be_quantity_times_price(invoice: Make, line: Make) -> None:
    """One dong is taken; three are not."""
    off: dict[str, Any] = {"tax_rates": [], "tax_amount": None, "total_in_words": None}

    for amount, expected in ((Decimal(100_001), []), (Decimal(100_003), ["line_amount"])):
        lines = [line(amount=amount)]
        assert expected == rules(invoice(lines=lines, net_amount=amount, total_amount=amount, **off))


def test_a_rounded_price_gives_its_rounding_to_the_line(invoice: Make, line: Make) -> None:
    """1,000 pieces at 33.33 dong may cost 33,333 dong."""
    price = {"quantity": Decimal(1_000), "unit_price": Decimal("33.33"), "tax_rate": None}
    off: dict[str, Any] = {"tax_rates": [], "tax_amount": None, "total_in_words": None}

    for text, expected in (("33333", []), ("33336", []), ("33337", ["line_amount"])):
        amount = Decimal(text)
        lines = [line(amount=amount, **price)]
        assert expected == rules(invoice(lines=lines, net_amount=amount, total_amount=amount, **off))


@pytest.mark.parametrize(("tax", "expected"), [("10001.5", []), ("10001.6", ["tax_sum"]), ("9998", ["tax_sum"])])
def test_a_rates_tax_is_net_times_rate(invoice: Make, tax: str, expected: list[str]) -> None:
    """One smallest unit and half a unit for the one line at this rate."""
    amount = Decimal(tax)
    row = {"rate": "10%", "net_amount": Decimal(100_000), "tax_amount": amount}

    assert expected == rules(
        invoice(tax_rates=[row], tax_amount=amount, total_amount=100_000 + amount, total_in_words=None)
    )


@pytest.mark.parametrize(("tax", "expected"), [("10001.5", []), ("10001.6", ["tax_sum"])])
def test_rates_add_up_to_the_tax(invoice: Make, tax: str, expected: list[str]) -> None:
    """One smallest unit and half a unit a rate."""
    amount = Decimal(tax)

    assert expected == rules(invoice(tax_amount=amount, total_amount=100_000 + amount, total_in_words=None))


def test_the_lines_rate_serves_when_there_are_no_rows(invoice: Make, line: Make) -> None:
    """All lines at one rate; with two rates nothing can be said."""
    wrong = {"tax_rates": None, "tax_amount": Decimal(5_000), "total_amount": Decimal(105_000), "total_in_words": None}
    two = [
        line(quantity=Decimal(1), amount=Decimal(50_000)),
        line(quantity=None, amount=Decimal(50_000), tax_rate="8%"),
    ]

    assert rules(invoice(**wrong)) == ["tax_sum"]
    assert rules(invoice(lines=two, **wrong)) == []


@pytest.mark.parametrize("rate", ["KHAC", "thử", None])
def test_a_rate_without_a_number_is_not_computed(invoice: Make, rate: str | None) -> None:
    """KHAC may be anything; an unreadable rate is another rule's."""
    row = {"rate": rate, "net_amount": Decimal(100_000), "tax_amount": Decimal(10_000)}

    assert "tax_sum" not in rules(invoice(tax_rates=[row]))
    assert rules(invoice(tax_rates=[{"rate": "10%", "net_amount": None, "tax_amount": None}])) == []
