"""The real servers: start, find, kill, recover, refuse, stop."""

from __future__ import annotations

import contextlib
import os
import socket
import stat
import sys
import tempfile
import time
import uuid
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import httpx
import psutil
import psycopg
import pytest
from kafka import KafkaConsumer, KafkaProducer, TopicPartition
from kafka.admin import KafkaAdminClient
from psycopg import sql

from lienthong.stack import (
    PlainProgress,
    RegistryRight,
    ServiceStatus,
    SilentProgress,
    StackPlan,
    postgres_admin_dsn,
    postgres_dsn,
    registry_as,
    server_status,
    start_servers,
    stop_servers,
)
from streams.errors import ConfigurationError

pytestmark = pytest.mark.live


def _states(statuses: list[ServiceStatus]) -> dict[str, str]:
    return {status.service: status.state for status in statuses}


def _pids(plan: StackPlan) -> dict[str, int | None]:
    return {status.service: status.pid for status in server_status(plan)}


ALL_RUNNING = {"kafka": "running", "registry": "running", "postgres": "running"}
ALL_FAILED = dict.fromkeys(ALL_RUNNING, "failed")
ALL_STOPPED = dict.fromkeys(ALL_RUNNING, "stopped")


def _kill_all(plan: StackPlan) -> None:
    """SIGKILL to every process of the stack, with children, and wait until they are gone."""
    victims = []
    for pid in _pids(plan).values():
        process = psutil.Process(pid)
        victims += [process, *process.children(recursive=True)]
    for victim in victims:
        with contextlib.suppress(psutil.NoSuchProcess):
            victim.kill()
    deadline = time.monotonic() + 10
    while any(victim.is_running() and victim.status() != psutil.STATUS_ZOMBIE for victim in victims):
        assert time.monotonic() < deadline, "killed processes still live"
        time.sleep(0.02)


@contextlib.contextmanager
def _admin(plan: StackPlan) -> Iterator[KafkaAdminClient]:
    admin = KafkaAdminClient(**plan.kafka_admin.kafka_python(), bootstrap_timeout_ms=5000)
    try:
        yield admin
    finally:
        admin.close()


def _produce(plan: StackPlan, topic: str, value: bytes) -> None:
    producer = KafkaProducer(**plan.kafka_admin.kafka_python(), acks="all")
    try:
        producer.send(topic, value).get(timeout=20)
    finally:
        producer.close()


def _first_value(plan: StackPlan, topic: str) -> bytes:
    consumer = KafkaConsumer(**plan.kafka_admin.kafka_python(), auto_offset_reset="earliest")
    try:
        consumer.assign([TopicPartition(topic, 0)])
        deadline = time.monotonic() + 20
        while time.monotonic() < deadline:
            for records in consumer.poll(timeout_ms=500).values():
                return bytes(records[0].value)
    finally:
        consumer.close()
    pytest.fail("nothing could be read")


def _register(plan: StackPlan, subject: str, avro_type: str) -> httpx.Response:
    schema = f'{{"type":"record","name":"R","fields":[{{"name":"a","type":"{avro_type}"}}]}}'
    registry = registry_as(plan, RegistryRight.REGISTER)
    return httpx.post(f"{registry.url}/subjects/{subject}/versions", json={"schema": schema}, **registry.httpx())


def test_a_second_start_finds_the_running_stack(running: StackPlan, capsys: pytest.CaptureFixture[str]) -> None:
    """Same processes, and a person is told so."""
    before = _pids(running)

    with PlainProgress(sys.stdout) as progress:
        start_servers(running, progress=progress)

    assert before == _pids(running)
    assert _states(server_status(running)) == ALL_RUNNING
    assert "kafka: found running" in capsys.readouterr().out


def test_a_lost_record_is_found_again(running: StackPlan) -> None:
    """A start that was killed before it wrote down its processes does not make strangers of them."""
    before = _pids(running)
    for name in before:
        (running.run / f"{name}.json").unlink()

    start_servers(running, progress=SilentProgress())

    assert before == _pids(running)
    assert all((running.run / f"{name}.json").exists() for name in before)


def test_a_stack_that_was_killed_recovers_with_its_data(running: StackPlan) -> None:
    """SIGKILL to all; the next start brings back the event, the schema and the row."""
    topic = f"t-{uuid.uuid4().hex}"
    with _admin(running) as admin:
        admin.create_topics({topic: {"num_partitions": 1, "replication_factor": 1}}, wait_for_metadata=True)
    _produce(running, topic, b"kept")
    schema_id = _register(running, f"{topic}-value", "string").json()["id"]
    with psycopg.connect(postgres_admin_dsn(running), autocommit=True) as connection:
        connection.execute(sql.SQL("create table {} as select 7 as a").format(sql.Identifier(topic)))

    _kill_all(running)
    assert _states(server_status(running)) == ALL_FAILED
    start_servers(running, progress=SilentProgress())

    assert _states(server_status(running)) == ALL_RUNNING
    assert _first_value(running, topic) == b"kept"
    registry = registry_as(running, RegistryRight.REGISTER)
    found = httpx.get(f"{registry.url}/subjects/{topic}-value/versions/latest", **registry.httpx())
    assert found.json().get("id") == schema_id, found.text
    with psycopg.connect(postgres_admin_dsn(running)) as connection:
        row = connection.execute(sql.SQL("select a from {}").format(sql.Identifier(topic))).fetchone()
    assert row == (7,)


