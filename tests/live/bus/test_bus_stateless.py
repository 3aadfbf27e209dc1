"""The agency whose work is stateless, on real servers: killed at work, nothing is lost and nothing counts twice."""

from __future__ import annotations

from collections import Counter
from uuid import UUID, uuid4

import pytest
from forger import Forger
from province import Province

from streams.event import derived_id
from streams.names import BUS, EventType, event_topic
from streams.subject import pseudonym

pytestmark = pytest.mark.live

DEPARTMENT, COMMITTEE = "stttt-hanam", "bcd389-hanam"
SUSPECTED, WARNED = EventType("seller.suspected"), EventType("warning.prepared")
EVENTS, KILLS = 3000, 3


def test_a_killed_worker_loses_no_event_and_what_it_made_twice_is_admitted_once(province: Province) -> None:
    """SIGKILL in the middle of its work, three times, while suspicions flow."""
    forger = Forger(province.registry)
    suspicions = [_suspect(province, forger) for _ in range(EVENTS)]
    province.producer.flush()
    killed = []
    for part in range(1, KILLS + 1):
        province.until("some warnings", lambda part=part: _made(province, suspicions) >= part * EVENTS // 10)
        province.until("a worker to kill", lambda: province.workers()[DEPARTMENT].pid)
        killed.append(province.kill_worker(DEPARTMENT))
    unfinished = EVENTS - _made(province, suspicions)
    province.settle()

    assert len(set(killed)) == KILLS
    assert unfinished > 0, "the last kill came after the work"
    expected = {derived_id(each, "prepare_warning", 0): each for each in suspicions}
    written = [each for each in province.read(event_topic(WARNED)) if UUID(each.headers["ce_id"].decode()) in expected]
    assert {UUID(each.headers["ce_id"].decode()) for each in written} == set(expected)
    assert len({(each.headers["ce_id"], each.value, str(each.headers)) for each in written}) == EVENTS
    admitted = province.rows(BUS, "select event_id, cause from event where event_id = any(%s)", list(expected))
    assert dict(admitted) == expected
    received = province.rows(COMMITTEE, "select event_id from inbox where event_id = any(%s)", list(expected))
    assert Counter(row[0] for row in received) == Counter(list(expected))
    assert province.value(DEPARTMENT, "select count(*) from inbox") == 0


def test_what_it_refuses_is_in_its_quarantine_and_its_inbox_says_that_there_is_none(province: Province) -> None:
    """No command fails or hangs: there is simply nothing to answer."""
    topic, partition, offset = province.send("lt.inbox.stttt-hanam", b"garbage", [])
    kept = 'select reason from quarantine where topic = %s and partition = %s and "offset" = %s'
    province.until("quarantine", lambda: province.rows(DEPARTMENT, kept, topic, partition, offset))
    province.settle()

    assert province.rows(DEPARTMENT, kept, topic, partition, offset) == [("bad_envelope",)]
    listed = province.lines("quarantine", "list", "--of", DEPARTMENT, "--as", f"{DEPARTMENT}/operator")
    assert (topic, partition, offset) in [(each["topic"], each["partition"], each["offset"]) for each in listed]
    refused = province.run("inbox", "list", "--as", f"{DEPARTMENT}/press-desk")
    assert refused.code == 2
    assert "keeps no inbox" in refused.err
    assert province.lines("open", "--agency", DEPARTMENT) == []
    assert province.run("health", DEPARTMENT).code == 0
    [measured] = [each for each in province.lines("metrics") if each["agency"] == DEPARTMENT]
    assert (measured["lag_messages"], measured["parked"], measured["quarantined"]) == (0, 0, 1)


def _suspect(province: Province, forger: Forger) -> UUID:
    """Write a suspicion as market surveillance would; give its id."""
    seller = pseudonym("seller", "vn-mst", uuid4().hex)
    reason = {"code": "total_sum", "message_vi": "v", "message_en": "e", "weight": 15, "evidence": []}
    forged = forger.make(SUSPECTED, seller, {"seller": seller.as_data(), "reasons": [reason]}, source="qltt-hanam")
    province.producer.send(event_topic(SUSPECTED), forged.value, seller.key.encode(), forged.headers)
    return forged.event.id


def _made(province: Province, suspicions: list[UUID]) -> int:
    """Count the warnings that these led to, as the ledger has them."""
    count = "select count(*) from event where event_type = %s and cause = any(%s)"
    return int(province.value(BUS, count, WARNED, suspicions))
