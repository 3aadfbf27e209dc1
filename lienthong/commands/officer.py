"""`lienthong officer add`."""

from __future__ import annotations

from typing import Annotated

import typer

from lienthong.agency_session import now
from lienthong.commands.options import Data, Json, chosen_data
from lienthong.officers import add_officer
from lienthong.output import json_line, say
from lienthong.settings import agency_settings
from streams.calendar import vietnamese_day
from streams.names import officer_name

__all__ = ["add_to"]


def add_to(app: typer.Typer) -> None:
    """Add the commands."""
    group = typer.Typer(no_args_is_help=True, help="Officers and their keys.")
    group.command("add")(add)
    group.callback()(_nothing)
    app.add_typer(group, name="officer")


def add(
    name: Annotated[str, typer.Argument(help="AGENCY/OFFICER; the officer is a desk or a role, not a person.")],
    role: Annotated[
        str | None, typer.Option(help="officer, supervisor, auditor or operator; the directory's when left away.")
    ] = None,
    data: Data = None,
    json: Json = False,  # noqa: FBT002 -- a flag
) -> None:
    """Make an officer's key and enter the officer in the directory."""
    folder = chosen_data(data)
    agency_settings(folder, officer_name(name)[0])  # a key in a folder where nothing is installed would be lost there
    officer, new = add_officer(folder, name, role=role, on=vietnamese_day(now()))
    if json:
        json_line({"officer": officer.name, "role": officer.role, "key_id": officer.key_id, "new": new})
    else:
        say(f"{officer.name} ({officer.role}) has key {officer.key_id}{'' if new else ', as before'}.")


def _nothing() -> None:
    """Officers and their keys."""
