"""The Steering Committee 389: follows and urges; keeps nothing, and hints at what is serious (plan, IV.1)."""

from __future__ import annotations

from collections.abc import Callable

from streams.agent import AgentSpec, Context, Handler, Outcome
from streams.event import Data, Event
from streams.names import EventType

__all__ = ["SPEC"]

Hint = Callable[[Data], "tuple[str, str] | None"]
"""Says in Vietnamese and English why an event is serious; None when it is not."""


def _anomaly(data: Data) -> tuple[str, str] | None:
    if data.get("severity") != "high":
        return None
    rule = data.get("rule_id")
    return f"Bất thường hóa đơn mức cao ({rule}).", f"Invoice anomaly of high severity ({rule})."


def _suspicion(data: Data) -> tuple[str, str] | None:
    score, threshold = data.get("score"), data.get("threshold")
    points = "" if score is None else f" ({score}/{threshold})"
    return (
        f"Người bán có dấu hiệu vi phạm{points}: theo dõi việc xử lý.",
        f"Suspected seller{points}: follow what is done.",
    )


def _block(data: Data) -> tuple[str, str] | None:
    number = data.get("decision_number")
    return (
        f"Có yêu cầu ngăn chặn thanh toán theo quyết định {number}: theo dõi thời hạn trả lời.",
        f"A payment block was requested by decision {number}: follow when the answer is due.",
    )


def _answer(data: Data) -> tuple[str, str] | None:
    status = data.get("status")
    if status not in {"refused", "nothing_found"}:
        return None
    return (
        f"Yêu cầu ngăn chặn thanh toán chưa đạt kết quả ({status}).",
        f"A payment block led to nothing ({status}).",
    )


def _flag(data: Data) -> tuple[str, str] | None:  # noqa: ARG001 -- one signature for all hints
    return None


_HINTS: tuple[tuple[str, str, Hint], ...] = (
    ("follow_anomaly", "einvoice.anomaly_detected", _anomaly),
    ("follow_suspicion", "seller.suspected", _suspicion),
    ("follow_block", "payment_block.requested", _block),
    ("follow_block_answer", "payment_block.answered", _answer),
    ("follow_flag", "shipment.flagged", _flag),
    ("follow_sighting", "shipment.sighted", _flag),
    ("follow_warning", "warning.prepared", _flag),
)


def _follow(hint: Hint) -> Callable[[Event, Context], Outcome]:
    def follow(event: Event, context: Context) -> Outcome:  # noqa: ARG001 -- one signature for all handlers
        """Keep nothing, publish nothing; hint at what is serious."""
        serious = hint(event.data)
        return Outcome(note=None if serious is None else f"{serious[0]} / {serious[1]}")

    return follow


SPEC = AgentSpec(
    kind="steering_committee",
    handlers=tuple(
        Handler(name=name, event_type=EventType(event_type), handle=_follow(hint), plan="IV.1")
        for name, event_type, hint in _HINTS
    ),
)
"""The Steering Committee's handlers, one for each type it follows."""
