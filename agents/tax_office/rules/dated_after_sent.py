"""An invoice dated later than the day it was sent on, or, where the envelope names no time, received on."""

from __future__ import annotations

from agents.tax_office.finding import Finding, RuleCard
from streams.calendar import vietnamese_day
from streams.event import Data
from streams.sealing import Reveal

__all__ = ["CARD", "check"]

CARD = RuleCard(
    id="dated_after_sent",
    version="1",
    severity="medium",
    description_vi="Ngày lập hóa đơn sau ngày gửi (hoặc ngày nhận), tính theo giờ Việt Nam; dung sai 0 ngày.",
    description_en="The invoice's date is after the day it was sent (or received), Vietnamese time; tolerance 0 days.",
)


def check(invoice: Data, reveal: Reveal) -> Finding | None:  # noqa: ARG001 -- one signature for all rules
    """Report a date in the future of the sending; silent when either date is absent."""
    issued_on = (invoice.get("invoice") or {}).get("issued_on")
    sent_at, received_at = invoice.get("sent_at"), invoice.get("received_at")
    moment = sent_at or received_at
    if issued_on is None or moment is None:
        return None
    day = vietnamese_day(moment)
    days = (issued_on - day).days
    if days <= 0:
        return None
    name, vi, en = ("sent_on", "gửi", "sent") if sent_at else ("received_on", "nhận", "received")
    return CARD.finding(
        f"Hóa đơn ghi ngày {issued_on:%d/%m/%Y}, sau ngày {vi} {day:%d/%m/%Y} là {days} ngày.",
        f"The invoice is dated {issued_on}, {days} days after it was {en} on {day}.",
        inputs={"issued_on": issued_on.isoformat(), name: day.isoformat(), "days": str(days)},
    )
