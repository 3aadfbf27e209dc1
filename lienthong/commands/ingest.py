"""`lienthong ingest einvoice`: files of the tax authority's format become events of the tax office."""

from __future__ import annotations

import asyncio
from collections import Counter
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.progress import track

from lienthong.commands.options import Data, Json, chosen_data
from lienthong.ingestion import EinvoiceIngestion, tax_office
from lienthong.output import json_line, say, table
from streams.errors import InputError

__all__ = ["add_to"]

_SHOWN = ("outcome", "file", "root", "kind", "invoices", "findings", "reason")


def add_to(app: typer.Typer) -> None:
    """Add the commands."""
    group = typer.Typer(no_args_is_help=True, help="Bring files in.")
    group.command("einvoice")(einvoice)
    group.callback()(_nothing)
    app.add_typer(group, name="ingest")


def einvoice(
    paths: Annotated[list[Path], typer.Argument(help="XML files, or folders of them.", metavar="PATH...")],
    data: Data = None,
    agency: Annotated[str | None, typer.Option(help="The tax office; needed only where there are several.")] = None,
    recursive: Annotated[bool, typer.Option("--recursive", help="Look into folders of folders too.")] = False,  # noqa: FBT002 -- a flag
    json: Json = False,  # noqa: FBT002 -- a flag
) -> None:
    """Read e-invoice files (TDiep of any kind, bare HDon) and publish each invoice; every file is accounted for."""
    folder = chosen_data(data)
    asyncio.run(_einvoice(folder, tax_office(folder, agency), paths, recursive=recursive, json=json))


async def _einvoice(folder: Path, agency: str, paths: list[Path], *, recursive: bool, json: bool) -> None:
    reports = []
    async with EinvoiceIngestion.open(folder, agency) as ingestion:
        files = ingestion.expand(paths, recursive=recursive)
        if not files:
            raise InputError("There is no *.xml file: name files, or add --recursive to look into folders of folders.")
        for path in track(files, description="Reading", console=Console(stderr=True), transient=True):
            report = await ingestion.ingest(path)
            if json:
                json_line(report)
            else:
                reports.append(report)
    if not json:
        _show(reports)


def _show(reports: list[dict[str, Any]]) -> None:
    rows = [
        {**each, "invoices": len(each["invoices"]), "findings": ", ".join(f["rule"] for f in each["findings"])}
        for each in reports
    ]
    for row in rows:
        row["file"] = Path(row["file"]).name
    table("E-invoice files", _SHOWN, [[row[name] for name in _SHOWN] for row in rows])
    outcomes = Counter(each["outcome"] for each in reports)
    say(f"{len(reports)} files: " + ", ".join(f"{count} {outcome}" for outcome, count in sorted(outcomes.items())))


def _nothing() -> None:
    """Bring files in."""
