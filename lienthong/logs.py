"""
Logs: one JSON object a line on standard error, whatever is in it, and nothing of what an event carries.

What came from outside may hold line ends, terminal codes, text that runs backwards, halves of characters. All of these
are escaped, so that a line of the log is one event and looks like what it is.
"""

from __future__ import annotations

import json
import logging
import sys
import threading
import traceback
from collections.abc import Iterator, MutableMapping
from types import TracebackType
from typing import Any

import structlog

from streams.errors import LienThongError
from streams.record_log import NOTE, add_record_in_hand

__all__ = ["describe_error", "log_to_stderr", "one_line"]

_ERROR = tuple[type[BaseException], BaseException, TracebackType | None]

_LONGEST_TEXT = 2_000
_FRAMES = 12
_ERRORS_DEEP = 5

_QUOTES_NOTHING = (LienThongError, OSError, RuntimeError, AttributeError, NameError, ImportError, MemoryError)
"""Errors whose words are a program's own. Others, as ValueError and KeyError, may quote what an event carries."""

_CLIENTS = frozenset({"aiokafka", "asyncio", "cimpl", "faust", "kafka", "mode"})
"""Packages whose errors speak of servers and connections."""


def log_to_stderr(**fields: str) -> None:
    """
    Write logs, ours and the libraries', to standard error.

    Args:
        fields: stand on every line of this process, for instance `agency`.
    """

    def add_fields(_logger: object, _method: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
        for name, value in fields.items():
            event.setdefault(name, value)
        return event

    shared: list[structlog.typing.Processor] = [
        structlog.contextvars.merge_contextvars,
        add_record_in_hand,
        add_fields,
        structlog.stdlib.add_log_level,
        structlog.stdlib.add_logger_name,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        structlog.processors.ExceptionRenderer(describe_error),
    ]
    structlog.configure(
        processors=[*shared, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
    )
    handler = logging.StreamHandler(sys.stderr)
    handler.addFilter(_without_quotes)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=shared,
            processors=[
                structlog.stdlib.ProcessorFormatter.remove_processors_meta,
                structlog.processors.JSONRenderer(serializer=one_line),
            ],
        )
    )
    logging.basicConfig(level=logging.WARNING, handlers=[handler], force=True)
    logging.captureWarnings(capture=True)
    sys.excepthook = lambda *error: _log_uncaught(error)
    threading.excepthook = lambda found: _log_uncaught(
        (found.exc_type, found.exc_value or found.exc_type(), found.exc_traceback)
    )
    # Closing a consumer of kafka-python cancels a refresh of its metadata, which it then logs as an error.
    logging.getLogger("kafka.cluster").setLevel(logging.CRITICAL)


def one_line(event: MutableMapping[str, Any], **options: Any) -> str:
    r"""
    Write a log event as JSON that is one line for everybody.

    >>> print(one_line({"event": "a\u2028b\n\u202ec", "nơi": "Hà Nam"}))
    {"event": "a\u2028b\n\u202ec", "nơi": "Hà Nam"}
    """
    text = json.dumps(_cut(event), ensure_ascii=False, **options)
    # JSON leaves C1 controls, Unicode's line ends, marks of direction and halves of characters as they are.
    return text if text.isprintable() else "".join(each if each.isprintable() else _escaped(each) for each in text)


def _escaped(character: str) -> str:
    return json.dumps(character)[1:-1]


def describe_error(exc_info: _ERROR) -> list[dict[str, Any]]:
    """
    Describe an error and its causes: type, place, record, and its words where they cannot quote an event.

    Local variables are left out for the same reason: they would be fields, passwords and keys.
    """
    return [
        {
            "type": f"{type(each).__module__}.{type(each).__qualname__}",
            "message": _words(each),
            "notes": [note for note in getattr(each, "__notes__", ()) if note.startswith(NOTE)],
            "frames": [
                f"{frame.filename}:{frame.lineno} {frame.name}"
                for frame in traceback.extract_tb(each.__traceback__)[-_FRAMES:]
            ],
        }
        for each in _chain(exc_info[1])
    ]


def _chain(error: BaseException) -> Iterator[BaseException]:
    """Give an error, then what caused it; of a group, the errors in it."""
    seen: list[BaseException] = []
    waiting: list[BaseException | None] = [error]
    while waiting and len(seen) < _ERRORS_DEEP:
        each = waiting.pop(0)
        if each is None or each in seen:
            continue
        seen.append(each)
        yield each
        if isinstance(each, BaseExceptionGroup):
            waiting += each.exceptions
        waiting.append(each.__cause__ or (None if each.__suppress_context__ else each.__context__))


def _words(error: BaseException) -> str | None:
    package = type(error).__module__.split(".")[0]
    return str(error) if isinstance(error, _QUOTES_NOTHING) or package in _CLIENTS else None


def _without_quotes(record: logging.LogRecord) -> bool:
    """Let no library print the words of an error that may quote an event: a filter of the handler."""
    if isinstance(record.args, tuple):
        record.args = tuple(_named(each) if isinstance(each, BaseException) else each for each in record.args)
    return True


def _named(error: BaseException) -> str:
    name = type(error).__qualname__
    return name if (words := _words(error)) is None else f"{name}: {words}"


def _log_uncaught(error: _ERROR) -> None:
    structlog.get_logger(__name__).critical("uncaught error", exc_info=error)


def _cut(event: MutableMapping[str, Any]) -> dict[str, Any]:
    """Shorten long texts: a line stays a line for whatever reads it."""
    return {
        name: f"{value[:_LONGEST_TEXT]}…" if isinstance(value, str) and len(value) > _LONGEST_TEXT else value
        for name, value in event.items()
    }
