"""What an officer may do about a quarantined record, and the signature on it."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime
from typing import Any
from uuid import UUID

import pytest
from paper_province import COMMITTEE, TAX, officer_key, with_officer

from streams.directory import Directory, load_directory
from streams.errors import ForbiddenError, InputError
from streams.names import BUS, AgencyCode, OfficerName, TopicName
from streams.quarantine import (
    QuarantineAct,
    act_entry,
    keeps_its_headers,
    may_look,
    may_operate,
    redrive_row,
    sign_act,
    verify_act,
)
from streams.record import Record

NAME = "bcd389-hanam/operator"
TODAY = date(2026, 11, 20)
ITEM = UUID(int=7)
RECORD = Record(
    topic=TopicName("lt.seller.suspected"),
    partition=2,
    offset=41,
    key=b"seller:x",
    value=b"\x00\xff",
    headers=[("ce_type", b"x"), ("trace", b""), ("trace", b"\xff")],
)
ACT = QuarantineAct(
    action="redriven",
    owner=BUS,
    item=ITEM,
    record=RECORD,
    reason="not_granted",
    because="đã cấp quyền",
    officer=OfficerName(NAME),
    at=datetime(2026, 11, 20, 5, tzinfo=UTC),
)


@pytest.fixture(scope="module")
def directory() -> Directory:
    """The shipped directory, whose operator has a key."""
    return with_officer(load_directory(), NAME, role="operator")


@pytest.mark.parametrize(
    ("officer", "owner", "looks", "acts"),
    [
        ("bcd389-hanam/operator", "bus", True, True),
        ("bcd389-hanam/auditor", "bus", True, False),
        ("bcd389-hanam/secretariat", "bus", False, False),
        ("tax-hanam/supervisor", "tax-hanam", True, True),
        ("tax-hanam/invoice-desk", "tax-hanam", False, False),
        ("tax-hanam/supervisor", "bus", False, False),
        ("tax-hanam/supervisor", "qltt-hanam", False, False),
        ("bcd389-hanam/operator", "tax-hanam", False, False),
    ],
)
def test_the_role_and_the_agency_decide(officer: str, owner: str, *, looks: bool, acts: bool) -> None:
    """One's own agency's quarantine, and the bus's for whoever operates it; an auditor only looks."""
    for check, allowed in ((may_look, looks), (may_operate, acts)):
        if allowed:
            assert officer == check(load_directory(), officer, owner, on=TODAY).name
        else:
            with pytest.raises(ForbiddenError) as caught:
                check(load_directory(), officer, owner, on=TODAY)
            assert caught.value.code == "not_granted"


def test_a_record_is_published_again_as_it_was() -> None:
    """Topic, key, bytes and headers; the same id each time, so that twice is once."""
    row = redrive_row(BUS, ITEM, RECORD)

    assert (RECORD.topic, RECORD.key, RECORD.value, RECORD.headers) == (row.topic, row.key, row.value, row.headers)
    assert row == redrive_row(BUS, ITEM, RECORD)
    assert row.row_id != redrive_row(TAX, ITEM, RECORD).row_id


def test_a_record_whose_headers_were_not_kept_is_not_published() -> None:
    """Its name was no text that PostgreSQL has a place for; what is published would not be the original."""
    record = replace(RECORD, headers=[("zero\ufffdbyte", b"")])

    assert not keeps_its_headers(record)
    with pytest.raises(InputError):
        redrive_row(BUS, ITEM, record)


def test_the_signature_holds_for_this_act_on_this_record(directory: Directory) -> None:
    """And is named in the audit entry."""
    signed = sign_act(ACT, officer_key(NAME))

    verify_act(signed, directory, on=TODAY)
    entry = act_entry(signed)
    assert (entry.action, entry.event_id, entry.agency, entry.officer) == ("redriven", ITEM, BUS, NAME)
    assert entry.details == {
        "because": "đã cấp quyền",
        "key_id": signed.key_id,
        "signature": signed.signature.hex(),
    }


@pytest.mark.parametrize(
    "changes",
    [
        {"action": "dropped"},
        {"item": UUID(int=8)},
        {"because": ""},
        {"reason": "loop"},
        {"at": datetime(2026, 11, 20, 6, tzinfo=UTC)},
        {"record": replace(RECORD, value=b"\x00")},
        {"record": replace(RECORD, value=None)},
        {"record": replace(RECORD, key=None)},
        {"record": replace(RECORD, offset=42)},
        {"record": replace(RECORD, headers=RECORD.headers[:2])},
    ],
)
def test_the_signature_holds_for_nothing_else(directory: Directory, changes: dict[str, Any]) -> None:
    """Neither another act, nor another record, nor other words."""
    signed = sign_act(ACT, officer_key(NAME))

    with pytest.raises(ForbiddenError) as caught:
        verify_act(replace(signed, act=replace(ACT, **changes)), directory, on=TODAY)

    assert caught.value.code == "officer_signature"


def test_an_absent_key_is_not_an_empty_one(directory: Directory) -> None:
    """So that nobody can pass one off as the other."""
    signed = sign_act(replace(ACT, record=replace(RECORD, key=b"")), officer_key(NAME))

    with pytest.raises(ForbiddenError):
        verify_act(replace(signed, act=replace(ACT, record=replace(RECORD, key=None))), directory, on=TODAY)


def test_whoever_has_no_key_in_the_directory_signed_nothing(directory: Directory) -> None:
    """A key id that is nobody's, an officer without a key, an agency that the bus is not entrusted to."""
    signed = sign_act(ACT, officer_key(NAME))

    with pytest.raises(ForbiddenError):
        verify_act(replace(signed, key_id="0" * 16), directory, on=TODAY)
    with pytest.raises(ForbiddenError):
        verify_act(replace(signed, key_id=""), load_directory(), on=TODAY)
    with pytest.raises(ForbiddenError):
        verify_act(replace(signed, act=replace(ACT, owner=AgencyCode(COMMITTEE))), directory, on=TODAY)
