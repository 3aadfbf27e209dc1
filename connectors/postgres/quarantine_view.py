"""What is asked of a quarantine, the bus's or an agency's: what waits, what was done about it, by whom."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal
from uuid import UUID

from psycopg.rows import dict_row

from connectors.postgres.connection import Database
from connectors.postgres.rows import record_of
from streams.record import Record

__all__ = [
    "QuarantineFilter",
    "QuarantineState",
    "QuarantinedItem",
    "count_quarantined",
    "find_quarantined",
    "list_quarantined",
    "records_of",
]

QuarantineState = Literal["waiting", "redriven", "dropped"]
"""Where an item stands: nothing was done about it yet, or what was."""

_FROM = "from quarantine kept left join quarantine_act act on act.quarantine_id = kept.id"

_WHERE = """
    where (%(ids)s::uuid[] is null or kept.id = any(%(ids)s))
      and (%(state)s::text is null or coalesce(act.action, 'waiting') = %(state)s)
      and (%(reason)s::text is null or kept.reason = %(reason)s)
      and (%(topic)s::text is null or kept.topic = %(topic)s)
      and (%(type)s::bytea is null
           or kept.header_values[array_position(kept.header_names, 'ce_type')] = %(type)s)
      and (%(since)s::timestamptz is null or kept.kept_at >= %(since)s)
      and (%(until)s::timestamptz is null or kept.kept_at < %(until)s)
"""

# A record that was published again and failed again: the same bytes on the same topic, kept after the act.
_ITEM = f"""
    select kept.id, kept.topic, kept.partition, kept."offset", kept.reason, kept.detail, kept.kept_at,
           kept.header_values[array_position(kept.header_names, 'ce_type')] as event_type,
           coalesce(octet_length(kept.value), 0) as size_bytes, coalesce(act.action, 'waiting') as state,
           act.at as acted_at, act.officer as acted_by, act.because, again.quarantine_id as again_of
    {_FROM}
    left join lateral (
        select earlier_act.quarantine_id
        from quarantine_act earlier_act join quarantine earlier on earlier.id = earlier_act.quarantine_id
        where earlier_act.action = 'redriven' and earlier_act.value_sha256 = sha256(coalesce(kept.value, ''))
          and earlier_act.noted_at <= kept.kept_at and earlier.id <> kept.id and earlier.topic = kept.topic
          and earlier.key is not distinct from kept.key and earlier.header_names = kept.header_names
          and earlier.header_values = kept.header_values
        order by earlier_act.noted_at desc limit 1
    ) again on true
"""  # noqa: S608 -- texts of this file

_ORDER = "order by kept.kept_at, kept.id limit %(limit)s"


@dataclass(frozen=True, slots=True, kw_only=True)
class QuarantineFilter:
    """
    Which items are meant; None takes all.

    Args:
        ids: only these.
        state: where they stand.
        reason: the code under which they were kept.
        topic: where they were read.
        event_type: what their envelope says, right or wrong.
        since: kept at or after this moment.
        until: kept before this moment.
    """

    ids: Sequence[UUID] | None = None
    state: QuarantineState | None = "waiting"
    reason: str | None = None
    topic: str | None = None
    event_type: str | None = None
    since: datetime | None = None
    until: datetime | None = None


@dataclass(frozen=True, slots=True)
class QuarantinedItem:
    """
    One item as it stands.

    Args:
        id: of the item.
        topic: where the record was read.
        partition: of the topic.
        offset: in the partition.
        reason: why it was kept, a code.
        detail: the same as a sentence.
        event_type: what its envelope says, as bytes; None where it says nothing.
        size_bytes: of its value.
        kept_at: since when.
        state: where it stands.
        acted_at: when somebody acted.
        acted_by: who.
        because: that officer's words.
        again_of: the item that was published again and came back as this one.
    """

    id: UUID
    topic: str
    partition: int
    offset: int
    reason: str
    detail: str
    event_type: bytes | None
    size_bytes: int
    kept_at: datetime
    state: QuarantineState
    acted_at: datetime | None
    acted_by: str | None
    because: str | None
    again_of: UUID | None


async def list_quarantined(
    database: Database, wanted: QuarantineFilter, *, limit: int | None
) -> Sequence[QuarantinedItem]:
    """Give items, the oldest first, at most `limit`; TransientError when PostgreSQL is away."""
    rows = await _rows(database, f"{_ITEM} {_WHERE} {_ORDER}", {**_arguments(wanted), "limit": limit})
    return [QuarantinedItem(**row) for row in rows]


async def count_quarantined(database: Database, wanted: QuarantineFilter) -> Mapping[str, int]:
    """Count items by the code under which they were kept, the most frequent first."""
    query = f"select kept.reason, count(*) as items {_FROM} {_WHERE} group by 1 order by 2 desc, 1"
    return {row["reason"]: row["items"] for row in await _rows(database, query, _arguments(wanted))}


async def find_quarantined(database: Database, item: UUID) -> tuple[QuarantinedItem, Record] | None:
    """Give one item with its record, None when there is none."""
    found = await list_quarantined(database, QuarantineFilter(ids=[item], state=None), limit=1)
    return (found[0], (await records_of(database, [item]))[item]) if found else None


async def records_of(database: Database, items: Sequence[UUID]) -> Mapping[UUID, Record]:
    """Give the records of items, as they were kept."""
    query = """
        select id, topic, partition, "offset", key, value, header_names, header_values
        from quarantine where id = any(%(ids)s)
    """
    rows = await _rows(database, query, {"ids": list(items)})
    return {row["id"]: record_of(row) for row in rows}


def _arguments(wanted: QuarantineFilter) -> dict[str, Any]:
    return {
        "ids": None if wanted.ids is None else list(wanted.ids),
        "state": wanted.state,
        "reason": wanted.reason,
        "topic": wanted.topic,
        "type": None if wanted.event_type is None else wanted.event_type.encode(),
        "since": wanted.since,
        "until": wanted.until,
    }


async def _rows(database: Database, query: str, arguments: Mapping[str, Any]) -> list[dict[str, Any]]:
    async with database.transaction() as connection:
        cursor = await connection.cursor(row_factory=dict_row).execute(query.encode(), arguments)
        return await cursor.fetchall()
