"""
Gaps in the numbers of an agency's copies: found by looking at what came since the last look, set by set.

Nothing is added to the way of an event. A number that is there already is a repeat and changes nothing; one that comes
late closes its gap; one that waits in `parked` or lies in quarantine has arrived.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from connectors.postgres.connection import Database

__all__ = ["Gap", "list_gaps", "note_gaps", "report_gaps"]

_MOST_NOTED = 1000
"""Of one subject at one look: a forged number must not fill the table."""

_BEYOND = 10**15
"""No number of the bus's own; one is not counted on from there."""

_LOOK = """
    with fresh as materialized (
        select subject, number from (
            select subject_kind || ':' || subject_value as subject, sequence as number from inbox
            where received_at > (select until from looked) - make_interval(secs => %(overlap)s)
            union select subject, sequence from parked
        ) as came where number < %(beyond)s
    ), latest as (
        select subject, max(number) as top from fresh group by subject
    ), missing as (
        insert into gap (subject, number, found)
        select subject, expected, top from latest left join numbered using (subject),
            generate_series(coalesce(last, 0) + 1, least(top, coalesce(last, 0) + %(most)s)) as expected
        where not exists (select from fresh where fresh.subject = latest.subject and number = expected)
        on conflict do nothing
    ), numbers as (
        insert into numbered (subject, last) select subject, top from latest
        on conflict (subject) do update set last = excluded.last where numbered.last < excluded.last
    ), moved as (
        update looked set until = coalesce((select max(received_at) from inbox where received_at > until), until)
    )
    delete from gap using fresh where gap.subject = fresh.subject and gap.number = fresh.number
    returning gap.subject, gap.number, gap.found, gap.noticed_at, gap.reported
"""

_DUE = "not reported and noticed_at < clock_timestamp() - make_interval(secs => %s)"

# A transaction that lasted longer than a look overlaps the one before was not seen then.
_ARRIVED = f"""
    delete from gap using inbox
    where {_DUE} and subject_kind || ':' || subject_value = subject and sequence = gap.number
"""  # noqa: S608 -- texts of ours

_QUARANTINED = f"""
    delete from gap using quarantine as item
    where {_DUE}
      and item.header_values[array_position(item.header_names, 'ce_subject')] = convert_to(subject, 'UTF8')
      and item.header_values[array_position(item.header_names, 'ce_sequence')] = convert_to(number::text, 'UTF8')
"""  # noqa: S608 -- texts of ours

_REPORT = f"""
    update gap set reported = true where {_DUE} returning subject, number, found, noticed_at, reported
"""  # noqa: S608 -- texts of ours


@dataclass(frozen=True, slots=True)
class Gap:
    """
    A number that is missing.

    Args:
        subject: key of the subject.
        expected: the number.
        found: a higher one that came.
        noticed_at: when it was missed, aware UTC.
        reported: whether it was open long enough to be said.
    """

    subject: str
    expected: int
    found: int
    noticed_at: datetime
    reported: bool


async def note_gaps(database: Database, *, overlap_seconds: float) -> Sequence[Gap]:
    """
    Look at what came since the last look; give the gaps that it closed.

    Args:
        database: open, as the agency's role.
        overlap_seconds: so much before the last look is looked at again: rows of transactions that ended late.

    Raises:
        TransientError: PostgreSQL is away.
    """
    async with database.transaction() as connection:
        await connection.execute("select from looked for update")  # one of the agency's workers at a time
        asked = {"overlap": overlap_seconds, "beyond": _BEYOND, "most": _MOST_NOTED}
        closed = await (await connection.execute(_LOOK, asked)).fetchall()
    return [Gap(*row) for row in closed]


async def report_gaps(database: Database, *, after_seconds: float) -> Sequence[Gap]:
    """
    Give the gaps that are open for so long and were not given yet.

    Raises:
        TransientError: PostgreSQL is away.
    """
    async with database.transaction() as connection:
        for statement in (_ARRIVED, _QUARANTINED):
            await connection.execute(statement.encode(), [after_seconds])
        rows = await (await connection.execute(_REPORT.encode(), [after_seconds])).fetchall()
    return [Gap(*row) for row in rows]


async def list_gaps(database: Database, *, limit: int) -> Sequence[Gap]:
    """
    List the open gaps, the oldest first.

    Raises:
        TransientError: PostgreSQL is away.
    """
    query = "select subject, number, found, noticed_at, reported from gap order by noticed_at, subject, number limit %s"
    async with database.transaction() as connection:
        rows = await (await connection.execute(query, [limit])).fetchall()
    return [Gap(*row) for row in rows]
