"""The schema registry in memory: `streams.registry.Registry`, with FULL_TRANSITIVE compatibility."""

from __future__ import annotations

import json
from typing import Any

import avro.schema
from avro.compatibility import ReaderWriterCompatibilityChecker, SchemaCompatibilityType

from streams.errors import ConfigurationError, TransientError

__all__ = ["MemoryRegistry", "fully_compatible"]


class MemoryRegistry:
    """Ids from 1 on; one text has one id, under however many subjects."""

    def __init__(self) -> None:
        self.away = False
        """While it is true, every call raises TransientError."""
        self.asked = 0
        """How often it was asked for the schemas of a subject."""
        self.texts: dict[int, str] = {}
        """Schema texts by id, as they were registered."""
        self.lies: dict[int, str] = {}
        """Texts that it gives for ids in place of those that were registered."""
        self._subjects: dict[str, list[int]] = {}

    def lookup(self, subject: str, schema_text: str) -> int | None:
        """Give the id under which a subject holds a schema, None when it does not."""
        self._require()
        held = (each for each in self._subjects.get(subject, []) if _same(self.texts[each], schema_text))
        return next(held, None)

    def register(self, subject: str, schema_text: str) -> int:
        """Register a schema; ConfigurationError when it is incompatible with any that the subject holds."""
        known = self.lookup(subject, schema_text)
        if known is not None:
            return known
        for each in self._subjects.get(subject, []):
            if not fully_compatible(self.texts[each], schema_text):
                raise ConfigurationError(f"The schema of {subject} is not compatible.", code="incompatible_schema")
        schema_id = next((each for each, text in self.texts.items() if _same(text, schema_text)), len(self.texts) + 1)
        self.texts.setdefault(schema_id, schema_text)
        self._subjects.setdefault(subject, []).append(schema_id)
        return schema_id

    def schema_text(self, schema_id: int) -> str | None:
        """Give a schema's text by id, None when there is none."""
        self._require()
        return self.lies.get(schema_id, self.texts.get(schema_id))

    def ids_of(self, subject: str) -> list[int]:
        """Give the ids of all schemas that a subject holds."""
        self._require()
        self.asked += 1
        return list(self._subjects.get(subject, []))

    def lose_everything(self) -> None:
        """Be a registry whose storage was lost."""
        self.texts, self._subjects = {}, {}

    def _require(self) -> None:
        if self.away:
            raise TransientError("The registry in memory is away, as the test wants it.")


def fully_compatible(first: str, second: str) -> bool:
    """Say whether either of two schemas reads what the other one wrote."""
    one, other = avro.schema.parse(first), avro.schema.parse(second)
    return _reads(one, writer=other) and _reads(other, writer=one)


def _reads(reader: avro.schema.Schema, *, writer: avro.schema.Schema) -> bool:
    checker: Any = ReaderWriterCompatibilityChecker()  # type: ignore[no-untyped-call] # avro types only a part of itself
    return checker.get_compatibility(reader, writer).compatibility is SchemaCompatibilityType.compatible


def _same(first: str, second: str) -> bool:
    return bool(json.loads(first) == json.loads(second))
