"""The dated tag map."""

from __future__ import annotations

from datetime import date

from connectors.einvoice.tags import fold_name, tags_of_all_days, tags_on


def test_names_change_with_the_day() -> None:
    """The drafts' names end when Decree 123/2020 comes into force, and identity numbers become tax codes later."""
    assert tags_on(date(2021, 1, 1))["line.description"] == ("THHDVu", "Ten")
    assert tags_on(date(2022, 6, 30))["invoice.issued_on"] == ("NLap", "TDLap")
    assert tags_on(date(2022, 7, 1))["invoice.issued_on"] == ("NLap",)
    assert tags_on(date(2025, 6, 30))["party.tax_code"] == ("MST",)
    assert tags_on(date(2026, 1, 1))["party.tax_code"] == ("MST", "CCCDan")


def test_no_day_is_without_a_map() -> None:
    """A file that says year 1 or 9999 is read all the same."""
    assert tags_on(date.min).names.keys() == tags_on(date.max).names.keys() == tags_of_all_days().names.keys()
    assert "206" not in tags_on(date.min).kinds


def test_spellings_of_a_free_fields_name_meet() -> None:
    """Case, accents, spaces and punctuation do not matter."""
    meanings = tags_on(date(2026, 1, 1)).free_fields

    for spelling in ("Mã vận đơn", "MaVanDon", "MÃ VẬN ĐƠN:", "ma_van_don"):
        assert meanings[fold_name(spelling)] == "parcel"
    assert meanings[fold_name("Tracking Number")] == "parcel"
    assert meanings[fold_name("gian hàng")] == "shop"
    assert fold_name("Fkey") not in meanings
