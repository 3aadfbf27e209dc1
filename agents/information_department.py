"""
The information department: says of a suspicion what consumers may be warned of, and of nobody (plan, IV.5).

Its work is stateless: each suspicion becomes one text, whatever came before. Publishing the text is for people.
"""

from __future__ import annotations

from dataclasses import dataclass

from streams.agent import AgentSpec, Context, Handler, Outcome, Work
from streams.event import Draft, Event
from streams.names import EventType
from streams.subject import SubjectRef

__all__ = ["PRACTICES", "SPEC", "WARNING_PREPARED", "Practice"]

WARNING_PREPARED = EventType("warning.prepared")
"""What it publishes."""


@dataclass(frozen=True, slots=True)
class Practice:
    """
    What a consumer can look at.

    Args:
        name: stable.
        vi: the advice in Vietnamese.
        en: the advice in English.
        reasons: codes of the reasons for a suspicion that show it.
    """

    name: str
    vi: str
    en: str
    reasons: frozenset[str]


PRACTICES = (
    Practice(
        name="amounts",
        vi="Cộng lại tiền hàng, thuế và tổng thanh toán trên hóa đơn trước khi trả tiền.",
        en="Add up net, tax and total on the invoice before you pay.",
        reasons=frozenset(
            {
                *("amount_in_words", "line_amount", "lines_sum", "tax_rate_unknown", "tax_sum"),
                *("total_sign", "total_sum"),
            }
        ),
    ),
    Practice(
        name="parties",
        vi="Tra cứu mã số thuế của người bán trên cổng thông tin của cơ quan thuế.",
        en="Look up the seller's tax code on the tax authority's portal.",
        reasons=frozenset({"same_party", "seller_tax_code"}),
    ),
    Practice(
        name="dates",
        vi="Đối chiếu ngày trên hóa đơn với ngày mua hàng.",
        en="Compare the invoice's date with the day on which you bought.",
        reasons=frozenset({"dated_after_sent", "dated_long_before_sent"}),
    ),
    Practice(
        name="changed_invoices",
        vi="Giữ bản hóa đơn đầu tiên; hỏi lại người bán khi nhận một bản khác cùng số.",
        en="Keep the first invoice; ask the seller when another one of the same number comes.",
        reasons=frozenset({"invoice_changed"}),
    ),
)
"""Every reason that the tax office's rules can give belongs to one of them."""


def prepare_warning(event: Event, context: Context) -> Outcome:  # noqa: ARG001 -- one signature for all handlers
    """Turn the reasons for a suspicion into advice that names nobody; reasons that no practice knows give none."""
    codes = {each["code"] for each in event.data.get("reasons") or ()}
    shown = [each for each in PRACTICES if codes & each.reasons]
    if not shown:
        return Outcome()
    seller = SubjectRef.from_data(event.data["seller"])
    data = {
        "seller": seller.as_data(),
        "practices": [each.name for each in shown],
        "text_vi": " ".join(each.vi for each in shown),
        "text_en": " ".join(each.en for each in shown),
    }
    return Outcome(events=[Draft(type=WARNING_PREPARED, subject=seller, data=data)])


SPEC = AgentSpec(
    kind="information_department",
    handlers=(
        Handler(
            name="prepare_warning",
            event_type=EventType("seller.suspected"),
            handle=prepare_warning,
            plan="IV.5",
        ),
    ),
    work=Work.STATELESS,
)
"""The department's handler."""
