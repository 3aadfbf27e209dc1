"""The provincial police: reads suspicions; what it orders, an officer orders in writing (plan, IV.4)."""

from __future__ import annotations

from streams.agent import AgentSpec, Context, Handler, Outcome
from streams.event import Event
from streams.names import EventType

__all__ = ["SPEC"]

NEEDS_DECISION_VI = (
    "Muốn ngăn chặn thanh toán phải có quyết định hoặc yêu cầu bằng văn bản của cơ quan có thẩm quyền "
    "(Nghị định 52/2024/NĐ-CP, điều 11); cảnh báo này không phải là quyết định."
)
"""What every note on a suspicion says; an alert makes no one act."""

NEEDS_DECISION_EN = (
    "To block payments needs a written decision or request of the competent authority "
    "(Decree 52/2024/ND-CP, article 11); this alert is none."
)
"""The same in English."""


def prepare_verification(event: Event, context: Context) -> Outcome:  # noqa: ARG001 -- one signature for all handlers
    """Tell the officer why the seller is suspected, and that an order needs a written decision."""
    score, threshold = event.data.get("score"), event.data.get("threshold")
    reasons = event.data.get("reasons") or ()
    evidence = len(event.data.get("evidence") or ())
    points_vi = "" if score is None else f" {score} điểm (ngưỡng {threshold}),"
    points_en = "" if score is None else f" {score} points (threshold {threshold}),"
    vi = f"Người bán có dấu hiệu vi phạm:{points_vi} {len(reasons)} lý do, {evidence} chứng cứ. {NEEDS_DECISION_VI}"
    en = f"Suspected seller:{points_en} {len(reasons)} reasons, {evidence} items of evidence. {NEEDS_DECISION_EN}"
    return Outcome(note=f"{vi} / {en}")


SPEC = AgentSpec(
    kind="police",
    handlers=(
        Handler(
            name="prepare_verification",
            event_type=EventType("seller.suspected"),
            handle=prepare_verification,
            plan="IV.4",
        ),
    ),
)
"""The police's handlers."""
