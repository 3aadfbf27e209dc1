"""What a run left behind: rows of PostgreSQL and records of Kafka, read for the checker."""

from __future__ import annotations

import hashlib
import io
import json
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

import fastavro
import httpx
import psycopg
from confluent_kafka import Consumer, TopicPartition
from load import CANARY
from observation import BUS_PLACE, Copy, Effect, Refused, Seen
from stores import Stores

from lienthong.stack import registry_as
from streams.catalogue import load_catalogue
from streams.directory import Directory
from streams.kafka import KafkaAddress
from streams.names import (
    AUDIT_TOPIC,
    BUS,
    AgencyCode,
    EventType,
    database_schema,
    event_type_of,
    inbox_topic,
    quarantine_topic,
)

__all__ = ["Reading", "Since", "Written", "event_topics", "known_ids", "read_topics", "waiting_ids"]

_READ_SECONDS = 240.0


@dataclass(frozen=True, slots=True)
class Written:
    """A record as it lies on a topic."""

    topic: str
    partition: int
    offset: int
    key: bytes | None
    value: bytes | None
    headers: Sequence[tuple[str, bytes]]

    @property
    def place(self) -> tuple[str, int, int]:
        """Where it lies."""
        return self.topic, self.partition, self.offset

    def header(self, name: str) -> str | None:
        """Give a header's text, None where it is missing or no text."""
        found = dict(self.headers).get(name)
        return found.decode("utf-8", "replace") if found is not None else None

    @property
    def event_id(self) -> UUID | None:
        """`ce_id`, None where it is no id."""
        try:
            return UUID(self.header("ce_id") or "")
        except ValueError:
            return None


def event_topics() -> list[str]:
    """Name the topics that the bus reads."""
    return sorted(spec.topic for spec in load_catalogue().types.values() if spec.topic != AUDIT_TOPIC)


def read_topics(
    address: KafkaAddress, topics: Sequence[str], since: Mapping[tuple[str, int], int] | None = None
) -> tuple[list[Written], dict[tuple[str, int], int]]:
    """Read topics from their beginning, or from some offsets, to their present end; give the records and the ends."""
    begin = since or {}
    consumer = Consumer({**address.librdkafka(), "group.id": "faults-reader", "enable.auto.commit": False})
    try:
        known = consumer.list_topics(timeout=20).topics
        places = [
            TopicPartition(each, number, begin.get((each, number), 0))
            for each in topics
            for number in known[each].partitions
        ]
        ends = {(each.topic, each.partition): consumer.get_watermark_offsets(each, timeout=20)[1] for each in places}
        left = {place for place, end in ends.items() if end > begin.get(place, 0)}
        consumer.assign([each for each in places if (each.topic, each.partition) in left])
        return _until_ends(consumer, ends, left), ends
    finally:
        consumer.close()


def _until_ends(consumer: Consumer, ends: Mapping[tuple[str, int], int], left: set[tuple[str, int]]) -> list[Written]:
    found: list[Written] = []
    deadline = time.monotonic() + _READ_SECONDS
    while left:
        if time.monotonic() > deadline:
            raise TimeoutError(f"could not be read to the end: {sorted(left)}")
        for each in consumer.consume(5000, timeout=0.5):
            if each.error():
                raise RuntimeError(str(each.error()))
            headers = [(name, value or b"") for name, value in each.headers() or ()]
            record = Written(each.topic(), each.partition(), each.offset(), each.key(), each.value(), headers)
            found.append(record)
            if record.offset + 1 >= ends[record.topic, record.partition]:
                left.discard((record.topic, record.partition))
    return found


@dataclass(frozen=True)
class Since:
    """
    Where a part of a run begins; as it stands, the beginning of all.

    Args:
        ends: offsets after the last record, by topic and partition.
        effect: number of the last effect.
        audit: number of the last row of the audit log.
        decided: what the bus had decided.
    """

    ends: Mapping[tuple[str, int], int] = field(default_factory=dict)
    effect: int = 0
    audit: int = 0
    decided: int = 0

    def before(self, place: tuple[str, int, int]) -> bool:
        """Say whether a record lies before it."""
        return place[2] < self.ends.get(place[:2], 0)


