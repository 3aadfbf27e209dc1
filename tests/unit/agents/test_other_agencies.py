"""Police, State Bank branch, postal operator and Steering Committee."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import pytest

from agents import KINDS
from agents.state_bank import missing_parts
from streams.agent import Context, Outcome
from streams.event import Event
from streams.subject import pseudonym

MakeEvent = Callable[..., Event]
MakeContext = Callable[..., Context]
BEGIN = datetime(2026, 11, 20, tzinfo=UTC)
SEALED = {"key_id": "k", "nonce": b"n", "ciphertext": b"c"}
REQUEST: dict[str, Any] = {
    "target": pseudonym("account", "vn-account", "970999900000000001").as_data(),
    "authority": "police-hanam",
    "decision_number": "15/QD-CSDT",
    "decision_date": date(2026, 11, 19),
    "legal_act": "nd-52-2024",
    "legal_article": "11.1",
    "decision": {"sha256": "ab" * 32, "media_type": "application/pdf", "size_bytes": 900},
    "bank_bin": "970999",
    "account": SEALED,
    "customer": None,
    "extent": "full",
    "amount_vnd": None,
    "valid_from": BEGIN,
    "valid_to": None,
}


def handle(kind: str, received: Event, context: Context) -> Outcome:
    """Let the one handler of the event's type work."""
    (handler,) = [each for each in KINDS[kind].handlers if each.event_type == received.type]
    return handler.handle(received, context)


def test_the_police_are_told_that_an_order_needs_a_decision(event: MakeEvent, context: MakeContext) -> None:
    """In both languages, with the figures of the suspicion."""
    data = {"score": 22, "threshold": 15, "reasons": [{}, {}], "evidence": ["a", "b", "c"]}

    outcome = handle("police", event("seller.suspected", data), context())

    assert (len(outcome.events), outcome.state) == (0, None)
    assert outcome.note is not None
    assert "22 điểm (ngưỡng 15), 2 lý do, 3 chứng cứ" in outcome.note
    assert "needs a written decision" in outcome.note


def test_a_suspicion_without_figures_still_gives_the_note(event: MakeEvent, context: MakeContext) -> None:
    """Fields may have been removed."""
    outcome = handle("police", event("seller.suspected", {"seller": {}}), context())

    assert outcome.note is not None
    assert "0 reasons" in outcome.note


def test_a_complete_request_is_said_to_be_complete(event: MakeEvent, context: MakeContext) -> None:
    """The officer is still told to read the decision."""
    outcome = handle("state_bank", event("payment_block.requested", REQUEST), context())

    assert (len(outcome.events), outcome.state) == (0, None)
    assert outcome.note is not None
    assert "The request is complete" in outcome.note


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"authority": " "}, "the authority"),
        ({"decision_number": ""}, "the decision's number"),
        ({"legal_act": None}, "the legal act"),
        ({"legal_article": ""}, "the legal article"),
        ({"decision_date": None}, "the decision's date"),
        ({"decision": None}, "the decision itself"),
        ({"decision": {"size_bytes": 0}}, "the decision itself"),
        ({"bank_bin": "97099"}, "the bank's six-digit BIN"),
        ({"bank_bin": "9709９9"}, "the bank's six-digit BIN"),
        ({"bank_bin": None}, "the bank's six-digit BIN"),
        ({"account": None}, "the account or the customer"),
        ({"customer": SEALED}, "one of account and customer only (both are given)"),
        ({"extent": "unknown"}, "the extent: full or an amount"),
        ({"extent": "amount"}, "the amount to block (dong)"),
        ({"extent": "amount", "amount_vnd": Decimal(0)}, "the amount to block (dong)"),
        ({"valid_from": None}, "the begin of the block"),
        ({"valid_to": BEGIN}, "an end that is after the begin"),
    ],
)
def test_each_missing_part_is_named(
    event: MakeEvent, context: MakeContext, changes: dict[str, Any], expected: str
) -> None:
    """One thing missing, one thing said."""
    received = event("payment_block.requested", REQUEST | changes)

    assert [expected] == [en for _, en in missing_parts(received)]
    note = handle("state_bank", received, context()).note
    assert note is not None
    assert f"The request lacks: {expected}." in note


