"""
From a record to an event: decode guard, envelope, value.

A schema id that is not known yet is asked for once; a registry that is away is a reason to wait, never to refuse.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

from streams.avro_reader import Ends
from streams.codec import Codec, UnknownSchemaError
from streams.errors import PermanentError, UndecodableError
from streams.event import Event
from streams.guards import check_envelope
from streams.headers import MAX_DEPTH, envelope_type, parse_event
from streams.newer_schemas import NewerSchemas
from streams.record import Record
from streams.registry import Registry

__all__ = ["Reader"]


@dataclass(frozen=True)
class Reader:
    """
    Reads records.

    Args:
        codec: the known schemas.
        registry: asked for schema ids that are newer than this process.
    """

    codec: Codec
    registry: Registry

    @cached_property
    def _newer(self) -> NewerSchemas:
        return NewerSchemas(codec=self.codec, registry=self.registry)

    async def read(self, record: Record) -> Event:
        """
        Read a record's event.

        Raises:
            PermanentError: with the code under which the record goes to quarantine.
            TransientError: the registry had to be asked and is away.
        """
        return (await self.read_marked(record))[0]

    async def read_marked(self, record: Record) -> tuple[Event, Ends | None]:
        """Read a record's event as `read` does, and say where its fields end (`streams.codec`)."""
        try:
            return self.read_known(record)
        except UnknownSchemaError as unknown:
            await self._newer.learn(unknown.schema_id, envelope_type(record.headers))
            return self.read_known(record)

    def read_known(self, record: Record) -> tuple[Event, Ends | None]:
        """
        Read a record's event without asking anybody, and say where its fields end (`streams.codec`).

        Raises:
            UnknownSchemaError: its schema id is not known yet; `read` asks for it.
            PermanentError: as `read`.
        """
        check_envelope(record.key, record.headers)
        event_type = envelope_type(record.headers)
        if event_type not in self.codec.catalogue.types:
            raise UndecodableError(f"'{event_type}' is no event type.", code="unknown_type")
        data, ends = self.codec.decode_marked(record.value, expected=event_type)
        event = parse_event(record.headers, data)
        if event.depth > MAX_DEPTH:
            raise PermanentError(f"More than {MAX_DEPTH} causes lie before it.", code="loop")
        return event, ends
