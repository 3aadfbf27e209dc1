"""Officers' acts on a quarantine in PostgreSQL: once, whole or not at all, and never edited."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from dataclasses import replace
from datetime import timedelta
from uuid import UUID

import psycopg
import pytest
from contract_events import NOON, TAX, named_id, record
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from psycopg import sql

from connectors.postgres import (
    Act,
    Database,
    PostgresAgencyStore,
    PostgresBusStore,
    QuarantineFilter,
    acts_of,
    count_quarantined,
    find_quarantined,
    list_quarantined,
    note_acts,
)
from streams.errors import UndecodableError
from streams.names import BUS, AgencyCode, OfficerName, database_schema
from streams.quarantine import Action, QuarantineAct, act_entry, redrive_row, sign_act
from streams.record import QuarantineItem, Record, quarantine_item
from streams.signing import OfficerKey

pytestmark = pytest.mark.live

KEY = OfficerKey(name=OfficerName("tax-hanam/supervisor"), private=Ed25519PrivateKey.from_private_bytes(bytes(32)))


@pytest.fixture
async def tax(login: Callable[[AgencyCode], Database]) -> AsyncIterator[Database]:
    """Log in as the tax office."""
    async with login(TAX) as database:
        yield database


@pytest.fixture
async def bus(login: Callable[[AgencyCode], Database]) -> AsyncIterator[Database]:
    """Log in as the bus."""
    async with login(BUS) as database:
        yield database


def item(offset: int, *, reason: str = "not_framed", **changes: object) -> QuarantineItem:
    """Make an item; its place follows from the offset."""
    kept: Record = replace(record(offset, value=b"bytes"), **changes)  # type: ignore[arg-type] # fields of a record
    return quarantine_item(kept, UndecodableError("Không đọc được.", code=reason))


def act(kept: QuarantineItem, action: Action = "redriven", *, owner: AgencyCode = TAX) -> Act:
    """Make the signed act on an item, with what it publishes."""
    made = QuarantineAct(
        action=action,
        owner=owner,
        item=kept.id,
        record=kept.record,
        reason=kept.reason,
        because="đã sửa",
        officer=KEY.name,
        at=NOON,
    )
    rows = [redrive_row(owner, kept.id, kept.record)] if action == "redriven" else []
    signed = sign_act(made, KEY)
    return Act(signed=signed, rows=rows, entry=act_entry(signed) if owner == BUS else None)


async def keep(database: Database, *items: QuarantineItem) -> None:
    """Keep items as the agency's worker does."""
    for each in items:
        async with PostgresAgencyStore(database, TAX).transaction() as transaction:
            await transaction.quarantine([each])


async def ids(database: Database, wanted: QuarantineFilter, *, limit: int = 100) -> list[UUID]:
    """Ask for items."""
    return [each.id for each in await list_quarantined(database, wanted, limit=limit)]


async def waiting(database: Database) -> list[UUID]:
    """Name what waits in the outbox for Kafka."""
    return [each.row.row_id for each in await PostgresAgencyStore(database, TAX).pending(limit=100)]


async def test_items_are_found_by_what_is_known_of_them(tax: Database) -> None:
    """Reason, topic, type of the envelope, time, and never more than the bound; the oldest first."""
    first, second = item(1), item(2, reason="loop", topic="lt.other", headers=[("ce_type", b"seller.suspected")])
    await keep(tax, first, second)
    [one, two] = await list_quarantined(tax, QuarantineFilter(), limit=10)
    later = two.kept_at + timedelta(seconds=1)

    assert [first.id, second.id] == [one.id, two.id]
    assert (one.event_type, two.event_type, one.size_bytes) == (b"x", b"seller.suspected", 5)
    assert [first.id] == await ids(tax, QuarantineFilter(), limit=1)
    assert [second.id] == await ids(tax, QuarantineFilter(reason="loop"))
    assert [second.id] == await ids(tax, QuarantineFilter(topic="lt.other"))
    assert [second.id] == await ids(tax, QuarantineFilter(event_type="seller.suspected"))
    assert [second.id] == await ids(tax, QuarantineFilter(since=two.kept_at))
    assert [first.id] == await ids(tax, QuarantineFilter(until=two.kept_at))
    assert await ids(tax, QuarantineFilter(since=later)) == []
    assert [first.id] == await ids(tax, QuarantineFilter(ids=[first.id]))
    assert await count_quarantined(tax, QuarantineFilter()) == {"loop": 1, "not_framed": 1}


