"""
What is decided about a record before anything durable is asked: is it an event, may its sender say this, who may know.

A function of the record, the directory and the broker's time alone, so that reading the log again decides the same.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from uuid import UUID

from streams.avro_reader import Ends
from streams.calendar import vietnamese_day
from streams.canonical import require_canonical
from streams.catalogue import EventTypeSpec
from streams.codec import UnknownSchemaError
from streams.directory import Directory
from streams.documents import check_sha256
from streams.errors import ForbiddenError, InputError, PermanentError, UndecodableError
from streams.event import Data, Event
from streams.names import AgencyCode, EventType, event_topic
from streams.policy import Delivery, Entitlement, entitled, share
from streams.reader import Reader
from streams.record import Record
from streams.redaction import Pieces, Redactor
from streams.references import documents_in
from streams.signing import verify_officer

__all__ = ["Accepted", "Examiner", "Refused", "require_storable"]

_MAX_KIND = 40
_PSEUDONYM = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}")
"""A UUID in the one form that is a key; another spelling would be another subject."""


@dataclass(frozen=True, slots=True)
class Accepted:
    """
    A record that may be admitted.

    Args:
        record: as it was read.
        event: what it says.
        spec: its type.
        at: when the broker appended it: the time of admission.
        fingerprint: SHA-256 of its value.
        pieces: its value, to be cut for each recipient.
        deliveries: who receives it.
    """

    record: Record
    event: Event
    spec: EventTypeSpec
    at: datetime
    fingerprint: bytes
    pieces: Pieces = field(repr=False)
    deliveries: Sequence[Delivery]


@dataclass(frozen=True, slots=True)
class Refused:
    """
    A record that goes to quarantine.

    Args:
        record: as it was read.
        error: why.
        readable: what it says, where it is an event at all and only the directory is against it.
    """

    record: Record
    error: PermanentError
    readable: Accepted | None = None

    @property
    def event_id(self) -> UUID | None:
        """The event's id, where it is one."""
        return self.readable.event.id if self.readable else None


@dataclass(frozen=True)
class Examiner:
    """
    Examines records by one state of the directory.

    Args:
        reader: makes events of records.
        redactor: encodes them in pieces.
        directory: as it is now; dated entries are evaluated on the day of each record's time.
    """

    reader: Reader
    redactor: Redactor
    directory: Directory
    _may_publish: dict[tuple[AgencyCode, EventType, date], bool] = field(default_factory=dict)
    _entitled: dict[tuple[EventType, date], Sequence[Entitlement]] = field(default_factory=dict)

    async def examine(self, record: Record) -> Accepted | Refused:
        """
        Examine one record.

        Raises:
            TransientError: the registry had to be asked and is away.
        """
        try:
            try:
                event, ends = self.reader.read_known(record)
            except UnknownSchemaError:
                event, ends = await self.reader.read_marked(record)
            _require_form(record, event)
            accepted = self._accepted(record, event, ends)
        except PermanentError as error:
            return Refused(record, error)
        try:
            self._judge(accepted)
        except PermanentError as error:
            return Refused(record, error, accepted)
        return accepted

    def _accepted(self, record: Record, event: Event, ends: Ends | None) -> Accepted:
        spec, at = self.redactor.codec.catalogue[event.type], record.time
        return Accepted(
            record=record,
            event=event,
            spec=spec,
            at=at,
            fingerprint=hashlib.sha256(record.value or b"").digest(),
            pieces=self._pieces(record.value or b"", event, ends),
            deliveries=share(event.data, self._entitlements(spec, vietnamese_day(at)), at=at),
        )

    def _pieces(self, value: bytes, event: Event, ends: Ends | None) -> Pieces:
        if ends is not None:  # canonical, by our own schema: the very bytes that encoding them again would give
            return Pieces(whole=value, ends=ends, fields=self.redactor.codec.catalogue[event.type].fields)
        # Also where nobody lacks a field: a value that cannot be encoded again must leave nothing half done.
        pieces = self.redactor.encode(event.type, event.data)
        require_canonical(self.redactor.codec, event.type, value, event.data)
        return pieces

    def _judge(self, accepted: Accepted) -> None:
        event, record, day = accepted.event, accepted.record, vietnamese_day(accepted.at)
        if record.topic != event_topic(event.type):
            raise ForbiddenError(f"A {event.type} does not belong on {record.topic}.", code="wrong_topic")
        self._require_grant(event, day)
        if accepted.spec.signed_by_officer:
            verify_officer(event, record.value or b"", self.directory, on=day)
        require_storable(event.data, accepted.spec)

    def _require_grant(self, event: Event, day: date) -> None:
        asked = event.source, event.type, day
        if asked not in self._may_publish:
            agency = self.directory.agencies.get(event.source)
            self._may_publish[asked] = agency is not None and agency.may_publish(event.type, on=day)
        if not self._may_publish[asked]:
            raise ForbiddenError(f"{event.source} may not publish {event.type}.", code="not_granted")

    def _entitlements(self, spec: EventTypeSpec, day: date) -> Sequence[Entitlement]:
        if (spec.type, day) not in self._entitled:
            self._entitled[spec.type, day] = entitled(spec, self.directory, on=day)
        return self._entitled[spec.type, day]


def _require_form(record: Record, event: Event) -> None:
    """Refuse a time that no broker gave, and a subject that is no pseudonym: order and numbers rest on it."""
    if record.timeless:
        raise UndecodableError("The record's time is none: is its topic's the broker's?", code="bad_envelope")
    kind = event.subject.kind
    if not (kind.isidentifier() and len(kind) <= _MAX_KIND and _PSEUDONYM.fullmatch(event.subject.value)):
        raise UndecodableError("The envelope's subject is no kind with a UUID.", code="bad_envelope")


def require_storable(data: Data, spec: EventTypeSpec) -> None:
    """
    Refuse what no ledger or inbox can keep here, where it costs one event; in a database it would undo many.

    Raises:
        PermanentError: code `database_value`.
    """
    if "\0" in str(data.get("status")):
        raise PermanentError("A status holds a zero byte.", code="database_value")
    try:
        for document in documents_in(data, spec):
            check_sha256(document.sha256)
    except InputError as error:
        raise PermanentError("The hash of a document is none.", code="database_value") from error
