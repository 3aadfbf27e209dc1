"""Avro in Confluent's framing."""

from __future__ import annotations

import copy
import io
import json
from decimal import Decimal
from typing import Any
from uuid import UUID

import avro.io
import avro.schema
import fastavro
import pytest
from avro_strategies import data_of
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from streams.catalogue import Catalogue, load_catalogue
from streams.codec import MAX_VALUE_BYTES, Codec, UnknownSchemaError
from streams.errors import UndecodableError
from streams.names import EventType

CATALOGUE = load_catalogue()
TYPES = sorted(CATALOGUE.types)
CODEC = Codec(catalogue=CATALOGUE, ids={name: number for number, name in enumerate(TYPES, start=1)})
PARSED = {name: avro.schema.parse(CATALOGUE[name].text) for name in TYPES}
SIGHTED, ANSWERED = EventType("shipment.sighted"), EventType("payment_block.answered")
QUICK = settings(max_examples=25, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])


@pytest.mark.parametrize("event_type", TYPES)
@QUICK
@given(draw=st.data())
def test_what_was_encoded_is_decoded_again(event_type: EventType, draw: st.DataObject) -> None:
    """decode(encode(x)) is x for every shipped type; encoding twice gives the same bytes."""
    data = draw.draw(data_of(CATALOGUE, event_type))

    value = CODEC.encode(event_type, data)

    assert data == CODEC.decode(value, expected=event_type)
    assert value == CODEC.encode(event_type, copy.deepcopy(data))
    assert value[:5] == bytes([0, 0, 0, 0, CODEC.ids[event_type]])


@pytest.mark.parametrize("event_type", TYPES)
@settings(QUICK, max_examples=10)
@given(draw=st.data())
def test_apaches_own_package_reads_the_same(event_type: EventType, draw: st.DataObject) -> None:
    """A second opinion: Avro's reference implementation decodes our bytes to the same values."""
    data = draw.draw(data_of(CATALOGUE, event_type))

    value = CODEC.encode(event_type, data)

    decoder = avro.io.BinaryDecoder(io.BytesIO(value[5:]))
    assert plain(data) == plain(avro.io.DatumReader(PARSED[event_type]).read(decoder))


@pytest.mark.parametrize("event_type", TYPES)
@QUICK
@given(tail=st.binary(max_size=200))
def test_random_bytes_raise_nothing_else(event_type: EventType, tail: bytes) -> None:
    """Whatever stands behind a right prefix, it decodes or is undecodable."""
    prefix = bytes([0, 0, 0, 0, CODEC.ids[event_type]])
    error = refusal(prefix + tail, event_type)

    assert error is None or error.code in {"undecodable", "trailing_bytes"}


@pytest.mark.parametrize("event_type", TYPES)
@QUICK
@given(draw=st.data())
def test_a_damaged_value_raises_nothing_else(event_type: EventType, draw: st.DataObject) -> None:
    """A byte changed or the end cut off: it decodes to something, or is undecodable, and its bytes are not told."""
    value = bytearray(CODEC.encode(event_type, draw.draw(data_of(CATALOGUE, event_type))))
    at = draw.draw(st.integers(5, len(value)))
    if at < len(value):
        value[at] ^= draw.draw(st.integers(1, 255))
    error = refusal(bytes(value[: draw.draw(st.integers(at, len(value)))]), event_type)

    assert error is None or (error.code in {"undecodable", "trailing_bytes"} and "b'" not in str(error))


@pytest.mark.parametrize("value", [None, b"", b"\x00", b"\x00\x00\x00\x01", b"\x01\x00\x00\x00\x01", b"{}"])
def test_a_value_without_framing_is_refused(value: bytes | None) -> None:
    """No value, too short, another magic byte."""
    with pytest.raises(UndecodableError) as caught:
        CODEC.decode(value, expected=SIGHTED)

    assert caught.value.code == "not_framed"


def test_a_value_with_bytes_after_its_end_is_refused() -> None:
    """Nothing can be hidden behind an event."""
    value = CODEC.encode(ANSWERED, answer())

    with pytest.raises(UndecodableError) as caught:
        CODEC.decode(value + b"\x00", expected=ANSWERED)

    assert caught.value.code == "trailing_bytes"


def test_a_value_of_another_type_is_refused() -> None:
    """The schema id must be one of the type that the envelope names."""
    value = CODEC.encode(ANSWERED, answer())

    with pytest.raises(UndecodableError) as caught:
        CODEC.decode(value, expected=SIGHTED)

    assert caught.value.code == "wrong_schema"


def test_a_value_that_is_too_large_is_not_decoded() -> None:
    """One byte more than the limit is refused before anything is read."""
    value = CODEC.encode(ANSWERED, answer()).ljust(MAX_VALUE_BYTES + 1, b"\x00")

    with pytest.raises(UndecodableError) as caught:
        CODEC.decode(value, expected=ANSWERED)

    assert caught.value.code == "too_large"


