"""Amounts that an officer types become legal acts."""

from __future__ import annotations

from decimal import Decimal

import pytest

from lienthong.commands.act import amount_of
from streams.errors import InputError


@pytest.mark.parametrize(
    ("text", "amount"),
    [("15000000", 15_000_000), ("15.000.000", 15_000_000), ("15,000,000", 15_000_000), ("0", 0), ("10.500", 10_500)],
)
def test_digits_in_groups_are_one_number(text: str, amount: int) -> None:
    """As they are written in Vietnam, or abroad, or without groups."""
    assert Decimal(amount) == amount_of(text)


@pytest.mark.parametrize(
    "text",
    ["", "10.5", "15000000.50", "1.5000", "15.000,000", "-5", "+5", "1e6", "NaN", "Infinity", "1_000", " 5", "٥", "5đ"],
)
def test_what_could_mean_another_amount_is_refused(text: str) -> None:
    """A payment block ten times too large is worse than a question."""
    with pytest.raises(InputError, match="15000000"):
        amount_of(text)


def test_no_amount_is_all_of_it() -> None:
    """The option was left away."""
    assert amount_of(None) is None
