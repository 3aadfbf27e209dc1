"""What every `streams.store.AgencyStore` promises."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Protocol
from uuid import UUID

import pytest
from contract_events import NOON, TAX, event, named_id, quarantined, record, row
from outbox_suite import OutboxSuite, Queue

from streams.agency_store import AgencyStore, AgencyTransaction, AnswerNote, Arrival, ParkedCopy
from streams.errors import TransientError, UnstorableError
from streams.names import quarantine_topic
from streams.states import state_of, state_text
from streams.store import OutboxRow

UNSTORABLE: list[Callable[[AgencyTransaction], Awaitable[None]]] = [
    lambda transaction: transaction.keep_states({("gather", "nul\x00"): "{}"}),
    lambda transaction: transaction.receive([Arrival(event("two"), record(), ("một", "nul\x00"))]),
    lambda transaction: transaction.name_documents([(event().id, "nul\x00")]),
]
"""What a database cannot keep."""

HASHES = ["a" * 64, "b" * 64]
STATE = ("gather", "seller:x")


@dataclass(frozen=True)
class SeenItem:
    """What officers see of an inbox item."""

    notes: tuple[str, ...]
    answer: UUID | None
    answer_status: str | None
    answered_at: datetime | None


class Look(Protocol):
    """What the port keeps and does not give back, read by each implementation's own means."""

    async def item(self, event_id: UUID) -> SeenItem | None:
        """Give an inbox item."""

    async def named(self, sha256: str) -> bool:
        """Say whether a document is named by what this agency received or sent."""

    async def quarantined(self) -> Sequence[tuple[UUID, str]]:
        """Give ids and reasons of what is in quarantine."""


class Undone(Exception):  # noqa: N818 -- it is no error: it only ends a block
    """Ends a transaction that must leave nothing."""


async def every_change(transaction: AgencyTransaction) -> None:
    """Use every method of a transaction once."""
    await transaction.receive([Arrival(event(), record(), ("Ghi chú",))])
    await transaction.keep_states({STATE: '{"score":1}'})
    await transaction.publish([row("a")])
    await transaction.name_documents([(event().id, each) for each in HASHES])
    await transaction.hand_over([(event().id, "folder")])
    await transaction.answer([answered("answer", "accepted")])
    await transaction.ingest("files", "item", {event().id})
    await transaction.quarantine([quarantined()])


def answered(name: str, status: str, *, request: str = "one") -> AnswerNote:
    """Make the note of an answer."""
    return AnswerNote(request=named_id(request), answer=named_id(name), status=status, at=NOON)


def parked(
    name: str, waits_for: str, *, subject: str = "seller:x", sequence: int | None = 7, at: datetime = NOON
) -> ParkedCopy:
    """Make a copy that waits."""
    kept = replace(record(3), timestamp_ms=1_763_616_000_000)
    return ParkedCopy(named_id(name), named_id(waits_for), subject, sequence, kept, at)