def test_an_unknown_schema_id_is_told_apart() -> None:
    """The caller may learn it from the registry and try again."""
    with pytest.raises(UnknownSchemaError) as caught:
        CODEC.decode(b"\x00\x00\x01\x00\x00x", expected=SIGHTED)

    assert (caught.value.schema_id, caught.value.code) == (65536, "unknown_schema")


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"status": "blocked"}, "status"),
        ({"request_id": None}, "request_id"),
        ({"blocked_vnd": Decimal("0.5")}, "blocked_vnd"),
        ({"blocked_vnd": Decimal(10) ** 20}, "blocked_vnd"),
        ({"blocked_vnd": Decimal("NaN")}, "blocked_vnd"),
        ({"blocked_vnd": Decimal("Infinity")}, "blocked_vnd"),
        ({"blocked_vnd": "secret text"}, "blocked_vnd"),
        ({"target": "secret text"}, "target"),
        ({"target": None}, "target"),
        ({"bank_bin": 970436}, "bank_bin"),
        ({"reason": b"bytes"}, "reason"),
        ({"reason": ["secret text"]}, "reason"),
    ],
)
def test_fields_that_do_not_fit_are_refused_and_not_repeated(changes: dict[str, Any], field: str) -> None:
    """The message goes to logs and quarantine, so no value stands in it."""
    with pytest.raises(UndecodableError) as caught:
        CODEC.encode(ANSWERED, {**answer(), **changes})

    assert caught.value.code == "does_not_fit"
    assert str(changes[field]) not in str(caught.value) or changes[field] is None


def test_a_missing_field_without_default_is_refused() -> None:
    """Only fields with a default may be left out."""
    with pytest.raises(UndecodableError):
        CODEC.encode(ANSWERED, {name: value for name, value in answer().items() if name != "target"})

    optional = {name: value for name, value in answer().items() if name != "reason"}
    assert CODEC.decode(CODEC.encode(ANSWERED, optional), expected=ANSWERED)["reason"] is None


def test_an_older_writers_value_is_resolved(catalogue: Catalogue) -> None:
    """What was written before an optional field was added, or with one that we do not know, reads as ours."""
    codec = Codec(catalogue=catalogue, ids=CODEC.ids)
    older = with_fields(lambda fields: [each for each in fields if each["name"] != "reason"])
    newer = with_fields(lambda fields: [*fields, {"name": "later", "type": ["null", "string"], "default": None}])
    for schema_id, schema in ((101, older), (102, newer)):
        codec.learn(schema_id, ANSWERED, schema)
        buffer = io.BytesIO(b"\x00" + schema_id.to_bytes(4, "big"))
        buffer.seek(5)
        fastavro.schemaless_writer(buffer, schema, {**answer(), "later": "x"})

        data = codec.decode(buffer.getvalue(), expected=ANSWERED)

        assert (set(answer()), "executed") == (set(data), data["status"])


def test_an_unknown_symbol_reads_as_unknown(catalogue: Catalogue) -> None:
    """A status that a newer schema added does not stop an older reader."""
    codec = Codec(catalogue=catalogue, ids=CODEC.ids)
    text = CATALOGUE[ANSWERED].text.replace('"nothing_found"', '"nothing_found","postponed"')
    newer = fastavro.schema.parse_schema(json.loads(text))
    assert isinstance(newer, dict)
    codec.learn(103, ANSWERED, newer)
    buffer = io.BytesIO(b"\x00\x00\x00\x00\x67")
    buffer.seek(5)
    fastavro.schemaless_writer(buffer, newer, {**answer(), "status": "postponed"})

    assert codec.decode(buffer.getvalue(), expected=ANSWERED)["status"] == "unknown"


def test_a_writer_that_cannot_be_resolved_is_undecodable(catalogue: Catalogue) -> None:
    """A registry that holds what does not fit stops the value, not the worker."""
    codec = Codec(catalogue=catalogue, ids=CODEC.ids)
    other = {"type": "record", "name": "PaymentBlockAnswered", "namespace": "vn.lienthong.events"}
    codec.learn(104, ANSWERED, {**other, "fields": [{"name": "status", "type": "long"}]})

    with pytest.raises(UndecodableError) as caught:
        codec.decode(b"\x00\x00\x00\x00\x68\x02", expected=ANSWERED)

    assert caught.value.code == "undecodable"


def refusal(value: bytes, event_type: EventType) -> UndecodableError | None:
    """Say how a value is refused, None when it is not; anything else that is raised fails the test."""
    try:
        CODEC.decode(value, expected=event_type)
    except UndecodableError as error:
        return error
    return None


def plain(value: Any) -> Any:
    """Write ids as text: Apache's package leaves those in arrays so."""
    if isinstance(value, dict):
        return {name: plain(each) for name, each in value.items()}
    if isinstance(value, list):
        return [plain(each) for each in value]
    return str(value) if isinstance(value, UUID) else value


def answer() -> dict[str, Any]:
    """Make the fields of an answer."""
    return {
        "target": {"kind": "account", "scheme": "vn-account", "value": "x"},
        "request_id": UUID(int=1),
        "status": "executed",
        "reason": "đã phong tỏa",
        "blocked_vnd": Decimal(15_000_000),
        "answered_by": "sbv-hanam/payment-desk",
        "bank_bin": "970436",
    }


def with_fields(change: Any) -> dict[str, Any]:
    """Give the schema of an answer with other fields."""
    schema = json.loads(CATALOGUE[ANSWERED].text)
    parsed = fastavro.schema.parse_schema({**schema, "fields": change(schema["fields"])})
    assert isinstance(parsed, dict)
    return parsed
