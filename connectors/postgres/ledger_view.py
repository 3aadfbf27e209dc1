"""What is asked of the bus's ledger: chains of causes, what is unanswered, what travelled where."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID

from psycopg.rows import dict_row

from connectors.postgres.connection import Database

__all__ = ["open_answers", "trace", "travelled"]

_CHAIN = """
    select event_id, event_type as type, source as agency, officer, cause, event_time as at, admitted_at, topic, depth
    from event where correlation = (select correlation from event where event_id = %s)
    order by admitted_at, depth, event_id
"""

_RECIPIENTS = """
    select event_id, agency, delivered_at, removed, purpose, legal_article, answer_due, answer, answer_status,
           answered_at
    from delivery where event_id = any(%s) order by agency
"""

_OPEN = """
    select event_id, event_type as type, delivery.agency, answer_due as due,
           greatest(0, extract(epoch from clock_timestamp() - answer_due))::bigint as late_seconds
    from delivery join event using (event_id)
    where answer_type is not null and answer is null and (%(agency)s::text is null or delivery.agency = %(agency)s)
    order by answer_due, event_id
"""

_TRAVELLED = """
    select event_type as type, source as producer, delivery.agency as recipient, count(*) as events,
           percentile_cont(0.5) within group (order by extract(epoch from delivered_at - event_time))::float8
               as median_seconds,
           max(extract(epoch from delivered_at - event_time))::float8 as longest_seconds,
           (select coalesce(array_agg(distinct field order by field), '{}')
            from delivery as other, unnest(other.removed) as field
            where other.agency = delivery.agency and other.event_id in (
                select event_id from event as same where same.event_type = event.event_type)) as removed
    from event left join delivery using (event_id)
    group by event_type, source, delivery.agency order by min(admitted_at), delivery.agency
"""


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


async def travelled(database: Database) -> Sequence[Mapping[str, Any]]:
    """Count what travelled from whom to whom, and how long it took from its making to its delivery."""
    return await _rows(database, _TRAVELLED, {})


async def _rows(database: Database, query: str, arguments: Any) -> list[dict[str, Any]]:
    async with database.transaction() as connection:
        cursor = await connection.cursor(row_factory=dict_row).execute(query.encode(), arguments)
        return await cursor.fetchall()