class Reading:
    """
    Reads everything once, at the end of a run or of a part of it.

    Args:
        stores: PostgreSQL and the registry.
        address: Kafka, as its administrator.
        directory: of the run.
        since: where the part begins.
    """

    def __init__(self, stores: Stores, address: KafkaAddress, directory: Directory, since: Since) -> None:
        self._since = since
        self._stores = stores
        self._address = address
        self._directory = directory
        self._catalogue = load_catalogue()
        self._schemas: dict[int, Any] = {}

    @property
    def agencies(self) -> list[AgencyCode]:
        """All agencies."""
        return sorted(self._directory.agencies)

    def recipients(self) -> dict[str, list[str]]:
        """Say who receives which type: straight from the directory's entries."""
        found: dict[str, list[str]] = {}
        for code, agency in sorted(self._directory.agencies.items()):
            for each in agency.receive:
                found.setdefault(each.type, []).append(code)
        return {event_type: sorted(set(codes)) for event_type, codes in found.items()}

    def topics(self) -> None:
        """Read all topics."""
        inboxes = [inbox_topic(each) for each in self.agencies]
        quarantines = [quarantine_topic(each) for each in (BUS, *self.agencies)]
        topics = [*event_topics(), *inboxes, *quarantines, AUDIT_TOPIC]
        records, self.ends = read_topics(self._address, topics, self._since.ends)
        self._by_topic: dict[str, list[Written]] = {}
        for each in records:
            self._by_topic.setdefault(each.topic, []).append(each)

    def on(self, topic: str) -> list[Written]:
        """Give the records of a topic."""
        return self._by_topic.get(topic, [])

    def seen(self) -> list[Seen]:
        """Give the records of the event topics."""
        return [
            Seen(each.place, each.event_id, (each.key or b"").decode("utf-8", "replace"), event_type_of(each.topic))  # type: ignore[arg-type] # a topic's name is a text
            for topic in event_topics()
            for each in self.on(topic)
        ]

    def effects(self) -> list[Effect]:
        """Give all effects in their order."""
        places = {database_schema(each): str(each) for each in self.agencies} | {"bus": BUS_PLACE}
        rows = self._stores.rows(
            "select number, place, id from kit.effect where what in ('event', 'inbox') and number > %s order by number",
            self._since.effect,
        )
        return [Effect(number, places[schema], event_id) for number, schema, event_id in rows]

    def refused(self) -> list[Refused]:
        """Give what is in quarantine, and whether its topic has it, too."""
        found = []
        for code in (BUS, *self.agencies):
            published = {each.header("lt_quarantine_id"): each for each in self.on(quarantine_topic(code))}
            rows = self._stores.rows(
                f'select id, topic, partition, "offset", reason, value from {database_schema(code)}.quarantine'  # noqa: S608 -- a schema of ours
            )
            for quarantine_id, topic, partition, offset, reason, value in rows:
                if self._since.before((topic, partition, offset)):
                    continue
                copy = published.get(str(quarantine_id))
                same = copy is not None and copy.value == value
                found.append(Refused(BUS_PLACE if code == BUS else code, (topic, partition, offset), reason, same))
        return found

    def audited(self) -> list[tuple[UUID, str | None]]:
        """Give the audit log's admissions and deliveries."""
        rows = self._stores.rows(
            "select event_id, recipients from bus.audit where action = 'admitted' and sequence > %s", self._since.audit
        )
        return [(event_id, each) for event_id, recipients in rows for each in (None, *recipients)]

    def audit_unpublished(self) -> int:
        """Count the rows of the audit log that its topic lacks."""
        ((rows,),) = self._stores.rows("select count(*) from bus.audit where sequence > %s", self._since.audit)
        return max(0, int(rows) - len({each.event_id for each in self.on(AUDIT_TOPIC)}))

    def waiting(self) -> list[UUID]:
        """Give the ids of events that still wait for their cause."""
        return waiting_ids(self._stores, [BUS, *self.agencies])

    def copies(self) -> dict[str, list[Copy]]:
        """Give the records of the inbox topics, each compared with its original."""
        originals: dict[UUID, Written] = {}
        for topic in event_topics():
            for each in sorted(self.on(topic), key=lambda record: record.place):
                if each.event_id is not None:
                    originals.setdefault(each.event_id, each)
        return {
            code: [self._copy(code, each, originals) for each in self.on(inbox_topic(code))] for code in self.agencies
        }

    def _copy(self, agency: AgencyCode, record: Written, originals: Mapping[UUID, Written]) -> Copy:
        event_id = record.event_id or UUID(int=0)
        sequence = record.header("ce_sequence")
        content = hashlib.sha256(repr((record.key, record.value, record.headers)).encode()).digest()
        return Copy(
            place=record.place,
            event_id=event_id,
            key=(record.key or b"").decode("utf-8", "replace"),
            subject=record.header("ce_subject") or "",
            sequence=int(sequence) if sequence else None,
            content=content,
            faithful=event_id in originals and self._faithful(agency, record, originals[event_id]),
        )

    def _faithful(self, agency: AgencyCode, copy: Written, original: Written) -> bool:
        """Compare a copy with its original by what the directory grants, without the product's own policy."""
        event_type = EventType(copy.header("ce_type") or "")
        spec = self._catalogue.types[event_type]
        granted = {
            name for each in self._directory.agencies[agency].receive if each.type == event_type for name in each.fields
        }
        shown, whole = self._decode(copy.value), self._decode(original.value)
        hidden = (spec.removable - granted) | (whole.keys() - set(spec.fields))  # default deny, also of newer fields
        if CANARY.encode() in (copy.value or b"") and not _may_see_canary(event_type, granted):
            return False
        shown, whole = self._decode(copy.value), self._decode(original.value)
        return all(
            shown.get(name) is None if name in hidden else shown.get(name) == value for name, value in whole.items()
        )

    def _decode(self, value: bytes | None) -> Mapping[str, Any]:
        framed = value or b""
        schema_id = int.from_bytes(framed[1:5])
        if schema_id not in self._schemas:
            registry = registry_as(self._stores.plan, BUS)
            answer = httpx.get(f"{registry.url}/schemas/ids/{schema_id}", timeout=20, **registry.httpx())
            self._schemas[schema_id] = fastavro.parse_schema(json.loads(answer.raise_for_status().json()["schema"]))
        decoded = fastavro.schemaless_reader(io.BytesIO(framed[5:]), self._schemas[schema_id], None)
        assert isinstance(decoded, dict)
        return decoded


