"""
Free fields, TTKhac/TTin (thông tin khác): the only place where an invoice can name its parcels and its shop.

Names of these fields are the seller's own; `tags.toml` lists those that are understood.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field

from lxml import etree

from connectors.einvoice.reading import local_name, walk
from connectors.einvoice.record import Notes, Record
from connectors.einvoice.tags import TagMap, fold_name

__all__ = ["FreeFields", "Parcel", "read_free_fields"]

_MAX_PARCELS = 200
_BETWEEN_NUMBERS = re.compile(r"[,;|\n]+")
_PARCEL_NUMBER = re.compile(r"(?=.*[0-9])[0-9A-Za-z][0-9A-Za-z ._/-]{3,39}")


@dataclass(frozen=True, slots=True)
class Parcel:
    """
    A parcel that the file names.

    Args:
        number: as written.
        carrier: the postal operator, as written.
    """

    number: str = field(repr=False)
    carrier: str | None


@dataclass(frozen=True, slots=True)
class FreeFields:
    """
    What the free fields of an invoice say.

    Args:
        parcels: each number once, in document order.
        shop: the first shop named.
    """

    parcels: tuple[Parcel, ...] = ()
    shop: str | None = None


def read_free_fields(document: etree._Element | None, *, tags: TagMap, notes: Notes, place: str) -> FreeFields:
    """
    Read the free fields below an element.

    A carrier belongs to the parcels of the same list of free fields; without one there, the first carrier named
    anywhere in the invoice is taken.
    """
    found = list(_meanings(document, tags, notes, place)) if document is not None else []
    carriers: dict[etree._Element | None, str] = {}
    for parent, meaning, value in found:
        if meaning == "carrier":
            carriers.setdefault(parent, value)
    anywhere = next(iter(carriers.values()), None)
    parcels: dict[str, Parcel] = {}
    for parent, meaning, value in found:
        for number in _numbers(value, notes, place) if meaning == "parcel" else ():
            parcels.setdefault(fold_name(number), Parcel(number=number, carrier=carriers.get(parent, anywhere)))
    if len(parcels) > _MAX_PARCELS:
        notes.add(f"{place}: it names {len(parcels)} parcels; the first {_MAX_PARCELS} were taken.")
    return FreeFields(
        parcels=tuple(parcels.values())[:_MAX_PARCELS],
        shop=next((value for _, meaning, value in found if meaning == "shop"), None),
    )


def _meanings(
    document: etree._Element, tags: TagMap, notes: Notes, place: str
) -> Iterator[tuple[etree._Element | None, str, str]]:
    """Give each free field that is understood as (its list, meaning, value)."""
    for element in walk(document):
        if local_name(element) not in tags["free.field"]:
            continue
        record = Record(element, tags=tags, notes=notes, place=f"{place}, free field")
        meaning = tags.free_fields.get(fold_name(record.key("free.name") or ""))
        value = record.text("free.value") if meaning else None
        if meaning and value:
            yield element.getparent(), meaning, value


def _numbers(value: str, notes: Notes, place: str) -> Iterator[str]:
    """Split a value that may hold several parcel numbers."""
    for part in _BETWEEN_NUMBERS.split(value):
        number = part.strip()
        if _PARCEL_NUMBER.fullmatch(number):
            yield number
        elif number:
            notes.add(f"{place}: a free field for parcels holds what is no parcel number; left out.")
