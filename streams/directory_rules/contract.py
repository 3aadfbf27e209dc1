"""
A contract's directory and law as they lie in their files, read to the end whatever is wrong with some of them.

Each entry keeps the place it came from; what cannot be read at all is a finding.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import schemas
from streams.agent import AgentSpec
from streams.catalogue import Catalogue
from streams.dated import Dated, Days, common_days
from streams.directory import Agency, Officer, ReceiveGrant, officer_files
from streams.directory_rules.finding import Finding, Place
from streams.directory_rules.unreadable import unreadable
from streams.law import Law, LawFile
from streams.names import EventType
from streams.table_files import TableError, read_table

__all__ = ["Contract", "EnteredOfficer", "Entry", "read_contract"]


@dataclass(frozen=True, slots=True)
class EnteredOfficer:
    """
    An officer with the place of the entry.

    Args:
        place: the entry's.
        officer: the entry.
        added: whether the installation added it.
    """

    place: Place
    officer: Officer
    added: bool


@dataclass(frozen=True)
class Entry:
    """
    An agency with its file.

    Args:
        place: the file.
        agency: what it says.
        added: officers whom the installation added.
    """

    place: Place
    agency: Agency
    added: Sequence[EnteredOfficer] = ()

    @property
    def officers(self) -> Sequence[EnteredOfficer]:
        """The file's officers, then those that were added."""
        own = [
            EnteredOfficer(self.place.at(f"officers[{index}]"), each, added=False)
            for index, each in enumerate(self.agency.officers)
        ]
        return [*own, *self.added]

    @property
    def receives(self) -> Sequence[tuple[Place, ReceiveGrant]]:
        """The receive grants, each with its place."""
        return [(self.place.at(f"receive[{index}]"), each) for index, each in enumerate(self.agency.receive)]

    def effective(self, each: Dated) -> Days | None:
        """Give the days on which an entry of the agency's holds while the agency is in office; None for none."""
        return common_days(self.agency.days, each.days)

    def publishes(self, event_type: EventType) -> list[Days]:
        """Give the days on which the agency may publish a type."""
        held = [self.effective(each) for each in self.agency.publish if each.type == event_type]
        return [each for each in held if each is not None]


@dataclass(frozen=True)
class Contract:
    """
    What the rules look at.

    Args:
        catalogue: the event types.
        kinds: handlers by agency kind.
        entries: the agencies, by file.
        law_files: the law's files.
        strays: officers whom the installation added to an agency that there is not.
    """

    catalogue: Catalogue
    kinds: Mapping[str, AgentSpec]
    entries: Sequence[Entry]
    law_files: Sequence[tuple[Place, LawFile]]
    strays: Sequence[EnteredOfficer] = ()

    @cached_property
    def by_code(self) -> Mapping[str, Entry]:
        """Entries by their agency's code."""
        return {each.agency.code: each for each in self.entries}

    @cached_property
    def law(self) -> Law:
        """All acts and purposes."""
        return Law(
            acts={act.id: act for _, each in self.law_files for act in each.act},
            purposes={purpose.code: purpose for _, each in self.law_files for purpose in each.purpose},
        )

    def publish_days(self, event_type: EventType) -> list[Days]:
        """Give the days on which some agency may publish a type."""
        return [days for entry in self.entries for days in entry.publishes(event_type)]

    def receivers(self, event_type: EventType) -> Iterator[tuple[Entry, ReceiveGrant, Days]]:
        """Give who receives a type, by which grant, on which days."""
        for entry in self.entries:
            for _, grant in entry.receives:
                days = entry.effective(grant)
                if grant.type == event_type and days is not None:
                    yield entry, grant, days


def read_contract(
    catalogue: Catalogue,
    kinds: Mapping[str, AgentSpec],
    *,
    overlay: Path | None = None,
    contract: Path = schemas.SHIPPED,
) -> tuple[Contract, list[Finding]]:
    """
    Read a directory, the law and an installation's officers.

    Args:
        catalogue: the event types.
        kinds: handlers by agency kind.
        overlay: folder of the officers whom an installation added; None for none.
        contract: the folder that has `directory/` and `law/`.

    Returns:
        What could be read, and what is wrong with the rest.
    """
    findings: list[Finding] = []
    officers = [each for path, text in officer_files(overlay) for each in _officer(path, text, catalogue, findings)]
    agencies: list[Entry] = []
    for path, text in schemas.directory_files(contract):
        place = Place(f"directory/{path.name}")
        try:
            agency = read_table(Agency, place.file, text)
        except TableError as error:
            findings += unreadable(error, text, catalogue)
            continue
        added = [each for each in officers if _agency_of(each) == agency.code]
        agencies.append(Entry(place, agency, added))
    law: list[tuple[Place, LawFile]] = []
    for path, text in schemas.law_files(contract):
        place = Place(f"law/{path.name}")
        try:
            law.append((place, read_table(LawFile, place.file, text)))
        except TableError as error:
            findings += unreadable(error, text, catalogue)
    known = {each.agency.code for each in agencies}
    strays = [each for each in officers if _agency_of(each) not in known]
    return Contract(catalogue, kinds, agencies, law, strays), findings


def _officer(path: Path, text: str, catalogue: Catalogue, findings: list[Finding]) -> Iterator[EnteredOfficer]:
    place = Place(f"added/{path.parent.name}/{path.name}")
    try:
        yield EnteredOfficer(place, read_table(Officer, place.file, text), added=True)
    except TableError as error:
        findings += unreadable(error, text, catalogue)


def _agency_of(entered: EnteredOfficer) -> str:
    return entered.officer.name.split("/", maxsplit=1)[0]
