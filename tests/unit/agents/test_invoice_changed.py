"""The rule that remembers: one invoice key, another amount or date."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import date
from decimal import Decimal
from typing import Any

import pytest

from agents.tax_office.rules.invoice_changed import MAX_REPORTED, NO_NUMBER, compare, invoice_key

Make = Callable[..., dict[str, Any]]


def with_ref(invoice: dict[str, Any], **changes: Any) -> dict[str, Any]:
    """Change fields of the natural key."""
    return {**invoice, "invoice": {**invoice["invoice"], **changes}}


@pytest.mark.parametrize(
    "changes", [{"number": "0000007"}, {"number": " 7 "}, {"series": "1C26TVD"}, {"series": "1C26TVD", "form": ""}]
)
def test_ways_of_writing_a_key_make_one_key(invoice: Make, changes: dict[str, str]) -> None:
    """Leading zeros and the template digit before the series do not matter."""
    assert invoice_key(invoice()) == invoice_key(with_ref(invoice(), **changes))


@pytest.mark.parametrize("changes", [{"number": "8"}, {"series": "C26TVE"}, {"form": "2"}, {"series": "2C26TVD"}])
def test_another_invoice_has_another_key(invoice: Make, changes: dict[str, str]) -> None:
    """Each part counts."""
    assert invoice_key(invoice()) != invoice_key(with_ref(invoice(), **changes))


def test_the_same_again_is_no_finding(invoice: Make) -> None:
    """A repeat, with the authority's code or in another envelope, changes nothing."""
    _, state = compare(invoice(), {})

    assert state is not None
    assert compare({**invoice(), "message_kind": "202"}, state) == (None, None)
    assert compare({**invoice(), "total_amount": Decimal("110000.00")}, state) == (None, None)


@pytest.mark.parametrize(
    ("changes", "name", "values"),
    [
        ({"total_amount": Decimal(110_001)}, "total_amount", ("110000", "110001")),
        ({"tax_amount": Decimal(8_000)}, "tax_amount", ("10000", "8000")),
        ({"currency": "USD"}, "currency", ("VND", "USD")),
    ],
)
def test_another_amount_is_found_at_any_difference(
    invoice: Make, changes: dict[str, Any], name: str, values: tuple[str, str]
) -> None:
    """The tolerance is nothing."""
    _, state = compare(invoice(), {})
    assert state is not None

    found, after = compare({**invoice(), **changes}, state)

    assert found is not None
    assert (found.rule_id, found.severity) == ("invoice_changed", "high")
    assert {f"first_{name}": values[0], name: values[1]} == found.inputs
    assert after is not None
    assert after["first"] == state["first"]


def test_another_date_is_found_and_reported_once(invoice: Make) -> None:
    """The same other version a second time says nothing new."""
    _, state = compare(invoice(), {})
    assert state is not None
    later = with_ref(invoice(), issued_on=date(2026, 11, 21))

    found, after = compare(later, state)
    assert found is not None
    assert after is not None

    assert compare(later, after) == (None, None)
    assert "2026-11-20 → 2026-11-21" in found.message_en


def test_a_value_absent_on_one_side_is_no_difference(invoice: Make) -> None:
    """What was not said cannot be contradicted."""
    _, state = compare({**invoice(), "total_amount": None}, {})

    assert state is not None
    assert compare(with_ref(invoice(), issued_on=None), state) == (None, None)


@pytest.mark.parametrize("number", ["", "   ", None])
def test_invoices_without_a_number_are_not_compared(invoice: Make, number: str | None) -> None:
    """They have no key of their own."""
    unnumbered = with_ref(invoice(), number=number)

    assert invoice_key(unnumbered).endswith(NO_NUMBER)
    assert compare(unnumbered, {}) == (None, None)


def test_an_invoice_numbered_zero_has_a_key(invoice: Make) -> None:
    """A number of zeros is a number."""
    assert invoice_key(with_ref(invoice(), number="000")).endswith("|000")


def test_the_state_is_json_and_bounded(invoice: Make) -> None:
    """However many versions come, the first stays and at most the bound is kept beside it."""
    _, state = compare(invoice(), {})
    first = state
    for extra in range(MAX_REPORTED * 2):
        _, state = compare({**invoice(), "total_amount": Decimal(1_000_000 + extra)}, json.loads(json.dumps(state)))

    assert state is not None
    assert first is not None
    assert first["first"] == state["first"]
    assert len(state["reported"]) == MAX_REPORTED
