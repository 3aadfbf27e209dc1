"""
The catalogue of event types, read from the `.avsc` files.

Shared records are written once under `schemas/events/types` and inlined here, so that every registered schema stands
alone and a stranger needs nothing but the registry.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, Literal

import avro.errors
import avro.schema
import fastavro.schema

import schemas
from streams.avro_reader import Read, compile_reader
from streams.avro_writer import Write, compile_writer
from streams.errors import ConfigurationError
from streams.names import EventType, TopicName, event_topic, registry_subject
from streams.schema_rules import check_schema

__all__ = ["Catalogue", "EventKind", "EventTypeSpec", "fingerprint", "load_catalogue"]

EventKind = Literal["fact", "alert", "act", "answer", "audit"]
"""Only an `act` can make a bank, a courier or a platform do something; an `answer` closes what another type asked."""

_SEALED = "vn.lienthong.types.Sealed"
_DOCUMENT = "vn.lienthong.types.DocumentRef"


@dataclass(frozen=True)
class EventTypeSpec:
    """
    One event type.

    Args:
        type: `<subject>.<fact>`.
        version: of the schema file.
        schema: the whole Avro schema, shared records inlined, as JSON values.
        kind: alert, act, answer, ...
        title_vi: its name in Vietnamese.
        answers: the type that it answers, if it is an answer.
        signed_by_officer: an officer must have signed it.
    """

    type: EventType
    version: int
    schema: Mapping[str, Any] = field(repr=False)
    kind: EventKind
    title_vi: str
    answers: EventType | None
    signed_by_officer: bool

    @cached_property
    def topic(self) -> TopicName:
        """The topic on which it is published."""
        return event_topic(self.type)

    @property
    def registry_subject(self) -> str:
        """The subject under which its schema is registered."""
        return registry_subject(self.topic)

    @cached_property
    def text(self) -> str:
        """The schema as compact JSON, as it is registered."""
        return json.dumps(self.schema, ensure_ascii=False, separators=(",", ":"))

    @cached_property
    def fingerprint(self) -> str:
        """SHA-256 of the schema's parsing canonical form (Avro specification)."""
        return fingerprint(self.text)

    @cached_property
    def parsed(self) -> dict[str, Any]:
        """The schema as fastavro wants it."""
        parsed = fastavro.schema.parse_schema(dict(self.schema))
        assert isinstance(parsed, dict)  # noqa: S101 -- a record's schema is a dict, and mypy cannot know
        return parsed

    @cached_property
    def write(self) -> Write:
        """Appends a value's encoding."""
        return compile_writer(self.schema)

    @cached_property
    def read(self) -> Read:
        """Reads a value whose encoding is canonical."""
        return compile_reader(self.schema)

    @cached_property
    def fields(self) -> tuple[str, ...]:
        """All top-level fields, in order."""
        return tuple(each["name"] for each in self.schema["fields"])

    @cached_property
    def sealed(self) -> frozenset[str]:
        """Top-level fields that may hold sealed values, themselves or within."""
        return self._leading_to(_SEALED)

    @cached_property
    def documents(self) -> frozenset[str]:
        """Top-level fields that may name documents, themselves or within."""
        return self._leading_to(_DOCUMENT)

    @cached_property
    def removable(self) -> frozenset[str]:
        """Top-level fields that a directory may remove: nullable, default null."""
        return frozenset(each["name"] for each in self.schema["fields"] if _nullable(each))

    def _leading_to(self, record: str) -> frozenset[str]:
        fields = self.schema["fields"]
        return frozenset(each["name"] for each in fields if _mentions(each["type"], record, self.schema, set()))


@dataclass(frozen=True)
class Catalogue:
    """
    All event types by name.

    Args:
        types: the newest version of each.
        older: versions that went before; records on the topics may still carry them.
    """

    types: Mapping[EventType, EventTypeSpec]
    older: tuple[EventTypeSpec, ...] = ()

    @property
    def versions(self) -> tuple[EventTypeSpec, ...]:
        """Every version of every type, in the order in which a registry must learn them."""
        return tuple(sorted((*self.types.values(), *self.older), key=lambda spec: (spec.type, spec.version)))

    def __getitem__(self, event_type: EventType) -> EventTypeSpec:
        """
        Give one type.

        Raises:
            ConfigurationError: there is no such type.
        """
        try:
            return self.types[event_type]
        except KeyError as error:
            known = ", ".join(sorted(self.types))
            raise ConfigurationError(f"'{event_type}' is no event type; there are: {known}.") from error


