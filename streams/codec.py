"""
Avro values in Confluent's framing: a zero byte, the schema's id in four bytes (big-endian), the datum.

Writer ids are known before the first event (see `streams.registry`), so encoding never waits. Reading resolves an
older or newer writer schema against ours. What is written by our schema in canonical form is read by the compiled
reader; everything else is fastavro's to judge.
"""

from __future__ import annotations

import io
import struct
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import fastavro
import fastavro.schema
from fastavro.read import SchemaResolutionError

from streams.avro_reader import Ends
from streams.avro_writer import Write, compile_writer
from streams.catalogue import Catalogue, EventTypeSpec
from streams.errors import UndecodableError
from streams.event import Data
from streams.guards import MAX_VALUE_BYTES, WALKED_FROM, Walk, compile_walk
from streams.names import EventType

__all__ = ["DOES_NOT_FIT", "MAX_VALUE_BYTES", "PREFIX", "Codec", "UnknownSchemaError", "does_not_fit"]

PREFIX = struct.Struct(">bI")
"""Confluent's framing: the zero byte and the schema's id."""

DOES_NOT_FIT = (ValueError, TypeError, KeyError, AttributeError, ArithmeticError)
"""What the compiled writers raise."""

_UNREADABLE = (
    ValueError,  # also UnicodeDecodeError, and days before the year 1
    TypeError,
    LookupError,
    EOFError,
    ArithmeticError,  # OverflowError of times, and decimal's own errors
    RecursionError,
    MemoryError,
    SchemaResolutionError,
)
"""What fastavro raises for bytes that are not what the schema says: each costs one event, never the process."""


class UnknownSchemaError(UndecodableError):
    """
    The value names a schema id that was not loaded: it may be newer than this process.

    Args:
        schema_id: the id.
    """

    code = "unknown_schema"

    def __init__(self, schema_id: int) -> None:
        super().__init__(f"Schema id {schema_id} is not known here.")
        self.schema_id = schema_id


