"""The postal operator's scan file: where flagged parcels were seen, in UPU EMSEVT event codes."""

from __future__ import annotations

import csv
from collections.abc import Sequence
from datetime import date, timedelta
from pathlib import Path

__all__ = ["write_scans"]

_COLUMNS = ("number", "event_code", "office", "place", "seen_at", "remark")
_SEEN = (
    ("EMA", "180000", "Bưu cục Ví Dụ 1", "08:30:00", "Nhận gửi"),
    ("EMC", "181000", "Trung tâm khai thác Ví Dụ", "11:05:00", ""),
    ("EMG", "182000", "Bưu cục phát Ví Dụ 2", "16:40:00", "Chờ phát"),
)


def write_scans(folder: Path, numbers: Sequence[str], as_of: date) -> Path:
    """
    Write one scan for each parcel as `scans.csv`, UTF-8; the same numbers and day give the same bytes.

    Args:
        folder: made when it is missing.
        numbers: of the parcels.
        as_of: they were seen on the day before, Vietnamese time.

    Raises:
        OSError: the folder cannot be written.
    """
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / "scans.csv"
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(_COLUMNS)
        for place, number in enumerate(numbers):
            code, office, name, time, remark = _SEEN[place % len(_SEEN)]
            writer.writerow([number, code, office, name, f"{as_of - timedelta(days=1)}T{time}+07:00", remark])
    return path
