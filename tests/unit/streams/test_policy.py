"""Need-to-know: who receives an event, and which of its fields."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import Any
from uuid import uuid4

from avro_strategies import data_of
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from streams.calendar import vietnamese_day
from streams.catalogue import load_catalogue
from streams.codec import Codec
from streams.directory import Agency, Directory
from streams.event import Event
from streams.names import AgencyCode, EventType, OfficerName
from streams.policy import Delivery, entitled, share, withheld
from streams.redaction import Redactor
from streams.subject import SubjectRef

CATALOGUE = load_catalogue()
CODEC = Codec(catalogue=CATALOGUE, ids={name: at for at, name in enumerate(sorted(CATALOGUE.types))})
SPEC = CATALOGUE[EventType("payment_block.requested")]
FIRST, LAST = date(2026, 1, 1), date(2026, 12, 31)
DAYS = st.dates(date(2025, 6, 1), date(2027, 6, 1))
FIELDS = st.frozensets(st.sampled_from(SPEC.fields))
DATA = data_of(CATALOGUE, SPEC.type)
SLOW = settings(max_examples=40, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])


def directory(grants: Mapping[str, Mapping[str, Any] | None], **agency: Any) -> Directory:
    """Make a directory of agencies, each with one grant or none."""
    agencies = {}
    for code, grant in grants.items():
        full = {"type": SPEC.type, "purpose": "p", "article": "act/1", "valid_from": FIRST, "valid_to": LAST}
        entry = {
            "code": code,
            "kind": "bank",
            "names": {"vi": code, "en": code},
            "valid_from": FIRST,
            "receive": [] if grant is None else [{**full, **grant}],
            **agency,
        }
        agencies[AgencyCode(code)] = Agency.model_validate(entry)
    return Directory(agencies=agencies)


def noon(day: date) -> datetime:
    """Give noon of a day."""
    return datetime(day.year, day.month, day.day, 12, tzinfo=UTC)


def shared(data: Mapping[str, Any], known: Directory, *, at: datetime) -> Sequence[Delivery]:
    """Share an event by a directory, on the day of a time."""
    return share(data, entitled(SPEC, known, on=vietnamese_day(at)), at=at)


def redacted(data: Mapping[str, Any], removed: Collection[str]) -> dict[str, Any]:
    """Give the fields that the bytes of a copy have."""
    return CODEC.decode(Redactor(CODEC).encode(SPEC.type, data).without(removed), expected=SPEC.type)


def seen(data: Mapping[str, Any], fields: frozenset[str]) -> set[str]:
    """Give the fields with a value that a recipient of these fields sees."""
    [delivery] = shared(data, directory({"a": {"fields": fields}}), at=noon(FIRST))
    return {name for name, value in redacted(data, delivery.removed).items() if value is not None}


@SLOW
@given(data=DATA)
def test_without_a_grant_nobody_receives_anything(data: dict[str, Any]) -> None:
    """Default deny: no grant, a grant of another type, an empty directory."""
    nobody = directory({"a": None, "b": {"type": "seller.suspected", "fields": SPEC.fields}})

    assert list(shared(data, nobody, at=noon(FIRST))) == []
    assert list(shared(data, Directory(agencies={}), at=noon(FIRST))) == []


@SLOW
@given(data=DATA, fields=FIELDS)
def test_what_is_not_granted_is_gone(data: dict[str, Any], fields: frozenset[str]) -> None:
    """A copy has the granted fields and those that no one may remove; `removed` names those that had a value."""
    [delivery] = shared(data, directory({"a": {"fields": fields}}), at=noon(FIRST))
    copy = redacted(data, delivery.removed)

    hidden = {name for name in SPEC.removable - fields if data[name] is not None}
    assert tuple(sorted(hidden)) == delivery.removed
    assert CODEC.encode(SPEC.type, {name: None if name in hidden else data[name] for name in data}) == CODEC.encode(
        SPEC.type, copy
    )


@SLOW
@given(data=DATA, fields=FIELDS, taken=FIELDS)
def test_removing_a_grant_never_adds_a_field(
    data: dict[str, Any], fields: frozenset[str], taken: frozenset[str]
) -> None:
    """Whoever is granted less sees no more; and a field that is granted in addition hides none."""
    assert seen(data, fields - taken) <= seen(data, fields)


@SLOW
@given(data=DATA, fields=st.frozensets(st.sampled_from(sorted(SPEC.removable))))
def test_redacting_twice_is_redacting_once(data: dict[str, Any], fields: frozenset[str]) -> None:
    """And the bytes are those that the codec writes without these fields."""
    once = Redactor(CODEC).encode(SPEC.type, data).without(fields)

    assert CODEC.encode(SPEC.type, {name: None if name in fields else data[name] for name in data}) == once
    assert Redactor(CODEC).encode(SPEC.type, CODEC.decode(once, expected=SPEC.type)).without(fields) == once


@given(day=DAYS, grant_from=DAYS, grant_to=DAYS, agency_to=DAYS)
def test_a_grant_holds_from_its_first_to_its_last_day(
    day: date, grant_from: date, grant_to: date, agency_to: date
) -> None:
    """Both ends are included, the agency's own and the grant's."""
    grants = directory({"a": {"fields": [], "valid_from": grant_from, "valid_to": grant_to}}, valid_to=agency_to)

    deliveries = shared({}, grants, at=noon(day))

    assert (grant_from <= day <= grant_to and FIRST <= day <= agency_to) is (len(deliveries) == 1)


@given(hours=st.integers(1, 2000), seconds=st.integers(0, 86_399))
def test_an_answer_is_due_so_many_hours_after_admission(hours: int, seconds: int) -> None:
    """To the second, whatever the time of day."""
    at = datetime(2026, 3, 1, tzinfo=UTC) + timedelta(seconds=seconds)
    owed = {"fields": [], "answer": {"type": "payment_block.answered", "within_hours": hours}}

    owing, free = shared({}, directory({"a": owed, "b": {"fields": []}}), at=at)

    assert (at + timedelta(hours=hours), "payment_block.answered") == (owing.answer_due, owing.answer_type)
    assert (free.answer_due, free.answer_type) == (None, None)


def test_deliveries_come_by_code() -> None:
    """The same event gives the same order, whatever the directory's."""
    grants = directory({"c": {"fields": []}, "a": {"fields": []}, "b": {"fields": []}})

    assert [each.agency for each in shared({}, grants, at=noon(FIRST))] == ["a", "b", "c"]


def test_the_envelope_does_not_say_what_was_removed() -> None:
    """The officer and the cause stand in headers, too; a header with a removed value goes with the field."""
    officer, cause = "sbv-hanam/payment-desk", uuid4()
    answer = Event(
        id=uuid4(),
        type=EventType("payment_block.answered"),
        source=AgencyCode("sbv-hanam"),
        subject=SubjectRef("account", "vn-account", "x"),
        time=datetime(2026, 11, 20, tzinfo=UTC),
        data={"answered_by": officer, "suspicion": cause, "reason": "r"},
        correlation=uuid4(),
        cause=cause,
        officer=OfficerName(officer),
        key_id="k",
        signature=b"s",
    )

    assert withheld(answer, ["reason"]) == frozenset()
    assert withheld(answer, ["answered_by"]) == {"ce_officer", "ce_keyid", "ce_signature"}
    assert withheld(answer, ["suspicion"]) == {"ce_causationid", "ce_after"}
    assert withheld(replace(answer, officer=None, cause=None), ["answered_by", "reason"]) == frozenset()
