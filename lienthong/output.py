"""What commands print: JSON Lines for machines, or a table for people; everything else goes to standard error."""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping, Sequence
from datetime import date, datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

from rich.console import Console
from rich.table import Table
from rich.text import Text

__all__ = ["as_json", "json_line", "say", "table"]


def json_line(row: Mapping[str, Any]) -> None:
    """Print one object on one line: decimals are strings, times ISO 8601, absent is null."""
    sys.stdout.write(json.dumps(as_json(row), ensure_ascii=False) + "\n")


def as_json(value: Any) -> Any:
    """
    Give a value as JSON knows it.

    >>> as_json({"amount": Decimal("10.50"), "on": date(2026, 1, 2)})
    {'amount': '10.50', 'on': '2026-01-02'}
    """
    if isinstance(value, Mapping):
        return {str(name): as_json(each) for name, each in value.items()}
    if isinstance(value, list | tuple | set | frozenset):
        return [as_json(each) for each in value]
    if isinstance(value, datetime):
        return value.isoformat(timespec="milliseconds").replace("+00:00", "Z")
    if isinstance(value, date | Decimal | UUID):
        return str(value)
    if isinstance(value, bytes):
        return value.hex()
    return value


def table(title: str, columns: Sequence[str], rows: Sequence[Sequence[object]]) -> None:
    """Print a table for people; a wide one is folded, nothing is cut."""
    shown = Table(title=title, title_justify="left", header_style="bold")
    for column in columns:
        # An id is there to be copied: it stays whole, and the other columns fold.
        shown.add_column(column, overflow="fold", no_wrap=column.endswith("_id"))
    for row in rows:
        # As text: what stands between brackets in a value is no style.
        shown.add_row(*[Text("" if each is None else str(as_json(each))) for each in row])
    Console(width=None if sys.stdout.isatty() else 160, soft_wrap=False).print(shown)


def say(sentence: str) -> None:
    """Tell a person something, on standard error."""
    sys.stderr.write(sentence + "\n")
