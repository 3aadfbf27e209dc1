"""The twins in memory pass the suites of the ports."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from uuid import UUID

import pytest
from agency_store_suite import AgencyStoreSuite, SeenItem
from bus_store_suite import BusStoreSuite, SeenDelivery
from contract_events import BANK, SURVEILLANCE, TAX, event
from key_service_suite import Grant, KeyServiceSuite
from parking_suite import ParkingSuite
from registry_suite import NOTE, NUMBER, RegistrySuite, schema

from streams.errors import TransientError
from streams.names import AgencyCode
from streams.sealing import KeyService
from streams.testing import MemoryAgencyStore, MemoryBusStore, MemoryKeyring, MemoryRegistry


@dataclass(frozen=True)
class MemoryLook:
    """Looks into the tables of a store in memory."""

    store: MemoryAgencyStore

    async def item(self, event_id: UUID) -> SeenItem | None:
        """Give an inbox item."""
        kept = self.store.tables.inbox.get(event_id)
        return None if kept is None else SeenItem(kept.notes, kept.answer, kept.answer_status, kept.answered_at)

    async def named(self, sha256: str) -> bool:
        """Say whether a document is named."""
        return any(sha256 == known for known, _ in self.store.tables.documents)

    async def quarantined(self) -> Sequence[tuple[UUID, str]]:
        """Give ids and reasons of what is in quarantine."""
        return [(item.id, item.reason) for item in self.store.tables.quarantined.values()]


class TestMemoryAgencyStore(AgencyStoreSuite):
    """The agency's store in memory."""

    @pytest.fixture
    def store(self) -> MemoryAgencyStore:
        """Give an empty store."""
        return MemoryAgencyStore(TAX)

    @pytest.fixture
    def look(self, store: MemoryAgencyStore) -> MemoryLook:
        """Look into it."""
        return MemoryLook(store)

    async def test_while_it_is_away_nothing_is_done(self, store: MemoryAgencyStore) -> None:
        """Every call raises; a transaction that loses the store before its end leaves nothing."""
        with pytest.raises(TransientError):  # noqa: PT012 -- the block is what is tested
            async with store.transaction() as transaction:
                await transaction.name_documents([(event().id, "x")])
                store.away = True
        with pytest.raises(TransientError):
            await store.pending(limit=1)
        with pytest.raises(TransientError):
            await store.handovers("folder", limit=1)

        store.away = False

        assert list(await store.pending(limit=1)) == []


@pytest.fixture
def keyring() -> MemoryKeyring:
    """Give an empty keyring."""
    return MemoryKeyring()


@pytest.fixture
def owner(keyring: MemoryKeyring) -> KeyService:
    """Give the login of who seals."""
    return keyring.login(SURVEILLANCE)


@pytest.fixture
def recipient(keyring: MemoryKeyring) -> KeyService:
    """Give the login of who is granted keys."""
    return keyring.login(TAX)


class TestMemoryBusStore(BusStoreSuite, ParkingSuite):
    """The ledger in memory."""

    @pytest.fixture
    def store(self, keyring: MemoryKeyring) -> MemoryBusStore:
        """Give an empty ledger."""
        return MemoryBusStore(keyring)

    @pytest.fixture
    def ledger(self, store: MemoryBusStore) -> MemoryLedger:
        """Look into it."""
        return MemoryLedger(store)


@dataclass(frozen=True)
class MemoryLedger:
    """Looks into the tables of a ledger in memory."""

    store: MemoryBusStore

    async def deliveries(self, event_id: UUID) -> Sequence[SeenDelivery]:
        """Give an event's deliveries by agency."""
        return [
            SeenDelivery(
                agency,
                each.copy.delivery.removed,
                delivered=self.store.delivered(event_id),
                answer=each.answer,
                answer_status=each.answer_status,
            )
            for (event_of, agency), each in sorted(self.store.tables.deliveries.items())
            if event_of == event_id
        ]

    async def counts(self) -> Mapping[str, int]:
        """Count rows."""
        tables = self.store.tables
        return {
            "event": len(tables.events),
            "delivery": len(tables.deliveries),
            "audit": len(tables.audit),
            "quarantine": len(tables.quarantined),
        }


class TestMemoryKeyring(KeyServiceSuite):
    """The key service in memory."""

    @pytest.fixture
    def stranger(self, keyring: MemoryKeyring) -> KeyService:
        """Give the login of somebody else."""
        return keyring.login(BANK)

    @pytest.fixture
    def grant(self, keyring: MemoryKeyring) -> Grant:
        """Grant as the bus does."""

        async def grant(key_ids: frozenset[str], agency: AgencyCode) -> None:
            keyring.grant(key_ids, agency, sender=SURVEILLANCE)

        return grant


class TestMemoryRegistry(RegistrySuite):
    """The registry in memory."""

    @pytest.fixture
    def registry(self) -> MemoryRegistry:
        """Give an empty registry."""
        return MemoryRegistry()

    @pytest.fixture
    def subject(self) -> str:
        """Name a subject."""
        return "lt.thing.made-value"

    def test_one_text_has_one_id_under_all_subjects(self, registry: MemoryRegistry, subject: str) -> None:
        """As real registries do."""
        first = registry.register(subject, schema(NUMBER))

        second = registry.register(f"{subject}-2", schema(NUMBER))

        assert first == second
        assert first != registry.register(f"{subject}-2", schema(NUMBER, NOTE))
        assert [first] == registry.ids_of(subject)
        assert first in registry.ids_of(f"{subject}-2")
