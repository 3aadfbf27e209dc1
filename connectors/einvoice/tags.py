"""
The tag map: which element names, free fields and message kinds are valid on a day.

The map itself is `tags.toml`, dated data beside this file; nothing is read before somebody asks.
"""

from __future__ import annotations

import re
import tomllib
import unicodedata
from bisect import bisect_right
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from functools import cache
from importlib.resources import files
from typing import Any

from streams.errors import ConfigurationError

__all__ = ["MessageKind", "TagMap", "fold_name", "tags_of_all_days", "tags_on"]

_NOT_A_LETTER = re.compile(r"[\W_]+")


@dataclass(frozen=True, slots=True)
class MessageKind:
    """
    One kind of message, MLTDiep (mã loại thông điệp).

    Args:
        code: as in the envelope, for instance `200`.
        en: what it is, in English.
        vi: what it is, in Vietnamese.
        invoices: whether such a message carries invoices, rather than naming them in a list.
    """

    code: str
    en: str
    vi: str
    invoices: bool


@dataclass(frozen=True, slots=True)
class TagMap:
    """
    The names that are valid on one day.

    Args:
        names: for each of our fields the element names, first choice first.
        free_fields: the meaning (parcel, carrier, shop) of each folded name of a free field.
        kinds: message kinds by code.
    """

    names: Mapping[str, tuple[str, ...]]
    free_fields: Mapping[str, str]
    kinds: Mapping[str, MessageKind]

    def __getitem__(self, field: str) -> tuple[str, ...]:
        """Give the element names of one of our fields."""
        return self.names[field]


def fold_name(name: str) -> str:
    """
    Fold a free field's name, so that spellings of one name meet.

    >>> fold_name("Mã vận đơn") == fold_name("MaVanDon") == "mavandon"
    True
    """
    decomposed = unicodedata.normalize("NFKD", name.casefold()).replace("đ", "d")
    plain = "".join(character for character in decomposed if not unicodedata.combining(character))
    return _NOT_A_LETTER.sub("", plain)


def tags_on(day: date) -> TagMap:
    """
    Give the tag map of a day.

    A day before the first entry gets the map of the first day, so that no date in a file can make the map empty.
    """
    changes = _days_of_change()
    change = changes[max(bisect_right(changes, day) - 1, 0)]
    return _tags_between(change, change)


def tags_of_all_days() -> TagMap:
    """Give every name that was ever valid: for envelopes, and to find a file's date before its own map is known."""
    return _tags_between(date.min, date.max)


@cache
def _table() -> Mapping[str, list[dict[str, Any]]]:
    """Read the data file, once."""
    text = files("connectors.einvoice").joinpath("tags.toml").read_text(encoding="utf-8")
    try:
        return tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise ConfigurationError(f"connectors/einvoice/tags.toml is no TOML: {error}. Mend that line.") from error


@cache
def _days_of_change() -> list[date]:
    """Give the days on which some entry begins, or is no longer valid, oldest first."""
    entries = [entry for table in _table().values() for entry in table]
    ends = {entry["valid_to"] + timedelta(days=1) for entry in entries if "valid_to" in entry}
    return sorted(ends | {entry["valid_from"] for entry in entries})


@cache
def _tags_between(first: date, last: date) -> TagMap:
    """Join the entries that are valid on some day from `first` to `last`."""
    table = _table()
    names: dict[str, tuple[str, ...]] = {}
    for entry in _valid(table["tag"], first, last):
        names[entry["field"]] = (*names.get(entry["field"], ()), *entry["names"])
    return TagMap(
        names=names,
        free_fields={
            fold_name(name): entry["meaning"]
            for entry in _valid(table["free_field"], first, last)
            for name in entry["names"]
        },
        kinds={
            entry["code"]: MessageKind(code=entry["code"], en=entry["en"], vi=entry["vi"], invoices=entry["invoices"])
            for entry in _valid(table["kind"], first, last)
        },
    )


def _valid(entries: list[dict[str, Any]], first: date, last: date) -> Iterable[dict[str, Any]]:
    """Keep the entries that are valid on some day from `first` to `last`."""
    return (entry for entry in entries if entry["valid_from"] <= last and entry.get("valid_to", date.max) >= first)
