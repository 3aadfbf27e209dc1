"""
Limits for one record and one value, checked before anything is built of it.

A schema bounds the form of a value (`streams.schema_rules`), not its amount: a megabyte of empty items makes hundreds
of megabytes of objects, and a decimal of a megabyte takes two minutes to read. A value of few bytes can do neither, so
only larger ones are walked over, without building anything; the usual event costs one comparison.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from streams.errors import UndecodableError
from streams.headers import Headers

__all__ = [
    "MAX_HEADERS",
    "MAX_ITEMS",
    "MAX_ITEMS_IN_ALL",
    "MAX_KEY_BYTES",
    "MAX_TEXT_BYTES",
    "MAX_VALUE_BYTES",
    "WALKED_FROM",
    "Walk",
    "check_envelope",
    "compile_walk",
]

MAX_VALUE_BYTES = 1_000_000
"""A larger value is not decoded."""

MAX_HEADERS = 64
"""Headers of one record."""

MAX_KEY_BYTES = 4_096
"""A record's key; it is the text of `ce_subject`."""

MAX_ITEMS = 10_000
"""Items of one array or map."""

MAX_ITEMS_IN_ALL = 20_000
"""Items of all arrays and maps of one value."""

MAX_TEXT_BYTES = 65_536
"""One string, or one bytes value."""

WALKED_FROM = 4_096
"""A value of more bytes than this is walked over before it is decoded."""

_MAX_DECIMAL_BYTES = 17  # 38 digits and a sign
_MAX_VARINT_SHIFT = 63

Walk = Callable[[bytes, int], int]
"""
Walks over a value from a position and gives the position after it.

Raises UndecodableError (`too_large`, `undecodable`) or IndexError, where the bytes end too early.
"""

_Step = Callable[[bytes, int, list[int]], int]
"""Walks over one part; the list has one number, the items met so far."""


def check_envelope(key: bytes | None, headers: Headers) -> None:
    """
    Check how much stands around a value; `streams.headers` bounds each attribute, and all other headers together.

    Raises:
        UndecodableError: code `bad_envelope`; more headers, or a longer key, than an event needs.
    """
    if len(headers) > MAX_HEADERS:
        raise UndecodableError(f"The record has {len(headers)} headers.", code="bad_envelope")
    if key is not None and len(key) > MAX_KEY_BYTES:
        raise UndecodableError(f"The record's key has {len(key)} bytes.", code="bad_envelope")


def compile_walk(schema: Mapping[str, Any]) -> Walk:
    """
    Compile the walk over a record's values.

    Args:
        schema: JSON values that passed `streams.schema_rules`.
    """
    step = _compile(schema, {}, "")

    def walk(data: bytes, at: int) -> int:
        return step(data, at, [0])

    return walk


def _compile(schema: Any, named: dict[str, _Step], space: str) -> _Step:
    if isinstance(schema, list):
        return _optional(_compile(schema[1], named, space))
    if isinstance(schema, str):
        return _PRIMITIVES.get(schema) or named[schema if "." in schema else f"{space}.{schema}"]
    kind = schema["type"]
    if schema.get("logicalType") == "decimal":
        return _sized(_MAX_DECIMAL_BYTES)
    if kind in _PRIMITIVES:
        return _PRIMITIVES[kind]
    if kind in ("array", "map"):
        return _blocks(_compile(schema["items" if kind == "array" else "values"], named, space), keyed=kind == "map")
    space = schema.get("namespace", space)
    step: _Step = _long
    if kind == "record":
        step = _in_turn([_compile(each["type"], named, space) for each in schema["fields"]])
    named[f"{space}.{schema['name']}"] = step
    return step


def _optional(inner: _Step) -> _Step:
    def step(data: bytes, at: int, items: list[int]) -> int:
        branch = data[at]
        if branch == 0:
            return at + 1
        if branch != 2:  # noqa: PLR2004 -- index 1, zig-zag
            raise UndecodableError("A union has no such branch.")
        return inner(data, at + 1, items)

    return step


def _in_turn(steps: Sequence[_Step]) -> _Step:
    def step(data: bytes, at: int, items: list[int]) -> int:
        for each in steps:
            at = each(data, at, items)
        return at

    return step


def _blocks(item: _Step, *, keyed: bool) -> _Step:
    def step(data: bytes, at: int, items: list[int]) -> int:
        total = 0
        while True:
            count, at = _number(data, at)
            if count == 0:
                return at
            if count < 0:  # a block that states its bytes, too
                count, at = -count, _long(data, at, items)
            total += count
            items[0] += count
            if total > MAX_ITEMS or items[0] > MAX_ITEMS_IN_ALL:
                raise UndecodableError(f"A list has more than {MAX_ITEMS} items.", code="too_large")
            for _ in range(count):
                if keyed:
                    at = _text(data, at, items)
                at = item(data, at, items)

    return step


def _sized(limit: int) -> _Step:
    def step(data: bytes, at: int, _items: list[int]) -> int:
        size, at = _number(data, at)
        if size > limit:
            raise UndecodableError(f"A text has {size} bytes, or a decimal too many.", code="too_large")
        if size < 0 or at + size > len(data):
            raise UndecodableError("A text ends after the value.")
        return at + size

    return step


def _long(data: bytes, at: int, _items: list[int]) -> int:
    return _number(data, at)[1]


def _byte(_data: bytes, at: int, _items: list[int]) -> int:
    return at + 1


def _nothing(_data: bytes, at: int, _items: list[int]) -> int:
    return at


def _number(data: bytes, at: int) -> tuple[int, int]:
    byte = data[at]
    at += 1
    number, shift = byte & 0x7F, 7
    while byte & 0x80:
        if shift > _MAX_VARINT_SHIFT:
            raise UndecodableError("A number has more than ten bytes.")
        byte = data[at]
        at += 1
        number |= (byte & 0x7F) << shift
        shift += 7
    return (number >> 1) ^ -(number & 1), at


_text = _sized(MAX_TEXT_BYTES)
_PRIMITIVES: Mapping[str, _Step] = {
    "null": _nothing,
    "boolean": _byte,
    "int": _long,
    "long": _long,
    "bytes": _text,
    "string": _text,
}
