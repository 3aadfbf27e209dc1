"""Seller and buyer under one tax code. Internal delivery notes, where that is natural, are left out."""

from __future__ import annotations

from stdnum.vn import mst

from agents.tax_office.finding import Finding, RuleCard
from streams.event import Data
from streams.sealing import Reveal

__all__ = ["CARD", "check"]

CARD = RuleCard(
    id="same_party",
    version="1",
    severity="medium",
    description_vi="Người bán và người mua có cùng mã số thuế; trừ phiếu xuất kho (mẫu số 6).",
    description_en="Seller and buyer have the same tax code; delivery notes (form 6) are left out.",
)

DELIVERY_NOTE_FORM = "6"
"""KHMSHDon of a delivery note that goes with an internal transfer or with goods to an agent."""


def check(invoice: Data, reveal: Reveal) -> Finding | None:
    """Report a sale to oneself; silent when either tax code is absent or not open to this agency."""
    seller, buyer = (_code(reveal(invoice.get(name))) for name in ("seller_tax_code", "buyer_tax_code"))
    form = (invoice.get("invoice") or {}).get("form") or ""
    if not seller or seller != buyer or form.strip().startswith(DELIVERY_NOTE_FORM):
        return None
    return CARD.finding(
        "Người bán và người mua có cùng mã số thuế.",
        "Seller and buyer have the same tax code.",
        inputs={"same": "tax_code", "form": form.strip()[:20]},
    )


def _code(text: str | None) -> str:
    return str(mst.compact(text)) if text else ""
