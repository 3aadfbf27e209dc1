"""The ledger of batches: what may be committed, and what never."""

from __future__ import annotations

from dataclasses import dataclass

import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from streams.runtime.ledger import Batch, HoleError, Ledger, Partition

P0 = Partition("topic", 0)


@dataclass(frozen=True)
class Fetched:
    """A record as the client gives it."""

    offset: int


def fetch(ledger: Ledger, start: int, end: int, *, epoch: object, records: int | None = None) -> Batch:
    """Note a fetch of the range; by default every offset in it carries a record."""
    count = end - start if records is None else records
    return ledger.fetched(P0, epoch=epoch, start=start, end=end, records=[object()] * count, at=0.0)


def test_nothing_is_committed_before_the_first_batch_is_finished() -> None:
    """A later batch that is finished first waits for the earlier one."""
    ledger, epoch = Ledger(), object()
    first, second = fetch(ledger, 0, 5, epoch=epoch), fetch(ledger, 5, 9, epoch=epoch)

    ledger.settle(second)
    assert ledger.committable([P0]) == {}

    ledger.settle(first)
    assert ledger.committable([P0]) == {P0: 9}


def test_a_fetch_of_control_records_alone_moves_the_commit() -> None:
    """A transaction's marker has an offset and no record; the group still reaches the end of the log."""
    ledger, epoch = Ledger(), object()
    fetch(ledger, 0, 1, epoch=epoch, records=0)

    assert ledger.committable([P0]) == {P0: 1}


def test_a_batch_counts_its_effects() -> None:
    """It is finished when the submission and each effect of it are."""
    ledger, epoch = Ledger(), object()
    batch = fetch(ledger, 0, 3, epoch=epoch)
    batch.left += 2

    ledger.settle(batch)
    ledger.settle(batch)
    assert ledger.committable([P0]) == {}

    ledger.settle(batch)
    assert ledger.committable([P0]) == {P0: 3}


def test_the_durable_part_of_a_batch_is_committed_before_its_end() -> None:
    """A stateful worker that is stopped in the middle of a batch leaves only the rest to be read again."""
    ledger, epoch = Ledger(), object()
    first, second = fetch(ledger, 0, 5, epoch=epoch), fetch(ledger, 5, 9, epoch=epoch)

    ledger.advance(first, 3)
    ledger.advance(second, 9)
    assert ledger.committable([P0]) == {P0: 3}

    ledger.settle(first)
    assert ledger.committable([P0]) == {P0: 9}


def test_a_partitions_standing_is_its_durable_end_and_its_oldest_record() -> None:
    """Also in the middle of a batch, and over finished ones that were not committed yet."""
    ledger, epoch = Ledger(), object()
    assert ledger.standing(P0) is None
    records = [Fetched(offset) for offset in (5, 6, 8)]
    first = fetch(ledger, 0, 5, epoch=epoch)
    second = ledger.fetched(P0, epoch=epoch, start=5, end=9, records=records, at=0.0)

    ledger.settle(first)
    assert ledger.standing(P0) == (5, records[0])
    ledger.advance(second, 7)
    assert ledger.standing(P0) == (7, records[2])
    ledger.settle(second)
    assert ledger.standing(P0) == (9, None)
    assert ledger.committable([P0]) == {P0: 9}
    assert ledger.standing(P0) == (9, None)


def test_a_batch_that_was_left_alone_is_not_waited_for() -> None:
    """Partitions are given back at once; nothing of its rest is committed."""
    ledger = Ledger()
    batch = fetch(ledger, 0, 5, epoch=object())
    assert ledger.begin(batch)
    ledger.advance(batch, 2)

    ledger.abandon(batch)

    assert ledger.under_way() == 0
    assert ledger.committable([P0]) == {P0: 2}


def test_what_was_fetched_waits_until_it_begins() -> None:
    """Nothing more is fetched meanwhile; control records alone, and what was given back, are not waited for."""
    ledger = Ledger()
    assert not ledger.waiting()
    batch = fetch(ledger, 0, 2, epoch=object())
    assert ledger.waiting()

    ledger.begin(batch)
    assert not ledger.waiting()
    ledger.abandon(batch)
    assert not ledger.waiting()


