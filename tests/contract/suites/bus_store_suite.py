"""What every `streams.bus_store.BusStore` promises; what waits for its cause is in parking_suite.py."""

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
    record,
    row,
)
from outbox_suite import OutboxSuite, Queue

from streams.bus_store import AuditEntry, BusStore, BusTransaction, KeyGrant, Place, Stretch
from streams.names import AgencyCode
from streams.sealing import KeyService
from streams.store import OutboxRow
from streams.subject import pseudonym

REQUEST, ANSWER = "payment_block.requested", "payment_block.answered"
ENTRY = AuditEntry(action="admitted", at=NOON, event_id=event().id, agency=TAX, shared=[delivery(TAX), delivery(BANK)])


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


async def every_change(transaction: BusTransaction, key_ids: Sequence[str]) -> None:
    """Use every method of a transaction that writes, once."""
    await transaction.admit([admission(event(), delivery(TAX))])
    await transaction.grant_keys([KeyGrant(each, TAX, SURVEILLANCE) for each in key_ids])
    await transaction.audit([ENTRY])
    await transaction.quarantine([quarantined()])
    await transaction.queue([row("queued")])


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
                await transaction.queue(rows)

        return queue

    async def test_all_of_a_transaction_is_kept_when_it_ends(
        self, store: BusStore, ledger: Ledger, owner: KeyService, recipient: KeyService
    ) -> None:
        """Event, delivery, key grant, audit entry, quarantine and outbox row become visible together."""
        key = await owner.key_for(SELLER)

        async with store.transaction() as transaction:
            await every_change(transaction, [key.key_id])

        assert await ledger.counts() == {"event": 1, "delivery": 1, "audit": 1, "quarantine": 1}
        assert [row("queued")] == [each.row for each in await store.pending(limit=10)]
        assert await recipient.keys(frozenset({key.key_id})) == {key.key_id: key}

    async def test_nothing_of_a_transaction_is_kept_when_it_raises(
        self, store: BusStore, ledger: Ledger, owner: KeyService, recipient: KeyService
    ) -> None:
        """A raise undoes every change, the key grant too."""
        key = await owner.key_for(SELLER)

        with pytest.raises(Undone):  # noqa: PT012 -- the block is what is tested
            async with store.transaction() as transaction:
                await every_change(transaction, [key.key_id])
                raise Undone

        assert await ledger.counts() == {"event": 0, "delivery": 0, "audit": 0, "quarantine": 0}
        assert list(await store.pending(limit=10)) == []
        assert await recipient.keys(frozenset({key.key_id})) == {}

    async def test_many_events_are_admitted_together(self, store: BusStore, ledger: Ledger) -> None:
        """Each says that it is new, where its record stands, and what its recipients are sent."""
        made = [admission(event(str(each)), delivery(BANK), delivery(TAX), offset=each) for each in range(300)]

        async with store.transaction() as transaction:
            kept = await transaction.admit(made)

        assert [each.event.id for each in made] == list(kept)
        assert all(each.new for each in kept.values())
        assert [Place.of(each.record) for each in made] == [each.place for each in kept.values()]
        assert [delivery(BANK), delivery(TAX)] == [each.delivery for each in kept[made[7].event.id].copies]
        counts = await ledger.counts()
        assert (counts["event"], counts["delivery"]) == (300, 600)

    async def test_an_event_is_admitted_once(self, store: BusStore, ledger: Ledger) -> None:
        """A repeat is given what was kept at first: place, time and copies with their numbers, whatever it brings."""
        async with store.transaction() as transaction:
            first = (await transaction.admit([admission(event(), delivery(BANK), delivery(TAX))]))[event().id]
        again = replace(admission(event(), delivery(TAX), offset=9), at=NOON.replace(hour=6))

        async with store.transaction() as transaction:
            mixed = await transaction.admit([again, admission(event("two"), delivery(TAX), offset=10)])
            known = await transaction.known([event().id, named_id("nothing")])

        assert replace(first, new=False) == mixed[event().id]
        assert {event().id: replace(first, new=False)} == known
        assert mixed[named_id("two")].new
        assert (await ledger.counts())["delivery"] == 3

    async def test_a_repeat_shows_the_value_that_was_admitted(self, store: BusStore) -> None:
        """So that whoever sends an id again with another value is found out."""
        async with store.transaction() as transaction:
            await transaction.admit([admission(event(), delivery(TAX))])
        other = admission(event(), delivery(BANK), value=b"\x00other")

        async with store.transaction() as transaction:
            kept = (await transaction.admit([other]))[event().id]

        assert admission(event()).fingerprint == kept.fingerprint
        assert [each.delivery.agency for each in kept.copies] == [TAX]

    async def test_copies_are_numbered_by_recipient_and_subject(self, store: BusStore) -> None:
        """From one on and without a gap, within a transaction and from one to the next; a repeat takes no number."""
        other = pseudonym("seller", "vn-mst", "other")
        numbers = []
        for names in (("a", "b"), ("a", "c", "elsewhere", "d")):
            made = [
                admission(
                    replace(event(name), subject=other if name == "elsewhere" else SELLER),
                    *([delivery(BANK), delivery(TAX)] if name != "b" else [delivery(TAX)]),
                )
                for name in names
            ]
            async with store.transaction() as transaction:
                kept = await transaction.admit(made)
            numbers += [[each.sequence for each in kept[named_id(name)].copies] for name in names]

        assert numbers == [[1, 1], [2], [1, 1], [2, 3], [1, 1], [3, 4]]

    async def test_numbers_of_what_was_undone_are_given_again(self, store: BusStore) -> None:
        """A transaction that failed leaves no gap."""
        with pytest.raises(Undone):  # noqa: PT012 -- the block is what is tested
            async with store.transaction() as transaction:
                await transaction.admit([admission(event(), delivery(TAX))])
                raise Undone

        async with store.transaction() as transaction:
            kept = await transaction.admit([admission(event("two"), delivery(TAX))])

        assert [each.sequence for each in kept[named_id("two")].copies] == [1]

    async def test_who_was_sent_the_cause_is_remembered(self, store: BusStore) -> None:
        """The copy of one recipient waits for the cause, that of another does not; also when asked again."""
        made = admission(event(), delivery(BANK), delivery(TAX), after=(TAX,))
        async with store.transaction() as transaction:
            first = await transaction.admit([made])
            again = await transaction.known([event().id])
            recipients = await transaction.recipients([event().id, named_id("nothing")])

        for kept in (first, again):
            assert [(one.delivery.agency, one.after) for one in kept[event().id].copies] == [(BANK, False), (TAX, True)]
        assert {event().id: frozenset({BANK, TAX})} == recipients

    async def test_a_copy_is_delivered_when_kafka_confirmed_what_its_record_led_to(
        self, store: BusStore, ledger: Ledger
    ) -> None:
        """Confirming a stretch of one partition says nothing about what stands behind it."""
        async with store.transaction() as transaction:
            await transaction.admit([admission(event(name), delivery(TAX), offset=at) for at, name in enumerate("ab")])
        place = record()

        for below, expected in ((0, [False, False]), (1, [True, False]), (2, [True, True])):
            await store.confirm({(place.topic, place.partition): below}, at=NOON)
            await store.confirm({(place.topic, place.partition + 1): 100}, at=NOON)

            seen = [await ledger.deliveries(named_id(name)) for name in "ab"]
            assert expected == [one.delivered for each in seen for one in each]

    async def test_a_released_copy_is_delivered_with_the_record_that_released_it(
        self, store: BusStore, ledger: Ledger
    ) -> None:
        """Its own record was acknowledged long before."""
        root = admission(event("root"), delivery(TAX), offset=5)
        freed = replace(admission(event("freed"), delivery(TAX), offset=1), released_by=root.event.id)
        async with store.transaction() as transaction:
            await transaction.admit([root])
            await transaction.admit([freed])
        place = record()

        for below, expected in ((5, False), (6, True)):
            await store.confirm({(place.topic, place.partition): below}, at=NOON)

            [seen] = await ledger.deliveries(named_id("freed"))
            assert expected is seen.delivered

    async def test_an_answer_closes_the_request_of_the_one_who_answers(self, store: BusStore, ledger: Ledger) -> None:
        """Only the answering agency's delivery is closed; a later answer takes the place of the first."""
        request = event("request")
        async with store.transaction() as transaction:
            await transaction.admit([admission(request, delivery(BANK, answer=ANSWER), delivery(TAX, answer=ANSWER))])
        for name, status in (("accepted", "accepted"), ("executed", "executed")):
            answer = replace(event(name), type=ANSWER, source=BANK, cause=request.id)
            async with store.transaction() as transaction:
                await transaction.admit([admission(answer, status=status)])

        seen = {each.agency: (each.answer, each.answer_status) for each in await ledger.deliveries(request.id)}
        assert {BANK: (named_id("executed"), "executed"), TAX: (None, None)} == seen

    async def test_the_last_of_several_answers_in_one_call_stands(self, store: BusStore, ledger: Ledger) -> None:
        """In the order in which they are admitted."""
        request = event("request")
        answers = [replace(event(name), type=ANSWER, source=BANK, cause=request.id) for name in ("a", "b", "c")]
        async with store.transaction() as transaction:
            await transaction.admit([admission(request, delivery(BANK, answer=ANSWER))])
            await transaction.admit([admission(each, status=str(each.id)) for each in answers])

        [seen] = await ledger.deliveries(request.id)
        assert (named_id("c"), str(named_id("c"))) == (seen.answer, seen.answer_status)

    async def test_an_event_of_another_type_closes_no_request(self, store: BusStore, ledger: Ledger) -> None:
        """Naming a request as its cause makes nothing an answer to it."""
        request = event("request")
        async with store.transaction() as transaction:
            await transaction.admit([admission(request, delivery(BANK, answer=ANSWER))])
            await transaction.admit(
                [admission(replace(event("other"), source=BANK, cause=request.id), status="executed")]
            )

        [seen] = await ledger.deliveries(request.id)
        assert (seen.answer, seen.answer_status) == (None, None)

    async def test_an_answer_to_nothing_is_admitted_and_closes_nothing(self, store: BusStore, ledger: Ledger) -> None:
        """An agency that was not asked, or that names an unknown request, changes no delivery."""
        request = event("request")
        async with store.transaction() as transaction:
            await transaction.admit([admission(request, delivery(BANK, answer=ANSWER))])
            for name, cause in (("1", request.id), ("2", named_id("nowhere"))):
                stranger = replace(event(name), source=SURVEILLANCE, cause=cause)
                assert await transaction.admit([admission(stranger, status="executed")])

        [seen] = await ledger.deliveries(request.id)
        assert (seen.answer, seen.answer_status) == (None, None)

    async def test_a_quarantined_record_is_kept_once(self, store: BusStore, ledger: Ledger) -> None:
        """A repeat changes nothing, and the reason is found by its place."""
        for _ in range(2):
            async with store.transaction() as transaction:
                await transaction.quarantine([quarantined(), quarantined(4)])
        place = record()

        async with store.transaction() as transaction:
            found = [
                await transaction.refused([Stretch(place.topic, place.partition + beside, 0, last)])
                for beside, last in ((0, 4), (0, 3), (1, 4))
            ]
            both = await transaction.refused(
                [Stretch(place.topic, place.partition + beside, first, first) for beside, first in ((0, 4), (1, 0))]
            )

        first, second = (Place(place.topic, place.partition, offset) for offset in (0, 4))
        assert found == [{first: "not_framed", second: "not_framed"}, {first: "not_framed"}, {}]
        assert both == {second: "not_framed"}
        assert (await ledger.counts())["quarantine"] == 2

    async def test_a_key_that_the_sender_may_not_open_is_granted_to_nobody(
        self, store: BusStore, owner: KeyService, recipient: KeyService
    ) -> None:
        """Whoever names a stranger's key in an event of its own gets nothing, and gives nothing to others."""
        key = await owner.key_for(SELLER)

        async with store.transaction() as transaction:
            await transaction.grant_keys([KeyGrant(key.key_id, TAX, TAX), KeyGrant(key.key_id, TAX, BANK)])

        assert await recipient.keys(frozenset({key.key_id})) == {}

    async def test_ids_that_name_no_key_are_granted_to_nobody(
        self, store: BusStore, owner: KeyService, recipient: KeyService
    ) -> None:
        """A forged key id in a sealed field, even one that is no text for a database, stops nothing."""
        key = await owner.key_for(SELLER)
        forged = frozenset({"no-such-key", "nul\x00inside", "", "'; drop table event"})

        async with store.transaction() as transaction:
            await transaction.grant_keys([KeyGrant(each, TAX, SURVEILLANCE) for each in forged | {key.key_id}])
            await transaction.grant_keys([])

        assert await recipient.keys(forged | {key.key_id}) == {key.key_id: key}
