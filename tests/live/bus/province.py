"""An installation as a test sees it: its commands, its tables, its topics, and conditions to wait for."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Self
from uuid import UUID

import psutil
import psycopg
import pytest
from kafka import KafkaAdminClient, KafkaConsumer, KafkaProducer, TopicPartition
from psycopg import sql

from lienthong.directory import LiveDirectory
from lienthong.installation import bring_up, supervised
from lienthong.provision import DATABASE
from lienthong.settings import remember_stack
from lienthong.stack import (
    RegistryRight,
    SilentProgress,
    StackPlan,
    postgres_admin_dsn,
    registry_as,
    server_status,
    start_servers,
)
from lienthong.supervisor import stop_supervisor
from streams.catalogue import load_catalogue
from streams.names import AUDIT_TOPIC, BUS, AgencyCode, consumer_group, database_schema, inbox_topic
from streams.registry import RegistryAddress

__all__ = ["Province", "Ran", "Received", "running_province_on"]

_LOOK_SECONDS = 0.1


@dataclass(frozen=True)
class Ran:
    """What a command did."""

    code: int
    out: str
    err: str

    @property
    def lines(self) -> list[dict[str, Any]]:
        """Its JSON Lines."""
        return [json.loads(line) for line in self.out.splitlines()]


@dataclass(frozen=True)
class Received:
    """A record as a stranger's client reads it."""

    topic: str
    partition: int
    offset: int
    key: bytes | None
    value: bytes | None
    headers: Mapping[str, bytes]


