"""A worker that is told to stop while no broker answers ends in time; what it could not acknowledge is not lost."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from probing import Probing

from lienthong.stack import StackPlan, server_status

pytestmark = pytest.mark.live

PATIENCE_SECONDS = 30
"""Longer than a stop may take, shorter than aiokafka would wait for one answer."""


@contextmanager
def deaf_broker(servers: StackPlan) -> Iterator[None]:
    """Stop Kafka's process where it stands: connections stay open, and nothing is answered."""
    pid = next(each.pid for each in server_status(servers) if each.service == "kafka")
    assert pid is not None
    os.kill(pid, signal.SIGSTOP)
    try:
        yield
    finally:
        os.kill(pid, signal.SIGCONT)


def test_a_stop_does_not_wait_for_a_broker_that_does_not_answer(probing: Probing, servers: StackPlan) -> None:
    """The last commit and the goodbye to the group are given up; the next process does what was not acknowledged."""
    probing.send(b"1", b"away", b"2", partition=0)
    worker = probing.worker()
    probing.until("a try", lambda: "away" in probing.values("begun"))

    with deaf_broker(servers):
        probing.mark("back")
        probing.until("everything done", lambda: probing.values() == ["1", "away", "2"])
        worker.send_signal(signal.SIGTERM)
        code = worker.wait(timeout=PATIENCE_SECONDS)

    assert code == 0
    assert [each["event"] for each in probing.log() if "without telling" in each["event"]] != []
    probing.send(b"3", partition=0)
    probing.worker()
    probing.until("the rest done", lambda: probing.values()[-1:] == ["3"])
    assert list(dict.fromkeys(probing.values())) == ["1", "away", "2", "3"]
    probing.until("everything committed", lambda: probing.committed() == 4)


def test_a_stop_does_not_wait_for_confirmations_that_do_not_come(probing: Probing, servers: StackPlan) -> None:
    """What was emitted and not confirmed is not committed; the next process emits it again."""
    probing.mark("emits")
    probing.send(b"away", partition=0)
    worker = probing.worker()
    probing.until("a try", lambda: "away" in probing.values("begun"))

    with deaf_broker(servers):
        probing.mark("back")
        probing.until("it is emitted", lambda: probing.values() == ["away"])
        worker.send_signal(signal.SIGTERM)
        assert worker.wait(timeout=PATIENCE_SECONDS) == 0

    probing.worker()
    probing.until("it is emitted again, and read", lambda: "out away" in probing.values())
    assert probing.values().count("away") == 2
    probing.until("the record is committed", lambda: probing.committed() >= 1)
