"""
What the directory's TOML grants, read a second time: with the standard library alone, by nobody's code but this.

Nothing of the project is imported here, so that a mistake in its policy is no mistake here. Tests of redaction, of
Kafka's access lists and of database rights compare what they see with these functions. Every function reads a
contract's folder: the shipped one, or a copy.
"""

from __future__ import annotations

import json
import tomllib
from datetime import date, timedelta
from functools import cache
from pathlib import Path
from typing import Any

SHIPPED = Path(__file__).parents[3] / "schemas"
NEVER = date(9999, 12, 31)
ONE_DAY = timedelta(days=1)


def agencies(contract: Path = SHIPPED) -> list[str]:
    """Give all agencies' codes, sorted."""
    return sorted(_directory(contract))


def event_types(contract: Path = SHIPPED) -> list[str]:
    """Give all event types, the audit log's too, sorted."""
    return sorted(_schemas(contract))


def fields(event_type: str, contract: Path = SHIPPED) -> list[str]:
    """Give a type's top-level fields."""
    return [each["name"] for each in _schemas(contract)[event_type]["fields"]]


def in_office(agency: str, day: date, contract: Path = SHIPPED) -> bool:
    """Say whether an agency is a member on a day."""
    return _holds(_directory(contract)[agency], day)


def may_publish(agency: str, event_type: str, day: date, contract: Path = SHIPPED) -> bool:
    """Say whether an agency may publish a type on a day."""
    return bool(_grants("publish", agency, event_type, day, contract))


def may_receive(agency: str, event_type: str, day: date, contract: Path = SHIPPED) -> bool:
    """Say whether an agency may receive a type on a day."""
    return bool(_grants("receive", agency, event_type, day, contract))


def fields_seen(agency: str, event_type: str, day: date, contract: Path = SHIPPED) -> frozenset[str]:
    """Name the fields that an agency's copy of a type may have; of two grants that overlap, only what both give."""
    grants = _grants("receive", agency, event_type, day, contract)
    if not grants:
        return frozenset()
    granted = frozenset.intersection(*(frozenset(grant["fields"]) for grant in grants))
    declared = _schemas(contract)[event_type]["fields"]
    return frozenset(each["name"] for each in declared if each["name"] in granted or not _can_be_removed(each))


def grounds(agency: str, event_type: str, day: date, contract: Path = SHIPPED) -> tuple[str, str] | None:
    """Give purpose and article by which an agency receives a type on a day."""
    grants = _grants("receive", agency, event_type, day, contract)
    return (grants[0]["purpose"], grants[0]["article"]) if grants else None


def answer_owed(agency: str, event_type: str, day: date, contract: Path = SHIPPED) -> tuple[str, int] | None:
    """Give the type of the answer that an agency owes, and within how many hours."""
    grants = _grants("receive", agency, event_type, day, contract)
    answer = grants[0].get("answer") if grants else None
    return (answer["type"], answer["within_hours"]) if answer else None


def border_days(*contracts: Path) -> list[date]:
    """Give every day on which something begins or ends, the days before and after it, and two ordinary days."""
    found = {date(2000, 1, 1), date(2026, 11, 24)}
    for contract in contracts or (SHIPPED,):
        for entry in _directory(contract).values():
            for day in _days_in(entry):
                found |= {day - ONE_DAY, day, day + ONE_DAY}
    return sorted(found)


def _grants(which: str, agency: str, event_type: str, day: date, contract: Path) -> list[dict[str, Any]]:
    entry = _directory(contract).get(agency, {})
    if not entry or not _holds(entry, day):
        return []
    return [grant for grant in entry.get(which, []) if grant["type"] == event_type and _holds(grant, day)]


def _holds(entry: dict[str, Any], day: date) -> bool:
    return bool(entry["valid_from"] <= day <= entry.get("valid_to", NEVER))


def _can_be_removed(field: dict[str, Any]) -> bool:
    union = field["type"]
    return isinstance(union, list) and union[0] == "null" and "default" in field and field["default"] is None


def _days_in(value: Any) -> list[date]:
    if isinstance(value, dict):
        return [day for each in value.values() for day in _days_in(each)]
    if isinstance(value, list):
        return [day for each in value for day in _days_in(each)]
    return [value] if isinstance(value, date) else []


@cache
def _directory(contract: Path) -> dict[str, dict[str, Any]]:
    files = (contract / "directory").glob("*.toml")
    entries = [tomllib.loads(path.read_text(encoding="utf-8")) for path in files]
    return {entry["code"]: entry for entry in entries}


@cache
def _schemas(contract: Path) -> dict[str, dict[str, Any]]:
    """Give the newest schema of each type; a copy of the directory alone goes with the shipped schemas."""
    events = contract / "events"
    newest: dict[str, tuple[int, dict[str, Any]]] = {}
    for path in (events if events.is_dir() else SHIPPED / "events").glob("*/*.v*.avsc"):
        fact, version = path.stem.rsplit(".v", maxsplit=1)
        name = f"{path.parent.name}.{fact}"
        if int(version) > newest.get(name, (0, {}))[0]:
            newest[name] = (int(version), json.loads(path.read_text(encoding="utf-8")))
    return {name: schema for name, (_, schema) in newest.items()}
