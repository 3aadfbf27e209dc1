"""The calendar day of a moment in Vietnam, which is what an invoice's date is compared with."""

from __future__ import annotations

from datetime import date, datetime, timedelta, timezone

__all__ = ["VIETNAM", "vietnamese_day"]

VIETNAM = timezone(timedelta(hours=7))
"""Vietnamese time, the same all year: a day begins at 17:00 UTC."""


def vietnamese_day(moment: datetime) -> date:
    """
    Give the day in Vietnam; at the calendar's very end, where no later day exists, the day as it is.

    >>> from datetime import UTC
    >>> vietnamese_day(datetime(2026, 7, 1, 17, tzinfo=UTC))
    datetime.date(2026, 7, 2)
    """
    try:
        return moment.astimezone(VIETNAM).date()
    except OverflowError:
        return moment.date()
