"""
The quarantine as operators work on it: look, publish again, drop.

Nothing is done unless it is asked for, never more than a bound, and each act is signed and noted in the transaction
that queues what it publishes.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from uuid import UUID

from connectors.postgres import (
    Act,
    Database,
    QuarantinedItem,
    QuarantineFilter,
    count_quarantined,
    find_quarantined,
    list_quarantined,
    note_acts,
    records_of,
)
from lienthong.agency_session import now, open_reader
from lienthong.directory import LiveDirectory
from lienthong.officers import officer_key
from lienthong.settings import AgencySettings, agency_settings
from lienthong.stack import Progress
from streams.audit import audit_row
from streams.calendar import vietnamese_day
from streams.codec import Codec
from streams.errors import InputError
from streams.names import BUS, AgencyCode, OfficerName, agency_code, database_schema, officer_name
from streams.quarantine import (
    Action,
    QuarantineAct,
    act_entry,
    keeps_its_headers,
    may_look,
    may_operate,
    redrive_row,
    sign_act,
)
from streams.record import Record
from streams.signing import OfficerKey

__all__ = ["Quarantine", "carry_out", "choose", "look_into", "owner_of", "present"]

_TOGETHER = 100
"""Acts in one transaction."""


@dataclass(frozen=True)
class Quarantine:
    """
    One quarantine, opened for an officer.

    Args:
        owner: whose it is.
        officer: who looks or acts.
        settings: the owner's.
        database: open, as the owner's role.
    """

    owner: AgencyCode
    officer: OfficerName
    settings: AgencySettings
    database: Database


def owner_of(officer: str, named: str | None) -> AgencyCode:
    """Say whose quarantine is meant: the named one, else that of the officer's agency; InputError for no name."""
    return officer_name(officer)[0] if named is None else agency_code(named)


@asynccontextmanager
async def look_into(data: Path, officer: str, owner: AgencyCode, *, acting: bool) -> AsyncIterator[Quarantine]:
    """
    Open a quarantine.

    Args:
        data: the installation's folder.
        officer: who wants to.
        owner: whose it is.
        acting: the officer will do something about items, not only look.

    Raises:
        InputError: nothing is installed for the owner here.
        ForbiddenError: the officer may not.
        TransientError: PostgreSQL is away.
    """
    allowed = (may_operate if acting else may_look)(LiveDirectory(data)(), officer, owner, on=vietnamese_day(now()))
    settings = agency_settings(data, owner)
    async with Database(settings.postgres.dsn.get_secret_value(), schema=database_schema(owner)) as database:
        yield Quarantine(owner=owner, officer=allowed.name, settings=settings, database=database)


async def present(quarantine: Quarantine, item_id: UUID) -> tuple[QuarantinedItem, Record]:
    """Give one item; InputError when there is none."""
    found = await find_quarantined(quarantine.database, item_id)
    if found is None:
        raise InputError(
            f"The quarantine of {quarantine.owner} has no item {item_id}: see `lienthong quarantine list`."
        )
    return found


async def choose(quarantine: Quarantine, wanted: QuarantineFilter, *, limit: int) -> Sequence[QuarantinedItem]:
    """
    Give the items on which somebody is about to act.

    Raises:
        InputError: more match than the bound allows, or a named item is not there or was acted on before.
    """
    by_reason = await count_quarantined(quarantine.database, wanted)
    if (total := sum(by_reason.values())) > limit:
        raise InputError(
            f"{total} items match ({_histogram(by_reason)}), more than {limit}: choose fewer, or give --limit {total}."
        )
    items = await list_quarantined(quarantine.database, wanted, limit=limit)
    if missing := sorted(map(str, set(wanted.ids or ()) - {each.id for each in items})):
        raise InputError(
            f"Nothing is to be done about {', '.join(missing)}: no such item, or somebody acted on it before. "
            "See `lienthong quarantine show`."
        )
    return items


async def carry_out(
    data: Path,
    quarantine: Quarantine,
    items: Sequence[QuarantinedItem],
    *,
    action: Action,
    because: str,
    progress: Progress,
) -> dict[UUID, str]:
    """
    Act on items, a hundred in one transaction; what was done when a server went away stays done.

    Returns:
        What became of each: the action, `acted_before` or `not_as_it_was`.

    Raises:
        ForbiddenError: the officer has no key here.
        TransientError: a server is away; run it again for the rest.
    """
    key = officer_key(data, quarantine.officer)
    outcomes: dict[UUID, str] = {}
    async with AsyncExitStack() as stack:
        codec: Codec | None = None
        if quarantine.owner == BUS:
            codec = (await stack.enter_async_context(open_reader(quarantine.settings.registry))).codec
        desk = _Desk(quarantine=quarantine, action=action, because=because, key=key, codec=codec)
        for start in range(0, len(items), _TOGETHER):
            part = items[start : start + _TOGETHER]
            outcomes |= await _act(quarantine, part, desk.make)
            progress.step("quarantine", f"{start + len(part)} of {len(items)}")
    progress.done("quarantine")
    return outcomes


async def _act(
    quarantine: Quarantine,
    items: Sequence[QuarantinedItem],
    make: Callable[[QuarantinedItem, Record], Act | None],
) -> dict[UUID, str]:
    records = await records_of(quarantine.database, [each.id for each in items])
    made = [(each, make(each, records[each.id])) for each in items]
    new = await note_acts(quarantine.database, [act for _, act in made if act is not None])
    return {item.id: _outcome(act, new) for item, act in made}


def _outcome(act: Act | None, new: frozenset[UUID]) -> str:
    if act is None:
        return "not_as_it_was"
    return act.signed.act.action if act.signed.act.item in new else "acted_before"


@dataclass(frozen=True)
class _Desk:
    """Makes signed acts; `codec` writes the bus's audit entries and is None for an agency, whose acts have none."""

    quarantine: Quarantine
    action: Action
    because: str
    key: OfficerKey
    codec: Codec | None

    def make(self, item: QuarantinedItem, record: Record) -> Act | None:
        """Make the act on an item; None when its record cannot be published as it was."""
        again = self.action == "redriven"
        if again and not keeps_its_headers(record):
            return None
        owner = self.quarantine.owner
        act = QuarantineAct(
            action=self.action,
            owner=owner,
            item=item.id,
            record=record,
            reason=item.reason,
            because=self.because,
            officer=self.quarantine.officer,
            at=now(),
        )
        signed = sign_act(act, self.key)
        rows = [redrive_row(owner, item.id, record)] if again else []
        if self.codec is None:
            return Act(signed=signed, rows=rows, entry=None)
        entry = act_entry(signed)
        return Act(signed=signed, rows=[*rows, audit_row(self.codec, entry)], entry=entry)


def _histogram(by_reason: Mapping[str, int]) -> str:
    return ", ".join(f"{reason} {count}" for reason, count in by_reason.items())
