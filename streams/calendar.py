"""Days are Vietnamese days (UTC+7 all year); moments are UTC."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta, timezone

__all__ = ["VIETNAM", "begin_of_day", "vietnamese_day"]

VIETNAM = timezone(timedelta(hours=7), "Asia/Ho_Chi_Minh")
"""Vietnam's time: seven hours ahead of UTC, without summer time since 1975."""


def vietnamese_day(moment: datetime) -> date:
    """
    Say which day it is in Vietnam; at the calendar's very end, where no later day exists, the day as it is.

    >>> vietnamese_day(datetime(2026, 11, 23, 18, 0, tzinfo=UTC))
    datetime.date(2026, 11, 24)
    """
    try:
        return moment.astimezone(VIETNAM).date()
    except OverflowError:
        return moment.date()


def begin_of_day(day: date) -> datetime:
    """
    Say when a day begins in Vietnam, in UTC.

    >>> begin_of_day(date(2026, 11, 24))
    datetime.datetime(2026, 11, 23, 17, 0, tzinfo=datetime.timezone.utc)
    """
    return datetime(day.year, day.month, day.day, tzinfo=VIETNAM).astimezone(UTC)
