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
from fastavro.read import SchemaResolutionError

from streams.catalogue import Catalogue, EventTypeSpec
from streams.errors import UndecodableError
from streams.event import Data
from streams.names import EventType

__all__ = ["MAX_VALUE_BYTES", "PREFIX", "Codec", "UnknownSchemaError", "does_not_fit"]

MAX_VALUE_BYTES = 1_000_000
"""A larger value is not decoded."""

PREFIX = struct.Struct(">bI")
"""Confluent's framing: the zero byte and the schema's id."""


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
    """

    catalogue: Catalogue
    ids: Mapping[EventType, int]
    writers: dict[int, tuple[EventType, dict[str, Any]]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        """Know our own schemas by id."""
        for event_type, schema_id in self.ids.items():
            self.writers[schema_id] = (event_type, self.catalogue[event_type].parsed)

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
        except (ValueError, TypeError, KeyError, OverflowError, AttributeError) as error:
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
        spec = self.catalogue[expected]
        datum = _read_canonical(spec, value) if writer is spec.parsed else None
        return self._read_any(spec, writer, value) if datum is None else datum

    @staticmethod
    def _read_any(spec: EventTypeSpec, writer: dict[str, Any], value: bytes) -> dict[str, Any]:
        """Read what fastavro takes, resolved against our schema."""
        buffer = io.BytesIO(value)
        buffer.seek(PREFIX.size)
        ours = spec.parsed
        try:
            datum = fastavro.schemaless_reader(buffer, writer, None if writer is ours else ours)
        except (ValueError, TypeError, KeyError, IndexError, EOFError, OverflowError, SchemaResolutionError) as error:
            # Only the kind of error: what UnicodeDecodeError says has the field's bytes in it.
            raise UndecodableError(f"The value is not what its schema says: {type(error).__name__}.") from error
        if buffer.tell() != len(value) or not isinstance(datum, dict):
            raise UndecodableError("The value has bytes after its end.", code="trailing_bytes")
        return datum

    def learn(self, schema_id: int, event_type: EventType, schema: Mapping[str, Any]) -> None:
        """Know one more writer schema."""
        self.writers[schema_id] = (event_type, dict(schema))


def does_not_fit(event_type: EventType, error: Exception) -> UndecodableError:
    """Say that fields are not what their schema says; the writer's own message has the value in it and stays out."""
    return UndecodableError(f"The fields do not fit {event_type}: {type(error).__name__}.", code="does_not_fit")


def _read_canonical(spec: EventTypeSpec, value: bytes) -> dict[str, Any] | None:
    """Read what our own writer wrote, or would have: 8 microseconds instead of 15; None for anything else."""
    try:
        datum, end = spec.read(value, PREFIX.size)
    except (ValueError, TypeError, IndexError, ArithmeticError):
        return None
    return datum if end == len(value) else None
