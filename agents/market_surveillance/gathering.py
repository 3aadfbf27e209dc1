"""
What market surveillance remembers about one seller: which rules spoke about which invoices, and what came with it.

The state is JSON values and bounded: `MAX_RULES` rules of `MAX_INVOICES` invoices each, `MAX_PARCELS` parcels,
`MAX_FLAGGED` keys of flagged parcels, texts cut at `MAX_TEXT`: under 512 KiB at the worst, some 10 KiB in practice.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from agents.market_surveillance.sealed_state import parcel_to_state, sealed_to_state
from streams.agent import State
from streams.event import Event
from streams.subject import SubjectRef

__all__ = [
    "MAX_FLAGGED",
    "MAX_INVOICES",
    "MAX_PARCELS",
    "MAX_RULES",
    "MAX_TEXT",
    "PERSONAL_FIELDS",
    "WEIGHTS",
    "gather",
    "mark_flagged",
    "parcel_key",
]

WEIGHTS = {"info": 0, "low": 1, "medium": 3, "high": 5, "unknown": 0}
"""What one anomaly adds by its severity; a remark and a severity from a newer schema add nothing."""

MAX_RULES = 32
"""More rules about one seller are not remembered."""

MAX_INVOICES = 16
"""So many invoices of one seller are remembered for each rule, the first ones."""

MAX_PARCELS = 100
"""So many parcels of one seller are remembered, the newest ones."""

MAX_FLAGGED = 500
"""So many flagged parcels are remembered, the newest ones; an older one that comes back is flagged again."""

MAX_TEXT = 300
"""Characters kept of a text from outside."""

PERSONAL_FIELDS = ("seller_tax_code", "seller_name", "seller_account")
"""Sealed fields of an anomaly that a suspicion repeats, as they came last."""


def gather(event: Event, state: State) -> dict[str, Any]:
    """
    Add one anomaly to what is remembered about its seller.

    The same rule about the same invoice counts once, with the greater weight.

    Args:
        event: an `einvoice.anomaly_detected`.
        state: what this function gave last time; empty at first.

    Returns:
        The new state: `rules` (rule -> `vi`, `en`, `invoices`: invoice -> [event id, weight]), `first_seen_at`,
        `personal`, `bank`, `parcels`, `flagged`, `published` (score of the last suspicion, or None).
    """
    data, moment = event.data, event.time.isoformat()
    personal = dict(state.get("personal") or {})
    personal |= {name: sealed_to_state(data[name]) for name in PERSONAL_FIELDS if data.get(name) is not None}
    return {
        "rules": _with_anomaly(event, state.get("rules") or {}),
        "first_seen_at": min(moment, state.get("first_seen_at") or moment),
        "personal": personal,
        "bank": _cut(data.get("seller_bank")) or state.get("bank"),
        "parcels": _with_parcels(event, state.get("parcels") or []),
        "flagged": list(state.get("flagged") or []),
        "published": state.get("published"),
    }


def mark_flagged(state: Mapping[str, Any], keys: list[str]) -> dict[str, Any]:
    """Remember that parcels were flagged."""
    return {**state, "flagged": [*state["flagged"], *keys][-MAX_FLAGGED:]}


def parcel_key(kept: Mapping[str, Any]) -> str:
    """Name a remembered parcel by its pseudonym."""
    return SubjectRef.from_data(kept["parcel"]).key


def _with_anomaly(event: Event, rules: Mapping[str, Any]) -> dict[str, Any]:
    name = str(event.data["rule_id"])[:MAX_TEXT]
    if name not in rules and len(rules) >= MAX_RULES:
        return dict(rules)
    rule = rules.get(name) or {
        "vi": _cut(event.data.get("message_vi")) or name,
        "en": _cut(event.data.get("message_en")) or name,
        "invoices": {},
    }
    invoices, invoice = dict(rule["invoices"]), _invoice(event)
    weight = WEIGHTS.get(event.data.get("severity") or "unknown", 0)
    if invoice in invoices:
        first, known = invoices[invoice]
        invoices[invoice] = [first, max(known, weight)]
    elif len(invoices) < MAX_INVOICES:
        invoices[invoice] = [str(event.id), weight]
    return {**rules, name: {**rule, "invoices": invoices}}


def _invoice(event: Event) -> str:
    """Name an invoice of the seller; one without a number by its document, else by the event."""
    ref: Mapping[str, Any] = event.data.get("invoice") or {}
    document: Mapping[str, Any] = event.data.get("document") or {}
    if not (ref.get("number") or "").strip():
        return str(document.get("sha256") or event.id)[:MAX_TEXT]
    return "|".join(str(ref.get(name) or "").strip()[:64] for name in ("form", "series", "number"))


def _with_parcels(event: Event, kept: list[dict[str, Any]]) -> list[dict[str, Any]]:
    known = {parcel_key(each) for each in kept}
    merged = list(kept)
    for each in event.data.get("parcels") or ():
        parcel = {**parcel_to_state(each), "carrier": _cut(each.get("carrier"))}
        if parcel_key(parcel) not in known:
            known.add(parcel_key(parcel))
            merged.append(parcel)
    return merged[-MAX_PARCELS:]


def _cut(text: str | None) -> str | None:
    return text[:MAX_TEXT] if text else None
