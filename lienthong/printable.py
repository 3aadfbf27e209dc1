"""Foreign bytes and texts, so printed that no terminal obeys them."""

from __future__ import annotations

__all__ = ["hexadecimal", "printable"]

_LINE_BYTES = 32


def printable(value: bytes | str | None) -> str:
    r"""
    Give a text whose control, format and undecodable characters are written as escapes.

    >>> printable("Hà Nam\x1b[2J\u202e".encode() + b"\xff")
    'Hà Nam\\x1b[2J\\u202e\\xff'
    """
    if value is None:
        return ""
    text = value.decode("utf-8", "backslashreplace") if isinstance(value, bytes) else value
    return "".join(each if each.isprintable() else each.encode("unicode_escape").decode() for each in text)


def hexadecimal(value: bytes, *, limit_bytes: int) -> list[str]:
    """
    Give the first bytes in hexadecimal, 32 a line.

    >>> hexadecimal(bytes(33), limit_bytes=100)[1]
    '00'
    """
    shown = value[:limit_bytes]
    return [shown[start : start + _LINE_BYTES].hex(" ") for start in range(0, len(shown), _LINE_BYTES)]
