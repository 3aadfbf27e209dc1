"""
From a draft to a record: identity, personal fields sealed, signed where an officer acts, encoded.

The one way in which anything of ours becomes bytes for Kafka, for handlers, connectors and officers' commands alike.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from streams.codec import MAX_VALUE_BYTES, Codec
from streams.errors import InputError, UndecodableError
from streams.event import Draft, Event
from streams.headers import event_headers
from streams.names import AgencyCode
from streams.references import parts_of
from streams.sealing import KeyService, Personal, SubjectKey, seal
from streams.signing import OfficerKey, sign
from streams.store import OutboxRow
from streams.subject import SubjectRef

__all__ = ["Prepared", "Sender"]


@dataclass(frozen=True, slots=True)
class Prepared:
    """An event and the outbox row that carries it."""

    event: Event
    row: OutboxRow


@dataclass(frozen=True)
class Sender:
    """
    Prepares an agency's events for publication.

    Args:
        agency: whose.
        codec: with the registry's ids.
        keys: gives the keys under which this agency seals.
    """

    agency: AgencyCode
    codec: Codec
    keys: KeyService

    async def prepare(
        self,
        draft: Draft,
        *,
        at: datetime,
        cause: Event | None = None,
        event_id: UUID | None = None,
        officer: OfficerKey | None = None,
        passed: tuple[str, ...] | None = None,
    ) -> Prepared:
        """
        Make a draft an event.

        Args:
            draft: what is to be published.
            at: when it was made, aware UTC.
            cause: the event in hand, for the chain of causes; a draft's own cause goes before it.
            event_id: for a derived event; a draft's own id goes before it.
            officer: who acts, where an officer does.
            passed: what the chain ran through, of a handler's event (`streams.loops`); None takes the cause's.

        Raises:
            InputError: the draft has no id, its fields do not fit its schema, or it is too large.
            TransientError: the key service is away.
        """
        chosen = self._chosen_id(draft, event_id)
        data = await self._sealed(draft.data, chosen)
        return self._build(draft, data, event_id=chosen, at=at, cause=cause, officer=officer, passed=passed)

    def prepare_sealed(
        self, draft: Draft, *, at: datetime, cause: Event, event_id: UUID, passed: tuple[str, ...] | None = None
    ) -> Prepared:
        """
        Make a draft an event without asking anybody: for stateless handlers, which pass sealed fields on unchanged.

        Raises:
            InputError: a personal value is not sealed yet, or it is too large.
            UndecodableError: the fields do not fit the schema otherwise.
        """
        chosen = draft.event_id or event_id
        try:
            return self._build(draft, draft.data, event_id=chosen, at=at, cause=cause, officer=None, passed=passed)
        except UndecodableError as error:
            if any(True for _ in parts_of(draft.data, Personal)):
                raise InputError(f"A stateless handler put an open personal value into {draft.type}.") from error
            raise

    def _chosen_id(self, draft: Draft, event_id: UUID | None) -> UUID:
        chosen = draft.event_id or event_id
        if chosen is None:
            raise InputError(f"A {draft.type} that nothing caused must state its id.")
        return chosen

    def _build(
        self,
        draft: Draft,
        data: Mapping[str, Any],
        *,
        event_id: UUID,
        at: datetime,
        cause: Event | None,
        officer: OfficerKey | None,
        passed: tuple[str, ...] | None,
    ) -> Prepared:
        parent = draft.cause or (cause.id if cause else None)
        event = Event(
            id=event_id,
            type=draft.type,
            source=self.agency,
            subject=draft.subject,
            time=at,
            data=data,
            correlation=draft.correlation or (cause.correlation if cause else None) or parent or event_id,
            cause=parent,
            depth=_depth(draft, cause),
            passed=cause.passed if passed is None and cause is not None else passed or (),
        )
        value = self.codec.encode(event.type, event.data)
        if len(value) > MAX_VALUE_BYTES:  # no topic would take it, and the outbox would offer it for ever
            raise InputError(
                f"A {event.type} of {len(value)} bytes is too large: at most {MAX_VALUE_BYTES}.", code="too_large"
            )
        if officer is not None:
            event = sign(event, value, officer)
        return Prepared(event=event, row=_row(self.codec, event, value))

    async def _sealed(self, data: Mapping[str, Any], event_id: UUID) -> dict[str, Any]:
        keys: dict[SubjectRef, SubjectKey] = {}
        for personal in parts_of(data, Personal):
            if personal.subject not in keys:
                keys[personal.subject] = await self.keys.key_for(personal.subject)

        def close(value: Any, path: str) -> Any:
            if isinstance(value, Personal):
                return seal(value, keys[value.subject], event_id=event_id, field_name=path)
            return value

        return {name: _mapped(value, name, close) for name, value in data.items()}


def _depth(draft: Draft, cause: Event | None) -> int:
    """Count the causes before it; at least those that are known of either cause."""
    known = cause.depth if cause else -1
    return max(known, draft.cause_depth if draft.cause is not None else -1) + 1


def _row(codec: Codec, event: Event, value: bytes) -> OutboxRow:
    topic = codec.catalogue[event.type].topic
    key = event.subject.key.encode()
    return OutboxRow(row_id=event.id, topic=topic, key=key, value=value, headers=event_headers(event))


def _mapped(value: Any, path: str, change: Callable[[Any, str], Any]) -> Any:
    """Change every leaf, giving its path, for instance `parcels[0].number`."""
    if isinstance(value, Mapping):
        return {name: _mapped(each, f"{path}.{name}", change) for name, each in value.items()}
    if isinstance(value, list | tuple):
        return [_mapped(each, f"{path}[{index}]", change) for index, each in enumerate(value)]
    return change(value, path)
