"""
Market surveillance gathers a seller's anomalies and says when there are too many (plan, IV.3).

A seller is suspected when the score reaches `THRESHOLD` and at least `MIN_RULES` rules contribute to it, so that one
fault of an invoicing program, repeated on every invoice, makes no suspect. It is said once, and again only when the
score has doubled since. With the suspicion, and afterwards as they come, the seller's parcels are flagged.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from agents.market_surveillance.gathering import PERSONAL_FIELDS, gather, mark_flagged, parcel_key
from agents.market_surveillance.sealed_state import parcel_from_state, sealed_from_state
from streams.agent import AgentSpec, Context, Handler, Outcome
from streams.event import Draft, Event
from streams.names import EventType
from streams.subject import SubjectRef
from streams.uuids import uuid_of

__all__ = ["FLAG_DAYS", "MIN_RULES", "PER_RULE", "REPEAT_FACTOR", "SPEC", "THRESHOLD"]

THRESHOLD = 15
"""Score at which a seller is suspected: three high findings, or five medium ones, on distinct invoices or rules."""

MIN_RULES = 2
"""So many different rules must contribute."""

PER_RULE = 5
"""A rule counts on at most so many invoices, the heaviest: what is repeated more often says nothing new."""

REPEAT_FACTOR = 2
"""A suspicion is said again when the score is so many times that of the last one."""

FLAG_DAYS = 30
"""A parcel's flag ends by itself after so many days."""

SELLER_SUSPECTED = EventType("seller.suspected")
"""What it publishes about a seller."""

SHIPMENT_FLAGGED = EventType("shipment.flagged")
"""What it publishes about a parcel."""


def gather_anomalies(event: Event, context: Context) -> Outcome:
    """Remember the anomaly; suspect its seller and flag its parcels when the threshold is crossed."""
    seller = SubjectRef.from_data(event.data["seller"])
    state = gather(event, context.state)
    reasons = _reasons(state["rules"])
    score = sum(each["weight"] for each in reasons)
    events: list[Draft] = []
    crossed = _crosses(score, reasons, state["published"])
    if crossed:
        events.append(_suspicion(seller, state, reasons, score))
        state = {**state, "published": score}
    if state["published"] is not None:
        new = [each for each in state["parcels"] if parcel_key(each) not in state["flagged"]]
        events += [_flag(seller, each, reasons, context.now) for each in new]
        state = mark_flagged(state, [parcel_key(each) for each in new])
    return Outcome(events=events, state=state, note=_note(score, crossed=crossed, suspected=state["published"]))


def _crosses(score: int, reasons: list[dict[str, Any]], published: int | None) -> bool:
    if published is not None:
        return score >= published * REPEAT_FACTOR
    return score >= THRESHOLD and sum(1 for each in reasons if each["weight"]) >= MIN_RULES


def _reasons(rules: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Make the Avro records `Reason`, one for each rule, the heaviest first."""
    reasons = []
    for name, rule in rules.items():
        found = list(rule["invoices"].values())
        weights = sorted((weight for _, weight in found), reverse=True)[:PER_RULE]
        reasons.append(
            {
                "code": name,
                "message_vi": f"{rule['vi']} ({len(found)} hóa đơn)",
                "message_en": f"{rule['en']} ({len(found)} invoices)",
                "weight": sum(weights),
                "evidence": [uuid_of(event_id) for event_id, _ in found],
            }
        )
    return sorted(reasons, key=lambda each: (-each["weight"], each["code"]))


def _suspicion(seller: SubjectRef, state: Mapping[str, Any], reasons: list[dict[str, Any]], score: int) -> Draft:
    data = {
        "seller": seller.as_data(),
        "score": score,
        "threshold": THRESHOLD,
        "reasons": reasons,
        "evidence": sorted({event_id for each in reasons for event_id in each["evidence"]}),
        "first_seen_at": datetime.fromisoformat(state["first_seen_at"]),
        **{name: sealed_from_state(state["personal"].get(name)) for name in PERSONAL_FIELDS},
        "seller_bank": state["bank"],
        "parcels": [parcel_from_state(each) for each in state["parcels"]],
    }
    return Draft(type=SELLER_SUSPECTED, subject=seller, data=data)


def _flag(seller: SubjectRef, kept: Mapping[str, Any], reasons: list[dict[str, Any]], now: datetime) -> Draft:
    parcel = parcel_from_state(kept)
    data = {
        **parcel,
        "seller": seller.as_data(),
        "reasons": reasons,
        "valid_until": now + timedelta(days=FLAG_DAYS),
    }
    return Draft(type=SHIPMENT_FLAGGED, subject=SubjectRef.from_data(parcel["parcel"]), data=data)


def _note(score: int, *, crossed: bool, suspected: int | None) -> str:
    if crossed:
        return f"Người bán vượt ngưỡng nghi vấn: {score} điểm. / The seller crossed the threshold: {score} points."
    if suspected is not None:
        return f"Người bán đã bị nghi vấn; hiện {score} điểm. / The seller is suspected already; now {score} points."
    return f"Người bán: {score}/{THRESHOLD} điểm. / The seller has {score} of {THRESHOLD} points."


def _seller(event: Event) -> str:
    return SubjectRef.from_data(event.data["seller"]).key


SPEC = AgentSpec(
    kind="market_surveillance",
    handlers=(
        Handler(
            name="gather_anomalies",
            event_type=EventType("einvoice.anomaly_detected"),
            handle=gather_anomalies,
            plan="IV.3",
            state_key=_seller,
        ),
    ),
)
"""Market surveillance's handlers."""
