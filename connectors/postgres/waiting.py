"""What waits in a member's schema; it is asked at each scrape, so every count uses a partial index."""

from __future__ import annotations

from connectors.postgres.connection import Database
from streams.readings import Waiting

__all__ = ["agency_waiting", "bus_waiting"]

_OLDEST = "extract(epoch from clock_timestamp() - min(queued_at))::float8"

_OUTBOX = f"select count(*), {_OLDEST} from outbox where published_at is null"  # noqa: S608 -- two texts of ours

_HANDOVERS = """
    select count(*), extract(epoch from clock_timestamp() - min(received_at))::float8
    from handover join inbox using (event_id) where settled_at is null
"""


_PARKED_COPIES = "select count(*), extract(epoch from clock_timestamp() - min(parked_at))::float8 from parked"

_GAPS = "select count(*), extract(epoch from clock_timestamp() - min(noticed_at))::float8 from gap"

_PARKED = f"{_PARKED_COPIES} where released_by is null"


async def bus_waiting(database: Database) -> Waiting:
    """
    Say what waits in the bus's schema.

    Raises:
        TransientError: PostgreSQL is away.
    """
    outbox, outbox_seconds = await _count(database, _OUTBOX)
    parked, parked_seconds = await _count(database, _PARKED)
    return Waiting(outbox=outbox, outbox_seconds=outbox_seconds, parked=parked, parked_seconds=parked_seconds)


async def agency_waiting(database: Database) -> Waiting:
    """
    Say what waits in an agency's schema.

    Raises:
        TransientError: PostgreSQL is away.
    """
    outbox, outbox_seconds = await _count(database, _OUTBOX)
    parked, parked_seconds = await _count(database, _PARKED_COPIES)
    handovers, handovers_seconds = await _count(database, _HANDOVERS)
    gaps, gaps_seconds = await _count(database, _GAPS)
    return Waiting(
        outbox=outbox,
        outbox_seconds=outbox_seconds,
        parked=parked,
        parked_seconds=parked_seconds,
        handovers=handovers,
        handovers_seconds=handovers_seconds,
        gaps=gaps,
        gaps_seconds=gaps_seconds,
    )


async def _count(database: Database, query: str) -> tuple[int, float | None]:
    async with database.transaction() as connection:
        row = await (await connection.execute(query.encode())).fetchone()
    return (int(row[0]), row[1]) if row is not None else (0, None)
