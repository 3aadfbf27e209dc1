"""Amounts in Vietnamese words."""

from __future__ import annotations

import unicodedata
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agents.tax_office.number_words import MAX_CHARACTERS, read_amount
from lienthong.samples.words import MAX_AMOUNT, STYLES, Style, in_words

READABLE = {
    "Không đồng": "0",
    "Năm đồng": "5",
    "mười đồng": "10",
    "Mười lăm nghìn đồng chẵn.": "15000",
    "hai mươi mốt": "21",
    "hai mươi tư": "24",
    "hai mươi bốn": "24",
    "chín mươi nhăm": "95",
    "Ba mươi hai nghìn một trăm đồng": "32100",
    "Một  triệu một  trăm nghìn đồng.": "1100000",
    "MỘT TRĂM LẺ NĂM ĐỒNG": "105",
    "một trăm linh năm đồng": "105",
    "một nghìn không trăm lẻ năm": "1005",
    "một nghìn lẻ năm": "1005",
    "một nghìn lẻ năm mươi": "1050",
    "hai ngàn, ba trăm ngàn": None,
    "hai triệu, ba trăm ngàn": "2300000",
    "một tỷ": "1000000000",
    "một tỉ hai trăm triệu": "1200000000",
    "một nghìn hai trăm tỷ đồng": "1200000000000",
    "một triệu tỷ": "1000000000000000",
    "hai tỷ tỷ": "2000000000000000000",
    "một tỷ không trăm linh năm triệu": "1005000000",
    "mot trieu mot tram nghin dong": "1100000",
    "Số tiền bằng chữ: Bảy mươi hai nghìn đồng": "72000",
    "Hai trăm nghìn đồng Việt Nam": "200000",
    "Hai trăm nghìn Việt Nam đồng": "200000",
    "âm năm nghìn đồng": "-5000",
    "trừ năm nghìn đồng": "-5000",
    "một trăm phẩy năm": "100.5",
    "một trăm phẩy không năm USD": "100.05",
    "một trăm chấm hai mươi lăm": "100.25",
    "hai mươi mốt đô la Mỹ và năm mươi xu": "21.50",
    "một trăm đô la Mỹ chẵn": "100",
    "một trăm euro năm mươi cent chẵn": "100.50",
    "ba chục đồng": "30",
}

UNREADABLE = [
    None,
    "",
    "   ",
    "đồng",
    "nghìn đồng",
    "tỷ",
    "xin chào",
    "1.100.000 đồng",
    "một triệu hai",
    "một nghìn hai",
    "một trăm hai",
    "một tỷ hai",
    "một hai ba",
    "một trăm trăm",
    "trăm đồng",
    "mười hai trăm",
    "mười mười",
    "một nghìn một triệu",
    "lẻ",
    "một phẩy",
    "phẩy năm",
    "một đồng và hai",
    "một đồng và hai trăm xu",
    "một đồng và cái xu",
    "một tỷ xyz",
    "xyz tỷ",
    "một " * MAX_CHARACTERS,
]


@pytest.mark.parametrize(("words", "expected"), READABLE.items())
def test_words_are_read(words: str, expected: str | None) -> None:
    """Case, punctuation, spelling and missing marks do not matter."""
    assert (None if expected is None else Decimal(expected)) == read_amount(words)


@pytest.mark.parametrize("words", UNREADABLE)
def test_what_is_unclear_is_not_read(words: str | None) -> None:
    """No guess is made."""
    assert read_amount(words) is None


AMOUNTS = st.integers(-MAX_AMOUNT, MAX_AMOUNT) | st.integers(0, 10**6).map(lambda n: n * 10**6)
STYLE = st.sampled_from(STYLES) | st.builds(
    Style,
    zero_tens=st.sampled_from(["lẻ", "linh"]),
    thousand=st.sampled_from(["nghìn", "ngàn"]),
    billion=st.sampled_from(["tỷ", "tỉ"]),
    four=st.sampled_from(["tư", "bốn"]),
    ending=st.sampled_from(["", ".", " chẵn", " chẵn."]),
)


@given(AMOUNTS, STYLE)
def test_what_the_generator_writes_is_read_back(amount: int, style: Style) -> None:
    """Two pieces of code that share nothing agree up to 10^15."""
    assert amount == read_amount(in_words(amount, style=style))


@given(AMOUNTS, STYLE)
def test_without_marks_and_in_capitals_it_is_the_same(amount: int, style: Style) -> None:
    """Old programs print neither tone marks nor small letters."""
    words = in_words(amount, style=style).upper()
    plain = "".join(
        each for each in unicodedata.normalize("NFD", words).replace("Đ", "D") if not unicodedata.combining(each)
    )

    assert amount == read_amount(plain)
    assert amount == read_amount(unicodedata.normalize("NFD", words))


@given(
    st.lists(
        st.sampled_from(
            ["một", "hai", "mươi", "trăm", "nghìn", "triệu", "tỷ", "lẻ", "phẩy", "không", "đồng", "xu", "năm", "âm"]
        ),
        max_size=9,
    )
)
def test_no_order_of_words_stops_the_reader(words: list[str]) -> None:
    """There is a number or nothing."""
    assert isinstance(read_amount(" ".join(words)), Decimal | None)
