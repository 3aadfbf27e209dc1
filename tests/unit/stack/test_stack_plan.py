"""Where a stack lives."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path
from urllib.parse import unquote

import psycopg.conninfo

from lienthong.stack import ServiceStatus, StackPlan, default_cache, postgres_admin_dsn, postgres_dsn


def test_addresses_follow_from_ports(tmp_path: Path) -> None:
    """Every address a client needs is computed from the plan alone."""
    plan = StackPlan(data=tmp_path / "d", cache=tmp_path / "c", kafka_port=1111, registry_port=2222)

    assert plan.kafka_bootstrap == "localhost:1111"
    assert plan.registry_url == "https://localhost:2222/apis/ccompat/v7"
    assert plan.postgres_socket == tmp_path / "d" / "postgres" / "socket"


def test_relative_folders_become_absolute() -> None:
    """A server started in another folder still finds its data."""
    plan = StackPlan(data=Path("some/data"), cache=Path("~/cache"))

    assert plan.data == Path.cwd() / "some" / "data"
    assert plan.cache == Path.home() / "cache"


def test_free_ports_differ(tmp_path: Path) -> None:
    """Four ports, four numbers, none of which the system gives to an outgoing connection."""
    plan = StackPlan.on_free_ports(tmp_path, default_cache())

    ports = {plan.kafka_port, plan.kafka_controller_port, plan.kafka_broker_port, plan.registry_port}
    assert len(ports) == 4
    assert max(ports) < int(Path("/proc/sys/net/ipv4/ip_local_port_range").read_text(encoding="ascii").split()[0])


def test_a_recorded_socket_folder_wins(tmp_path: Path) -> None:
    """Where the data folder's path is too long, clients find the socket where the first start put it."""
    plan = StackPlan(data=tmp_path, cache=tmp_path)
    plan.run.mkdir()

    plan.postgres_socket_record.write_text("/tmp/lienthong-abc", encoding="utf-8")  # noqa: S108 -- only a name here

    assert plan.postgres_socket == Path("/tmp/lienthong-abc")  # noqa: S108 -- as above


def test_dsn_survives_any_password_and_folder(tmp_path: Path) -> None:
    """Characters that mean something in a URL reach the driver unchanged."""
    plan = StackPlan(data=tmp_path / "dữ liệu & co", cache=tmp_path)

    password = "a/b?c@d%e"  # noqa: S105 -- nobody's
    dsn = postgres_dsn(plan, role="tax_hanam", password=password, database="x y")
    parts = psycopg.conninfo.conninfo_to_dict(dsn)

    assert parts == {
        "user": "tax_hanam",
        "password": password,
        "dbname": "x y",
        "host": str(plan.postgres_socket),
    }


def test_admin_dsn_has_no_password(tmp_path: Path) -> None:
    """The superuser is proved by the operating system."""
    dsn = postgres_admin_dsn(StackPlan(data=tmp_path, cache=tmp_path))

    assert unquote(dsn) == f"postgresql://postgres@/postgres?host={tmp_path}/postgres/socket"


def test_status_line_has_exactly_the_documented_keys() -> None:
    """The shape of `status --json`; what is absent is null."""
    status = ServiceStatus(service="kafka", state="running", pid=7, since=datetime(2026, 1, 2, 3, 4, 5, 6, tzinfo=UTC))

    assert json.loads(json.dumps(status.as_json())) == {
        "service": "kafka",
        "state": "running",
        "address": None,
        "pid": 7,
        "since": "2026-01-02T03:04:05+00:00",
        "detail": None,
    }
