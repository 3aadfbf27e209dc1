"""Admission of acts: who may order and answer in an agency's name."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

import pytest
from admitting import INVESTIGATOR, copy_for, only_reason, ordered
from paper_province import (
    ANSWERED,
    BANK,
    COMMITTEE,
    answer,
    as_record,
    officer_key,
    with_header,
    with_officer,
)

from streams.testing import MemoryBus


async def test_an_act_signed_by_an_officer_is_admitted(bus: MemoryBus) -> None:
    """The bank gets it with a due date; the committee sees it without the account."""
    bus.directory = with_officer(bus.directory, INVESTIGATOR)
    sent = await ordered(bus)

    await bus.admit([as_record(sent.row)])

    event, data = await copy_for(bus, BANK)
    assert (INVESTIGATOR, sent.event.signature) == (event.officer, event.signature)
    assert event.answer_due is not None
    assert timedelta(hours=24) == event.answer_due - bus.store.tables.events[event.id].at
    assert data["account"] == sent.event.data["account"]
    _, seen = await copy_for(bus, COMMITTEE)
    assert seen["account"] is None


@pytest.mark.parametrize(
    ("officer", "entry", "reason"),
    [
        ("police-hanam/investigator", None, "officer_unknown"),
        ("police-hanam/nobody", None, "officer_unknown"),
        ("police-hanam/investigator", {"valid_to": date(2026, 11, 19)}, "officer_unknown"),
        ("police-hanam/investigator", {"role": "auditor"}, "officer_role"),
        ("police-hanam/investigator", {"role": "operator"}, "officer_role"),
        ("police-hanam/investigator", {"public_key": bytes(32)}, "officer_unknown"),
        ("sbv-hanam/payment-desk", {}, "officer_unknown"),
    ],
)
async def test_an_act_by_someone_who_may_not_act_is_refused(
    bus: MemoryBus, officer: str, entry: dict[str, Any] | None, reason: str
) -> None:
    """No key, unknown, no longer in office, another role, another key, another agency's officer."""
    if entry is not None:
        bus.directory = with_officer(bus.directory, officer, **entry)
    sent = await ordered(bus, officer=officer)

    await bus.admit([as_record(sent.row)])

    assert reason == only_reason(bus)


@pytest.mark.parametrize("header", ["ce_signature", "ce_officer"])
async def test_an_act_without_a_signature_is_refused(bus: MemoryBus, header: str) -> None:
    """An alert needs none; an act is nothing without it."""
    bus.directory = with_officer(bus.directory, INVESTIGATOR)
    row = (await ordered(bus)).row

    await bus.admit([as_record(row, headers=with_header(row, header, None))])

    assert only_reason(bus) == "officer_unsigned"


async def test_an_act_that_was_changed_is_refused(bus: MemoryBus) -> None:
    """One byte of the value is enough."""
    bus.directory = with_officer(bus.directory, INVESTIGATOR)
    row = (await ordered(bus)).row

    await bus.admit([as_record(row, value=(row.value or b"").replace(b"970436", b"970437"))])

    assert only_reason(bus) == "officer_signature"


async def test_an_answer_closes_its_request(bus: MemoryBus) -> None:
    """The bank's delivery of the request is answered with the status; nobody else's is."""
    for officer in (INVESTIGATOR, "sbv-hanam/payment-desk"):
        bus.directory = with_officer(bus.directory, officer)
    request = await ordered(bus)
    await bus.admit([as_record(request.row)])
    sender, desk = bus.agencies[BANK].sender, officer_key("sbv-hanam/payment-desk")
    given = await sender.prepare(answer(request.event.id), at=bus.clock(), cause=request.event, officer=desk)

    await bus.admit([as_record(given.row)])

    closed = {
        agency: each.answer_status
        for (event_id, agency), each in bus.store.tables.deliveries.items()
        if event_id == request.event.id
    }
    assert closed == {BANK: "executed", COMMITTEE: None}
    assert given.event.type == ANSWERED
