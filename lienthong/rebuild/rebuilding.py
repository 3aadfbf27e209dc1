"""
Rebuild: what a member's tables should be, by the log, compared with what they are; the live ones are only read.

How far the consumer group is is read first, and the rows after it, all at one moment, so nobody has to stop. The log is
replayed exactly as far as those rows say that it was processed.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import psycopg

from connectors.postgres import (
    Database,
    Difference,
    TableHash,
    acts_of,
    compare,
    empty_copies,
    last_offsets,
    placed_tables,
    refused_places,
    snapshot,
    whole_hash,
)
from lienthong.agency_session import now
from lienthong.backup.topics import group_offsets
from lienthong.directory import LiveDirectory
from lienthong.provision import Servers
from lienthong.rebuild.inboxes import inbox_of
from lienthong.rebuild.ledger import bus_ledger, event_topics
from lienthong.rebuild.log import first_offsets, last_ends, read_log
from lienthong.rebuild.replay import Member, Replay
from lienthong.settings import agency_settings
from lienthong.stack import Progress
from streams.bus_store import Place
from streams.calendar import vietnamese_day
from streams.errors import ForbiddenError, TransientError
from streams.names import BUS, AgencyCode, TopicName, consumer_group, database_schema
from streams.quarantine import verify_act
from streams.record import Record

__all__ = ["Rebuilt", "rebuild_member"]

_PROGRESS_RECORDS = 1000


@dataclass(frozen=True)
class Rebuilt:
    """
    What the log says of a member's tables.

    Args:
        member: whose.
        records: how many were read.
        gone: records that retention took, so that what followed from them cannot be compared.
        live: each table's hash, as it is.
        rebuilt: each table's hash, as it should be.
        differences: the first of them.
        unsigned_acts: items of its quarantine on which somebody acted without a signature that holds.
    """

    member: AgencyCode
    records: int
    gone: int
    live: dict[str, TableHash]
    rebuilt: dict[str, TableHash]
    differences: list[Difference]
    unsigned_acts: list[str]

    @property
    def equal(self) -> bool:
        """Every table is what the log gives, and every act is signed."""
        return self.live == self.rebuilt and not self.unsigned_acts

    @property
    def hashes(self) -> tuple[str, str]:
        """One hash of all tables, as they are and as they should be."""
        return whole_hash(self.live), whole_hash(self.rebuilt)


async def rebuild_member(
    data: Path, servers: Servers, member: AgencyCode, *, limit: int, progress: Progress
) -> Rebuilt:
    """
    Compute a member's projections from the log, in schemas of their own, and compare.

    Args:
        data: the installation's folder.
        servers: its servers, with an administrator's address.
        member: the bus or an agency.
        limit: name at most so many differences.
        progress: told how many records were read.

    Raises:
        InputError: nothing is installed for the member here.
        TransientError: a server is away; the live tables were only read.
    """
    kind: Member = bus_ledger() if member == BUS else inbox_of(member)
    source = database_schema(member)
    live, target, dsn = f"live_{source}", f"rebuilt_{source}", servers.dsn()
    committed = group_offsets(servers.kafka).get(consumer_group(member), {})
    try:
        with empty_copies(dsn, source, names=[live, target]):
            placed = placed_tables(dsn, source)
            until = now()
            snapshot(dsn, source, live, sorted({*placed, *(each.table for each in kind.projections)}))
            ends = _ends(last_offsets(dsn, live, placed), committed, kind.topics)
            first = first_offsets(servers.kafka, ends)
            replay = Replay(
                data=data,
                servers=servers,
                settings=agency_settings(data, member),
                records=_told(read_log(servers.kafka, ends), progress, member),
                said=lambda: _said(servers),
                until=until,
                refused=refused_places(dsn, live),
            )
            async with Database(dsn, schema=target) as database:
                records = await kind.replay(replay, database)
            hashes = compare(dsn, kind.projections, live=live, rebuilt=target, limit=limit)
    except psycopg.OperationalError as error:
        raise TransientError(f"PostgreSQL does not answer as it should: {error}") from error
    async with Database(dsn, schema=source) as database:
        unsigned = await _unsigned(data, database, member)
    progress.done(member)
    gone = sum(min(first[place], end) for place, end in ends.items())
    return Rebuilt(member, records, gone, *hashes, unsigned)


def _ends(
    last: Mapping[tuple[str, int], int], committed: Mapping[str, Mapping[str, int]], topics: Sequence[TopicName]
) -> dict[tuple[TopicName, int], int]:
    """Say before which offset each partition was processed: as committed, or as the rows show."""
    ends = {(topic, int(one)): offset for topic in topics for one, offset in committed.get(topic, {}).items()}
    for (topic, partition), offset in last.items():
        if topic in topics:
            place = TopicName(topic), partition
            ends[place] = max(ends.get(place, 0), offset + 1)
    return ends


async def _said(servers: Servers) -> AsyncIterator[Record]:
    """Give what lies on the event topics now and was not refused by the bus."""
    refused = refused_places(servers.dsn(), database_schema(BUS))
    async for each in read_log(servers.kafka, last_ends(servers.kafka, event_topics())):
        if Place.of(each) not in refused:
            yield each


async def _told(records: AsyncIterator[Record], progress: Progress, member: AgencyCode) -> AsyncIterator[Record]:
    count = 0
    async for each in records:
        if count % _PROGRESS_RECORDS == 0:
            progress.step(member, f"{count} records")
        count += 1
        yield each


async def _unsigned(data: Path, database: Database, member: AgencyCode) -> list[str]:
    """Name the items of a quarantine on which somebody acted without a signature that holds."""
    directory, wrong = LiveDirectory(data)(), []
    for signed in await acts_of(database, owner=member):
        try:
            verify_act(signed, directory, on=vietnamese_day(signed.act.at))
        except ForbiddenError:
            wrong.append(str(signed.act.item))
    return wrong
