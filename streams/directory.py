"""
The directory: who the agencies are, what each may publish and receive, who acts for them.

One TOML file an agency, dated; default deny. Topics, grants, redaction and officers' keys come from here and from
nowhere else. The models below are the files' format; an unknown key is an error.
"""

from __future__ import annotations

import base64
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field, StringConstraints

import schemas
from streams.dated import Dated, Table
from streams.errors import ConfigurationError, ForbiddenError, InputError
from streams.names import AgencyCode, EventType, OfficerName, agency_code, officer_name
from streams.table_files import checked_by, read_table

__all__ = [
    "Agency",
    "AnswerDue",
    "Contact",
    "Directory",
    "Jurisdiction",
    "Names",
    "Officer",
    "PublishGrant",
    "Quota",
    "ReceiveGrant",
    "Successor",
    "load_directory",
    "officer_files",
]

Role = Literal["officer", "supervisor", "auditor", "operator"]
"""What an officer may do: act, approve, look, run the system."""

_Word = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1)]


class Names(Table):
    """A name in Vietnamese and in English."""

    vi: _Word
    en: _Word


class Jurisdiction(Dated):
    """
    Where an agency is competent during some days.

    `codes` are the General Statistics Office's: two digits a province, three a district (until 30 June 2025), five a
    commune. A reform ends one set and begins another; the sets of an agency follow one another without gap.
    """

    codes: Annotated[frozenset[Annotated[str, Field(pattern=r"^(\d{2}|\d{3}|\d{5})$")]], Field(min_length=1)]


class Successor(Table):
    """The agency that takes over, on the day after this one's last."""

    code: Annotated[AgencyCode, checked_by(agency_code)]
    valid_from: date


class Contact(Dated):
    """
    How a desk is reached: an office's address, never a person's.

    `desk` is the name of one of the agency's officers; `phone` has the country's code, as in ITU-T E.164.
    """

    desk: Annotated[OfficerName, checked_by(officer_name)]
    email: Annotated[str, Field(pattern=r"^[^@\s]+@[^@\s]+\.[^@\s]+$", max_length=254)] | None = None
    phone: Annotated[str, Field(pattern=r"^\+[1-9]\d{6,14}$")] | None = None


class PublishGrant(Dated):
    """The agency may publish a type."""

    type: EventType


class AnswerDue(Table):
    """
    An agency that receives a type owes an answer of another type.

    `within_hours` counts from admission on; working days come with the answer clocks. `assumption` says that no
    source was found for the limit.
    """

    type: EventType
    within_hours: Annotated[int, Field(gt=0)]
    assumption: bool = False

    @property
    def within(self) -> timedelta:
        """The time limit."""
        return timedelta(hours=self.within_hours)


class ReceiveGrant(Dated):
    """
    The agency may receive a type for a purpose, by an article.

    `fields` names the removable fields that it may see; those that the schema does not let anyone remove it always
    sees. `purpose` and `article`, which is `ACT/ARTICLE`, are of `schemas/law`.
    """

    type: EventType
    fields: frozenset[str]
    purpose: str
    article: Annotated[str, Field(pattern=r"^[a-z0-9-]+/[A-Za-z0-9.]+$")]
    answer: AnswerDue | None = None


class Quota(Table):
    """
    How much of each broker an agency may take: bytes written and read a second, and time in its threads.

    `request_percent` counts one thread as 100.
    """

    publish_bytes: Annotated[int, Field(gt=0)] = 2_000_000
    receive_bytes: Annotated[int, Field(gt=0)] = 20_000_000
    request_percent: Annotated[int, Field(gt=0)] = 100


_PublicKey = Annotated[bytes, Field(min_length=32, max_length=32)]
"""Of Ed25519 (RFC 8032); one of another length must be found before it is to verify something."""


def _key(value: Any) -> Any:
    return base64.b64decode(value, validate=True) if isinstance(value, str) else value


class Officer(Dated):
    """A desk or role of an agency that acts under an Ed25519 key; without a key it cannot act yet."""

    name: Annotated[OfficerName, checked_by(officer_name)]
    role: Role
    public_key: Annotated[_PublicKey | None, BeforeValidator(_key)] = None

    @property
    def key_id(self) -> str:
        """The name of its key: the key itself, in hexadecimal, shortened to 16 digits."""
        return "" if self.public_key is None else self.public_key.hex()[:16]


