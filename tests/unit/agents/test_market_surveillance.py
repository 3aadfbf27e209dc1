"""Market surveillance: when a seller is suspected, and which parcels are flagged."""

from __future__ import annotations

import copy
import io
import json
from collections.abc import Callable, Iterable
from datetime import timedelta
from typing import Any

import fastavro
import pytest

from agents.market_surveillance import SPEC
from agents.market_surveillance.gathering import (
    MAX_FLAGGED,
    MAX_INVOICES,
    MAX_PARCELS,
    MAX_RULES,
    gather,
    mark_flagged,
)
from agents.market_surveillance.handler import FLAG_DAYS, MIN_RULES, PER_RULE, THRESHOLD
from agents.market_surveillance.sealed_state import MAX_SEALED_BYTES, sealed_from_state, sealed_to_state
from streams.agent import Context, Outcome
from streams.catalogue import load_catalogue
from streams.event import Draft, Event
from streams.subject import pseudonym

MakeEvent = Callable[..., Event]
MakeContext = Callable[..., Context]
(HANDLER,) = SPEC.handlers
SELLER = pseudonym("seller", "vn-mst", "9900000056")


def sealed(text: str) -> dict[str, Any]:
    """Make what a sealed field looks like."""
    return {"key_id": f"key-{text}", "nonce": b"\x00\xff" * 6, "ciphertext": text.encode() + bytes(range(16))}


def parcel(number: str) -> dict[str, Any]:
    """Make a parcel of an invoice."""
    subject = pseudonym("parcel", "postal-number", number)
    return {"parcel": subject.as_data(), "number": sealed(number), "carrier": "Bưu điện"}


def anomaly(rule: str, number: str, severity: str = "medium", **changes: Any) -> dict[str, Any]:
    """Make the fields of an anomaly."""
    return {
        "seller": SELLER.as_data(),
        "invoice": {"seller": SELLER.as_data(), "form": "1", "series": "C26TVD", "number": number, "issued_on": None},
        "rule_id": rule,
        "rule_version": "1",
        "severity": severity,
        "message_vi": f"Bất thường {rule}",
        "message_en": f"Anomaly {rule}",
        "document": {"sha256": "cd" * 32, "media_type": "application/xml", "size_bytes": 5},
        "seller_tax_code": sealed("code"),
        "seller_name": sealed("name"),
        "seller_account": sealed("account"),
        "seller_bank": "Ngân hàng TMCP Ví Dụ",
        "parcels": [],
        **changes,
    }


@pytest.fixture
def play(event: MakeEvent, context: MakeContext) -> Callable[[Iterable[dict[str, Any]]], list[Outcome]]:
    """Handle anomalies one after the other; the state goes through JSON each time, as it does in the database."""

    def run(anomalies: Iterable[dict[str, Any]]) -> list[Outcome]:
        outcomes: list[Outcome] = []
        for place, data in enumerate(anomalies):
            state = json.loads(json.dumps(outcomes[-1].state)) if outcomes else None
            received = event("einvoice.anomaly_detected", data, tag=str(place))
            outcomes.append(HANDLER.handle(received, context(state)))
        return outcomes

    return run


Play = Callable[[Iterable[dict[str, Any]]], list[Outcome]]


def types(outcomes: Iterable[Outcome]) -> list[list[str]]:
    """Name the events of each outcome."""
    return [[draft.type for draft in each.events] for each in outcomes]


def check_encodes(drafts: Iterable[Draft]) -> None:
    """Each draft fits its schema, and no field is unknown to it."""
    catalogue = load_catalogue()
    for draft in drafts:
        fastavro.schemaless_writer(io.BytesIO(), catalogue[draft.type].parsed, dict(draft.data), strict=True)


