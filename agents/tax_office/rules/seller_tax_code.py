"""The seller's tax code and its check digit. It warns and never rejects: 10 of 28,943 real codes fail the sum."""

from __future__ import annotations

import re

from stdnum.vn import mst

from agents.tax_office.finding import Finding, RuleCard
from streams.event import Data
from streams.sealing import Reveal

__all__ = ["CARD", "check"]

CARD = RuleCard(
    id="seller_tax_code",
    version="1",
    severity="low",
    description_vi=(
        "Mã số thuế người bán không đúng dạng (10 hoặc 13 chữ số, hoặc 12 chữ số định danh cá nhân) "
        "hoặc sai chữ số kiểm tra. Chỉ cảnh báo, không từ chối."
    ),
    description_en=(
        "The seller's tax code has another form than 10 or 13 digits (or a 12-digit personal number), "
        "or its check digit is wrong. Warns, never rejects."
    ),
)

PERSONAL_NUMBER = re.compile(r"\d{12}")
"""Since 1 July 2025 a 12-digit personal number is a tax code; it has no check digit."""


def check(invoice: Data, reveal: Reveal) -> Finding | None:
    """Report a tax code that cannot be right; silent when the code is absent or not open to this agency."""
    text = reveal(invoice.get("seller_tax_code"))
    if text is None or not text.strip():
        return None
    code = str(mst.compact(text))
    if PERSONAL_NUMBER.fullmatch(code) or mst.is_valid(code):
        return None
    digits = code.isascii() and code.isdigit() and len(code) in (10, 13)
    inputs = {"characters": str(len(code)), "problem": "check_digit" if digits else "form"}
    if digits:
        return CARD.finding(
            "Mã số thuế người bán sai chữ số kiểm tra.",
            "The check digit of the seller's tax code is wrong.",
            inputs=inputs,
        )
    return CARD.finding(
        f"Mã số thuế người bán không đúng dạng ({len(code)} ký tự).",
        f"The seller's tax code has an unknown form ({len(code)} characters).",
        inputs=inputs,
    )
