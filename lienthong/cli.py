"""
The command line. Exit codes: 0 done, 1 refused or found wrong, 2 could not run.

Commands are thin: they read arguments, call one function of the project, and print what it gives.
"""

from __future__ import annotations

import logging
import sys

import structlog
import typer

from lienthong.commands import act, demo, document, inbox, ingest, ledger, officer, quarantine, servers, worker
from lienthong.output import say
from streams.errors import ConfigurationError, InputError, LienThongError, TransientError

__all__ = ["app", "main"]

app = typer.Typer(
    no_args_is_help=True,
    add_completion=True,
    pretty_exceptions_enable=False,
    help="Liên Thông: the bus on which a province's agencies fight counterfeits and protect consumers.",
)
for each in (servers, worker, ingest, inbox, act, officer, document, ledger, quarantine, demo):
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
    """Write logs, ours and the libraries', as one JSON object a line on standard error."""
    shared: list[structlog.typing.Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.stdlib.add_logger_name,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        # Without the values of local variables: they would be payload fields, passwords and keys.
        structlog.processors.ExceptionRenderer(structlog.tracebacks.ExceptionDictTransformer(show_locals=False)),
    ]
    structlog.configure(
        processors=[*shared, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
    )
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=shared,
            processors=[
                structlog.stdlib.ProcessorFormatter.remove_processors_meta,
                structlog.processors.JSONRenderer(ensure_ascii=False),
            ],
        )
    )
    logging.basicConfig(level=logging.WARNING, handlers=[handler])
    # Closing a consumer of kafka-python cancels a refresh of its metadata, which it then logs as an error.
    logging.getLogger("kafka.cluster").setLevel(logging.CRITICAL)