class AgencyStoreSuite(OutboxSuite):
    """The suite; a subclass gives `store` (of `TAX`) and `look`."""

    @pytest.fixture
    def outbox(self, store: AgencyStore) -> AgencyStore:
        """Give the store as an outbox."""
        return store

    @pytest.fixture
    def queue(self, store: AgencyStore) -> Queue:
        """Queue rows."""

        async def queue(rows: Sequence[OutboxRow]) -> None:
            async with store.transaction() as transaction:
                await transaction.publish(rows)

        return queue

    async def test_all_of_a_transaction_is_kept_when_it_ends(self, store: AgencyStore, look: Look) -> None:
        """Inbox, state, outbox, notes, documents, handovers, answer and quarantine become visible together."""
        async with store.transaction() as transaction:
            await every_change(transaction)

        assert await look.item(event().id) == SeenItem(("Ghi chú",), named_id("answer"), "accepted", NOON)
        assert [await look.named(each) for each in HASHES] == [True, True]
        assert [(quarantined().id, "not_framed")] == list(await look.quarantined())
        assert [(event().id, record())] == list(await store.handovers("folder", limit=10))
        assert [named_id("a"), quarantined().id] == [entry.row.row_id for entry in await store.pending(limit=10)]
        async with store.transaction() as transaction:
            assert await transaction.states([STATE]) == {STATE: '{"score":1}'}

    async def test_nothing_of_a_transaction_is_kept_when_it_raises(self, store: AgencyStore, look: Look) -> None:
        """A raise undoes every change, and afterwards the same changes go through as if for the first time."""
        with pytest.raises(Undone):  # noqa: PT012 -- the block is what is tested
            async with store.transaction() as transaction:
                await every_change(transaction)
                raise Undone

        await self.require_empty(store, look)
        async with store.transaction() as transaction:
            await every_change(transaction)
        assert await look.item(event().id) is not None

    async def test_a_part_of_a_transaction_can_be_undone_alone(self, store: AgencyStore, look: Look) -> None:
        """What was before it and what comes after it stays, the same changes again among them."""
        async with store.transaction() as transaction:
            with pytest.raises(Undone):  # noqa: PT012 -- the block is what is tested
                async with transaction.attempt():
                    await every_change(transaction)
                    raise Undone
            await transaction.receive([Arrival(event("two"), record(1))])
        await self.require_empty(store, look)
        assert await look.item(event("two").id) is not None

        async with store.transaction() as transaction:
            async with transaction.attempt():
                await every_change(transaction)
            await transaction.keep_states({STATE: '{"score":2}'})

        assert await look.item(event().id) is not None
        async with store.transaction() as transaction:
            assert await transaction.states([STATE]) == {STATE: '{"score":2}'}

    async def require_empty(self, store: AgencyStore, look: Look) -> None:
        """Require that nothing of `every_change` is there."""
        assert await look.item(event().id) is None
        assert not await look.named(HASHES[0])
        assert list(await look.quarantined()) == []
        assert list(await store.handovers("folder", limit=10)) == []
        assert list(await store.pending(limit=10)) == []
        async with store.transaction() as transaction:
            assert await transaction.states([STATE]) == {}

    async def test_empty_sets_change_nothing(self, store: AgencyStore, look: Look) -> None:
        """A set of records that do only one thing needs no care elsewhere."""
        async with store.transaction() as transaction:
            assert await transaction.received([]) == frozenset()
            assert await transaction.states([]) == {}
            assert await transaction.publish([]) == frozenset()
            for change in (transaction.receive, transaction.hand_over, transaction.answer, transaction.quarantine):
                await change([])
            await transaction.keep_states({})
            await transaction.name_documents([])
            await transaction.ingest("files", "item", [])
            await transaction.park([])
            await transaction.unpark([])
            assert list(await transaction.parked([], [])) == []

        await self.require_empty(store, look)

    async def test_the_inbox_knows_what_it_received(self, store: AgencyStore) -> None:
        """In the same transaction and in a later one; what it does not have is not named."""
        ids = [named_id(name) for name in ("a", "b", "c")]
        async with store.transaction() as transaction:
            await transaction.receive([Arrival(event(name), record(at)) for at, name in enumerate("ab")])
            assert await transaction.received(ids) == frozenset(ids[:2])

        async with store.transaction() as transaction:
            assert await transaction.received(ids[1:]) == frozenset(ids[1:2])

    async def test_two_that_receive_the_same_event_do_not_both_do_so(self, store: AgencyStore, look: Look) -> None:
        """Whoever comes second did not know it: its transaction leaves nothing, and is done again."""
        async with store.transaction() as transaction:
            await transaction.receive([Arrival(event(), record())])

        with pytest.raises(TransientError):
            async with store.transaction() as transaction:
                await transaction.receive([Arrival(event("two"), record(8)), Arrival(event(), record(7))])

        assert await look.item(event("two").id) is None

    async def test_publishing_says_which_rows_are_new(self, store: AgencyStore) -> None:
        """Rows known by id are not named, which is how a command knows that it was given twice."""
        async with store.transaction() as transaction:
            assert await transaction.publish([row("a"), row("b")]) == {named_id("a"), named_id("b")}
            assert await transaction.publish([row("b"), row("c")]) == {named_id("c")}

        async with store.transaction() as transaction:
            assert await transaction.publish([row("a")]) == frozenset()

    async def test_state_is_by_handler_and_key(self, store: AgencyStore) -> None:
        """One handler's state under one key is replaced and disturbs no other; its text comes back as it went."""
        state = {"text": "Hóa đơn \u2028 '\"\\", "nul": "\0", "n": [1, {"x": None, "a": True}], "big": 2**60, "b": {}}
        ids = [("gather", "a"), ("gather", "b"), ("watch", "a")]
        async with store.transaction() as transaction:
            await transaction.keep_states({each: state_text({"old": number}) for number, each in enumerate(ids)})

        async with store.transaction() as transaction:
            assert await transaction.states(ids[:1]) == {ids[0]: '{"old":0}'}
            await transaction.keep_states({ids[0]: state_text(state)})
            assert await transaction.states(ids[:1]) == {ids[0]: state_text(state)}

        async with store.transaction() as transaction:
            found = {each: state_of(text) for each, text in (await transaction.states([*ids, ("watch", "b")])).items()}
        assert {ids[0]: state, ids[1]: {"old": 1}, ids[2]: {"old": 2}} == found
        assert list(state) == list(found[ids[0]])

    async def test_two_that_begin_the_same_state_do_not_both_do_so(self, store: AgencyStore) -> None:
        """What is not there cannot be locked: whoever comes second is told so, and its transaction leaves nothing."""
        async with store.transaction() as transaction:
            await transaction.keep_states({STATE: '{"score":1}'})

        with pytest.raises(TransientError):
            async with store.transaction() as transaction:
                await transaction.keep_states({("gather", "a"): "{}", STATE: '{"score":9}'})

        async with store.transaction() as transaction:
            assert await transaction.states([STATE, ("gather", "a")]) == {STATE: '{"score":1}'}

    async def test_notes_keep_their_order_and_their_words(self, store: AgencyStore, look: Look) -> None:
        """Several handlers may each leave a hint, with whatever characters."""
        notes = ("một", "", 'hai "{}" \\ , NULL', "ba\n")
        async with store.transaction() as transaction:
            await transaction.receive([Arrival(event(), record(), notes), Arrival(event("two"), record(1))])

        seen = [await look.item(event(name).id) for name in ("one", "two")]
        assert [notes, ()] == [each.notes for each in seen if each is not None]

    async def test_an_answer_is_noted_on_its_request(self, store: AgencyStore, look: Look) -> None:
        """The newest one stands, within a set as well; a request that is not in this inbox is passed over."""
        async with store.transaction() as transaction:
            await transaction.receive([Arrival(event(), record())])
            await transaction.answer([answered("0", "refused")])
            await transaction.answer(
                [answered("1", "accepted"), answered("3", "x", request="x"), answered("2", "done")]
            )

        assert await look.item(event().id) == SeenItem((), named_id("2"), "done", NOON)

    async def test_handovers_wait_in_the_order_of_arrival(self, store: AgencyStore) -> None:
        """Each sink has its own queue; an item queued twice stands there once; the record comes back whole."""
        names = ["c", "a", "b"]
        for offset, name in enumerate(names):
            async with store.transaction() as transaction:
                await transaction.receive([Arrival(event(name), record(offset))])
                await transaction.hand_over([(event(name).id, sink) for sink in ("folder", "webhook", "folder")])
                await transaction.hand_over([(event(name).id, "folder")])

        expected = [(event(name).id, record(offset)) for offset, name in enumerate(names)]
        assert expected == list(await store.handovers("folder", limit=10))
        assert expected[:2] == list(await store.handovers("webhook", limit=2))
        assert list(await store.handovers("nobody", limit=10)) == []

    async def test_a_settled_handover_waits_no_longer(self, store: AgencyStore) -> None:
        """Taken or refused for good, it leaves that sink's queue and no other's, and is not queued again."""
        async with store.transaction() as transaction:
            for name in "ab":
                await transaction.receive([Arrival(event(name), record())])
                await transaction.hand_over([(event(name).id, sink) for sink in ("folder", "webhook")])

        await store.settle_handover("folder", [event("a").id], error=None)
        await store.settle_handover("webhook", [event("b").id], error="refused: it said no")
        await store.settle_handover("folder", [named_id("nowhere")], error=None)
        async with store.transaction() as transaction:
            await transaction.hand_over([(event("a").id, "folder")])

        assert [event("b").id] == [event_id for event_id, _ in await store.handovers("folder", limit=10)]
        assert [event("a").id] == [event_id for event_id, _ in await store.handovers("webhook", limit=10)]

    async def test_an_item_may_be_ingested_again(self, store: AgencyStore) -> None:
        """After a crash a source brings an item again; the same and further events are no error."""
        for names in ("a", "ab"):
            async with store.transaction() as transaction:
                await transaction.ingest("files", "item", [named_id(name) for name in names])

    async def test_a_parked_copy_comes_back_whole_until_it_is_unparked(self, store: AgencyStore) -> None:
        """In order of parking; parking again changes what it waits for and nothing else."""
        copies = [parked("b", "x"), parked("a", "z", sequence=None), parked("c", "x", at=NOON + timedelta(hours=1))]
        async with store.transaction() as transaction:
            await transaction.own_parking()
            await transaction.park(copies[:2])
            await transaction.park(
                [copies[2], replace(copies[0], waits_for=named_id("y"), parked_at=NOON + timedelta(days=1))]
            )

        copies[0] = replace(copies[0], waits_for=named_id("y"))
        async with store.transaction() as transaction:
            await transaction.share_parking()
            assert copies == list(await transaction.parked([], {"seller:x"}))
            assert copies[:2] == list(await transaction.overdue(NOON + timedelta(minutes=1), limit=5))
            assert copies[:1] == list(await transaction.overdue(NOON + timedelta(minutes=1), limit=1))
            await transaction.unpark([named_id("a"), named_id("c")])
            await transaction.park([parked("d", "b")])
            assert copies[:1] == list(await transaction.overdue(NOON + timedelta(minutes=1), limit=5))
            await transaction.unpark([named_id("d")])

        async with store.transaction() as transaction:
            assert copies[:1] == list(await transaction.parked([], {"seller:x"}))

    async def test_all_that_a_release_may_touch_is_found(self, store: AgencyStore) -> None:
        """What waits for it, what waits for that, and what waits behind those about their subjects."""
        copies = [
            parked("1", "cause", subject="seller:1"),
            parked("2", "1", subject="seller:2"),
            parked("3", "elsewhere", subject="seller:2"),
            parked("4", "3", subject="seller:4"),
        ]
        async with store.transaction() as transaction:
            await transaction.park(copies)

        async with store.transaction() as transaction:
            for ids, subjects in ((["cause"], set()), (["1"], set()), (["4", "1"], set()), ([], {"seller:1"})):
                found = await transaction.parked([named_id(each) for each in ids], subjects)
                assert copies == list(found)

    async def test_nobody_parks_while_another_applies(self, store: AgencyStore) -> None:
        """Whoever applies lets others apply beside it; whoever parks is alone, so that it sees all that was applied."""
        begun, end = asyncio.Event(), asyncio.Event()
        steps: list[str] = []

        async def apply() -> None:
            async with store.transaction() as transaction:
                await transaction.share_parking()
                begun.set()
                await end.wait()
                await transaction.receive([Arrival(event(), record())])
                steps.append("applied")

        async def park() -> None:
            await begun.wait()
            async with store.transaction() as transaction:
                await transaction.own_parking()
                steps.append(f"seen {len(await transaction.received([event().id]))}")

        async with asyncio.TaskGroup() as group:
            group.create_task(apply())
            parking = group.create_task(park())
            await begun.wait()
            await asyncio.wait([parking], timeout=0.1)
            end.set()

        assert steps == ["applied", "seen 1"]

    async def test_a_quarantined_record_goes_to_its_topic_once(self, store: AgencyStore, look: Look) -> None:
        """A repeat changes nothing; the topic gets the original bytes and headers and, after them, the reason."""
        for _ in range(2):
            async with store.transaction() as transaction:
                await transaction.quarantine([quarantined(), quarantined()])

        [entry] = await store.pending(limit=10)
        item = quarantined()
        expected = OutboxRow(item.id, quarantine_topic(TAX), key=b"seller:x", value=None, headers=item.headers)
        assert expected == entry.row
        assert list(item.record.headers) == list(entry.row.headers)[: len(item.record.headers)]
        assert [(item.id, "not_framed")] == list(await look.quarantined())

    @pytest.mark.parametrize("change", UNSTORABLE, ids=["state key", "note", "document"])
    async def test_a_text_with_a_zero_byte_is_refused_for_good(
        self, store: AgencyStore, look: Look, change: Callable[[AgencyTransaction], Awaitable[None]]
    ) -> None:
        """It came from outside and no repeat mends it; undone as a part, the rest of the transaction goes on."""
        with pytest.raises(UnstorableError):  # noqa: PT012 -- the block is what is tested
            async with store.transaction() as transaction:
                await transaction.receive([Arrival(event(), record())])
                await change(transaction)
        assert await look.item(event().id) is None

        async with store.transaction() as transaction:
            with pytest.raises(UnstorableError):
                async with transaction.attempt():
                    await change(transaction)
            await transaction.receive([Arrival(event(), record())])
        assert await look.item(event().id) is not None

    async def test_documents_are_named_by_any_event_of_the_agency(self, store: AgencyStore, look: Look) -> None:
        """Naming one again, or for a second event, is no error; another hash stays unknown."""
        async with store.transaction() as transaction:
            await transaction.name_documents([(named_id(name), HASHES[0]) for name in ("sent", "sent", "received")])
            await transaction.name_documents([(named_id("sent"), HASHES[0])])

        assert [await look.named(each) for each in HASHES] == [True, False]
