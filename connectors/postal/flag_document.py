"""
What a postal operator gets for `shipment.flagged`: one JSON document and one CSV row, equal bytes for a repeat.

It says itself that it is an alert and no order.
"""

from __future__ import annotations

import csv
import io
import json
from datetime import UTC, datetime
from typing import Any

from streams.errors import PermanentError
from streams.event import Event
from streams.names import EventType
from streams.sealing import Reveal

__all__ = ["ADVICE_EN", "ADVICE_VI", "SHIPMENT_FLAGGED", "flag_csv", "flag_json", "safe_cell"]

SHIPMENT_FLAGGED = EventType("shipment.flagged")
"""The event type that becomes a document."""

ADVICE_VI = (
    "Đây là cảnh báo, không phải lệnh: không ai bị yêu cầu giữ bưu gửi. "
    "Khi thấy bưu gửi, đề nghị ghi lại nơi và thời điểm quét rồi báo lại bằng tệp quét."
)
"""What to do, in Vietnamese."""

ADVICE_EN = (
    "This is an alert, not an order: it orders no one to hold the parcel. "
    "When you see the parcel, note where and when it was scanned and report it in a scan file."
)
"""What to do, in English."""

_FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r", "\n")
_BYTE_ORDER_MARK = "\ufeff"  # without it Excel reads Vietnamese text as another code page


def flag_json(event: Event, reveal: Reveal) -> bytes:
    """
    Make the JSON document of a flag.

    Raises:
        PermanentError: the number cannot be opened (code `number_not_opened`).
    """
    fields = _fields(event, reveal)
    document = {**fields, "advice": {"vi": ADVICE_VI, "en": ADVICE_EN}}
    return (json.dumps(document, ensure_ascii=False, indent=2) + "\n").encode("utf-8", errors="replace")


def flag_csv(event: Event, reveal: Reveal) -> bytes:
    """
    Make the CSV file of a flag: a header and one row, for Excel.

    Raises:
        PermanentError: the number cannot be opened (code `number_not_opened`).
    """
    fields = _fields(event, reveal)
    row = {**fields, "reasons": " ".join(fields["reasons"]), "advice_vi": ADVICE_VI, "advice_en": ADVICE_EN}
    text = io.StringIO()
    writer = csv.writer(text, quoting=csv.QUOTE_ALL, lineterminator="\r\n")
    writer.writerow(row)
    writer.writerow(safe_cell(value or "") for value in row.values())
    return (_BYTE_ORDER_MARK + text.getvalue()).encode("utf-8", errors="replace")


def safe_cell(text: str) -> str:
    """
    Keep a spreadsheet from taking a text for a formula.

    >>> safe_cell("=1+1")
    "'=1+1"
    >>> safe_cell("Bưu cục Phủ Lý")
    'Bưu cục Phủ Lý'
    """
    return f"'{text}" if text.startswith(_FORMULA_STARTS) else text


def _fields(event: Event, reveal: Reveal) -> dict[str, Any]:
    number = reveal(event.data.get("number"))
    if not number:
        raise PermanentError(
            f"The parcel's number in {event.id} cannot be opened: this agency needs a grant for its key.",
            code="number_not_opened",
        )
    return {
        "event_id": str(event.id),
        "number": number,
        "carrier": event.data.get("carrier"),
        "valid_until": _time(event.data.get("valid_until")),
        "reasons": [reason["code"] for reason in event.data.get("reasons") or ()],
    }


def _time(at: datetime | None) -> str | None:
    return at.astimezone(UTC).isoformat().replace("+00:00", "Z") if at else None
