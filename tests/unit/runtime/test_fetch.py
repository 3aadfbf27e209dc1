"""Batches of several partitions as one piece of work."""

from __future__ import annotations

from streams.names import TopicName
from streams.record import Record
from streams.runtime.fetch import Fetch
from streams.runtime.ledger import Batch, Ledger, Partition

P0, P1 = Partition("t", 0), Partition("t", 1)


def record(number: int, offset: int) -> Record:
    """Give a record of a partition."""
    return Record(TopicName("t"), number, offset, key=b"k", value=b"v", headers=())


def batch(ledger: Ledger, partition: Partition, *offsets: int) -> Batch:
    """Fetch records of a partition; a control record follows them."""
    records = [record(partition.number, offset) for offset in offsets]
    return ledger.fetched(partition, epoch="epoch", start=offsets[0], end=offsets[-1] + 2, records=records, at=0.0)


def fetched() -> tuple[Ledger, Fetch]:
    """Give a fetch of two partitions that began."""
    ledger = Ledger()
    fetch = Fetch([batch(ledger, P0, 3, 4), batch(ledger, P1, 7, 9)])
    assert all(ledger.begin(each) for each in fetch.batches)
    return ledger, fetch


def test_nothing_is_finished_before_all_is() -> None:
    """Whose effect is confirmed first does not matter: the batches end together, at the ends of what was fetched."""
    ledger, fetch = fetched()
    fetch.left += 2

    fetch.settle(ledger)
    fetch.settle(ledger)
    assert ledger.committable([P0, P1]) == {}
    fetch.settle(ledger)

    assert ledger.committable([P0, P1]) == {P0: 6, P1: 11}


def test_a_part_that_is_durable_may_be_committed() -> None:
    """Of each partition as far as the records go that were done, whatever is left of it."""
    ledger, fetch = fetched()

    fetch.advance(ledger, fetch.records[:3])

    assert ledger.committable([P0, P1]) == {P0: 5, P1: 8}
    fetch.abandon(ledger)
    assert (ledger.under_way(), ledger.committable([P0, P1])) == (0, {P0: 5, P1: 8})


def test_records_of_a_partition_stay_in_order() -> None:
    """One partition after the other."""
    _, fetch = fetched()

    assert [(each.partition, each.offset) for each in fetch.records] == [(0, 3), (0, 4), (1, 7), (1, 9)]
