"""The tax office reads e-invoices and tells the other agencies what does not fit (plan, IV.9)."""

from __future__ import annotations

from agents.tax_office.finding import Finding
from agents.tax_office.rules.invoice_changed import compare, invoice_key
from agents.tax_office.rules.registry import RULES
from streams.agent import AgentSpec, Context, Handler, Outcome
from streams.event import Data, Draft, Event
from streams.names import EventType
from streams.sealing import Reveal
from streams.subject import SubjectRef

__all__ = ["SPEC", "check_invoice"]

EINVOICE_RECEIVED = EventType("einvoice.received")
"""What it reads."""

ANOMALY_DETECTED = EventType("einvoice.anomaly_detected")
"""What it publishes, one for each finding."""

PASSED_THROUGH = ("document", "seller_tax_code", "seller_name", "seller_account", "seller_bank", "parcels")
"""Fields of the invoice that an anomaly repeats; sealed ones stay as they came."""


def check_invoice(invoice: Data, reveal: Reveal) -> list[Finding]:
    """
    Apply every rule that needs nothing but the invoice.

    Args:
        invoice: fields of `einvoice.received`, before or after publishing.
        reveal: opens the personal ones; rules whose fields stay closed find nothing.

    Returns:
        The findings in the order of their rules' ids.
    """
    found = [rule.check(invoice, reveal) for rule in RULES]
    return [each for each in found if each is not None]


def detect_anomalies(event: Event, context: Context) -> Outcome:
    """Publish one anomaly for each finding, and remember the invoice under its key."""
    findings = check_invoice(event.data, context.reveal)
    changed, state = compare(event.data, context.state)
    if changed is not None:
        findings = sorted([*findings, changed], key=lambda each: each.rule_id)
    return Outcome(
        events=[_anomaly(event, finding, context) for finding in findings],
        state=state,
        note=_note(findings),
    )


def _anomaly(event: Event, finding: Finding, context: Context) -> Draft:
    data = {
        "seller": event.data["seller"],
        "invoice": event.data.get("invoice"),
        "rule_id": finding.rule_id,
        "rule_version": finding.rule_version,
        "severity": finding.severity,
        "message_vi": finding.message_vi,
        "message_en": finding.message_en,
        "inputs": dict(finding.inputs),
        "detected_at": context.now,
        **{name: event.data.get(name) for name in PASSED_THROUGH},
    }
    return Draft(type=ANOMALY_DETECTED, subject=SubjectRef.from_data(event.data["seller"]), data=data)


def _note(findings: list[Finding]) -> str | None:
    if not findings:
        return None
    rules = ", ".join(each.rule_id for each in findings)
    return f"{len(findings)} điểm bất thường: {rules}. / {len(findings)} anomalies: {rules}."


def _invoice_state(event: Event) -> str:
    return invoice_key(event.data)


SPEC = AgentSpec(
    kind="tax_office",
    handlers=(
        Handler(
            name="detect_anomalies",
            event_type=EINVOICE_RECEIVED,
            handle=detect_anomalies,
            plan="IV.9",
            state_key=_invoice_state,
        ),
    ),
)
"""The tax office's handlers."""