def test_a_seller_is_suspected_once_when_the_threshold_is_reached(play: Play) -> None:
    """Five medium findings of two rules make 15 points; the sixth says nothing again."""
    anomalies = [anomaly("lines_sum" if place % 2 else "tax_sum", str(place)) for place in range(6)]

    outcomes = play(anomalies)

    assert types(outcomes) == [[], [], [], [], ["seller.suspected"], []]
    (suspicion,) = outcomes[4].events
    assert suspicion.subject == SELLER
    assert (suspicion.data["score"], suspicion.data["threshold"]) == (15, THRESHOLD)
    assert [(each["code"], each["weight"], len(each["evidence"])) for each in suspicion.data["reasons"]] == [
        ("tax_sum", 9, 3),
        ("lines_sum", 6, 2),
    ]
    assert len(set(suspicion.data["evidence"])) == 5
    assert suspicion.data["seller_account"] == sealed("account")
    assert suspicion.data["seller_bank"] == "Ngân hàng TMCP Ví Dụ"
    check_encodes(outcomes[4].events)
    assert outcomes[3].note is not None
    assert "12 of 15" in outcomes[3].note


def test_one_rule_alone_makes_no_suspect(play: Play) -> None:
    """A program's fault on every invoice counts at most so often, and a second rule must contribute."""
    outcomes = play([anomaly("lines_sum", str(place), "high") for place in range(9)])
    remark = play([anomaly("lines_sum", str(place), "high") for place in range(9)] + [anomaly("x", "1", "info")])

    assert types(outcomes) == [[]] * 9
    assert types(remark) == [[]] * 10
    assert MIN_RULES == 2


def test_the_same_rule_about_the_same_invoice_counts_once(play: Play) -> None:
    """A file sent again adds nothing; a heavier finding replaces the lighter."""
    outcomes = play([anomaly("a", "1", "low")] * 4 + [anomaly("a", "1", "high")] + [anomaly("b", "1", "high")] * 4)

    state = outcomes[-1].state
    assert state is not None
    assert types(outcomes) == [[]] * 9
    assert [next(iter(rule["invoices"].values()))[1] for rule in state["rules"].values()] == [5, 5]


def test_invoices_without_a_number_are_told_apart_by_document_or_event(play: Play) -> None:
    """Each counts for itself."""
    one, two = {"sha256": "01" * 32}, {"sha256": "02" * 32}
    outcomes = play(
        [
            anomaly("a", "", document=one),
            anomaly("a", "", document=two),
            anomaly("a", "", document=None),
            anomaly("a", "", document=None, invoice=None),
        ]
    )

    state = outcomes[-1].state
    assert state is not None
    assert len(state["rules"]["a"]["invoices"]) == 4


def test_a_suspicion_is_said_again_when_the_score_has_doubled(play: Play) -> None:
    """15 points, then nothing until 30."""
    rules = ["a", "b", "c", "d", "e"]
    outcomes = play([anomaly(rule, str(place)) for place in range(2) for rule in rules])

    said = [place for place, each in enumerate(types(outcomes)) if each]

    assert said == [4, 9]
    assert [outcomes[place].events[0].data["score"] for place in said] == [15, 30]


def test_a_rule_counts_on_its_heaviest_invoices(play: Play) -> None:
    """Many light findings do not push out a heavy one."""
    outcomes = play([anomaly("a", str(place), "low") for place in range(8)] + [anomaly("a", "9", "high")])

    assert outcomes[-1].note is not None
    assert f"{PER_RULE - 1 + 5} of {THRESHOLD}" in outcomes[-1].note


def test_parcels_are_flagged_at_the_crossing_and_as_they_come(play: Play, context: MakeContext) -> None:
    """Each parcel once, with its number sealed as it came, for a stated time."""
    anomalies = [anomaly("a", "1", "high", parcels=[parcel("P1")]), anomaly("b", "1", "high", parcels=[parcel("P1")])]
    anomalies += [anomaly("a", "2", "high", parcels=[parcel("P2")])]
    anomalies += [anomaly("a", "3", "low", parcels=[parcel("P2"), parcel("P3"), parcel("P3")])]
    anomalies += [anomaly("a", "3", "low", parcels=None)]

    outcomes = play(anomalies)

    expected = [[], [], ["seller.suspected", "shipment.flagged", "shipment.flagged"], ["shipment.flagged"], []]
    assert expected == types(outcomes)
    first = outcomes[2].events[1]
    assert first.subject == pseudonym("parcel", "postal-number", "P1")
    assert first.data["number"] == sealed("P1")
    assert first.data["seller"] == SELLER.as_data()
    assert first.data["valid_until"] == context().now + timedelta(days=FLAG_DAYS)
    assert [each["code"] for each in first.data["reasons"]] == ["a", "b"]
    assert [parcel("P1"), parcel("P2")] == outcomes[2].events[0].data["parcels"]
    assert outcomes[3].note is not None
    assert "suspected already" in outcomes[3].note
    check_encodes([*outcomes[2].events, *outcomes[3].events])


