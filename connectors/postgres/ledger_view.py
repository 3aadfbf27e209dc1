"""What is asked of the bus's ledger: chains of causes, what is unanswered, what travelled where."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID

from psycopg.rows import dict_row

from connectors.postgres.connection import Database
from streams.names import AgencyCode

__all__ = ["delivery_counts", "events_of", "open_answers", "trace"]

_CHAIN = """
    select event_id, event_type as type, source as agency, officer, cause, event_time as at, admitted_at, topic, depth
    from event where correlation = (select correlation from event where event_id = %s)
    order by admitted_at, depth, event_id
"""

_RECIPIENTS = """
    select event_id, agency, delivered_at, removed, purpose, legal_article, answer_due, answer, answer_status,
           answered_at
    from delivery join handed_over as place using (event_id) left join lateral (
        select confirmed_at as delivered_at from confirmed
        where topic = place.topic and partition = place.partition and below > place."offset" order by below limit 1
    ) as confirmed on true
    where event_id = any(%s) order by agency
"""

_OPEN = """
    select event_id, event_type as type, delivery.agency, answer_due as due,
           greatest(0, extract(epoch from clock_timestamp() - answer_due))::bigint as late_seconds
    from delivery join event using (event_id)
    where answer_type is not null and answer is null and (%(agency)s::text is null or delivery.agency = %(agency)s)
    order by answer_due, event_id
"""

_DELIVERIES = """
    with ends as (select topic, partition, max(below) as below from confirmed group by topic, partition)
    select agency, count(*) as deliveries
    from delivery join handed_over as place using (event_id) join ends using (topic, partition)
    where below > "offset" group by agency
"""

_EVENTS = (
    "select event_id, source, subject_value, cause, admitted_at from event where event_type = %s order by admitted_at"
)


async def trace(database: Database, event_id: UUID) -> Sequence[Mapping[str, Any]]:
    """
    Give every event of the chain that an event belongs to, each with its recipients.

    Args:
        database: open, as the bus's role.
        event_id: any event of the chain.

    Returns:
        Rows in the shape of `lienthong trace`, in order of admission; none when the event is not known.
    """
    chain = await _rows(database, _CHAIN, [event_id])
    recipients = await _rows(database, _RECIPIENTS, [[row["event_id"] for row in chain]])
    by_event: dict[UUID, list[dict[str, Any]]] = {}
    for row in recipients:
        given = {name: row[name] for name in ("answer", "answer_status", "answered_at")}
        answer = None if row["answer"] is None else {name.removeprefix("answer_"): each for name, each in given.items()}
        by_event.setdefault(row["event_id"], []).append(
            {
                "agency": row["agency"],
                "delivered_at": row["delivered_at"],
                "removed": row["removed"],
                "purpose": row["purpose"],
                "legal_article": row["legal_article"],
                "answer_due": row["answer_due"],
                "answer": answer,
            }
        )
    return [{**row, "recipients": by_event.get(row["event_id"], [])} for row in chain]


async def open_answers(database: Database, *, agency: str | None) -> Sequence[Mapping[str, Any]]:
    """Give what is owed and not answered, the latest first; for one agency, or for all."""
    return await _rows(database, _OPEN, {"agency": agency})


async def delivery_counts(database: Database) -> dict[AgencyCode, int]:
    """Count the copies that Kafka confirmed, by recipient."""
    rows = await _rows(database, _DELIVERIES, {})
    return {AgencyCode(row["agency"]): row["deliveries"] for row in rows}


async def events_of(database: Database, event_type: str) -> Sequence[Mapping[str, Any]]:
    """Give the admitted events of a type, oldest first."""
    return await _rows(database, _EVENTS, [event_type])


async def _rows(database: Database, query: str, arguments: Any) -> list[dict[str, Any]]:
    async with database.transaction() as connection:
        cursor = await connection.cursor(row_factory=dict_row).execute(query.encode(), arguments)
        return await cursor.fetchall()
