"""One event, one row of bytes; and two libraries that agree on every one that is left."""

from __future__ import annotations

import io
import os
import struct
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import avro.errors
import avro.io
import avro.schema
import pytest
from avro_strategies import data_of
from bad_schemas import decimal, enum, record
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from streams.canonical import require_canonical
from streams.catalogue import Catalogue, load_catalogue
from streams.codec import Codec
from streams.errors import UndecodableError
from streams.names import EventType

CATALOGUE = load_catalogue()
TYPES = sorted(CATALOGUE.types)
CODEC = Codec(catalogue=CATALOGUE, ids={name: number for number, name in enumerate(TYPES, start=1)})
PARSED = {name: avro.schema.parse(CATALOGUE[name].text) for name in TYPES}
AUDIT = EventType("audit.recorded")
EXAMPLES = int(os.environ.get("LIENTHONG_HOSTILE", "64")) // len(TYPES)
DIFFERENTIAL = settings(
    max_examples=EXAMPLES, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large], deadline=None
)
NO_EVENT = "no event"
LATER = {"name": "later", "type": ["null", "string"], "default": None}
BYTES = st.sampled_from(
    [b"\0", b"\1", b"\2", b"\3", b"\5", b"\x80", b"\x82\0", b"\xff", b"\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01"]
)
"""What Avro's numbers, indexes and lengths are made of."""


def taken(codec: Codec, event_type: EventType, value: bytes) -> Any:
    """Decode and require one form."""
    data = codec.decode(value, expected=event_type)
    require_canonical(codec, event_type, value, data)
    return data


@pytest.mark.parametrize("event_type", TYPES)
@settings(max_examples=25, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])
@given(draw=st.data())
def test_what_we_write_is_canonical(event_type: EventType, draw: st.DataObject) -> None:
    """Every value of every type."""
    data = draw.draw(data_of(CATALOGUE, event_type))

    assert data == taken(CODEC, event_type, CODEC.encode(event_type, data))


@pytest.mark.parametrize(
    ("kind", "tail"),
    [
        (enum(["a", "b"]), b"\x01"),
        ("boolean", b"\x05"),
        ("long", b"\x80" * 40 + b"\x00"),
        ("long", b"\x82\x00"),
        ("int", b"\xff" * 9 + b"\x01"),
        (["null", "string"], b"\x01\x02a"),
        (["null", "string"], b"\x82\x00\x02a"),
        (decimal(precision=4, scale=2), b"\x06\x7f\xff\xff"),
        (decimal(precision=4, scale=2), b"\x00"),
        (decimal(precision=4, scale=2), b"\x04\x00\x01"),
        (decimal(precision=4, scale=2), b"\x04\xff\xff"),
        ({"type": "array", "items": "string"}, b"\x01\x04\x02a\x00"),
        ({"type": "array", "items": "string"}, b"\x02\x02a\x02\x02b\x00"),
        ({"type": "map", "values": "string"}, b"\x04\x02a\x02b\x02a\x02c\x00"),
        ({"type": "map", "values": "string"}, b"\x02\x02a\x02b\x02\x02a\x02b\x00"),
        ({"type": "string", "logicalType": "uuid"}, b"\x40" + b"AB" * 16),
        ({"type": "string", "logicalType": "uuid"}, b"\x4c{" + str(UUID(int=7)).encode() + b"}"),
        ("string", b"\x82\x00a"),
    ],
)
@pytest.mark.parametrize("schema_id", [1, 2], ids=["our schema", "a newer writer's"])
def test_another_way_to_write_the_same_is_refused(kind: Any, tail: bytes, schema_id: int) -> None:
    """Indexes from the end, bytes too many, a key twice: one library reads them so, another otherwise."""
    ours = {**record(kind, name="AuditRecorded"), "namespace": "vn.lienthong.events"}
    spec = replace(CATALOGUE[AUDIT], schema=ours)
    codec = Codec(catalogue=Catalogue(types={AUDIT: spec}), ids={AUDIT: 1})
    codec.learn(2, AUDIT, {**ours, "fields": [*ours["fields"], LATER]})
    value = b"\0" + schema_id.to_bytes(4, "big") + tail + b"\0" * (schema_id - 1)

    codec.decode(value, expected=AUDIT)
    with pytest.raises(UndecodableError) as caught:
        taken(codec, AUDIT, value)

    assert caught.value.code == "not_canonical"