def test_stop_ends_what_start_began_and_nothing_else(running: StackPlan) -> None:
    """Records that name a stranger's process are not believed; a stale postmaster.pid is no obstacle."""
    assert _states(stop_servers(running)) == ALL_STOPPED
    assert _states(stop_servers(running)) == ALL_STOPPED
    me = psutil.Process()
    stranger = f'{{"pid":{me.pid},"started_after_boot_seconds":1,"since":"2026-01-01T00:00:00+00:00","argv":["java"]}}'
    for name in ALL_RUNNING:
        (running.run / f"{name}.json").write_text(stranger)
    (running.postgres_folder / "data" / "postmaster.pid").write_text(f"{me.pid}\n")

    assert _states(server_status(running)) == ALL_FAILED
    stop_servers(running)
    assert me.is_running()
    start_servers(running, progress=SilentProgress())

    assert _states(server_status(running)) == ALL_RUNNING


def test_a_taken_port_is_named_before_anything_starts(running: StackPlan) -> None:
    """The other servers are not started either."""
    stop_servers(running)
    with socket.socket() as taken:
        taken.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        taken.bind(("127.0.0.1", running.registry_port))
        taken.listen()

        with pytest.raises(ConfigurationError, match=rf"Port {running.registry_port} is taken by .*REGISTRY_PORT"):
            start_servers(running, progress=SilentProgress())

        assert _states(server_status(running)) == ALL_STOPPED


def test_other_ports_are_not_taken_for_the_running_stack(running: StackPlan) -> None:
    """Settings that changed under a running stack are said, not waited for."""
    moved = replace(running, kafka_port=running.kafka_port + 1)

    with pytest.raises(ConfigurationError, match=rf"runs at localhost:{running.kafka_port} and the settings say"):
        start_servers(moved, progress=SilentProgress())

    assert _states(server_status(running)) == ALL_RUNNING


def test_the_registry_refuses_what_older_readers_could_not_read(running: StackPlan) -> None:
    """FULL_TRANSITIVE holds for every subject from the first start on."""
    subject = f"s-{uuid.uuid4().hex}"

    assert _register(running, subject, "string").status_code == httpx.codes.OK
    assert _register(running, subject, "int").status_code == httpx.codes.CONFLICT


def test_kafka_makes_no_topic_by_itself(running: StackPlan) -> None:
    """A typo in a topic's name is an error, not a topic."""
    with _admin(running) as admin:
        names = {f"typo-{uuid.uuid4().hex}"}
        admin.describe_topics(list(names))

        assert not names & set(admin.list_topics())


def test_postgres_wants_a_password_of_everybody_but_its_owner(running: StackPlan) -> None:
    """A role with its password comes in; with a wrong one or with none it does not, and nothing is trusted."""
    role, password = f"r{uuid.uuid4().hex[:8]}", "đúng/mật?khẩu"
    with psycopg.connect(postgres_admin_dsn(running), autocommit=True) as connection:
        create = sql.SQL("create role {} login password {}")
        connection.execute(create.format(sql.Identifier(role), sql.Literal(password)))
        methods = connection.execute("select distinct auth_method from pg_hba_file_rules").fetchall()

    right = postgres_dsn(running, role=role, password=password, database="postgres")
    wrong = postgres_dsn(running, role=role, password="sai", database="postgres")  # noqa: S106 -- it must not work
    nothing = postgres_dsn(running, role=role, password="", database="postgres")

    assert {("peer",), ("scram-sha-256",)} == set(methods)
    with psycopg.connect(right) as connection:
        assert connection.execute("select current_user").fetchone() == (role,)
    for dsn, reason in ((wrong, "password authentication failed"), (nothing, "no password supplied")):
        with pytest.raises(psycopg.OperationalError, match=reason):
            psycopg.connect(dsn).close()


def test_no_other_user_can_look_into_the_data_folder(running: StackPlan) -> None:
    """Folders are for their owner alone; root's is passable, not listable, for PostgreSQL's own user."""
    modes = {path.name: stat.S_IMODE(path.stat().st_mode) for path in (running.data, *running.data.iterdir())}

    assert modes.pop("data") == (0o710 if os.geteuid() == 0 else 0o700)
    assert set(modes.values()) == {0o700}
    secrets = [path for folder in (running.run, running.logs) for path in folder.iterdir()]
    assert {0o600} == {stat.S_IMODE(path.stat().st_mode) for path in secrets}


def test_a_long_folder_with_vietnamese_letters_works(running: StackPlan) -> None:
    """The socket moves to a short private folder; every server copes with the name."""
    with tempfile.TemporaryDirectory(prefix="lienthong-test-", ignore_cleanup_errors=True) as folder:
        data = Path(folder) / ("thư mục dữ liệu của Cục Thuế tỉnh Hà Nam " * 3).strip()
        plan = StackPlan.on_free_ports(data, running.cache)
        try:
            start_servers(plan, progress=SilentProgress())

            assert _states(server_status(plan)) == ALL_RUNNING
            assert data not in plan.postgres_socket.parents
            assert stat.S_IMODE(plan.postgres_socket.stat().st_mode) == 0o700
        finally:
            stop_servers(plan)
        assert _states(server_status(plan)) == ALL_STOPPED
