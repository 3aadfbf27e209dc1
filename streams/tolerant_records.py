"""
Fetched batches that can be read whatever somebody wrote into them.

aiokafka raises in its fetcher for a header whose name is no UTF-8, for a compression that is not installed, and reads a
megabyte that unpacks to gigabytes: each would stop the partition for ever. Here such a record, or such a batch as a
whole, becomes a record that says so and holds the original bytes, so that it goes to quarantine and the next follows.

A batch that can be read is read by aiokafka's own compiled code, at once; nothing is added for each record.
"""

from __future__ import annotations

import struct
import zlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from aiokafka.consumer import fetcher
from aiokafka.errors import KafkaError
from aiokafka.record.memory_records import MemoryRecords
from aiokafka.record.util import decode_varint

from streams.headers import RAW_HEADERS, UNREADABLE

__all__ = ["MAX_UNPACKED_BYTES", "TolerantRecords", "let_aiokafka_read_anything"]

MAX_UNPACKED_BYTES = 16 * 1024 * 1024
"""A batch that unpacks to more is not unpacked; a producer's own limit is a megabyte before it packs."""

_LENGTH = struct.Struct(">i")
_LENGTH_AT = 8
_HEAD = 12
_RECORDS_AT = 61
_FIRST_MAGIC_WITH_HEADERS = 2
_NONE, _GZIP, _COMPRESSION = 0, 1, 0x07
_APPEND_TIME = 0x08
_GZIP_WINDOW = 31

_CANNOT_READ = (KafkaError, ValueError, IndexError, TypeError, EOFError, OSError, zlib.error, MemoryError)
"""What aiokafka raises for a batch whose checksum is right and whose content is not."""


@dataclass(frozen=True, slots=True)
class _Record:
    """A record as aiokafka's consumer expects it."""

    offset: int
    timestamp: int
    timestamp_type: int
    key: bytes | None
    value: bytes | None
    headers: Sequence[tuple[str, bytes | None]]
    checksum: None = None


class TolerantRecords:
    """
    In place of aiokafka's `MemoryRecords`, with the same methods.

    Args:
        data: batches as they were fetched; the last one may be cut off.
    """

    def __init__(self, data: bytes) -> None:
        self._records: Any = MemoryRecords(data)
        self._data = memoryview(data)
        self._at = 0

    def size_in_bytes(self) -> int:
        """Give the length of all of it."""
        return int(self._records.size_in_bytes())

    def has_next(self) -> bool:
        """Say whether there is another whole batch."""
        return bool(self._records.has_next())

    def next_batch(self) -> Any:
        """Give the next batch."""
        batch = self._records.next_batch()
        if batch is None:
            return None
        start = self._at
        self._at += _HEAD + _LENGTH.unpack_from(self._data, start + _LENGTH_AT)[0]
        magic = self._data[start + 16]
        if magic < _FIRST_MAGIC_WITH_HEADERS or batch.is_control_batch:
            return batch
        return _TolerantBatch(batch, self._data[start : self._at])


class _TolerantBatch:
    """A batch of records; what is not about reading them is asked of aiokafka's own."""

    def __init__(self, batch: Any, raw: memoryview) -> None:
        self._batch = batch
        self._raw = raw

    def __getattr__(self, name: str) -> Any:
        return getattr(self._batch, name)

    def __iter__(self) -> Iterator[Any]:
        try:
            unpacked = None if self._compression == _NONE else self._bounded()
        except _CANNOT_READ:
            return iter([self._whole()])
        try:
            return iter(list(self._batch))
        except _CANNOT_READ:
            return self._apart(unpacked if unpacked is not None else bytes(self._raw[_RECORDS_AT:]))

    @property
    def _compression(self) -> int:
        return int(self._batch.attributes) & _COMPRESSION

    def _bounded(self) -> bytes:
        """Unpack no more than is allowed."""
        if self._compression != _GZIP:
            raise ValueError("a compression that is not installed")
        unpacking = zlib.decompressobj(_GZIP_WINDOW)
        unpacked = unpacking.decompress(self._raw[_RECORDS_AT:], MAX_UNPACKED_BYTES)
        if not unpacking.eof or unpacking.unused_data:
            raise ValueError("more than is allowed, or not whole")
        return unpacked

    def _apart(self, data: bytes) -> Iterator[_Record]:
        """Read record by record; each states its length, so that one cannot hide the next."""
        at, read = 0, []
        try:
            while at < len(data):
                length, start = decode_varint(data, at)
                at = start + length
                if length <= 0 or at > len(data):
                    raise ValueError("a length that leads out of the batch")
                read.append(self._one(data[start:at]))
        except _CANNOT_READ:
            return iter([self._whole()])
        return iter(read)

    def _one(self, data: bytes) -> _Record:
        delta, at = decode_varint(data, 1)
        offset, at = decode_varint(data, at)
        key, at = _sized(data, at)
        value, at = _sized(data, at)
        return _Record(
            offset=self._batch.base_offset + offset,
            timestamp=self._time(delta),
            timestamp_type=self._batch.timestamp_type,
            key=key,
            value=value,
            headers=_headers(data, at),
        )

    def _whole(self) -> _Record:
        """Give the batch as one record at its first offset."""
        return _Record(
            offset=self._batch.base_offset,
            timestamp=self._time(0),
            timestamp_type=self._batch.timestamp_type,
            key=None,
            value=bytes(self._raw),
            headers=((UNREADABLE, b"batch"),),
        )

    def _time(self, delta: int) -> int:
        appended = self._batch.attributes & _APPEND_TIME
        return int(self._batch.max_timestamp if appended else self._batch.first_timestamp + delta)


def let_aiokafka_read_anything() -> None:
    """Let every consumer of aiokafka in this process read by `TolerantRecords`."""
    fetcher.MemoryRecords = TolerantRecords  # the one place where its fetcher looks it up


def _sized(data: bytes, at: int) -> tuple[bytes | None, int]:
    size, at = decode_varint(data, at)
    if size < 0:
        return None, at
    if at + size > len(data):
        raise ValueError("a length that leads out of the record")
    return data[at : at + size], at + size


def _headers(data: bytes, begin: int) -> Sequence[tuple[str, bytes | None]]:
    """Read headers; where they cannot be read, give their bytes as they are."""
    headers: list[tuple[str, bytes | None]] = []
    try:
        count, at = decode_varint(data, begin)
        for _ in range(count):
            name, at = _sized(data, at)
            value, at = _sized(data, at)
            headers.append(((name or b"").decode(), value))
    except _CANNOT_READ:
        return (UNREADABLE, b"headers"), (RAW_HEADERS, data[begin:])
    return headers
