"""A worker that has work and makes no progress ends itself, whatever keeps it; how far behind it is can be asked."""

from __future__ import annotations

import pytest
from confluent_kafka import Producer
from probing import Probing

from streams.runtime.watchdog import HUNG_EXIT

pytestmark = pytest.mark.live

STUCK_SECONDS = 3.0


def logged(probing: Probing, event: str) -> list[str]:
    """Give what an error that was logged says."""
    return [str(line.get("exception", line)) for line in probing.log() if line["event"] == event]


def test_a_pipeline_that_never_returns_is_ended_and_the_next_process_goes_on(probing: Probing) -> None:
    """Nothing of it is acknowledged, and everything is done once the cause is gone."""
    probing.send(b"1", b"slow", b"2", partition=0)

    first = probing.worker(stuck_seconds=STUCK_SECONDS)

    assert first.wait(timeout=40) not in {0, HUNG_EXIT}
    assert "a batch does not end" in logged(probing, "worker failed")[0]
    assert probing.committed() <= 1
    probing.mark("go")
    probing.worker(stuck_seconds=STUCK_SECONDS)
    probing.until("everything done", lambda: probing.values()[-1:] == ["2"])
    probing.until("everything committed", lambda: probing.committed() == 3)


def test_a_handler_that_holds_the_event_loop_is_ended_too(probing: Probing) -> None:
    """No task could notice; a thread does, and says where it hangs. Kafka would have noticed nothing."""
    probing.send(b"1", b"hang", b"2", partition=0)

    first = probing.worker(stuck_seconds=STUCK_SECONDS)

    assert first.wait(timeout=40) == HUNG_EXIT
    assert "probe_worker.py" in logged(probing, "event loop hangs")[0]
    probing.mark("go")
    probing.worker(stuck_seconds=STUCK_SECONDS)
    probing.until("everything done", lambda: probing.values()[-1:] == ["2"])


def test_records_that_are_never_fetched_are_noticed(probing: Probing) -> None:
    """Nothing is under way, and still the worker has work."""
    probing.mark("deaf")
    probing.send(b"1", partition=0)

    worker = probing.worker(stuck_seconds=STUCK_SECONDS)

    assert worker.wait(timeout=40) not in {0, HUNG_EXIT}
    assert "nothing is fetched of" in logged(probing, "worker failed")[0]
    assert probing.values("begun") == []


def test_how_far_behind_a_worker_is(probing: Probing) -> None:
    """The whole lag, the age of its oldest record, and none of it before anything is known."""
    probing.send(b"1", b"2", partition=1)
    probing.send(b"1", b"slow", b"2", b"3", partition=0)

    probing.worker()

    probing.until("three records behind", lambda: probing.said().get(0, (None, None))[0] == 3)
    probing.until("the oldest ages", lambda: (probing.said()[0][1] or 0) > 1.0)
    probing.mark("go")
    probing.until("all caught up", lambda: probing.said() == {0: (0, 0.0), 1: (0, 0.0)})


def test_what_no_transaction_has_committed_is_no_work(probing: Probing) -> None:
    """A stranger's aborted transaction at the end, and one that stays open, do not make a worker end itself."""
    probing.send(b"1", partition=0)
    worker = probing.worker(stuck_seconds=STUCK_SECONDS)
    probing.until("the first record done", lambda: probing.values() == ["1"])
    strangers = [_stranger(probing, f"{probing.name}-{each}") for each in ("aborts", "stays")]

    strangers[0].abort_transaction(10)
    probing.until("nothing behind", lambda: probing.said().get(0) == (0, 0.0))
    # What a watchdog that was wrong would have ended by now: it looks ten times in that while.
    with pytest.raises(AssertionError, match="not reached"):
        probing.until("the worker ended", lambda: worker.poll() is not None, seconds=STUCK_SECONDS * 2)

    strangers[1].commit_transaction(10)
    probing.until("what was committed is done", lambda: probing.values() == ["1", f"{probing.name}-stays"])


def _stranger(probing: Probing, name: str) -> Producer:
    """Write one record in a transaction and leave it open."""
    producer = Producer({**probing.address.librdkafka(), "transactional.id": name})
    producer.init_transactions(20)
    producer.begin_transaction()
    producer.produce(probing.name, value=name.encode(), partition=0)
    producer.flush(20)
    return producer