def _may_see_canary(event_type: str, granted: set[str]) -> bool:
    field = "remark" if event_type == "shipment.sighted" else "seller_bank"
    return field in granted


def waiting_ids(stores: Stores, codes: Sequence[str]) -> list[UUID]:
    """Give the ids of events that wait for their cause, at the bus and at agencies."""
    found: list[UUID] = []
    for code in codes:
        name = f"{database_schema(AgencyCode(code))}.parked"
        if stores.rows("select to_regclass(%s)", name)[0][0] is None:
            continue
        columns = "select 1 from pg_attribute where attrelid = %s::regclass and attname = 'released_by'"
        still = "where released_by is null" if stores.rows(columns, name) else ""
        found += [row[0] for row in stores.rows(f"select event_id from {name} {still}")]  # noqa: S608 -- tables of ours
    return found


def known_ids(stores: Stores, code: str) -> tuple[frozenset[UUID], frozenset[tuple[str, int, int]]] | None:
    """Give the ids that have an effect at a place, or wait there, and the places that it refused; None while away."""
    schema = database_schema(AgencyCode(code))
    table = "event" if code == BUS else "inbox"
    try:
        ids = {row[0] for row in stores.rows(f"select event_id from {schema}.{table}")}  # noqa: S608 -- a schema of ours
        if stores.rows("select to_regclass(%s)", f"{schema}.parked")[0][0] is not None:
            ids |= {row[0] for row in stores.rows(f"select event_id from {schema}.parked")}  # noqa: S608 -- as above
        places = stores.rows(f'select topic, partition, "offset" from {schema}.quarantine')  # noqa: S608 -- as above
    except psycopg.Error:
        return None
    return frozenset(ids), frozenset((topic, partition, offset) for topic, partition, offset in places)
