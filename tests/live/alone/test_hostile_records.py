"""
Records that nobody well-meaning writes: all in quarantine, all good ones beside them admitted, no worker ended.

A slice of them in every run; `make attacks` writes 2,000. `LIENTHONG_HOSTILE` says how many, `LIENTHONG_SEED` chooses
others, and `LIENTHONG_HELD_SECONDS` says for how long a partition may stand still: without it nothing is timed.
"""

from __future__ import annotations

import os
import sys
import time
from collections import Counter

import pytest
from confluent_kafka import Producer
from forger import Forger
from hostile import INBOX, TOPIC, Hostile, hostile
from province import Province
from watch import Watch

from streams.names import BUS, AgencyCode, TopicName

pytestmark = [pytest.mark.live, pytest.mark.timeout(900)]

COUNT = int(os.environ.get("LIENTHONG_HOSTILE", "200"))
SEED = int(os.environ.get("LIENTHONG_SEED", "4"))
MOST_HELD_SECONDS = float(os.environ.get("LIENTHONG_HELD_SECONDS", "inf"))
READER = {TOPIC: BUS, INBOX: AgencyCode("bcd389-hanam")}
MOST_BYTES = 512 * 1024 * 1024
ONE_GOOD_IN = 10

KEPT = "select topic || '/' || partition || '/' || \"offset\", reason from quarantine"


def test_hostile_records_stop_nobody(province: Province, capsys: pytest.CaptureFixture[str]) -> None:
    """Each is kept whole with a reason; good events between them arrive; processes and memory stay as they are."""
    forger = Forger(province.registry)
    before = {agency: len(province.rows(agency, KEPT)) for agency in READER.values()}
    pids = {agency: {province.workers()[agency].pid} for agency in READER.values()}
    written: dict[str, Hostile] = {}
    good, begun = [], time.monotonic()

    def all_kept() -> bool:
        return sum(len(province.rows(agency, KEPT)) - before[agency] for agency in READER.values()) >= len(written)

    with Watch(
        province.data, province.plan.kafka_admin, {agency: [TopicName(topic)] for topic, agency in READER.items()}
    ) as watch:
        for number, each in enumerate(hostile(forger, seed=SEED, count=COUNT)):
            written[_write(province, each)] = each
            if number % ONE_GOOD_IN == 0:
                good.append(forger.invoice(f"good {number}"))
                province.send(TOPIC, good[-1].value, good[-1].headers)
        sent = time.monotonic()
        ids = [each.event.id for each in good]
        province.until("good events admitted", lambda: _admitted(province, ids) == len(ids), seconds=120)
        arrived = time.monotonic()
        province.until("hostile ones in quarantine", all_kept, seconds=120)
        province.settle()

    reasons: dict[str, str] = {}
    for agency in READER.values():
        reasons |= dict(province.rows(agency, KEPT))
    counts = Counter(reasons.get(place, "none") for place in written)
    with capsys.disabled():
        sys.stdout.write(
            f"\nhostile: n {len(written)} of {len({each.kind for each in written.values()})} kinds, seed {SEED}; "
            f"written in {sent - begun:.1f} s, the {len(good)} good ones between them admitted {arrived - sent:.1f} s "
            f"later; longest hold of a partition {watch.most_held_seconds:.1f} s (looked every "
            f"{watch.longest_look_seconds:.1f} s or more often); largest resident memory "
            f"{', '.join(f'{agency} {most >> 20} MiB' for agency, most in watch.most_bytes.items())}; "
            f"refused: {', '.join(f'{reason} {times}' for reason, times in counts.most_common())}\n"
        )
    assert {each.kind for place, each in written.items() if place not in reasons} == set()
    assert pids == watch.pids
    assert max(watch.most_bytes.values()) < MOST_BYTES
    assert watch.most_held_seconds <= MOST_HELD_SECONDS


def _admitted(province: Province, ids: list[object]) -> int:
    return int(province.value(BUS, "select count(*) from event where event_id = any(%s)", ids))


def _write(province: Province, each: Hostile) -> str:
    """Write a record; give its place."""
    if all(value is not None for _, value in each.headers):
        plain = [(name, value) for name, value in each.headers if value is not None]
        return "/".join(map(str, province.send(each.topic, each.value, plain, key=each.key or b"k")))
    # kafka-python writes no null value of a header, and librdkafka no name that is not UTF-8.
    places: list[str] = []
    producer = Producer(province.plan.kafka_admin.librdkafka())
    producer.produce(
        each.topic,
        value=each.value,
        key=each.key,
        headers=list(each.headers),  # type: ignore[arg-type] # null values
        on_delivery=lambda _, told: places.append(f"{told.topic()}/{told.partition()}/{told.offset()}"),
    )
    producer.flush(30)
    return places[0]
