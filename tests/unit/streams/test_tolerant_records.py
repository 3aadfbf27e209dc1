"""Batches that aiokafka cannot read are read, or told as a whole."""

from __future__ import annotations

import gzip
import os
from typing import Any

import pytest
from aiokafka.record.default_records import _DefaultRecordBatchBuilderPy as Builder
from aiokafka.record.memory_records import MemoryRecords
from aiokafka.record.util import calc_crc32c

from streams.errors import UndecodableError
from streams.headers import envelope_type
from streams.tolerant_records import MAX_UNPACKED_BYTES, TolerantRecords

RECORDS_AT = 61
LZ4, ZSTD = 3, 4


class RawName(str):
    """A header's name that is written as these bytes."""

    __slots__ = ()

    def encode(self, *_: Any) -> bytes:
        """Give the bytes."""
        return bytes.fromhex(self)


def batch(*records: tuple[bytes | None, list[tuple[str, bytes | None]]], first: int = 0) -> bytes:
    """Write a batch; each record has a value and headers."""
    builder = Builder(2, 0, 0, -1, -1, -1, 10_000_000)
    for number, (value, headers) in enumerate(records):
        builder.append(number, 1_000, b"k", value, headers)
    return at_offset(bytes(builder.build()), first)


def at_offset(data: bytes, first: int) -> bytes:
    """Write a batch's first offset, as the broker does."""
    return first.to_bytes(8, "big") + data[8:]


def packed(data: bytes, compression: int, content: bytes) -> bytes:
    """Put other content into a batch, as if compressed so, with the right length and checksum."""
    whole = bytearray(data[:RECORDS_AT] + content)
    whole[8:12] = (len(whole) - 12).to_bytes(4, "big")
    whole[22] |= compression
    whole[17:21] = calc_crc32c(bytes(whole[21:])).to_bytes(4, "big")
    return bytes(whole)


def read(data: bytes) -> list[Any]:
    """Read everything, as aiokafka's fetcher does."""
    records, found = TolerantRecords(data), []
    while records.has_next():
        each = records.next_batch()
        assert each.validate_crc()
        found += list(each)
    return found


def places(records: list[Any]) -> list[tuple[int, bytes | None]]:
    """Give offsets and values."""
    return [(each.offset, each.value) for each in records]


PLAIN = batch((b"1", [("a", b"x"), ("a", None), ("", b"")]), (None, []))
GOOD = batch((b"good", [("a", b"x")]), first=10)


def test_a_batch_that_aiokafka_reads_is_read_by_it() -> None:
    """Null values, null header values, empty and repeated names; two batches one after the other."""
    first, second, third = read(PLAIN + GOOD)

    assert places([first, second, third]) == [(0, b"1"), (1, None), (10, b"good")]
    assert list(first.headers) == [("a", b"x"), ("a", None), ("", b"")]
    assert (first.key, first.timestamp) == (b"k", 1_000)
    expected = MemoryRecords(PLAIN).next_batch()
    assert expected is not None
    assert type(next(iter(expected))) is type(first)


def test_a_header_name_that_is_no_utf8_costs_one_record() -> None:
    """Its neighbours are read as ever; it says why, and holds the bytes of its headers."""
    bad = batch((b"1", [("a", b"x")]), (b"2", [(RawName("fffe"), b"y"), ("b", None)]), (b"3", []), first=5)

    one, two, three, good = read(bad + GOOD)

    assert places([one, two, three, good]) == [(5, b"1"), (6, b"2"), (7, b"3"), (10, b"good")]
    assert list(one.headers) == [("a", b"x")]
    assert dict(two.headers) == {"lt_unreadable": b"headers", "lt_raw_headers": b"\x04\x04\xff\xfe\x02y\x02b\x01"}
    assert (two.key, two.timestamp, two.checksum) == (b"k", 1_000, None)
    with pytest.raises(UndecodableError) as caught:
        envelope_type(two.headers)
    assert caught.value.code == "unreadable"


@pytest.mark.parametrize(
    "bad",
    [
        packed(PLAIN, LZ4, b"\x04\x22\x4d\x18"),
        packed(PLAIN, ZSTD, os.urandom(100)),
        packed(PLAIN, 7, b""),
        packed(PLAIN, 1, b"no gzip"),
        packed(PLAIN, 1, gzip.compress(PLAIN[RECORDS_AT:])[:-9]),
        packed(PLAIN, 1, gzip.compress(b"\0" * (MAX_UNPACKED_BYTES + 1))),
        packed(PLAIN, 0, b"\xff" * 40),
        packed(PLAIN, 0, PLAIN[RECORDS_AT:-3]),
    ],
    ids=["lz4", "zstd", "no such", "no gzip", "cut off", "bomb", "no record", "short"],
)
def test_a_batch_that_cannot_be_read_becomes_one_record(bad: bytes) -> None:
    """It holds the whole batch; what comes after it is read."""
    bad = at_offset(bad, 5)

    whole, good = read(bad + GOOD)

    assert [(5, bad), (10, b"good")] == places([whole, good])
    assert dict(whole.headers) == {"lt_unreadable": b"batch"}


def test_a_gzip_batch_is_read() -> None:
    """Also one with a bad name in it."""
    plain = packed(PLAIN, 1, gzip.compress(PLAIN[RECORDS_AT:]))
    named = batch((b"2", [(RawName("ff"), b"y")]), (b"3", []))

    assert places(read(plain)) == [(0, b"1"), (1, None)]
    assert places(read(packed(named, 1, gzip.compress(named[RECORDS_AT:])))) == [(0, b"2"), (1, b"3")]


def test_a_cut_off_batch_waits_for_the_next_fetch() -> None:
    """As with aiokafka: the broker cuts the last one anywhere."""
    for end in range(len(GOOD)):
        assert places(read(PLAIN + GOOD[:end])) == [(0, b"1"), (1, None)]
    assert TolerantRecords(PLAIN).size_in_bytes() == len(PLAIN)
    assert TolerantRecords(b"").next_batch() is None


def test_control_batches_are_left_to_aiokafka() -> None:
    """A transaction's markers are no records."""
    control = packed(PLAIN, 0x20, PLAIN[RECORDS_AT:])

    assert type(TolerantRecords(control).next_batch()).__module__.startswith("aiokafka")
