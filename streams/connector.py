"""
The two ports of every connector: a source of events, and a sink for what an agency's own systems should get.

The runtime owns order and durability. A source's drafts are in the agency's outbox before `settle` is called; a sink
is called again with the same events after a crash.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from streams.event import Draft, Event
from streams.names import EventType
from streams.sealing import Reveal

__all__ = ["RowRefusal", "Sink", "Source", "SourceItem"]


@dataclass(frozen=True, slots=True)
class RowRefusal:
    """
    One part of an item that could not be read; the other parts go on.

    Args:
        position: where, for people: a row number, an element's path.
        reason: a sentence that says what to correct.
    """

    position: str
    reason: str


@dataclass(frozen=True, slots=True)
class SourceItem:
    """
    One thing that came in: a file, a message.

    Args:
        item_id: stable over restarts, made from the content, not from the file's name.
        name: for people.
        drafts: what it becomes, each with an `event_id` of its own (see `streams.event.stated_id`).
        refusals: parts that could not be read; an item with refusals and no drafts is refused as a whole.
    """

    item_id: str
    name: str
    drafts: tuple[Draft, ...]
    refusals: tuple[RowRefusal, ...] = ()


class Source(Protocol):
    """Something that brings items in. Used by one task only; closed by nobody, for it keeps nothing open."""

    @property
    def name(self) -> str:
        """A stable name, unique within the agency."""

    async def poll(self) -> Sequence[SourceItem]:
        """
        Give the items that are ready, oldest first, and come back soon with none when there are none.

        An item that was given and not settled is given again.

        Raises:
            TransientError: the other system is away.
        """

    async def settle(self, item: SourceItem) -> None:
        """
        Put an item away, after its drafts are durable: done, or refused with the reason beside it.

        May be called again for the same item after a crash.

        Raises:
            TransientError: it could not be put away now; it will be given again, and repeats are recognised by id.
        """


class Sink(Protocol):
    """Something that takes events out. Used by one task only; called again with the same events after a crash."""

    @property
    def name(self) -> str:
        """A stable name, unique within the agency."""

    @property
    def event_types(self) -> frozenset[EventType]:
        """The types it takes."""

    async def write(self, batch: Sequence[Event], *, reveal: Reveal) -> None:
        """
        Hand events to the agency's system, in order; idempotent by event id.

        Args:
            batch: 1 to 500 events, oldest first.
            reveal: opens the sealed fields that this agency may open.

        Raises:
            TransientError: try later; what was already written may be written again.
            PermanentError: never retry this batch; it goes to quarantine.
        """