def test_a_hole_between_two_fetches_is_an_error() -> None:
    """Records that nobody was given must not be committed over."""
    ledger, epoch = Ledger(), object()
    fetch(ledger, 0, 3, epoch=epoch)

    with pytest.raises(HoleError):
        fetch(ledger, 4, 6, epoch=epoch)


def test_a_rewind_buries_what_was_fetched_before() -> None:
    """After a seek backwards the old batches may neither begin nor be committed."""
    ledger, epoch = Ledger(), object()
    old = fetch(ledger, 0, 8, epoch=epoch)
    fetch(ledger, 2, 4, epoch=epoch)

    ledger.settle(old)
    assert not ledger.begin(old)
    assert ledger.committable([P0]) == {}


def test_a_partition_that_is_not_assigned_is_not_committed() -> None:
    """It belongs to somebody else by now."""
    ledger = Ledger()
    ledger.settle(fetch(ledger, 0, 2, epoch=object()))

    assert ledger.committable([]) == {}


def test_nothing_begins_while_partitions_are_given_back() -> None:
    """A batch that waited for room when the rebalance came is left alone."""
    ledger = Ledger()
    batch = fetch(ledger, 0, 2, epoch=object())
    ledger.close()
    assert not ledger.begin(batch)

    ledger.reopen()
    assert ledger.begin(batch)


@given(st.permutations(range(6)))
def test_the_commit_is_the_longest_finished_prefix(order: list[int]) -> None:
    """Whatever the order in which batches finish."""
    ledger, epoch = Ledger(), object()
    batches = [fetch(ledger, each * 10, each * 10 + 10, epoch=epoch) for each in range(6)]
    finished: set[int] = set()

    for each in order:
        ledger.settle(batches[each])
        finished.add(each)
        prefix = next((i for i in range(6) if i not in finished), 6)
        expected = {P0: prefix * 10} if prefix else {}
        assert ledger.committable([P0]) == expected


class LedgerMachine(RuleBasedStateMachine):
    """Random fetches, endings, rewinds and reassignments: never is anything committed over an unfinished record."""

    def __init__(self) -> None:
        super().__init__()
        self.ledger = Ledger()
        self.epoch = object()
        self.position = 0
        self.committed = 0
        self.batches: list[Batch] = []
        self.done: set[int] = set()

    @rule(count=st.integers(0, 4), markers=st.integers(0, 2))
    def fetch(self, count: int, markers: int) -> None:
        """The client gives some records and walks over some control records."""
        if count + markers:
            end = self.position + count + markers
            batch = fetch(self.ledger, self.position, end, epoch=self.epoch, records=count)
            self.batches.append(batch)
            if not count:
                self.done.update(range(batch.start, batch.end))
            self.position = end

    @precondition(lambda self: any(not each.finished for each in self.batches))
    @rule(data=st.data())
    def finish(self, data: st.DataObject) -> None:
        """Any batch that is under way ends, also one whose window is gone: its effects are durable all the same."""
        batch = data.draw(st.sampled_from([each for each in self.batches if not each.finished]))
        self.ledger.settle(batch)
        self.done.update(range(batch.start, batch.end))

    @rule()
    def rebalance(self) -> None:
        """The partition comes back in a new assignment, from the committed offset."""
        self.ledger.close()
        self.commit()
        self.ledger.forget()
        self.epoch = object()
        self.position = self.committed
        self.ledger.reopen()

    @rule()
    def rewind(self) -> None:
        """A seek to the committed offset within one assignment, as the transport does it: windows first."""
        self.ledger.forget()
        self.position = self.committed

    @rule()
    def commit(self) -> None:
        """Kafka takes what the ledger says."""
        offsets = self.ledger.committable([P0])
        self.ledger.committed(offsets)
        self.committed = max(self.committed, offsets.get(P0, 0))

    @invariant()
    def never_over_unfinished_work(self) -> None:
        """Every offset below the committable one is done."""
        offset = self.ledger.committable([P0]).get(P0, 0)
        assert set(range(offset)) <= self.done


TestLedger = LedgerMachine.TestCase
