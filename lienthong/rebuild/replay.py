"""What is replayed, and for whom."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from connectors.postgres import Database, Projection
from lienthong.provision import Servers
from lienthong.rebuild.refusals import Refused
from lienthong.settings import AgencySettings
from streams.names import TopicName
from streams.record import Record

__all__ = ["Member", "Replay", "together"]


@dataclass(frozen=True)
class Replay:
    """
    Records to be processed again.

    Args:
        data: the installation's folder.
        servers: its servers.
        settings: the member's.
        records: the oldest first.
        said: gives what lies on the event topics, the oldest first.
        until: when the live rows were looked at; what was said later is not in them.
        refused: what was refused, which stays so.
    """

    data: Path
    servers: Servers
    settings: AgencySettings
    records: AsyncIterator[Record]
    said: Callable[[], AsyncIterator[Record]]
    until: datetime
    refused: Refused


@dataclass(frozen=True)
class Member:
    """
    The bus or an agency.

    Args:
        topics: which it reads.
        projections: its tables that follow from them.
        replay: processes records into an empty schema, as its worker does; gives how many.
    """

    topics: Sequence[TopicName]
    projections: Sequence[Projection]
    replay: Callable[[Replay, Database], Awaitable[int]]


async def together(records: AsyncIterator[Record], *, at_most: int) -> AsyncIterator[list[Record]]:
    """Give records in lists of at most so many, in their order; none is empty."""
    part: list[Record] = []
    async for each in records:
        part.append(each)
        if len(part) == at_most:
            yield part
            part = []
    if part:
        yield part
