"""`lienthong health` and `lienthong metrics`."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import asdict, fields
from pathlib import Path
from typing import Annotated, Any

import typer

from lienthong import installation
from lienthong.checkup import Measured, address_of, ask_ready, measure
from lienthong.commands.options import Data, Json, chosen_data
from lienthong.output import json_line, say, table
from streams.errors import InputError, TransientError
from streams.names import AgencyCode, agency_code

__all__ = ["add_to"]

_LOOK_SECONDS = 0.5
_MEASURED = ("agency", *(each.name for each in fields(Measured)))


def add_to(app: typer.Typer) -> None:
    """Add the commands."""
    app.command()(health)
    app.command()(metrics)


def health(
    agency: Annotated[str, typer.Argument(help="The agency's code, or `bus`.")],
    wait: Annotated[float, typer.Option("--wait", help="Wait so many seconds for it to be ready.")] = 0.0,
    data: Data = None,
) -> None:
    """Say whether a worker of this machine is ready, else what is not; exit 1 then."""
    folder, code = chosen_data(data), agency_code(agency)
    deadline = time.monotonic() + wait
    while (found := _not_ready(folder, code)) and time.monotonic() < deadline:
        time.sleep(_LOOK_SECONDS)
    for name, why in found.items():
        say(f"{name}: {why}")
    if found:
        raise typer.Exit(1)
    say(f"The worker of {code} is ready.")


def _not_ready(folder: Path, agency: AgencyCode) -> Mapping[str, str]:
    try:
        return ask_ready(address_of(folder, agency))
    except (InputError, TransientError) as error:  # none was started yet, or it is just starting
        return {"worker": str(error)}


def metrics(data: Data = None, json: Json = False) -> None:  # noqa: FBT002 -- a flag
    """Say how far behind each running worker is, what waits in its schema, and what it did since it began."""
    rows = [
        {"agency": each.service, **asdict(measure(each.address))}
        for each in installation.supervised(chosen_data(data))
        if each.address is not None
    ]
    if json:
        for row in rows:
            json_line(row)
        return
    table("Workers", _MEASURED, [[_shown(row[column]) for column in _MEASURED] for row in rows])


def _shown(value: Any) -> Any:
    return "unknown" if value is None else value
