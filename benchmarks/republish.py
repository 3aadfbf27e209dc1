"""
Consume, enrich, republish: this runtime against what a Python user could pick, side by side, in one run.

    .venv/bin/python benchmarks/republish.py [--events 60000] [--rounds 3] [--only ours,confluent_bare]

Every contender reads the same events of about 500 bytes with their CloudEvents headers from 4 partitions, does the
same work (contenders/work.py), and writes with acks=all to a topic of its own, whose broker-side time stamps give the
rate: from the first enriched event to the last. All reach Kafka by TLS and commit only what is confirmed. Rounds are
interleaved. A round in which an event is missing fails.
"""

from __future__ import annotations

import argparse
import json
import statistics
import subprocess
import tempfile
import time
import uuid
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path

import fastavro
from confluent_kafka import Consumer, Producer, TopicPartition
from environments import python_for
from machine import describe

from lienthong.provision import make_topics
from lienthong.stack import StackPlan, default_cache, progress_on
from lienthong.stack.servers import start_servers, stop_servers
from streams.event import Event
from streams.headers import event_headers
from streams.kafka import KafkaAddress
from streams.names import AgencyCode, EventType, TopicName
from streams.subject import pseudonym
from streams.topics import TopicSpec

HERE = Path(__file__).parent / "contenders"
SOURCE = "lt.bench.source"
PARTITIONS = 4
CONTENDERS = {
    "ours": "this runtime, stateless handler",
    "faust_plain": "plain Faust agent",
    "faststream_batch": "FastStream, batch subscriber",
    "quix_streams": "Quix Streams",
    "aiokafka_bare": "bare aiokafka loop, pipelined",
    "confluent_bare": "bare confluent-kafka loop, pipelined",
}
DEADLINE_SECONDS = 180


def produce(address: KafkaAddress, count: int) -> int:
    """Write the source events; how many bytes a value has on average."""
    schema = fastavro.parse_schema(json.loads((HERE / "event.avsc.json").read_text(encoding="utf-8")))
    producer = Producer({**address.librdkafka(), "acks": "all", "enable.idempotence": True, "linger.ms": 20})
    total = 0
    for index in range(count):
        value, event = source_event(schema, index)
        total += len(value)
        while True:
            try:
                producer.produce(SOURCE, value, event.subject.key.encode(), headers=event_headers(event))
                break
            except BufferError:
                producer.poll(0.1)
        producer.poll(0)
    producer.flush()
    return total // count


def source_event(schema: object, index: int) -> tuple[bytes, Event]:
    """Make one anomaly of about 500 bytes."""
    import io
    import struct

    seller = pseudonym("seller", "vn-mst", f"99{index % 5000:08d}")
    now = datetime.now(UTC)
    sealed = {"key_id": str(uuid.UUID(int=index)), "nonce": b"n" * 12, "ciphertext": b"c" * 30}
    data = {
        "seller": seller.as_data(),
        "invoice": {"seller": seller.as_data(), "form": "1", "series": "C26TBB", "number": str(index)},
        "rule_id": "total_sum",
        "rule_version": "1",
        "severity": "medium",
        "message_vi": "Tiền hàng cộng thuế trừ chiết khấu không bằng tổng thanh toán.",
        "message_en": "Net plus tax less discount is not the total.",
        "inputs": {"net": "5208500", "tax": "520850", "total": "3906375"},
        "document": {"sha256": f"{index:064x}", "media_type": "application/xml", "size_bytes": 4096},
        "detected_at": now,
        "seller_tax_code": sealed,
    }
    buffer = io.BytesIO(struct.pack(">bI", 0, 1))
    buffer.seek(5)
    fastavro.schemaless_writer(buffer, schema, data)
    event_id = uuid.uuid4()
    event = Event(
        id=event_id,
        type=EventType("bench.source"),
        source=AgencyCode("tax-hanam"),
        subject=seller,
        time=now,
        data=data,
        correlation=event_id,
        purpose="market-inspection",
        legal_article="ke-hoach-1679-2023/IV.3",
    )
    return buffer.getvalue(), event


