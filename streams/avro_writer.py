"""
A writer of Avro values, compiled once per schema.

fastavro tries the branches of a union one by one and validates the datum against each; with records of optional
fields, as ours are, that is most of the time it takes. Here each record becomes a function of straight code, and a
union is what the house allows: null and one other type. The bytes are the same (a property test compares them with
fastavro's). See docs/decisions/0007-compiled-writer.md and 0009-speed.md.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

from streams.avro_source import Source, resolved
from streams.errors import ConfigurationError

__all__ = ["Write", "WritePieces", "compile_pieces", "compile_writer"]

Write = Callable[[bytearray, Mapping[str, Any]], None]
"""Appends a record's encoding; raises ValueError, TypeError, KeyError or AttributeError when it does not fit."""

WritePieces = Callable[[bytearray, Mapping[str, Any], list[int]], None]
"""Does the same and appends, for each field of the record, the length that there is after it."""

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_EPOCH_DAY = date(1970, 1, 1).toordinal()


def compile_writer(schema: Mapping[str, Any]) -> Write:
    """
    Compile a record's schema.

    Args:
        schema: JSON values, with every named type written out where it is first met.

    Raises:
        ConfigurationError: the schema has a construct that the house does not use.
    """
    source = Source(f"writer of {schema['name']}", _NAMES)
    function = _WriterSource(source).record(schema, str(schema.get("namespace", "")))
    return source.compiled(function)


def compile_pieces(schema: Mapping[str, Any]) -> WritePieces:
    """
    Compile a record's schema so that an encoding can be cut where its fields end.

    Raises:
        ConfigurationError: as `compile_writer`.
    """
    source = Source(f"writer of {schema['name']} in pieces", _NAMES)
    return source.compiled(_WriterSource(source).pieces(schema, str(schema.get("namespace", ""))))


class _WriterSource:
    """Writes lines that append a value's encoding to `out`; `e` is a part of it."""

    def __init__(self, source: Source) -> None:
        self._source = source
        self._types: dict[str, Any] = {}
        self._functions: dict[str, str] = {}

    def record(self, schema: Mapping[str, Any], space: str) -> str:
        """Name the function of a record; write it when the record is met first."""
        _, _, name = resolved(schema, self._types, space)
        if name not in self._functions:
            # Named before it is written: a schema may name its own record below.
            self._functions[name] = function = self._source.fresh("write_")
            with self._source.function(f"def {function}(out, value):"):
                self._fields(schema["fields"], name.rpartition(".")[0])
        return self._functions[name]

    def pieces(self, schema: Mapping[str, Any], space: str) -> str:
        """Write the function of a record that also notes in `ends` where each of its fields ends; name it."""
        self.record(schema, space)
        function = self._source.fresh("pieces_")
        with self._source.function(f"def {function}(out, value, ends):"):
            self._fields(schema["fields"], schema.get("namespace", space), after="ends.append(len(out))")
        return function

    def _fields(self, fields: list[Mapping[str, Any]], space: str, *, after: str | None = None) -> None:
        defaults = {each["name"]: _default(each) for each in fields if "default" in each}
        # As many fields as the schema has, and each of them found below: then there is no other.
        with self._source.block(f"if len(value) != {len(fields)}:"):
            self._source.line(f"value = completed(value, {self._source.constant(defaults)}, {len(fields)})")
        for each in fields:
            self._value(each["type"], f"value[{each['name']!r}]", space)
            if after is not None:
                self._source.line(after)

    def _value(self, schema: Any, given: str, space: str) -> None:
        kind, inner, _ = resolved(schema, self._types, space)
        line = self._source.line
        if kind == "record":
            line(f"{self.record(inner, space)}(out, {given})")
        elif kind == "optional":
            self._optional(inner, given, space)
        elif kind == "array":
            self._items("as_list", inner, given, space)
        elif kind == "map":
            self._items("as_map", inner, given, space)
        elif kind == "enum":
            encoded = {symbol: _varint(index << 1) for index, symbol in enumerate(inner["symbols"])}
            line(f"out += {self._source.constant(encoded)}[{given}]")
        elif kind == "decimal":
            self._sized(f"{self._source.constant(_decimal_encoder(inner['precision'], inner['scale']))}({given})")
        elif kind in _SIZED:
            self._sized(_SIZED[kind].format(given))
        elif kind in _WHOLE:
            line(f"out += {_WHOLE[kind]}({given})")
        else:
            raise ConfigurationError(f"No writer is compiled for {kind}: the house's schemas do not use it.")

    def _sized(self, encoded: str) -> None:
        self._source.line(f"e = {encoded}; n = len(e)")
        self._source.line(f"out += SHORT[n << 1] if n < {len(_SHORT) >> 1} else varint(n << 1); out += e")

    def _optional(self, inner: Any, given: str, space: str) -> None:
        value = self._source.fresh("v")
        self._source.line(f"{value} = {given}")
        with self._source.block(f"if {value} is None:"):
            self._source.line("out.append(0)")
        with self._source.block("else:"):
            self._source.line("out.append(2)")
            self._value(inner, value, space)

    def _items(self, check: str, schema: Mapping[str, Any], given: str, space: str) -> None:
        items, item = self._source.fresh("v"), self._source.fresh("v")
        self._source.line(f"{items} = {check}({given})")
        with self._source.block(f"if {items}:"):
            self._source.line(f"out += varint(len({items}) << 1)")
            if schema["type"] == "array":
                with self._source.block(f"for {item} in {items}:"):
                    self._value(schema["items"], item, space)
            else:
                name = self._source.fresh("v")
                with self._source.block(f"for {name}, {item} in {items}.items():"):
                    self._value("string", name, space)
                    self._value(schema["values"], item, space)
        self._source.line("out.append(0)")


