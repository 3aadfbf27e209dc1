"""Copies of the shipped directory and law, changed as a test wants; and where policy and the second reader differ."""

from __future__ import annotations

import re
import shutil
from collections.abc import Callable, Sequence
from datetime import date
from pathlib import Path

import expected_rights as expected

import schemas
from agents import KINDS
from streams.catalogue import load_catalogue
from streams.directory import Directory
from streams.directory_rules import Finding, check_directory
from streams.names import AgencyCode, EventType
from streams.policy import entitled

CATALOGUE = load_catalogue()

Edit = Callable[[str], str]
"""What is done to a file's text."""

Difference = tuple[str, str, str, date]
"""An agency, a type, what differs (`publish`, `receive` or a field), the day."""


def swap(old: str, new: str, *, count: int = 1) -> Edit:
    """Put one text in place of another, which must be there; the first `count` times."""

    def edit(text: str) -> str:
        assert old in text
        return text.replace(old, new, count)

    return edit


def cut(table: str, event_type: str) -> Edit:
    """Take the grant for a type out."""

    def edit(text: str) -> str:
        left, count = re.subn(rf'\[\[{table}\]\]\ntype = "{re.escape(event_type)}"\n(?:[^\[\n].*\n|\n)*', "", text)
        assert count == 1
        return left

    return edit


def add(text: str) -> Edit:
    """Put lines at the end."""
    return lambda before: f"{before}\n{text}\n"


def top(line: str) -> Edit:
    """Put a line before the first table."""
    return swap("\n[names]", f"{line}\n\n[names]")


def copied(folder: Path, edits: Sequence[tuple[str, Edit]] = ()) -> Path:
    """Copy the shipped directory and law, and change files of the copy."""
    contract = folder / "schemas"
    for part in ("directory", "law"):
        shutil.copytree(schemas.SHIPPED / part, contract / part)
    for name, edit in edits:
        path = contract / name
        path.write_text(edit(path.read_text(encoding="utf-8") if path.exists() else ""), encoding="utf-8")
    return contract


def found_in(contract: Path, overlay: Path | None = None) -> list[Finding]:
    """Check a copy."""
    return check_directory(CATALOGUE, KINDS, overlay=overlay, contract=contract)


def differences(directory: Directory, contract: Path, days: Sequence[date] | None = None) -> set[Difference]:
    """Give all that policy, by a directory, and the second reader, by a contract's files, say differently."""
    found: set[Difference] = set()
    codes = sorted({*directory.agencies, *expected.agencies(contract)})
    for day in days or expected.border_days(contract, schemas.SHIPPED):
        for name in expected.event_types(contract):
            sights = _sights(directory, EventType(name), day)
            for code in codes:
                found |= {
                    (code, name, what, day)
                    for what in _published(directory, code, name, day, contract)
                    | (sights.get(code, frozenset()) ^ _expected(code, name, day, contract))
                }
    return found


def _sights(directory: Directory, event_type: EventType, day: date) -> dict[str, frozenset[str]]:
    spec = CATALOGUE[event_type]
    return {
        each.agency: frozenset(spec.fields) - each.hidden | {"receive", f"{each.purpose} {each.article}"}
        for each in entitled(spec, directory, on=day)
    }


def _expected(code: str, event_type: str, day: date, contract: Path) -> frozenset[str]:
    if not expected.may_receive(code, event_type, day, contract):
        return frozenset()
    purpose, article = expected.grounds(code, event_type, day, contract) or ("", "")
    return expected.fields_seen(code, event_type, day, contract) | {"receive", f"{purpose} {article}"}


def _published(directory: Directory, code: str, event_type: str, day: date, contract: Path) -> frozenset[str]:
    agency = directory.agencies.get(AgencyCode(code))
    allowed = agency is not None and agency.may_publish(EventType(event_type), on=day)
    return frozenset() if allowed == expected.may_publish(code, event_type, day, contract) else frozenset({"publish"})
