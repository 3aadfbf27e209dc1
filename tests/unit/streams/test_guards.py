"""Limits before anything is built of a record, and the walk that finds them."""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from decimal import Overflow as DecimalOverflow
from typing import Any

import pytest
from avro_strategies import data_of
from bad_schemas import decimal, record
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from streams.canonical import require_canonical
from streams.catalogue import Catalogue, load_catalogue
from streams.codec import Codec
from streams.errors import UndecodableError
from streams.event import Data
from streams.guards import (
    MAX_HEADERS,
    MAX_ITEMS,
    MAX_KEY_BYTES,
    MAX_TEXT_BYTES,
    MAX_VALUE_BYTES,
    WALKED_FROM,
    check_envelope,
    compile_walk,
)
from streams.names import EventType

CATALOGUE = load_catalogue()
TYPES = sorted(CATALOGUE.types)
CODEC = Codec(catalogue=CATALOGUE, ids={name: number for number, name in enumerate(TYPES, start=1)})
RECEIVED, AUDIT = EventType("einvoice.received"), EventType("audit.recorded")
QUICK = settings(max_examples=25, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])
SELLER = {"kind": "seller", "scheme": "vn-mst", "value": "x"}
INVOICE = {"seller": SELLER, "form": "1", "series": "C26TXX", "number": "1", "issued_on": None}
LINES = {"type": "array", "items": "string"}


def number(value: int) -> bytes:
    """Write a long."""
    value, out = (value << 1) ^ (value >> 63), bytearray()
    while value > 0x7F:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    return bytes([*out, value])


def code_of(call: Callable[[], object]) -> str:
    """Say by which code a call refuses."""
    with pytest.raises(UndecodableError) as caught:
        call()
    return caught.value.code


def invoice(**fields: Any) -> Data:
    """Give an invoice's fields."""
    return {"seller": SELLER, "invoice": INVOICE, **fields}


@pytest.mark.parametrize("event_type", TYPES)
@QUICK
@given(draw=st.data())
def test_the_walk_ends_where_the_value_does(event_type: EventType, draw: st.DataObject) -> None:
    """For every shipped type and any value of it."""
    value = CODEC.encode(event_type, draw.draw(data_of(CATALOGUE, event_type)))

    assert len(value) == compile_walk(CATALOGUE[event_type].schema)(value, 5)


@pytest.mark.parametrize("event_type", TYPES)
@QUICK
@given(data=st.binary(max_size=300))
def test_the_walk_raises_nothing_else(event_type: EventType, data: bytes) -> None:
    """Random bytes: it ends somewhere, finds a fault, or the bytes end."""
    with contextlib.suppress(UndecodableError, IndexError):
        assert compile_walk(CATALOGUE[event_type].schema)(data, 0) >= 0


@pytest.mark.parametrize(
    ("kind", "data", "code"),
    [
        (LINES, number(2**62), "too_large"),
        (LINES, number(-(2**63)) + number(5), "too_large"),
        (LINES, (number(1) + b"\0") * (MAX_ITEMS + 1) + b"\0", "too_large"),
        ({"type": "map", "values": "long"}, number(MAX_ITEMS + 1), "too_large"),
        (
            {"type": "array", "items": LINES},
            (number(300) + (number(99) + b"\0" * 99 + b"\0") * 300) + b"\0",
            "too_large",
        ),
        ("string", number(MAX_TEXT_BYTES + 1), "too_large"),
        ("bytes", number(2**62), "too_large"),
        ("string", number(-1) + b"abc", "undecodable"),
        ("string", number(4) + b"abc", "undecodable"),
        (decimal(precision=38, scale=0), number(18) + b"\x7f" * 18, "too_large"),
        ("long", b"\x80" * 40 + b"\0", "undecodable"),
        (["null", "string"], b"\x01", "undecodable"),
        (["null", "string"], b"\x04", "undecodable"),
    ],
)
def test_what_is_too_much_is_found(kind: Any, data: bytes, code: str) -> None:
    """Before a single object is made of it."""
    assert code == code_of(lambda: compile_walk(record(kind))(data, 0))


@pytest.mark.parametrize("kind", ["long", "string", ["null", "int"], LINES])
def test_bytes_that_end_too_early_are_told(kind: Any) -> None:
    """By the error that indexing raises; the codec translates it."""
    with pytest.raises((IndexError, UndecodableError)):
        compile_walk(record(kind, kind))(b"\x02", 0)


def test_blocks_that_state_their_bytes_are_walked_over() -> None:
    """Two items in such a block, then one in a plain one."""
    data = number(-2) + number(4) + b"\x02a\x02b" + number(1) + b"\x02c" + b"\0"

    assert len(data) == compile_walk(record(LINES))(data, 0)


def test_the_limits_themselves_are_taken() -> None:
    """A text, a list and a decimal as large as they may be."""
    text = number(MAX_TEXT_BYTES) + b"x" * MAX_TEXT_BYTES
    items = number(MAX_ITEMS) + b"\0" * MAX_ITEMS + b"\0"

    assert len(text) == compile_walk(record("string"))(text, 0)
    assert len(items) == compile_walk(record(LINES))(items, 0)
    assert compile_walk(record(decimal(precision=38, scale=0)))(number(17) + b"\x7f" * 17, 0) == 18


