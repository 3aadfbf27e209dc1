"""
Redaction of encoded values: fields are cut out of the bytes, and nothing is encoded twice.

A field that may be removed is a union with null first, so that its absence is one zero byte. An event is encoded once,
field by field; each copy is put together from the same pieces.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, field

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
    fields: Sequence[str]

    def without(self, removed: Collection[str]) -> bytes:
        """Give the encoding with null in place of these fields, each of which may be removed."""
        kept = [self.whole[: self.ends[0]]]
        for name, start, end in zip(self.fields, self.ends, self.ends[1:], strict=False):
            kept.append(_NULL if name in removed else self.whole[start:end])
        return b"".join(kept)


@dataclass(frozen=True)
class Redactor:
    """
    Encodes events in pieces.

    Args:
        codec: with the registry's ids.
    """

    codec: Codec
    _writers: dict[EventType, WritePieces] = field(default_factory=dict)

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
        ends = [len(out)]
        try:
            self._writers[event_type](out, data, ends)
        except DOES_NOT_FIT as error:
            raise does_not_fit(event_type, error) from error
        return Pieces(whole=bytes(out), ends=ends, fields=spec.fields)
