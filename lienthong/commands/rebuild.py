"""`lienthong rebuild`."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Annotated, Any

import typer

from connectors.postgres import Difference
from lienthong.commands.options import Data, Json, chosen_data
from lienthong.directory import LiveDirectory
from lienthong.installation import require_servers, servers_of
from lienthong.output import json_line, table
from lienthong.rebuild import Rebuilt, rebuild_member
from lienthong.stack import Progress, progress_on
from streams.names import BUS, AgencyCode, agency_code

__all__ = ["add_to"]

_COLUMNS = ("member", "equal", "records", "gone", "live", "rebuilt")


def add_to(app: typer.Typer) -> None:
    """Add the command."""
    app.command("rebuild")(rebuild)


def rebuild(
    agency: Annotated[str | None, typer.Option(help="`bus` or one agency; all of them when left away.")] = None,
    limit: Annotated[int, typer.Option(min=1, help="Name at most so many rows that differ.")] = 20,
    data: Data = None,
    json: Json = False,  # noqa: FBT002 -- a flag
) -> None:
    """Compute the tables again from the log, beside the live ones, and say which rows differ; exit 1 when one does."""
    chosen = chosen_data(data)
    require_servers(chosen)
    members = [agency_code(agency)] if agency else [BUS, *sorted(LiveDirectory(chosen)().agencies)]
    with progress_on() as progress:
        found = asyncio.run(_rebuild(chosen, members, limit=limit, progress=progress))
    rows = [_row(each) for each in found]
    if json:
        for row in rows:
            json_line(row)
    else:
        _show(rows)
    if not all(each.equal for each in found):
        raise typer.Exit(1)


async def _rebuild(data: Path, members: list[AgencyCode], *, limit: int, progress: Progress) -> list[Rebuilt]:
    servers = servers_of(data)
    return [await rebuild_member(data, servers, each, limit=limit, progress=progress) for each in members]


def _row(rebuilt: Rebuilt) -> dict[str, Any]:
    live, again = rebuilt.hashes
    return {
        "member": rebuilt.member,
        "equal": rebuilt.equal,
        "records": rebuilt.records,
        "gone": rebuilt.gone,
        "live": live,
        "rebuilt": again,
        "differences": [_difference(each) for each in rebuilt.differences],
        "unsigned_acts": rebuilt.unsigned_acts,
    }


def _difference(found: Difference) -> dict[str, Any]:
    return {"table": found.table, "key": found.key, "what": found.what, "columns": list(found.columns)}


def _show(rows: list[dict[str, Any]]) -> None:
    table("Rebuilt from the log", _COLUMNS, [[row[name] for name in _COLUMNS] for row in rows])
    differing = [(row["member"], *each.values()) for row in rows for each in row["differences"]]
    differing += [
        (row["member"], "quarantine_act", item, "unsigned", []) for row in rows for item in row["unsigned_acts"]
    ]
    if differing:
        columns = ("member", "table", "key", "what", "columns")
        table(
            "Rows that differ",
            columns,
            [[", ".join(each) if isinstance(each, list) else each for each in row] for row in differing],
        )
