"""
Records of one partition in a file, byte for byte, with their offsets and times.

Compressed (gzip). After a line that names the form, each record: its length, offset, time in milliseconds, key, value,
headers. Numbers are big-endian; an absent key or value has the length -1, headers that could not be read the count -1.
"""

from __future__ import annotations

import gzip
import io
import struct
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from streams.errors import InputError

__all__ = ["RecordWriter", "SavedRecord", "read_records", "writing_records"]

_FORM = b"lienthong records 1\n"
_NUMBER, _PLACE = struct.Struct(">i"), struct.Struct(">qq")


@dataclass(frozen=True, slots=True)
class SavedRecord:
    """
    One record.

    Args:
        offset: in its partition.
        time_ms: as Kafka gives it.
        key: as written.
        value: as written.
        headers: as written, in order; None when the client could not read them.
    """

    offset: int
    time_ms: int
    key: bytes | None
    value: bytes | None = field(repr=False)
    headers: list[tuple[str, bytes | None]] | None


class RecordWriter:
    """Writes records to an open file."""

    def __init__(self, file: gzip.GzipFile) -> None:
        self._file = file

    def write(self, record: SavedRecord) -> None:
        """Write one record."""
        parts = [_PLACE.pack(record.offset, record.time_ms), _text(record.key), _text(record.value)]
        headers = record.headers
        parts.append(_NUMBER.pack(-1 if headers is None else len(headers)))
        for name, value in headers or ():
            parts += [_text(name.encode()), _text(value)]
        body = b"".join(parts)
        self._file.write(_NUMBER.pack(len(body)) + body)


@contextmanager
def writing_records(path: Path) -> Iterator[RecordWriter]:
    """Open a new file."""
    # Without a time of its own, so that the same records are the same file.
    with path.open("xb") as raw, gzip.GzipFile(filename="", fileobj=raw, mode="wb", compresslevel=1, mtime=0) as file:
        file.write(_FORM)
        yield RecordWriter(file)


def read_records(path: Path) -> Iterator[SavedRecord]:
    """
    Read a file.

    Raises:
        InputError: it is none of ours, or ends in the middle.
    """
    with gzip.open(path) as file:
        if file.read(len(_FORM)) != _FORM:
            raise InputError(f"{path} holds no records.")
        while length := file.read(_NUMBER.size):
            body = file.read(_NUMBER.unpack(length)[0])
            yield _record(io.BytesIO(body))


def _record(body: io.BytesIO) -> SavedRecord:
    offset, time_ms = _PLACE.unpack(body.read(_PLACE.size))
    key, value = _bytes(body), _bytes(body)
    (count,) = _NUMBER.unpack(body.read(_NUMBER.size))
    headers = None if count < 0 else [((_bytes(body) or b"").decode(), _bytes(body)) for _ in range(count)]
    return SavedRecord(offset=offset, time_ms=time_ms, key=key, value=value, headers=headers)


def _text(value: bytes | None) -> bytes:
    return _NUMBER.pack(-1) if value is None else _NUMBER.pack(len(value)) + value


def _bytes(body: io.BytesIO) -> bytes | None:
    (length,) = _NUMBER.unpack(body.read(_NUMBER.size))
    return None if length < 0 else body.read(length)
