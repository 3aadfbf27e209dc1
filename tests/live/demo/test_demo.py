"""`make demo` as a newcomer runs it: the whole way, again without change, and with an agency held down."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import psycopg
import pytest
from psycopg import sql

from lienthong.provision import DATABASE
from lienthong.stack import StackPlan, default_cache, postgres_admin_dsn

pytestmark = pytest.mark.live

THREAD = {
    ("einvoice.received", "tax-hanam"): {"tax-hanam"},
    ("einvoice.anomaly_detected", "tax-hanam"): {"qltt-hanam", "bcd389-hanam"},
    ("seller.suspected", "qltt-hanam"): {"police-hanam", "tax-hanam", "bcd389-hanam", "stttt-hanam"},
    ("payment_block.requested", "police-hanam"): {"sbv-hanam", "bcd389-hanam"},
    ("payment_block.answered", "sbv-hanam"): {"police-hanam", "qltt-hanam", "bcd389-hanam"},
    ("shipment.flagged", "qltt-hanam"): {"post-hanam", "bcd389-hanam"},
    ("shipment.sighted", "post-hanam"): {"police-hanam", "qltt-hanam", "bcd389-hanam"},
    ("warning.prepared", "stttt-hanam"): {"bcd389-hanam"},
}
"""Each event type with its producer, and who receives it."""


@dataclass(frozen=True)
class Installation:
    """A data folder of the test's own, on ports of its own."""

    plan: StackPlan

    def run(self, *words: str) -> subprocess.CompletedProcess[str]:
        """Run a command on it."""
        own = {name: value for name, value in os.environ.items() if not name.startswith("LIENTHONG_")}
        ports = {
            "KAFKA_PORT": self.plan.kafka_port,
            "KAFKA_CONTROLLER_PORT": self.plan.kafka_controller_port,
            "REGISTRY_PORT": self.plan.registry_port,
            "KAFKA_BROKER_PORT": self.plan.kafka_broker_port,
        }
        environment = own | {f"LIENTHONG_STACK__{name}": str(port) for name, port in ports.items()}
        command = [sys.executable, "-m", "lienthong", *words, "--data", str(self.plan.data)]
        return subprocess.run(command, env=environment, capture_output=True, text=True, check=False, timeout=280)

    def row_counts(self) -> dict[str, int]:
        """Count every table of the bus and of each agency, but what follows the inbox a few seconds later."""
        with psycopg.connect(postgres_admin_dsn(self.plan, DATABASE)) as connection:
            tables = connection.execute(
                "select schemaname, tablename from pg_tables where (schemaname = 'bus' or schemaname like 'agency_%')"
                " and tablename <> 'numbered'"
            ).fetchall()
            counts = {}
            for schema, table in tables:
                query = sql.SQL("select count(*) from {}").format(sql.Identifier(schema, table))
                counts[f"{schema}.{table}"] = connection.execute(query).fetchall()[0][0]
            return counts


@pytest.fixture(scope="module")
def installation() -> Iterator[Installation]:
    """Give a folder for an installation, and take down what was started in it."""
    with tempfile.TemporaryDirectory(prefix="lt-demo-") as folder:
        found = Installation(StackPlan.on_free_ports(Path(folder) / "d", default_cache()))
        yield found
        found.run("down")


def test_the_demo_drives_the_thread_and_a_second_one_changes_nothing(installation: Installation) -> None:
    """Every event type with its producer and recipients; then the same table and equal row counts."""
    first = installation.run("demo", "--json")

    assert first.returncode == 0, first.stderr[-2000:]
    seen: dict[tuple[str, str], set[str]] = {}
    for row in map(json.loads, first.stdout.splitlines()):
        seen.setdefault((row["event type"], row["from"]), set()).add(row["to"])
    assert seen == THREAD
    before = installation.row_counts()

    second = installation.run("demo", "--json")

    assert second.returncode == 0, second.stderr[-2000:]
    assert before == installation.row_counts()
    assert installation.run("open", "--json").stdout == ""

    # In this order, in one test: holding a worker of a running installation is the newcomer's next experiment.
    assert installation.run("hold", "sbv-hanam").returncode == 0
    held = installation.run("demo", "--patience", "6")
    assert held.returncode == 1
    assert "waiting for sbv-hanam (its worker is held)" in held.stderr
    assert installation.run("release", "sbv-hanam").returncode == 0
    again = installation.run("demo")
    assert again.returncode == 0, again.stderr[-2000:]
