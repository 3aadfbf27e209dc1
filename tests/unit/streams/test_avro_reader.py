"""The compiled reader: what it takes is canonical, and reads as fastavro reads it."""

from __future__ import annotations

import io
from datetime import date
from decimal import Decimal
from typing import Any

import fastavro
import pytest
from avro_strategies import data_of
from hypothesis import given
from hypothesis import strategies as st

from streams.avro_reader import compile_reader
from streams.avro_writer import compile_pieces, compile_writer
from streams.catalogue import load_catalogue
from streams.errors import ConfigurationError
from streams.names import EventType

CATALOGUE = load_catalogue()
TYPES = st.sampled_from(sorted(CATALOGUE.types))
REFUSALS = (ValueError, IndexError, TypeError, ArithmeticError)


def field(kind: Any) -> dict[str, Any]:
    """Give a record with one field."""
    return {"type": "record", "name": "R", "namespace": "t", "fields": [{"name": "x", "type": kind}]}


def fastavros(schema: Any, value: bytes) -> Any:
    """Read as fastavro does, to the end."""
    buffer = io.BytesIO(value)
    datum = fastavro.schemaless_reader(buffer, fastavro.parse_schema(schema), None)
    assert len(value) == buffer.tell()
    return datum


def taken(schema: Any, value: bytes) -> Any:
    """Read with the compiled reader, None when it does not take these bytes."""
    try:
        datum, ends = compile_reader(schema)(value, 0)
    except REFUSALS:
        return None
    return datum if ends[-1] == len(value) else None


@given(TYPES, st.data())
def test_what_the_writer_wrote_is_read_as_fastavro_reads_it(event_type: EventType, draw: st.DataObject) -> None:
    """For every type of the catalogue, any value of it, and from any place in the bytes."""
    data = draw.draw(data_of(CATALOGUE, event_type))
    spec = CATALOGUE[event_type]
    out = bytearray(b"12345")
    spec.write(out, data)

    datum, ends = spec.read(bytes(out), 5)

    assert (fastavros(dict(spec.schema), bytes(out[5:])), len(out)) == (datum, ends[-1])


@given(TYPES, st.data())
def test_fields_end_where_the_writer_ended_them(event_type: EventType, draw: st.DataObject) -> None:
    """So that a value that was read can be cut like one that was written in pieces."""
    spec = CATALOGUE[event_type]
    out = bytearray(b"12345")
    ends = [len(out)]
    compile_pieces(spec.schema)(out, draw.draw(data_of(CATALOGUE, event_type)), ends)

    assert tuple(ends) == spec.read(bytes(out), 5)[1]


@given(TYPES, st.data())
def test_changed_bytes_are_refused_or_canonical(event_type: EventType, draw: st.DataObject) -> None:
    """Whatever a byte is changed to: what is taken is what fastavro reads, and encodes to the same bytes again."""
    spec = CATALOGUE[event_type]
    out = bytearray()
    spec.write(out, draw.draw(data_of(CATALOGUE, event_type)))
    for _ in range(draw.draw(st.integers(1, 3))):
        out[draw.draw(st.integers(0, len(out) - 1))] = draw.draw(st.integers(0, 255))
    value = bytes(out)
    try:
        datum, ends = spec.read(value, 0)
    except REFUSALS:
        return
    if ends[-1] != len(value):
        return

    again = bytearray()
    spec.write(again, datum)
    assert value == bytes(again)
    assert fastavros(dict(spec.schema), value) == datum


@given(st.integers(-(2**63), 2**63 - 1))
def test_any_long_is_read(number: int) -> None:
    """Zig-zag and seven bits a byte."""
    out = bytearray()
    compile_writer(field("long"))(out, {"x": number})

    assert {"x": number} == taken(field("long"), bytes(out))


@pytest.mark.parametrize(
    ("kind", "value"),
    [
        ("long", b"\x80\x00"),
        ("long", b"\xff" * 9 + b"\x03"),
        ("long", b"\x80" * 40 + b"\x01"),
        ("int", b"\x80\x80\x80\x80\x20"),
        ("boolean", b"\x05"),
        ("string", b"\x01"),
        ("string", b"\x82\x00a"),
        ("string", b"\x81\x01" + b"a" * 64),
        ("string", b"\x04a"),
        ("string", b"\x02\xff"),
        (["null", "string"], b"\x01"),
        (["null", "string"], b"\x04"),
        ({"type": "enum", "name": "E", "namespace": "t", "symbols": ["a"]}, b"\x01"),
        ({"type": "enum", "name": "E", "namespace": "t", "symbols": ["a"]}, b"\x02"),
        ({"type": "array", "items": "int"}, b"\x01\x02\x02\x00"),
        ({"type": "array", "items": "int"}, b"\x02\x02\x02\x02\x00"),
        ({"type": "array", "items": "int"}, b"\xfe\xff\xff\xff\xff\xff\xff\xff\xff\x01\x02"),
        ({"type": "map", "values": "int"}, b"\x04\x02a\x02\x02a\x02\x00"),
        ({"type": "string", "logicalType": "uuid"}, b"\x48" + b"0123ABCD-0000-0000-0000-000000000000"),
        ({"type": "string", "logicalType": "uuid"}, b"\x40" + b"0" * 32),
        ({"type": "long", "logicalType": "timestamp-micros"}, b"\xff" * 9 + b"\x01"),
        ({"type": "int", "logicalType": "date"}, b"\xff\xff\xff\xff\x0f"),
        ({"type": "bytes", "logicalType": "decimal", "precision": 4, "scale": 2}, b"\x04\x00\x01"),
        ({"type": "bytes", "logicalType": "decimal", "precision": 2, "scale": 0}, b"\x02\x64"),
        ({"type": "bytes", "logicalType": "decimal", "precision": 4, "scale": 2}, b"\x00"),
    ],
)
def test_what_is_not_canonical_is_not_taken(kind: Any, value: bytes) -> None:
    """Also where fastavro takes it: a negative index, a boolean of 5, a second block, a number with spare bytes."""
    assert taken(field(kind), value) is None


@pytest.mark.parametrize(
    ("kind", "value", "expected"),
    [
        ("string", b"\x80\x01" + b"a" * 64, "a" * 64),
        ("boolean", b"\x01", True),
        ({"type": "int", "logicalType": "date"}, b"\x01", date(1969, 12, 31)),
        ({"type": "bytes", "logicalType": "decimal", "precision": 4, "scale": 2}, b"\x04\xff\x7f", Decimal("-1.29")),
        ({"type": "array", "items": ["null", "int"]}, b"\x04\x00\x02\x02\x00", [None, 1]),
        ({"type": "map", "values": {"type": "array", "items": "string"}}, b"\x02\x02a\x02\x02b\x00\x00", {"a": ["b"]}),
    ],
)
def test_the_rest_is_read(kind: Any, value: bytes, expected: Any) -> None:
    """Each construct of the house, nested too."""
    assert {"x": expected} == taken(field(kind), value) == fastavros(field(kind), value)


@pytest.mark.parametrize(
    "kind",
    [
        ["string", "null"],
        "double",
        "null",
        {"type": "fixed"},
        ["null", "t.R"],
        {"type": "array", "items": {"type": "record", "name": "Empty", "fields": []}},
    ],
)
def test_what_could_hurt_or_is_not_used_is_no_schema(kind: Any) -> None:
    """A record in itself, an item of no bytes, a float: found when the schema is compiled."""
    with pytest.raises(ConfigurationError):
        compile_reader(field(kind))
