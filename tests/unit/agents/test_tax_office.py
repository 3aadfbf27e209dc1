"""The tax office's handler."""

from __future__ import annotations

import copy
import io
import json
from collections.abc import Callable
from decimal import Decimal
from typing import Any

import fastavro

from agents import KINDS
from agents.tax_office import SPEC
from streams.agent import Context
from streams.catalogue import load_catalogue
from streams.event import Event
from streams.names import EventType
from streams.subject import SubjectRef, pseudonym

Make = Callable[..., dict[str, Any]]
(HANDLER,) = SPEC.handlers
SEALED = {"key_id": "k1", "nonce": b"123456789012", "ciphertext": b"0123456789abcdef"}


def test_kinds_hold_every_agency_of_the_thread_by_kind() -> None:
    """Each handler names its paragraph of the plan and has a name of its own."""
    expected = {
        "information_department",
        "market_surveillance",
        "police",
        "postal_operator",
        "state_bank",
        "steering_committee",
        "tax_office",
    }

    assert expected == set(KINDS)
    assert all(kind == spec.kind for kind, spec in KINDS.items())
    for spec in KINDS.values():
        names = [each.name for each in spec.handlers]
        assert sorted(set(names)) == sorted(names)
        assert all(each.plan.startswith("IV.") for each in spec.handlers)


def test_each_finding_becomes_one_anomaly_that_encodes(
    invoice: Make, event: Callable[..., Event], context: Callable[..., Context]
) -> None:
    """What the invoice held of its seller goes along, sealed as it came."""
    parcel = {"parcel": pseudonym("parcel", "postal-number", "EV1").as_data(), "number": SEALED, "carrier": "Bưu điện"}
    sealed = {"seller_tax_code": SEALED, "seller_name": SEALED, "seller_account": SEALED, "buyer_tax_code": SEALED}
    data = invoice(total_amount=Decimal(50_000), parcels=[parcel], **sealed)
    received = event("einvoice.received", data)

    outcome = HANDLER.handle(received, context())

    assert [each.data["rule_id"] for each in outcome.events] == ["amount_in_words", "total_sum"]
    assert outcome.note is not None
    assert "2 anomalies: amount_in_words, total_sum" in outcome.note
    for draft in outcome.events:
        assert draft.subject == SubjectRef.from_data(data["seller"])
        assert draft.data["seller_account"] == SEALED
        assert draft.data["parcels"] == [parcel]
        assert draft.data["invoice"] == data["invoice"]
        assert draft.data["detected_at"] == context().now
        spec = load_catalogue()[EventType("einvoice.anomaly_detected")]
        fastavro.schemaless_writer(io.BytesIO(), spec.parsed, dict(draft.data), strict=True)


def test_a_clean_invoice_is_remembered_and_says_nothing(
    invoice: Make, event: Callable[..., Event], context: Callable[..., Context]
) -> None:
    """No event, no note, but the state to compare with."""
    outcome = HANDLER.handle(event("einvoice.received", invoice()), context())

    assert (len(outcome.events), outcome.note) == (0, None)
    assert outcome.state is not None
    assert outcome.state == json.loads(json.dumps(outcome.state))


def test_a_changed_invoice_is_told_among_the_others_in_the_order_of_rules(
    invoice: Make, event: Callable[..., Event], context: Callable[..., Context]
) -> None:
    """Findings with and without memory make one list, so that derived ids are stable."""
    first = event("einvoice.received", invoice())
    second = event("einvoice.received", invoice(total_amount=Decimal(50_000)), tag="2")
    assert HANDLER.state_key is not None
    assert HANDLER.state_key(first) == HANDLER.state_key(second)

    state = HANDLER.handle(first, context()).state
    outcome = HANDLER.handle(second, context(state))

    assert [each.data["rule_id"] for each in outcome.events] == ["amount_in_words", "invoice_changed", "total_sum"]


def test_the_handler_changes_nothing_it_was_given(
    invoice: Make, event: Callable[..., Event], context: Callable[..., Context]
) -> None:
    """Pure: the same outcome for the same event, which stays as it was."""
    data = invoice(total_amount=Decimal(50_000))
    before = copy.deepcopy(data)
    received = event("einvoice.received", data)

    first, second = HANDLER.handle(received, context()), HANDLER.handle(received, context())

    assert first == second
    assert before == data
