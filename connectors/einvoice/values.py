"""Values of the format: numbers with a decimal point, days and times, as people and programs really write them."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime
from decimal import ROUND_HALF_UP, Context, Decimal, InvalidOperation

from streams.calendar import VIETNAM
from streams.errors import InputError

__all__ = ["SCALE", "parse_day", "parse_decimal", "parse_time", "plain"]

SCALE = Decimal("0.000001")
"""Six decimals: the scale of every decimal of the event types."""

_NUMBER = re.compile(r"[+-]?[0-9]{1,40}(\.[0-9]{0,40})?|[+-]?\.[0-9]{1,40}")
_CONTEXT = Context(prec=100, rounding=ROUND_HALF_UP)
_PRECISION = 28
_ISO_DAY = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
_VIETNAMESE_DAY = re.compile(r"([0-9]{1,2})[/.-]([0-9]{1,2})[/.-]([0-9]{4})(?:[ T].*)?")


def parse_decimal(text: str) -> Decimal:
    """
    Read a number with a decimal point, rounded half up to six decimals.

    >>> parse_decimal("10000.00")
    Decimal('10000.000000')

    Raises:
        InputError: a comma, an exponent, no number at all, or more than 22 digits before the point.
    """
    if not _NUMBER.fullmatch(text):
        raise InputError("is no number written with digits and a decimal point")
    try:
        value = _CONTEXT.create_decimal(text).quantize(SCALE, context=_CONTEXT)
    except InvalidOperation as error:  # pragma: no cover - the pattern lets no such text through
        raise InputError("is no number written with digits and a decimal point") from error
    if len(value.as_tuple().digits) > _PRECISION:
        raise InputError(f"has more than {_PRECISION - 6} digits before the decimal point")
    return value


def plain(value: Decimal) -> str:
    """
    Write a number without an exponent and without needless zeros.

    >>> plain(Decimal("1000000.00"))
    '1000000'
    """
    text = f"{value:f}"
    short = text.rstrip("0").rstrip(".") if "." in text else text
    return "0" if short in {"-0", ""} else short


def parse_day(text: str) -> date:
    """
    Read a day: ISO 8601, with or without a time, or day/month/year.

    A time with a zone counts as its day in Vietnam.

    >>> parse_day("2021-11-11T00:00:00") == parse_day("11/11/2021")
    True

    Raises:
        InputError: `text` is no day of the calendar.
    """
    try:
        if named := _VIETNAMESE_DAY.fullmatch(text):
            return date(int(named[3]), int(named[2]), int(named[1]))
        if _ISO_DAY.fullmatch(text):
            return date.fromisoformat(text)
        if _ISO_DAY.match(text):
            return _vietnamese(datetime.fromisoformat(text)).date()
    except (ValueError, OverflowError) as error:
        raise InputError("is no day of the calendar") from error
    raise InputError("is no day: it should be written as in 2021-11-11")


def parse_time(text: str) -> datetime:
    """
    Read a time as aware UTC; without a zone it is Vietnam's.

    Raises:
        InputError: `text` is no ISO 8601 time.
    """
    try:
        if _ISO_DAY.match(text):
            return _vietnamese(datetime.fromisoformat(text)).astimezone(UTC)
    except (ValueError, OverflowError) as error:
        raise InputError("is no time of the calendar") from error
    raise InputError("is no time: it should be written as in 2021-11-11T08:30:00")


def _vietnamese(moment: datetime) -> datetime:
    """Give a moment in Vietnam's time."""
    return moment.replace(tzinfo=VIETNAM) if moment.tzinfo is None else moment.astimezone(VIETNAM)
