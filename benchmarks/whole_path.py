"""
The whole path: from an agency's topic, through admission and policy, to the recipients' inbox tables.

    .venv/bin/python benchmarks/whole_path.py [--events 30000] [--rounds 3] [--recipients 3] [--workers 1]
    .venv/bin/python benchmarks/whole_path.py --latency 500 --seconds 30
    .venv/bin/python benchmarks/whole_path.py --grid
    .venv/bin/python benchmarks/whole_path.py --soak 500000

Own servers on free ports; the bus and the agencies run as they do in an installation, one process each, and have worked
a while before anything is measured. For a rate they are held (SIGSTOP) while events of about 500 bytes are written to
their topic; it is the number of events by the time from the first inbox row to the last one of any recipient. With
`--latency` events are written at a steady rate while the workers run, first for 20 seconds that are shown by
themselves (Kafka compiles its code meanwhile); counted is the time from when an event was made to each inbox row, of
all recipients. One recipient runs a handler that keeps state. An event that is missing, or there twice, fails the run.
"""

from __future__ import annotations

import argparse
import contextlib
import os
import statistics
import sys
import tempfile
import time
import uuid
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import psutil
import psycopg
from confluent_kafka import Producer
from machine import describe
from whole_path_worker import use_directory

import schemas
from lienthong.provision import DATABASE, Servers, provision
from lienthong.settings import remember_stack
from lienthong.stack import SilentProgress, StackPlan, default_cache, postgres_admin_dsn, progress_on
from lienthong.stack.registry_users import ensure_readers, registry_as
from lienthong.stack.servers import start_servers, stop_servers
from streams import topics
from streams.catalogue import load_catalogue
from streams.codec import Codec
from streams.directory import load_directory
from streams.event import Event
from streams.headers import event_headers
from streams.kafka import producer_settings
from streams.names import BUS, AgencyCode, EventType, database_schema, event_topic
from streams.registry import ConfluentRegistry, preload_ids
from streams.sealing import Personal, SubjectKey, seal
from streams.subject import SubjectRef, pseudonym

HERE = Path(__file__).parent
TYPE = EventType("einvoice.anomaly_detected")
SENDER = AgencyCode("tax-hanam")
SHIPPED = ("qltt-hanam", "bcd389-hanam", "police-hanam")
"""Recipients in this order; market surveillance keeps state. Further ones are made up."""

SELLERS = 500
WARM_EVENTS = 2_000
WARM_SECONDS = 20
SOAK_STEP = 50_000
DEADLINE_SECONDS = 240
STOP_SECONDS = 30
COUNT = "select count(*) from inbox where event_type = %s"
WRITTEN = "select n_tup_ins from pg_stat_user_tables where relid = 'inbox'::regclass"

GRANT = """
[[receive]]
type = "einvoice.anomaly_detected"
purpose = "investigation"
article = "ke-hoach-1679-2023/IV.4"
valid_from = 2023-07-01
fields = ["invoice", "message_vi", "message_en", "inputs", "document", "detected_at", "seller_tax_code"]
"""


shipped_files = schemas.directory_files
"""As it is before `use_directory` puts another in its place."""

Processes = Mapping[str, Sequence[psutil.Process]]


@dataclass(frozen=True)
class Shape:
    """
    What is measured.

    Args:
        recipients: agencies that receive the type.
        partitions: of the event topic and of each inbox topic.
        workers: processes of the bus and of each recipient.
    """

    recipients: int
    partitions: int
    workers: int

    def __str__(self) -> str:
        """For a line of output."""
        return f"{self.recipients} recipients, {self.partitions} partitions, {self.workers} workers each"


@dataclass(frozen=True)
class Bench:
    """
    A provisioned stack.

    Args:
        plan: its servers.
        recipients: who receives the benchmark's type.
        workers: processes of each.
        codec: with the registry's ids.
        keys: of the sender's subjects, by number of the seller.
    """

    plan: StackPlan
    recipients: Sequence[AgencyCode]
    workers: int
    codec: Codec
    keys: Sequence[str]

    def ask(self, agency: str, query: str, *arguments: object) -> list[tuple[float, ...]]:
        """Ask an agency's schema, or the bus's."""
        with psycopg.connect(postgres_admin_dsn(self.plan, DATABASE), autocommit=True) as connection:
            connection.execute(f"set search_path to {database_schema(AgencyCode(agency))}".encode())
            return connection.execute(query.encode(), arguments).fetchall()


