"""Numbers of parcels."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connectors.postal.numbers import check_number, is_usable, s10_check_digit
from streams.subject import pseudonym

REAL_LIST = Path(__file__).parents[5] / "shared" / "data" / "tracking" / "jkeen" / "couriers" / "s10.json"
SERIALS = st.text("0123456789", min_size=8, max_size=8)


@pytest.mark.parametrize(
    ("serial", "digit"), [("00071759", 5), ("00071758", 1), ("96633102", 0), ("76129403", 8), ("47110815", 1)]
)
def test_check_digits_agree_with_known_ones(serial: str, digit: int) -> None:
    """Among them are the two exceptions, 10 to 0 and 11 to 5."""
    assert digit == s10_check_digit(serial)


@pytest.mark.parametrize("text", ["EB000717595HK", "RR473124829GB", "EE471108151FR", "RB123456785CV"])
def test_right_s10_numbers_are_valid(text: str) -> None:
    """A right number needs no reason."""
    check = check_number(text)

    assert (text, True, "s10", None) == (check.number, check.valid, check.kind, check.reason)
    assert is_usable(check)


@pytest.mark.parametrize(
    ("text", "word"),
    [
        ("EB000717596HK", "check digit"),
        ("RB123456785XX", "country"),
        *((f"{letter}A123456785VN", "reserved") for letter in "JKSTW"),
    ],
)
def test_wrong_s10_numbers_are_invalid_and_say_why(text: str, word: str) -> None:
    """A wrong number never passes, not even as a courier's."""
    check = check_number(text)

    assert (check.valid, check.kind) == (False, "s10")
    assert word in (check.reason or "")
    assert not is_usable(check)


@pytest.mark.parametrize("text", [" ee 471 108 151 vn\n", "EE-471.108.151-VN", "ee_471108151/vn"])
def test_s10_is_folded_as_the_pseudonym_folds(text: str) -> None:
    """However it is written, it is one number and one parcel."""
    check = check_number(text)

    assert check.number == "EE471108151VN"
    assert pseudonym("parcel", "postal-number", "EE471108151VN") == pseudonym("parcel", "postal-number", text)


@given(serial=SERIALS, service=st.sampled_from(["EA", "RR", "CP", "LX"]), at=st.integers(0, 7), step=st.integers(1, 9))
def test_every_single_wrong_digit_but_the_known_twins_is_found(serial: str, service: str, at: int, step: int) -> None:
    """Weights are prime to 11, so one wrong digit changes the sum; the digits 0 and 5 each stand for two sums."""
    digit = s10_check_digit(serial)
    wrong = serial[:at] + str((int(serial[at]) + step) % 10) + serial[at + 1 :]

    assert check_number(f"{service}{serial}{digit}VN").valid
    if digit not in (0, 5):
        assert not check_number(f"{service}{wrong}{digit}VN").valid


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("SPXVN063015366786", "spx"),
        ("spxvn03430656076c", "spx"),
        ("S1.A1.17373471", "ghtk"),
        ("18466196770", "viettel-post"),
        ("802312345678", "jt-express"),
        ("5ENLKKHD", "ghn"),
    ],
)
def test_couriers_are_known_by_form_only(text: str, kind: str) -> None:
    """A form says that it is an assumption."""
    check = check_number(text)

    assert (True, kind) == (check.valid, check.kind)
    assert "assumption" in (check.reason or "")


@pytest.mark.parametrize("text", ["", " ", "RR47312482GB", "ＥＥ471108151FR", "EE٤71108151FR", "SPXVN", "x" * 10_000])
def test_other_texts_are_unknown(text: str) -> None:
    """What fits nothing is invalid, with a reason."""
    check = check_number(text)

    assert (check.valid, check.kind) == (False, "unknown")
    assert check.reason


@pytest.mark.parametrize(
    ("text", "usable"),
    [
        ("ABC-2026/000123", True),
        ("VNPOST", False),
        ("=1+1", False),
        ("12 34", False),
        ("1" * 41, False),
        ("12345", True),
    ],
)
def test_an_operator_may_use_a_form_that_is_not_listed(text: str, usable: object) -> None:
    """An unknown form is usable when it is made of letters, digits and separators."""
    assert usable == is_usable(check_number(text))


@given(text=st.text())
def test_any_text_has_a_verdict(text: str) -> None:
    """Nothing raises, and checking a valid number's own form changes nothing."""
    check = check_number(text)

    if check.valid:
        assert check == check_number(check.number)


@pytest.mark.skipif(not REAL_LIST.exists(), reason=f"{REAL_LIST.name} is not beside the repository")
def test_the_public_s10_list_agrees() -> None:
    """Valid numbers are accepted, invalid ones refused."""
    [form] = json.loads(REAL_LIST.read_text())["tracking_numbers"]
    numbers = form["test_numbers"]

    assert numbers["valid"] == [text for text in numbers["valid"] if check_number(text).valid]
    assert [text for text in numbers["invalid"] if check_number(text).valid] == []
    countries = [place["matches"] for place in form["additional"][1]["lookup"]]
    assert [code for code in countries if not check_number(f"RB123456785{code}").valid] == []
