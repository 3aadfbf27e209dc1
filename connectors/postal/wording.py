"""Sentences for postal clerks, in both languages."""

from __future__ import annotations

__all__ = ["WHOLE_FILE", "both", "place"]

WHOLE_FILE = "cả tệp / the whole file"
"""The position of what is wrong with a file and not with one of its rows."""


def both(vi: str, en: str) -> str:
    """
    Join a sentence in Vietnamese and in English, as clerks read it in a reason file.

    >>> both("Thiếu cột.", "A column is missing.")
    'Thiếu cột. / A column is missing.'
    """
    return f"{vi} / {en}"


def place(row: int, column: str | None = None) -> str:
    """
    Name a row of a table, counted as a spreadsheet counts (the header is row 1), and a column of it.

    >>> place(3, "seen_at")
    'dòng 3, cột seen_at / row 3, column seen_at'
    """
    if column is None:
        return both(f"dòng {row}", f"row {row}")
    return both(f"dòng {row}, cột {column}", f"row {row}, column {column}")
