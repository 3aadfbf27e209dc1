"""Numbers that are missing among an agency's copies: noticed, told from repeats and late ones, closed."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Sequence
from uuid import uuid4

import pytest

from connectors.postgres import Database, list_gaps, note_gaps, report_gaps
from streams.names import AgencyCode

pytestmark = pytest.mark.live

INSERT = """
    insert into inbox (event_id, event_type, source, subject_kind, subject_value, correlation, event_time, sequence,
                       topic, partition, "offset", value, header_names, header_values, removed)
    values (%s, 'a.b', 's', 'seller', %s, %s, now(), %s, 't', 0, 0, '', '{}', '{}', '{}')
"""
QUARANTINE = """
    insert into quarantine (id, topic, partition, "offset", reason, detail, header_names, header_values)
    values (%s, 't', 0, 0, 'r', 'd', array['ce_subject', 'ce_sequence'], array[%s, %s]::bytea[])
"""
PARK = """
    insert into parked (event_id, waits_for, subject, sequence, topic, partition, "offset", timestamp_ms, header_names,
                        header_values, parked_at) values (%s, %s, %s, %s, 't', 0, 0, 0, '{}', '{}', now())
"""


@pytest.fixture
async def bank(login: Callable[[AgencyCode], Database]) -> AsyncIterator[Database]:
    """Log in as an agency."""
    async with login(AgencyCode("sbv-hanam")) as database:
        yield database


async def came(database: Database, subject: str, *numbers: int) -> None:
    """Put copies with these numbers into the inbox, and look."""
    async with database.transaction() as connection:
        for number in numbers:
            event_id = uuid4()
            await connection.execute(INSERT, [event_id, subject, event_id, number])
    await note_gaps(database, overlap_seconds=5)


async def missing(database: Database, subject: str) -> Sequence[int]:
    """Give the numbers that are missed of a subject."""
    return [each.expected for each in await list_gaps(database, limit=10_000) if each.subject == f"seller:{subject}"]


async def test_what_comes_in_order_or_twice_or_turned_round_is_no_gap(bank: Database) -> None:
    """Also over several looks, each of which sees the last rows again."""
    subject = uuid4().hex

    await came(bank, subject, 2, 1)
    await came(bank, subject, 3, 3)
    await came(bank, subject, 1, 5, 4)

    assert await missing(bank, subject) == []


async def test_a_missing_number_is_noticed_reported_once_and_closed_when_it_comes(bank: Database) -> None:
    """The report names the number that was expected, and one that came after it."""
    subject = uuid4().hex
    await came(bank, subject, 1, 4)
    assert await missing(bank, subject) == [2, 3]

    told = [each for each in await report_gaps(bank, after_seconds=0) if each.subject == f"seller:{subject}"]
    again = [each for each in await report_gaps(bank, after_seconds=0) if each.subject == f"seller:{subject}"]

    assert [(each.expected, each.found) for each in sorted(told, key=lambda gap: gap.expected)] == [(2, 4), (3, 4)]
    assert again == []
    await came(bank, subject, 3)
    assert await missing(bank, subject) == [2]
    await came(bank, subject, 2)
    assert await missing(bank, subject) == []


async def test_what_waits_or_lies_in_quarantine_has_come(bank: Database) -> None:
    """The one is never missed; the other has its own alarm and is taken out before anybody is told."""
    subject = uuid4().hex
    async with bank.transaction() as connection:
        await connection.execute(PARK, [uuid4(), uuid4(), f"seller:{subject}", 2])
        await connection.execute(QUARANTINE, [uuid4(), f"seller:{subject}".encode(), b"3"])

    await came(bank, subject, 1, 4)

    assert await missing(bank, subject) == [3]
    assert [each for each in await report_gaps(bank, after_seconds=0) if each.subject == f"seller:{subject}"] == []
    assert await missing(bank, subject) == []


async def test_a_forged_number_fills_no_table(bank: Database) -> None:
    """Whoever can write to an inbox topic can write any number."""
    subject = uuid4().hex

    for number in (10**14, 2**63 - 1):
        await came(bank, subject, number)

    assert len(await missing(bank, subject)) == 1000
