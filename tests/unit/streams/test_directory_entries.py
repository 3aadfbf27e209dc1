"""What an entry of the directory may say of places, successors and contacts, and how mistakes are told."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest

from streams.directory import Agency, load_directory
from streams.errors import ConfigurationError
from streams.table_files import TableError, read_table

ENTRY = """
code = "a"
kind = "police"
valid_from = 2023-07-01
valid_to = 2025-12-31
successor = { code = "b", valid_from = 2026-01-01 }

[names]
vi = "A"
en = "A"

[[jurisdiction]]
codes = ["35", "349"]
valid_from = 2023-07-01
valid_to = 2025-06-30

[[jurisdiction]]
codes = ["37", "13285"]
valid_from = 2025-07-01

[[contacts]]
desk = "a/desk"
email = "desk@a.example"
phone = "+842263800000"
valid_from = 2023-07-01
"""


def test_places_change_with_the_days() -> None:
    """Provinces, districts and communes by their codes; none out of office."""
    agency = read_table(Agency, "a.toml", ENTRY)

    assert agency.places(on=date(2023, 6, 30)) == frozenset()
    assert agency.places(on=date(2025, 6, 30)) == {"35", "349"}
    assert agency.places(on=date(2025, 7, 1)) == {"37", "13285"}
    assert agency.places(on=date(2026, 1, 1)) == frozenset()
    assert agency.successor is not None
    assert (agency.successor.code, agency.contacts[0].email) == ("b", "desk@a.example")


def test_the_shipped_agencies_have_hanams_code() -> None:
    """On every day from their first on."""
    for agency in load_directory().agencies.values():
        assert agency.places(on=agency.valid_from) == {"35"}
        assert agency.places(on=date(2026, 11, 24)) == {"35"}


@pytest.mark.parametrize(
    ("old", "new", "where"),
    [
        ('["35", "349"]', "[]", "jurisdiction[0].codes"),
        ('["35", "349"]', '["3"]', "jurisdiction[0].codes"),
        ('["35", "349"]', '["Hà Nam"]', "jurisdiction[0].codes"),
        ('code = "b"', 'code = "B!"', "successor.code"),
        ('desk = "a/desk"', 'desk = "desk"', "contacts[0].desk"),
        ("desk@a.example", "desk at a", "contacts[0].email"),
        ("+842263800000", "0226 3800 000", "contacts[0].phone"),
        ('code = "a"', 'code = "A"', "code"),
        ('kind = "police"', 'rank = "police"', "kind"),
        ("valid_from = 2023-07-01", "valid_from = 2023", "valid_from"),
    ],
)
def test_a_mistake_is_told_with_its_place(old: str, new: str, where: str) -> None:
    """Codes have two, three or five digits; telephone numbers the country's code."""
    with pytest.raises(TableError) as refused:
        read_table(Agency, "a.toml", ENTRY.replace(old, new, 1))

    assert any(each.where.startswith(where) for each in refused.value.problems)
    assert "a.toml" in str(refused.value)
    assert where in str(refused.value)


def test_a_contract_elsewhere_is_read_as_the_shipped_one(tmp_path: Path) -> None:
    """Its folder has `directory/`; a file that is no text is refused by its name."""
    (tmp_path / "directory").mkdir()
    (tmp_path / "directory" / "a.toml").write_text(ENTRY, encoding="utf-8")
    assert list(load_directory(contract=tmp_path).agencies) == ["a"]

    (tmp_path / "directory" / "b.toml").write_bytes(b"code = '\xff'")
    with pytest.raises(ConfigurationError, match=r"b\.toml .*no UTF-8"):
        load_directory(contract=tmp_path)
