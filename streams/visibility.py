"""Who sees which field of a type on a day, by which article: `streams.policy` asked for every agency and field."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import date

from streams.catalogue import EventTypeSpec
from streams.dated import Days
from streams.directory import Directory
from streams.errors import InputError
from streams.names import AgencyCode
from streams.policy import Entitlement, entitled

__all__ = ["Sight", "sights"]


@dataclass(frozen=True, slots=True)
class Sight:
    """
    Whether an agency sees a field.

    Args:
        agency: who.
        field: which.
        seen: whether the agency's copy has it.
        basis: what lets the agency receive the type, with or without the field; None when nothing does.
    """

    agency: AgencyCode
    field: str
    seen: bool
    basis: Entitlement | None

    @property
    def days(self) -> Days | None:
        """From when to when the basis holds."""
        return self.basis.days if self.basis else None


def sights(
    spec: EventTypeSpec, directory: Directory, *, on: date, fields: Collection[str] | None = None
) -> Sequence[Sight]:
    """
    Say for every agency that is in office on a day which fields it sees; by agency, then as the schema has them.

    Args:
        spec: the type.
        directory: the agencies.
        on: the day.
        fields: only these; None for all.

    Raises:
        InputError: the type has no such field.
    """
    unknown = sorted(set(fields or ()) - set(spec.fields))
    if unknown:
        raise InputError(f"{spec.type} has no field '{unknown[0]}'; it has: {', '.join(spec.fields)}.")
    bases = {each.agency: each for each in entitled(spec, directory, on=on)}
    shown = [name for name in spec.fields if fields is None or name in fields]
    return [
        Sight(code, name, seen=code in bases and name not in bases[code].hidden, basis=bases.get(code))
        for code, agency in sorted(directory.agencies.items())
        if agency.holds(on=on)
        for name in shown
    ]