def _default(field: Mapping[str, Any]) -> Any:
    """Give a field's default, where its JSON value is the value that the writer takes."""
    default = field["default"]
    if default is not None and not isinstance(default, bool | int | str | list | dict):
        raise ConfigurationError(f"The default of {field['name']} is of a kind that the house does not use.")
    return default


def _completed(value: Mapping[str, Any], defaults: Mapping[str, Any], count: int) -> Mapping[str, Any]:
    """Let defaults stand in for what is absent."""
    whole = {**defaults, **value}
    if len(whole) != count:
        raise ValueError("a field is missing, or there is one that the schema does not have")
    return whole


def _as_list(value: Any) -> Any:
    if isinstance(value, str | bytes | Mapping):
        raise TypeError("an array is a list")
    return value


def _decimal_encoder(precision: int, scale: int) -> Callable[[Any], bytes]:
    limit = 10**precision

    def encode(value: Any) -> bytes:
        if not isinstance(value, Decimal):
            raise TypeError("a decimal is a Decimal")
        sign, digits, exponent = value.as_tuple()
        if not isinstance(exponent, int) or exponent + scale < 0:
            raise ValueError("more places than the schema has")
        unscaled: int = int("".join(map(str, digits))) * 10 ** (exponent + scale)
        if unscaled >= limit:
            raise ValueError("more digits than the schema has")
        signed: int = -unscaled if sign else unscaled
        return signed.to_bytes((signed.bit_length() + 8) >> 3, "big", signed=True)

    return encode


def _boolean(value: Any) -> bytes:
    if not isinstance(value, bool):
        raise TypeError("a boolean is True or False")
    return b"\x01" if value else b"\x00"


def _integer(bits: int) -> Callable[[Any], bytes]:
    low, high = -(1 << bits), (1 << bits) - 1

    def encode(value: Any) -> bytes:
        if not isinstance(value, int) or isinstance(value, bool):
            raise TypeError("an integer is an int")
        if not low <= value <= high:
            raise ValueError("out of range")
        return _signed(value)

    return encode


def _as_bytes(value: Any) -> bytes:
    if not isinstance(value, bytes):
        raise TypeError("bytes are bytes")
    return value


def _uuid(value: Any) -> bytes:
    return (str(value) if isinstance(value, UUID) else str(UUID(value))).encode()


def _timestamp_micros(value: Any) -> bytes:
    if value.tzinfo is None:
        raise ValueError("a time without offset")
    since = value - _EPOCH
    return _signed((since.days * 86_400 + since.seconds) * 1_000_000 + since.microseconds)


def _date(value: Any) -> bytes:
    if isinstance(value, datetime):
        raise TypeError("a day is a date")
    return _signed(value.toordinal() - _EPOCH_DAY)


def _null(value: Any) -> bytes:
    if value is not None:
        raise TypeError("null is None")
    return b""


def _signed(number: int) -> bytes:
    """Encode a long: zig-zag, then seven bits a byte."""
    return _varint((number << 1) ^ (number >> 63))


def _varint(number: int) -> bytes:
    """Encode a number that is not negative."""
    return _SHORT[number] if number < len(_SHORT) else _long_varint(number)


def _long_varint(number: int) -> bytes:
    out = bytearray()
    while number > 0x7F:  # noqa: PLR2004 -- seven bits a byte
        out.append((number & 0x7F) | 0x80)
        number >>= 7
    out.append(number)
    return bytes(out)


_SHORT = tuple(_long_varint(number) for number in range(1024))

_SIZED: Mapping[str, str] = {"string": "{}.encode()", "bytes": "as_bytes({})", "uuid": "uuid_bytes({})"}
_WHOLE: Mapping[str, str] = {
    "null": "null",
    "boolean": "boolean",
    "int": "int_bytes",
    "long": "long_bytes",
    "timestamp-micros": "micros_bytes",
    "date": "date_bytes",
}
_NAMES: Mapping[str, Any] = {
    "SHORT": _SHORT,
    "varint": _varint,
    "completed": _completed,
    "as_list": _as_list,
    "as_map": dict,
    "as_bytes": _as_bytes,
    "uuid_bytes": _uuid,
    "null": _null,
    "boolean": _boolean,
    "int_bytes": _integer(31),
    "long_bytes": _integer(63),
    "micros_bytes": _timestamp_micros,
    "date_bytes": _date,
}
"""What the generated lines use."""