def run(contender: str, address: KafkaAddress, target: str, count: int) -> float:
    """Run one contender until its topic holds everything; events a second."""
    python = python_for(HERE / f"{contender}.py", default_cache())
    where = json.dumps(asdict(address))
    words = [str(python), str(HERE / f"{contender}.py"), where, SOURCE, target, f"bench.{target}", str(count)]
    process = subprocess.Popen(words, stdout=subprocess.DEVNULL)
    try:
        return measure(address, target, count)
    finally:
        process.terminate()
        process.wait(30)


def measure(address: KafkaAddress, target: str, count: int) -> float:
    """Read a topic until all events are there, each once by id; events a second by the broker's clock."""
    consumer = Consumer({**address.librdkafka(), "group.id": "measure", "enable.auto.commit": False})
    consumer.assign([TopicPartition(target, each, 0) for each in range(PARTITIONS)])
    ids, times = set(), []
    deadline = time.monotonic() + DEADLINE_SECONDS
    while len(ids) < count:
        if time.monotonic() > deadline:
            raise SystemExit(f"{target}: only {len(ids)} of {count} events came in {DEADLINE_SECONDS} s")
        # Slowly while the contender works: its cores are ours, too.
        time.sleep(0.2)
        for message in consumer.consume(count, 0.05):
            ids.add(next(value for name, value in message.headers() if name == "ce_id"))
            times.append(message.timestamp()[1])
    consumer.close()
    if len(times) > count:
        raise SystemExit(f"{target}: {len(times)} records came for {count} events")
    times.sort()
    return count / max(0.001, (times[-1] - times[0]) / 1000)


def topic(name: str) -> TopicSpec:
    """Give a topic whose records carry the broker's time."""
    return TopicSpec(name=TopicName(name), partitions=PARTITIONS, config={"message.timestamp.type": "LogAppendTime"})


def main() -> None:
    """Run all rounds and print rates and ratios."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--events", type=int, default=60_000)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--only", default=",".join(CONTENDERS))
    arguments = parser.parse_args()
    chosen = arguments.only.split(",")
    with tempfile.TemporaryDirectory(prefix="lt-bench-") as folder:
        plan = StackPlan.on_free_ports(Path(folder) / "data", default_cache())
        with progress_on() as progress:
            start_servers(plan, progress=progress)
        try:
            rates = rounds(plan.kafka_admin, chosen, arguments.events, arguments.rounds)
        finally:
            stop_servers(plan)
    report(rates, arguments.events)


def rounds(address: KafkaAddress, chosen: list[str], events: int, count: int) -> dict[str, list[float]]:
    """Run every contender in every round."""
    make_topics(address, [topic(SOURCE)])
    print(f"{events} events of {produce(address, events)} bytes", flush=True)
    rates: dict[str, list[float]] = {each: [] for each in chosen}
    for number in range(count):
        for contender in chosen:
            target = f"lt.bench.{contender}_{number}"
            make_topics(address, [topic(target)])
            rates[contender].append(run(contender, address, target, events))
            print(f"round {number + 1}: {CONTENDERS[contender]:40s} {rates[contender][-1]:9,.0f} events/s", flush=True)
    return rates


def contender_versions() -> str:
    """Give the packages of contenders that have environments of their own."""
    return ", ".join(
        line.replace("==", " ")
        for each in sorted(HERE.glob("*.txt"))
        for line in each.read_text(encoding="utf-8").split()
        if not line.startswith(("aiokafka", "fastavro"))
    )


def report(rates: dict[str, list[float]], events: int) -> None:
    """Print medians and ratios."""
    print(f"\n{describe()}; {contender_versions()}\n{events} events, {PARTITIONS} partitions, acks=all; events/s")
    medians = {each: statistics.median(found) for each, found in rates.items()}
    ours = medians.get("ours")
    for each, found in rates.items():
        shown = " ".join(f"{rate:9,.0f}" for rate in found)
        ratio = f"   ours / this: {ours / medians[each]:5.2f}" if ours else ""
        print(f"{CONTENDERS[each]:40s} {shown}   median {medians[each]:9,.0f}{ratio}")


if __name__ == "__main__":
    main()
