"""The rules about totals, words and rates' names: a hit, a near miss at the edge, absent fields."""

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


@pytest.mark.parametrize(
    ("total", "expected"),
    [("110002", {}), ("110003", {"total_sum": "low"}), ("109998", {}), ("109997", {"total_sum": "medium"})],
)
def test_the_total_is_net_and_tax(invoice: Make, total: str, expected: dict[str, str]) -> None:
    """Two smallest units; a higher total may have fees in it and weighs less."""
    assert expected == severities(invoice(total_amount=Decimal(total), total_in_words=None))


def test_the_total_may_be_less_the_discount(invoice: Make) -> None:
    """The discount is taken after tax."""
    paid = {"discount_amount": Decimal(10_000), "total_in_words": None}

    assert rules(invoice(total_amount=Decimal(100_000), **paid)) == []
    assert rules(invoice(total_amount=Decimal(95_000), **paid)) == ["total_sum"]


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        ("một trăm mười nghìn lẻ một đồng", {}),
        ("một trăm mười nghìn lẻ hai đồng", {"amount_in_words": "high"}),
        ("mười một nghìn đồng", {"amount_in_words": "high"}),
        ("âm một trăm mười nghìn đồng", {"amount_in_words": "high"}),
        ("một trăm mười", {"amount_in_words": "high"}),
        ("không đọc được", {}),
        (None, {}),
    ],
)
def test_the_words_say_the_total(invoice: Make, words: str | None, expected: dict[str, str]) -> None:
    """One dong is taken; what cannot be read accuses no one."""
    assert expected == severities(invoice(total_in_words=words))


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        ("mười đô la Mỹ", {}),
        ("mười đô la Mỹ và bốn mươi chín xu", {}),
        ("mười đô la Mỹ và bốn mươi tám xu", {"amount_in_words": "high"}),
        ("chín đô la Mỹ", {"amount_in_words": "high"}),
        ("hai trăm sáu mươi hai nghìn năm trăm đồng", {"amount_in_words": "low"}),
    ],
)
def test_words_in_dollars_may_leave_out_cents_or_state_dong(
    invoice: Make, words: str, expected: dict[str, str]
) -> None:
    """Without cents less than a dollar is taken; dong at the invoice's rate weigh little."""
    dollars = invoice(
        currency="USD",
        exchange_rate=Decimal(25_000),
        lines=None,
        tax_rates=None,
        net_amount=Decimal("10.50"),
        tax_amount=None,
        total_amount=Decimal("10.50"),
        total_in_words=words,
    )

    assert expected == severities(dollars)


def test_a_negative_total_may_be_written_without_its_sign(invoice: Make) -> None:
    """Decreases by correction are often spelled as they would be paid back."""
    decrease = {"lines": None, "tax_rates": None, "net_amount": None, "tax_amount": None}

    for words in ("Một trăm nghìn đồng", "Âm một trăm nghìn đồng"):
        assert rules(invoice(total_amount=Decimal(-100_000), total_in_words=words, **decrease)) == []


@pytest.mark.parametrize("total", [Decimal(0), Decimal(-110_000)])
def test_a_total_below_the_lines_needs_a_reason(invoice: Make, line: Make, total: Decimal) -> None:
    """Positive goods lines and nothing to pay."""
    nothing = {"total_amount": total, "net_amount": None, "tax_amount": Decimal(1), "tax_rates": None}
    nothing["total_in_words"] = None

    assert rules(invoice(**nothing)) == ["total_sign"]
    assert rules(invoice(title="Hóa đơn ĐIỀU CHỈNH giảm", **nothing)) == []
    assert rules(invoice(title=None, lines=[line(), line(kind=3)], **nothing)) == []
    assert rules(invoice(discount_amount=Decimal(100_000), **nothing)) == []
    assert rules(invoice(lines=[line(kind=2)], **nothing)) == []


def test_a_rate_that_never_was_is_named(invoice: Make, line: Make) -> None:
    """The known ones are written in many ways."""
    known = ["0%", "0", "5%", " 8 %", "10%%", "3,5%", "5.260%", "7%", "KCT", "kkknt", "KHAC:9%", "", None]
    lines = [line(tax_rate=rate, amount=Decimal(0), quantity=None) for rate in known]
    same = {"tax_rates": None, "net_amount": None, "tax_amount": None, "total_amount": None, "total_in_words": None}

    assert rules(invoice(lines=lines, **same)) == []
    found = check_invoice(invoice(lines=[*lines, line(tax_rate="9%")], **same), reveal_personal)
    assert [(each.rule_id, each.severity, each.inputs) for each in found] == [
        ("tax_rate_unknown", "low", {"rates": "9%"})
    ]
