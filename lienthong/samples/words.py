"""
Writes a whole amount out in Vietnamese words, as an honest accountant would (TgTTTBChu).

It shares no code with the rule that reads such words, so that one can test the other.
"""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["MAX_AMOUNT", "STYLES", "Style", "in_words"]

MAX_AMOUNT = 10**15
"""The largest amount that is written: a million billions."""

_BILLION = 10**9
_ONES = ("không", "một", "hai", "ba", "bốn", "năm", "sáu", "bảy", "tám", "chín")


@dataclass(frozen=True, slots=True)
class Style:
    """
    A writer's habits.

    Args:
        zero_tens: what stands for a missing ten: lẻ in the north, linh elsewhere.
        thousand: nghìn or ngàn.
        billion: tỷ or tỉ.
        four: how the last four is said after a ten: tư or bốn.
        ending: what follows the currency, for instance chẵn and a full stop.
    """

    zero_tens: str = "lẻ"
    thousand: str = "nghìn"
    billion: str = "tỷ"
    four: str = "tư"
    ending: str = ""


STYLES = (
    Style(),
    Style(zero_tens="linh", billion="tỉ", ending="."),
    Style(thousand="ngàn", four="bốn", ending=" chẵn."),
    Style(zero_tens="linh", thousand="ngàn", ending=" chẵn"),
)
"""Habits that all occur."""


def in_words(amount: int, *, currency: str = "đồng", style: Style = STYLES[0]) -> str:
    """
    Write an amount in words, the first letter large.

    >>> in_words(1_105_000)
    'Một triệu một trăm lẻ năm nghìn đồng'
    >>> in_words(21)
    'Hai mươi mốt đồng'

    Args:
        amount: whole, from minus to plus `MAX_AMOUNT`.
        currency: its name in words.
        style: the writer's habits.

    Raises:
        ValueError: the amount is too large.
    """
    if abs(amount) > MAX_AMOUNT:
        raise ValueError(f"{amount} is too large to be written in words.")
    said = " ".join(_number(abs(amount), style))
    signed = f"âm {said}" if amount < 0 else said
    return f"{signed[0].upper()}{signed[1:]} {currency}{style.ending}"


def _number(amount: int, style: Style) -> list[str]:
    if amount < _BILLION:
        return _millions(amount, style, after_more=False) or [_ONES[0]]
    above, below = divmod(amount, _BILLION)
    return [*_number(above, style), style.billion, *_millions(below, style, after_more=True)]


def _millions(amount: int, style: Style, *, after_more: bool) -> list[str]:
    """Say an amount below a billion; groups that are zero are left out."""
    said: list[str] = []
    for size, name in ((10**6, "triệu"), (10**3, style.thousand), (1, "")):
        group = amount // size % 1000
        if group:
            said += _group(group, style, after_more=after_more or bool(said))
            said += [name] if name else []
    return said


def _group(group: int, style: Style, *, after_more: bool) -> list[str]:
    """Say one to 999; after a greater group the hundreds are said even when they are none."""
    hundreds, rest = divmod(group, 100)
    said = [_ONES[hundreds], "trăm"] if hundreds or after_more else []
    tens, ones = divmod(rest, 10)
    if not rest:
        return said
    if tens == 0:
        return [*said, style.zero_tens, _ONES[ones]] if said else [_ONES[ones]]
    said += ["mười"] if tens == 1 else [_ONES[tens], "mươi"]
    return said + _last(ones, tens, style)


def _last(ones: int, tens: int, style: Style) -> list[str]:
    if ones == 0:
        return []
    if ones == 5:  # noqa: PLR2004 -- năm becomes lăm after a ten
        return ["lăm"]
    if ones == 1 and tens > 1:
        return ["mốt"]
    return [style.four] if ones == 4 and tens > 1 else [_ONES[ones]]  # noqa: PLR2004 -- bốn becomes tư after twenty
