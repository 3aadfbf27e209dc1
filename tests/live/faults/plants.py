"""Planted bugs: small changes to a running worker that the checker must notice."""

from __future__ import annotations

from collections.abc import Callable

__all__ = ["PLANTS", "plant"]

PLANTS: dict[str, Callable[[], None]] = {}
"""Each bug's name and what plants it in this process."""


def plant(bug: str) -> None:
    """Plant a bug in this process."""
    PLANTS[bug]()
