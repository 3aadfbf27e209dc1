"""
A writer of Avro values, compiled once per schema.

fastavro tries the branches of a union one by one and validates the datum against each; with records of optional
fields, as ours are, that is most of the time it takes. Here each schema becomes a tree of small closures, and a union
is what the house allows: null and one other type. The bytes are the same (a property test compares them with
fastavro's); reading stays fastavro's work. See docs/decisions/0007-compiled-writer.md.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

from streams.errors import ConfigurationError

__all__ = ["Write", "compile_writer"]

Write = Callable[[bytearray, Any], None]
"""Appends a value's encoding; raises ValueError, TypeError, KeyError or AttributeError when it does not fit."""

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_EPOCH_DAY = date(1970, 1, 1).toordinal()
_INT, _LONG = 31, 63


def compile_writer(schema: Mapping[str, Any]) -> Callable[[bytearray, Mapping[str, Any]], None]:
    """
    Compile a record's schema.

    Args:
        schema: JSON values, with every named type written out where it is first met.

    Raises:
        ConfigurationError: the schema has a construct that the house does not use.
    """
    return _compile(schema, {}, str(schema.get("namespace", "")))


def _compile(schema: Any, named: dict[str, Write], space: str) -> Write:
    if isinstance(schema, list):
        return _optional(schema, named, space)
    if isinstance(schema, str):
        if schema in _PRIMITIVES:
            return _PRIMITIVES[schema]
        return named[schema if "." in schema else f"{space}.{schema}"]
    kind, logical = schema["type"], schema.get("logicalType")
    builder = _BUILDERS.get(logical or kind)
    if builder is not None:
        return builder(schema, named, schema.get("namespace", space))
    write = _LOGICAL.get(logical) if logical else _PRIMITIVES.get(kind)
    if write is None:
        raise ConfigurationError(f"No writer is compiled for {logical or kind}: the house's schemas do not use it.")
    return write


def _optional(branches: list[Any], named: dict[str, Write], space: str) -> Write:
    if len(branches) != 2 or branches[0] != "null":  # noqa: PLR2004 -- null and one other
        raise ConfigurationError("A union is null and one other type, in this order.")
    other = _compile(branches[1], named, space)

    def write(out: bytearray, value: Any) -> None:
        if value is None:
            out.append(0)
        else:
            out.append(2)
            other(out, value)

    return write


def _record(schema: Mapping[str, Any], named: dict[str, Write], space: str) -> Write:
    fields: list[tuple[str, Write, bytes | None]] = []

    def write(out: bytearray, value: Any) -> None:
        known = 0
        for name, write_field, default in fields:
            if name in value:
                write_field(out, value[name])
                known += 1
            elif default is None:
                raise ValueError(f"{name} is missing")
            else:
                out += default
        if known != len(value):
            raise ValueError("there are fields that the schema does not have")

    # Before the fields are compiled: a schema may name its own record below.
    named[f"{space}.{schema['name']}"] = write
    for each in schema["fields"]:
        write_field = _compile(each["type"], named, space)
        fields.append((each["name"], write_field, _default(each, write_field)))
    return write


def _default(field: Mapping[str, Any], write: Write) -> bytes | None:
    if "default" not in field:
        return None
    out = bytearray()
    write(out, field["default"])
    return bytes(out)


def _enum(schema: Mapping[str, Any], named: dict[str, Write], space: str) -> Write:
    encoded = {symbol: _varint(index << 1) for index, symbol in enumerate(schema["symbols"])}

    def write(out: bytearray, value: Any) -> None:
        out += encoded[value]

    named[f"{space}.{schema['name']}"] = write
    return write


def _array(schema: Mapping[str, Any], named: dict[str, Write], space: str) -> Write:
    item = _compile(schema["items"], named, space)

    def write(out: bytearray, value: Any) -> None:
        if isinstance(value, str | bytes | Mapping):
            raise TypeError("an array is a list")
        if value:
            out += _varint(len(value) << 1)
            for each in value:
                item(out, each)
        out.append(0)

    return write


