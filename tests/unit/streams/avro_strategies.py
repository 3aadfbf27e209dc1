"""Hypothesis strategies for the values of an Avro schema, as our codec gives and takes them."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, date, datetime
from decimal import Context, Decimal
from typing import Any

from hypothesis import strategies as st

from streams.catalogue import Catalogue
from streams.event import Event
from streams.names import AgencyCode, EventType, OfficerName
from streams.subject import SubjectRef

_FIRST, _LAST = datetime(1970, 1, 1), datetime(2200, 1, 1)  # noqa: DTZ001 -- hypothesis adds the zone itself
TEXT = st.text(max_size=6)


def data_of(catalogue: Catalogue, event_type: str) -> st.SearchStrategy[dict[str, Any]]:
    """Give values of an event type, every optional field now and then absent."""
    return values(catalogue[EventType(event_type)].schema, {})


def values(schema: Any, names: dict[str, Any]) -> st.SearchStrategy[Any]:  # noqa: PLR0911 -- one return a kind of schema
    """Give the values of a schema; `names` gathers the records it names."""
    if isinstance(schema, list):
        return st.one_of([values(each, names) for each in schema])
    if isinstance(schema, str):
        return values(names[schema], names) if schema in names else _PRIMITIVES[schema]
    if "logicalType" in schema:
        return _logical(schema)
    kind = schema["type"]
    if kind in {"record", "enum"}:
        names[f"{schema['namespace']}.{schema['name']}"] = schema
    if kind == "record":
        return st.fixed_dictionaries({each["name"]: values(each["type"], names) for each in schema["fields"]})
    if kind == "enum":
        return st.sampled_from(schema["symbols"])
    if kind == "array":
        return st.lists(values(schema["items"], names), max_size=2)
    if kind == "map":
        return st.dictionaries(TEXT, values(schema["values"], names), max_size=2)
    return values(kind, names)


def _logical(schema: Mapping[str, Any]) -> st.SearchStrategy[Any]:
    if schema["logicalType"] == "decimal":
        most = 10 ** schema["precision"] - 1
        scale = schema["scale"]
        return st.integers(-most, most).map(lambda number: Decimal(number).scaleb(-scale, _EXACT))
    return _LOGICAL[schema["logicalType"]]


_EXACT = Context(prec=60)
_PRIMITIVES: dict[str, st.SearchStrategy[Any]] = {
    "null": st.none(),
    "string": TEXT,
    "bytes": st.binary(max_size=6),
    "boolean": st.booleans(),
    "int": st.integers(-(2**31), 2**31 - 1),
    "long": st.integers(-(2**63), 2**63 - 1),
}
_LOGICAL: dict[str, st.SearchStrategy[Any]] = {
    "uuid": st.uuids(),
    "date": st.dates(date(1, 1, 1), date(9999, 12, 31)),
    "timestamp-micros": st.datetimes(_FIRST, _LAST, timezones=st.just(UTC)),
}

_NAME = st.from_regex(r"[a-z][a-z0-9]{0,5}(-[a-z0-9]{1,4}){0,2}", fullmatch=True)
_PRINTABLE = st.text(st.characters(blacklist_categories=("Cc", "Cs"), blacklist_characters=","), min_size=1, max_size=8)
_TIMES = st.datetimes(timezones=st.just(UTC))
_SUBJECTS = st.builds(
    SubjectRef, kind=_PRINTABLE.filter(lambda text: ":" not in text), scheme=_PRINTABLE, value=_PRINTABLE
)

EVENTS: st.SearchStrategy[Event] = st.builds(
    Event,
    id=st.uuids(),
    type=_PRINTABLE.map(EventType),
    source=_NAME.map(AgencyCode),
    subject=_SUBJECTS,
    time=_TIMES,
    data=st.just({}),
    correlation=st.uuids(),
    cause=st.none() | st.uuids(),
    depth=st.integers(0, 10**9),
    officer=st.none() | st.builds(lambda agency, desk: OfficerName(f"{agency}/{desk}"), _NAME, _NAME),
    key_id=st.none() | _PRINTABLE,
    signature=st.none() | st.binary(min_size=1, max_size=64),
    purpose=st.none() | _PRINTABLE,
    legal_article=st.none() | _PRINTABLE,
    removed=st.lists(_PRINTABLE, max_size=4).map(tuple),
    answer_due=st.none() | _TIMES,
    passed=st.lists(st.text("0123456789abcdef", min_size=8, max_size=8), max_size=4).map(tuple),
    admitted=st.none() | _TIMES,
    sequence=st.none() | st.integers(1, 10**9),
    after=st.none() | st.uuids(),
)
"""Events with any envelope that can stand in headers, and no fields."""
