"""Numbers, days and times as files write them."""

from __future__ import annotations

import contextlib
from datetime import UTC, date, datetime
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connectors.einvoice.values import parse_day, parse_decimal, parse_time, plain
from streams.errors import InputError

DECIMALS = st.decimals(min_value=-(10**21), max_value=10**21, places=6)


@given(DECIMALS)
def test_a_decimal_survives_writing_and_reading(value: Decimal) -> None:
    """Reading what was written gives the same number, and it fits into precision 28, scale 6."""
    read = parse_decimal(plain(value))

    assert value == read
    assert read.as_tuple().exponent == -6
    assert "E" not in plain(read)


@given(st.text(max_size=60))
def test_any_text_is_a_number_or_an_input_error(text: str) -> None:
    """Nothing else comes out of a hostile text."""
    for parse in (parse_decimal, parse_day, parse_time):
        with contextlib.suppress(InputError):
            assert parse(text) is not None


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("1000000.0", "1000000"),
        ("1000000", "1000000"),
        ("-0.00", "0"),
        ("0007", "7"),
        ("-5.10", "-5.1"),
        (".5", "0.5"),
        ("5.", "5"),
        ("0.0000005", "0.000001"),
        ("+3", "3"),
        ("9" * 22, "9" * 22),
    ],
)
def test_numbers_have_one_spelling(text: str, expected: str) -> None:
    """Equal numbers are written equally."""
    assert expected == plain(parse_decimal(text))


@pytest.mark.parametrize(
    "text", ["1,5", "1.000.000", "1E+6", "NaN", "Infinity", "", " 1", "１２", "9" * 23, "0x10", "."]
)
def test_what_is_no_number_is_an_input_error(text: str) -> None:
    """Commas, exponents, other scripts' digits and too many digits are never guessed at."""
    with pytest.raises(InputError):
        parse_decimal(text)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("2021-11-02", date(2021, 11, 2)),
        ("2021-11-02T14:35:55", date(2021, 11, 2)),
        ("2021-11-02T00:00:00.1234567", date(2021, 11, 2)),
        ("2021-11-02 14:35", date(2021, 11, 2)),
        ("2021-11-01T18:00:00Z", date(2021, 11, 2)),
        ("2021-11-02T00:00:00+07:00", date(2021, 11, 2)),
        ("02/11/2021", date(2021, 11, 2)),
        ("2.11.2021 08:00", date(2021, 11, 2)),
    ],
)
def test_days_are_read_in_every_usual_form(text: str, expected: date) -> None:
    """A time with a zone counts as its day in Vietnam."""
    assert expected == parse_day(text)


@pytest.mark.parametrize("text", ["2021-13-01", "31/02/2021", "hôm nay", "20211102", "9999-12-31T23:00:00-12:00", ""])
def test_what_is_no_day_is_an_input_error(text: str) -> None:
    """A day that the calendar does not have is refused."""
    with pytest.raises(InputError):
        parse_day(text)


def test_a_time_without_a_zone_is_vietnams() -> None:
    """Files say local time."""
    assert datetime(2021, 11, 2, 7, 35, tzinfo=UTC) == parse_time("2021-11-02T14:35:00")
    assert parse_time("2021-11-02T14:35:00") == parse_time("2021-11-02T07:35:00Z")


@pytest.mark.parametrize("text", ["lúc nãy", "2021-11-02T99:00"])
def test_what_is_no_time_is_an_input_error(text: str) -> None:
    """As for days."""
    with pytest.raises(InputError):
        parse_time(text)
