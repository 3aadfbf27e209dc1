"""One row of a scan file: checked, cleaned, or refused column by column."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime

from connectors.postal.numbers import check_number, is_usable
from connectors.postal.scan_table import REQUIRED, Row
from connectors.postal.wording import both, place
from streams.calendar import VIETNAM
from streams.connector import RowRefusal

__all__ = ["Scan", "read_scan", "read_time"]

_EMSEVT = re.compile(r"EM[A-K]|ED[A-HX]|EX[A-DX]")
_ISO = re.compile(
    r"[0-9]{4}-[0-9]{2}-[0-9]{2}[T ][0-9]{2}:[0-9]{2}(:[0-9]{2}(\.[0-9]{1,6})?)?(Z|[+-][0-9]{2}:?[0-9]{2})?"
)
_VIETNAMESE = re.compile(r"([0-9]{1,2})/([0-9]{1,2})/([0-9]{4}) ([0-9]{1,2}):([0-9]{2})(?::([0-9]{2}))?")
_FIRST_DAY = datetime(2000, 1, 1, tzinfo=UTC)
_MAX_LENGTH = {"number": 80, "event_code": 10, "seen_at": 40, "office": 40, "place": 200, "remark": 500}
_UNENCODABLE = both("Ô có ký tự không hợp lệ.", "The cell has a character that is no text.")


@dataclass(frozen=True, slots=True)
class Scan:
    """
    A parcel seen by a postal operator.

    Args:
        number: as `check_number` writes it.
        event_code: UPU EMSEVT.
        seen_at: aware UTC.
        office: code of the post office.
        place: its name.
        remark: the operator's own words.
    """

    number: str
    event_code: str
    seen_at: datetime
    office: str | None
    place: str | None
    remark: str | None


def read_scan(row: Row, *, latest: datetime) -> Scan | list[RowRefusal]:
    """
    Read a row; every wrong column is named.

    Args:
        row: one row of the table.
        latest: a later scan is refused, because the date must be mistyped.
    """
    cells, faults = _clean_cells(row.cells)
    number = check_number(cells.get("number", ""))
    code = cells.get("event_code", "").upper()
    seen_at = read_time(cells.get("seen_at", ""))
    if not is_usable(number):
        faults.setdefault("number", number.reason or "")
    if not _EMSEVT.fullmatch(code):
        faults.setdefault("event_code", both("Ghi mã UPU EMSEVT, ví dụ EMI.", "Write an UPU EMSEVT code, as EMI."))
    if seen_at is None or not _FIRST_DAY <= seen_at <= latest:
        faults.setdefault(
            "seen_at",
            both(
                "Ghi thời điểm đã qua, dạng 2026-11-23T20:05+07:00 hoặc 23/11/2026 20:05.",
                "Write a time that has passed, as 2026-11-23T20:05+07:00 or 23/11/2026 20:05.",
            ),
        )
    if faults or seen_at is None:
        return [RowRefusal(position=place(row.number, column), reason=reason) for column, reason in faults.items()]
    return Scan(
        number=number.number,
        event_code=code,
        seen_at=seen_at,
        office=cells.get("office"),
        place=cells.get("place"),
        remark=cells.get("remark"),
    )


def read_time(text: str) -> datetime | None:
    """
    Read a time with an offset, or else local time; None for what is no time.

    >>> read_time("2026-11-23T20:05+07:00") == read_time("23/11/2026 20:05")
    True
    """
    try:
        at = datetime.fromisoformat(text) if _ISO.fullmatch(text) else _vietnamese_time(text)
        return at and (at if at.tzinfo else at.replace(tzinfo=VIETNAM)).astimezone(UTC)
    except (ValueError, OverflowError):
        return None


def _vietnamese_time(text: str) -> datetime | None:
    found = _VIETNAMESE.fullmatch(text)
    if not found:
        return None
    day, month, year, hour, minute, second = (int(part or 0) for part in found.groups())
    return datetime(year, month, day, hour, minute, second, tzinfo=VIETNAM)


def _clean_cells(cells: Mapping[str, str]) -> tuple[dict[str, str], dict[str, str]]:
    """Give the cells that hold something, and what is wrong by column."""
    cleaned: dict[str, str] = {}
    faults: dict[str, str] = {}
    for column, written in cells.items():
        text = _clean(written)
        if text is None:
            faults[column] = _UNENCODABLE
        elif len(text) > _MAX_LENGTH[column]:
            limit = _MAX_LENGTH[column]
            faults[column] = both(f"Ô dài quá {limit} ký tự.", f"The cell has more than {limit} characters.")
        elif text:
            cleaned[column] = text
    for column in REQUIRED:
        if column not in cleaned and column not in faults:
            faults[column] = both("Ô này không được để trống.", "This cell must not be empty.")
    return cleaned, faults


def _clean(text: str) -> str | None:
    """
    Fold to NFC, turn control characters into spaces, drop invisible ones (zero width, change of direction).

    None for a lone surrogate, which no encoding takes.
    """
    kept: list[str] = []
    for letter in unicodedata.normalize("NFC", text):
        category = unicodedata.category(letter)
        if category == "Cs":
            return None
        if category != "Cf":
            kept.append(" " if category == "Cc" else letter)
    return "".join(kept).strip()
