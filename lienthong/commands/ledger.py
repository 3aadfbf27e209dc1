"""`lienthong trace` and `lienthong open`: what the Steering Committee follows."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any
from uuid import UUID

import typer
from rich.console import Console
from rich.tree import Tree

from connectors.postgres import Database, open_answers, trace
from lienthong.commands.options import Data, Json, chosen_data
from lienthong.directory import LiveDirectory
from lienthong.output import json_line, table
from lienthong.settings import agency_settings
from streams.errors import InputError
from streams.names import BUS, database_schema

__all__ = ["add_to", "ledger"]

# What `--json` prints, and nothing more: programs of other people read it.
_TRACED = ("event_id", "type", "agency", "cause", "at", "topic", "recipients")
_RECIPIENT = ("agency", "delivered_at", "removed", "answer")
_OPEN = ("event_id", "agency", "due", "late_seconds")


def add_to(app: typer.Typer) -> None:
    """Add the commands."""
    app.command("trace")(show_trace)
    app.command("open")(show_open)


def show_trace(event_id: UUID, data: Data = None, json: Json = False) -> None:  # noqa: FBT002 -- a flag
    """Show the whole chain that an event belongs to: causes, recipients, removed fields, answers."""
    asyncio.run(_trace(chosen_data(data), event_id, json=json))


def show_open(
    agency: Annotated[str | None, typer.Option(help="Only what this agency owes.")] = None,
    data: Data = None,
    json: Json = False,  # noqa: FBT002 -- a flag
) -> None:
    """Show what is owed and not answered."""
    asyncio.run(_open(chosen_data(data), agency, json=json))


def ledger(data: Path) -> Database:
    """
    Give the bus's ledger, to be opened.

    Raises:
        InputError: nothing is installed.
    """
    dsn = agency_settings(data, BUS).postgres.dsn.get_secret_value()
    return Database(dsn, schema=database_schema(BUS))


async def _trace(data: Path, event_id: UUID, *, json: bool) -> None:
    async with ledger(data) as database:
        rows = await trace(database, event_id)
    if not rows:
        raise InputError(f"The bus has admitted no event {event_id}: it may be in quarantine, or still on its way.")
    if json:
        for row in rows:
            recipients = [_only(each, _RECIPIENT) for each in row["recipients"]]
            json_line(_only({**row, "recipients": recipients}, _TRACED))
        return
    Console(width=None if sys.stdout.isatty() else 160).print(_tree(rows, event_id))


async def _open(data: Path, agency: str | None, *, json: bool) -> None:
    if agency is not None:
        LiveDirectory(data)().agency(agency)
    async with ledger(data) as database:
        rows = await open_answers(database, agency=agency)
    if json:
        for row in rows:
            json_line(_only(row, _OPEN))
        return
    columns = ("event_id", "type", "agency", "due", "late_seconds")
    table("Unanswered", columns, [[row[name] for name in columns] for row in rows])


def _only(row: Mapping[str, Any], names: Sequence[str]) -> dict[str, Any]:
    return {name: row[name] for name in names}


def _tree(rows: Sequence[Mapping[str, Any]], asked: UUID) -> Tree:
    """Draw the chain: each event below its cause, its recipients beside it; the event that was asked for is marked."""
    root = Tree(f"Chain of {len(rows)} events")
    branches: dict[UUID, Tree] = {}
    for row in rows:
        parent = branches.get(row["cause"], root)
        mark = " [bold]◀[/bold]" if row["event_id"] == asked else ""
        by = row["officer"] or row["agency"]
        moment = row["admitted_at"].strftime("%Y-%m-%d %H:%M:%SZ")
        branches[row["event_id"]] = parent.add(f"[bold]{row['type']}[/bold]  {by}  {moment}  {row['event_id']}{mark}")
        for each in row["recipients"]:
            branches[row["event_id"]].add(f"[dim]→ {_recipient(each)}[/dim]")
    return root


def _recipient(each: Mapping[str, Any]) -> str:
    answer = each["answer"]
    parts = [
        each["agency"],
        f"without {', '.join(each['removed'])}" if each["removed"] else "",
        " ".join(["answered", answer["status"] or ""]).strip() if answer else "",
        f"owes an answer until {each['answer_due']:%Y-%m-%d %H:%MZ}" if each["answer_due"] and not answer else "",
        "" if each["delivered_at"] else "not delivered yet",
    ]
    return "; ".join(part for part in parts if part)
