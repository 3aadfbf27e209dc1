"""Rules about officers: whose they are, and that a name and a key mean one desk on each day."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from itertools import combinations

from streams.dated import common_days
from streams.directory_rules.contract import Contract, EnteredOfficer
from streams.directory_rules.finding import Finding, days_en, days_vi, error

__all__ = ["keys_are_one_desks", "officers_are_entered_once", "officers_are_their_agencys"]


def officers_are_their_agencys(contract: Contract) -> Iterator[Finding]:
    """A desk is entered with the agency that its name begins with."""
    entered: list[tuple[str, EnteredOfficer]]
    entered = [(entry.agency.code, each) for entry in contract.entries for each in entry.officers if not each.added]
    added = [each for entry in contract.entries for each in entry.added]
    entered += [(_folder(each), each) for each in [*added, *contract.strays]]
    for code, each in entered:
        named = each.officer.name.split("/", maxsplit=1)[0]
        if named != code or named not in contract.by_code:
            yield error(
                "officer_agency",
                each.place.at("name"),
                vi=f"Cán bộ '{each.officer.name}' không thuộc cơ quan '{code}' của danh bạ.",
                en=f"The officer '{each.officer.name}' is not of the directory's agency '{code}'.",
                do_vi="Sửa tên, hoặc chuyển cán bộ sang tệp của cơ quan đó.",
                do_en="Correct the name, or enter the officer with that agency.",
            )


def officers_are_entered_once(contract: Contract) -> Iterator[Finding]:
    """
    A name means one desk, in one role, on each day.

    An installation's entry may stand beside the shipped one, which has no key, and beside older ones, whose keys
    still verify what they signed.
    """
    for entry in contract.entries:
        by_name: dict[str, list[EnteredOfficer]] = defaultdict(list)
        for each in entry.officers:
            by_name[each.officer.name].append(each)
        for same in by_name.values():
            for earlier, later in combinations(same, 2):
                days = common_days(earlier.officer.days, later.officer.days)
                twice = not later.added or earlier.officer.role != later.officer.role
                if days is not None and twice:
                    yield error(
                        "officer_twice",
                        later.place,
                        vi=f"Cán bộ '{later.officer.name}' được ghi hai lần, cùng hiệu lực {days_vi(days)}.",
                        en=f"The officer '{later.officer.name}' is entered twice {days_en(days)}.",
                        do_vi=f"Bỏ một mục, hoặc tách ngày; mục kia: {earlier.place}.",
                        do_en=f"Take one out, or part their days; the other one is {earlier.place}.",
                    )


def keys_are_one_desks(contract: Contract) -> Iterator[Finding]:
    """No two desks share a key: a signature would not say who acted."""
    holders: dict[bytes, EnteredOfficer] = {}
    for each in (each for entry in contract.entries for each in entry.officers):
        key = each.officer.public_key
        if key is None:
            continue
        first = holders.setdefault(key, each)
        if first.officer.name != each.officer.name:
            yield error(
                "key_shared",
                each.place.at("public_key"),
                vi=f"Khóa này cũng là của '{first.officer.name}'.",
                en=f"The key is also that of '{first.officer.name}'.",
                do_vi="Tạo khóa riêng bằng `lienthong officer add`.",
                do_en="Make a key of its own with `lienthong officer add`.",
            )


def _folder(each: EnteredOfficer) -> str:
    return each.place.file.split("/")[-2]
