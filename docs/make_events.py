"""
Write docs/events.md from the catalogue and the directory: `.venv/bin/python docs/make_events.py`.

A test compares the file with what `render` gives, so that it is never stale.
"""  # noqa: INP001 -- a script beside the pages it writes, no package

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from datetime import date
from functools import cache
from pathlib import Path
from typing import Any

import schemas
from streams.catalogue import EventTypeSpec, load_catalogue
from streams.directory import Agency, ReceiveGrant, load_directory
from streams.law import Law, load_law

__all__ = ["PAGE", "render"]

PAGE = Path(__file__).parent / "events.md"
"""The page that this script writes."""

HEAD = """\
# Events

Made by `docs/make_events.py` from `schemas/events`, `schemas/directory` and `schemas/law`; do not edit it here.

How to read it: **personal** fields travel sealed ([protocol](protocol.md#sealed-values)). *fixed* fields are seen by
every recipient. Under an agency's code, `yes` means that the copy for this agency has the field, `–` that the bus takes
it out before that agency's inbox. An agency that has no column receives nothing of this type. Shared records, agencies,
purposes and articles are explained in the last tables.
"""


def render() -> str:
    """Give the page's text."""
    types = sorted(load_catalogue().types.items())
    agencies = load_directory().agencies
    parts = [HEAD, _contents([spec for _, spec in types])]
    parts += [_event(spec, list(agencies.values())) for _, spec in types]
    parts += [_shared(), _agencies(list(agencies.values())), *_law(load_law(), list(agencies.values()))]
    return "\n".join(parts)


def _contents(specs: Sequence[EventTypeSpec]) -> str:
    rows = [
        [f"[`{spec.type}`](#{_anchor(spec.type)})", spec.title_vi, spec.kind, f"`{spec.topic}`", _answers(spec)]
        for spec in specs
    ]
    return _table(["type", "tiếng Việt", "kind", "topic", "answers"], rows)


def _event(spec: EventTypeSpec, agencies: Sequence[Agency]) -> str:
    grants = [(each, grant) for each in agencies for grant in each.receive if grant.type == spec.type]
    lines = [f"## {spec.type}\n", f"**{spec.title_vi}**. {spec.schema['doc']}\n"]
    lines.append(f"- Kind: {spec.kind}; version {spec.version}; {_signed(spec)}.")
    lines.append(f"- Published by: {_publishers(spec, agencies)}.\n")
    if grants:
        lines.append(
            _table(["recipient", "purpose", "article", "valid", "owes"], [_receiver(*each) for each in grants])
        )
    names = [f"`{agency.code}`" for agency, _ in grants]
    rows = [_field(spec, field, [grant for _, grant in grants]) for field in spec.schema["fields"]]
    lines.append(_table(["field", "type", "", *names, "meaning"], rows))
    return "\n".join(lines)


def _field(spec: EventTypeSpec, field: Mapping[str, Any], grants: Sequence[ReceiveGrant]) -> list[str]:
    name, kind = field["name"], _kind(field["type"])
    removable = name in spec.removable
    marks = ["**personal**"] if _is_personal(field["type"]) else []
    marks += [] if removable else ["*fixed*"]
    seen = ["yes" if not removable or name in grant.fields else "–" for grant in grants]
    return [f"`{name}`", kind, " ".join(marks), *seen, field["doc"]]


def _receiver(agency: Agency, grant: ReceiveGrant) -> list[str]:
    owes = "" if grant.answer is None else f"`{grant.answer.type}` within {grant.answer.within_hours} h"
    if grant.answer is not None and grant.answer.assumption:
        owes += " (assumption)"
    return [f"`{agency.code}`", grant.purpose, f"`{grant.article}`", _dates(grant.valid_from, grant.valid_to), owes]


def _publishers(spec: EventTypeSpec, agencies: Sequence[Agency]) -> str:
    found = [
        f"`{each.code}` ({_dates(grant.valid_from, grant.valid_to)})"
        for each in agencies
        for grant in each.publish
        if grant.type == spec.type
    ]
    return ", ".join(found) or "the bus itself"


