"""Spans of days: what they have in common, and what is left of one."""

from __future__ import annotations

from datetime import date, timedelta
from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from streams.dated import Days, common_days, days_left, next_day

DAY = st.dates(date(2024, 1, 1), date(2024, 2, 29))
SPANS = st.lists(st.tuples(DAY, DAY | st.just(date.max)), max_size=5)
WINDOW = [date(2023, 12, 25) + timedelta(days=number) for number in range(80)]


def within(day: date, span: Days) -> bool:
    """Say whether a day is in a span."""
    return span[0] <= day <= span[1]


@given(first=st.tuples(DAY, DAY), second=st.tuples(DAY, DAY | st.just(date.max)))
def test_common_days_are_in_both(first: Days, second: Days) -> None:
    """Day by day; a span that ends before it begins has none."""
    common = common_days(first, second)

    both = [day for day in WINDOW if within(day, first) and within(day, second)]
    assert ([] if common is None else [day for day in WINDOW if within(day, common)]) == both


@given(span=st.tuples(DAY, DAY | st.just(date.max)), others=SPANS)
def test_what_is_left_is_in_the_span_and_in_no_other(span: Days, others: list[Days]) -> None:
    """Day by day, in spans that are apart and in order."""
    left = days_left(span, without=others)

    expected = [day for day in WINDOW if within(day, span) and not any(within(day, each) for each in others)]
    assert [day for day in WINDOW if any(within(day, each) for each in left)] == expected
    assert all(next_day(before[1]) < after[0] for before, after in pairwise(left))
    assert all(each[0] <= each[1] for each in left)


def test_the_calendar_has_an_end() -> None:
    """After its last day comes none."""
    assert (next_day(date.max), next_day(date(2024, 2, 28))) == (date.max, date(2024, 2, 29))
    assert days_left((date(2024, 1, 1), date.max), without=[(date(2024, 1, 1), date.max)]) == []
