"""
What an agency kind is: handlers, pure functions from an event to what follows.

A handler reads no clock, opens no socket and keeps nothing: what it may know comes in its `Context`, what it wants
done goes out in its `Outcome`. The runtime makes one database transaction of inbox row, state and outgoing events.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import Enum
from typing import Any

from streams.event import Draft, Event
from streams.frozen import quickly_made
from streams.names import AgencyCode, EventType
from streams.sealing import Reveal

__all__ = ["AgentSpec", "Context", "Handler", "HandlerFunction", "Outcome", "State", "StateKey", "Work"]

State = Mapping[str, Any]
"""What a handler remembers about one state key: JSON values only (str, int, bool, None, lists, dicts)."""

StateKey = Callable[[Event], str]
"""Says which state an event belongs to, for instance its seller; pure."""


@quickly_made
@dataclass(frozen=True, slots=True)
class Context:
    """
    All that a handler may know besides the event.

    Args:
        agency: whose worker it is; one kind serves many agencies.
        now: when the event was admitted, so that a repeat sees the same clock.
        state: what the handler remembered under this event's state key; empty at first.
        reveal: opens a sealed field for which this agency was given the key, else gives None.
    """

    agency: AgencyCode
    now: datetime
    state: State
    reveal: Reveal


@quickly_made
@dataclass(frozen=True, slots=True)
class Outcome:
    """
    What a handler wants done.

    Args:
        events: to be published by the agency, in this order.
        state: the new state; None leaves it as it is.
        note: a short hint for the officer who opens the inbox item, in Vietnamese and English.
    """

    events: Sequence[Draft] = ()
    state: State | None = None
    note: str | None = None


HandlerFunction = Callable[[Event, Context], Outcome]


@dataclass(frozen=True, slots=True)
class Handler:
    """
    One rule of an agency kind.

    Args:
        name: stable and unique within the kind: it goes into ids of derived events.
        event_type: what it consumes.
        handle: the pure function.
        plan: the paragraph of the provincial plan that it serves, for instance `IV.9`.
        state_key: which state it keeps; None for a handler without state.
    """

    name: str
    event_type: EventType
    handle: HandlerFunction
    plan: str
    state_key: StateKey | None = None


class Work(Enum):
    """
    How an agency kind's work is made durable; declared by the kind, for all its handlers.

    `STATEFUL`: inbox row, state and outgoing events in one transaction, so an effect happens once.
    `STATELESS`: consume, enrich, republish; there is no inbox, nothing is remembered, and what is published is known by
    its id to whoever receives it twice.
    """

    STATEFUL = "stateful"
    STATELESS = "stateless"


@dataclass(frozen=True, slots=True)
class AgentSpec:
    """
    An agency kind: every agency whose directory entry names it runs these handlers.

    Args:
        kind: as in the directory, for instance `tax_office`.
        handlers: at most one a name; several may consume one type, in this order.
        work: how their effects are made durable.
    """

    kind: str
    handlers: tuple[Handler, ...]
    work: Work = Work.STATEFUL