def test_removed_fields_leave_a_suspicion_without_them(play: Play) -> None:
    """A directory may take everything but the seller away."""
    bare = {"invoice": None, "message_vi": None, "message_en": None, "document": None, "parcels": None}
    personal = {"seller_tax_code": None, "seller_name": None, "seller_account": None, "seller_bank": None}
    outcomes = play([anomaly(rule, "1", "high", **bare, **personal) for rule in "abc"])

    (suspicion,) = outcomes[-1].events
    assert suspicion.data["seller_tax_code"] is None
    assert suspicion.data["seller_bank"] is None
    assert suspicion.data["reasons"][0]["message_vi"] == "a (1 hóa đơn)"
    check_encodes([suspicion])


def test_the_oldest_evidence_dates_the_suspicion(event: MakeEvent, context: MakeContext) -> None:
    """Events may come out of order across partitions."""
    now = context().now
    times = [now, now - timedelta(days=3), now + timedelta(days=1)]
    state = None
    for place, (rule, time) in enumerate(zip("abc", times, strict=True)):
        received = event("einvoice.anomaly_detected", anomaly(rule, "1", "high"), tag=str(place), time=time)
        outcome = HANDLER.handle(received, context(state))
        state = outcome.state

    assert now - timedelta(days=3) == outcome.events[0].data["first_seen_at"]


def test_an_unknown_severity_counts_nothing(play: Play) -> None:
    """A newer schema's symbol reads as unknown."""
    outcomes = play([anomaly("a", "1", "unknown"), anomaly("b", "1", "critical")])

    assert outcomes[-1].note is not None
    assert "0 of 15" in outcomes[-1].note


def test_the_state_is_bounded(event: MakeEvent) -> None:
    """However much comes in: rules, invoices, parcels, texts, ciphertexts."""
    long = "ễ" * 1_000
    huge = {"key_id": "k", "nonce": b"n", "ciphertext": bytes(MAX_SEALED_BYTES + 1)}
    state: dict[str, Any] = {}
    for place in range((MAX_RULES + 2) * (MAX_INVOICES + 1)):
        data = anomaly(f"{place % (MAX_RULES + 2)}-{long}", f"{place}-{long}", "high", message_vi=long, message_en=long)
        data |= {"seller_name": huge, "parcels": [parcel(f"{place}") | {"carrier": long}] if place % 5 else []}
        state = gather(event("einvoice.anomaly_detected", data, tag="same"), state)
        state = mark_flagged(state, [f"parcel:{place}"])

    assert len(state["rules"]) == MAX_RULES
    assert {len(each["invoices"]) for each in state["rules"].values()} == {MAX_INVOICES}
    assert len(state["parcels"]) == MAX_PARCELS
    assert len(state["flagged"]) == MAX_FLAGGED
    assert state["personal"]["seller_name"] is None
    assert len(json.dumps(state, ensure_ascii=False).encode()) < 512 * 1024


def test_the_handler_is_pure(event: MakeEvent, context: MakeContext) -> None:
    """The same outcome again; what it was given stays as it was."""
    received = event("einvoice.anomaly_detected", anomaly("a", "1", parcels=[parcel("P")]))
    state = HANDLER.handle(received, context()).state
    before = copy.deepcopy(state)
    again = event("einvoice.anomaly_detected", anomaly("b", "2", parcels=[parcel("Q")]), tag="2")

    assert HANDLER.handle(again, context(state)) == HANDLER.handle(again, context(state))
    assert before == state
    assert HANDLER.state_key is not None
    assert SELLER.key == HANDLER.state_key(received)


def test_a_sealed_record_leaves_the_state_unchanged() -> None:
    """Bytes survive JSON; what is no record is nothing."""
    record = sealed("x")

    assert record == sealed_from_state(json.loads(json.dumps(sealed_to_state(record))))
    assert sealed_from_state(sealed_to_state(None)) is None
    assert sealed_to_state(record, max_bytes=3) is None
