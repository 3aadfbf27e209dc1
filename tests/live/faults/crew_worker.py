"""
The main program of the kit's workers: `python crew_worker.py AGENCY DATA KIT [PLANT]`.

It runs the product's own worker, with failpoints around it and, where a planted bug is named, with that bug. `probe`
is the kit's own stateless worker, on the product's runtime and its pipeline for stateless handlers.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from contextlib import AsyncExitStack
from pathlib import Path

from failpoints import set_points
from load import PROBE, PROBED_EVERY
from plants import plant
from prometheus_client import CollectorRegistry

from lienthong import worker
from lienthong.agency_session import open_agency
from lienthong.settings import agency_settings
from streams.agent import AgentSpec, Context, Handler, Outcome
from streams.background import Background
from streams.event import Draft, Event
from streams.metrics import Metrics
from streams.names import AgencyCode, EventType, inbox_topic
from streams.republish import RepublishPipeline
from streams.runtime import Pipeline, WorkerSpec, run_worker
from streams.subject import SubjectRef

__all__ = ["PROBE_GROUP", "PROBE_OWNER"]

PROBE_GROUP = "lt.probe"
"""The stateless worker's consumer group."""

PROBE_OWNER = AgencyCode("tax-hanam")
"""In whose name it publishes."""


def notice(event: Event, context: Context) -> Outcome:
    """Make an anomaly of one invoice in `PROBED_EVERY`."""
    if int(event.data["invoice"]["number"]) % PROBED_EVERY:
        return Outcome()
    data = {
        "seller": event.data["seller"],
        "invoice": event.data["invoice"],
        "rule_id": PROBE,
        "rule_version": "1",
        "severity": "info",
        "seller_bank": event.data["seller_bank"],
        "detected_at": context.now,
    }
    subject = SubjectRef.from_data(event.data["seller"])
    return Outcome(events=[Draft(type=EventType("einvoice.anomaly_detected"), subject=subject, data=data)])


def run_probe(data: Path) -> None:
    """Run the stateless worker."""
    settings = agency_settings(data, PROBE_OWNER)
    opened = AsyncExitStack()
    handler = Handler(name=PROBE, event_type=EventType("einvoice.received"), handle=notice, plan="IV.9")

    async def open_() -> tuple[Pipeline, Sequence[Background]]:
        session = await opened.enter_async_context(open_agency(data, PROBE_OWNER))
        pipeline = RepublishPipeline(
            agency=PROBE_OWNER,
            spec=AgentSpec(kind="probe", handlers=(handler,)),
            reader=session.reader,
            sender=session.sender,
            metrics=Metrics(PROBE_OWNER, CollectorRegistry()),
        )
        return pipeline, []

    run_worker(
        WorkerSpec(
            group=PROBE_GROUP,
            address=settings.kafka.address,
            topics=[inbox_topic(PROBE_OWNER)],
            open=open_,
            close=opened.aclose,
            retried=lambda: None,
            assigned=lambda _partitions: (data / "run" / "assigned-probe.json").write_text("{}", encoding="ascii"),
            session_timeout_seconds=settings.session_timeout_seconds,
            scratch=data / "run" / "faust",
        )
    )


def main(agency: str, data: Path, kit: Path, bug: str = "") -> None:
    """Run until told to stop, or until a point is struck."""
    set_points(kit, agency)
    if bug:
        plant(bug)
    if agency == PROBE:
        run_probe(data)
    else:
        worker.run(data, agency)


if __name__ == "__main__":
    main(sys.argv[1], Path(sys.argv[2]), Path(sys.argv[3]), *sys.argv[4:])
