"""One scan file on disk: read within limits, and put away with its reasons."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

from connectors.postal.durable import sync_folder, write_whole
from connectors.postal.scan_row import Scan, read_scan
from connectors.postal.scan_table import Row, read_csv, read_json
from connectors.postal.wording import WHOLE_FILE, both, place
from streams.connector import RowRefusal, SourceItem

__all__ = ["ScanFile", "content_id", "put_away", "read_scan_file"]

_MAX_NAME_BYTES = 200  # leaves room for the hash and `.reason.txt`
_EMPTY = both("Tệp không có dòng dữ liệu nào.", "The file has no row of data.")
_WORKBOOK = both("Tệp là bảng tính: lưu lại dạng CSV UTF-8.", "The file is a workbook: save it as CSV UTF-8.")
_READ_ONLY = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC  # never waits on a pipe of that name


@dataclass(slots=True)
class ScanFile:
    """
    What a file holds.

    Args:
        item_id: SHA-256 of the content.
        scans: its good rows, each sighting once.
        refusals: its bad ones.
    """

    item_id: str
    scans: list[Scan] = field(default_factory=list)
    refusals: list[RowRefusal] = field(default_factory=list)


def read_scan_file(path: Path, *, max_bytes: int, max_rows: int, latest: datetime) -> ScanFile | None:
    """
    Read a file; None when it is gone.

    Args:
        path: its suffix says what it is.
        max_bytes: a larger file is refused unread.
        max_rows: rows after these are refused.
        latest: a later scan is refused.
    """
    loaded = _load(path, max_bytes)
    if loaded is None:
        return None
    item_id, data = loaded
    file = ScanFile(item_id=item_id)
    seen: dict[tuple[str, str, datetime], tuple[int, Scan]] = {}
    for row in _rows(path, data, max_bytes=max_bytes, max_rows=max_rows):
        result = [row] if isinstance(row, RowRefusal) else read_scan(row, latest=latest)
        if isinstance(row, Row) and isinstance(result, Scan):
            first, same = seen.setdefault((result.number, result.event_code, result.seen_at), (row.number, result))
            if first == row.number:
                file.scans.append(result)
            elif same != result:
                file.refusals.append(_contradiction(row.number, first))
        elif isinstance(result, list):
            file.refusals.extend(result)
    if not file.scans and not file.refusals:
        file.refusals.append(RowRefusal(position=WHOLE_FILE, reason=_EMPTY))
    return file


def content_id(path: Path, *, max_bytes: int) -> str | None:
    """Name a file by its content; a larger one by its first `max_bytes` and its size. None when it is gone."""
    loaded = _load(path, max_bytes)
    return loaded and loaded[0]


def put_away(source: Path, item: SourceItem) -> None:
    """Move a file to `done` or `refused` beside it, its reasons first, so that a crash in between loses neither."""
    folder = source.parent / ("done" if item.drafts else "refused")
    folder.mkdir(exist_ok=True)
    target = folder / source.name
    if len(os.fsencode(source.name)) > _MAX_NAME_BYTES:
        target = folder / f"{item.item_id[:32]}{source.suffix}"
    elif os.path.lexists(target):
        target = folder / f"{source.stem}.{item.item_id[:32]}{source.suffix}"
    if item.refusals:
        write_whole(target.with_name(f"{target.name}.reason.txt"), _reasons(item).encode("utf-8-sig"))
    source.rename(target)
    sync_folder(folder)
    sync_folder(source.parent)


def _rows(path: Path, data: bytes, *, max_bytes: int, max_rows: int) -> Iterator[Row | RowRefusal]:
    if len(data) > max_bytes:
        reason = both(
            f"Tệp lớn hơn {max_bytes} byte: chia nhỏ rồi gửi lại.",
            f"The file is larger than {max_bytes} bytes: send it in parts.",
        )
        return iter([RowRefusal(position=WHOLE_FILE, reason=reason)])
    match path.suffix.lower():
        case ".csv":
            return read_csv(data, max_rows=max_rows)
        case ".json":
            return read_json(data, max_rows=max_rows)
        case _:
            return iter([RowRefusal(position=WHOLE_FILE, reason=_WORKBOOK)])


def _load(path: Path, max_bytes: int) -> tuple[str, bytes] | None:
    """Give a file's content id and its first `max_bytes` + 1 bytes; None when it is gone."""
    try:
        with os.fdopen(os.open(path, _READ_ONLY), "rb") as file:
            data = file.read(max_bytes + 1)
            size = os.fstat(file.fileno()).st_size
    except FileNotFoundError:
        return None
    digest = hashlib.sha256(data).hexdigest()
    return (digest if len(data) <= max_bytes else f"{digest}-{size}"), data


def _contradiction(row: int, first: int) -> RowRefusal:
    return RowRefusal(
        position=place(row),
        reason=both(
            f"Dòng này và dòng {first} là cùng một lần quét nhưng ghi khác nhau: giữ một dòng.",
            f"This row and row {first} are the same scan but say different things: keep one.",
        ),
    )


def _reasons(item: SourceItem) -> str:
    counts_vi = f"Số dòng đã nhận: {len(item.drafts)}. Số chỗ bị từ chối: {len(item.refusals)}."
    counts_en = f"Rows taken: {len(item.drafts)}. Places refused: {len(item.refusals)}."
    lines = [
        f"Tệp / File: {item.name}",
        f"{counts_vi} Sửa các chỗ dưới đây rồi gửi riêng các dòng đó trong một tệp mới.",
        f"{counts_en} Correct the places below and send those rows alone in a new file.",
        "",
        *(f"[{refusal.position}] {refusal.reason}" for refusal in item.refusals),
    ]
    return "\r\n".join(lines) + "\r\n"
