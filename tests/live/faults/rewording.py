"""Changes the product's statements for planted bugs, and fails where there is nothing to change any more."""

from __future__ import annotations

__all__ = ["reworded"]


def reworded(statement: str, old: str, new: str) -> str:
    """
    Put some words in the place of others.

    Raises:
        LookupError: they are not there; the statement has changed since the bug was thought out.
    """
    if old not in statement:
        raise LookupError(f"'{old}' is no part of: {statement}")
    return statement.replace(old, new)
