"""
Scan files as tables: CSV or JSON bytes become rows of named cells, and whatever is no row becomes a refusal.

Columns that are not asked for are left out; what a clerk wrote is never quoted in a refusal, for it may be personal.
"""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from connectors.postal.wording import WHOLE_FILE, both, place
from streams.connector import RowRefusal

__all__ = ["COLUMNS", "REQUIRED", "Row", "read_csv", "read_json"]

REQUIRED = ("number", "event_code", "seen_at")
"""Columns without which a row is nothing."""

COLUMNS = (*REQUIRED, "office", "place", "remark")
"""Columns that are read."""

_NOT_TEXT = both("Tệp không phải văn bản UTF-8: lưu lại dạng CSV UTF-8.", "The file is no UTF-8 text: save it so.")


@dataclass(frozen=True, slots=True)
class Row:
    """
    One row.

    Args:
        number: counted as a spreadsheet counts; for JSON, the element's place counted from 1.
        cells: by column name, as written.
    """

    number: int
    cells: Mapping[str, str]


def read_csv(data: bytes, *, max_rows: int) -> Iterator[Row | RowRefusal]:
    """Read CSV with `,` or `;`, a header, with or without a byte order mark; stops at what breaks the table."""
    text = _text(data)
    if isinstance(text, RowRefusal):
        yield text
        return
    first = text.lstrip().partition("\n")[0]
    delimiter = ";" if first.count(";") > first.count(",") else ","
    records = enumerate(csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True), start=1)
    number = 0
    try:
        header: list[str] | None = None
        for number, record in records:
            if not any(cell.strip() for cell in record):
                continue
            if header is None:
                header = [name.strip().lower() for name in record]
                fault = _header_fault(header)
                if fault:
                    yield RowRefusal(position=place(number), reason=fault)
                    return
            elif number > max_rows + 1:
                yield _too_many(number, max_rows)
                return
            else:
                yield _csv_row(number, header, record)
    except csv.Error:
        yield RowRefusal(
            position=place(number + 1),
            reason=both(
                "Bảng bị hỏng từ dòng này (dấu ngoặc kép chưa đóng?): các dòng sau không được đọc.",
                "The table is broken from this row on (an open quote?): the rows after it were not read.",
            ),
        )


def read_json(data: bytes, *, max_rows: int) -> Iterator[Row | RowRefusal]:
    """Read a JSON list of objects whose values are texts, whole numbers or null."""
    text = _text(data)
    if isinstance(text, RowRefusal):
        yield text
        return
    try:
        elements = json.loads(text, object_pairs_hook=_object, parse_constant=_no_constant)
    except (ValueError, RecursionError):
        elements = None
    if not isinstance(elements, list):
        yield RowRefusal(
            position=WHOLE_FILE,
            reason=both(
                "Tệp không phải danh sách JSON gồm các đối tượng, mỗi khóa một lần.",
                "The file is no JSON list of objects with each key once.",
            ),
        )
        return
    for number, element in enumerate(elements, start=1):
        if number > max_rows:
            yield _too_many(number, max_rows)
            return
        yield _json_row(number, element)


def _text(data: bytes) -> str | RowRefusal:
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError:
        return RowRefusal(position=WHOLE_FILE, reason=_NOT_TEXT)


def _header_fault(header: list[str]) -> str | None:
    missing = ", ".join(name for name in REQUIRED if name not in header)
    if missing:
        return both(f"Dòng tiêu đề thiếu cột {missing}.", f"The header has no column {missing}.")
    twice = ", ".join(name for name in COLUMNS if header.count(name) > 1)
    if twice:
        return both(f"Cột {twice} xuất hiện hai lần.", f"Column {twice} is there twice.")
    return None


def _csv_row(number: int, header: list[str], record: list[str]) -> Row | RowRefusal:
    if any(cell.strip() for cell in record[len(header) :]):
        return RowRefusal(
            position=place(number),
            reason=both(
                "Dòng có nhiều ô hơn tiêu đề: đặt văn bản có dấu phân cách trong ngoặc kép.",
                "The row has more cells than the header: put text with a separator in double quotes.",
            ),
        )
    cells = dict(zip(header, record, strict=False))
    return Row(number=number, cells={name: cells[name] for name in COLUMNS if name in cells})


def _json_row(number: int, element: Any) -> Row | RowRefusal:
    if not isinstance(element, dict):
        return RowRefusal(
            position=place(number), reason=both("Phần tử không phải đối tượng.", "The element is no object.")
        )
    cells: dict[str, str] = {}
    for name in COLUMNS:
        value = element.get(name)
        if value is None:
            continue
        if isinstance(value, bool) or not isinstance(value, str | int):
            return RowRefusal(
                position=place(number, name), reason=both("Ghi giá trị dạng chuỗi.", "Write the value as a text.")
            )
        cells[name] = str(value)
    return Row(number=number, cells=cells)


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    made = {name.strip().lower(): value for name, value in pairs}
    if len(made) != len(pairs):
        raise ValueError("a key stands twice")
    return made


def _no_constant(name: str) -> None:
    raise ValueError(f"{name} is no JSON")


def _too_many(number: int, max_rows: int) -> RowRefusal:
    return RowRefusal(
        position=place(number),
        reason=both(
            f"Tệp có hơn {max_rows} dòng: từ dòng này không được đọc, chia tệp ra và gửi phần còn lại.",
            f"The file has more than {max_rows} rows: from this row on nothing was read; send the rest as another.",
        ),
    )
