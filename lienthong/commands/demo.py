"""`lienthong demo`."""

from __future__ import annotations

import asyncio
from typing import Annotated

import typer

from lienthong import installation
from lienthong.agency_session import now
from lienthong.commands.options import Data, Json, chosen_data
from lienthong.demo import play
from lienthong.stack import progress_on
from streams.calendar import vietnamese_day

__all__ = ["add_to"]


def add_to(app: typer.Typer) -> None:
    """Add the command."""
    app.command()(demo)


def demo(
    data: Data = None,
    patience: Annotated[float, typer.Option(min=1, help="Seconds without any change before giving up.")] = 45.0,
    json: Json = False,  # noqa: FBT002 -- a flag
) -> None:
    """Bring everything up, drive a sample set through every layer, and leave it running."""
    folder = chosen_data(data)
    with progress_on() as progress:
        installation.bring_up(folder, progress=progress)
    asyncio.run(play(folder, today=vietnamese_day(now()), patience_seconds=patience, json_lines=json))
