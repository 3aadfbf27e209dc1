"""
The command line. Exit codes: 0 done, 1 refused or found wrong, 2 could not run.

Commands are thin: they read arguments, call one function of the project, and print what it gives.
"""

from __future__ import annotations

import logging
import sys

import structlog
import typer

from lienthong.commands import act, demo, document, inbox, ingest, ledger, officer, servers, worker
from lienthong.output import say
from streams.errors import ConfigurationError, InputError, LienThongError, TransientError

__all__ = ["app", "main"]

app = typer.Typer(
    no_args_is_help=True,
    add_completion=True,
    pretty_exceptions_enable=False,
    help="Liên Thông: the bus on which a province's agencies fight counterfeits and protect consumers.",
)
for each in (servers, worker, ingest, inbox, act, officer, document, ledger, demo):
    each.add_to(app)


def main() -> None:
    """Run the command line and leave with its exit code."""
    _log_to_stderr()
    try:
        app()
    except LienThongError as error:
        say(str(error))
        sys.exit(2 if isinstance(error, ConfigurationError | InputError | TransientError) else 1)
    except KeyboardInterrupt:
        sys.exit(130)


def _log_to_stderr() -> None:
    """Write structured logs, one JSON object a line, on standard error."""
    logging.basicConfig(level=logging.WARNING, stream=sys.stderr, format="%(message)s")
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.processors.dict_tracebacks,
            structlog.processors.JSONRenderer(ensure_ascii=False),
        ],
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
    )