@pytest.mark.parametrize(
    "changes",
    [
        {"extent": "amount", "amount_vnd": Decimal(1)},
        {"account": None, "customer": SEALED},
        {"valid_to": datetime(2026, 12, 20, tzinfo=UTC)},
    ],
)
def test_other_complete_requests(event: MakeEvent, changes: dict[str, Any]) -> None:
    """An amount, a customer, an end."""
    assert missing_parts(event("payment_block.requested", REQUEST | changes)) == []


def test_withheld_fields_count_as_given(event: MakeEvent) -> None:
    """What the directory took away was there."""
    data = REQUEST | {"account": None, "extent": "amount"}
    received = event("payment_block.requested", data, removed=("account", "customer", "amount_vnd"))

    assert missing_parts(received) == []


def flag(event: MakeEvent, tag: str, valid_until: datetime | None) -> Event:
    """Make a flag of one parcel."""
    data = {"parcel": pseudonym("parcel", "postal-number", "EV1").as_data(), "valid_until": valid_until}
    return event("shipment.flagged", data, tag=tag)


def test_a_postal_operator_remembers_the_flag_under_its_parcel(event: MakeEvent, context: MakeContext) -> None:
    """So that a scan can name it."""
    received = flag(event, "1", BEGIN)

    outcome = handle("postal_operator", received, context())

    expected = {
        "flag": str(received.id),
        "correlation": str(received.correlation),
        "depth": received.depth,
        "valid_until": BEGIN.isoformat(),
    }
    assert expected == json.loads(json.dumps(outcome.state))
    assert outcome.note is not None
    assert "do not hold it" in outcome.note
    (handler,) = KINDS["postal_operator"].handlers
    assert handler.state_key is not None
    assert pseudonym("parcel", "postal-number", "ev 1").key == handler.state_key(received)


@pytest.mark.parametrize(
    ("first", "second", "replaced"),
    [
        (BEGIN, BEGIN, True),
        (BEGIN, datetime(2026, 12, 1, tzinfo=UTC), True),
        (datetime(2026, 12, 1, tzinfo=UTC), BEGIN, False),
        (None, BEGIN, False),
        (BEGIN, None, True),
        (None, None, True),
    ],
)
def test_the_flag_that_holds_longer_is_kept(
    event: MakeEvent, context: MakeContext, first: datetime | None, second: datetime | None, *, replaced: bool
) -> None:
    """Of two that end together the newer one."""
    state = handle("postal_operator", flag(event, "1", first), context()).state

    after = handle("postal_operator", flag(event, "2", second), context(state)).state

    assert replaced == (after is not None)


@pytest.mark.parametrize(
    ("event_type", "data", "expected"),
    [
        ("einvoice.anomaly_detected", {"severity": "high", "rule_id": "lines_sum"}, "high severity (lines_sum)"),
        ("einvoice.anomaly_detected", {"severity": "low", "rule_id": "lines_sum"}, None),
        ("seller.suspected", {"score": 22, "threshold": 15}, "Suspected seller (22/15)"),
        ("seller.suspected", {}, "Suspected seller: follow"),
        ("payment_block.requested", {"decision_number": "15/QD"}, "by decision 15/QD"),
        ("payment_block.answered", {"status": "refused"}, "led to nothing (refused)"),
        ("payment_block.answered", {"status": "executed"}, None),
        ("shipment.flagged", {}, None),
        ("shipment.sighted", {}, None),
    ],
)
def test_the_steering_committee_hints_at_what_is_serious(
    event: MakeEvent, context: MakeContext, event_type: str, data: dict[str, Any], expected: str | None
) -> None:
    """It publishes and keeps nothing."""
    outcome = handle("steering_committee", event(event_type, data), context())

    assert (len(outcome.events), outcome.state) == (0, None)
    assert (outcome.note is None) if expected is None else (expected in (outcome.note or ""))
