"""Rules about days: entries that end before they begin, go beyond their agency, or meet where only one may hold."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import date
from itertools import combinations

from streams.dated import Dated, Days, common_days
from streams.directory_rules.contract import Contract, Entry
from streams.directory_rules.finding import Finding, Place, days_en, days_vi, error

__all__ = ["entries_end_after_they_begin", "entries_stay_within_their_agency", "meeting"]


def entries_end_after_they_begin(contract: Contract) -> Iterator[Finding]:
    """No entry ends before it begins: it would hold on no day."""
    for place, each in _all_dated(contract):
        if each.valid_to < each.valid_from:
            yield error(
                "days_reversed",
                place,
                vi=f"Ngày hết hiệu lực {each.valid_to:%d/%m/%Y} trước ngày có hiệu lực {each.valid_from:%d/%m/%Y}.",
                en=f"It ends on {each.valid_to}, before it begins on {each.valid_from}.",
                do_vi="Sửa `valid_from` hoặc `valid_to`.",
                do_en="Correct `valid_from` or `valid_to`.",
            )


def entries_stay_within_their_agency(contract: Contract) -> Iterator[Finding]:
    """Nothing of an agency's is dated before its first day or after its last; an open end is as long as the agency."""
    for entry in contract.entries:
        for place, each in _of_agency(entry):
            if each.valid_from <= each.valid_to and _outside(each, entry.agency):
                yield error(
                    "outside_agency",
                    place,
                    vi=f"Có hiệu lực {days_vi(each.days)}, ngoài thời gian của cơ quan {days_vi(entry.agency.days)}.",
                    en=f"It holds {days_en(each.days)}, beyond the agency's own days {days_en(entry.agency.days)}.",
                    do_vi="Sửa ngày cho nằm trong thời gian của cơ quan.",
                    do_en="Correct its days, so that they are within the agency's.",
                )


def meeting(spans: Sequence[tuple[Place, Dated]]) -> Iterator[tuple[Place, Place, Days]]:
    """Give each pair of entries that hold on common days: the later place, the earlier one, those days."""
    for (earlier, one), (later, other) in combinations(spans, 2):
        common = common_days(one.days, other.days)
        if common is not None:
            yield later, earlier, common


def _outside(each: Dated, agency: Dated) -> bool:
    ends_late = each.valid_to > agency.valid_to and each.valid_to != date.max
    return each.valid_from < agency.valid_from or each.valid_from > agency.valid_to or ends_late


def _of_agency(entry: Entry) -> Iterator[tuple[Place, Dated]]:
    agency = entry.agency
    parts: dict[str, Sequence[Dated]] = {
        "jurisdiction": agency.jurisdiction,
        "contacts": agency.contacts,
        "publish": agency.publish,
        "receive": agency.receive,
    }
    for name, entries in parts.items():
        yield from ((entry.place.at(f"{name}[{index}]"), each) for index, each in enumerate(entries))
    yield from ((each.place, each.officer) for each in entry.officers)


def _all_dated(contract: Contract) -> Iterator[tuple[Place, Dated]]:
    for entry in contract.entries:
        yield entry.place, entry.agency
        yield from _of_agency(entry)
    for place, each in contract.law_files:
        for index, act in enumerate(each.act):
            here = place.at(f"act[{index}]")
            yield here, act
            yield from ((here.at(f"articles[{number}]"), article) for number, article in enumerate(act.articles))
