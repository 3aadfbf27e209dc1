"""
Schemas that are newer than this process: learnt from the registry when a value names one.

A stranger can name any id, and each could cost a request, so the registry is asked at most once in a while for each
type, and then for every schema that it holds of this type; whatever it does not list is no schema. The answer is not
trusted either: what it gives must be a schema of this type by name, keep the house's rules, and be one that ours reads.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from dataclasses import dataclass, field

from streams.catalogue import EventTypeSpec
from streams.codec import Codec
from streams.errors import ConfigurationError, UndecodableError
from streams.names import EventType
from streams.registry import Registry
from streams.schema_rules import read_schema

__all__ = ["LIST_LIFE_SECONDS", "NewerSchemas"]

LIST_LIFE_SECONDS = 2.0
"""For so long the registry is not asked again which schemas a type has."""


@dataclass
class NewerSchemas:
    """
    Learns writer schemas, one question at a time.

    Args:
        codec: is told of each one.
        registry: is asked.
        monotonic: gives seconds that never go back.
    """

    codec: Codec
    registry: Registry
    monotonic: Callable[[], float] = time.monotonic
    _listed_at: dict[EventType, float] = field(default_factory=dict)
    _refused: dict[int, str] = field(default_factory=dict)
    _one_at_a_time: asyncio.Lock = field(default_factory=asyncio.Lock)

    async def learn(self, schema_id: int, event_type: EventType) -> None:
        """
        Learn a schema; several callers may wait for one answer.

        Raises:
            UndecodableError: `unknown_schema`, the registry holds no such schema of this type; `wrong_schema`, what it
                holds cannot be used.
            TransientError: the registry is away.
        """
        async with self._one_at_a_time:
            if schema_id in self.codec.writers:
                return
            spec = self.codec.catalogue[event_type]
            if self.monotonic() - self._listed_at.get(event_type, -LIST_LIFE_SECONDS) >= LIST_LIFE_SECONDS:
                await self._list(spec)
                self._listed_at[event_type] = self.monotonic()
        if schema_id in self._refused:
            raise UndecodableError(self._refused[schema_id], code="wrong_schema")
        if schema_id not in self.codec.writers:
            raise UndecodableError(f"Schema id {schema_id} is none of {event_type}.", code="unknown_schema")

    async def _list(self, spec: EventTypeSpec) -> None:
        for schema_id in await asyncio.to_thread(self.registry.ids_of, spec.registry_subject):
            if schema_id in self.codec.writers or schema_id in self._refused:
                continue
            text = await asyncio.to_thread(self.registry.schema_text, schema_id)
            if text is not None:
                await self._judge(schema_id, spec, text)

    async def _judge(self, schema_id: int, spec: EventTypeSpec, text: str) -> None:
        try:
            schema = read_schema(text)
        except ConfigurationError as error:
            self._refused[schema_id] = f"The registry's schema {schema_id} is none for {spec.type}: {error}"
            return
        if any(schema.get(each) != spec.schema.get(each) for each in ("namespace", "name")):
            self._refused[schema_id] = f"The registry's schema {schema_id} is of another type than {spec.type}."
            return
        # Two fields of one type that changed their places read well and say something else, so both ways must agree.
        if await asyncio.to_thread(self.registry.lookup, spec.registry_subject, text) != schema_id:
            self._refused[schema_id] = f"What the registry gives as schema {schema_id} has another id there."
            return
        self.codec.learn(schema_id, spec.type, schema)
