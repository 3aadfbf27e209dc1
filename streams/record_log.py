"""
What log lines say about the record in hand: who, what, which chain; never a field of its value.

Setting the record in hand costs next to nothing; its headers are read only when a line is really written, and only
what has the form of an id, a type or a code gets into it.
"""

from __future__ import annotations

import re
from collections.abc import MutableMapping
from contextvars import ContextVar
from types import TracebackType
from typing import Any

import structlog

from streams.errors import LienThongError
from streams.record import QuarantineItem, Record

__all__ = ["NOTE", "add_record_in_hand", "in_hand", "log_quarantined", "record_fields"]

NOTE = "record in hand: "
"""Notes of errors that begin so were made here."""

_UUID = re.compile(rb"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
_TYPE = re.compile(rb"[a-z_]{1,40}\.[a-z_]{1,40}")
_SOURCE = re.compile(rb"//lienthong/agency/([a-z0-9-]{1,60})")
_TRACE = re.compile(rb"[0-9a-f]{2}-([0-9a-f]{32})-[0-9a-f]{16}-[0-9a-f]{2}")

_RECORD: ContextVar[Record | None] = ContextVar("record", default=None)

_log = structlog.get_logger(__name__)


class in_hand:  # noqa: N801 -- it reads as a statement: `with in_hand(record):`
    """
    Let every line that is written meanwhile, by this task, say which record it is about.

    Args:
        record: the one in hand.
    """

    __slots__ = ("_record", "_token")

    def __init__(self, record: Record) -> None:
        self._record = record

    def __enter__(self) -> None:
        """Take it in hand."""
        self._token = _RECORD.set(self._record)

    def __exit__(
        self, _kind: type[BaseException] | None, error: BaseException | None, _trace: TracebackType | None
    ) -> None:
        """Put it down; an error that nobody foresaw takes along which record it was."""
        _RECORD.reset(self._token)
        if error is not None and not isinstance(error, LienThongError):
            fields = record_fields(self._record)
            error.add_note(NOTE + " ".join(f"{name}={value}" for name, value in fields.items()))


def record_fields(record: Record) -> dict[str, str | int]:
    """
    Say which record it is, for a log line.

    Its place is always there; of the envelope, whatever is well formed: `event_id`, `event_type`, `sender`,
    `correlation`, and `trace_id`, which is that of `ce_traceparent` (W3C), else the correlation's 32 digits.
    """
    headers = {name: value for name, value in record.headers if isinstance(value, bytes)}
    event_id, correlation = (_whole(_UUID, headers.get(name)) for name in ("ce_id", "ce_correlationid"))
    correlation = correlation or event_id
    trace = _TRACE.fullmatch(headers.get("ce_traceparent", b""))
    source = _SOURCE.fullmatch(headers.get("ce_source", b""))
    found = {
        "topic": record.topic,
        "partition": record.partition,
        "offset": record.offset,
        "event_id": event_id,
        "event_type": _whole(_TYPE, headers.get("ce_type")),
        "sender": source[1].decode() if source else None,
        "correlation": correlation,
        "trace_id": trace[1].decode() if trace else correlation and correlation.replace("-", ""),
    }
    return {name: value for name, value in found.items() if value is not None}


def add_record_in_hand(_logger: object, _method: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """Add the record in hand to a line: a structlog processor; what the line says itself goes before it."""
    record = _RECORD.get()
    if record is not None:
        for name, value in record_fields(record).items():
            event.setdefault(name, value)
    return event


def log_quarantined(item: QuarantineItem) -> None:
    """Tell that a record is in quarantine, once that is durable; the sentence for people stays in the store."""
    _log.warning("quarantined", quarantine_id=str(item.id), reason=item.reason, **record_fields(item.record))


def _whole(pattern: re.Pattern[bytes], value: bytes | None) -> str | None:
    return value.decode() if value is not None and pattern.fullmatch(value) else None
