"""`lienthong worker`."""

from __future__ import annotations

from typing import Annotated

import typer

from lienthong import worker
from lienthong.commands.options import Data, chosen_data

__all__ = ["add_to"]


def add_to(app: typer.Typer) -> None:
    """Add the command."""
    app.command("worker")(run_worker)


def run_worker(agency: Annotated[str, typer.Argument(help="The agency's code, or `bus`.")], data: Data = None) -> None:
    """Run the worker of an agency, or of the bus, until it is told to stop."""
    worker.run(chosen_data(data), agency)
