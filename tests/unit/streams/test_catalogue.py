"""What the house asks of every shipped schema, and how the catalogue reads them."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any

import pytest

import schemas
from streams.catalogue import Catalogue, fingerprint, load_catalogue
from streams.errors import ConfigurationError
from streams.names import EventType
from streams.testing.registry import fully_compatible

CATALOGUE = load_catalogue()
TYPES = sorted(CATALOGUE.types)
FILES = [(f"{name}.v{version}", text) for name, version, text in schemas.event_files()] + [
    (json.loads(text)["name"], text) for text in schemas.type_files()
]
PERSONAL = {
    "einvoice.received": {
        "message_id",
        "refers_to",
        "shop",
        "seller_tax_code",
        "seller_name",
        "seller_address",
        "seller_phone",
        "seller_account",
        "buyer_tax_code",
        "buyer_name",
        "parcels.number",
    },
    "einvoice.anomaly_detected": {"seller_tax_code", "seller_name", "seller_account", "parcels.number"},
    "seller.suspected": {"seller_tax_code", "seller_name", "seller_account", "parcels.number"},
    "payment_block.requested": {"account", "customer"},
    "shipment.flagged": {"number"},
    "shipment.sighted": {"number"},
}
"""Every field that carries a personal value, by type; a new one is entered here and in docs/glossary.md."""


def nodes(node: Any) -> Iterator[Any]:
    """Walk through a schema."""
    yield node
    for each in node.values() if isinstance(node, dict) else node if isinstance(node, list) else ():
        yield from nodes(each)


def fields_of(text: str) -> Iterator[dict[str, Any]]:
    """Give the fields of every record that a file writes out."""
    for node in nodes(json.loads(text)):
        if isinstance(node, dict) and node.get("type") == "record":
            yield from node["fields"]


@pytest.mark.parametrize(("name", "text"), FILES, ids=[name for name, _ in FILES])
class TestShippedSchemas:
    """Each file by itself."""

    def test_every_field_is_explained_with_its_vietnamese_term(self, name: str, text: str) -> None:
        """In English, with the term in Vietnamese, and the record too."""
        docs = {each["name"]: each.get("doc", "") for each in fields_of(text)} | {name: json.loads(text)["doc"]}

        assert [each for each, doc in docs.items() if not (re.search("[à-ỹđÀ-ỸĐ]", doc) and "(" in doc)] == []

    def test_what_may_be_absent_has_default_null(self, name: str, text: str) -> None:
        """A nullable field lists null first and defaults to it; nothing else has a default, so FULL holds for ever."""
        del name
        for each in fields_of(text):
            nullable = isinstance(each["type"], list)
            assert nullable is ("default" in each), each["name"]
            if nullable:
                assert (each["type"][0], each["default"], len(each["type"])) == ("null", None, 2), each["name"]

    def test_enums_have_a_symbol_for_what_is_not_known(self, name: str, text: str) -> None:
        """So that a symbol which a newer version adds is read as `unknown`."""
        del name
        enums = [node for node in nodes(json.loads(text)) if isinstance(node, dict) and node.get("type") == "enum"]

        assert [each["name"] for each in enums if each.get("default") != "unknown"] == []
        assert [each["name"] for each in enums if "unknown" not in each["symbols"]] == []

    def test_there_is_no_floating_point(self, name: str, text: str) -> None:
        """Money is decimal; decimals state precision and scale; times are microseconds in UTC."""
        del name
        everything = list(nodes(json.loads(text)))
        logical = [node for node in everything if isinstance(node, dict) and "logicalType" in node]

        assert not {"float", "double"} & {node for node in everything if isinstance(node, str)}
        assert {node["logicalType"] for node in logical} <= {"decimal", "uuid", "date", "timestamp-micros"}
        assert all(node["precision"] >= node["scale"] >= 0 for node in logical if node["logicalType"] == "decimal")

    def test_names_are_written_alike(self, name: str, text: str) -> None:
        """Fields in snake case, records in camel case."""
        del name
        assert [each["name"] for each in fields_of(text) if not re.fullmatch("[a-z][a-z0-9_]*", each["name"])] == []
        assert re.fullmatch("[A-Z][A-Za-z]*", json.loads(text)["name"])


@pytest.mark.parametrize("name", TYPES)
class TestShippedTypes:
    """Each type as it is registered."""

    def test_personal_values_are_sealed(self, name: EventType) -> None:
        """Exactly the fields of the list above have the type Sealed, each nullable."""
        assert PERSONAL.get(name, set()) == set(sealed_fields(CATALOGUE[name].schema["fields"]))

    def test_a_shared_record_is_written_out_once(self, name: EventType) -> None:
        """A registered schema stands alone: each record it names is defined in it, the first time it is met."""
        defined: list[str] = []
        for node in nodes(CATALOGUE[name].schema):
            if isinstance(node, dict) and node.get("type") in ("record", "enum"):
                defined.append(f"{node['namespace']}.{node['name']}")
            if isinstance(node, str) and node.startswith("vn.lienthong.types."):
                assert node in defined

        assert len(set(defined)) == len(defined)

    def test_it_is_compatible_with_itself_and_with_one_more_field(self, name: EventType) -> None:
        """FULL: each reads the other. A needed field, or another type of a field, is not compatible."""
        text, record = CATALOGUE[name].text, CATALOGUE[name].schema
        optional = {"name": "later", "type": ["null", "string"], "default": None}
        first, *rest = record["fields"]

        def fits(fields: list[Any]) -> bool:
            return fully_compatible(text, json.dumps({**record, "fields": fields}))

        assert fits(list(record["fields"]))
        assert fits([*record["fields"], optional])
        assert not fits([*record["fields"], {"name": "later", "type": "string"}])
        assert not fits([{"name": first["name"], "type": "long"}, *without_first_definition(first, rest)])

    def test_only_optional_fields_may_be_removed(self, name: EventType) -> None:
        """What a directory can take out is what the schema lets be null, at the top level."""
        spec = CATALOGUE[name]

        assert spec.removable <= set(spec.fields)
        assert {each["name"] for each in spec.schema["fields"] if isinstance(each["type"], list)} == spec.removable
        assert spec.parsed["fields"][0]["name"] == spec.fields[0]


def sealed_fields(fields: Any) -> Iterator[str]:
    """Name the sealed fields, and those of the parcels that an event lists."""
    for each in fields:
        kinds = [node["name"] if isinstance(node, dict) and "fields" in node else node for node in nodes(each["type"])]
        names = {str(kind).removeprefix("vn.lienthong.types.") for kind in kinds if isinstance(kind, str)}
        if "ParcelRef" in names:
            yield f"{each['name']}.number"
        elif "Sealed" in names:
            yield each["name"]


def without_first_definition(first: Any, rest: list[Any]) -> list[Any]:
    """Keep later fields that stand alone when the first, with the records it defines, is gone."""
    return [each for each in rest if "vn.lienthong" not in json.dumps(each)] if first else rest


def test_kinds_and_signatures_fit_each_other() -> None:
    """An act is signed by an officer, an alert by nobody; an answer answers a type of the catalogue."""
    for spec in CATALOGUE.types.values():
        assert spec.signed_by_officer or spec.kind != "act", spec.type
        assert not (spec.signed_by_officer and spec.kind == "alert"), spec.type
        assert (spec.answers is not None) is (spec.kind == "answer"), spec.type
        assert spec.answers is None or spec.answers in CATALOGUE.types
        assert spec.title_vi


def test_topics_and_subjects_follow_from_the_type() -> None:
    """As the protocol says; the audit log has a topic of its own."""
    spec = CATALOGUE[EventType("seller.suspected")]

    assert (spec.topic, spec.registry_subject) == ("lt.seller.suspected", "lt.seller.suspected-value")
    assert CATALOGUE[EventType("audit.recorded")].topic == "lt.audit"


def test_an_unknown_type_is_named_with_those_there_are() -> None:
    """The program does not start; the message helps."""
    with pytest.raises(ConfigurationError, match=r"seller\.suspected"):
        CATALOGUE[EventType("seller.praised")]


def test_the_newest_version_counts(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever the order of the files."""
    fields = [{"name": "x", "type": "int"}]
    text = json.dumps({"type": "record", "name": "T", "fields": fields, "lt": {"kind": "fact", "vi": "T"}})
    files = [("a.b", 10, text), ("a.b", 9, text)]
    monkeypatch.setattr(schemas, "event_files", lambda: iter(files))

    assert load_catalogue()[EventType("a.b")].version == 10


