"""
Numbers of parcels: UPU S10 with its check digit, and domestic couriers' numbers in form only.

S10 is two letters (service), eight digits, a check digit and the country of the operator; Vietnam Post uses it inside
the country too. Couriers' forms are assumptions and stand as data in `formats.toml`.
"""

from __future__ import annotations

import functools
import re
import tomllib
import unicodedata
from dataclasses import dataclass
from importlib.resources import files

from connectors.postal.wording import both

__all__ = ["NumberCheck", "check_number", "is_usable", "s10_check_digit"]

_MAX_TEXT = 200
_SPACES = re.compile(r"\s+")
_SEPARATORS = re.compile(r"[\s.\-_/]+")  # the same that `streams.subject.pseudonym` folds away
_S10 = re.compile(r"([A-Z]{2})([0-9]{8})([0-9])([A-Z]{2})")
_USABLE = re.compile(r"(?=[^0-9]*[0-9])[A-Z0-9][A-Z0-9.\-_/]{4,39}")
_WEIGHTS = (8, 6, 4, 2, 3, 5, 9, 7)
_RESERVED = frozenset("JKSTW")
_FORM_ONLY = both(
    "Chỉ kiểm tra được hình thức: doanh nghiệp không công bố số kiểm tra (giả định).",
    "Form only: the courier publishes no check digit (an assumption).",
)


@dataclass(frozen=True, slots=True)
class NumberCheck:
    """
    What can be said of a parcel's number.

    Args:
        number: as it should be written: upper case, no white space; an S10 number without any separator.
        valid: an S10 number that is right, or a number in a known courier's form.
        kind: `s10`, a courier's code from `formats.toml`, or `unknown`.
        reason: Vietnamese and English; None only for an S10 number that is right.
    """

    number: str
    valid: bool
    kind: str
    reason: str | None = None


@dataclass(frozen=True, slots=True)
class _Formats:
    countries: frozenset[str]
    couriers: tuple[tuple[str, re.Pattern[str]], ...]


def check_number(text: str) -> NumberCheck:
    """
    Check a parcel's number as somebody wrote it.

    What has the shape of S10 is judged as S10 and never passes as a courier's.

    >>> check_number("eb 000 717 595 hk")
    NumberCheck(number='EB000717595HK', valid=True, kind='s10', reason=None)
    >>> check_number("EB000717596HK").valid
    False
    """
    written = _SPACES.sub("", unicodedata.normalize("NFC", text[:_MAX_TEXT])).upper()
    shape = _S10.fullmatch(_SEPARATORS.sub("", written))
    if shape:
        reason = _s10_fault(*shape.groups())
        return NumberCheck(number=shape.group(), valid=reason is None, kind="s10", reason=reason)
    for kind, pattern in _formats().couriers if len(text) <= _MAX_TEXT else ():
        if pattern.fullmatch(written):
            return NumberCheck(number=written, valid=True, kind=kind, reason=_FORM_ONLY)
    return NumberCheck(
        number=written,
        valid=False,
        kind="unknown",
        reason=both(
            "Không phải số S10 (2 chữ, 9 chữ số, 2 chữ) và không theo mẫu của doanh nghiệp nào đã biết.",
            "Neither an S10 number (2 letters, 9 digits, 2 letters) nor in a known courier's form.",
        ),
    )


def is_usable(check: NumberCheck) -> bool:
    """
    Say whether a number can stand for a parcel: not a wrong S10 number, and made of what numbers are made of.

    Wider than `valid`: an operator may use forms that `formats.toml` does not know.
    """
    return check.valid or (check.kind == "unknown" and _USABLE.fullmatch(check.number) is not None)


def s10_check_digit(serial: str) -> int:
    """
    Compute the check digit of eight digits.

    >>> s10_check_digit("47312482")
    9
    """
    rest = 11 - sum(weight * int(digit) for weight, digit in zip(_WEIGHTS, serial, strict=True)) % 11
    return {10: 0, 11: 5}.get(rest, rest)


def _s10_fault(service: str, serial: str, digit: str, country: str) -> str | None:
    if service[0] in _RESERVED:
        return both(
            f"Mã dịch vụ {service} được dành riêng, không cấp cho bưu gửi.",
            f"Service indicator {service} is reserved and given to no parcel.",
        )
    if country not in _formats().countries:
        return both(f"{country} không phải là mã nước.", f"{country} is no country code.")
    if int(digit) != s10_check_digit(serial):
        return both(
            "Số kiểm tra (chữ số thứ chín) sai: đọc lại số hiệu trên bưu gửi.",
            "The check digit (the ninth digit) is wrong: read the number on the parcel again.",
        )
    return None


@functools.cache
def _formats() -> _Formats:
    data = tomllib.loads(files("connectors.postal").joinpath("formats.toml").read_text(encoding="utf-8"))
    couriers = tuple((courier["kind"], re.compile(courier["pattern"])) for courier in data["couriers"])
    return _Formats(countries=frozenset(data["countries"].split()), couriers=couriers)