def write_directory(data: Path, count: int) -> list[AgencyCode]:
    """Write the benchmark's directory: the shipped one, with so many recipients of the type; their codes."""
    folder = data / "bench-directory"
    folder.mkdir(parents=True)
    chosen = list(SHIPPED[:count])
    texts = {path.stem: text for path, text in shipped_files()}
    for number in range(count - len(SHIPPED)):
        code = f"bench{number}-hanam"
        texts[code] = texts["police-hanam"].replace("police-hanam", code)
        chosen.append(code)
    for code, text in texts.items():
        head, *grants = text.split("[[receive]]")
        kept = [grant for grant in grants if f'"{TYPE}"' not in grant or code in chosen]
        whole = "[[receive]]".join([head, *kept])
        granted = any(f'"{TYPE}"' in grant for grant in kept)
        (folder / f"{code}.toml").write_text(whole + ("" if granted or code not in chosen else GRANT), encoding="utf-8")
    return [AgencyCode(code) for code in chosen]


@contextlib.contextmanager
def prepared(shape: Shape) -> Iterator[Bench]:
    """Start and provision servers of their own."""
    topics._EVENT_PARTITIONS = topics._INBOX_PARTITIONS = shape.partitions  # noqa: SLF001 -- no installation may choose
    with tempfile.TemporaryDirectory(prefix="lt-whole-", ignore_cleanup_errors=True) as folder:
        plan = StackPlan.on_free_ports(Path(folder) / "data", default_cache())
        codes = write_directory(plan.data, shape.recipients)
        use_directory(plan.data)
        ensure_readers(plan, [BUS, *load_directory().agencies])
        with progress_on() as progress:
            start_servers(plan, progress=progress)
        try:
            remember_stack(plan)
            provision(Servers.of_stack(plan), progress=SilentProgress())
            with ConfluentRegistry(registry_as(plan, BUS)) as registry:
                codec = Codec(catalogue=load_catalogue(), ids=preload_ids(registry, load_catalogue()))
            yield Bench(plan=plan, recipients=codes, workers=shape.workers, codec=codec, keys=_keys(plan))
        finally:
            stop_servers(plan)


def _keys(plan: StackPlan) -> list[str]:
    """Make the sender's keys of all sellers."""
    insert = (
        "insert into keyring.subject_key (agency, kind, scheme, value, secret)"
        " values (%s, 'seller', 'vn-mst', %s, %s) returning key_id"
    )
    with psycopg.connect(postgres_admin_dsn(plan, DATABASE), autocommit=True) as connection:
        rows = [
            connection.execute(insert.encode(), [SENDER, _seller(each).value, bytes(32)]).fetchone()
            for each in range(SELLERS)
        ]
    return [str(row[0]) for row in rows if row]


def _seller(number: int) -> SubjectRef:
    return pseudonym("seller", "vn-mst", f"99{number:08d}")


def make(bench: Bench, number: int) -> tuple[bytes, Event]:
    """Make one anomaly of about 500 bytes, with one sealed field."""
    seller, event_id, now = _seller(number % SELLERS), uuid.uuid4(), datetime.now(UTC)
    key = SubjectKey(key_id=bench.keys[number % SELLERS], secret=bytes(32))
    data = {
        "seller": seller.as_data(),
        "invoice": {"seller": seller.as_data(), "form": "1", "series": "C26TBB", "number": str(number)},
        "rule_id": "total_sum",
        "rule_version": "1",
        "severity": "low",
        "message_vi": "Tiền hàng cộng thuế trừ chiết khấu không bằng tổng thanh toán.",
        "message_en": "Net plus tax less discount is not the total.",
        "inputs": {"net": "5208500", "tax": "520850", "total": "3906375"},
        "document": {"sha256": f"{number:064x}", "media_type": "application/xml", "size_bytes": 4096},
        "detected_at": now,
        "seller_tax_code": seal(Personal(seller, "9900000056"), key, event_id=event_id, field_name="seller_tax_code"),
    }
    event = Event(id=event_id, type=TYPE, source=SENDER, subject=seller, time=now, data=data, correlation=event_id)
    return bench.codec.encode(TYPE, data), event


