"""
The command line. Exit codes: 0 done, 1 refused or found wrong, 2 could not run.

Commands are thin: they read arguments, call one function of the project, and print what it gives.
"""

from __future__ import annotations

import sys

import typer

from lienthong.commands import (
    act,
    backup,
    demo,
    directory,
    document,
    health,
    inbox,
    ingest,
    ledger,
    officer,
    quarantine,
    rebuild,
    rights,
    servers,
    worker,
)
from lienthong.logs import log_to_stderr
from lienthong.output import say
from streams.errors import ConfigurationError, InputError, LienThongError, TransientError

__all__ = ["app", "main"]

app = typer.Typer(
    no_args_is_help=True,
    add_completion=True,
    pretty_exceptions_enable=False,
    help="Liên Thông: the bus on which a province's agencies fight counterfeits and protect consumers.",
)
_GROUPS = (
    servers,
    worker,
    health,
    ingest,
    inbox,
    act,
    officer,
    directory,
    rights,
    document,
    ledger,
    quarantine,
    backup,
    rebuild,
    demo,
)
for each in _GROUPS:
    each.add_to(app)


def main() -> None:
    """Run the command line and leave with its exit code."""
    log_to_stderr()
    try:
        app()
    except LienThongError as error:
        say(str(error))
        sys.exit(2 if isinstance(error, ConfigurationError | InputError | TransientError) else 1)
    except KeyboardInterrupt:
        sys.exit(130)