def test_a_decimal_of_a_megabyte_is_refused_before_it_is_read() -> None:
    """Reading it would take two minutes, and then raise an error of the decimal module."""
    codec = Codec(catalogue=CATALOGUE, ids=CODEC.ids)
    codec.learn(500, RECEIVED, record(decimal(precision=28, scale=6)))

    huge = b"\0" + (500).to_bytes(4, "big") + number(900_000) + b"\x7f" * 900_000

    assert code_of(lambda: codec.decode(huge, expected=RECEIVED)) == "too_large"


def test_a_list_of_ten_thousand_and_one_is_refused_by_the_codec() -> None:
    """One fewer is decoded."""

    def audit(count: int) -> bytes:
        details = {str(each): "" for each in range(count)}
        return CODEC.encode(AUDIT, {"action": "x", "recorded_at": datetime.now(UTC), "details": details})

    assert len(CODEC.decode(audit(MAX_ITEMS), expected=AUDIT)["details"]) == MAX_ITEMS
    assert code_of(lambda: CODEC.decode(audit(MAX_ITEMS + 1), expected=AUDIT)) == "too_large"


def test_large_values_that_are_cut_or_extended_are_refused() -> None:
    """By the walk, with the codes that a small one gets."""
    value = CODEC.encode(RECEIVED, invoice(title="x" * WALKED_FROM))

    assert CODEC.decode(value, expected=RECEIVED)["title"] == "x" * WALKED_FROM
    assert code_of(lambda: CODEC.decode(value[:-1], expected=RECEIVED)) == "undecodable"
    assert code_of(lambda: CODEC.decode(value + b"\0", expected=RECEIVED)) == "trailing_bytes"
    assert code_of(lambda: CODEC.decode(value.ljust(MAX_VALUE_BYTES + 1, b"\0"), expected=RECEIVED)) == "too_large"


@pytest.mark.parametrize(
    ("kind", "tail"),
    [
        (decimal(precision=4, scale=2), number(4_000) + b"\x7f" * 4_000),
        ({"type": "int", "logicalType": "date"}, number(2**31 - 1)),
        ({"type": "int", "logicalType": "date"}, number(-(2**31))),
        ({"type": "long", "logicalType": "timestamp-micros"}, number(2**63 - 1)),
        ({"type": "long", "logicalType": "timestamp-micros"}, number(-(2**63))),
        ({"type": "string", "logicalType": "uuid"}, number(3) + b"abc"),
        ("string", number(2) + b"\xff\xfe"),
        ("string", number(2**62)),
        ({"type": "enum", "name": "E", "symbols": ["a"]}, number(9)),
        ({"type": "array", "items": "string"}, number(2**62)),
        (["null", "string"], number(9)),
    ],
)
def test_whatever_a_library_raises_costs_one_event(kind: Any, tail: bytes) -> None:
    """Times out of range, numbers without end, texts that are none: all are one error of ours."""
    spec = replace(CATALOGUE[AUDIT], schema=record(kind))
    codec = Codec(catalogue=Catalogue(types={AUDIT: spec}), ids={AUDIT: 1})
    value = b"\0\0\0\0\1" + tail

    with pytest.raises(UndecodableError):
        require_canonical(codec, AUDIT, value, codec.decode(value, expected=AUDIT))


@pytest.mark.parametrize("error", [RecursionError, MemoryError, DecimalOverflow, OverflowError, EOFError])
def test_even_what_should_not_happen_costs_one_event(monkeypatch: pytest.MonkeyPatch, error: type[Exception]) -> None:
    """Whatever a newer library may raise for bytes."""

    def fail(*_: object) -> None:
        raise error

    monkeypatch.setattr("fastavro.schemaless_reader", fail)
    value = CODEC.encode(RECEIVED, invoice())[:-1]  # what the compiled reader leaves to the library

    assert code_of(lambda: CODEC.decode(value, expected=RECEIVED)) == "undecodable"


@pytest.mark.parametrize(
    ("key", "headers"),
    [
        (None, [("x", b"")] * (MAX_HEADERS + 1)),
        (b"k", [("x", b"")] * 10_000),
        (b"k" * (MAX_KEY_BYTES + 1), []),
        (b"k" * 1_000_000, []),
    ],
)
def test_too_much_around_a_value_is_refused(key: bytes | None, headers: list[tuple[str, bytes]]) -> None:
    """More headers than an event has, a key longer than a subject."""
    assert code_of(lambda: check_envelope(key, headers)) == "bad_envelope"


def test_as_much_as_is_allowed_around_a_value_is_taken() -> None:
    """Also a null key."""
    check_envelope(b"k" * MAX_KEY_BYTES, [("x", b"")] * MAX_HEADERS)
    check_envelope(None, [])
