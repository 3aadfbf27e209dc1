"""What every `streams.bus_store.BusStore` promises about events that wait for their cause."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta

from contract_events import named_id, record

from streams.bus_store import BusStore, Parked

CAUSE, OTHER, ROOT = named_id("cause"), named_id("other cause"), named_id("root")


def parked(name: str, *, offset: int = 0, value: bytes | None = b"\x00value", **changes: object) -> Parked:
    """Make an event that waits; its id follows from its name."""
    each = Parked(
        event_id=named_id(name),
        record=replace(record(offset, value=value), timestamp_ms=1_700_000_000_123 + offset),
        fingerprint=hashlib.sha256(value or b"").digest(),
        waits_for=CAUSE,
    )
    return replace(each, **changes)  # type: ignore[arg-type] # fields of the class


async def park(store: BusStore, *each: Parked) -> None:
    """Let events wait, in a transaction of their own."""
    async with store.transaction() as transaction:
        await transaction.park(each)


def names(found: Sequence[Parked]) -> list[int]:
    """Name what was found by its offset."""
    return [each.record.offset for each in found]


class ParkingSuite:
    """The suite; a subclass gives `store`."""

    async def test_what_waits_is_released_with_its_whole_record_in_order(self, store: BusStore) -> None:
        """Key, value, headers and time come back byte for byte; what waits for something else stays."""
        first, second = parked("a", offset=3), parked("b", offset=1, value=None)
        await park(store, first, second, parked("c", offset=7, waits_for=OTHER))

        async with store.transaction() as transaction:
            released = await transaction.release({CAUSE: ROOT, named_id("nobody's"): ROOT})

        assert [(first, ROOT), (second, ROOT)] == list(released)
        async with store.transaction() as transaction:
            assert list(await transaction.release({CAUSE: ROOT})) == []
            assert [(first, ROOT), (second, ROOT)] == list(await transaction.released_by([ROOT]))
            assert [named_id("c")] == list(await transaction.waiting({(first.record.topic, first.record.partition)}))

    async def test_what_waits_is_seen_by_partition(self, store: BusStore) -> None:
        """The oldest first, each with its topic and key; of several partitions at once, too."""
        elsewhere = parked("d")
        elsewhere = replace(elsewhere, record=replace(elsewhere.record, partition=0))
        keyless = parked("b", offset=2)
        keyless = replace(keyless, record=replace(keyless.record, key=None))
        await park(store, parked("a", offset=1), keyless, elsewhere)
        place = record()

        async with store.transaction() as transaction:
            await transaction.hold_parking()
            found = await transaction.waiting({(place.topic, place.partition)})
            both = await transaction.waiting({(place.topic, each) for each in (0, place.partition)})

        line = place.topic, place.key
        assert [(named_id("a"), line), (named_id("b"), (place.topic, None))] == list(found.items())
        assert {named_id("a"), named_id("b"), named_id("d")} == both.keys()

    async def test_parking_twice_keeps_the_first(self, store: BusStore) -> None:
        """And shows its fingerprint, so that another value under the same id is found out."""
        first = parked("a")
        await park(store, first)

        async with store.transaction() as transaction:
            found = await transaction.park([parked("a", offset=9, value=b"other", waits_for=OTHER)])
            released = await transaction.release({CAUSE: ROOT})

        assert {first.event_id: first.fingerprint} == found
        assert [(first, ROOT)] == list(released)

    async def test_what_was_released_may_have_to_wait_again(self, store: BusStore) -> None:
        """It had its turn, and its own cause is not there yet: nobody released it so far."""
        first = parked("a", waits_for=ROOT, behind=True)
        await park(store, first)

        async with store.transaction() as transaction:
            await transaction.release({ROOT: ROOT})
            await transaction.park([replace(first, waits_for=CAUSE, behind=False)])
            assert list(await transaction.released_by([ROOT])) == []
            released = await transaction.release({CAUSE: OTHER})

        assert [(replace(first, waits_for=CAUSE, behind=False), OTHER)] == list(released)

    async def test_what_waits_too_long_for_a_cause_is_taken_out(self, store: BusStore) -> None:
        """The oldest first and so many; what waits only behind another one has no time limit of its own."""
        await park(store, parked("a", offset=1), parked("b", offset=2, behind=True), parked("c", offset=3))
        later = datetime.now(UTC) + timedelta(hours=1)

        async with store.transaction() as transaction:
            assert list(await transaction.overdue(later - timedelta(hours=2), limit=9)) == []
            assert names(await transaction.overdue(later, limit=1)) == [1]
            assert names(await transaction.overdue(later, limit=9)) == [3]
            assert [named_id("b")] == list(await transaction.waiting({(record().topic, record().partition)}))
