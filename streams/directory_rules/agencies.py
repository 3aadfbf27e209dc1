"""Rules about agencies: their names, kinds, places, successors, contacts, retention, and who runs the bus."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date

from streams.dated import days_left, next_day
from streams.directory import Successor
from streams.directory_rules.contract import Contract, Entry
from streams.directory_rules.days import meeting
from streams.directory_rules.finding import Finding, Place, days_en, days_vi, error, listed, warning
from streams.names import BUS

__all__ = [
    "codes_are_their_files_names",
    "contacts_can_be_reached",
    "kinds_are_known",
    "one_agency_runs_the_bus",
    "places_follow_one_another",
    "retention_is_within_the_law",
    "successors_take_over",
]


def codes_are_their_files_names(contract: Contract) -> Iterator[Finding]:
    """A file has the name of its agency, so that no code comes twice; the bus's own name is nobody's."""
    for entry in contract.entries:
        code = entry.agency.code
        if entry.place.file != f"directory/{code}.toml":
            yield error(
                "file_name",
                entry.place.at("code"),
                vi=f"Mã cơ quan '{code}' khác tên tệp.",
                en=f"The code '{code}' is not the file's name.",
                do_vi=f"Đổi tên tệp thành {code}.toml, hoặc sửa mã.",
                do_en=f"Rename the file to {code}.toml, or correct the code.",
            )
        if code == BUS:
            yield error(
                "code_taken",
                entry.place.at("code"),
                vi=f"Mã '{code}' dành riêng cho trục liên thông.",
                en=f"The code '{code}' is the bus's own.",
                do_vi="Chọn mã khác cho cơ quan.",
                do_en="Choose another code for the agency.",
            )


def kinds_are_known(contract: Contract) -> Iterator[Finding]:
    """Somebody wrote the handlers of every kind."""
    for entry in contract.entries:
        if entry.agency.kind not in contract.kinds:
            kinds = listed(contract.kinds)
            yield error(
                "kind_unknown",
                entry.place.at("kind"),
                vi=f"Không có loại cơ quan '{entry.agency.kind}'; có: {kinds}.",
                en=f"There is no agency kind '{entry.agency.kind}'; there are: {kinds}.",
                do_vi="Sửa `kind`, hoặc viết bộ xử lý cho loại mới (docs/adding.md).",
                do_en="Correct `kind`, or write the new kind's handlers (docs/adding.md).",
            )


def places_follow_one_another(contract: Contract) -> Iterator[Finding]:
    """On each day of an agency exactly one set of places holds."""
    for entry in contract.entries:
        sets = [(entry.place.at(f"jurisdiction[{n}]"), each) for n, each in enumerate(entry.agency.jurisdiction)]
        for place, other, days in meeting(sets):
            yield error(
                "jurisdiction_overlap",
                place,
                vi=f"Hai tập địa bàn cùng có hiệu lực {days_vi(days)}; tập kia: {other.path}.",
                en=f"Two sets of places hold {days_en(days)}; the other one is {other.path}.",
                do_vi="Cho tập trước hết hiệu lực vào ngày trước khi tập sau bắt đầu.",
                do_en="Let the earlier set end on the day before the later one begins.",
            )
        for gap in days_left(entry.agency.days, without=[each.days for _, each in sets]):
            yield error(
                "jurisdiction_gap",
                entry.place.at("jurisdiction"),
                vi=f"Cơ quan không có địa bàn {days_vi(gap)}.",
                en=f"The agency is competent nowhere {days_en(gap)}.",
                do_vi="Bổ sung [[jurisdiction]] cho những ngày này.",
                do_en="Add a [[jurisdiction]] for these days.",
            )


def successors_take_over(contract: Contract) -> Iterator[Finding]:
    """A successor is another agency, takes over on the day after the last, is in office then, and leads not back."""
    for entry in contract.entries:
        successor = entry.agency.successor
        if successor is not None:
            place = entry.place.at("successor")
            yield from _successor(contract, entry, successor, place)


def _successor(contract: Contract, entry: Entry, successor: Successor, place: Place) -> Iterator[Finding]:
    known = contract.by_code.get(successor.code)
    if known is None:
        yield error(
            "successor_unknown",
            place.at("code"),
            vi=f"Danh bạ không có cơ quan kế thừa '{successor.code}'.",
            en=f"The directory has no agency '{successor.code}' that could succeed.",
            do_vi="Sửa mã, hoặc bổ sung tệp của cơ quan kế thừa.",
            do_en="Correct the code, or add the successor's file.",
        )
        return
    if successor.code == entry.agency.code:
        yield error(
            "successor_itself",
            place.at("code"),
            vi="Cơ quan kế thừa chính mình.",
            en="The agency succeeds itself.",
            do_vi="Ghi mã của cơ quan kế thừa, hoặc bỏ `successor`.",
            do_en="Write the successor's code, or take `successor` out.",
        )
    elif entry.agency.code in _line(contract, successor.code):
        yield error(
            "successor_circle",
            place.at("code"),
            vi=f"Chuỗi kế thừa từ '{successor.code}' trở lại chính cơ quan này.",
            en=f"Succession goes from '{successor.code}' back to this agency.",
            do_vi="Bỏ một `successor` trong vòng.",
            do_en="Take one `successor` of the circle out.",
        )
    if entry.agency.valid_to == date.max or successor.valid_from != next_day(entry.agency.valid_to):
        yield error(
            "successor_days",
            place.at("valid_from"),
            vi=f"Kế thừa từ {successor.valid_from:%d/%m/%Y}; cơ quan hoạt động {days_vi(entry.agency.days)}.",
            en=f"It is succeeded from {successor.valid_from} on, and is in office {days_en(entry.agency.days)}.",
            do_vi="Ghi `valid_to` của cơ quan là ngày trước ngày kế thừa.",
            do_en="Let the agency's `valid_to` be the day before it is succeeded.",
        )
    if not known.agency.holds(on=successor.valid_from):
        yield error(
            "successor_absent",
            place.at("valid_from"),
            vi=f"Cơ quan kế thừa '{successor.code}' chưa hoạt động vào {successor.valid_from:%d/%m/%Y}.",
            en=f"The successor '{successor.code}' is not in office on {successor.valid_from}.",
            do_vi="Sửa ngày kế thừa, hoặc ngày của cơ quan kế thừa.",
            do_en="Correct the day of succession, or the successor's own days.",
        )


def _line(contract: Contract, code: str) -> set[str]:
    """Give the codes that succession leads to from an agency on, with its own."""
    met: set[str] = set()
    following: str | None = code
    while following is not None and following not in met:
        met.add(following)
        entry = contract.by_code.get(following)
        following = entry.agency.successor.code if entry and entry.agency.successor else None
    return met


def contacts_can_be_reached(contract: Contract) -> Iterator[Finding]:
    """A contact is a desk of the agency, with an address."""
    for entry in contract.entries:
        desks = {each.officer.name for each in entry.officers}
        for index, contact in enumerate(entry.agency.contacts):
            place = entry.place.at(f"contacts[{index}]")
            if contact.desk not in desks:
                yield error(
                    "contact_desk",
                    place.at("desk"),
                    vi=f"Cơ quan không có bộ phận '{contact.desk}'; có: {listed(desks)}.",
                    en=f"The agency has no desk '{contact.desk}'; it has: {listed(desks)}.",
                    do_vi="Sửa `desk` cho trùng tên một cán bộ trong [[officers]].",
                    do_en="Let `desk` be the name of one of its [[officers]].",
                )
            if contact.email is None and contact.phone is None:
                yield error(
                    "contact_empty",
                    place,
                    vi="Liên hệ không có thư điện tử, không có điện thoại.",
                    en="The contact has neither an e-mail address nor a telephone number.",
                    do_vi="Ghi `email` hoặc `phone` của bộ phận, hoặc bỏ liên hệ này.",
                    do_en="Write the desk's `email` or `phone`, or take the contact out.",
                )


def retention_is_within_the_law(contract: Contract) -> Iterator[Finding]:
    """Nothing is kept for longer than an article allows by which it was received."""
    for entry in contract.entries:
        for grant in entry.agency.receive:
            basis = contract.law.basis(grant.article)
            limit = basis.article.keep_days_max if basis else None
            for name in ("inbox_days", "quarantine_days"):
                kept = getattr(entry.agency, name)
                if limit is not None and kept > limit:
                    yield error(
                        "retention_too_long",
                        entry.place.at(name),
                        vi=f"Lưu {kept} ngày, quá {limit} ngày mà {grant.article} cho phép với {grant.type}.",
                        en=f"Kept for {kept} days; {grant.article} allows {limit} days for {grant.type}.",
                        do_vi=f"Giảm `{name}` xuống {limit} ngày hoặc ít hơn.",
                        do_en=f"Set `{name}` to {limit} or less.",
                    )


def one_agency_runs_the_bus(contract: Contract) -> Iterator[Finding]:
    """On each day at most one agency looks after the bus's own quarantine, and some agency does."""
    operators = [(each.place, each.agency) for each in contract.entries if each.agency.operates_bus]
    for place, other, days in meeting(operators):
        yield error(
            "bus_operators",
            place.at("operates_bus"),
            vi=f"Hai cơ quan cùng vận hành trục {days_vi(days)}; cơ quan kia: {other.file}.",
            en=f"Two agencies run the bus {days_en(days)}; the other one is {other.file}.",
            do_vi="Bỏ `operates_bus` ở một cơ quan.",
            do_en="Take `operates_bus` out of one of them.",
        )
    if not operators and contract.entries:
        yield warning(
            "no_bus_operator",
            Place("directory"),
            vi="Không cơ quan nào vận hành trục: không ai xử lý được mục cách ly của trục.",
            en="No agency runs the bus: nobody can work on the bus's quarantine.",
            do_vi="Ghi `operates_bus = true` ở một cơ quan.",
            do_en="Write `operates_bus = true` in one agency's entry.",
        )
