"""From one event to what it does at an agency: its inbox item, what its handlers remember and publish."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from streams.agency_store import Arrival, StateId
from streams.agent import AgentSpec, Context, Handler
from streams.effects import Effects, sent
from streams.event import Event, derived_id
from streams.loops import passed_through
from streams.names import AgencyCode, EventType
from streams.record import Record
from streams.references import documents_in
from streams.sealing import Reveal
from streams.sender import Sender
from streams.states import state_text
from streams.surroundings import Surroundings

__all__ = ["Handling"]


@dataclass(frozen=True)
class Handling:
    """
    Runs an agency's handlers.

    Args:
        agency: whose.
        spec: its kind's handlers.
        sinks: names of its connectors by the event type they take.
        sender: makes records of drafts.
        clock: gives the time, aware UTC.
    """

    agency: AgencyCode
    spec: AgentSpec
    sinks: Mapping[EventType, Sequence[str]]
    sender: Sender
    clock: Callable[[], datetime]

    def state_ids(self, event: Event) -> list[StateId]:
        """
        Name the states that an event's handlers will ask for.

        Raises:
            PermanentError: a handler finds no key in it.
        """
        return [(each.name, each.state_key(event)) for each in self.handlers(event) if each.state_key is not None]

    async def effects(self, event: Event, record: Record, surroundings: Surroundings) -> Effects:
        """
        Say what a new event does; nothing is written.

        Args:
            event: one that is not in the inbox.
            record: the record that carried it.
            surroundings: with the states that `state_ids` names.

        Raises:
            PermanentError: a handler refuses it, what a handler makes of it fits no schema, or it is part of a loop.
            TransientError: the key service is away.
        """
        effects = Effects(
            documents=[
                (event.id, document.sha256)
                for document in documents_in(event.data, self.sender.codec.catalogue[event.type])
            ],
            handovers=[(event.id, sink) for sink in self.sinks.get(event.type, ())],
        )
        notes = []
        reveal = surroundings.reveal(event.data, self.sender.codec.catalogue[event.type])
        for handler in self.handlers(event):
            notes += await self._handle(handler, event, surroundings, reveal, effects)
        effects.arrivals.append(Arrival(event, record, tuple(notes)))
        return effects

    def handlers(self, event: Event) -> list[Handler]:
        """Give the handlers of an event's type, in order."""
        return [handler for handler in self.spec.handlers if handler.event_type == event.type]

    async def _handle(
        self, handler: Handler, event: Event, surroundings: Surroundings, reveal: Reveal, effects: Effects
    ) -> list[str]:
        """Add what one handler wants done; gives its note, if it leaves one."""
        passed = passed_through(self.agency, handler.name, event)
        state_id = (handler.name, handler.state_key(event)) if handler.state_key else None
        state = {} if state_id is None else surroundings.state(state_id)
        now = event.admitted or event.time
        outcome = handler.handle(event, Context(agency=self.agency, now=now, state=state, reveal=reveal))
        prepared = [
            await self.sender.prepare(
                draft, at=self.clock(), cause=event, event_id=derived_id(event.id, handler.name, index), passed=passed
            )
            for index, draft in enumerate(outcome.events)
        ]
        effects.add(sent(prepared, self.sender.codec.catalogue))
        if state_id is not None and outcome.state is not None:
            effects.states[state_id] = state_text(outcome.state)
        return [outcome.note] if outcome.note else []
