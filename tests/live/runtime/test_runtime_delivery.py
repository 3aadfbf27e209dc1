"""Faust's traps, shut: what a worker acknowledges on a real Kafka when something goes wrong."""

from __future__ import annotations

import signal

import pytest
from probing import Probing

pytestmark = pytest.mark.live


def test_an_unknown_error_ends_the_process_before_the_record_is_acknowledged(probing: Probing) -> None:
    """Faust's default commits past it; ours ends, and the next process does the record and all behind it."""
    probing.send(b"1", b"2", b"unknown", b"3", b"4", partition=0)

    first = probing.worker()

    assert first.wait(timeout=40) != 0
    assert probing.values() == ["1", "2"]
    assert probing.committed() <= 2
    probing.mark("mended")
    probing.worker()
    probing.until("everything done", lambda: probing.values()[-1:] == ["4"])
    assert list(dict.fromkeys(probing.values())) == ["1", "2", "unknown", "3", "4"]
    probing.until("everything committed", lambda: probing.committed() == 5)


def test_while_a_server_is_away_the_same_record_waits_and_nothing_overtakes_it(probing: Probing) -> None:
    """The process lives on, tries again, and commits nothing of what waits."""
    probing.send(b"1", b"away", b"2", partition=0)

    worker = probing.worker()
    probing.until("three tries", lambda: probing.values("begun").count("away") >= 3)

    assert worker.poll() is None
    assert probing.values() == ["1"]
    assert probing.committed() <= 1
    assert (probing.folder / "retried").exists()
    probing.mark("back")
    probing.until("everything done", lambda: len(probing.values()) == 3)
    assert probing.values() == ["1", "away", "2"]
    probing.until("everything committed", lambda: probing.committed() == 3)


def test_what_nobody_can_decode_reaches_the_pipeline_and_stops_nothing(probing: Probing) -> None:
    """Faust acknowledges such a record before any hook, or ends its agent in silence; here it is like any other."""
    probing.send(b"1", b"\xff\xfe\x00", b"", None, b"\x00" * 9, b"2", partition=0)

    probing.worker()

    probing.until("everything done", lambda: len(probing.values()) == 6)
    assert probing.values() == ["1", "\xff\xfe\x00", "", None, "\x00" * 9, "2"]
    probing.until("everything committed", lambda: probing.committed() == 6)


def test_records_of_one_key_keep_their_order(probing: Probing) -> None:
    """Four keys on two partitions, written by turns; each key's records are done as they were written, once."""
    keys = [b"a", b"b", b"c", b"d"]
    for number in range(50):
        for key in keys:
            probing.producer.send(probing.name, key=key, value=key + b"%d" % number)
    probing.producer.flush()

    probing.worker()

    probing.until("everything done", lambda: len(probing.values()) >= 200)
    assert len(probing.values()) == 200
    for key in map(bytes.decode, keys):
        own = [value for value in probing.values() if value.startswith(key)]
        assert [f"{key}{number}" for number in range(50)] == own


@pytest.mark.parametrize("how", [signal.SIGTERM, signal.SIGKILL], ids=["SIGTERM", "SIGKILL"])
def test_a_record_that_was_not_finished_is_done_by_the_next_process(probing: Probing, how: signal.Signals) -> None:
    """Stopped in the middle of it, the worker ends soon, without a hang, and leaves it unacknowledged."""
    probing.send(b"1", b"slow", b"2", partition=0)
    first = probing.worker()
    probing.until("the record begun", lambda: "slow" in probing.values("begun"))
    probing.until("the one before committed", lambda: probing.committed() == 1)

    first.send_signal(how)

    assert first.wait(timeout=20) == (0 if how == signal.SIGTERM else -signal.SIGKILL)
    assert (probing.folder / "closed").exists() == (how == signal.SIGTERM)
    assert probing.values() == ["1"]
    assert probing.committed() == 1
    probing.mark("go")
    probing.worker()
    probing.until("everything done", lambda: len(probing.values()) == 3)
    assert probing.values() == ["1", "slow", "2"]


def test_two_workers_share_the_partitions_and_one_takes_over_what_the_other_leaves(probing: Probing) -> None:
    """Both are Faust apps in one consumer group; when one is killed, the other does what that one left."""
    first, second = probing.worker(), probing.worker()
    probing.until("one partition each", lambda: [len(probing.assigned(each)) for each in (first, second)] == [1, 1])
    group = probing.group()
    assert (group["group_state"], group["protocol_type"], len(group["members"])) == ("Stable", "consumer", 2)
    assert all(each["client_id"].startswith("faust-") for each in group["members"])
    ((_, left),) = probing.assigned(first)
    probing.send(b"slow", b"1", partition=left)
    probing.until("the record begun", lambda: "slow" in probing.values("begun"))

    first.kill()
    first.wait()
    probing.mark("go")

    probing.until("both partitions with the second", lambda: len(probing.assigned(second)) == 2)
    for partition in range(2):
        probing.send(b"after", partition=partition)
    probing.until("everything done", lambda: probing.values().count("after") == 2)
    assert {"slow", "1"} <= set(probing.values())
    assert {each["pid"] for each in probing.noted("done")} == {second.pid}