@pytest.mark.parametrize(
    "text",
    [
        "{",
        '{"type": "record", "name": "T", "fields": []}',
        '{"type": "record", "name": "T", "fields": [], "lt": {"kind": "fact"}}',
        '{"type": "record", "name": "T", "lt": {"kind": "fact", "vi": ""}, "fields": [{"name": "x", "type": "Such"}]}',
    ],
    ids=["no JSON", "nothing about it", "no Vietnamese title", "unknown type"],
)
def test_a_file_that_cannot_be_used_is_named(monkeypatch: pytest.MonkeyPatch, text: str) -> None:
    """With its version, so that it is found."""
    monkeypatch.setattr(schemas, "event_files", lambda: iter([("a.b", 3, text)]))

    with pytest.raises(ConfigurationError, match=r"a\.b v3"):
        load_catalogue()


def test_a_fingerprint_ignores_what_does_not_change_the_bytes(catalogue: Catalogue) -> None:
    """Docs and order of attributes do not matter, a type does."""
    schema = dict(catalogue[EventType("shipment.sighted")].schema)
    reordered = json.dumps(dict(reversed(schema.items())) | {"doc": "other"})

    assert catalogue[EventType("shipment.sighted")].fingerprint == fingerprint(reordered)
    assert fingerprint(reordered) != fingerprint(reordered.replace('"seen_at"', '"seen_on"'))
