"""What every `streams.store.BusStore` promises."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Protocol
from uuid import UUID

import pytest
from contract_events import (
    BANK,
    NOON,
    SELLER,
    SURVEILLANCE,
    TAX,
    admission,
    delivery,
    event,
    named_id,
    quarantined,
    row,
)
from outbox_suite import OutboxSuite, Queue

from streams.errors import ForbiddenError
from streams.names import AgencyCode
from streams.sealing import KeyService
from streams.store import AuditEntry, BusStore, BusTransaction, OutboxRow

REQUEST, ANSWER = "payment_block.requested", "payment_block.answered"
ENTRY = AuditEntry(action="delivered", at=NOON, event_id=event().id, agency=TAX, removed=("account",))


@dataclass(frozen=True)
class SeenDelivery:
    """What the ledger says about one delivery."""

    agency: AgencyCode
    removed: tuple[str, ...]
    delivered: bool
    answer: UUID | None
    answer_status: str | None


class Ledger(Protocol):
    """What the port keeps and does not give back, read by each implementation's own means."""

    async def deliveries(self, event_id: UUID) -> Sequence[SeenDelivery]:
        """Give an event's deliveries by agency."""

    async def counts(self) -> Mapping[str, int]:
        """Count `event`, `delivery`, `audit` and `quarantine`."""


class Undone(Exception):  # noqa: N818 -- it is no error: it only ends a block
    """Ends a transaction that must leave nothing."""


async def every_change(transaction: BusTransaction, key_ids: frozenset[str]) -> None:
    """Use every method of a transaction once."""
    await transaction.admit(admission(event(), delivery(TAX)))
    await transaction.publish([row("copy")], deliveries=[(event().id, TAX)])
    await transaction.grant_keys(key_ids, TAX, sender=SURVEILLANCE)
    await transaction.audit([ENTRY], [row("audit")])
    await transaction.quarantine(quarantined(), row("quarantine"))


