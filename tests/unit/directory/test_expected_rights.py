"""Policy grants what the directory's TOML says, read a second time by code that shares nothing with it."""

from __future__ import annotations

import ast
import sys
from datetime import date, timedelta
from pathlib import Path

import expected_rights as expected
import pytest
from contracts import CATALOGUE, Difference, Edit, add, copied, cut, differences, found_in, swap
from hypothesis import given
from hypothesis import strategies as st

import schemas
from streams.directory import Agency, ReceiveGrant, load_directory
from streams.names import AgencyCode, EventType
from streams.policy import entitled

SHIPPED = load_directory()
LATER = date(2026, 11, 24)


def test_the_second_reader_shares_nothing_with_the_first() -> None:
    """It imports Python's standard library alone."""
    tree = ast.parse(Path(expected.__file__).read_text(encoding="utf-8"))
    names = {each.name.split(".")[0] for node in ast.walk(tree) if isinstance(node, ast.Import) for each in node.names}
    names |= {(node.module or "").split(".")[0] for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)}

    assert names <= sys.stdlib_module_names


def test_both_know_the_same_agencies_types_and_fields() -> None:
    """Else the comparison would compare less than there is."""
    assert expected.agencies() == sorted(SHIPPED.agencies)
    assert expected.event_types() == sorted(CATALOGUE.types)
    assert all(tuple(expected.fields(name)) == spec.fields for name, spec in CATALOGUE.types.items())


def test_policy_grants_what_the_files_say() -> None:
    """For all agencies, types and fields, on every day on which something changes and those beside it."""
    assert differences(SHIPPED, schemas.SHIPPED) == set()


@given(
    days=st.lists(st.dates(date(2023, 1, 1), date(2027, 12, 31)), min_size=1, max_size=3),
    code=st.sampled_from(expected.agencies()),
)
def test_policy_grants_what_the_files_say_on_any_day(days: list[date], code: str) -> None:
    """Also when an agency ends on some day, in both alike."""
    ends = max(days)
    agency = SHIPPED.agencies[AgencyCode(code)]
    directory = type(SHIPPED)({**SHIPPED.agencies, agency.code: agency.model_copy(update={"valid_to": ends})})

    found = differences(directory, schemas.SHIPPED, days)

    assert found == set()
    after = differences(directory, schemas.SHIPPED, [ends + timedelta(days=1)])
    assert {each[0] for each in after} == ({code} if ends >= date(2023, 6, 30) else set())


def test_answers_are_owed_as_the_files_say() -> None:
    """Type and hours, for every agency and type."""
    for name, spec in CATALOGUE.types.items():
        said = {
            each.agency: (each.answer_type, each.answer_within.total_seconds() / 3600)
            for each in entitled(spec, SHIPPED, on=LATER)
            if each.answer_type
        }
        owed = {code: expected.answer_owed(code, name, LATER) for code in expected.agencies()}
        assert said == {code: each for code, each in owed.items() if each}


PLANTED: dict[str, tuple[str, Edit, set[tuple[str, str, str]]]] = {
    "a field too many": (
        "directory/bcd389-hanam.toml",
        swap('"score", "threshold"', '"seller_name", "score", "threshold"'),
        {("bcd389-hanam", "seller.suspected", "seller_name")},
    ),
    "a field too few": (
        "directory/police-hanam.toml",
        swap('"seller_account", "seller_bank", "parcels"', '"seller_bank", "parcels"'),
        {("police-hanam", "seller.suspected", "seller_account")},
    ),
    "a grant that is missing": (
        "directory/post-hanam.toml",
        cut("publish", "shipment.sighted"),
        {("post-hanam", "shipment.sighted", "publish")},
    ),
    "a grant of the wrong agency": (
        "directory/tax-hanam.toml",
        add('[[publish]]\ntype = "payment_block.requested"\nvalid_from = 2023-07-01'),
        {("tax-hanam", "payment_block.requested", "publish")},
    ),
    "a stale date of what is published": (
        "directory/qltt-hanam.toml",
        swap('type = "seller.suspected"\n', 'type = "seller.suspected"\nvalid_to = 2025-06-30\n'),
        {("qltt-hanam", "seller.suspected", "publish")},
    ),
    "another article": (
        "directory/stttt-hanam.toml",
        swap("2023/IV.5", "2023/IV.4"),
        {
            ("stttt-hanam", "seller.suspected", "consumer-warning ke-hoach-1679-2023/IV.5"),
            ("stttt-hanam", "seller.suspected", "consumer-warning ke-hoach-1679-2023/IV.4"),
        },
    ),
    "an agency that ended": (
        "directory/stttt-hanam.toml",
        swap("valid_from = 2023-07-01", "valid_from = 2023-07-01\nvalid_to = 2025-06-30"),
        {
            ("stttt-hanam", "warning.prepared", "publish"),
            ("stttt-hanam", "seller.suspected", "receive"),
            ("stttt-hanam", "seller.suspected", "seller"),
            ("stttt-hanam", "seller.suspected", "reasons"),
            ("stttt-hanam", "seller.suspected", "consumer-warning ke-hoach-1679-2023/IV.5"),
        },
    ),
}
"""What nobody can see to be wrong by looking at the directory alone: found by comparing it with what is enforced."""


@pytest.mark.parametrize("name", PLANTED)
def test_what_was_planted_in_the_files_is_found_by_the_comparison(name: str, tmp_path: Path) -> None:
    """Exactly that and nothing else; read by the copy, policy agrees with the copy."""
    file, edit, planted = PLANTED[name]
    contract = copied(tmp_path, [(file, edit)])

    found = differences(SHIPPED, contract)

    assert {each[:3] for each in found} == planted
    assert differences(load_directory(contract=contract), contract) == set()


def _always(_agency: Agency, _type: EventType, *, on: date) -> bool:
    del on
    return True


def _undated(agency: Agency, event_type: EventType, *, on: date) -> ReceiveGrant | None:
    del on
    return next((each for each in agency.receive if each.type == event_type), None)


@pytest.mark.parametrize(("method", "broken"), [("may_publish", _always), ("receive_grant", _undated)])
def test_a_policy_that_is_wrong_is_found(monkeypatch: pytest.MonkeyPatch, method: str, broken: object) -> None:
    """One that lets everybody publish, one that looks at no date."""
    monkeypatch.setattr(Agency, method, broken)

    assert differences(SHIPPED, schemas.SHIPPED) != set()


def test_the_border_days_are_those_of_the_files(tmp_path: Path) -> None:
    """Each with its neighbours, so that a day too early or too late is seen."""
    edit = swap("valid_from = 2023-07-01", "valid_from = 2023-07-01\nvalid_to = 2025-02-28")
    contract = copied(tmp_path, [("directory/post-hanam.toml", edit)])

    days = expected.border_days(contract)

    assert {date(2025, 2, 27), date(2025, 2, 28), date(2025, 3, 1), date(2024, 6, 30), date(2024, 7, 1)} <= set(days)
    found: set[Difference] = differences(SHIPPED, contract, [date(2025, 2, 28), date(2025, 3, 1)])
    assert {each[3] for each in found} == {date(2025, 3, 1)}


def test_the_shipped_directory_has_no_contradiction() -> None:
    """Not even one that is only a warning."""
    assert found_in(schemas.SHIPPED) == []
