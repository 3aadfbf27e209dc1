"""One XML element as a record of named values: what is unreadable is left out with a note, and nothing raises."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable
from datetime import date, datetime
from decimal import Decimal
from typing import TypeVar

from lxml import etree

from connectors.einvoice.reading import local_name
from connectors.einvoice.tags import TagMap
from connectors.einvoice.values import parse_day, parse_decimal, parse_time
from streams.errors import InputError

__all__ = ["MAX_KEY_LENGTH", "MAX_TEXT_LENGTH", "Notes", "Record"]

MAX_TEXT_LENGTH = 4_000
"""Characters of one value; the format's longest field has 500. A longer value is left out."""

MAX_KEY_LENGTH = 100
"""Characters of a number, a code or an id; the format's longest has 50. A longer one is left out."""

_DIGITS = re.compile(r"[0-9]{1,4}")
_MAX_NOTES = 50
_MAX_QUOTED = 40

Value = TypeVar("Value")
"""What a text is read as."""


class Notes:
    """
    What could not be read while one file was read.

    Kept short: after fifty notes only their number grows, so that a hostile file cannot fill a log.
    """

    def __init__(self) -> None:
        self._notes: list[str] = []
        self._more = 0

    def add(self, note: str) -> None:
        """Keep a sentence for people."""
        if len(self._notes) < _MAX_NOTES:
            self._notes.append(note)
        else:
            self._more += 1

    def as_tuple(self) -> tuple[str, ...]:
        """Give the notes in the order in which they came."""
        return (*self._notes, f"{self._more} more notes were left out.") if self._more else tuple(self._notes)


class Record:
    """
    The children of one element, found by our field names.

    Args:
        element: the element; None reads as an element without children.
        tags: the tag map of the file's day.
        notes: where to note what could not be read.
        place: what the element is, for notes.
    """

    def __init__(self, element: etree._Element | None, *, tags: TagMap, notes: Notes, place: str) -> None:
        self.element = element
        self._tags = tags
        self._notes = notes
        self._place = place
        self._children: dict[str, etree._Element] = {}
        self._repeated: set[str] = set()
        for child in element if element is not None else ():
            name = local_name(child)
            if name in self._children:
                self._repeated.add(name)
            self._children.setdefault(name, child)

    def child(self, field: str) -> etree._Element | None:
        """Give the first child of a field's first name that is there."""
        for name in self._tags[field]:
            if name in self._children:
                if name in self._repeated:
                    self._notes.add(f"{self._place}: {name} is there more than once; the first was taken.")
                return self._children[name]
        return None

    def is_doubled(self, field: str) -> bool:
        """Tell whether a field's element is there more than once."""
        return any(name in self._repeated for name in self._tags[field])

    def record(self, field: str, *, place: str) -> Record:
        """Give a child element as a record; without such a child, one without values."""
        return Record(self.child(field), tags=self._tags, notes=self._notes, place=place)

    def text(self, field: str, *, max_length: int = MAX_TEXT_LENGTH) -> str | None:
        """Give the text of the field's first name that has one, in Unicode's composed form, else None."""
        for name in self._tags[field]:
            if (text := self._text_of(name, max_length)) is not None:
                return text
        return None

    def key(self, field: str) -> str | None:
        """Give a text that names something, at most `MAX_KEY_LENGTH` long, else None."""
        return self.text(field, max_length=MAX_KEY_LENGTH)

    def decimal(self, field: str) -> Decimal | None:
        """Give a number with six decimals, else None."""
        text = self.key(field)
        value = self._read(field, text, parse_decimal)
        if text is not None and value is not None and Decimal(text) != value:
            self._notes.add(
                f"{self._place}: {self._tags[field][0]} '{text[:_MAX_QUOTED]}' was rounded to six decimals."
            )
        return value

    def identifier(self, field: str) -> str | None:
        """Give a text that names somebody: it has at least one letter or digit, else None."""
        text = self.key(field)
        return text if text is not None and any(character.isalnum() for character in text) else None

    def small_int(self, field: str, *, at_most: int) -> int | None:
        """Give a whole number from 0 to `at_most`, else None."""
        text = self.key(field)
        if text is None or (_DIGITS.fullmatch(text) and int(text) <= at_most):
            return None if text is None else int(text)
        self._notes.add(f"{self._place}: {self._tags[field][0]} '{text[:_MAX_QUOTED]}' is no code from 0 to {at_most}.")
        return None

    def day(self, field: str) -> date | None:
        """Give a day, else None."""
        return self._read(field, self.key(field), parse_day)

    def time(self, field: str) -> datetime | None:
        """Give a time in UTC, else None."""
        return self._read(field, self.key(field), parse_time)

    def _text_of(self, name: str, max_length: int) -> str | None:
        """Give the text of one child."""
        child = self._children.get(name)
        text = unicodedata.normalize("NFC", child.text or "").strip() if child is not None else ""
        if name in self._repeated and text:
            self._notes.add(f"{self._place}: {name} is there more than once; the first was taken.")
        if len(text) > max_length:
            self._notes.add(f"{self._place}: {name} has {len(text)} characters, more than {max_length}; left out.")
            return None
        return text or None

    def _read(self, field: str, text: str | None, parse: Callable[[str], Value]) -> Value | None:
        """Read a text, and note when it cannot be read."""
        if text is None:
            return None
        try:
            return parse(text)
        except InputError as error:
            name = self._tags[field][0]
            self._notes.add(f"{self._place}: {name} '{text[:_MAX_QUOTED]}' {error}; left out.")
            return None