@dataclass
class Province:
    """
    A running installation.

    Args:
        plan: its servers.
        work: a folder for files of tests.
    """

    plan: StackPlan
    work: Path
    _open: contextlib.ExitStack = field(default_factory=contextlib.ExitStack)

    def __enter__(self) -> Self:
        """Connect."""
        self.producer = KafkaProducer(**self.plan.kafka_admin.kafka_python(), acks="all")
        self._open.callback(self.producer.close)
        self._admin = KafkaAdminClient(**self.plan.kafka_admin.kafka_python())
        self._open.callback(self._admin.close)
        return self

    def __exit__(self, *_: object) -> None:
        """Disconnect."""
        self._open.close()

    @property
    def data(self) -> Path:
        """The installation's folder."""
        return self.plan.data

    @property
    def registry(self) -> RegistryAddress:
        """The registry, as one who adds schemas."""
        return registry_as(self.plan, RegistryRight.REGISTER)

    @property
    def agencies(self) -> list[AgencyCode]:
        """All agencies of the directory."""
        return sorted(LiveDirectory(self.data)().agencies)

    # Commands

    def run(self, *words: str | Path, data: Path | None = None, env: Mapping[str, str] | None = None) -> Ran:
        """Run a command to its end."""
        ran = subprocess.run(
            [sys.executable, "-m", "lienthong", *map(str, words)],
            env={**os.environ, "LIENTHONG_DATA": str(data or self.data), **(env or {})},
            cwd=self.work,
            capture_output=True,
            text=True,
            check=False,
        )
        return Ran(code=ran.returncode, out=ran.stdout, err=ran.stderr)

    def lines(self, *words: str | Path, data: Path | None = None) -> list[dict[str, Any]]:
        """Run a command that must end well with `--json`; give what it printed."""
        ran = self.run(*words, "--json", data=data)
        assert ran.code == 0, ran.err
        return ran.lines

    # Tables, seen by the administrator

    def rows(self, agency: str, query: str, *arguments: object) -> list[tuple[Any, ...]]:
        """Ask an agency's schema, or the bus's."""
        with psycopg.connect(postgres_admin_dsn(self.plan, DATABASE), autocommit=True) as connection:
            schema = sql.Identifier(database_schema(AgencyCode(agency)))
            connection.execute(sql.SQL("set search_path to {}").format(schema))
            return connection.execute(query.encode(), arguments).fetchall()

    def value(self, agency: str, query: str, *arguments: object) -> Any:
        """Ask for one value."""
        return self.rows(agency, query, *arguments)[0][0]

    def counts(self) -> dict[str, int]:
        """
        Count the rows of every table of every member, and of the key service.

        Not counted is how far the numbers of copies were looked at: it follows the inbox a few seconds later.
        """
        members = [BUS, *self.agencies]
        schemas = [database_schema(each) for each in members] + ["keyring"]
        tables = self.rows(
            BUS,
            "select schemaname, tablename from pg_tables"
            " where schemaname = any(%s) and tablename <> 'numbered' order by 1, 2",
            schemas,
        )
        return {
            f"{schema}.{table}": self.value(BUS, f'select count(*) from {schema}."{table}"')  # noqa: S608 -- from pg_tables
            for schema, table in tables
        }

    # Topics, seen by a plain client

    def read(self, *topics: str) -> list[Received]:
        """Read topics from their beginning to their present end."""
        consumer = KafkaConsumer(**self.plan.kafka_admin.kafka_python(), auto_offset_reset="earliest")
        try:
            places = [TopicPartition(each, one) for each in topics for one in consumer.partitions_for_topic(each)]
            consumer.assign(places)
            ends = consumer.end_offsets(places)
            found: list[Received] = []
            deadline = time.monotonic() + 60
            while any(consumer.position(place) < ends[place] for place in places):
                assert time.monotonic() < deadline, f"{topics} could not be read to the end"
                for records in consumer.poll(timeout_ms=500).values():
                    found += [
                        Received(one.topic, one.partition, one.offset, one.key, one.value, dict(one.headers))
                        for one in records
                    ]
            return found
        finally:
            consumer.close()

    def send(
        self, topic: str, value: bytes | None, headers: Sequence[tuple[str, bytes]], *, key: bytes = b"k"
    ) -> tuple[str, int, int]:
        """Write one record as a plain producer does; give its place."""
        place = self.producer.send(topic, value=value, key=key, headers=list(headers)).get(timeout=30)
        return place.topic, place.partition, place.offset

    def ids(self, topic: str) -> list[UUID]:
        """Give the event ids on a topic, in the order in which they were read."""
        return [UUID(each.headers["ce_id"].decode()) for each in self.read(topic)]

    def describe_groups(self, *groups: str) -> dict[str, Any]:
        """Ask Kafka who reads for consumer groups."""
        described: dict[str, Any] = self._admin.describe_groups(list(groups))
        return described

    # Conditions

    def until(self, what: str, reached: Callable[[], object], *, seconds: float = 60.0) -> None:
        """Wait for a condition; fail when it is not reached in time."""
        deadline = time.monotonic() + seconds
        while not reached():
            assert time.monotonic() < deadline, f"not reached in {seconds:.0f} s: {what}\n{self._explain()}"
            time.sleep(_LOOK_SECONDS)

    def settle(self, *, seconds: float = 90.0) -> None:
        """Wait until every worker reads and nothing is on its way: outboxes empty, all records read, twice the same."""
        self.until("every worker at work", self.at_work, seconds=seconds)
        self.until("nothing on its way", self._at_rest, seconds=seconds)

    def at_work(self) -> bool:
        """Say whether every worker reads its partitions."""
        return all(each.state == "running" and "reads" in each.detail for each in self.workers().values())

    def workers(self) -> dict[str, Any]:
        """Give the workers by agency, as `lienthong status` knows them."""
        states = {each.service: each for each in supervised(self.data)}
        return {code: states[code] for code in [BUS, *self.agencies]}

    def _at_rest(self) -> bool:
        before = self._queued()
        return before is not None and not self._lag() and before == self._queued()

    def _queued(self) -> dict[str, int] | None:
        """Count what was ever queued; None while something still waits."""
        totals: dict[str, int] = {}
        for code in [BUS, *self.agencies]:
            total, waiting = self.rows(
                code, "select count(*), count(*) filter (where published_at is null) from outbox"
            )[0]
            if waiting or (code != BUS and self.value(code, "select count(*) from handover where settled_at is null")):
                return None
            totals[code] = total
        return totals

    def _lag(self) -> dict[str, int]:
        events = [spec.topic for spec in load_catalogue().types.values() if spec.topic != AUDIT_TOPIC]
        topics = {consumer_group(BUS): events} | {consumer_group(one): [inbox_topic(one)] for one in self.agencies}
        lags = {}
        consumer = KafkaConsumer(**self.plan.kafka_admin.kafka_python())
        try:
            for group, names in topics.items():
                places = [TopicPartition(each, one) for each in names for one in consumer.partitions_for_topic(each)]
                committed = self._admin.list_group_offsets(group).get(group, {})
                ends = consumer.end_offsets(places)
                left = sum(ends[one] - (committed[one].offset if one in committed else 0) for one in places)
                if left:
                    lags[group] = left
        finally:
            consumer.close()
        return lags

    def _explain(self) -> str:
        states = [f"{code}: {each.state} {each.detail}" for code, each in self.workers().items()]
        return "\n".join([*states, f"lag: {self._lag()}" if self._server("kafka") else "Kafka is down"])

    # Faults

    def kill_worker(self, agency: str) -> int:
        """SIGKILL to an agency's worker; give its process id."""
        pid = self.workers()[agency].pid
        assert pid, f"the worker of {agency} does not run"
        os.kill(pid, signal.SIGKILL)
        return int(pid)

    @contextlib.contextmanager
    def without(self, server: str) -> Iterator[None]:
        """Stop one server as an operator would, and start it again at the end."""
        pid = self._server(server)
        assert pid is not None
        process = psutil.Process(pid)
        process.send_signal(signal.SIGINT if server == "postgres" else signal.SIGTERM)
        self.until(f"{server} ended", lambda: not _lives(process))
        try:
            yield
        finally:
            start_servers(self.plan, progress=SilentProgress())

    def _server(self, name: str) -> int | None:
        return next(each.pid for each in server_status(self.plan) if each.service == name)


def _lives(process: psutil.Process) -> bool:
    try:
        return process.is_running() and process.status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


@contextlib.contextmanager
def running_province_on(plan: StackPlan, work: Path) -> Iterator[Province]:
    """Provision servers and run the bus and the agencies under their supervisor; stop these at the end."""
    remember_stack(plan)
    with pytest.MonkeyPatch.context() as patch:
        # The shortest that Kafka allows: a killed worker's partitions wait for it.
        patch.setenv("LIENTHONG_SESSION_TIMEOUT_SECONDS", "6")
        bring_up(plan.data, progress=SilentProgress())
    with Province(plan, work) as province:
        yield province
        stop_supervisor(plan.data)
