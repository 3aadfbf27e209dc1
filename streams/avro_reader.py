"""
A reader of Avro values, compiled once per schema, for canonical bytes.

It takes exactly what the house's writer writes: the shortest form of every number, one block for an array or a map, no
key twice. So `write(read(b)) == b` for whatever it takes, and nothing else needs to check that. Bytes that it does not
take may still be Avro; fastavro, slower and with guards of its own before it, judges those (see `streams.codec`).

Hostile bytes cost little: a length is never negative, every item of an array takes a byte at least (else the schema is
refused), and a length beyond the end ends in IndexError at the next byte or in an end that is not the value's.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, date, datetime, timedelta
from decimal import Context, Decimal
from typing import Any
from uuid import UUID

from streams.avro_source import Source, resolved
from streams.errors import ConfigurationError

__all__ = ["Ends", "Read", "compile_reader"]

Ends = tuple[int, ...]
"""Where a record begins in bytes, and where each of its fields ends."""

Read = Callable[[bytes, int], tuple[dict[str, Any], Ends]]
"""
Reads a record at a place in bytes and says where its fields end, which is beyond their end when they were cut off.

Raises ValueError, IndexError, TypeError or ArithmeticError for what is not canonical.
"""

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_EPOCH_DAY = date(1970, 1, 1).toordinal()

_LENGTHS = tuple(byte >> 1 if byte < 128 and not byte & 1 else -1 for byte in range(256))  # noqa: PLR2004 -- 7 bits
"""The length that a byte stands for; -1 when more bytes belong to it or it is negative."""


def compile_reader(schema: Mapping[str, Any]) -> Read:
    """
    Compile a record's schema.

    Args:
        schema: JSON values, with every named type written out where it is first met.

    Raises:
        ConfigurationError: the schema has a construct that the house does not use.
    """
    source = Source(f"reader of {schema['name']}", _NAMES)
    function = _ReaderSource(source).record(schema, str(schema.get("namespace", "")), marked=True)
    return source.compiled(function)


class _ReaderSource:
    """Writes lines that read a value from `b` at `p` into a target and move `p` on; `n` is a number in between."""

    def __init__(self, source: Source) -> None:
        self._source = source
        self._types: dict[str, Any] = {}
        self._functions: dict[str, str | None] = {}

    def record(self, schema: Mapping[str, Any], space: str, *, marked: bool = False) -> str:
        """
        Name the function of a record; write it when the record is met first.

        Args:
            schema: the record's.
            space: the namespace around it.
            marked: it gives where each of its fields ends, not only where the last one does.
        """
        _, _, name = resolved(schema, self._types, space)
        if name in self._functions:
            known = self._functions[name]
            if known is None:
                raise ConfigurationError(f"{name} holds itself: a few bytes could nest without end.")
            return known
        if not schema["fields"]:
            raise ConfigurationError(f"{name} has no fields: an array of it could be longer than its bytes.")
        self._functions[name] = None
        function = self._source.fresh("read_")
        with self._source.function(f"def {function}(b, p):"):
            targets = {each["name"]: self._source.fresh("v") for each in schema["fields"]}
            ends = [self._source.fresh("e") for _ in range(len(targets) + 1)] if marked else []
            self._source.line(*(f"{end} = p" for end in ends[:1]))
            for index, each in enumerate(schema["fields"], 1):
                self._value(each["type"], targets[each["name"]], name.rpartition(".")[0])
                self._source.line(*(f"{end} = p" for end in ends[index : index + 1]))
            shown = ", ".join(f"{field!r}: {target}" for field, target in targets.items())
            self._source.line(f"return {{{shown}}}, " + (f"({', '.join(ends)})" if marked else "p"))
        self._functions[name] = function
        return function

    def _value(self, schema: Any, target: str, space: str) -> None:
        kind, inner, _ = resolved(schema, self._types, space)
        line = self._source.line
        if kind == "record":
            line(f"{target}, p = {self.record(inner, space)}(b, p)")
        elif kind == "optional":
            self._optional(inner, target, space)
        elif kind == "array":
            self._array(inner, target, space)
        elif kind == "map":
            self._map(inner, target, space)
        elif kind == "decimal":
            self._decimal(inner, target)
        elif kind == "enum":
            self._length()
            line(f"{target} = {self._source.constant(tuple(inner['symbols']))}[n]")
        elif kind in _SIZED:
            self._length()
            line(f"q = p + n; {target} = {_SIZED[kind]}; p = q")
        elif kind in _NUMBERS:
            line(f"n, p = number(b, p); {target} = {_NUMBERS[kind]}")
        elif kind == "boolean":
            line(f"{target} = (False, True)[b[p]]; p += 1")
        else:
            raise ConfigurationError(f"No reader is compiled for {kind}: the house's schemas do not use it.")

    def _length(self) -> None:
        # One byte, nearly always: looked up in place, which spares a call.
        self._source.line("n = LENGTHS[b[p]]; p += 1")
        with self._source.block("if n < 0:"):
            self._source.line("n, p = length(b, p - 1)")

    def _optional(self, inner: Any, target: str, space: str) -> None:
        self._source.line("n = b[p]; p += 1")
        with self._source.block("if n == 2:"):
            self._value(inner, target, space)
        with self._source.block("elif n == 0:"):
            self._source.line(f"{target} = None")
        with self._source.block("else:"):
            self._source.line("raise ValueError('no such branch')")

    def _array(self, schema: Mapping[str, Any], target: str, space: str) -> None:
        item = self._source.fresh("v")
        self._source.line(f"{target} = []")
        with self._items(target):
            self._value(schema["items"], item, space)
            self._source.line(f"{target}.append({item})")

    def _map(self, schema: Mapping[str, Any], target: str, space: str) -> None:
        name, item = self._source.fresh("v"), self._source.fresh("v")
        self._source.line(f"{target} = {{}}")
        with self._items(target):
            self._value("string", name, space)
            self._value(schema["values"], item, space)
            self._source.line(f"{target}[{name}] = {item}")

    @contextmanager
    def _items(self, target: str) -> Iterator[None]:
        """Write the one block that an array or a map has; `target` must hold as many items in the end."""
        count = self._source.fresh("v")
        self._length()
        self._source.line(f"{count} = n")
        with self._source.block("if n:"):
            with self._source.block(f"for _ in range({count}):"):
                yield
            with self._source.block(f"if b[p] or len({target}) != {count}:"):
                self._source.line("raise ValueError('a second block, or a key twice')")
            self._source.line("p += 1")

    def _decimal(self, schema: Mapping[str, Any], target: str) -> None:
        read = self._source.constant(_decimal_reader(schema["precision"], schema["scale"]))
        self._length()
        self._source.line(f"q = p + n; {target} = {read}(b[p:q]); p = q")


def _length(b: bytes, p: int) -> tuple[int, int]:
    """Read a length that takes more than one byte: two, for up to 8,191."""
    low, high = b[p], b[p + 1]
    if low > 0x7F and 0 < high < 0x80 and not low & 1:  # noqa: PLR2004 -- seven bits a byte
        return (low & 0x7F | high << 7) >> 1, p + 2
    n, p = _number(b, p)
    if n < 0:
        raise ValueError("a negative length")
    return n, p


def _number(b: bytes, p: int) -> tuple[int, int]:
    """Read a long in its shortest form."""
    n = shift = 0
    while (byte := b[p]) > 0x7F:  # noqa: PLR2004 -- seven bits a byte
        n |= (byte & 0x7F) << shift
        shift += 7
        p += 1
    n |= byte << shift
    if n >> 64 or (shift and not byte):
        raise ValueError("no long in its shortest form")
    return (n >> 1) ^ -(n & 1), p + 1


def _int(n: int) -> int:
    if n >> 31 not in {0, -1}:
        raise ValueError("no int")
    return n


def _uuid(b: bytes) -> UUID:
    text = b.decode()
    uuid = UUID(text)
    if str(uuid) != text:
        raise ValueError("no UUID in its usual form")
    return uuid


def _decimal_reader(precision: int, scale: int) -> Callable[[bytes], Decimal]:
    context, limit = Context(prec=precision), 10**precision

    def read(b: bytes) -> Decimal:
        unscaled = int.from_bytes(b, "big", signed=True)
        if len(b) != (unscaled.bit_length() + 8) >> 3 or abs(unscaled) >= limit:
            raise ValueError("no decimal in its shortest form")
        return context.create_decimal(unscaled).scaleb(-scale, context)

    return read


_SIZED: Mapping[str, str] = {"string": "b[p:q].decode()", "bytes": "b[p:q]", "uuid": "uuid_of(b[p:q])"}
_NUMBERS: Mapping[str, str] = {
    "int": "int_of(n)",
    "long": "n",
    "timestamp-micros": "EPOCH + timedelta(microseconds=n)",
    "date": "date.fromordinal(EPOCH_DAY + n)",
}
_NAMES: Mapping[str, Any] = {
    "LENGTHS": _LENGTHS,
    "EPOCH": _EPOCH,
    "EPOCH_DAY": _EPOCH_DAY,
    "length": _length,
    "number": _number,
    "int_of": _int,
    "uuid_of": _uuid,
    "date": date,
    "timedelta": timedelta,
}
"""What the generated lines use."""
