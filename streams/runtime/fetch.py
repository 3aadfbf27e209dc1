"""What one fetch brought: batches of several partitions, processed together."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from streams.record import Record
from streams.runtime.ledger import Batch, Ledger

__all__ = ["Fetch"]


@dataclass(eq=False)
class Fetch:
    """
    Batches that are one piece of work.

    A transaction costs the same for one record and for a hundred, so that what lies ready is taken together, whatever
    partitions it is of.

    Args:
        batches: one of each partition that had something.
        left: effects not yet durable; one stands for the submission itself, so that it cannot end too early.
    """

    batches: Sequence[Batch]
    left: int = 1

    @property
    def records(self) -> Sequence[Record]:
        """All records, those of each partition in order."""
        if len(self.batches) == 1:
            return self.batches[0].records
        return [record for batch in self.batches for record in batch.records]

    def settle(self, ledger: Ledger) -> None:
        """Note that one effect is durable; with the last one all batches are finished."""
        self.left -= 1
        if self.left == 0:
            for batch in self.batches:
                ledger.settle(batch)

    def advance(self, ledger: Ledger, done: Sequence[Record]) -> None:
        """Note that the effects of some records are durable, and of all before them."""
        offsets = {(each.topic, each.partition): each.offset + 1 for each in done}
        for batch in self.batches:
            if batch.partition in offsets:
                ledger.advance(batch, offsets[batch.partition])

    def abandon(self, ledger: Ledger) -> None:
        """Leave it unfinished: what is not durable of it is read again."""
        for batch in self.batches:
            ledger.abandon(batch)
