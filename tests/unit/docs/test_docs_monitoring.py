"""docs/monitoring.md names every metric and every log event, and no other."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from datetime import UTC, datetime
from uuid import UUID

from docs_pages import DOCS, ROOT, rows
from prometheus_client import CollectorRegistry

from streams.event import Event
from streams.metrics import SCHEMA_CODES, SIGNATURE_CODES, Metrics
from streams.names import AgencyCode, EventType
from streams.readings import PartitionReading, Waiting, WorkerReading
from streams.subject import pseudonym

PAGE = DOCS / "monitoring.md"
AGENCY = AgencyCode("tax-hanam")
NOON = datetime(2026, 11, 20, 5, tzinfo=UTC)
SAMPLE_SUFFIXES = re.compile(r"_(bucket|count|sum|created)$")


def everything() -> CollectorRegistry:
    """Give a registry in which every metric has a value."""
    metrics = Metrics(AGENCY, CollectorRegistry())
    for code in ("not_framed", "officer_unsigned"):
        metrics.processed("lt.inbox.tax-hanam", f"quarantined_{code}")
    metrics.published("lt.seller.suspected")
    metrics.retried()
    metrics.failed()
    metrics.commit_failed()
    metrics.stage_took("read", 0.1)
    metrics.durable([_event()], at=NOON)
    metrics.built([("version", "1")])
    metrics.readings.worker = lambda: WorkerReading([PartitionReading("lt.seller.suspected", 0, 1, 1.0)], 0, 0.0)
    metrics.readings.waiting = lambda: Waiting(outbox=0)
    return metrics.registry


def _event() -> Event:
    subject = pseudonym("seller", "vn-mst", "0123456789")
    event_id = UUID(int=1)
    return Event(
        id=event_id,
        type=EventType("seller.suspected"),
        source=AGENCY,
        subject=subject,
        time=NOON,
        data={},
        correlation=event_id,
    )


def test_every_metric_is_documented_with_its_kind_and_its_labels() -> None:
    """One row each, and no row for what does not exist."""
    header = "| metric | kind | further labels | meaning | alert when |"
    documented = {
        name.strip("`"): (kind, frozenset(re.findall(r"`(\w+)`", labels)))
        for name, kind, labels, _, _ in rows(PAGE, header)
    }

    known = {}
    for family in everything().collect():
        for sample in family.samples:
            if not sample.name.endswith("_created"):
                name = SAMPLE_SUFFIXES.sub("", sample.name) if family.type == "histogram" else sample.name
                kind = "gauge" if family.type == "info" else family.type
                known[name] = (kind, frozenset(sample.labels) - {"agency", "le"})

    assert documented == known


def test_codes_that_are_counted_apart_are_codes_of_the_protocol() -> None:
    """A code that no record can have would be counted for ever at zero."""
    codes = {
        code for row in rows(DOCS / "protocol.md", "| code | meaning |") for code in re.findall(r"`(\w+)`", row[0])
    }

    assert codes >= SCHEMA_CODES | SIGNATURE_CODES


def test_every_log_event_is_documented_with_its_level() -> None:
    """What the code can write is what the page lists."""
    documented = {(name.strip("`"), level) for name, level, _, _ in rows(PAGE, "| event | level | fields | meaning |")}

    assert documented == set(_logged())


def _logged() -> Iterator[tuple[str, str]]:
    """Find the calls that write a line: of `_log`, `self._log` and `structlog.get_logger(...)`."""
    for package in ("agents", "connectors", "lienthong", "streams"):
        for path in (ROOT / package).rglob("*.py"):
            for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
                if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and _is_logger(node.func.value):
                    (event, *_) = node.args
                    assert isinstance(event, ast.Constant), f"{path}:{node.lineno} does not name its event"
                    yield event.value, node.func.attr


def _is_logger(node: ast.expr) -> bool:
    return ast.unparse(node) in {"_log", "self._log"} or ast.unparse(node).startswith("structlog.get_logger(")
