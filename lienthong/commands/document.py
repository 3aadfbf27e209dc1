"""`lienthong document get`."""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path
from typing import Annotated

import typer

from connectors.postgres import names_document
from lienthong.agency_session import now, open_agency, open_documents
from lienthong.commands.options import ActingAs, Data, chosen_data
from lienthong.directory import LiveDirectory
from lienthong.output import say
from streams.calendar import vietnamese_day
from streams.documents import check_sha256
from streams.errors import ForbiddenError
from streams.names import officer_name

__all__ = ["add_to"]


def add_to(app: typer.Typer) -> None:
    """Add the commands."""
    group = typer.Typer(no_args_is_help=True, help="Documents that events name.")
    group.command("get")(get)
    group.callback()(_nothing)
    app.add_typer(group, name="document")


def get(
    officer: ActingAs,
    sha256: Annotated[str, typer.Argument(help="The document's hash, as an event names it.", metavar="HASH")],
    out: Annotated[Path | None, typer.Option(help="Write it there instead of to standard output.")] = None,
    data: Data = None,
) -> None:
    """Give a document to an agency whose delivery, or own event, named it; to others it does not exist."""
    content = asyncio.run(_get(chosen_data(data), officer, check_sha256(sha256)))
    if out is None:
        sys.stdout.buffer.write(content)
    else:
        out.write_bytes(content)
        say(f"{len(content)} bytes written to {out}.")


async def _get(data: Path, officer: str, sha256: str) -> bytes:
    LiveDirectory(data)().officer(officer, on=vietnamese_day(now()))
    async with open_agency(data, officer_name(officer)[0]) as session:
        if not await names_document(session.database, sha256):
            raise ForbiddenError(f"No event that {session.agency} received or sent names document {sha256}.")
        return open_documents(session.settings, session.agency).get(sha256)


def _nothing() -> None:
    """Documents that events name."""
