"""A tax rate that was never in force. Rates are data; those that held for a time stay in the list."""

from __future__ import annotations

import re

from agents.tax_office.amounts import rows
from agents.tax_office.finding import Finding, RuleCard
from streams.event import Data
from streams.sealing import Reveal

__all__ = ["CARD", "KNOWN_RATES", "check"]

CARD = RuleCard(
    id="tax_rate_unknown",
    version="1",
    severity="low",
    description_vi="Thuế suất không thuộc danh mục: 0, 3,5, 5, 5,26, 7, 8, 10 %, KCT, KKKNT, KHAC.",
    description_en="A tax rate is not in the list: 0, 3.5, 5, 5.26, 7, 8, 10 %, KCT, KKKNT, KHAC.",
)

KNOWN_RATES = frozenset({"0", "3.5", "5", "5.26", "7", "8", "10", "KCT", "KKKNT"})
"""VAT rates, those of the reductions of 2021 (3.5, 7) and since 2022 (8) included; `KHAC` with anything is known."""

OTHER = "KHAC"
"""`Other`, with or without a rate after a colon."""


def check(invoice: Data, reveal: Reveal) -> Finding | None:  # noqa: ARG001 -- one signature for all rules
    """Report the rates that nobody may charge; silent about lines without a rate."""
    written = [each.get("tax_rate") for each in rows(invoice, "lines")]
    written += [each.get("rate") for each in rows(invoice, "tax_rates")]
    unknown = sorted({each.strip() for each in written if each and each.strip() and not _is_known(each)})
    if not unknown:
        return None
    listed = ", ".join(unknown)[:200]
    return CARD.finding(
        f"Thuế suất không có trong danh mục: {listed}.",
        f"The tax rate is not in the list: {listed}.",
        inputs={"rates": listed},
    )


def _is_known(rate: str) -> bool:
    folded = re.sub(r"\s", "", rate).upper().replace(",", ".").rstrip("%")
    if folded.startswith(OTHER):
        return True
    plain = folded.rstrip("0").rstrip(".") if "." in folded else folded
    return plain in KNOWN_RATES
