"""
Records that nobody well-meaning writes: all in quarantine, all good ones beside them admitted, no worker ended.

A slice of them in every run; `LIENTHONG_HOSTILE=2000` writes so many, and `LIENTHONG_SEED` chooses others.
"""

from __future__ import annotations

import os
import sys
import time
from collections import Counter
from dataclasses import dataclass, field

import psutil
import pytest
from confluent_kafka import Producer
from forger import Forger
from hostile import INBOX, TOPIC, Hostile, hostile
from province import Province

from streams.names import BUS

pytestmark = [pytest.mark.live, pytest.mark.timeout(900)]

COUNT = int(os.environ.get("LIENTHONG_HOSTILE", "200"))
SEED = int(os.environ.get("LIENTHONG_SEED", "4"))
READER = {TOPIC: BUS, INBOX: "bcd389-hanam"}
MOST_BYTES = 512 * 1024 * 1024
ONE_GOOD_IN = 10

KEPT = "select topic || '/' || partition || '/' || \"offset\", reason from quarantine"


@dataclass
class Watched:
    """The two workers that read what is written."""

    province: Province
    pids: dict[str, int]
    most_bytes: dict[str, int] = field(default_factory=Counter)

    def look(self) -> None:
        """Note how much memory each has, and that it is the same process."""
        for agency, pid in self.pids.items():
            used = psutil.Process(pid).memory_info().rss
            self.most_bytes[agency] = max(self.most_bytes[agency], used)


@pytest.fixture
def watched(province: Province) -> Watched:
    """The bus's worker and the committee's, as they are before."""
    workers = province.workers()
    return Watched(province, {agency: workers[agency].pid for agency in READER.values()})


def test_hostile_records_stop_nobody(province: Province, watched: Watched, capsys: pytest.CaptureFixture[str]) -> None:
    """Each is kept whole with a reason; good events between them arrive; processes and memory stay as they are."""
    forger = Forger(province.plan.registry_url)
    before = {agency: len(province.rows(agency, KEPT)) for agency in READER.values()}
    written: dict[str, Hostile] = {}
    good, begun = [], time.monotonic()

    for number, each in enumerate(hostile(forger, seed=SEED, count=COUNT)):
        written[_write(province, each)] = each
        if number % ONE_GOOD_IN == 0:
            good.append(forger.invoice(f"good {number}"))
            province.send(TOPIC, good[-1].value, good[-1].headers)
            watched.look()
    sent = time.monotonic()

    def all_kept() -> bool:
        watched.look()
        kept = sum(len(province.rows(agency, KEPT)) - before[agency] for agency in READER.values())
        return kept >= len(written)

    ids = [each.event.id for each in good]
    province.until("good events admitted", lambda: _admitted(province, ids) == len(ids), seconds=120)
    arrived = time.monotonic()
    province.until("hostile ones in quarantine", all_kept, seconds=120)
    province.settle()
    watched.look()

    reasons: dict[str, str] = {}
    for agency in READER.values():
        reasons |= dict(province.rows(agency, KEPT))
    with capsys.disabled():
        sys.stdout.write(
            f"\nhostile: {len(written)} records of {len({each.kind for each in written.values()})} kinds, seed {SEED}; "
            f"written in {sent - begun:.1f} s, good ones admitted {arrived - sent:.1f} s later, most memory "
            f"{max(watched.most_bytes.values()) >> 20} MiB, "
            f"{dict(Counter(reasons.get(place, 'none') for place in written))}\n"
        )
    assert {each.kind for place, each in written.items() if place not in reasons} == set()
    assert watched.pids == {agency: province.workers()[agency].pid for agency in READER.values()}
    assert max(watched.most_bytes.values()) < MOST_BYTES


def _admitted(province: Province, ids: list[object]) -> int:
    return int(province.value(BUS, "select count(*) from event where event_id = any(%s)", ids))


def _write(province: Province, each: Hostile) -> str:
    """Write a record; give its place."""
    if all(value is not None for _, value in each.headers):
        plain = [(name, value) for name, value in each.headers if value is not None]
        return "/".join(map(str, province.send(each.topic, each.value, plain, key=each.key or b"k")))
    # kafka-python writes no null value of a header, and librdkafka no name that is not UTF-8.
    places: list[str] = []
    producer = Producer({"bootstrap.servers": province.plan.kafka_bootstrap})
    producer.produce(
        each.topic,
        value=each.value,
        key=each.key,
        headers=list(each.headers),  # type: ignore[arg-type] # null values
        on_delivery=lambda _, told: places.append(f"{told.topic()}/{told.partition()}/{told.offset()}"),
    )
    producer.flush(30)
    return places[0]