def produce(bench: Bench, count: int, *, rate: float | None = None) -> None:
    """Write events, as fast as it goes or at a steady rate."""
    producer = Producer(producer_settings(bench.plan.kafka_admin, client_id="bench"))
    producer.list_topics(event_topic(TYPE), timeout=30)
    producer.poll(1.0 if rate else 0)  # let it be given its id, which takes longer than any event
    began = time.monotonic()
    for number in range(count):
        value, event = make(bench, number)
        if rate is not None:
            while (ahead := began + number / rate - time.monotonic()) > 0:
                producer.poll(min(ahead, 0.01))
        while True:
            try:
                producer.produce(event_topic(TYPE), value, event.subject.key.encode(), headers=event_headers(event))
                break
            except BufferError:
                producer.poll(0.1)
        producer.poll(0)
    producer.flush()


@contextlib.contextmanager
def working(bench: Bench) -> Iterator[Processes]:
    """Run the workers, until they have done some work."""
    environment = {**os.environ, "LIENTHONG_DATA": str(bench.plan.data)}
    processes: dict[str, list[psutil.Popen]] = {}
    with (bench.plan.data / "workers.log").open("wb") as log:
        for code in ("bus", *bench.recipients):
            words = [sys.executable, str(HERE / "whole_path_worker.py"), str(bench.plan.data), code]
            processes[code] = [
                psutil.Popen(words, stdout=log, stderr=log, env=environment) for _ in range(bench.workers)
            ]
        every = [one for found in processes.values() for one in found]
        try:
            produce(bench, WARM_EVENTS)
            wait_for(bench, WARM_EVENTS)
            yield processes
        finally:
            for one in every:
                one.terminate()
            for one in every:
                _end(one)


def _end(one: psutil.Popen) -> None:
    try:
        one.wait(STOP_SECONDS)
    except psutil.TimeoutExpired:
        print(f"{' '.join(one.args[-1:])}: did not stop in {STOP_SECONDS} s, was killed", flush=True)
        one.kill()
        one.wait()


def wait_for(bench: Bench, count: int) -> None:
    """Wait until every recipient has every event; counting takes PostgreSQL time, hence only when no more come."""
    deadline = time.monotonic() + DEADLINE_SECONDS
    written = None
    while True:
        time.sleep(1.0)  # so often at most PostgreSQL says how many rows were written
        now = [bench.ask(code, WRITTEN)[0][0] for code in bench.recipients]
        late = time.monotonic() > deadline
        if now != written and not late:
            written = now
            continue
        found = {code: int(bench.ask(code, COUNT, TYPE)[0][0]) for code in bench.recipients}
        if all(each == count for each in found.values()):
            return
        if late or any(each > count for each in found.values()):
            log = (bench.plan.data / "workers.log").read_text(encoding="utf-8")[-3000:]
            raise SystemExit(f"{found} of {count} events in {DEADLINE_SECONDS} s\n{log}")


