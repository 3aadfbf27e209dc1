"""Rules about single grants: what they name is there, and what they rest on is in force."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from itertools import chain

from streams.dated import Dated, Days, days_left
from streams.directory import PublishGrant, ReceiveGrant
from streams.directory_rules.contract import Contract, Entry
from streams.directory_rules.days import meeting
from streams.directory_rules.finding import Finding, Place, days_en, days_vi, error, listed
from streams.law import Basis

__all__ = [
    "articles_are_in_force",
    "fields_can_be_granted",
    "grants_do_not_overlap",
    "purposes_are_known",
    "types_are_in_the_catalogue",
]


def types_are_in_the_catalogue(contract: Contract) -> Iterator[Finding]:
    """Every type that is granted has a schema; the audit log is written by the bus alone."""
    for entry in contract.entries:
        for place, grant in chain(*_granted(entry)):
            spec = contract.catalogue.types.get(grant.type)
            if spec is None:
                known = listed(contract.catalogue.types)
                yield error(
                    "type_unknown",
                    place.at("type"),
                    vi=f"Không có lược đồ của loại sự kiện '{grant.type}'; có: {known}.",
                    en=f"No schema has the event type '{grant.type}'; there are: {known}.",
                    do_vi="Sửa tên loại, hoặc bổ sung lược đồ (docs/adding.md).",
                    do_en="Correct the type's name, or add its schema (docs/adding.md).",
                )
            elif spec.kind == "audit" and isinstance(grant, PublishGrant):
                yield error(
                    "publishes_audit",
                    place.at("type"),
                    vi="Chỉ trục liên thông được ghi nhật ký kiểm toán.",
                    en="The audit log is written by the bus alone.",
                    do_vi="Bỏ quyền này.",
                    do_en="Take the grant out.",
                )


def grants_do_not_overlap(contract: Contract) -> Iterator[Finding]:
    """For one type and day, one grant to publish and one to receive: two would leave open which of them holds."""
    for entry in contract.entries:
        for grants in _granted(entry):
            by_type: dict[str, list[tuple[Place, Dated]]] = defaultdict(list)
            for place, grant in grants:
                by_type[grant.type].append((place, grant))
            for event_type, same in by_type.items():
                for place, other, days in meeting(same):
                    yield error(
                        "grants_overlap",
                        place,
                        vi=f"Hai quyền đối với {event_type} cùng có hiệu lực {days_vi(days)}; quyền kia: {other.path}.",
                        en=f"Two grants for {event_type} hold {days_en(days)}; the other one is {other.path}.",
                        do_vi="Gộp hai quyền, hoặc tách ngày hiệu lực.",
                        do_en="Make them one, or let one end before the other begins.",
                    )


def fields_can_be_granted(contract: Contract) -> Iterator[Finding]:
    """A grant names fields that the schema has and lets somebody remove: the others everybody sees who receives it."""
    for entry in contract.entries:
        for place, grant in entry.receives:
            spec = contract.catalogue.types.get(grant.type)
            if spec is None:
                continue
            for name in sorted(grant.fields - frozenset(spec.fields)):
                yield error(
                    "field_unknown",
                    place.at("fields"),
                    vi=f"{grant.type} không có trường '{name}'.",
                    en=f"{grant.type} has no field '{name}'.",
                    do_vi=f"Sửa tên trường; có thể cấp: {listed(spec.removable)}.",
                    do_en=f"Correct the field's name; these can be granted: {listed(spec.removable)}.",
                )
            for name in sorted(grant.fields & frozenset(spec.fields) - spec.removable):
                yield error(
                    "field_fixed",
                    place.at("fields"),
                    vi=f"Trường '{name}' của {grant.type} không lược bỏ được: ai nhận cũng thấy.",
                    en=f"The field '{name}' of {grant.type} cannot be removed: every recipient sees it.",
                    do_vi="Bỏ tên trường này khỏi `fields`.",
                    do_en="Take its name out of `fields`.",
                )


def purposes_are_known(contract: Contract) -> Iterator[Finding]:
    """Every purpose is one of the law's, with a name in both languages."""
    for entry in contract.entries:
        for place, grant in entry.receives:
            if grant.purpose not in contract.law.purposes:
                known = listed(contract.law.purposes)
                yield error(
                    "purpose_unknown",
                    place.at("purpose"),
                    vi=f"Không có mục đích '{grant.purpose}'; có: {known}.",
                    en=f"There is no purpose '{grant.purpose}'; there are: {known}.",
                    do_vi="Sửa mã mục đích, hoặc bổ sung vào law/purposes.toml.",
                    do_en="Correct the purpose's code, or add it to law/purposes.toml.",
                )


def articles_are_in_force(contract: Contract) -> Iterator[Finding]:
    """A grant's act and article are there, and in force on every day on which the grant holds."""
    for entry in contract.entries:
        for place, grant in entry.receives:
            basis = contract.law.basis(grant.article)
            held = entry.effective(grant)
            if basis is None:
                yield _unknown(contract, place.at("article"), grant)
            elif held is not None:
                yield from _not_in_force(place.at("article"), grant, basis, held)


def _unknown(contract: Contract, place: Place, grant: ReceiveGrant) -> Finding:
    act_id, _, number = grant.article.partition("/")
    act = contract.law.acts.get(act_id)
    if act is None:
        known = listed(contract.law.acts)
        return error(
            "act_unknown",
            place,
            vi=f"Không có văn bản '{act_id}'; có: {known}.",
            en=f"There is no act '{act_id}'; there are: {known}.",
            do_vi="Sửa mã văn bản, hoặc bổ sung vào law/acts.toml.",
            do_en="Correct the act's id, or add the act to law/acts.toml.",
        )
    known = listed(each.number for each in act.articles)
    return error(
        "article_unknown",
        place,
        vi=f"Văn bản '{act_id}' không có điều '{number}'; có: {known}.",
        en=f"The act '{act_id}' has no article '{number}'; it has: {known}.",
        do_vi="Sửa số điều, hoặc bổ sung điều vào văn bản trong law/acts.toml.",
        do_en="Correct the article's number, or add the article to its act in law/acts.toml.",
    )


def _not_in_force(place: Place, grant: ReceiveGrant, basis: Basis, held: Days) -> Iterator[Finding]:
    in_force = basis.days
    for days in days_left(held, without=[in_force] if in_force else []):
        ended = in_force is None or days[0] > in_force[1]
        yield error(
            "basis_ended" if ended else "basis_not_yet",
            place,
            vi=f"{grant.article} {'hết' if ended else 'chưa có'} hiệu lực {days_vi(days)}, mà quyền vẫn có hiệu lực.",
            en=f"{grant.article} is {'no longer' if ended else 'not yet'} in force {days_en(days)}; the grant is.",
            do_vi="Sửa ngày của quyền, hoặc dẫn điều đang có hiệu lực.",
            do_en="Correct the grant's days, or name an article that is in force.",
        )


def _granted(entry: Entry) -> Sequence[Sequence[tuple[Place, PublishGrant | ReceiveGrant]]]:
    """Give the grants to publish and those to receive, each with its place."""
    publishes = [(entry.place.at(f"publish[{index}]"), each) for index, each in enumerate(entry.agency.publish)]
    return publishes, entry.receives
