"""
What officers do about records in quarantine: publish one again unchanged, or drop it; each act is signed.

A quarantined record is never edited and never deleted. A record that is published again and fails again becomes a new
item with its own place.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from typing import Literal
from uuid import UUID, uuid5

from streams.bus_store import AuditEntry
from streams.directory import Directory, Officer
from streams.errors import ForbiddenError, InputError
from streams.names import BUS, EVENT_NAMESPACE, AgencyCode, OfficerName, agency_code, officer_name
from streams.record import Record
from streams.signing import OfficerKey, statement, verify_statement
from streams.store import OutboxRow

__all__ = [
    "Action",
    "QuarantineAct",
    "SignedAct",
    "act_entry",
    "keeps_its_headers",
    "may_look",
    "may_operate",
    "redrive_row",
    "sign_act",
    "verify_act",
]

Action = Literal["redriven", "dropped"]
"""What was done about an item: published again, or left out for good."""

_KIND = b"lienthong.quarantine.v1"
_ACTING_ROLES = frozenset({"operator", "supervisor"})
_LOOKING_ROLES = _ACTING_ROLES | {"auditor"}
_LOST = "\ufffd"


@dataclass(frozen=True, slots=True)
class QuarantineAct:
    """
    What an officer does about one item.

    Args:
        action: which of the two.
        owner: whose quarantine it is.
        item: the item's id.
        record: as it was kept.
        reason: the code under which it was kept.
        because: the officer's own words; may be empty for a record that is published again.
        officer: who acts.
        at: when, aware UTC.
    """

    action: Action
    owner: AgencyCode
    item: UUID
    record: Record
    reason: str
    because: str
    officer: OfficerName
    at: datetime


@dataclass(frozen=True, slots=True)
class SignedAct:
    """An act, the name of the key and the signature made with it."""

    act: QuarantineAct
    key_id: str
    signature: bytes = field(repr=False)


def may_look(directory: Directory, officer: str, owner: str, *, on: date) -> Officer:
    """
    Check that an officer may look into a quarantine.

    Args:
        directory: as it is now.
        officer: `AGENCY/OFFICER`.
        owner: whose quarantine: the officer's own agency, or the bus for an agency that operates it.
        on: the day.

    Raises:
        InputError: a name is none.
        ForbiddenError: code `not_granted`; the role or the agency does not allow it.
    """
    return _allowed(directory, officer, owner, roles=_LOOKING_ROLES, on=on)


def may_operate(directory: Directory, officer: str, owner: str, *, on: date) -> Officer:
    """Check that an officer may redrive or drop; arguments and errors are those of `may_look`."""
    return _allowed(directory, officer, owner, roles=_ACTING_ROLES, on=on)


def _allowed(directory: Directory, officer: str, owner: str, *, roles: frozenset[str], on: date) -> Officer:
    found = directory.officer(officer, on=on)
    code, _ = officer_name(officer)
    owned = directory.agency(code).operates_bus if agency_code(owner) == BUS else code == owner
    if not owned:
        raise ForbiddenError(
            f"The directory does not let {officer} into the quarantine of {owner}.", code="not_granted"
        )
    if found.role not in roles:
        raise ForbiddenError(
            f"{officer} is {found.role}; this needs {' or '.join(sorted(roles))}.",
            code="not_granted",
        )
    return found


def keeps_its_headers(record: Record) -> bool:
    """Say whether a record can be published as it was: a header's name that is no text could not be kept as it was."""
    return not any(_LOST in name for name, _ in record.headers)


def redrive_row(owner: AgencyCode, item: UUID, record: Record) -> OutboxRow:
    """
    Give the outbox row that publishes a record again: same topic, key, bytes and headers, in the same order.

    Raises:
        InputError: its headers were not kept as they were.
    """
    if not keeps_its_headers(record):
        raise InputError(f"Item {item} cannot be published again: the name of one of its headers was no text.")
    return OutboxRow(
        row_id=uuid5(EVENT_NAMESPACE, f"redrive|{owner}|{item}"),
        topic=record.topic,
        key=record.key,
        value=record.value,
        headers=record.headers,
    )


def sign_act(act: QuarantineAct, key: OfficerKey) -> SignedAct:
    """Sign an act with the officer's key."""
    return SignedAct(act=act, key_id=key.key_id, signature=key.private.sign(_statement(act, key.key_id)))


def verify_act(signed: SignedAct, directory: Directory, *, on: date) -> None:
    """
    Check that the officer signed exactly this act on exactly this record, and might do so.

    Raises:
        ForbiddenError: code `not_granted`, `officer_unknown` or `officer_signature`.
    """
    act = signed.act
    may_operate(directory, act.officer, act.owner, on=on)
    officer = directory.officer(act.officer, on=on, key_id=signed.key_id)
    verify_statement(_statement(act, signed.key_id), signed.signature, officer)


def act_entry(signed: SignedAct) -> AuditEntry:
    """Give the audit entry of an act; the signature stands among its details."""
    act = signed.act
    return AuditEntry(
        action=act.action,
        at=act.at,
        event_id=act.item,
        agency=act.owner,
        officer=act.officer,
        reason_code=act.reason,
        details={"because": act.because, "key_id": signed.key_id, "signature": signed.signature.hex()},
    )


def _statement(act: QuarantineAct, key_id: str) -> bytes:
    record = act.record
    claims = (act.action, act.owner, str(act.item), act.reason, act.because, act.officer, key_id, _time(act.at))
    place = (record.topic, str(record.partition), str(record.offset))
    return statement(_KIND, *(each.encode() for each in (*claims, *place)), _digest(record))


def _digest(record: Record) -> bytes:
    """Digest key, value and headers; an absent one is told from an empty one."""
    parts = [b"-" if each is None else b"+" + each for each in (record.key, record.value)]
    for name, value in record.headers:
        parts += [name.encode(), value]
    return hashlib.sha256(statement(*parts)).digest()


def _time(at: datetime) -> str:
    return at.astimezone(UTC).isoformat()