async def test_an_item_is_given_with_its_record(tax: Database) -> None:
    """Unchanged; None for one that is not there."""
    kept = item(1)
    await keep(tax, kept)

    found = await find_quarantined(tax, kept.id)

    assert found is not None
    assert found[1] == kept.record
    assert await find_quarantined(tax, named_id("nothing")) is None


async def test_an_act_takes_effect_once(tax: Database) -> None:
    """The first act stands; a second one, of whatever kind, does nothing and publishes nothing."""
    kept = item(1)
    await keep(tax, kept)
    before = await waiting(tax)

    assert await note_acts(tax, [act(kept)]) == {kept.id}
    assert await note_acts(tax, [act(kept)]) == frozenset()
    assert await note_acts(tax, [act(kept, "dropped")]) == frozenset()

    assert await waiting(tax) == [*before, redrive_row(TAX, kept.id, kept.record).row_id]
    assert await ids(tax, QuarantineFilter()) == []
    [found] = await list_quarantined(tax, QuarantineFilter(state="redriven"), limit=10)
    assert ("redriven", NOON, KEY.name, "đã sửa") == (found.state, found.acted_at, found.acted_by, found.because)


async def test_what_is_dropped_is_kept(tax: Database) -> None:
    """Marked, not deleted; nothing is published."""
    kept = item(1)
    await keep(tax, kept)
    before = await waiting(tax)

    await note_acts(tax, [act(kept, "dropped")])

    assert before == await waiting(tax)
    found = await find_quarantined(tax, kept.id)
    assert found is not None
    assert ("dropped", kept.record) == (found[0].state, found[1])


async def test_acts_are_read_back_as_they_were_signed(tax: Database) -> None:
    """With the record, so that the signature can be checked."""
    made = act(item(1))
    await keep(tax, item(1))

    await note_acts(tax, [made])

    assert [made.signed] == await acts_of(tax, owner=TAX)


async def test_an_act_on_nothing_undoes_all(tax: Database) -> None:
    """An item that is not there is a mistake of the caller's: nothing of the same transaction stays."""
    kept = item(1)
    await keep(tax, kept)

    with pytest.raises(psycopg.errors.ForeignKeyViolation):
        await note_acts(tax, [act(kept), act(item(2))])

    assert [kept.id] == await ids(tax, QuarantineFilter())


async def test_two_operators_at_once_are_one_act(tax: Database) -> None:
    """Each item is acted on by exactly one of them, and each record is queued once."""
    items = [item(offset) for offset in range(20)]
    await keep(tax, *items)
    before = await waiting(tax)

    first, second = await asyncio.gather(
        note_acts(tax, [act(each) for each in items]), note_acts(tax, [act(each) for each in reversed(items)])
    )

    assert {each.id for each in items} == first | second
    assert not first & second
    assert len(await waiting(tax)) == len(before) + 20


async def test_a_record_that_fails_again_names_its_forerunner(tax: Database) -> None:
    """Kept after the act, with the same bytes on the same topic; another record, or one kept before, does not."""
    first, early, late, other = item(1), item(2), item(3), item(4, value=b"other")
    await keep(tax, first, early)
    await note_acts(tax, [act(first)])
    await keep(tax, late, other)

    found = {each.id: each.again_of for each in await list_quarantined(tax, QuarantineFilter(state=None), limit=10)}

    assert {first.id: None, early.id: None, late.id: first.id, other.id: None} == found


async def test_the_bus_writes_its_audit_log(bus: Database, administrator: psycopg.Connection) -> None:
    """Who, what, why, and the signature, in the same transaction."""
    kept = item(1)
    async with PostgresBusStore(bus).transaction() as transaction:
        await transaction.quarantine([kept])
    made = act(kept, owner=BUS)

    await note_acts(bus, [made])

    query = "select action, agency, officer, event_id, reason_code, details->>'signature' from bus.audit"
    expected = ("redriven", BUS, KEY.name, kept.id, "not_framed", made.signed.signature.hex())
    assert [expected] == administrator.execute(query).fetchall()


@pytest.mark.parametrize(("table", "column"), [("quarantine", "reason"), ("quarantine_act", "because")])
@pytest.mark.parametrize("who", [TAX, BUS])
def test_what_was_kept_and_done_is_never_edited(
    dsn: Callable[[AgencyCode], str], who: AgencyCode, table: str, column: str
) -> None:
    """Not even by the role whose quarantine it is."""
    for statement in ("delete from {table}", "truncate {table}", "update {table} set {column} = ''"):
        query = sql.SQL(statement).format(
            table=sql.Identifier(database_schema(who), table), column=sql.Identifier(column)
        )
        with psycopg.connect(dsn(who)) as connection, pytest.raises(psycopg.errors.InsufficientPrivilege):
            connection.execute(query)
