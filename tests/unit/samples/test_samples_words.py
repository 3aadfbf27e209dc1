"""The generator's own words and firms."""

from __future__ import annotations

from random import Random

import pytest
from stdnum.vn import mst

from lienthong.samples.firms import courier_number, invent_firms, misspell, s10_number, tax_code
from lienthong.samples.words import MAX_AMOUNT, STYLES, in_words


@pytest.mark.parametrize(
    ("amount", "style", "expected"),
    [
        (0, 0, "Không đồng"),
        (5, 0, "Năm đồng"),
        (10, 0, "Mười đồng"),
        (14, 0, "Mười bốn đồng"),
        (15, 0, "Mười lăm đồng"),
        (24, 0, "Hai mươi tư đồng"),
        (24, 2, "Hai mươi bốn đồng chẵn."),
        (31, 0, "Ba mươi mốt đồng"),
        (11, 0, "Mười một đồng"),
        (100, 0, "Một trăm đồng"),
        (105, 1, "Một trăm linh năm đồng."),
        (1_005, 0, "Một nghìn không trăm lẻ năm đồng"),
        (1_000_000, 0, "Một triệu đồng"),
        (2_000_015, 2, "Hai triệu không trăm mười lăm đồng chẵn."),
        (1_005_000_000, 0, "Một tỷ không trăm lẻ năm triệu đồng"),
        (1_200_000_000_000, 1, "Một nghìn hai trăm tỉ đồng."),
        (MAX_AMOUNT, 0, "Một triệu tỷ đồng"),
        (-5_000, 0, "Âm năm nghìn đồng"),
    ],
)
def test_amounts_are_spelled_as_accountants_do(amount: int, style: int, expected: str) -> None:
    """In every style that occurs."""
    assert expected == in_words(amount, style=STYLES[style])


def test_an_amount_too_large_is_refused() -> None:
    """Beyond a million billions nobody agrees on the words."""
    with pytest.raises(ValueError, match="too large"):
        in_words(MAX_AMOUNT + 1)


def test_invented_tax_codes_have_their_check_digit() -> None:
    """By the judgement of another library; misspelled ones fail it."""
    firms = invent_firms(Random(1), 60)  # noqa: S311 -- samples

    assert all(mst.is_valid(each.tax_code) for each in firms)
    assert not any(mst.is_valid(misspell(each.tax_code)) for each in firms)
    assert len({each.name for each in firms}) == len(firms) == len({each.tax_code[:10] for each in firms})
    assert {len(mst.compact(each.tax_code)) for each in firms} == {10, 13}
    assert all("Ví Dụ" in each.name for each in firms)


def test_nine_digits_without_a_check_digit_make_no_code() -> None:
    """One in eleven."""
    made = [tax_code(f"{base:09}") for base in range(991_000_000, 991_000_200)]

    assert None in made
    assert all(each is None or mst.is_valid(each) for each in made)


def test_parcel_numbers_have_the_forms_of_their_kinds() -> None:
    """S10 with a check digit, and a courier's with none."""
    numbers = [s10_number(Random(seed)) for seed in range(40)]  # noqa: S311 -- samples

    assert all(len(each) == 13 and each.startswith("EV") and each.endswith("VN") for each in numbers)
    assert courier_number(Random(1)).startswith("VDX")  # noqa: S311 -- samples
