"""What a rule finds: where, how bad, in a sentence of each language, and what to do about it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from typing import Literal

from streams.dated import Days

__all__ = ["Finding", "Place", "Severity", "days_en", "days_vi", "error", "listed", "warning"]

Severity = Literal["error", "warning"]
"""An error stops provisioning; a warning says what is probably not meant."""


@dataclass(frozen=True, slots=True, order=True)
class Place:
    """
    A place in a file.

    Args:
        file: its name from the contract's folder on, for instance `directory/tax-hanam.toml`.
        path: for instance `receive[2].article`, counted from 0; empty for the whole file.
    """

    file: str
    path: str = ""

    def __str__(self) -> str:
        """Give file and path as people read them."""
        return f"{self.file} {self.path}".rstrip()

    def at(self, path: str) -> Place:
        """Give a place within this one."""
        return Place(self.file, f"{self.path}.{path}" if self.path else path)


@dataclass(frozen=True, slots=True)
class Finding:
    """
    One contradiction.

    Args:
        place: where.
        severity: how bad.
        code: stable, lower case with underscores.
        vi: what is wrong, in Vietnamese.
        en: the same in English.
        do_vi: what to do about it, in Vietnamese.
        do_en: the same in English.
    """

    place: Place
    severity: Severity
    code: str
    vi: str
    en: str
    do_vi: str
    do_en: str


def error(code: str, place: Place, *, vi: str, en: str, do_vi: str, do_en: str) -> Finding:
    """Make a finding that stops provisioning."""
    return Finding(place, "error", code, vi, en, do_vi, do_en)


def warning(code: str, place: Place, *, vi: str, en: str, do_vi: str, do_en: str) -> Finding:
    """Make a finding that stops nothing."""
    return Finding(place, "warning", code, vi, en, do_vi, do_en)


def days_vi(days: Days) -> str:
    """
    Say in Vietnamese from when to when.

    >>> days_vi((date(2023, 7, 1), date.max))
    'từ 01/07/2023'
    """
    first, last = days
    begin = f"từ {first:%d/%m/%Y}" if first != date.min else "từ đầu"
    return begin if last == date.max else f"{begin} đến hết {last:%d/%m/%Y}"


def days_en(days: Days) -> str:
    """
    Say in English from when to when.

    >>> days_en((date(2023, 7, 1), date(2025, 6, 30)))
    'from 2023-07-01 to 2025-06-30'
    """
    first, last = days
    begin = f"from {first}" if first != date.min else "from the beginning"
    return begin if last == date.max else f"{begin} to {last}"


def listed(names: Iterable[str]) -> str:
    """Write names in a row, sorted; a dash for none."""
    return ", ".join(sorted(names)) or "–"
