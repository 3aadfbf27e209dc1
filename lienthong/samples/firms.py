"""Invented firms: names that say so, and tax codes in a range that no province has, with a right check digit."""

from __future__ import annotations

from dataclasses import dataclass
from random import Random

__all__ = ["BANK_BIN", "BANK_NAME", "Firm", "courier_number", "invent_firms", "misspell", "s10_number", "tax_code"]

BANK_NAME = "Ngân hàng TMCP Ví Dụ"
"""An invented bank."""

BANK_BIN = "970999"
"""The invented bank's six-digit number; no bank has it."""

_TAX_WEIGHTS = (31, 29, 23, 19, 17, 13, 7, 5, 3)
_S10_WEIGHTS = (8, 6, 4, 2, 3, 5, 9, 7)
_INVENTED_PREFIX = "99"
_KINDS = ("Công ty TNHH", "Công ty Cổ phần", "Hợp tác xã", "Công ty TNHH MTV")
_TRADES = ("Thương mại", "Mỹ phẩm", "Thời trang", "Điện gia dụng", "Nông sản", "Thực phẩm chức năng", "Giày dép")
_NAMES = ("Sông Châu", "Núi Đọi", "Tam Chúc", "Hoa Sen", "Đồng Quê", "Chuối Ngự", "Ánh Dương", "Bình Minh")


@dataclass(frozen=True, slots=True)
class Firm:
    """
    An invented firm.

    Args:
        name: with the words Ví Dụ (example) in it.
        tax_code: 10 digits, or 13 with a hyphen for a branch.
        address: invented.
        account: an invented account number at the invented bank.
    """

    name: str
    tax_code: str
    address: str
    account: str


def tax_code(base: str) -> str | None:
    """
    Add the check digit to nine digits; None for those that have none.

    The digit is 10 less the weighted sum modulo 11; a sum that leaves no remainder would need two digits.

    >>> tax_code("010023348")
    '0100233488'
    """
    digit = 10 - sum(weight * int(figure) for weight, figure in zip(_TAX_WEIGHTS, base, strict=True)) % 11
    return f"{base}{digit}" if digit < 10 else None  # noqa: PLR2004 -- one digit


def misspell(code: str) -> str:
    """Give the tax code with its check digit off by one."""
    return f"{code[:9]}{(int(code[9]) + 1) % 10}{code[10:]}"


def invent_firms(random: Random, count: int) -> list[Firm]:
    """Invent so many firms, no two with one name or tax code; every fifth is a branch with 13 digits."""
    firms: dict[str, Firm] = {}
    while len(firms) < count:
        code = tax_code(f"{_INVENTED_PREFIX}{random.randrange(1, 10**7):07}")
        place = len(firms)
        if code is None or code in firms:
            continue
        name = f"{_KINDS[place % len(_KINDS)]} {_TRADES[place % len(_TRADES)]} {_NAMES[place % len(_NAMES)]}"
        branch = place % 5 == 4  # noqa: PLR2004 -- every fifth
        firms[code] = Firm(
            name=f"{name} Ví Dụ {place + 1}",
            tax_code=f"{code}-001" if branch else code,
            address=f"Số {random.randrange(1, 200)}, đường Ví Dụ, phường Mẫu, tỉnh Hà Nam",
            account=f"9{random.randrange(10**11):011}",
        )
    return list(firms.values())


def s10_number(random: Random) -> str:
    """Invent a postal number of the form that UPU S10 gives, check digit included, for instance EV123456785VN."""
    serial = f"{random.randrange(10**8):08}"
    rest = 11 - sum(weight * int(figure) for weight, figure in zip(_S10_WEIGHTS, serial, strict=True)) % 11
    digit = {10: 0, 11: 5}.get(rest, rest)
    return f"EV{serial}{digit}VN"


def courier_number(random: Random) -> str:
    """Invent a courier's number: letters that no courier uses, and digits."""
    return f"VDX{random.randrange(10**10):010}"