def _signed(spec: EventTypeSpec) -> str:
    return "an officer signs it" if spec.signed_by_officer else "no officer signs it"


def _answers(spec: EventTypeSpec) -> str:
    return f"`{spec.answers}`" if spec.answers else ""


def _dates(begin: date, end: date) -> str:
    return f"from {begin}" if end == date.max else f"{begin} to {end}"


def _shared() -> str:
    lines = ["## Shared records\n", "Written once under `schemas/events/types`, inlined in every registered schema.\n"]
    rows = []
    for text in schemas.type_files():
        record = json.loads(text)
        fields = ", ".join(f"`{each['name']}` {_kind(each['type'])}" for each in record["fields"])
        rows.append([f"`{record['name']}`", fields, record["doc"]])
    return "\n".join([*lines, _table(["record", "fields", "meaning"], rows)])


def _agencies(agencies: Sequence[Agency]) -> str:
    rows = [[f"`{each.code}`", each.kind, each.names.vi, each.names.en] for each in agencies]
    return "\n".join(["## Agencies\n", _table(["code", "kind", "tiếng Việt", "English"], rows)])


def _law(law: Law, agencies: Sequence[Agency]) -> list[str]:
    """Give the purposes and the articles that grants name."""
    grants = [grant for each in agencies for grant in each.receive]
    purposes = [law.purposes[each] for each in sorted({grant.purpose for grant in grants})]
    articles = []
    for name in sorted({grant.article for grant in grants}):
        basis = law.basis(name)
        if basis is None:
            raise ValueError(f"schemas/law has no {name}: see `lienthong directory check`.")
        first, last = basis.days or (date.min, date.min)
        assumed = "assumption" if basis.assumption else ""
        articles.append([f"`{name}`", basis.article.title_vi, basis.article.title_en, _dates(first, last), assumed])
    return [
        "\n".join(
            [
                "## Purposes\n",
                _table(["code", "tiếng Việt", "English"], [[f"`{each.code}`", each.vi, each.en] for each in purposes]),
            ]
        ),
        "\n".join(["## Articles\n", _table(["article", "tiếng Việt", "English", "in force", ""], articles)]),
    ]


def _kind(schema: Any) -> str:
    """Name an Avro type for people."""
    if isinstance(schema, str):
        return schema.rsplit(".", maxsplit=1)[-1]
    if isinstance(schema, list):
        return " or ".join(_kind(each) for each in schema if each != "null")
    if schema.get("logicalType") == "decimal":
        return f"decimal({schema['precision']}, {schema.get('scale', 0)})"
    if schema["type"] in {"array", "map"}:
        return f"{'list' if schema['type'] == 'array' else 'map'} of {_kind(schema.get('items') or schema['values'])}"
    if schema["type"] == "enum":
        return "one of " + ", ".join(schema["symbols"])
    return str(schema.get("logicalType") or schema.get("name") or schema["type"])


def _is_personal(schema: Any) -> bool:
    """Say whether a type is, or holds, a sealed value."""
    named = frozenset(re.findall(r'"(?:vn\.lienthong\.types\.)?(\w+)"', json.dumps(schema)))
    return bool(named & _personal_records())


@cache
def _personal_records() -> frozenset[str]:
    """Name the shared records that are, or hold, a sealed value."""
    records = {json.loads(text)["name"]: text for text in schemas.type_files()}
    found = frozenset({"Sealed"})
    while more := {name for name, text in records.items() if any(f"types.{each}" in text for each in found)} - found:
        found |= more
    return found


def _table(header: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    lines = [header, ["---"] * len(header), *rows]
    return "".join(f"| {' | '.join(cell.replace('|', '/') for cell in line)} |\n" for line in lines)


def _anchor(heading: str) -> str:
    return heading.replace(".", "")


if __name__ == "__main__":
    PAGE.write_text(render(), encoding="utf-8")
