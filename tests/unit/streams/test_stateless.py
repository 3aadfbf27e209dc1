"""What an agency of a stateless kind cannot have, and where its quarantine is kept."""

from __future__ import annotations

from datetime import date

import pytest
from paper_province import INFORMATION, POLICE, SUSPECTED
from prometheus_client import CollectorRegistry

from agents import KINDS
from streams.agent import AgentSpec, Work
from streams.directory import Agency, AnswerDue, Directory, ReceiveGrant
from streams.errors import ConfigurationError
from streams.metrics import Metrics
from streams.names import EventType, quarantine_topic
from streams.record import Record
from streams.republish import RepublishPipeline
from streams.stateless import check_stateless, keeping
from streams.store import OutboxRow
from streams.testing import MemoryBus

DEPARTMENT = KINDS["information_department"]


def receiving(directory: Directory, event_type: EventType, answer: AnswerDue | None = None) -> Agency:
    """Let the department receive one type more."""
    grant = ReceiveGrant(
        type=event_type, fields=frozenset(), purpose="p", article="a/1", answer=answer, valid_from=date(2023, 7, 1)
    )
    entry = directory.agencies[INFORMATION]
    return entry.model_copy(update={"receive": (*entry.receive, grant)})


def test_the_shipped_entries_ask_for_nothing_that_a_kind_cannot_give(bus: MemoryBus) -> None:
    """Of all agencies."""
    for each in bus.directory.agencies.values():
        check_stateless(KINDS[each.kind], each)


def test_an_answer_cannot_be_owed(bus: MemoryBus) -> None:
    """Nobody would see that it is late."""
    owed = AnswerDue(type=EventType("warning.prepared"), within_hours=1)

    with pytest.raises(ConfigurationError, match=r"cannot owe answers to seller\.suspected"):
        check_stateless(DEPARTMENT, receiving(bus.directory, SUSPECTED, owed))


def test_a_type_without_a_handler_cannot_be_received(bus: MemoryBus) -> None:
    """It would leave no trace; a stateful kind has it in its inbox."""
    entry = receiving(bus.directory, EventType("shipment.sighted"))

    with pytest.raises(ConfigurationError, match=r"no handler for shipment\.sighted"):
        check_stateless(DEPARTMENT, entry)
    check_stateless(AgentSpec(kind="k", handlers=(), work=Work.STATEFUL), entry)


async def test_what_it_refuses_is_kept_once_and_reaches_its_topic_by_the_outbox(bus: MemoryBus) -> None:
    """So that the quarantine's commands find it; the relay is woken."""
    store, woken, emitted = bus.agencies[POLICE].store, [], list[OutboxRow]()
    run = RepublishPipeline(
        agency=POLICE,
        spec=AgentSpec(kind="police", handlers=()),
        reader=bus.reader,
        sender=bus.agencies[POLICE].sender,
        metrics=Metrics(POLICE, CollectorRegistry()),
        keep=keeping(store, queued=lambda: woken.append(True)),
    )
    for _ in range(2):
        await run.process([Record("lt.x", 0, 9, None, b"{}", [])], emitted.append)  # type: ignore[arg-type] # a topic's name is a text

    assert (emitted, woken) == ([], [True, True])
    assert [item.reason for item in store.tables.quarantined.values()] == ["bad_envelope"]
    assert [quarantine_topic(POLICE)] == [each.entry.row.topic for each in store.tables.outbox.values()]
