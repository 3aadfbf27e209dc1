"""An event's fields as a person writes them in JSON: what `lienthong preview` reads."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

from streams.sealing import Personal


def plain(value: Any) -> Any:
    """Give a value as JSON has it; a personal one in clear."""
    if isinstance(value, Personal):
        return value.text
    if isinstance(value, Mapping):
        return {name: plain(each) for name, each in value.items()}
    if isinstance(value, list | tuple):
        return [plain(each) for each in value]
    if isinstance(value, datetime | date):
        return value.isoformat()
    if isinstance(value, bytes):
        return value.hex()
    return str(value) if isinstance(value, Decimal | UUID) else value
