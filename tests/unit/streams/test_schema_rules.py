"""Schemas by which nothing may be decoded: refused, wherever they come from."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest
from bad_schemas import BAD, BAD_TEXTS, decimal, doubling, nested, record

import schemas
from streams.avro_reader import compile_reader
from streams.avro_writer import compile_writer
from streams.catalogue import Catalogue, load_catalogue
from streams.errors import ConfigurationError
from streams.guards import compile_walk
from streams.names import EventType
from streams.registry import register_all
from streams.schema_rules import MAX_FIELDS, check_schema, read_schema
from streams.testing import MemoryRegistry

CATALOGUE = load_catalogue()
GOOD = {
    "16 records deep": record(nested(15, "record")),
    "16 arrays deep": record(nested(15, "array")),
    "500 fields": record(*["string"] * MAX_FIELDS),
    "small doubling": doubling(7, "int"),
    "every type": record(
        "boolean",
        "int",
        "long",
        "bytes",
        "string",
        {"type": "string"},
        ["null", "string"],
        decimal(precision=38, scale=38),
    ),
    "a map of texts": record({"type": "map", "values": "string"}),
    "an array of optional texts": record({"type": "array", "items": ["null", "string"]}),
    "a record used twice": record(record("int", name="S"), "S", "t.S"),
}


def test_there_are_enough_of_them() -> None:
    """At least sixty, none of them twice."""
    texts = {json.dumps(each) for each in BAD.values()} | set(BAD_TEXTS.values())

    assert len(texts) == len(BAD) + len(BAD_TEXTS) >= 60


@pytest.mark.parametrize("schema", BAD.values(), ids=list(BAD))
def test_a_bad_schema_is_refused_with_what_to_do(schema: Any) -> None:
    """By one code and one sentence, read or given."""
    for refuse in (lambda: check_schema(schema), lambda: read_schema(json.dumps(schema))):
        with pytest.raises(ConfigurationError, match=r"^This schema cannot be used.*: .+\.$") as caught:
            refuse()
        assert caught.value.code == "bad_schema"
        assert len(str(caught.value)) < 500


@pytest.mark.parametrize("text", BAD_TEXTS.values(), ids=list(BAD_TEXTS))
def test_a_bad_text_is_refused(text: str) -> None:
    """Before it costs anything."""
    with pytest.raises(ConfigurationError) as caught:
        read_schema(text)

    assert caught.value.code == "bad_schema"


@pytest.mark.parametrize("schema", GOOD.values(), ids=list(GOOD))
def test_a_schema_at_the_limits_is_taken(schema: dict[str, Any]) -> None:
    """The rules refuse nothing that they do not say, and what they take can be written and read."""
    assert read_schema(json.dumps(schema)) == schema
    compile_writer(schema)
    compile_reader(schema)
    compile_walk(schema)


@pytest.mark.parametrize("spec", CATALOGUE.versions, ids=lambda spec: f"{spec.type}.v{spec.version}")
def test_every_shipped_schema_keeps_the_rules(spec: Any) -> None:
    """As a value and as the text that is registered."""
    check_schema(spec.schema)
    assert read_schema(spec.text) == spec.schema


def test_a_catalogue_with_a_bad_schema_is_not_loaded(monkeypatch: pytest.MonkeyPatch) -> None:
    """No program starts with it."""
    text = json.dumps({**record(["null", "t.R"]), "lt": {"kind": "fact", "vi": "T"}})
    monkeypatch.setattr(schemas, "event_files", lambda: iter([("a.b", 1, text)]))

    with pytest.raises(ConfigurationError, match=r"a\.b v1 .*holds itself"):
        load_catalogue()


def test_a_bad_schema_is_not_registered() -> None:
    """Nor is any good one beside it: what is registered stays for ever."""
    spec = CATALOGUE[EventType("shipment.sighted")]
    bad = replace(spec, schema=record({"type": "array", "items": "null"}))
    registry = MemoryRegistry()

    with pytest.raises(ConfigurationError, match="null is no type"):
        register_all(registry, Catalogue(types={**CATALOGUE.types, spec.type: bad}))

    assert registry.texts == {}
