"""PostgreSQL passes the suites of the ports, on a real server."""

from __future__ import annotations

import random
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from dataclasses import dataclass
from string import ascii_letters
from uuid import UUID

import psycopg
import pytest
from agency_store_suite import AgencyStoreSuite, SeenItem
from bus_store_suite import BusStoreSuite, SeenDelivery
from contract_events import BANK, SELLER, SURVEILLANCE, TAX
from key_service_suite import Grant, KeyServiceSuite
from parking_suite import ParkingSuite
from psycopg import sql

from connectors.postgres import (
    Database,
    PostgresAgencyStore,
    PostgresBusStore,
    PostgresKeyring,
    find_item,
    names_document,
    trace,
)
from streams.bus_store import KeyGrant
from streams.errors import UnstorableError
from streams.names import BUS, AgencyCode

pytestmark = pytest.mark.live

TOO_LONG = "".join(random.Random(1).choices(ascii_letters, k=9_000))  # noqa: S311 -- only not to be compressed
"""Longer than a page's third, which is what an index takes."""

Login = Callable[[AgencyCode], Database]


@pytest.fixture
async def bus(login: Login) -> AsyncIterator[Database]:
    """Log in as the bus."""
    async with login(BUS) as database:
        yield database


@pytest.fixture
async def tax(login: Login) -> AsyncIterator[Database]:
    """Log in as the tax office."""
    async with login(TAX) as database:
        yield database


@pytest.fixture
async def owner(login: Login) -> AsyncIterator[PostgresKeyring]:
    """Give the key service as market surveillance sees it."""
    async with login(SURVEILLANCE) as database:
        yield PostgresKeyring(database)


@pytest.fixture
def recipient(tax: Database) -> PostgresKeyring:
    """Give the key service as the tax office sees it."""
    return PostgresKeyring(tax)


@dataclass(frozen=True)
class PostgresLook:
    """Looks by the views that officers have, and at the quarantine as the agency itself."""

    database: Database

    async def item(self, event_id: UUID) -> SeenItem | None:
        """Give an inbox item."""
        item = await find_item(self.database, event_id)
        return None if item is None else SeenItem(item.notes, item.answer, item.answer_status, item.answered_at)

    async def named(self, sha256: str) -> bool:
        """Say whether a document is named."""
        return await names_document(self.database, sha256)

    async def quarantined(self) -> Sequence[tuple[UUID, str]]:
        """Give ids and reasons of what is in quarantine."""
        async with self.database.transaction() as connection:
            cursor = await connection.execute("select id, reason from quarantine")
            return await cursor.fetchall()


class TestPostgresAgencyStore(AgencyStoreSuite):
    """The agency's store in PostgreSQL."""

    @pytest.fixture
    def store(self, tax: Database) -> PostgresAgencyStore:
        """Give an empty store."""
        return PostgresAgencyStore(tax, TAX)

    @pytest.fixture
    def look(self, tax: Database) -> PostgresLook:
        """Look into it."""
        return PostgresLook(tax)

    async def test_a_key_too_long_for_an_index_is_refused_for_good(self, store: PostgresAgencyStore) -> None:
        """The driver has it among the errors of a server that is away; to wait for it would never end."""
        with pytest.raises(UnstorableError):
            async with store.transaction() as transaction:
                await transaction.keep_states({("gather", TOO_LONG): "{}"})
        async with store.transaction() as transaction:
            with pytest.raises(UnstorableError):
                async with transaction.attempt():
                    await transaction.keep_states({("gather", TOO_LONG): "{}"})


@dataclass(frozen=True)
class PostgresLedger:
    """Looks by the view of chains, and counts as the administrator."""

    database: Database
    administrator: psycopg.Connection

    async def deliveries(self, event_id: UUID) -> Sequence[SeenDelivery]:
        """Give an event's deliveries by agency."""
        [row] = [row for row in await trace(self.database, event_id) if row["event_id"] == event_id]
        return [
            SeenDelivery(
                each["agency"],
                tuple(each["removed"]),
                delivered=each["delivered_at"] is not None,
                answer=each["answer"]["answer"] if each["answer"] else None,
                answer_status=each["answer"]["status"] if each["answer"] else None,
            )
            for each in row["recipients"]
        ]

    async def counts(self) -> Mapping[str, int]:
        """Count rows."""
        count = sql.SQL("select count(*) from bus.{}")
        counts = {}
        for table in ("event", "delivery", "audit", "quarantine"):
            row = self.administrator.execute(count.format(sql.Identifier(table))).fetchone()
            assert row is not None
            counts[table] = int(row[0])
        return counts


class TestPostgresBusStore(BusStoreSuite, ParkingSuite):
    """The ledger in PostgreSQL."""

    @pytest.fixture
    def store(self, bus: Database) -> PostgresBusStore:
        """Give an empty ledger."""
        return PostgresBusStore(bus)

    @pytest.fixture
    def ledger(self, bus: Database, administrator: psycopg.Connection) -> PostgresLedger:
        """Look into it."""
        return PostgresLedger(bus, administrator)


class TestPostgresKeyring(KeyServiceSuite):
    """The key service in PostgreSQL."""

    @pytest.fixture
    async def stranger(self, login: Login) -> AsyncIterator[PostgresKeyring]:
        """Give the key service as the bank sees it."""
        async with login(BANK) as database:
            yield PostgresKeyring(database)

    @pytest.fixture
    def grant(self, bus: Database) -> Grant:
        """Grant as the bus does."""

        async def grant(key_ids: frozenset[str], agency: AgencyCode) -> None:
            async with PostgresBusStore(bus).transaction() as transaction:
                await transaction.grant_keys([KeyGrant(each, agency, SURVEILLANCE) for each in key_ids])

        return grant

    async def test_a_key_outlives_the_process_that_made_it(self, owner: PostgresKeyring) -> None:
        """A second login, with nothing in memory, gets the same key."""
        again = PostgresKeyring(owner.database)

        assert await owner.key_for(SELLER) == await again.key_for(SELLER)
