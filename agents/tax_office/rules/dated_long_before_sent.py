"""
An invoice dated long before the day it was sent on.

Only the sender's own time counts: a file that reaches the tax office late, from an archive, says nothing.
"""

from __future__ import annotations

from agents.tax_office.finding import Finding, RuleCard
from streams.calendar import vietnamese_day
from streams.event import Data
from streams.sealing import Reveal

__all__ = ["CARD", "LONG_BEFORE_DAYS", "check"]

LONG_BEFORE_DAYS = 60
"""So many days between the invoice's date and its sending are still taken: more than a month's or quarter's delay."""

CARD = RuleCard(
    id="dated_long_before_sent",
    version="1",
    severity="low",
    description_vi=f"Ngày lập hóa đơn trước ngày gửi quá {LONG_BEFORE_DAYS} ngày, tính theo giờ Việt Nam.",
    description_en=f"The invoice's date is more than {LONG_BEFORE_DAYS} days before it was sent, Vietnamese time.",
)


def check(invoice: Data, reveal: Reveal) -> Finding | None:  # noqa: ARG001 -- one signature for all rules
    """Report a date too far in the past of the sending; silent when either date is absent."""
    issued_on, sent_at = (invoice.get("invoice") or {}).get("issued_on"), invoice.get("sent_at")
    if issued_on is None or sent_at is None:
        return None
    day = vietnamese_day(sent_at)
    days = (day - issued_on).days
    if days <= LONG_BEFORE_DAYS:
        return None
    return CARD.finding(
        f"Hóa đơn ghi ngày {issued_on:%d/%m/%Y}, trước ngày gửi {day:%d/%m/%Y} là {days} ngày.",
        f"The invoice is dated {issued_on}, {days} days before it was sent on {day}.",
        inputs={
            "issued_on": issued_on.isoformat(),
            "sent_on": day.isoformat(),
            "days": str(days),
            "limit_days": str(LONG_BEFORE_DAYS),
        },
    )
