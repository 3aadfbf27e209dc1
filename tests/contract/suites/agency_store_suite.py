"""What every `streams.store.AgencyStore` promises."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol
from uuid import UUID

import pytest
from contract_events import NOON, TAX, event, named_id, quarantined, record, row
from outbox_suite import OutboxSuite, Queue

from streams.documents import DocumentRef
from streams.errors import PermanentError
from streams.names import quarantine_topic
from streams.store import AgencyStore, AgencyTransaction, OutboxRow

UNSTORABLE: list[Callable[[AgencyTransaction], Awaitable[None]]] = [
    lambda transaction: transaction.keep_state("gather", "key", {"name": ["nul\x00"]}),
    lambda transaction: transaction.keep_state("gather", "nul\x00", {}),
    lambda transaction: transaction.annotate(event().id, "nul\x00"),
    lambda transaction: transaction.name_documents(event().id, [DocumentRef("nul\x00", "application/pdf", 1)]),
]
"""What a database cannot keep."""

DOCUMENTS = [DocumentRef(sha256=letter * 64, media_type="application/pdf", size_bytes=1) for letter in "ab"]


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
    await transaction.receive(event(), record())
    await transaction.keep_state("gather", "seller:x", {"score": 1})
    await transaction.publish([row("a")])
    await transaction.annotate(event().id, "Ghi chú")
    await transaction.name_documents(event().id, DOCUMENTS)
    await transaction.hand_over(event().id, ["folder"])
    await transaction.answer(event().id, answer=named_id("answer"), status="accepted", at=NOON)
    await transaction.ingest("files", "item", event().id)
    await transaction.quarantine(quarantined())


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
        assert [await look.named(each.sha256) for each in DOCUMENTS] == [True, True]
        assert [(quarantined().id, "not_framed")] == list(await look.quarantined())
        assert [(event().id, record())] == list(await store.handovers("folder", limit=10))
        assert [named_id("a"), quarantined().id] == [entry.row.row_id for entry in await store.pending(limit=10)]
        async with store.transaction() as transaction:
            assert await transaction.state("gather", "seller:x") == {"score": 1}

    async def test_nothing_of_a_transaction_is_kept_when_it_raises(self, store: AgencyStore, look: Look) -> None:
        """A raise undoes every change, and afterwards the same changes go through as if for the first time."""
        with pytest.raises(Undone):  # noqa: PT012 -- the block is what is tested
            async with store.transaction() as transaction:
                await every_change(transaction)
                raise Undone

        assert await look.item(event().id) is None
        assert not await look.named(DOCUMENTS[0].sha256)
        assert list(await look.quarantined()) == []
        assert list(await store.handovers("folder", limit=10)) == []
        assert list(await store.pending(limit=10)) == []
        async with store.transaction() as transaction:
            assert await transaction.state("gather", "seller:x") == {}
            assert await transaction.receive(event(), record())
            assert await transaction.ingest("files", "item", event().id)

    async def test_an_event_is_received_once(self, store: AgencyStore) -> None:
        """The second time says so, in the same transaction and in a later one, also from another offset."""
        async with store.transaction() as transaction:
            assert await transaction.receive(event(), record())
            assert not await transaction.receive(event(), record())

        async with store.transaction() as transaction:
            assert not await transaction.receive(event(), record(7))
            assert await transaction.receive(event("two"), record(8))

    async def test_publishing_says_how_many_rows_are_new(self, store: AgencyStore) -> None:
        """Rows known by id do not count, which is how a command knows that it was given twice."""
        async with store.transaction() as transaction:
            assert await transaction.publish([row("a"), row("b")]) == 2
            assert await transaction.publish([row("b"), row("c")]) == 1

        async with store.transaction() as transaction:
            assert await transaction.publish([row("a")]) == 0
            assert await transaction.publish([]) == 0

    async def test_state_is_by_handler_and_key(self, store: AgencyStore) -> None:
        """One handler's state under one key is replaced and disturbs no other; JSON comes back as it went."""
        state = {"text": "Hóa đơn \u2028 '\"\\", "n": [1, {"x": None, "y": True}], "big": 2**60}
        async with store.transaction() as transaction:
            await transaction.keep_state("gather", "a", {"old": True})
            await transaction.keep_state("gather", "b", {"other": 1})
            await transaction.keep_state("watch", "a", {"other": 2})

        async with store.transaction() as transaction:
            assert await transaction.state("gather", "a") == {"old": True}
            await transaction.keep_state("gather", "a", state)
            assert await transaction.state("gather", "a") == state

        async with store.transaction() as transaction:
            found = [await transaction.state(*each) for each in (("gather", "a"), ("gather", "b"), ("watch", "a"))]
        assert [state, {"other": 1}, {"other": 2}] == found

    async def test_notes_are_added_in_order(self, store: AgencyStore, look: Look) -> None:
        """Several handlers may each leave a hint; one on an item that is not there changes nothing."""
        async with store.transaction() as transaction:
            await transaction.receive(event(), record())
            await transaction.annotate(event().id, "một")
            await transaction.annotate(event().id, "hai")
            await transaction.annotate(named_id("nowhere"), "ba")

        seen = await look.item(event().id)
        assert seen is not None
        assert seen.notes == ("một", "hai")

    async def test_an_answer_is_noted_on_its_request(self, store: AgencyStore, look: Look) -> None:
        """The newest one stands; a request that is not in this inbox is said to be none."""
        async with store.transaction() as transaction:
            await transaction.receive(event(), record())
            assert await transaction.answer(event().id, answer=named_id("1"), status="accepted", at=NOON)
            assert await transaction.answer(event().id, answer=named_id("2"), status="executed", at=NOON)
            assert not await transaction.answer(named_id("x"), answer=named_id("3"), status="refused", at=NOON)

        assert await look.item(event().id) == SeenItem((), named_id("2"), "executed", NOON)

    async def test_handovers_wait_in_the_order_of_arrival(self, store: AgencyStore) -> None:
        """Each sink has its own queue; an item queued twice stands there once; the record comes back whole."""
        names = ["c", "a", "b"]
        for offset, name in enumerate(names):
            async with store.transaction() as transaction:
                await transaction.receive(event(name), record(offset))
                await transaction.hand_over(event(name).id, ["folder", "webhook"])
                await transaction.hand_over(event(name).id, ["folder"])

        expected = [(event(name).id, record(offset)) for offset, name in enumerate(names)]
        assert expected == list(await store.handovers("folder", limit=10))
        assert expected[:2] == list(await store.handovers("webhook", limit=2))
        assert list(await store.handovers("nobody", limit=10)) == []

    async def test_a_settled_handover_waits_no_longer(self, store: AgencyStore) -> None:
        """Taken or refused for good, it leaves that sink's queue and no other's, and is not queued again."""
        async with store.transaction() as transaction:
            for name in "ab":
                await transaction.receive(event(name), record())
                await transaction.hand_over(event(name).id, ["folder", "webhook"])

        await store.settle_handover("folder", [event("a").id], error=None)
        await store.settle_handover("webhook", [event("b").id], error="refused: it said no")
        await store.settle_handover("folder", [named_id("nowhere")], error=None)
        async with store.transaction() as transaction:
            await transaction.hand_over(event("a").id, ["folder"])

        assert [event("b").id] == [event_id for event_id, _ in await store.handovers("folder", limit=10)]
        assert [event("a").id] == [event_id for event_id, _ in await store.handovers("webhook", limit=10)]

    async def test_an_item_is_ingested_once_for_each_event(self, store: AgencyStore) -> None:
        """The same item of the same source and event is known; another source or event is new."""
        one, two = named_id("1"), named_id("2")
        async with store.transaction() as transaction:
            assert await transaction.ingest("files", "item", one)

        async with store.transaction() as transaction:
            seen = [
                await transaction.ingest(*each)
                for each in (("files", "item", one), ("files", "item", two), ("other", "item", one))
            ]
        assert seen == [False, True, True]

    async def test_a_quarantined_record_goes_to_its_topic_once(self, store: AgencyStore, look: Look) -> None:
        """A repeat changes nothing; the topic gets the original bytes and headers and, after them, the reason."""
        for _ in range(2):
            async with store.transaction() as transaction:
                await transaction.quarantine(quarantined())

        [entry] = await store.pending(limit=10)
        item = quarantined()
        expected = OutboxRow(item.id, quarantine_topic(TAX), key=b"seller:x", value=None, headers=item.headers)
        assert expected == entry.row
        assert list(item.record.headers) == list(entry.row.headers)[: len(item.record.headers)]
        assert [(item.id, "not_framed")] == list(await look.quarantined())

    @pytest.mark.parametrize("change", UNSTORABLE, ids=["state", "state key", "note", "document"])
    async def test_a_text_with_a_zero_byte_is_refused_for_good(
        self, store: AgencyStore, look: Look, change: Callable[[AgencyTransaction], Awaitable[None]]
    ) -> None:
        """It came from outside and no repeat mends it, so it must not look like a server that is away."""
        with pytest.raises(PermanentError) as caught:  # noqa: PT012 -- the block is what is tested
            async with store.transaction() as transaction:
                await transaction.receive(event(), record())
                await change(transaction)

        assert caught.value.code == "database_value"
        assert await look.item(event().id) is None

    async def test_documents_are_named_by_any_event_of_the_agency(self, store: AgencyStore, look: Look) -> None:
        """Naming one again, or for a second event, is no error; another hash stays unknown."""
        async with store.transaction() as transaction:
            for name in ("sent", "sent", "received"):
                await transaction.name_documents(named_id(name), DOCUMENTS[:1])

        assert [await look.named(each.sha256) for each in DOCUMENTS] == [True, False]
