"""What a worker answers on HTTP, also while its event loop hangs or a server is away."""

from __future__ import annotations

import asyncio
import http.client
import json
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

import pytest
from prometheus_client import CollectorRegistry

from lienthong import health as health_module
from lienthong import health_server
from lienthong.checkup import ask_ready, measure
from lienthong.health import Health, Servers
from lienthong.health_server import serve
from streams.errors import ConfigurationError, TransientError
from streams.kafka import KafkaAddress
from streams.metrics import Metrics
from streams.names import AgencyCode
from streams.readings import PartitionReading, Waiting, WorkerReading

NOBODY = KafkaAddress(bootstrap="127.0.0.1:1")
STUCK_SECONDS = 100.0


@dataclass
class View:
    """A running worker as others see it."""

    loop: asyncio.AbstractEventLoop
    assigned: bool = True
    opened: bool = True
    stalled: float = 0.0
    hangs: bool = False
    known: WorkerReading | None = field(
        default_factory=lambda: WorkerReading([PartitionReading("lt.x", 0, 3, 2.0)], 0, 0.0)
    )

    def answers(self, *, timeout_seconds: float) -> bool:
        """Say whether the loop does anything."""
        assert timeout_seconds > 0
        return not self.hangs

    def stalled_seconds(self) -> float:
        """Say for how long there was no progress."""
        return self.stalled

    def reading(self) -> WorkerReading | None:
        """Give what it is at."""
        return self.known


@dataclass
class Postgres:
    """PostgreSQL as a worker asks it."""

    away: bool = False
    silent: bool = False

    async def ping(self) -> None:
        """Answer, or not."""
        if self.silent:
            await asyncio.Event().wait()
        if self.away:
            raise TransientError("PostgreSQL is away: it was stopped")

    async def waiting(self) -> Waiting:
        """Say what waits."""
        await self.ping()
        return Waiting(outbox=4, outbox_seconds=1.5, handovers=1, handovers_seconds=0.25)


@pytest.fixture
def loop() -> Iterator[asyncio.AbstractEventLoop]:
    """An event loop that runs in a thread, as a worker's does for whoever asks."""
    running = asyncio.new_event_loop()
    thread = threading.Thread(target=running.run_forever)
    thread.start()
    yield running
    running.call_soon_threadsafe(running.stop)
    thread.join()
    running.close()


@pytest.fixture
def postgres() -> Postgres:
    """A PostgreSQL that answers."""
    return Postgres()


@pytest.fixture
def view(loop: asyncio.AbstractEventLoop) -> Any:
    """A worker that is ready."""
    return View(loop)


@pytest.fixture
def health(view: Any, postgres: Postgres, monkeypatch: pytest.MonkeyPatch) -> Health:
    """Its health; Kafka answers."""

    async def answers(_address: KafkaAddress, *, timeout_seconds: float) -> str | None:
        assert timeout_seconds > 0
        return None

    monkeypatch.setattr(health_module, "why_kafka_is_away", answers)
    monkeypatch.setattr(health_module, "_ASK_SECONDS", 0.05)
    found = Health(NOBODY, stuck_seconds=STUCK_SECONDS)
    found.see(view)
    found.servers = Servers(ping=postgres.ping, waiting=postgres.waiting)
    return found


@pytest.fixture
def metrics(health: Health) -> Metrics:
    """Its metrics."""
    metrics = Metrics(AgencyCode("tax-hanam"), CollectorRegistry())
    metrics.readings.worker, metrics.readings.waiting = health.reading, health.waiting
    return metrics