def _map(schema: Mapping[str, Any], named: dict[str, Write], space: str) -> Write:
    item = _compile(schema["values"], named, space)

    def write(out: bytearray, value: Any) -> None:
        if value:
            out += _varint(len(value) << 1)
            for name, each in value.items():
                _string(out, name)
                item(out, each)
        out.append(0)

    return write


def _decimal(schema: Mapping[str, Any], _named: dict[str, Write], _space: str) -> Write:
    limit, scale = 10 ** schema["precision"], schema["scale"]

    def write(out: bytearray, value: Any) -> None:
        if not isinstance(value, Decimal):
            raise TypeError("a decimal is a Decimal")
        sign, digits, exponent = value.as_tuple()
        if not isinstance(exponent, int) or exponent + scale < 0:
            raise ValueError("more places than the schema has")
        unscaled = int("".join(map(str, digits))) * 10 ** (exponent + scale)
        if unscaled >= limit:
            raise ValueError("more digits than the schema has")
        unscaled = -unscaled if sign else unscaled
        encoded = unscaled.to_bytes((unscaled.bit_length() + 8) >> 3, "big", signed=True)
        out += _varint(len(encoded) << 1)
        out += encoded

    return write


def _boolean(out: bytearray, value: Any) -> None:
    if not isinstance(value, bool):
        raise TypeError("a boolean is True or False")
    out.append(value)


def _integer(bits: int) -> Write:
    low, high = -(1 << bits), (1 << bits) - 1

    def write(out: bytearray, value: Any) -> None:
        if not isinstance(value, int) or isinstance(value, bool):
            raise TypeError("an integer is an int")
        if not low <= value <= high:
            raise ValueError("out of range")
        out += _varint((value << 1) ^ (value >> _LONG))

    return write


def _bytes(out: bytearray, value: Any) -> None:
    if not isinstance(value, bytes):
        raise TypeError("bytes are bytes")
    out += _varint(len(value) << 1)
    out += value


def _string(out: bytearray, value: str) -> None:
    encoded = value.encode()
    out += _varint(len(encoded) << 1)
    out += encoded


def _uuid(out: bytearray, value: Any) -> None:
    _string(out, str(value) if isinstance(value, UUID) else str(UUID(value)))


def _timestamp_micros(out: bytearray, value: Any) -> None:
    if value.tzinfo is None:
        raise ValueError("a time without offset")
    since = value - _EPOCH
    micros = (since.days * 86_400 + since.seconds) * 1_000_000 + since.microseconds
    out += _varint((micros << 1) ^ (micros >> _LONG))


def _date(out: bytearray, value: Any) -> None:
    if isinstance(value, datetime):
        raise TypeError("a day is a date")
    days = value.toordinal() - _EPOCH_DAY
    out += _varint((days << 1) ^ (days >> _LONG))


def _null(_out: bytearray, value: Any) -> None:
    if value is not None:
        raise TypeError("null is None")


def _long_varint(number: int) -> bytes:
    out = bytearray()
    while number > 0x7F:  # noqa: PLR2004 -- seven bits a byte
        out.append((number & 0x7F) | 0x80)
        number >>= 7
    out.append(number)
    return bytes(out)


_SHORT = tuple(_long_varint(number) for number in range(1024))


def _varint(number: int) -> bytes:
    """Encode a number that was made non-negative (zig-zag)."""
    return _SHORT[number] if number < 1024 else _long_varint(number)  # noqa: PLR2004 -- the table's length


_PRIMITIVES: Mapping[str, Write] = {
    "null": _null,
    "boolean": _boolean,
    "int": _integer(_INT),
    "long": _integer(_LONG),
    "bytes": _bytes,
    "string": _string,
}
_LOGICAL: Mapping[str, Write] = {"uuid": _uuid, "timestamp-micros": _timestamp_micros, "date": _date}
_BUILDERS: Mapping[str, Callable[[Mapping[str, Any], dict[str, Write], str], Write]] = {
    "record": _record,
    "enum": _enum,
    "array": _array,
    "map": _map,
    "decimal": _decimal,
}