def main() -> None:
    """Run what was asked for."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--events", type=int, default=30_000, help="a round")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--recipients", type=int, default=3)
    parser.add_argument("--workers", type=int, default=1, help="processes of the bus and of each recipient")
    parser.add_argument("--partitions", type=int, default=4, help="of the event topic and of each inbox topic")
    parser.add_argument("--latency", type=float, default=0, help="events a second, written at a steady rate")
    parser.add_argument("--seconds", type=float, default=30, help="of the steady rate")
    parser.add_argument("--grid", action="store_true", help="partitions and workers 1, 2, 4; recipients 1, 4, 16")
    parser.add_argument("--soak", type=int, default=0, help="so many events, with the workers' memory on the way")
    asked = parser.parse_args()
    print(describe(), flush=True)
    if asked.grid:
        grid(asked.events)
        return
    shape = Shape(asked.recipients, asked.partitions, asked.workers)
    with prepared(shape) as bench, working(bench) as processes:
        if asked.latency:
            latency(bench, asked.latency, WARM_SECONDS, called="cold: ")
            latency(bench, asked.latency, asked.seconds)
        elif asked.soak:
            soak(bench, processes, asked.soak)
        else:
            rates = [backlog(bench, processes, asked.events) for _ in range(asked.rounds)]
            print(f"{shape}: median {statistics.median(rates):,.0f} events/s of {asked.rounds} rounds")
            print(memory(processes), flush=True)


def grid(events: int) -> None:
    """Measure how the rate and the latency change with one thing at a time."""
    shapes = [Shape(3, number, number) for number in (1, 2, 4)]
    shapes += [Shape(number, 4, 1) for number in (1, 4, 16)]
    for shape in shapes:
        with prepared(shape) as bench, working(bench) as processes:
            rate = backlog(bench, processes, max(WARM_EVENTS, events // max(1, shape.recipients // 3)))
            print(f"{shape}: {rate:,.0f} events/s, {rate * shape.recipients:,.0f} copies/s", flush=True)
            latency(bench, 100, 10)


def backlog(bench: Bench, processes: Processes, count: int) -> float:
    """Measure the rate of a backlog that was written while the workers were held."""
    before = held(bench)
    every = [one for found in processes.values() for one in found]
    for one in every:
        one.suspend()
    try:
        produce(bench, count)
    finally:
        for one in every:
            one.resume()
    used = {name: _cpu_seconds(found) for name, found in processes.items()}
    wait_for(bench, before + count)
    first, last = span(bench, before)
    rate = count / (last - first)
    shown = ", ".join(
        f"{name} {(_cpu_seconds(found) - used[name]) / count * 1e6:.0f}" for name, found in processes.items()
    )
    print(f"{count} events: {rate:,.0f} events/s; CPU microseconds an event: {shown}", flush=True)
    return rate


def soak(bench: Bench, processes: Processes, count: int) -> None:
    """Send many events through, backlog after backlog, and show the workers' memory."""
    for done in range(0, count, SOAK_STEP):
        backlog(bench, processes, min(SOAK_STEP, count - done))
        print(f"after {held(bench):,} events: {memory(processes)}", flush=True)


def held(bench: Bench) -> int:
    """How many events the recipient that has fewest has."""
    return min(int(bench.ask(code, COUNT, TYPE)[0][0]) for code in bench.recipients)


def span(bench: Bench, before: int) -> tuple[float, float]:
    """When the first inbox row after so many was written, and the last."""
    query = (
        "select extract(epoch from min(received_at)), extract(epoch from max(received_at)) from"
        " (select received_at from inbox where event_type = %s order by received_at offset %s) as late"
    )
    found = [bench.ask(code, query, TYPE, before)[0] for code in bench.recipients]
    return float(min(row[0] for row in found)), float(max(row[1] for row in found))


def memory(processes: Processes) -> str:
    """Say how much each worker holds."""
    shown = (
        f"{name} {' '.join(f'{one.memory_info().rss / 1e6:.0f}' for one in found)}" for name, found in processes.items()
    )
    return f"resident MB: {', '.join(shown)}"


def _cpu_seconds(processes: Sequence[psutil.Process]) -> float:
    return sum(sum(one.cpu_times()[:2]) for one in processes)


def latency(bench: Bench, per_second: float, seconds: float, *, called: str = "") -> None:
    """Measure the time from publication to inbox at a steady rate, of all recipients' copies."""
    query = (
        "select extract(epoch from received_at - event_time) from inbox where event_type = %s"
        " order by received_at offset %s"
    )
    before, count = held(bench), int(per_second * seconds)
    produce(bench, count, rate=per_second)
    wait_for(bench, before + count)
    waits = sorted(float(row[0]) for code in bench.recipients for row in bench.ask(code, query, TYPE, before))
    parts = (("p50", 0.5), ("p99", 0.99), ("p99.9", 0.999), ("longest", 1.0))
    shown = ", ".join(
        f"{name} {waits[min(len(waits) - 1, int(len(waits) * part))] * 1000:.0f} ms" for name, part in parts
    )
    load = f"{per_second:.0f} events/s, {count} events, {len(bench.recipients)} recipients"
    print(f"{called}{load}: {shown}", flush=True)


if __name__ == "__main__":
    main()
