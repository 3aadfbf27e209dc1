"""Rules about what grants make together: who asks is answered, what is received is published, what comes is handled."""

from __future__ import annotations

from collections.abc import Iterator

from streams.agent import AgentSpec, Work
from streams.catalogue import EventTypeSpec
from streams.dated import Days, common_days, days_left
from streams.directory import AnswerDue, ReceiveGrant
from streams.directory_rules.contract import Contract, Entry
from streams.directory_rules.finding import Finding, Place, days_en, days_vi, error, warning

__all__ = ["answers_can_be_given", "stateless_kinds_can_do_their_work", "types_go_from_somebody_to_somebody"]


def answers_can_be_given(contract: Contract) -> Iterator[Finding]:
    """What an agency owes answers the type that asks, it may publish it whenever it owes it, and the asker hears it."""
    for entry in contract.entries:
        for place, grant in entry.receives:
            held = entry.effective(grant)
            if grant.answer is None or held is None:
                continue
            spec = contract.catalogue.types.get(grant.answer.type)
            if spec is None or spec.answers != grant.type:
                yield _no_answer(place.at("answer.type"), grant, grant.answer)
                continue
            yield from _answer(contract, entry, spec, held, place.at("answer"))


def _no_answer(place: Place, grant: ReceiveGrant, owed: AnswerDue) -> Finding:
    return error(
        "answer_type",
        place,
        vi=f"'{owed.type}' không phải loại trả lời cho {grant.type}.",
        en=f"'{owed.type}' is no type that answers {grant.type}.",
        do_vi="Ghi loại sự kiện có `answers` là loại này.",
        do_en="Name the event type whose schema says that it answers this one.",
    )


def _answer(contract: Contract, entry: Entry, spec: EventTypeSpec, held: Days, place: Place) -> Iterator[Finding]:
    for days in days_left(held, without=entry.publishes(spec.type)):
        yield error(
            "answer_not_publishable",
            place,
            vi=f"Cơ quan phải trả lời bằng {spec.type} nhưng không được phát hành loại này {days_vi(days)}.",
            en=f"The agency owes a {spec.type} and may not publish it {days_en(days)}.",
            do_vi="Bổ sung [[publish]] cho những ngày này, hoặc bỏ `answer`.",
            do_en="Add a [[publish]] for these days, or take `answer` out.",
        )
    listening = [each.agency.code for each, _, days in contract.receivers(spec.type) if common_days(days, held)]
    for asker in contract.entries:
        asks = spec.answers is not None and _meets(held, asker.publishes(spec.answers))
        if asks and asker.agency.code not in listening:
            yield warning(
                "answer_unheard",
                place,
                vi=f"{asker.agency.code} hỏi bằng {spec.answers} nhưng không được nhận {spec.type}.",
                en=f"{asker.agency.code} asks by {spec.answers} and does not receive {spec.type}.",
                do_vi=f"Cấp quyền nhận {spec.type} cho {asker.agency.code}.",
                do_en=f"Let {asker.agency.code} receive {spec.type}.",
            )


def types_go_from_somebody_to_somebody(contract: Contract) -> Iterator[Finding]:
    """What is received somebody may publish, what may be published somebody receives, and acts are answered."""
    for entry in contract.entries:
        yield from _received(contract, entry)
        yield from _published(contract, entry)
    for spec in contract.catalogue.types.values():
        if spec.kind != "audit":
            yield from _type(contract, spec)


def _received(contract: Contract, entry: Entry) -> Iterator[Finding]:
    for place, grant in entry.receives:
        held = entry.effective(grant)
        if held is None or grant.type not in contract.catalogue.types:
            continue
        left = days_left(held, without=contract.publish_days(grant.type))
        if left == [held]:
            yield error(
                "nobody_publishes",
                place.at("type"),
                vi=f"Không cơ quan nào được phát hành {grant.type} {days_vi(held)}.",
                en=f"No agency may publish {grant.type} {days_en(held)}.",
                do_vi="Cấp quyền phát hành cho một cơ quan, hoặc bỏ quyền nhận này.",
                do_en="Let an agency publish it, or take this grant out.",
            )
            continue
        for days in left:
            yield warning(
                "unpublished_days",
                place.at("type"),
                vi=f"Quyền nhận {grant.type} có hiệu lực nhưng không cơ quan nào được phát hành {days_vi(days)}.",
                en=f"The grant for {grant.type} holds, and no agency may publish it {days_en(days)}.",
                do_vi="Sửa ngày của quyền nhận, hoặc cấp quyền phát hành cho những ngày này.",
                do_en="Correct this grant's days, or let an agency publish the type on these.",
            )


