"""
Dated entries: what the directory and the law consist of, and what can be said about their days.

A span of days has its first and its last day, both included; an open end is `date.max`.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date, timedelta

from pydantic import BaseModel, ConfigDict

__all__ = ["Dated", "Days", "Table", "common_days", "days_left", "next_day"]

Days = tuple[date, date]
"""First and last day, both included."""


class Table(BaseModel):
    """One table of a TOML file; an unknown key is an error."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class Dated(Table):
    """A table that holds from its first to its last day; without a last one it holds on."""

    valid_from: date
    valid_to: date = date.max

    @property
    def days(self) -> Days:
        """Its first and its last day."""
        return self.valid_from, self.valid_to

    def holds(self, *, on: date) -> bool:
        """Say whether it holds on a day; both ends are included."""
        return self.valid_from <= on <= self.valid_to


def common_days(*spans: Days) -> Days | None:
    """
    Give the days that are in all of some spans, None when there is none.

    >>> common_days((date(2023, 7, 1), date.max), (date(2020, 1, 1), date(2023, 7, 1)))
    (datetime.date(2023, 7, 1), datetime.date(2023, 7, 1))
    """
    first, last = max(each[0] for each in spans), min(each[1] for each in spans)
    return (first, last) if first <= last else None


def days_left(days: Days, *, without: Iterable[Days]) -> list[Days]:
    """
    Give those days of a span that are in none of some others, as spans, oldest first.

    One that ends before it begins has no days.

    >>> days_left((date(2024, 1, 1), date(2024, 1, 9)), without=[(date(2024, 1, 3), date(2024, 1, 8))])[1]
    (datetime.date(2024, 1, 9), datetime.date(2024, 1, 9))
    """
    left = []
    first, last = days
    for begin, end in sorted(each for each in without if each[0] <= each[1]):
        if begin > last:
            break
        if begin > first:
            left.append((first, begin - timedelta(days=1)))
        if end >= last:
            return left
        first = max(first, next_day(end))
    return [*left, (first, last)] if first <= last else left


def next_day(day: date) -> date:
    """Give the day after a day; after the calendar's last one there is none, and it stays."""
    return day if day == date.max else day + timedelta(days=1)