class BusStoreSuite(OutboxSuite):
    """The suite; a subclass gives `store`, `ledger`, and the key service as `owner` and, of `TAX`, as `recipient`."""

    @pytest.fixture
    def outbox(self, store: BusStore) -> BusStore:
        """Give the store as an outbox."""
        return store

    @pytest.fixture
    def queue(self, store: BusStore) -> Queue:
        """Queue rows."""

        async def queue(rows: Sequence[OutboxRow]) -> None:
            async with store.transaction() as transaction:
                await transaction.audit([], rows)

        return queue

    async def test_all_of_a_transaction_is_kept_when_it_ends(
        self, store: BusStore, ledger: Ledger, owner: KeyService, recipient: KeyService
    ) -> None:
        """Event, delivery, copy, key grant, audit entry and quarantine become visible together."""
        key = await owner.key_for(SELLER)

        async with store.transaction() as transaction:
            await every_change(transaction, frozenset({key.key_id}))

        assert await ledger.counts() == {"event": 1, "delivery": 1, "audit": 1, "quarantine": 1}
        assert [(each.row.key or b"").decode() for each in await store.pending(limit=10)] == [
            "copy",
            "audit",
            "quarantine",
        ]
        assert await recipient.keys(frozenset({key.key_id})) == {key.key_id: key}

    async def test_nothing_of_a_transaction_is_kept_when_it_raises(
        self, store: BusStore, ledger: Ledger, owner: KeyService, recipient: KeyService
    ) -> None:
        """A raise undoes every change, the key grant too."""
        key = await owner.key_for(SELLER)

        with pytest.raises(Undone):  # noqa: PT012 -- the block is what is tested
            async with store.transaction() as transaction:
                await every_change(transaction, frozenset({key.key_id}))
                raise Undone

        assert await ledger.counts() == {"event": 0, "delivery": 0, "audit": 0, "quarantine": 0}
        assert list(await store.pending(limit=10)) == []
        assert await recipient.keys(frozenset({key.key_id})) == {}

    async def test_an_event_is_admitted_once(self, store: BusStore, ledger: Ledger) -> None:
        """The same id with the same value is a repeat: it says so and adds no delivery."""
        async with store.transaction() as transaction:
            assert await transaction.admit(admission(event(), delivery(TAX), delivery(BANK)))
            assert not await transaction.admit(admission(event(), delivery(TAX)))

        async with store.transaction() as transaction:
            assert not await transaction.admit(admission(event(), delivery(TAX), delivery(BANK)))
        assert (await ledger.counts())["delivery"] == 2

    async def test_one_id_with_another_value_is_refused(self, store: BusStore, ledger: Ledger) -> None:
        """Whoever sends an id again with other content changes nothing."""
        async with store.transaction() as transaction:
            await transaction.admit(admission(event(), delivery(TAX)))

        async with store.transaction() as transaction:
            with pytest.raises(ForbiddenError) as caught:
                await transaction.admit(admission(event(), delivery(BANK), value=b"\x00other"))

        assert caught.value.code == "conflicting_duplicate"
        assert [each.agency for each in await ledger.deliveries(event().id)] == [TAX]

    async def test_a_copy_is_delivered_when_kafka_confirmed_it(self, store: BusStore, ledger: Ledger) -> None:
        """Each delivery belongs to its own outbox row; confirming one says nothing about the other."""
        async with store.transaction() as transaction:
            await transaction.admit(admission(event(), delivery(BANK), delivery(TAX)))
            await transaction.publish([row("bank"), row("tax")], deliveries=[(event().id, BANK), (event().id, TAX)])
        _, tax = await store.pending(limit=10)

        await store.mark_published([tax.sequence])

        seen = await ledger.deliveries(event().id)
        assert [(each.agency, each.delivered) for each in seen] == [(BANK, False), (TAX, True)]
        assert [each.removed for each in seen] == [("account", "customer")] * 2

    async def test_an_answer_closes_the_request_of_the_one_who_answers(self, store: BusStore, ledger: Ledger) -> None:
        """Only the answering agency's delivery is closed; a later answer takes the place of the first."""
        request = event("request")
        async with store.transaction() as transaction:
            await transaction.admit(admission(request, delivery(BANK, answer=ANSWER), delivery(TAX, answer=ANSWER)))
        for name, status in (("accepted", "accepted"), ("executed", "executed")):
            answer = replace(event(name), type=ANSWER, source=BANK, cause=request.id)
            async with store.transaction() as transaction:
                await transaction.admit(admission(answer, status=status))

        seen = {each.agency: (each.answer, each.answer_status) for each in await ledger.deliveries(request.id)}
        assert {BANK: (named_id("executed"), "executed"), TAX: (None, None)} == seen

    async def test_an_event_of_another_type_closes_no_request(self, store: BusStore, ledger: Ledger) -> None:
        """Naming a request as its cause makes nothing an answer to it."""
        request = event("request")
        async with store.transaction() as transaction:
            await transaction.admit(admission(request, delivery(BANK, answer=ANSWER)))
            await transaction.admit(
                admission(replace(event("other"), source=BANK, cause=request.id), status="executed")
            )

        [seen] = await ledger.deliveries(request.id)
        assert (seen.answer, seen.answer_status) == (None, None)

    async def test_an_answer_to_nothing_is_admitted_and_closes_nothing(self, store: BusStore, ledger: Ledger) -> None:
        """An agency that was not asked, or that names an unknown request, changes no delivery."""
        request = event("request")
        async with store.transaction() as transaction:
            await transaction.admit(admission(request, delivery(BANK, answer=ANSWER)))
            for name, cause in (("1", request.id), ("2", named_id("nowhere"))):
                stranger = replace(event(name), source=SURVEILLANCE, cause=cause)
                assert await transaction.admit(admission(stranger, status="executed"))

        [seen] = await ledger.deliveries(request.id)
        assert (seen.answer, seen.answer_status) == (None, None)

    async def test_a_quarantined_record_is_kept_once(self, store: BusStore, ledger: Ledger) -> None:
        """A repeat says so and queues nothing more."""
        for expected in (True, False):
            async with store.transaction() as transaction:
                assert expected is await transaction.quarantine(quarantined(), row("quarantine"))

        assert (await ledger.counts())["quarantine"] == 1
        assert [row("quarantine")] == [each.row for each in await store.pending(limit=10)]

    async def test_a_key_that_the_sender_may_not_open_is_granted_to_nobody(
        self, store: BusStore, owner: KeyService, recipient: KeyService
    ) -> None:
        """Whoever names a stranger's key in an event of its own gets nothing, and gives nothing to others."""
        key = await owner.key_for(SELLER)

        async with store.transaction() as transaction:
            await transaction.grant_keys(frozenset({key.key_id}), TAX, sender=TAX)
            await transaction.grant_keys(frozenset({key.key_id}), TAX, sender=BANK)

        assert await recipient.keys(frozenset({key.key_id})) == {}

    async def test_ids_that_name_no_key_are_granted_to_nobody(
        self, store: BusStore, owner: KeyService, recipient: KeyService
    ) -> None:
        """A forged key id in a sealed field, even one that is no text for a database, stops nothing."""
        key = await owner.key_for(SELLER)
        forged = frozenset({"no-such-key", "nul\x00inside", "", "'; drop table event"})

        async with store.transaction() as transaction:
            await transaction.grant_keys(forged | {key.key_id}, TAX, sender=SURVEILLANCE)
            await transaction.grant_keys(frozenset(), TAX, sender=SURVEILLANCE)

        assert await recipient.keys(forged | {key.key_id}) == {key.key_id: key}