class Agency(Dated):
    """One member of the bus. With `operates_bus` its operators and supervisors look after the bus's own quarantine."""

    code: Annotated[AgencyCode, checked_by(agency_code)]
    kind: str
    names: Names
    operates_bus: bool = False
    jurisdiction: tuple[Jurisdiction, ...] = ()
    successor: Successor | None = None
    contacts: tuple[Contact, ...] = ()
    inbox_days: Annotated[int, Field(gt=0)] = 90
    quarantine_days: Annotated[int, Field(gt=0)] = 365
    quota: Quota = Quota()
    publish: tuple[PublishGrant, ...] = ()
    receive: tuple[ReceiveGrant, ...] = ()
    officers: tuple[Officer, ...] = ()

    def places(self, *, on: date) -> frozenset[str]:
        """Give the codes of the places where it is competent on a day; none when it is not in office."""
        held = [each.codes for each in self.jurisdiction if self.holds(on=on) and each.holds(on=on)]
        return frozenset[str]().union(*held)

    def may_publish(self, event_type: EventType, *, on: date) -> bool:
        """Say whether it may publish a type on a day."""
        return self.holds(on=on) and any(each.type == event_type and each.holds(on=on) for each in self.publish)

    def receive_grant(self, event_type: EventType, *, on: date) -> ReceiveGrant | None:
        """Give what lets it receive a type on a day, None when nothing does."""
        if not self.holds(on=on):
            return None
        return next((each for each in self.receive if each.type == event_type and each.holds(on=on)), None)


@dataclass(frozen=True)
class Directory:
    """All agencies by code."""

    agencies: Mapping[AgencyCode, Agency]

    def agency(self, code: str) -> Agency:
        """
        Give one agency.

        Raises:
            InputError: there is none of that code.
        """
        try:
            return self.agencies[AgencyCode(code)]
        except KeyError as error:
            known = ", ".join(sorted(self.agencies))
            raise InputError(f"The directory has no agency '{code}'; it has: {known}.") from error

    def officer(self, name: str, *, on: date, key_id: str | None = None) -> Officer:
        """
        Give one officer who acts on a day.

        Args:
            name: `AGENCY/OFFICER`.
            on: the day.
            key_id: of one of the officer's keys, for what was signed with it; None takes the newest entry.

        Raises:
            InputError: the name has another form, or its agency is unknown.
            ForbiddenError: no such officer acts for the agency on that day.
        """
        code, whole = officer_name(name)
        held = [each for each in self.agency(code).officers if each.name == whole and each.holds(on=on)]
        if key_id is not None:
            held = [each for each in held if each.key_id == key_id]
        if not held:
            there = ", ".join(sorted({each.name for each in self.agency(code).officers if each.holds(on=on)}))
            raise ForbiddenError(f"The directory has no officer '{name}' on {on}; it has: {there or 'none'}.")
        return held[-1]


def load_directory(overlay: Path | None = None, *, contract: Path = schemas.SHIPPED) -> Directory:
    """
    Read a directory and an installation's officers.

    What contradicts itself or the law is found by `streams.directory_rules`; here each file is read for itself.

    Args:
        overlay: folder with the files that `lienthong officer add` wrote, `<agency>/<officer>.toml`.
        contract: the folder that has `directory/`.

    Raises:
        ConfigurationError: a file is wrong; the message names it.
    """
    agencies: dict[AgencyCode, Agency] = {}
    for path, text in schemas.directory_files(contract):
        agency = read_table(Agency, str(path), text)
        agencies[agency.code] = agency
    for path, text in officer_files(overlay):
        officer = read_table(Officer, str(path), text)
        code, _ = officer_name(officer.name)
        if code not in agencies:
            raise ConfigurationError(f"{path} names an officer of '{code}', which is no agency of the directory.")
        agency = agencies[code]
        agencies[code] = agency.model_copy(update={"officers": (*agency.officers, officer)})
    return Directory(agencies=agencies)


def officer_files(overlay: Path | None) -> list[tuple[Path, str]]:
    """Give the files of officers that an installation added, sorted, so that the newest of a desk comes last."""
    paths = sorted(overlay.glob("*/*.toml")) if overlay else []
    return [(path, path.read_text(encoding="utf-8", errors="surrogateescape")) for path in paths]
