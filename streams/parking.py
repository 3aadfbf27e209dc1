"""
Order across types: an event does not go before its cause.

An event that names a cause which is not in the ledger waits, and so does whatever comes after it on the same topic with
the same key, so that the order of a key holds. Whatever admits the cause releases it, in the same transaction.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from uuid import UUID

from streams.bus_store import BusTransaction, Line, Parked
from streams.examination import Accepted
from streams.names import AgencyCode

__all__ = ["Sorted", "sort"]


@dataclass
class Sorted:
    """
    Accepted records, told apart.

    Args:
        free: to be admitted, the first of each id, in order.
        parked: to wait, the first of each id, in order.
        recipients: causes that are in the ledger, or free before what they led to, each with those who are sent it.
    """

    recipients: dict[UUID, frozenset[AgencyCode]]
    free: dict[UUID, Accepted] = field(default_factory=dict)
    parked: dict[UUID, Parked] = field(default_factory=dict)


async def sort(transaction: BusTransaction, accepted: Sequence[Accepted], *, queued: bool) -> Sorted:
    """
    Say which events may be admitted now, and which wait for what.

    Args:
        transaction: nothing is written by it here.
        accepted: records, those of each partition in order.
        queued: they come behind those of their key that wait already.
    """
    found = await _look(transaction, accepted, queued=queued, known=())
    if found.parked:
        # Look again with nobody beside us: the cause may have been admitted in this moment, or the event itself before.
        await transaction.hold_parking()
        known = await transaction.known(list(found.parked))
        found = await _look(transaction, accepted, queued=queued, known=known.keys())
    return found


async def _look(
    transaction: BusTransaction, accepted: Sequence[Accepted], *, queued: bool, known: Collection[UUID]
) -> Sorted:
    causes = {each.event.cause for each in accepted if each.event.cause}
    recipients = dict(await transaction.recipients(list(causes))) if causes else {}
    waiting: Mapping[UUID, Line] = {}
    if queued and accepted:
        waiting = await transaction.waiting({(each.record.topic, each.record.partition) for each in accepted})
    found = Sorted(recipients)
    last = {line: event_id for event_id, line in waiting.items() if line[1] is not None}
    for each in accepted:
        _place(each, found, last, waits_already=each.event.id in waiting, known=each.event.id in known)
    return found


def _place(each: Accepted, found: Sorted, last: dict[Line, UUID], *, waits_already: bool, known: bool) -> None:
    """Put one record where it belongs; `last` has the last waiting event of each key."""
    event, record = each.event, each.record
    line = (record.topic, record.key) if record.key is not None else None
    if event.id in found.free or event.id in found.parked:
        return
    before = last.get(line) if line and not waits_already and not known else None
    missing = event.cause if event.cause and event.cause not in found.recipients and not known else None
    waits_for = before or missing
    if waits_for is None and not waits_already:
        found.free[event.id] = each
        found.recipients.setdefault(event.id, frozenset(one.agency for one in each.deliveries))
        return
    found.parked[event.id] = Parked(
        event.id, record, each.fingerprint, waits_for or event.id, behind=before is not None
    )
    if line:
        last[line] = event.id
