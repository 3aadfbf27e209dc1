"""The rules about tax codes, parties and dates, and what holds for every rule."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agents.tax_office import RULE_CARDS, check_invoice
from agents.tax_office.rules import RULES
from streams.sealing import Personal, reveal_personal
from streams.subject import pseudonym

Make = Callable[..., dict[str, Any]]
SELLER = pseudonym("seller", "vn-mst", "x")
WRONG_CODE = "0100233487"


def rules(invoice: dict[str, Any]) -> list[str]:
    """Name the rules that find something."""
    return [each.rule_id for each in check_invoice(invoice, reveal_personal)]


@pytest.mark.parametrize(
    ("code", "expected"),
    [
        ("0100233488", []),
        ("0100 233 488", []),
        ("0100233488-999", []),
        ("001099012345", []),
        ("", []),
        (WRONG_CODE, ["seller_tax_code"]),
        ("0100233487-001", ["seller_tax_code"]),
        ("100233488", ["seller_tax_code"]),
        ("MST chưa có", ["seller_tax_code"]),
    ],
)
def test_a_sellers_tax_code_has_its_check_digit(invoice: Make, code: str, expected: list[str]) -> None:
    """10 and 13 digits are checked, 12 digits are a person's number and taken in form."""
    changed = invoice(seller_tax_code=Personal(SELLER, code), buyer_tax_code=None)

    assert expected == rules(changed)


def test_no_finding_tells_a_personal_value(invoice: Make) -> None:
    """Neither messages nor inputs hold the code that is wrong."""
    code = Personal(SELLER, WRONG_CODE)

    found = check_invoice(invoice(seller_tax_code=code, buyer_tax_code=code), reveal_personal)

    assert [each.rule_id for each in found] == ["same_party", "seller_tax_code"]
    assert WRONG_CODE not in repr(found)


def test_a_closed_tax_code_accuses_no_one(invoice: Make) -> None:
    """Without the key nothing is known."""
    sealed = {"key_id": "k", "nonce": b"n", "ciphertext": b"c"}

    assert rules(invoice(seller_tax_code=sealed, buyer_tax_code=sealed)) == []


def test_a_sale_to_oneself_is_found_but_on_delivery_notes(invoice: Make) -> None:
    """Written differently it is still the same code; a branch is another party."""
    invoice_data = invoice(buyer_tax_code=Personal(SELLER, "0100233488 001"))
    note = {**invoice_data, "invoice": {**invoice_data["invoice"], "form": "6"}}

    assert rules(invoice_data) == ["same_party"]
    assert rules(note) == []
    assert rules(invoice(buyer_tax_code=Personal(SELLER, "0100233488-002"))) == []


@pytest.mark.parametrize(
    ("sent_at", "expected"),
    [
        (datetime(2026, 11, 20, 16, 59, tzinfo=UTC), []),
        (datetime(2026, 11, 19, 17, tzinfo=UTC), []),
        (datetime(2026, 11, 19, 16, 59, tzinfo=UTC), ["dated_after_sent"]),
    ],
)
def test_the_date_is_compared_by_vietnamese_days(invoice: Make, sent_at: datetime, expected: list[str]) -> None:
    """17:00 UTC begins the next day."""
    assert expected == rules(invoice(sent_at=sent_at))


def test_without_a_time_of_sending_the_time_of_receipt_serves(invoice: Make) -> None:
    """For a date in the future only: an archive may come at any time."""
    early = datetime(2026, 11, 1, tzinfo=UTC)

    (found,) = check_invoice(invoice(sent_at=None, received_at=early), reveal_personal)

    assert (
        found.rule_id,
        found.inputs["days"],
        found.inputs["received_on"],
    ) == ("dated_after_sent", "19", "2026-11-01")
    assert rules(invoice(sent_at=None, received_at=datetime(2030, 1, 1, tzinfo=UTC))) == []
    assert rules(invoice(sent_at=None, received_at=None)) == []


@pytest.mark.parametrize(("days", "expected"), [(60, []), (61, ["dated_long_before_sent"])])
def test_a_date_long_before_sending_is_found(invoice: Make, days: int, expected: list[str]) -> None:
    """60 days are taken."""
    assert expected == rules(invoice(sent_at=datetime(2026, 11, 20, tzinfo=UTC) + timedelta(days=days)))


def test_the_calendars_end_stops_no_rule(invoice: Make) -> None:
    """A hostile time has no next day."""
    assert rules(invoice(sent_at=datetime.max.replace(tzinfo=UTC))) == ["dated_long_before_sent"]


def test_rules_stand_in_the_order_of_their_ids_with_cards_in_both_languages() -> None:
    """Cards include the one that needs a state."""
    ids = [each.card.id for each in RULES]

    assert sorted(ids) == ids
    assert sorted({*ids, "invoice_changed"}) == [each.id for each in RULE_CARDS]
    assert all(each.description_vi != each.description_en and each.version.isdigit() for each in RULE_CARDS)


DECIMALS = st.none() | st.decimals(min_value=Decimal(-(10**21)), max_value=Decimal(10**21), places=6)
TEXTS = st.none() | st.text(max_size=12)
LINES = st.fixed_dictionaries(
    {
        "kind": st.none() | st.integers(0, 9),
        "quantity": DECIMALS,
        "unit_price": DECIMALS,
        "discount_rate": DECIMALS,
        "discount_amount": DECIMALS,
        "amount": DECIMALS,
        "tax_rate": TEXTS,
    }
)
RATES = st.fixed_dictionaries({"rate": TEXTS, "net_amount": DECIMALS, "tax_amount": DECIMALS})
INVOICES = st.fixed_dictionaries(
    {
        "seller": st.just(SELLER.as_data()),
        "invoice": st.fixed_dictionaries({"form": st.text(max_size=3), "issued_on": st.none() | st.dates()}),
        "title": TEXTS,
        "seller_tax_code": TEXTS.map(lambda text: None if text is None else Personal(SELLER, text)),
        "buyer_tax_code": TEXTS.map(lambda text: None if text is None else Personal(SELLER, text)),
        "currency": TEXTS,
        "exchange_rate": DECIMALS,
        "lines": st.none() | st.lists(LINES, max_size=3),
        "tax_rates": st.none() | st.lists(RATES, max_size=2),
        "net_amount": DECIMALS,
        "tax_amount": DECIMALS,
        "discount_amount": DECIMALS,
        "total_amount": DECIMALS,
        "total_in_words": TEXTS,
        "sent_at": st.none() | st.datetimes(timezones=st.just(UTC)),
        "received_at": st.none() | st.datetimes(timezones=st.just(UTC)),
    }
)


@given(INVOICES)
def test_no_invoice_stops_a_rule(invoice: dict[str, Any]) -> None:
    """Whatever the fields hold, there is a list of findings, the same again for the same invoice."""
    found = check_invoice(invoice, reveal_personal)

    assert found == check_invoice(invoice, reveal_personal)
    assert all(isinstance(value, str) for each in found for value in each.inputs.values())
    assert all(each.message_vi and each.message_en for each in found)


def test_dates_are_told_in_each_languages_way(invoice: Make) -> None:
    """Day first in Vietnamese, ISO in English."""
    late = invoice()
    late["invoice"]["issued_on"] = date(2026, 11, 22)

    (found,) = check_invoice(late, reveal_personal)

    assert "22/11/2026" in found.message_vi
    assert "2026-11-22" in found.message_en