def load_catalogue() -> Catalogue:
    """
    Read the shipped event types.

    Raises:
        ConfigurationError: a file is no Avro schema, or lacks what the house asks of every schema.
    """
    shared = {}
    for text in schemas.type_files():
        record = json.loads(text)
        shared[f"{record['namespace']}.{record['name']}"] = record
    versions: dict[EventType, list[EventTypeSpec]] = {}
    for name, version, text in schemas.event_files():
        spec = _spec(EventType(name), version, text, shared)
        versions.setdefault(spec.type, []).append(spec)
    for each in versions.values():
        each.sort(key=lambda spec: spec.version)
    older = tuple(spec for each in versions.values() for spec in each[:-1])
    return Catalogue(types={name: each[-1] for name, each in versions.items()}, older=older)


def fingerprint(schema_text: str) -> str:
    """
    Give the SHA-256 of a schema's parsing canonical form, 64 hexadecimal digits.

    Raises:
        ConfigurationError: the text is no Avro schema.
    """
    try:
        return bytes(avro.schema.parse(schema_text).fingerprint("sha256")).hex()
    except (avro.errors.AvroException, ValueError, TypeError, KeyError, AttributeError, RecursionError) as error:
        raise ConfigurationError(f"This is no Avro schema: {error}") from error


def _spec(event_type: EventType, version: int, text: str, shared: Mapping[str, Any]) -> EventTypeSpec:
    try:
        record = json.loads(text)
        about = record.pop("lt")
        spec = EventTypeSpec(
            type=event_type,
            version=version,
            schema=_inlined(record, shared, set()),
            kind=about["kind"],
            title_vi=about["vi"],
            answers=about.get("answers"),
            signed_by_officer=about.get("signed_by") == "officer",
        )
        check_schema(spec.schema)
        fingerprint(spec.text)
    except (json.JSONDecodeError, KeyError, ConfigurationError) as error:
        raise ConfigurationError(f"The schema of {event_type} v{version} cannot be used: {error}") from error
    return spec


def _inlined(node: Any, shared: Mapping[str, Any], seen: set[str]) -> Any:
    """Put a shared record in place of its name the first time it is met; later its name suffices."""
    if isinstance(node, str) and node in shared and node not in seen:
        seen.add(node)
        return _inlined(shared[node], shared, seen)
    if isinstance(node, list):
        return [_inlined(each, shared, seen) for each in node]
    if isinstance(node, dict):
        return {key: value if key == "doc" else _inlined(value, shared, seen) for key, value in node.items()}
    return node


def _nullable(field_schema: Mapping[str, Any]) -> bool:
    kind = field_schema["type"]
    return isinstance(kind, list) and kind[0] == "null" and field_schema.get("default", "none") is None


def _mentions(node: Any, record: str, schema: Any, seen: set[str]) -> bool:
    """Say whether a part of a schema leads to a shared record; a name stands for what it names."""
    if isinstance(node, str):
        named = None if node in seen else _named(schema, node)
        return node == record or (named is not None and _mentions(named, record, schema, seen | {node}))
    if isinstance(node, list):
        return any(_mentions(each, record, schema, seen) for each in node)
    full_name = f"{node.get('namespace')}.{node.get('name')}"
    inner = [node[each] for each in ("items", "values") if each in node]
    inner += [each["type"] for each in node.get("fields", ())]
    inner += [node["type"]] if isinstance(node["type"], dict | list) else []
    return full_name == record or any(_mentions(each, record, schema, seen | {full_name}) for each in inner)


def _named(node: Any, name: str) -> Any:
    """Find a record by its full name, wherever it is written out."""
    if isinstance(node, list):
        return next((found for each in node if (found := _named(each, name))), None)
    if not isinstance(node, dict):
        return None
    if f"{node.get('namespace')}.{node.get('name')}" == name and "type" in node:
        return node
    return next((found for key, each in node.items() if key != "doc" and (found := _named(each, name))), None)
