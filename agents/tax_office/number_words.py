"""
Reads an amount written out in Vietnamese words, as `TgTTTBChu` carries it.

Case, punctuation, tone marks and the regional spellings do not matter (lẻ/linh, mốt/một, tư/bốn, lăm/năm, nghìn/ngàn,
tỷ/tỉ). What can be read in two ways is not read at all: `một triệu hai` is 1,000,002 to one writer and 1,200,000 to
another, and a rule that accuses must not guess.
"""

from __future__ import annotations

import re
import unicodedata
from decimal import Decimal

__all__ = ["read_amount"]

DIGITS = {
    "khong": 0,
    "mot": 1,
    "hai": 2,
    "ba": 3,
    "bon": 4,
    "tu": 4,
    "nam": 5,
    "lam": 5,
    "nham": 5,
    "sau": 6,
    "bay": 7,
    "tam": 8,
    "chin": 9,
}
"""Digit words without marks: mốt is mot, lăm is lam, bẩy is bay."""

SPELLINGS = {"linh": "le", "ngan": "nghin", "ti": "ty", "chuc": "muoi", "tru": "am", "cham": "phay"}
"""Words that mean the same."""

LABELS = re.compile(r"^(?:so tien )?(?:viet )?bang chu ")
"""What some writers put before the words."""

CURRENCIES = re.compile(
    r"\b(?:dong viet nam|viet nam dong|dong vn|vnd|dong|d"
    r"|do la my|do la|do my|us dollars?|dollars?|usd|euros?|eur|yen nhat|yen|jpy"
    r"|nhan dan te|te|cny|bang anh|gbp|won|krw)\b"
)
"""Names of currencies; what follows one can only be its hundredths (xu)."""

HUNDREDTHS = re.compile(r" (?:xu|cents?)$")
"""The names of a hundredth."""

ENDINGS = re.compile(r"(?: (?:chan|tron|only))+$")
"""Words that say `and nothing more`."""

MAX_CHARACTERS = 400
"""Longer texts are no amount."""

_MAX_TENS_TOKENS = 3


def read_amount(text: str | None) -> Decimal | None:
    """
    Read an amount in words; None when it cannot be read, or in more than one way.

    >>> read_amount("Một triệu một trăm linh năm nghìn đồng chẵn.")
    Decimal('1105000')
    >>> read_amount("hai mươi mốt đô la Mỹ và năm mươi xu")
    Decimal('21.50')
    >>> read_amount("một triệu hai") is None
    True
    """
    if not text or len(text) > MAX_CHARACTERS:
        return None
    plain = LABELS.sub("", ENDINGS.sub("", _plain(text)))
    parts = CURRENCIES.split(plain, maxsplit=1)
    tokens = [SPELLINGS.get(each, each) for each in parts[0].split() if each != "va"]
    negative = tokens[:1] == ["am"]
    whole = _with_fraction(tokens[1:] if negative else tokens)
    hundredths = _hundredths(parts[1]) if len(parts) > 1 else Decimal(0)
    if whole is None or hundredths is None:
        return None
    return -(whole + hundredths) if negative else whole + hundredths


def _plain(text: str) -> str:
    """Lower case without marks, punctuation and double spaces."""
    marked = unicodedata.normalize("NFKD", text.casefold().replace("đ", "d"))
    letters = "".join(each for each in marked if not unicodedata.combining(each))
    return re.sub(r"[\W_]+", " ", letters).strip()


def _hundredths(after: str) -> Decimal | None:
    rest = ENDINGS.sub("", f" {after.strip()}").strip()
    if not rest:
        return Decimal(0)
    if not HUNDREDTHS.search(f" {rest}"):
        return None
    words = HUNDREDTHS.sub("", f" {rest}").split()
    value = _whole([SPELLINGS.get(each, each) for each in words if each != "va"])
    return None if value is None or value > 99 else Decimal(value).scaleb(-2)  # noqa: PLR2004 -- hundredths of one


def _with_fraction(tokens: list[str]) -> Decimal | None:
    if "phay" not in tokens:
        value = _whole(tokens)
        return None if value is None else Decimal(value)
    at = tokens.index("phay")
    whole, fraction = _whole(tokens[:at]), _fraction(tokens[at + 1 :])
    return None if whole is None or fraction is None else Decimal(f"{whole}.{fraction}")


def _fraction(tokens: list[str]) -> str | None:
    """Read what stands after the decimal comma: digit by digit, or as a number."""
    if tokens and all(each in DIGITS for each in tokens):
        return "".join(str(DIGITS[each]) for each in tokens)
    value = _whole(tokens)
    return None if value is None else str(value)


def _whole(tokens: list[str]) -> int | None:
    """Read a whole number: `<number> tỷ <number below a billion>`, the first part again of this form."""
    if "ty" not in tokens:
        return _below_billion(tokens, lone_digit_clear=True)
    last = len(tokens) - 1 - tokens[::-1].index("ty")
    high = _whole(tokens[:last])
    low = _below_billion(tokens[last + 1 :], lone_digit_clear=False) if tokens[last + 1 :] else 0
    return None if high is None or low is None else high * 1_000_000_000 + low


def _below_billion(tokens: list[str], *, lone_digit_clear: bool) -> int | None:
    total, rest, clear = 0, tokens, lone_digit_clear
    for word, scale in (("trieu", 1_000_000), ("nghin", 1_000)):
        if word not in rest:
            continue
        at = rest.index(word)
        value = _below_thousand(rest[:at], lone_digit_clear=True)
        if value is None:
            return None
        total, rest, clear = total + value * scale, rest[at + 1 :], False
    if not rest:
        return total if tokens else None
    value = _below_thousand(rest, lone_digit_clear=clear)
    return None if value is None else total + value


def _below_thousand(tokens: list[str], *, lone_digit_clear: bool) -> int | None:
    if "tram" not in tokens:
        return _below_hundred(tokens, lone_digit_clear=lone_digit_clear)
    at = tokens.index("tram")
    if at != 1 or tokens[0] not in DIGITS:
        return None
    hundreds, rest = DIGITS[tokens[0]] * 100, tokens[2:]
    value = _below_hundred(rest, lone_digit_clear=False) if rest else 0
    return None if value is None else hundreds + value


def _below_hundred(tokens: list[str], *, lone_digit_clear: bool) -> int | None:
    """Read tens and ones; a digit right after a scale word is unclear unless `lẻ` stands between them."""
    if tokens[:1] == ["le"]:
        return _below_hundred(tokens[1:], lone_digit_clear=True)
    if len(tokens) == 1 and tokens[0] in DIGITS:
        return DIGITS[tokens[0]] if lone_digit_clear else None
    if "muoi" not in tokens or len(tokens) > _MAX_TENS_TOKENS:
        return None
    at = tokens.index("muoi")
    before, after = tokens[:at], tokens[at + 1 :]
    if len(before) > 1 or len(after) > 1 or not all(each in DIGITS for each in before + after):
        return None
    return (DIGITS[before[0]] if before else 1) * 10 + (DIGITS[after[0]] if after else 0)
