"""What becomes of each of a set of records, in one transaction: applied, repeated, parked, released, quarantined."""

from __future__ import annotations

from collections import deque
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field, replace
from uuid import UUID

from streams.agency_store import AgencyTransaction, ParkedCopy, StateId
from streams.effects import Effects
from streams.errors import PermanentError, UnstorableError
from streams.event import Event
from streams.handling import Handling
from streams.metrics import Metrics
from streams.names import TopicName
from streams.record import Record, quarantine_item
from streams.record_log import in_hand
from streams.references import key_ids_in
from streams.sealing import KeyService
from streams.surroundings import Surroundings
from streams.waiting import WaitingRoom

__all__ = ["Done", "Reading", "Receiving"]


@dataclass(frozen=True, slots=True)
class Reading:
    """
    A record, read.

    Args:
        record: as it came, or as it was parked.
        event: its event, or why it has none or may not be applied.
        parked: id of its event, where the record was parked.
    """

    record: Record
    event: Event | PermanentError
    parked: UUID | None = None


@dataclass
class Done:
    """What records did, and the outcome of each with its topic."""

    effects: Effects = field(default_factory=Effects)
    outcomes: list[tuple[TopicName, str]] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class _Planned:
    """What one record does; `settled` is its event's id when whoever waits for it may go on."""

    effects: Effects
    outcome: str | None
    settled: UUID | None = None


_Keep = Callable[[Reading, _Planned], Awaitable[_Planned]]


@dataclass(frozen=True)
class Receiving:
    """
    Decides about sets of records.

    Args:
        handling: runs the agency's handlers.
        read: reads a record that was parked.
        keys: opens what was sealed for this agency.
        metrics: decisions are timed.
    """

    handling: Handling
    read: Callable[[Record], Awaitable[Reading]]
    keys: KeyService
    metrics: Metrics

    async def decide(self, transaction: AgencyTransaction, readings: Sequence[Reading]) -> Done:
        """
        Decide about records, and about what they release; nothing is written.

        Raises:
            TransientError: a server is away.
        """

        async def keep(_reading: Reading, planned: _Planned) -> _Planned:
            return planned

        return await self._each(transaction, readings, keep)

    async def write_each(self, transaction: AgencyTransaction, readings: Sequence[Reading]) -> Done:
        """
        Decide about records and write what each does in a part of its own; one that cannot be kept is quarantined.

        Raises:
            TransientError: a server is away.
        """

        async def keep(reading: Reading, planned: _Planned) -> _Planned:
            try:
                async with transaction.attempt():
                    await planned.effects.write(transaction)
            except UnstorableError as error:
                planned = _refused(reading, error)
                await planned.effects.write(transaction)
            return planned

        return await self._each(transaction, readings, keep)

    async def _each(self, transaction: AgencyTransaction, readings: Sequence[Reading], keep: _Keep) -> Done:
        surroundings, waiting = await self._look(transaction, readings)
        done, todo = Done(), deque(readings)
        with self.metrics.stage("decide"):
            while todo:
                reading = todo.popleft()
                planned = await keep(reading, await self._plan(reading, surroundings))
                surroundings.note(planned.effects)
                for event_id, parked in planned.effects.parked.items():
                    waiting[event_id] = replace(reading, parked=parked.event_id)
                done.effects.add(planned.effects)
                if planned.outcome is not None:
                    done.outcomes.append((reading.record.topic, planned.outcome))
                if planned.settled is not None:
                    released = surroundings.room.waiting_for(planned.settled)
                    todo.extendleft(waiting[each] for each in reversed(released))
        return done

    async def _look(
        self, transaction: AgencyTransaction, readings: Sequence[Reading]
    ) -> tuple[Surroundings, dict[UUID, Reading]]:
        """Find what the records may touch, parked ones included; states stay locked until the transaction ends."""
        events = [each.event for each in readings if isinstance(each.event, Event)]
        ids = {event.id for event in events} | {each.parked for each in readings if each.parked is not None}
        parked = await transaction.parked(ids, {event.subject.key for event in events})
        waiting = {each.event_id: await self._reread(each) for each in parked}
        events += [each.event for each in waiting.values() if isinstance(each.event, Event)]
        ids |= {event.after for event in events if event.after is not None}
        catalogue = self.handling.sender.codec.catalogue
        handled = [event for event in events if self.handling.handlers(event)]  # others need no key
        key_ids = frozenset().union(*(key_ids_in(event.data, catalogue[event.type]) for event in handled))
        states = {state_id for event in events for state_id in self._state_ids(event)}
        surroundings = Surroundings(
            received=set(await transaction.received(ids)),
            states=dict(await transaction.states(states)),
            keys=dict(await self.keys.keys(key_ids)),
            room=WaitingRoom({each.event_id: each for each in parked}),
        )
        return surroundings, waiting

    async def _reread(self, parked: ParkedCopy) -> Reading:
        return replace(await self.read(parked.record), parked=parked.event_id)

    def _state_ids(self, event: Event) -> Sequence[StateId]:
        try:
            return self.handling.state_ids(event)
        except PermanentError:
            return ()  # the handler says so again when it is the event's turn

    async def _plan(self, reading: Reading, surroundings: Surroundings) -> _Planned:
        event, room = reading.event, surroundings.room
        if reading.parked is not None and reading.parked not in room.copies:
            return _Planned(Effects(), None)  # it went on meanwhile
        if isinstance(event, PermanentError):
            return _refused(reading, event)
        if event.id in surroundings.received:
            return _Planned(Effects(), "repeated")
        awaited = room.awaited(event, surroundings.received)
        if awaited is not None:
            return self._wait(reading, event, room.copies.get(event.id), awaited)
        try:
            with in_hand(reading.record):
                effects = await self.handling.effects(event, reading.record, surroundings)
        except PermanentError as error:
            return _refused(reading, error)
        effects.unparked |= {event.id} & room.copies.keys()
        return _Planned(effects, "applied" if reading.parked is None else "released", event.id)

    def _wait(self, reading: Reading, event: Event, known: ParkedCopy | None, awaited: UUID) -> _Planned:
        if known is not None and known.waits_for == awaited:
            return _Planned(Effects(), "repeated" if reading.parked is None else None)
        parked = ParkedCopy(
            event_id=event.id,
            waits_for=awaited,
            subject=event.subject.key,
            sequence=event.sequence,
            record=known.record if known else reading.record,
            parked_at=known.parked_at if known else self.handling.clock(),
        )
        return _Planned(Effects(parked={event.id: parked}), "parked" if known is None else None)


def _refused(reading: Reading, error: PermanentError) -> _Planned:
    item = quarantine_item(reading.record, error)
    event_id = reading.event.id if isinstance(reading.event, Event) else reading.parked
    unparked = {reading.parked} if reading.parked is not None else set()
    return _Planned(Effects(quarantined=[item], unparked=unparked), f"quarantined_{item.reason}", event_id)