@dataclass
class Codec:
    """
    Encodes and decodes the catalogue's types.

    Args:
        catalogue: the types.
        ids: the registry's id of each type's schema, as preloaded.
        writers: further writer schemas by id, parsed, each with its type (`learn`).
        schemas: the same as JSON values, from which walks and writers are compiled.
    """

    catalogue: Catalogue
    ids: Mapping[EventType, int]
    writers: dict[int, tuple[EventType, dict[str, Any]]] = field(default_factory=dict)
    schemas: dict[int, Mapping[str, Any]] = field(default_factory=dict)
    _walks: dict[int, Walk] = field(default_factory=dict)
    _writes: dict[int, Write] = field(default_factory=dict)

    def __post_init__(self) -> None:
        """Know our own schemas by id."""
        for event_type, schema_id in self.ids.items():
            self.writers[schema_id] = (event_type, self.catalogue[event_type].parsed)
            self.schemas[schema_id] = self.catalogue[event_type].schema

    def encode(self, event_type: EventType, data: Data) -> bytes:
        """
        Encode an event's fields.

        Raises:
            UndecodableError: code `does_not_fit`; the fields are not what the schema says.
        """
        spec = self.catalogue[event_type]
        out = bytearray(PREFIX.pack(0, self.ids[event_type]))
        try:
            spec.write(out, data)
        except DOES_NOT_FIT as error:
            raise does_not_fit(event_type, error) from error
        return bytes(out)

    def decode(self, value: bytes | None, *, expected: EventType) -> dict[str, Any]:
        """
        Decode a value.

        Args:
            value: framed bytes.
            expected: the type that the topic or the envelope names.

        Raises:
            UnknownSchemaError: learn the schema and try again.
            UndecodableError: too large, not framed, of another type, or not what its schema says.
        """
        return self.decode_marked(value, expected=expected)[0]

    def decode_marked(self, value: bytes | None, *, expected: EventType) -> tuple[dict[str, Any], Ends | None]:
        """
        Decode a value, and say where its fields end in it when it is what our own writer makes of them.

        Arguments and errors are those of `decode`. Without ends the value may still be good: written by another
        version of the schema, or not in its canonical form.
        """
        if not value or len(value) < PREFIX.size or value[0] != 0:
            raise UndecodableError("The value has no Confluent framing.", code="not_framed")
        if len(value) > MAX_VALUE_BYTES:
            raise UndecodableError(f"The value has {len(value)} bytes.", code="too_large")
        schema_id = PREFIX.unpack_from(value)[1]
        if schema_id not in self.writers:
            raise UnknownSchemaError(schema_id)
        event_type, writer = self.writers[schema_id]
        if event_type != expected:
            raise UndecodableError(f"The value is a {event_type}, not a {expected}.", code="wrong_schema")
        if len(value) > WALKED_FROM:
            self._walk(schema_id, value)
        spec = self.catalogue[expected]
        if writer is not spec.parsed:
            return self._read_any(value, writer, spec.parsed), None
        return _read_canonical(spec, value) or (self._read_any(value, writer, None), None)

    def encoded_again(self, value: bytes, data: Data) -> bytes | None:
        """
        Encode what a value was decoded to by the schema that the value names; None when it does not fit.

        Args:
            value: one that `decode` took.
            data: what `decode` gave.
        """
        schema_id = PREFIX.unpack_from(value)[1]
        event_type, writer = self.writers[schema_id]
        out = bytearray(value[: PREFIX.size])
        try:
            if writer is self.catalogue[event_type].parsed:
                self.catalogue[event_type].write(out, data)
            else:  # `data` was resolved to our own schema: see what the writer wrote
                self._write(schema_id)(out, self._read_any(value, writer, None))
        except DOES_NOT_FIT:
            return None
        return bytes(out)

    def learn(self, schema_id: int, event_type: EventType, schema: Mapping[str, Any]) -> None:
        """
        Know one more writer schema.

        Args:
            schema_id: the registry's.
            event_type: whose.
            schema: JSON values that passed `streams.schema_rules`.
        """
        parsed = fastavro.schema.parse_schema(dict(schema))
        assert isinstance(parsed, dict)  # noqa: S101 -- a record's schema is a dict, and mypy cannot know
        self.schemas[schema_id] = schema
        self.writers[schema_id] = (event_type, parsed)

    def _walk(self, schema_id: int, value: bytes) -> None:
        walk = self._walks.get(schema_id)
        if walk is None:
            walk = self._walks[schema_id] = compile_walk(self.schemas[schema_id])
        try:
            end = walk(value, PREFIX.size)
        except IndexError as error:
            raise UndecodableError("The value ends too early.") from error
        if end != len(value):
            raise UndecodableError("The value has bytes after its end.", code="trailing_bytes")

    def _write(self, schema_id: int) -> Write:
        write = self._writes.get(schema_id)
        if write is None:
            write = self._writes[schema_id] = compile_writer(self.schemas[schema_id])
        return write

    @staticmethod
    def _read_any(value: bytes, writer: dict[str, Any], ours: dict[str, Any] | None) -> dict[str, Any]:
        """Read what fastavro takes, resolved against our schema where it is another one."""
        buffer = io.BytesIO(value)
        buffer.seek(PREFIX.size)
        try:
            datum = fastavro.schemaless_reader(buffer, writer, ours)
        except _UNREADABLE as error:
            # Only the kind of error: what UnicodeDecodeError says has the field's bytes in it.
            raise UndecodableError(f"The value is not what its schema says: {type(error).__name__}.") from error
        if buffer.tell() != len(value) or not isinstance(datum, dict):
            raise UndecodableError("The value has bytes after its end.", code="trailing_bytes")
        return datum


def does_not_fit(event_type: EventType, error: Exception) -> UndecodableError:
    """Say that fields are not what their schema says; the writer's own message has the value in it and stays out."""
    return UndecodableError(f"The fields do not fit {event_type}: {type(error).__name__}.", code="does_not_fit")


def _read_canonical(spec: EventTypeSpec, value: bytes) -> tuple[dict[str, Any], Ends] | None:
    """Read what our own writer wrote, or would have: 8 microseconds instead of 15; None for anything else."""
    try:
        datum, ends = spec.read(value, PREFIX.size)
    except _UNREADABLE:
        return None
    return (datum, ends) if ends[-1] == len(value) else None
