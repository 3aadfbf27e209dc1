"""Days are Vietnamese days."""

from __future__ import annotations

from datetime import UTC, date, datetime

from hypothesis import given
from hypothesis import strategies as st

from streams.calendar import begin_of_day, vietnamese_day


def test_the_day_begins_at_five_in_the_afternoon_utc() -> None:
    """Seven hours ahead, all year."""
    assert vietnamese_day(datetime(2026, 11, 23, 16, 59, tzinfo=UTC)) == date(2026, 11, 23)
    assert vietnamese_day(datetime(2026, 11, 23, 17, 0, tzinfo=UTC)) == date(2026, 11, 24)


@given(st.dates(date(2000, 1, 1), date(2100, 1, 1)))
def test_a_day_begins_on_itself(day: date) -> None:
    """The two functions agree."""
    assert vietnamese_day(begin_of_day(day)) == day