def test_a_newer_writers_value_is_canonical_by_its_own_schema() -> None:
    """What ours does not have is not lost sight of."""
    newer = {**CATALOGUE[AUDIT].schema, "fields": [*CATALOGUE[AUDIT].schema["fields"], LATER]}
    codec = Codec(catalogue=CATALOGUE, ids=CODEC.ids)
    codec.learn(500, AUDIT, newer)
    old = CODEC.encode(AUDIT, {"action": "admitted", "recorded_at": datetime(2026, 11, 24, tzinfo=UTC)})
    value = b"\0" + (500).to_bytes(4, "big") + old[5:] + b"\x02\x02x"

    assert taken(codec, AUDIT, value) == CODEC.decode(old, expected=AUDIT)
    with pytest.raises(UndecodableError):
        taken(codec, AUDIT, value[:-2] + b"\x82\x00x")


@pytest.mark.parametrize("event_type", TYPES)
@DIFFERENTIAL
@given(draw=st.data())
def test_two_libraries_agree_on_damaged_values(event_type: EventType, draw: st.DataObject) -> None:
    """Bytes changed, taken out or put in: we refuse, or the other one reads the same."""
    value = bytearray(CODEC.encode(event_type, draw.draw(data_of(CATALOGUE, event_type)))[5:])
    for _ in range(draw.draw(st.integers(1, 3))):
        at = draw.draw(st.integers(0, len(value)))
        value[at : at + draw.draw(st.integers(0, 2))] = draw.draw(st.binary(max_size=2) | BYTES)

    assert ours(event_type, bytes(value)) in (NO_EVENT, theirs(event_type, bytes(value)))


@pytest.mark.parametrize("event_type", TYPES)
@DIFFERENTIAL
@given(datum=st.binary(max_size=80) | st.lists(st.binary(max_size=3) | BYTES, max_size=40).map(b"".join))
def test_two_libraries_agree_on_random_bytes(event_type: EventType, datum: bytes) -> None:
    """As above."""
    assert ours(event_type, datum) in (NO_EVENT, theirs(event_type, datum))


def ours(event_type: EventType, datum: bytes) -> Any:
    """What we make of bytes."""
    try:
        return plain(taken(CODEC, event_type, b"\0" + CODEC.ids[event_type].to_bytes(4, "big") + datum))
    except UndecodableError:
        return NO_EVENT


def theirs(event_type: EventType, datum: bytes) -> Any:
    """What Apache's package makes of them, by the same rule: all of them read, and written the same."""
    source, again = io.BytesIO(datum), io.BytesIO()
    try:
        value: Any = avro.io.DatumReader(PARSED[event_type]).read(avro.io.BinaryDecoder(source))
        avro.io.DatumWriter(PARSED[event_type]).write(value, avro.io.BinaryEncoder(again))
    except (
        avro.errors.AvroException,
        ValueError,
        TypeError,
        LookupError,
        ArithmeticError,
        AssertionError,
        struct.error,
    ):
        return NO_EVENT
    return plain(value) if source.tell() == len(datum) and again.getvalue() == datum else NO_EVENT


def plain(value: Any) -> Any:
    """Write ids as text: Apache's package leaves those in arrays so."""
    if isinstance(value, dict):
        return {name: plain(each) for name, each in value.items()}
    if isinstance(value, list):
        return [plain(each) for each in value]
    return str(value) if isinstance(value, UUID) else value