def _published(contract: Contract, entry: Entry) -> Iterator[Finding]:
    for index, grant in enumerate(entry.agency.publish):
        held = entry.effective(grant)
        receiving = [days for _, _, days in contract.receivers(grant.type)]
        if held is not None and grant.type in contract.catalogue.types and not _meets(held, receiving):
            yield warning(
                "nobody_receives",
                entry.place.at(f"publish[{index}].type"),
                vi=f"Không cơ quan nào được nhận {grant.type} {days_vi(held)}.",
                en=f"No agency receives {grant.type} {days_en(held)}.",
                do_vi="Cấp quyền nhận cho một cơ quan, hoặc bỏ quyền phát hành này.",
                do_en="Let an agency receive it, or take this grant out.",
            )


def _type(contract: Contract, spec: EventTypeSpec) -> Iterator[Finding]:
    place = Place(f"events/{spec.type.replace('.', '/')}.v{spec.version}.avsc")
    receivers = list(contract.receivers(spec.type))
    if not receivers and not contract.publish_days(spec.type):
        yield warning(
            "nobody_uses",
            place,
            vi=f"Không cơ quan nào phát hành hoặc nhận {spec.type}.",
            en=f"No agency publishes or receives {spec.type}.",
            do_vi="Cấp quyền trong danh bạ, hoặc bỏ lược đồ.",
            do_en="Grant it in the directory, or take the schema out.",
        )
    if spec.kind == "act" and not any(grant.answer for _, grant, _ in receivers):
        yield warning(
            "act_unanswered",
            place,
            vi=f"{spec.type} có hiệu lực pháp lý mà không cơ quan nào phải trả lời.",
            en=f"{spec.type} has legal effect, and nobody owes an answer to it.",
            do_vi="Ghi `answer` trong quyền nhận của cơ quan phải thực hiện.",
            do_en="Write `answer` into the grant of the agency that must carry it out.",
        )


def _meets(held: Days, others: list[Days]) -> bool:
    return any(common_days(held, each) for each in others)


def stateless_kinds_can_do_their_work(contract: Contract) -> Iterator[Finding]:
    """A stateless kind owes no answer and receives what it handles; every handler's type is received."""
    for entry in contract.entries:
        spec = contract.kinds.get(entry.agency.kind)
        if spec is not None:
            yield from _kind(entry, spec)


def _kind(entry: Entry, spec: AgentSpec) -> Iterator[Finding]:
    consumed = {each.event_type for each in spec.handlers}
    for place, grant in entry.receives:
        if spec.work is Work.STATELESS and (grant.answer is not None or grant.type not in consumed):
            yield error(
                "stateless",
                place,
                vi=f"Loại cơ quan '{spec.kind}' không giữ hộp thư: không thể nợ trả lời, không nhận loại không xử lý.",
                en=f"The kind '{spec.kind}' keeps no inbox: it owes no answers and receives only what it handles.",
                do_vi="Bỏ `answer`, hoặc bỏ quyền nhận này.",
                do_en="Take `answer` out, or the grant.",
            )
    received = {grant.type for grant in entry.agency.receive}
    for name in sorted({each.name for each in spec.handlers if each.event_type not in received}):
        yield warning(
            "handler_idle",
            entry.place.at("receive"),
            vi=f"Bộ xử lý '{name}' của loại '{spec.kind}' không bao giờ chạy: cơ quan không nhận loại sự kiện đó.",
            en=f"The handler '{name}' of the kind '{spec.kind}' never runs: the agency does not receive its type.",
            do_vi="Cấp quyền nhận loại sự kiện đó nếu cơ quan được phép.",
            do_en="Grant its type, if the agency may have it.",
        )