@pytest.fixture
def address(health: Health, metrics: Metrics, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """Where it answers."""
    monkeypatch.setattr(health_server, "_LOOK_SECONDS", 0.01)
    server = serve(health, metrics.registry, host="127.0.0.1", port=0)
    yield server.address
    server.close()


def get(address: str, path: str) -> tuple[int, str, Any]:
    """Ask: the status, the kind of what came, and it."""
    host, _, port = address.rpartition(":")
    connection = http.client.HTTPConnection(host, int(port), timeout=10)
    connection.request("GET", path)
    response = connection.getresponse()
    kind, body = response.getheader("Content-Type", ""), response.read()
    connection.close()
    return response.status, kind, json.loads(body) if kind == "application/json" else body.decode()


def test_a_worker_that_is_well_is_live_and_ready(address: str) -> None:
    """Both as JSON."""
    assert get(address, "/livez") == (200, "application/json", {"live": True, "why": None})
    assert get(address, "/readyz?verbose") == (200, "application/json", {"ready": True, "not_ready": {}})
    assert ask_ready(address) == {}


def test_a_worker_that_starts_is_live_and_not_ready(health: Health, address: str) -> None:
    """Nobody ends it for that."""
    health.view = None

    assert get(address, "/livez")[0] == 200
    assert get(address, "/readyz") == (
        503,
        "application/json",
        {"ready": False, "not_ready": {"worker": "it is starting"}},
    )
    assert (health.reading(), health.waiting()) == (None, None)


def test_each_thing_that_is_not_ready_is_named(health: Health, view: View, address: str) -> None:
    """All of them at once."""
    view.assigned = view.opened = False
    health.servers = None

    status, _, body = get(address, "/readyz")

    assert (status, set(body["not_ready"])) == (503, {"assignment", "registry", "database"})
    assert health.waiting() is None


@pytest.mark.parametrize("how", ["away", "silent"])
def test_a_postgres_that_is_away_is_named_and_the_worker_is_ready_again_after_it(
    postgres: Postgres, address: str, how: str
) -> None:
    """It stays live: it waits, and that is its work."""
    setattr(postgres, how, True)
    status, _, body = get(address, "/readyz")
    assert (status, list(body["not_ready"])) == (503, ["database"])
    assert body["not_ready"]["database"].startswith("PostgreSQL ")
    assert get(address, "/livez")[0] == 200

    setattr(postgres, how, False)

    assert get(address, "/readyz")[0] == 200


async def test_a_kafka_that_is_away_is_named(view: Any, postgres: Postgres) -> None:
    """Asked at its own port."""
    health = Health(NOBODY, stuck_seconds=STUCK_SECONDS)
    health.see(view)
    health.servers = Servers(ping=postgres.ping, waiting=postgres.waiting)

    found = await asyncio.to_thread(health.not_ready)

    assert set(found) == {"kafka"}


def _hang(view: View) -> None:
    view.hangs = True


def _stall(view: View) -> None:
    view.stalled = STUCK_SECONDS / 2 + 1


@pytest.mark.parametrize("ill", [_hang, _stall])
def test_a_worker_that_does_nothing_any_more_is_not_live(view: View, address: str, ill: Callable[[View], None]) -> None:
    """Before the watchdog ends it."""
    ill(view)

    status, _, body = get(address, "/livez")

    assert (status, body["live"]) == (503, False)
    assert "event loop" in body["why"] or "no progress for 51 s" in body["why"]


def test_a_loop_that_hangs_keeps_nobody_waiting(
    loop: asyncio.AbstractEventLoop, address: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What it would have to say is not ready, or absent; the rest of the metrics is there."""
    monkeypatch.setattr(health_module, "_ANSWER_SECONDS", 0.05)
    go = threading.Event()
    loop.call_soon_threadsafe(go.wait)

    try:
        assert "event_loop" in get(address, "/readyz")[2]["not_ready"]
        text = get(address, "/metrics")[2]
    finally:
        go.set()

    assert 'lienthong_lag_messages{agency="tax-hanam",partition="0",topic="lt.x"} 3.0' in text
    assert "lienthong_outbox_pending{" not in text


def test_a_loop_that_is_closed_is_no_error(health: Health, view: View) -> None:
    """The process is ending."""
    view.loop = asyncio.new_event_loop()
    view.loop.close()

    assert "event_loop" in health.not_ready()


def test_metrics_are_shown_and_measured(metrics: Metrics, postgres: Postgres, address: str) -> None:
    """What is not known is absent, and None for who measures."""
    metrics.processed("lt.x", "applied", 5)
    metrics.processed("lt.x", "quarantined_loop")
    metrics.retried()

    status, kind, text = get(address, "/metrics")
    found = measure(address)
    postgres.away = True
    without = measure(address)

    assert (status, kind.partition(";")[0]) == (200, "text/plain")
    assert 'outcome="applied",topic="lt.x"} 5.0' in text
    assert (found.lag_messages, found.lag_seconds) == (3, 2.0)
    assert (found.outbox, found.outbox_seconds, found.parked, found.handovers) == (4, 1.5, 0, 1)
    assert (found.processed, found.quarantined, found.retries) == (6, 1, 1)
    assert (without.outbox, without.outbox_seconds, without.lag_messages) == (None, None, 3)


def test_anything_else_is_not_found(address: str) -> None:
    """And says nothing about the program that answers."""
    status, _, text = get(address, "/../settings.toml")

    assert status == 404
    assert "Python" not in text


def test_a_client_that_goes_away_is_no_event(address: str, capsys: pytest.CaptureFixture[str]) -> None:
    """Nothing is written, and the next is answered."""
    host, _, port = address.rpartition(":")
    for sent in (b"\x16\x03\x01 no HTTP\r\n\r\n", b"GET /metrics HTTP/1.0\r\n\r\n"):
        connection = http.client.HTTPConnection(host, int(port), timeout=10)
        connection.connect()
        connection.sock.sendall(sent)
        connection.close()

    assert get(address, "/livez")[0] == 200
    assert capsys.readouterr().err == ""


def test_a_port_that_is_taken_is_told(health: Health, address: str) -> None:
    """With the settings that change it."""
    port = int(address.rpartition(":")[2])

    with pytest.raises(ConfigurationError, match="set metrics_host or metrics_port"):
        serve(health, CollectorRegistry(), host="127.0.0.1", port=port)


def test_nobody_there_is_told() -> None:
    """By address."""
    with pytest.raises(TransientError, match=r"No worker answers at 127\.0\.0\.1:1"):
        ask_ready("127.0.0.1:1")
