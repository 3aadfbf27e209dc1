"""Ask a worker of this machine how it is: ready or not, and what its metrics say."""

from __future__ import annotations

import http.client
import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from prometheus_client.parser import text_string_to_metric_families

from streams.errors import InputError, TransientError
from streams.names import AgencyCode

__all__ = ["Measured", "address_of", "ask_ready", "measure", "note_of"]

_PATIENCE_SECONDS = 10.0


@dataclass(frozen=True, slots=True)
class Measured:
    """
    What an operator looks at first; None where the worker does not know it.

    Args:
        lag_messages: records on Kafka whose effects are not durable yet, of all its partitions.
        lag_seconds: age of the oldest of them.
        outbox: rows that Kafka has not confirmed.
        outbox_seconds: age of the oldest.
        parked: events that wait for their cause.
        parked_seconds: age of the oldest.
        handovers: inbox items that wait for a connector.
        handovers_seconds: age of the oldest.
        processed: records processed since the process began.
        quarantined: of these, into quarantine.
        retries: pauses because a server was away.
    """

    lag_messages: int | None
    lag_seconds: float | None
    outbox: int | None
    outbox_seconds: float | None
    parked: int | None
    parked_seconds: float | None
    handovers: int | None
    handovers_seconds: float | None
    processed: int
    quarantined: int
    retries: int


def note_of(data: Path, agency: str) -> Path:
    """Give the file in which a worker notes where it answers, with its process id."""
    return data / "run" / f"health-{agency}.json"


def address_of(data: Path, agency: AgencyCode) -> str:
    """
    Give HOST:PORT of a worker.

    Raises:
        InputError: none of this agency was ever started from this folder.
    """
    try:
        note = json.loads(note_of(data, agency).read_text(encoding="utf-8"))
    except FileNotFoundError as error:
        raise InputError(f"No worker of {agency} runs from {data}: start it with `lienthong up`.") from error
    return str(note["address"])


def ask_ready(address: str) -> Mapping[str, str]:
    """
    Ask what is not ready.

    Returns:
        Each thing with a sentence; nothing when the worker is ready.

    Raises:
        TransientError: nobody answers there.
    """
    found: Mapping[str, str] = json.loads(_get(address, "/readyz"))["not_ready"]
    return found


def measure(address: str) -> Measured:
    """
    Ask for the metrics.

    Raises:
        TransientError: nobody answers there.
    """
    samples: dict[str, list[float]] = {}
    for family in text_string_to_metric_families(_get(address, "/metrics").decode()):
        for sample in family.samples:
            samples.setdefault(sample.name.removeprefix("lienthong_"), []).append(sample.value)

    def number(name: str) -> int | None:
        return int(sum(samples[name])) if name in samples else None

    return Measured(
        lag_messages=number("lag_messages"),
        lag_seconds=_most(samples, "lag_seconds"),
        outbox=number("outbox_pending"),
        outbox_seconds=_most(samples, "outbox_oldest_seconds"),
        parked=number("parked_pending"),
        parked_seconds=_most(samples, "parked_oldest_seconds"),
        handovers=number("handover_pending"),
        handovers_seconds=_most(samples, "handover_oldest_seconds"),
        processed=number("events_processed_total") or 0,
        quarantined=number("quarantined_total") or 0,
        retries=number("retries_total") or 0,
    )


def _most(samples: Mapping[str, list[float]], name: str) -> float | None:
    return round(max(samples[name]), 1) if name in samples else None


def _get(address: str, path: str) -> bytes:
    host, _, port = address.rpartition(":")
    # Without a library that reads proxies from the environment: the address is this machine's.
    connection = http.client.HTTPConnection(host, int(port), timeout=_PATIENCE_SECONDS)
    try:
        connection.request("GET", path)
        return connection.getresponse().read()
    except (OSError, http.client.HTTPException) as error:
        raise TransientError(f"No worker answers at {address}: see `lienthong status`.") from error
    finally:
        connection.close()
