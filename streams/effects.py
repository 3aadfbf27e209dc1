"""
What records do at an agency, staged in memory, then written set by set.

Handlers run before anything is written. What a record does is added to what the records before it do only when all of
its handlers succeeded, so that a record that goes to quarantine leaves nothing behind.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from uuid import UUID

from streams.agency_store import AgencyTransaction, AnswerNote, Arrival, ParkedCopy, StateId
from streams.catalogue import Catalogue
from streams.event import Event
from streams.record import QuarantineItem
from streams.references import documents_in
from streams.sender import Prepared
from streams.store import OutboxRow

__all__ = ["Effects", "said", "sent"]


_LISTS = ("arrivals", "documents", "handovers", "rows", "answers", "quarantined")


@dataclass
class Effects:
    """
    What is to be written, each in the order in which it came about.

    Args:
        states: what handlers remember, the newest under each id.
        arrivals: inbox items.
        documents: which event names which document.
        handovers: which item goes to which sink.
        rows: what is to be published.
        answers: what was answered.
        quarantined: what cannot be processed.
        parked: copies that wait.
        unparked: what waited and waits no longer.
    """

    states: dict[StateId, str] = field(default_factory=dict)
    arrivals: list[Arrival] = field(default_factory=list)
    documents: list[tuple[UUID, str]] = field(default_factory=list)
    handovers: list[tuple[UUID, str]] = field(default_factory=list)
    rows: list[OutboxRow] = field(default_factory=list)
    answers: list[AnswerNote] = field(default_factory=list)
    quarantined: list[QuarantineItem] = field(default_factory=list)
    parked: dict[UUID, ParkedCopy] = field(default_factory=dict)
    unparked: set[UUID] = field(default_factory=set)

    def add(self, later: Effects) -> None:
        """Add what happens after all of this."""
        self.states |= later.states
        for name in _LISTS:
            getattr(self, name).extend(getattr(later, name))
        for event_id in later.unparked:
            self.parked.pop(event_id, None)
        self.unparked |= later.unparked
        self.parked |= later.parked

    async def write(self, transaction: AgencyTransaction) -> frozenset[UUID]:
        """
        Write all of it.

        Returns:
            Ids of the rows that had not been published before.

        Raises:
            UnstorableError: the store has no place for a value.
            TransientError: the store is away, or another worker was there first.
        """
        # States first: their rows are locked already, and whoever waits for a lock then holds no inbox row.
        await transaction.keep_states(self.states)
        await transaction.receive(self.arrivals)
        await transaction.hand_over(self.handovers)
        new = await transaction.publish(self.rows)
        # What was published before may be said again with another document, which no event names then.
        again = {row.row_id for row in self.rows} - new
        await transaction.name_documents([each for each in self.documents if each[0] not in again])
        await transaction.answer(self.answers)
        await transaction.quarantine(self.quarantined)
        await transaction.unpark(self.unparked)
        await transaction.park(list(self.parked.values()))
        return new


def sent(prepared: Sequence[Prepared], catalogue: Catalogue) -> Effects:
    """
    Say what publishing events does besides: documents that they name, and answers to items of the own inbox.

    Args:
        prepared: events of the agency's own, in order.
        catalogue: says which type answers which.
    """
    effects = Effects(rows=[each.row for each in prepared])
    for each in prepared:
        effects.add(said(each.event, catalogue))
    return effects


def said(event: Event, catalogue: Catalogue) -> Effects:
    """
    Say what one of the agency's own events tells about its tables: documents that it names, an item that it answers.

    Args:
        event: of the agency's own.
        catalogue: says which type answers which.
    """
    effects = Effects(
        documents=[(event.id, document.sha256) for document in documents_in(event.data, catalogue[event.type])]
    )
    if catalogue[event.type].answers is not None and event.cause is not None:
        status = str(event.data.get("status") or "answered")
        effects.answers.append(AnswerNote(request=event.cause, answer=event.id, status=status, at=event.time))
    return effects
