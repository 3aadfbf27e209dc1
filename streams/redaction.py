"""
Redaction of encoded values: fields are cut out of the bytes, and nothing is encoded twice.

A field that may be removed is a union with null first, so that its absence is one zero byte. An event is encoded once,
field by field; each copy is put together from the same pieces.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache

from streams.avro_writer import WritePieces, compile_pieces
from streams.codec import DOES_NOT_FIT, PREFIX, Codec, does_not_fit
from streams.event import Data
from streams.names import EventType

__all__ = ["Pieces", "Redactor"]

_NULL = b"\0"


@dataclass(frozen=True, slots=True)
class Pieces:
    """
    An event's encoding with the places where its fields end.

    Args:
        whole: with Confluent's framing.
        ends: of the framing and of each field.
        fields: their names, in order.
    """

    whole: bytes
    ends: Sequence[int]
    fields: tuple[str, ...]

    def without(self, removed: Collection[str]) -> bytes:
        """Give the encoding with null in place of these fields, each of which may be removed."""
        return self.replaced(dict.fromkeys(removed, _NULL))

    def replaced(self, others: Mapping[str, bytes]) -> bytes:
        """Give the encoding with other bytes in place of those of some fields."""
        whole, ends, start = self.whole, self.ends, 0
        kept: list[bytes] = []
        for index, name in _places(self.fields, tuple(others)):
            kept += (whole[start : ends[index]], others[name])
            start = ends[index + 1]
        kept.append(whole[start:])
        return b"".join(kept)


@lru_cache(1024)
def _places(fields: tuple[str, ...], chosen: tuple[str, ...]) -> Sequence[tuple[int, str]]:
    """Give the places of some fields, in their order; there are as many choices as the directory has entries."""
    return sorted((fields.index(name), name) for name in chosen if name in fields)


@dataclass(frozen=True)
class Redactor:
    """
    Encodes events in pieces.

    Args:
        codec: with the registry's ids.
    """

    codec: Codec
    _writers: dict[EventType, WritePieces] = field(default_factory=dict)
    _parts: dict[tuple[EventType, tuple[str, ...]], WritePieces] = field(default_factory=dict)

    def encode(self, event_type: EventType, data: Data) -> Pieces:
        """
        Encode an event's fields.

        Raises:
            UndecodableError: code `does_not_fit`; the fields are not what the schema says.
        """
        spec = self.codec.catalogue[event_type]
        if event_type not in self._writers:
            self._writers[event_type] = compile_pieces(spec.schema)
        out = bytearray(PREFIX.pack(0, self.codec.ids[event_type]))
        ends = self._written(event_type, self._writers[event_type], out, data)
        return Pieces(whole=bytes(out), ends=ends, fields=spec.fields)

    def encode_fields(self, event_type: EventType, data: Data) -> Mapping[str, bytes]:
        """Encode some of a type's fields, each by itself; errors are those of `encode`."""
        names = tuple(data)
        if (event_type, names) not in self._parts:
            schema = self.codec.catalogue[event_type].schema
            fields = {each["name"]: each for each in schema["fields"]}
            self._parts[event_type, names] = compile_pieces({**schema, "fields": [fields[name] for name in names]})
        out = bytearray()
        ends = self._written(event_type, self._parts[event_type, names], out, data)
        return {name: bytes(out[start:end]) for name, start, end in zip(names, ends, ends[1:], strict=False)}

    @staticmethod
    def _written(event_type: EventType, write: WritePieces, out: bytearray, data: Data) -> list[int]:
        ends = [len(out)]
        try:
            write(out, data, ends)
        except DOES_NOT_FIT as error:
            raise does_not_fit(event_type, error) from error
        return ends
