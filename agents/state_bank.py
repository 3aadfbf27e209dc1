"""
The State Bank branch: is a payment-block request complete? An officer decides, never this file (plan, IV.8).

Completeness is all that is looked at: whether the authority may order it, and whether the decision says what the
request says, is for the officer who reads the decision.
"""

from __future__ import annotations

import re
from decimal import Decimal

from streams.agent import AgentSpec, Context, Handler, Outcome
from streams.event import Event
from streams.names import EventType

__all__ = ["SPEC", "missing_parts"]

BANK_BIN = re.compile(r"\d{6}", re.ASCII)
"""A bank's identification number has six digits."""

NEEDED_TEXTS = {
    "authority": ("cơ quan ra quyết định", "the authority"),
    "decision_number": ("số quyết định", "the decision's number"),
    "legal_act": ("văn bản làm căn cứ pháp lý", "the legal act"),
    "legal_article": ("điều, khoản làm căn cứ pháp lý", "the legal article"),
}
"""Texts that must not be blank, with their names in both languages."""

EXTENTS = frozenset({"full", "amount"})
"""What a request may ask for."""


def missing_parts(event: Event) -> list[tuple[str, str]]:
    """
    List what a `payment_block.requested` lacks, in Vietnamese and English; empty when it is complete.

    A field that was withheld from this agency counts as present: its sender gave it.
    """
    data = event.data
    missing = [names for field, names in NEEDED_TEXTS.items() if not (data.get(field) or "").strip()]
    if data.get("decision_date") is None:
        missing.append(("ngày quyết định", "the decision's date"))
    if not (data.get("decision") or {}).get("size_bytes"):
        missing.append(("văn bản quyết định", "the decision itself"))
    if not BANK_BIN.fullmatch(data.get("bank_bin") or ""):
        missing.append(("mã BIN ngân hàng gồm 6 chữ số", "the bank's six-digit BIN"))
    return missing + _target(event) + _extent(event) + _period(event)


def check_completeness(event: Event, context: Context) -> Outcome:  # noqa: ARG001 -- one signature for all handlers
    """Tell the officer what is missing, or that nothing is."""
    missing = missing_parts(event)
    if not missing:
        return Outcome(
            note="Hồ sơ đầy đủ; đối chiếu với văn bản quyết định trước khi trả lời. / "
            "The request is complete; compare it with the decision before answering."
        )
    vi = "; ".join(each for each, _ in missing)
    en = "; ".join(each for _, each in missing)
    return Outcome(note=f"Hồ sơ còn thiếu: {vi}. / The request lacks: {en}.")


def _target(event: Event) -> list[tuple[str, str]]:
    given = [field for field in ("account", "customer") if event.data.get(field) is not None or field in event.removed]
    if not given:
        return [("số tài khoản hoặc mã khách hàng", "the account or the customer")]
    if len(given) > 1 and not event.removed:
        return [
            (
                "chỉ một trong hai: số tài khoản hoặc mã khách hàng (đang có cả hai)",
                "one of account and customer only (both are given)",
            )
        ]
    return []


def _extent(event: Event) -> list[tuple[str, str]]:
    extent, amount = event.data.get("extent"), event.data.get("amount_vnd")
    if extent not in EXTENTS:
        return [("phạm vi: toàn bộ hoặc một phần", "the extent: full or an amount")]
    if extent == "amount" and "amount_vnd" not in event.removed and (amount is None or amount <= Decimal(0)):
        return [("số tiền phong tỏa (đồng)", "the amount to block (dong)")]
    return []


def _period(event: Event) -> list[tuple[str, str]]:
    begin, end = event.data.get("valid_from"), event.data.get("valid_to")
    if begin is None:
        return [("thời điểm bắt đầu", "the begin of the block")]
    if end is not None and end <= begin:
        return [("thời điểm kết thúc sau thời điểm bắt đầu", "an end that is after the begin")]
    return []


SPEC = AgentSpec(
    kind="state_bank",
    handlers=(
        Handler(
            name="check_completeness",
            event_type=EventType("payment_block.requested"),
            handle=check_completeness,
            plan="IV.8",
        ),
    ),
)
"""The State Bank branch's handlers."""
