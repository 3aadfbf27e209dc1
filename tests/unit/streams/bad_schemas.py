"""Schemas that must not be used, each with a name; texts where the fault is in the text."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any


def record(*kinds: Any, name: str = "R", **more: Any) -> dict[str, Any]:
    """Give a record with a field of each type."""
    fields = [{"name": f"f{number}", "type": kind} for number, kind in enumerate(kinds)]
    return {"type": "record", "name": name, "namespace": "t", "fields": fields, **more}


def field(**what: Any) -> dict[str, Any]:
    """Give a record with one field, as stated."""
    return {"type": "record", "name": "R", "namespace": "t", "fields": [{"name": "f", "type": "string", **what}]}


def nested(levels: int, kind: str) -> Any:
    """Give arrays or maps within each other, or optional records."""
    inner: Any = "string"
    for level in range(levels):
        if kind == "record":
            inner = record(inner, name=f"N{level}")
        else:
            inner = {"type": kind, "items" if kind == "array" else "values": inner}
    return inner


def doubling(levels: int, *kinds: Any) -> dict[str, Any]:
    """Give records that use each other twice: without a byte, and twice as large with each level."""
    first = record(record(*kinds, name="D0"), "t.D0", name="D1")
    for level in range(2, levels):
        first = record(first, f"t.D{level - 1}", name=f"D{level}")
    return first


def decimal(**what: Any) -> dict[str, Any]:
    """Give a decimal, as stated."""
    return {"type": "bytes", "logicalType": "decimal", **what}


def enum(symbols: Any, **more: Any) -> dict[str, Any]:
    """Give an enum."""
    return {"type": "enum", "name": "E", "symbols": symbols, **more}


EMPTY = record(name="Empty")
BAD: Mapping[str, Any] = {
    "a list that holds itself": record(["null", "t.R"]),
    "an array of itself": record({"type": "array", "items": "t.R"}),
    "a map of itself": record({"type": "map", "values": "R"}),
    "itself without end": record("t.R"),
    "each other": record(record(["null", "t.R"], name="S")),
    "itself by way of three": record(record(record(["null", "t.S"], name="T"), name="S")),
    "17 records deep": record(nested(16, "record")),
    "17 arrays deep": record(nested(17, "array")),
    "17 maps deep": record(nested(17, "map")),
    "1000 arrays deep": record(nested(300, "array")),
    "optional, eight times twelve deep": record(["null", nested(16, "array")]),
    "deep by a name": record(nested(14, "record"), {"type": "array", "items": {"type": "array", "items": "t.N13"}}),
    "doubling, 10 levels": doubling(10, "int"),
    "doubling, 23 levels": doubling(23),
    "doubling, 200 levels": doubling(15) | {"name": "X"},
    "501 fields": record(*["string"] * 501),
    "10000 fields": record(*["string"] * 10_000),
    "300 fields twice": record(record(*["string"] * 300, name="S"), "t.S"),
    "null by itself": record("null"),
    "an empty record": record(),
    "an empty record in it": record("int", EMPTY),
    "array of null": record({"type": "array", "items": "null"}),
    "array of null, written out": record({"type": "array", "items": {"type": "null"}}),
    "array of empty records": record({"type": "array", "items": EMPTY}),
    "array of records of null": record({"type": "array", "items": record("null", "null", name="S")}),
    "array of records of empty records": record({"type": "array", "items": record(EMPTY, name="S")}),
    "array of a named empty record": record(EMPTY, {"type": "array", "items": "t.Empty"}),
    "map of null": record({"type": "map", "values": "null"}),
    "map of empty records": record({"type": "map", "values": EMPTY}),
    "array of fixed of no bytes": record({"type": "array", "items": {"type": "fixed", "name": "F", "size": 0}}),
    "fixed of no bytes": record({"type": "fixed", "name": "F", "size": 0}),
    "fixed of a gigabyte": record({"type": "fixed", "name": "F", "size": 2**30}),
    "fixed of fewer than none": record({"type": "fixed", "name": "F", "size": -1}),
    "float": record("float"),
    "double": record({"type": "double"}),
    "union of three": record(["null", "int", "string"]),
    "union of one": record(["null"]),
    "empty union": record([]),
    "null second": record(["string", "null"]),
    "two nulls": record(["null", "null"]),
    "union in a union": record(["null", ["null", "string"]]),
    "type is a union": record({"type": ["null", "string"]}),
    "type is an object": record({"type": {"type": "string"}}),
    "type is a number": record(7),
    "no type": record({"items": "string"}),
    "unknown type": record("text"),
    "unknown name": record("t.Nobody"),
    "name before its definition": record("t.S", record(name="S")),
    "name of another name space": record(record(name="S"), "u.S"),
    "array without items": record({"type": "array"}),
    "map without values": record({"type": "map"}),
    "record without fields": record({"type": "record", "name": "S"}),
    "fields are an object": {"type": "record", "name": "R", "fields": {}},
    "field is a name": {"type": "record", "name": "R", "fields": ["x"]},
    "field without type": {"type": "record", "name": "R", "fields": [{"name": "x"}]},
    "no name": {"type": "record", "fields": []},
    "name of a type": record(record(name="string")),
    "name twice": record(record(name="S"), record(name="S")),
    "field twice": {"type": "record", "name": "R", "fields": [{"name": "x", "type": "int"}] * 2},
    "name with a quote": record(record(name='S"; drop')),
    "name with a line end": field(name="a\nb"),
    "name with a dot": record(record(name="a.S")),
    "name of 65": record(record(name="S" * 65)),
    "name that is no text": field(name=7),
    "empty name": field(name=""),
    "Vietnamese name": field(name="số"),
    "name space with a blank": record(namespace="a b"),
    "name space of 129": record(namespace="a" * 129),
    "name space that is no text": record(namespace=["a"]),
    "doc of a megabyte": field(doc="x" * 2**20),
    "default of a megabyte": field(default="x" * 2**20),
    "default of another type": field(default=7),
    "null for a string": field(default=None),
    "text for null": field(type=["null", "string"], default="x"),
    "default list": field(type={"type": "array", "items": "string"}, default=[]),
    "default object": field(type=record(name="S"), default={}),
    "default beyond int": field(type="int", default=2**31),
    "default no symbol": field(type=enum(["a"]), default="b"),
    "alias of a field": field(aliases=["amount"]),
    "alias of a record": record(aliases=["t.S"]),
    "alias of an enum": record(enum(["a"], aliases=["F"])),
    "enum without symbols": record(enum([])),
    "enum of 201": record(enum([f"s{number}" for number in range(201)])),
    "symbol twice": record(enum(["a", "a"])),
    "symbol with a blank": record(enum(["a b"])),
    "symbol of 65": record(enum(["s" * 65])),
    "symbol that is no text": record(enum([1])),
    "enum's default no symbol": record(enum(["a"], default="b")),
    "decimal without precision": record(decimal(scale=2)),
    "decimal without scale": record(decimal(precision=4)),
    "decimal of no digits": record(decimal(precision=0, scale=0)),
    "decimal of 39 digits": record(decimal(precision=39, scale=0)),
    "decimal of a million digits": record(decimal(precision=10**6, scale=0)),
    "more places than digits": record(decimal(precision=4, scale=5)),
    "places below none": record(decimal(precision=4, scale=-1)),
    "precision is true": record(decimal(precision=True, scale=0)),
    "precision is a text": record(decimal(precision="4", scale=0)),
    "decimal of a string": record({"type": "string", "logicalType": "decimal", "precision": 4, "scale": 2}),
    "time of day": record({"type": "int", "logicalType": "time-millis"}),
    "milliseconds": record({"type": "long", "logicalType": "timestamp-millis"}),
    "local time": record({"type": "long", "logicalType": "local-timestamp-micros"}),
    "duration": record({"type": "fixed", "name": "F", "size": 12, "logicalType": "duration"}),
    "uuid of bytes": record({"type": "bytes", "logicalType": "uuid"}),
    "date of a long": record({"type": "long", "logicalType": "date"}),
    "microseconds of an int": record({"type": "int", "logicalType": "timestamp-micros"}),
    "invented logical type": record({"type": "string", "logicalType": "sealed"}),
    "logical type is a list": record({"type": "string", "logicalType": []}),
    "a string": "string",
    "a union": ["null", record()],
    "an array": {"type": "array", "items": "string"},
    "an enum": enum(["a"]),
    "an error": {"type": "error", "name": "R", "fields": []},
    "nothing": {},
    "null": None,
}
"""Schemas as JSON values."""

BAD_TEXTS: Mapping[str, str] = {
    "no JSON": "{",
    "empty": "",
    "a key twice": '{"type": "record", "name": "R", "fields": [], "fields": [{"name": "x", "type": "int"}]}',
    "NaN": '{"type": "record", "name": "R", "fields": [], "x": NaN}',
    "Infinity": '{"type": "record", "name": "R", "fields": [], "x": -Infinity}',
    "a number of 5000 digits": '{"type": "record", "name": "R", "fields": [], "x": ' + "9" * 5_000 + "}",
    "brackets": "[" * 60_000,
    "objects": '{"type":' * 8_000,
    "a deep attribute": json.dumps(record())[:-1] + ', "x": ' + "[" * 20_000 + "]" * 20_000 + "}",
    "66 KB": json.dumps(record(doc="x" * 65_600)),
    "66 KB of Vietnamese": json.dumps(record(doc="ệ" * 22_000), ensure_ascii=False),
}
"""Schemas as texts."""
