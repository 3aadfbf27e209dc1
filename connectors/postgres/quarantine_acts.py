"""Officers' acts on a quarantine: each with its signature and what it publishes, in one transaction."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import psycopg
from psycopg.rows import dict_row
from psycopg.types.json import Jsonb

from connectors.postgres.connection import Database
from connectors.postgres.rows import INSERT_OUTBOX, outbox_columns, record_of
from streams.bus_store import AuditEntry
from streams.names import AgencyCode, OfficerName
from streams.quarantine import QuarantineAct, SignedAct
from streams.store import OutboxRow

__all__ = ["Act", "acts_of", "note_acts"]

_INSERT_ACT = """
    insert into quarantine_act (quarantine_id, action, at, officer, key_id, because, signature, value_sha256)
    values (%(item)s, %(action)s, %(at)s, %(officer)s, %(key_id)s, %(because)s, %(signature)s, %(value_sha256)s)
    on conflict (quarantine_id) do nothing
"""

_INSERT_AUDIT = """
    insert into audit (action, recorded_at, event_id, agency, officer, reason_code, details)
    values (%(action)s, %(at)s, %(event_id)s, %(agency)s, %(officer)s, %(reason_code)s, %(details)s)
"""

_ACTS = """
    select kept.*, act.action, act.at, act.officer, act.key_id, act.because, act.signature
    from quarantine_act act join quarantine kept on kept.id = act.quarantine_id order by act.noted_at
"""


@dataclass(frozen=True, slots=True)
class Act:
    """
    A signed act with all that follows from it.

    Args:
        signed: the act.
        rows: what is to be published: the record again, the entry for the audit topic.
        entry: for the bus's audit log; None where an agency acts on its own quarantine, which has none.
    """

    signed: SignedAct
    rows: Sequence[OutboxRow]
    entry: AuditEntry | None


async def note_acts(database: Database, acts: Sequence[Act]) -> frozenset[UUID]:
    """
    Note acts and queue what they publish, all or nothing; an item on which somebody acted before is passed over.

    Args:
        database: open, as the owner's role.
        acts: at most one an item.

    Returns:
        The items on which these acts were the first.

    Raises:
        TransientError: PostgreSQL is away; nothing was done.
    """
    new = set()
    async with database.transaction() as connection:
        for act in sorted(acts, key=lambda each: each.signed.act.item):  # in one order, so that two cannot deadlock
            if await _note(connection, act.signed):
                new.add(act.signed.act.item)
                await _follow(connection, act)
    return frozenset(new)


async def acts_of(database: Database, *, owner: AgencyCode) -> Sequence[SignedAct]:
    """Give all acts on a quarantine with the records they are about, oldest first, for verification."""
    async with database.transaction() as connection:
        cursor = await connection.cursor(row_factory=dict_row).execute(_ACTS)
        return [_signed(row, owner) for row in await cursor.fetchall()]


async def _note(connection: psycopg.AsyncConnection, signed: SignedAct) -> bool:
    act = signed.act
    cursor = await connection.execute(
        _INSERT_ACT,
        {
            "item": act.item,
            "action": act.action,
            "at": act.at,
            "officer": act.officer,
            "key_id": signed.key_id,
            "because": act.because,
            "signature": signed.signature,
            "value_sha256": hashlib.sha256(act.record.value or b"").digest(),
        },
    )
    return cursor.rowcount == 1


async def _follow(connection: psycopg.AsyncConnection, act: Act) -> None:
    for row in act.rows:
        await connection.execute(INSERT_OUTBOX, outbox_columns(row))
    if (entry := act.entry) is not None:
        await connection.execute(
            _INSERT_AUDIT,
            {
                "action": entry.action,
                "at": entry.at,
                "event_id": entry.event_id,
                "agency": entry.agency,
                "officer": entry.officer,
                "reason_code": entry.reason_code,
                "details": Jsonb(dict(entry.details or {})),
            },
        )


def _signed(row: Mapping[str, Any], owner: AgencyCode) -> SignedAct:
    act = QuarantineAct(
        action=row["action"],
        owner=owner,
        item=row["id"],
        record=record_of(row),
        reason=row["reason"],
        because=row["because"],
        officer=OfficerName(row["officer"]),
        at=row["at"],
    )
    return SignedAct(act=act, key_id=row["key_id"], signature=bytes(row["signature"]))
