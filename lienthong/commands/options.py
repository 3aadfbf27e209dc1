"""Options that several commands share."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from lienthong.settings import default_data

__all__ = ["ActingAs", "Data", "Json", "chosen_data"]

Data = Annotated[
    Path | None, typer.Option("--data", help="The installation's folder; LIENTHONG_DATA, else .lienthong here.")
]
Json = Annotated[bool, typer.Option("--json", help="Print JSON Lines.")]
ActingAs = Annotated[str, typer.Option("--as", help="Who acts: AGENCY/OFFICER.")]


def chosen_data(data: Path | None) -> Path:
    """Give the installation's folder, absolute."""
    return data.expanduser().absolute() if data else default_data()
