"""The compiled writer: the same bytes as fastavro's, and nothing written that does not fit."""

from __future__ import annotations

import io
from datetime import datetime
from decimal import Decimal
from typing import Any

import fastavro
import pytest
from avro_strategies import data_of
from hypothesis import given
from hypothesis import strategies as st

from streams.avro_writer import compile_writer
from streams.catalogue import load_catalogue
from streams.errors import ConfigurationError
from streams.names import EventType

CATALOGUE = load_catalogue()
TYPES = st.sampled_from(sorted(CATALOGUE.types))


def written(schema: dict[str, Any], data: dict[str, Any]) -> bytes:
    """Encode with the compiled writer."""
    out = bytearray()
    compile_writer(schema)(out, data)
    return bytes(out)


def field(kind: Any, **more: Any) -> dict[str, Any]:
    """Give a record with one field."""
    return {"type": "record", "name": "R", "namespace": "t", "fields": [{"name": "x", "type": kind, **more}]}


@given(TYPES, st.data())
def test_the_bytes_are_fastavros(event_type: EventType, draw: st.DataObject) -> None:
    """For every type of the catalogue and any value of it."""
    data = draw.draw(data_of(CATALOGUE, event_type))
    spec = CATALOGUE[event_type]
    expected = io.BytesIO()
    fastavro.schemaless_writer(expected, spec.parsed, data, strict_allow_default=True)

    out = bytearray()
    spec.write(out, data)
    assert expected.getvalue() == bytes(out)


@given(st.integers(-(2**63), 2**63 - 1))
def test_any_long_is_written_as_fastavro_writes_it(number: int) -> None:
    """Zig-zag and seven bits a byte."""
    expected = io.BytesIO()
    fastavro.schemaless_writer(expected, fastavro.parse_schema(field("long")), {"x": number})

    assert expected.getvalue() == written(field("long"), {"x": number})


@pytest.mark.parametrize(
    ("kind", "value"),
    [
        ("int", 2**31),
        ("long", 2**63),
        ("int", True),
        ("long", "1"),
        ("boolean", 1),
        ("string", b"x"),
        ("bytes", "x"),
        ("null", 0),
        ({"type": "array", "items": "string"}, "xy"),
        ({"type": "enum", "name": "E", "namespace": "t", "symbols": ["a"]}, "b"),
        ({"type": "string", "logicalType": "uuid"}, "no uuid"),
        ({"type": "long", "logicalType": "timestamp-micros"}, datetime(2026, 1, 1)),  # noqa: DTZ001 -- the case
        ({"type": "int", "logicalType": "date"}, datetime(2026, 1, 1)),  # noqa: DTZ001 -- as above
        ({"type": "bytes", "logicalType": "decimal", "precision": 4, "scale": 2}, Decimal("1.001")),
        ({"type": "bytes", "logicalType": "decimal", "precision": 4, "scale": 2}, Decimal(100)),
        ({"type": "bytes", "logicalType": "decimal", "precision": 4, "scale": 2}, Decimal("NaN")),
        ({"type": "bytes", "logicalType": "decimal", "precision": 4, "scale": 2}, 1.5),
    ],
)
def test_a_value_that_does_not_fit_is_refused(kind: Any, value: Any) -> None:
    """With one of the four errors that the codec translates."""
    with pytest.raises((ValueError, TypeError, KeyError, AttributeError)):
        written(field(kind), {"x": value})


@pytest.mark.parametrize("data", [{}, {"x": 1, "y": 2}])
def test_missing_and_unknown_fields_are_refused(data: dict[str, Any]) -> None:
    """A field without default must be there; one that the schema lacks must not."""
    with pytest.raises(ValueError, match=r"missing|does not have"):
        written(field("int"), data)


def test_a_default_stands_in_for_what_is_absent() -> None:
    """As the schema says."""
    assert written(field(["null", "string"], default=None), {}) == b"\x00"


@pytest.mark.parametrize("kind", [["string", "null"], ["null", "int", "string"], "double", {"type": "fixed"}])
def test_what_the_house_does_not_use_is_no_schema(kind: Any) -> None:
    """Found when the schema is compiled, at start."""
    with pytest.raises((ConfigurationError, KeyError)):
        compile_writer(field(kind))


def test_a_recursive_record_is_written() -> None:
    """The linter refuses such schemas; the writer need not loop over them."""
    schema = field(["null", "t.R"], default=None)

    assert written(schema, {"x": {"x": None}}) == b"\x02\x00"
