"""
What the handlers of a set of records may see: the agency's inbox, their states, keys of sealed values.

Loaded once for the set, then kept up to date in memory, so that each record sees what those before it did.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from streams.agency_store import StateId
from streams.agent import State
from streams.catalogue import EventTypeSpec
from streams.effects import Effects
from streams.references import key_ids_in
from streams.sealing import Personal, Reveal, SubjectKey, open_sealed
from streams.states import state_of
from streams.waiting import WaitingRoom

__all__ = ["Surroundings", "opener"]


@dataclass
class Surroundings:
    """
    What was found, and what changed since.

    Args:
        received: ids that are in the inbox.
        states: as they are kept.
        keys: of sealed values that this agency may open.
        room: what waits.
    """

    received: set[UUID] = field(default_factory=set)
    states: dict[StateId, str] = field(default_factory=dict)
    keys: dict[str, SubjectKey] = field(default_factory=dict)
    room: WaitingRoom = field(default_factory=WaitingRoom)

    def state(self, state_id: StateId) -> State:
        """Give a state as the records before left it; a copy of its own, which whoever gets it may change."""
        return state_of(self.states.get(state_id))

    def reveal(self, data: Mapping[str, Any], spec: EventTypeSpec) -> Reveal:
        """Give what opens the sealed values of one event, and of no other event of the set."""
        return opener(lambda: {each: self.keys[each] for each in key_ids_in(data, spec) if each in self.keys})

    def note(self, done: Effects) -> None:
        """Note what a record did, for those after it."""
        self.received.update(each.event.id for each in done.arrivals)
        self.states |= done.states
        self.room.note(done.parked, done.unparked)


def opener(keys: Callable[[], Mapping[str, SubjectKey]]) -> Reveal:
    """
    Give the function that opens what is sealed under some keys.

    Args:
        keys: gives them; called when something is to be opened, which few handlers ask for.
    """

    def reveal(value: Personal | Mapping[str, Any] | None) -> str | None:
        if isinstance(value, Personal):
            return value.text
        key = keys().get(value["key_id"]) if value else None
        return open_sealed(value, key) if value and key else None

    return reveal
