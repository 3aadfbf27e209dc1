"""A preview says what then happens: who receives which fields, what is owed until when, what admission refuses."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from admitting import INVESTIGATOR
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from paper_province import (
    BANK,
    POLICE,
    SURVEILLANCE,
    answer,
    as_record,
    block,
    named_id,
    officer_key,
    suspicion,
    with_officer,
)
from plain_json import plain

from streams.catalogue import Catalogue, load_catalogue
from streams.dated import Days
from streams.directory import Directory, load_directory
from streams.errors import InputError
from streams.event import Draft
from streams.names import AgencyCode, EventType, inbox_topic
from streams.preview import PlainEvent, Preview, preview, read_plain
from streams.testing import MemoryBus
from streams.visibility import sights

NOON = datetime(2026, 11, 20, 5, tzinfo=UTC)
CATALOGUE, DIRECTORY = load_catalogue(), load_directory()
DRAFTS: dict[str, tuple[AgencyCode, Callable[[], Draft], str | None]] = {
    "suspicion": (SURVEILLANCE, suspicion, None),
    "block": (POLICE, block, INVESTIGATOR),
    "answer": (BANK, lambda: answer(named_id("block")), "sbv-hanam/payment-desk"),
}


def previewed(draft: Draft, source: str, *, officer: str | None = None, **changes: Any) -> Preview:
    """Preview a draft on the day of the tests."""
    event = PlainEvent(draft.type, AgencyCode(source), plain(draft.data) | changes, officer)
    return preview(event, CATALOGUE, DIRECTORY, at=NOON)


def codes(found: Preview) -> list[str]:
    """Give the codes of what is against it."""
    return [each.code for each in found.refusals]


@settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(name=st.sampled_from(sorted(DRAFTS)), data=st.data())
async def test_what_is_previewed_is_what_travels(name: str, data: st.DataObject) -> None:
    """Whichever optional fields have a value: the same recipients, removed fields and due dates as on a real way."""
    agency, make, officer = DRAFTS[name]
    draft = make()
    absent = data.draw(st.frozensets(st.sampled_from(sorted(CATALOGUE[draft.type].removable))))
    draft = Draft(
        type=draft.type,
        subject=draft.subject,
        data={field: None if field in absent else value for field, value in draft.data.items()},
        event_id=draft.event_id,
    )
    directory = with_officer(DIRECTORY, officer) if officer else DIRECTORY
    bus = MemoryBus(CATALOGUE, directory, kinds={}, clock=lambda: NOON)

    await bus.publish(agency, draft, officer=officer_key(officer) if officer else None)
    await bus.settle()
    found = previewed(draft, agency)

    travelled = {}
    for code in directory.agencies:
        for row in bus.kafka.rows:
            if row.topic == inbox_topic(code):
                event = await bus.reader.read(as_record(row))
                there = [field for field in CATALOGUE[draft.type].fields if event.data.get(field) is not None]
                travelled[code] = (list(event.removed), there, event.purpose, event.legal_article, event.answer_due)
    assert codes(found) == []
    assert travelled != {}
    assert travelled == {
        each.agency: (list(each.removed), found.seen(each), each.purpose, each.article, each.answer_due)
        for each in found.deliveries
    }


@pytest.mark.parametrize(
    ("source", "changes", "expected"),
    [
        ("qltt-hanam", {}, []),
        ("tax-hanam", {}, ["not_granted"]),
        ("nobody", {}, ["not_granted"]),
        ("qltt-hanam", {"score": "high"}, ["does_not_fit"]),
        ("tax-hanam", {"score": "high", "more": 1}, ["does_not_fit", "does_not_fit", "not_granted"]),
        ("qltt-hanam", {"seller_bank": "x" * 1_100_000}, ["too_large"]),
        ("qltt-hanam", {"seller_bank": "x" * 70_000}, ["too_large"]),
    ],
)
def test_what_admission_would_refuse_is_said_first(source: str, changes: dict[str, Any], expected: list[str]) -> None:
    """With the code of its quarantine, and sentences; who would receive it is said all the same."""
    found = previewed(suspicion(), source, **changes)

    assert expected == codes(found)
    assert [each.agency for each in found.deliveries] == ["bcd389-hanam", "police-hanam", "stttt-hanam", "tax-hanam"]
    assert all(each.vi.endswith(".") and each.en.endswith(".") for each in found.refusals)


@pytest.mark.parametrize(
    ("officer", "expected"),
    [
        (None, []),
        (INVESTIGATOR, []),
        ("police-hanam/nobody", ["officer_unknown"]),
        ("sbv-hanam/payment-desk", ["officer_unknown"]),
        ("nobody", ["officer_unknown"]),
    ],
)
def test_who_could_sign_an_act_is_said(officer: str | None, expected: list[str]) -> None:
    """And whoever is named must be one of them."""
    found = previewed(block(), POLICE, officer=officer)

    assert expected == codes(found)
    assert list(found.signers) == ["police-hanam/investigator", "police-hanam/supervisor"]


def test_an_officer_who_only_looks_cannot_sign() -> None:
    """Nor can one who runs the system; and an agency without officers has nobody."""
    directory = with_officer(DIRECTORY, "police-hanam/looker", role="auditor")
    event = PlainEvent(EventType("payment_block.requested"), POLICE, plain(block().data), "police-hanam/looker")
    bare = directory.agencies[POLICE].model_copy(update={"officers": ()})
    without = Directory({**directory.agencies, POLICE: bare})

    assert codes(preview(event, CATALOGUE, directory, at=NOON)) == ["officer_role"]
    unnamed = PlainEvent(event.type, event.source, event.data)
    assert codes(preview(unnamed, CATALOGUE, without, at=NOON)) == ["officer_unsigned"]


def test_a_document_that_is_none_is_refused() -> None:
    """Its hash could name no file."""
    found = previewed(block(), POLICE, decision={"sha256": "x", "media_type": "application/pdf", "size_bytes": 1})

    assert codes(found) == ["database_value"]


def test_the_day_decides() -> None:
    """Before the decree was in force the bank received no orders; an answer is due so many hours after admission."""
    event = PlainEvent(EventType("payment_block.requested"), POLICE, plain(block().data))

    before = preview(event, CATALOGUE, DIRECTORY, at=datetime(2024, 6, 30, 16, 59, tzinfo=UTC))
    after = preview(event, CATALOGUE, DIRECTORY, at=datetime(2024, 6, 30, 17, tzinfo=UTC))

    assert (date(2024, 6, 30), ["bcd389-hanam"]) == (before.on, [each.agency for each in before.deliveries])
    assert [each.agency for each in after.deliveries] == ["bcd389-hanam", "sbv-hanam"]
    assert after.deliveries[1].answer_due == datetime(2024, 6, 30, 17, tzinfo=UTC) + timedelta(hours=24)


def test_an_unknown_type_is_named_with_those_there_are() -> None:
    """And nobody receives it."""
    found = preview(PlainEvent(EventType("seller.suspect"), POLICE, {}), CATALOGUE, DIRECTORY, at=NOON)

    assert (codes(found), list(found.deliveries)) == (["unknown_type"], [])
    assert "seller.suspected" in found.refusals[0].en


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("", "no JSON"),
        ("{", "no JSON"),
        ("[" * 100_000, "no JSON"),
        ('{"type": "a", "type": "b"}', "comes twice"),
        ("[]", "lacks type, source, data"),
        ('{"type": "a", "source": "b"}', "lacks data"),
        ('{"type": 1, "source": "b", "data": {}}', "are names"),
        ('{"type": "a", "source": "b", "data": {}, "officer": 3}', "are names"),
        ('{"type": "a\\u001b[2J", "source": "b", "data": {}}', "are names"),
        ('{"type": "a", "source": "\\ud800", "data": {}}', "are names"),
    ],
)
def test_what_is_no_event_gets_a_sentence(text: str, sentence: str) -> None:
    """That says what is wrong, and the form."""
    with pytest.raises(InputError, match=sentence) as refused:
        read_plain(text)

    assert "docs/events.md" in str(refused.value)


def test_the_source_is_cloudevents_or_the_code_alone() -> None:
    """Other attributes of CloudEvents are passed over."""
    event = {"specversion": "1.0", "id": "1", "type": "seller.suspected", "data": {"a": 1}}

    long = read_plain(json.dumps(event | {"source": "//lienthong/agency/qltt-hanam"}))
    short = read_plain(json.dumps(event | {"source": "qltt-hanam", "officer": INVESTIGATOR}))

    assert (long.type, long.source, long.data, long.officer) == ("seller.suspected", "qltt-hanam", {"a": 1}, None)
    assert (short.source, short.officer) == ("qltt-hanam", INVESTIGATOR)


def test_every_agency_in_office_has_an_answer_for_every_field(catalogue: Catalogue, directory: Directory) -> None:
    """Seen or not, and on what basis; an agency that receives nothing has none."""
    spec = catalogue[EventType("payment_block.requested")]
    found = {(each.agency, each.field): each for each in sights(spec, directory, on=date(2026, 11, 20))}

    assert len(found) == len(directory.agencies) * len(spec.fields)
    bank, board = found[BANK, "account"], found[AgencyCode("bcd389-hanam"), "account"]
    always: Days = (date(2024, 7, 1), date.max)
    assert (bank.seen, bank.days, board.seen) == (True, always, False)
    assert board.basis is not None
    assert board.basis.article == "ke-hoach-1679-2023/IV.1"
    assert (found[POLICE, "account"].seen, found[POLICE, "account"].basis, found[POLICE, "account"].days) == (
        False,
        None,
        None,
    )
    assert sights(spec, directory, on=date(2023, 6, 30)) == []


def test_a_field_that_there_is_not_is_refused(catalogue: Catalogue, directory: Directory) -> None:
    """With those there are; one that there is comes alone."""
    spec = catalogue[EventType("payment_block.requested")]

    with pytest.raises(InputError, match=r"no field 'acount'.*account"):
        sights(spec, directory, on=date(2026, 1, 1), fields={"acount"})
    assert {each.field for each in sights(spec, directory, on=date(2026, 1, 1), fields={"account"})} == {"account"}


def test_the_days_of_a_right_are_those_of_grant_and_agency(catalogue: Catalogue, directory: Directory) -> None:
    """Whichever begins later and ends earlier."""
    spec = catalogue[EventType("payment_block.requested")]
    ended = directory.agencies[BANK].model_copy(update={"valid_to": date(2026, 12, 31)})

    found = sights(spec, Directory({BANK: ended}), on=date(2026, 11, 20), fields={"account"})

    assert [each.days for each in found] == [(date(2024, 7, 1), date(2026, 12, 31))]
