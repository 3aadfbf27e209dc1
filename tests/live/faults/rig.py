"""A rig: one run's servers, its crew of workers and its load, from an empty folder to the checker's verdict."""

from __future__ import annotations

import contextlib
import json
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass, field, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Self
from uuid import UUID

import psycopg
from checker import Verdict, check
from cluster import KafkaCluster, until
from crew import Crew
from crew_worker import PROBE_GROUP, PROBE_OWNER
from effects import Reading, Since, event_topics, known_ids, read_topics, waiting_ids
from history import read_history
from kafka.errors import KafkaError
from load import PROBE, Mix
from observation import BUS_PLACE, Observation, Snapshot
from registry_proxy import RegistryProxy
from stores import Stores
from strikes import Strikes
from watch import Watch

from lienthong.directory import LiveDirectory
from lienthong.officers import add_officer
from lienthong.provision import Servers, provision
from lienthong.settings import remember_stack
from lienthong.stack import SilentProgress, StackPlan, default_cache
from streams.event import derived_id
from streams.names import (
    AUDIT_TOPIC,
    BUS,
    AgencyCode,
    TopicName,
    consumer_group,
    database_schema,
    inbox_topic,
    quarantine_topic,
)

__all__ = ["OFFICERS", "Rig"]

OFFICERS = ("police-hanam/investigator", "sbv-hanam/payment-desk")
"""Who signs in the load."""

_AHEAD = 2_000
"""The load publishes at most so many records more than the bus has decided, fewer in a small run."""

_WINDOW_SECONDS = 0.2
"""How often the load is told how far it may go."""

_PUBLISHER = Path(__file__).with_name("publisher.py")


@dataclass
class Rig:
    """
    One run.

    Args:
        folder: empty; everything of the run lies below it.
        brokers: one or three.
        mix: the load.
        crew_of: how many workers of each member; others have one.
        environment: settings of the workers that go before the installation's.
        prepare: entered before any server is started.
        scale: of a full run; smaller runs strike less often and for a shorter time.
        say: told what goes on.
    """

    folder: Path
    brokers: int
    mix: Mix
    crew_of: Mapping[str, int] = field(default_factory=dict)
    environment: Mapping[str, str] = field(default_factory=dict)
    prepare: Callable[[Rig], contextlib.AbstractContextManager[None]] | None = None
    scale: float = 1.0
    strikes: Strikes = field(default_factory=Strikes)
    say: Callable[[str], None] = lambda _text: None

    def __post_init__(self) -> None:
        """Choose folders and ports."""
        self.kit = self.folder / "kit"
        self.stage = self.kit
        self.data = self.folder / "data"
        self.since = Since()
        self._open = contextlib.ExitStack()
        self._mounts = self._open.enter_context(contextlib.ExitStack())  # left last, when no server writes any more
        self._snapshots: list[Snapshot] = []
        self._ids: dict[UUID, UUID] = {}
        self.proxy: RegistryProxy | None = None
        self._load: subprocess.Popen[bytes] | None = None

    # From an empty folder to workers at work

    def __enter__(self) -> Self:
        """Start everything but the load."""
        began = time.monotonic()
        try:
            self._start()
            self.started_seconds = time.monotonic() - began
        except BaseException:
            self._open.close()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        """Stop everything."""
        self._open.close()

    def _start(self) -> None:
        self.kit.mkdir(parents=True)
        cache = default_cache()
        self.stores = self._open.enter_context(Stores(StackPlan.on_free_ports(self.data, cache)))
        self.cluster = self._open.enter_context(KafkaCluster(self.folder, cache, self.brokers))
        if self.prepare is not None:
            self._mounts.enter_context(self.prepare(self))
        with ThreadPoolExecutor() as threads:
            starts = [threads.submit(self.cluster.start), threads.submit(self.stores.start)]
        for each in starts:
            each.result()
        remember_stack(self.stores.plan)
        of_stores = Servers.of_stack(self.stores.plan)
        servers = replace(of_stores, kafka=self.cluster.admin, kafka_clients=self.cluster.clients)
        provision(servers, progress=SilentProgress())
        self.cluster.let_read(PROBE_OWNER, PROBE_GROUP)
        yesterday = (datetime.now(UTC) - timedelta(days=1)).date()
        for each in OFFICERS:
            add_officer(self.data, each, role=None, on=yesterday)
        self.directory = LiveDirectory(self.data)()
        self.members = [BUS, *sorted(self.directory.agencies)]
        self.stores.trace([database_schema(each) for each in self.members])
        environment = {"LIENTHONG_SESSION_TIMEOUT_SECONDS": "6", **self.environment}
        self.crew = self._open.enter_context(Crew(self.data, self.kit, environment))
        for each in (*self.members, PROBE):
            for _ in range(self.crew_of.get(each, 1)):
                self.crew.add(each)
        notes = [self.data / "run" / f"assigned-{each}.json" for each in (*self.members, PROBE)]
        until("every worker at work", lambda: all(each.exists() for each in notes), seconds=400)

    # What faults ask for

    def scaled(self, times: int) -> int:
        """Give how often something is done in a run of this size; at least once."""
        return max(1, round(times * self.scale))

    def linger(self, seconds: float) -> None:
        """Leave things as they are for a while, shorter in a small run."""
        time.sleep(seconds * max(0.15, self.scale))

    def watched(self) -> Watch:
        """Give a watch on all workers of the product; enter it."""
        topics: dict[AgencyCode, Sequence[TopicName]] = {BUS: [TopicName(each) for each in event_topics()]}
        topics |= {each: [inbox_topic(each)] for each in self.directory.agencies}
        return Watch(self.data, self.cluster.admin, topics)

    def broker_said(self, words: str) -> int:
        """Count what brokers printed since their last starts."""
        return sum(each.printed().count(words) for each in self.cluster.brokers)

    # The load

    @contextlib.contextmanager
    def loaded(self) -> Iterator[None]:
        """Publish while the block runs; afterwards wait until all is published."""
        order = {"data": str(self.data), "mix": asdict(self.mix)}
        (self.stage / "load.json").write_text(json.dumps(order), encoding="utf-8")
        self._ahead = min(_AHEAD, max(100, self.mix.events // 12))
        (self.stage / "window").write_text(str(self._ahead), encoding="ascii")
        stop = threading.Event()
        window = threading.Thread(target=self._widen, args=(stop,), name="window", daemon=True)
        with (self.stage / "load.log").open("wb") as log:
            self._load = subprocess.Popen([sys.executable, str(_PUBLISHER), str(self.stage)], stdout=log, stderr=log)
        self._open.callback(self._load.kill)
        window.start()
        try:
            yield
            until("everything published", lambda: self._load.poll() is not None, seconds=900, look_seconds=0.3)  # type: ignore[union-attr] # set above
        finally:
            stop.set()
            window.join()
        if self._load.returncode:
            raise RuntimeError((self.stage / "load.log").read_text(encoding="utf-8", errors="replace")[-2000:])

    @contextlib.contextmanager
    def load_held(self) -> Iterator[None]:
        """Let the load publish nothing while the block runs."""
        ahead, self._ahead = self._ahead, -self.mix.events
        time.sleep(2 * _WINDOW_SECONDS)
        yield
        self._ahead = ahead

    def _widen(self, stop: threading.Event) -> None:
        note, fresh = self.stage / "window", self.stage / "window.new"
        while not stop.wait(_WINDOW_SECONDS):
            if self.stores.decided() is not None:
                fresh.write_text(str(self.decided() + self._ahead), encoding="ascii")
                fresh.replace(note)

    def published(self) -> int:
        """Count what the load has handed to Kafka."""
        note = self.stage / "published"
        words = note.read_text(encoding="ascii").split() if note.exists() else []
        return int(words[0]) if words else 0

    def decided(self) -> int:
        """Count, roughly, what the bus has decided of this load."""
        return (self.stores.decided() or 0) - self.since.decided

    @property
    def load_ended(self) -> bool:
        """Whether all was published."""
        return self._load is not None and self._load.poll() is not None

    def until_done(self, share: float, *, seconds: float = 600) -> None:
        """Wait until the bus has decided about a share of the load, or all of it was published."""
        wanted = share * self.mix.events

        def reached() -> bool:
            return self.load_ended or self.decided() >= wanted

        until(f"{share:.0%} of the load decided", reached, seconds=seconds, look_seconds=0.05)

    # Several loads, one after the other

    def begin_segment(self, name: str, mix: Mix) -> None:
        """Begin another load, which is checked without what was before it."""
        topics = [*event_topics(), AUDIT_TOPIC, *(inbox_topic(each) for each in self.directory.agencies)]
        topics += [quarantine_topic(AgencyCode(each)) for each in self.members]
        ((audit,),) = self.stores.rows("select coalesce(max(sequence), 0) from bus.audit")
        self.since = Since(
            ends=self.cluster.ends(topics),
            effect=self.stores.effects() or 0,
            audit=audit,
            decided=self.stores.decided() or 0,
        )
        self.mix, self.stage, self._snapshots, self._load = mix, self.kit / name, [], None
        self.stage.mkdir()

    def settle_or_stall(self, *, quiet_seconds: float = 20.0) -> None:
        """Wait until everything is at rest, or nothing has moved for a while."""
        moved, last = time.monotonic(), self.stores.effects()
        while not self._at_rest() and time.monotonic() - moved < quiet_seconds:
            time.sleep(0.5)
            now = self.stores.effects()
            if now != last:
                moved, last = time.monotonic(), now

    def forget_waiting(self) -> None:
        """Take out what waits for its cause, so that the next load is not blamed for it."""
        for code in self.members:
            name = f"{database_schema(AgencyCode(code))}.parked"
            if self.stores.rows("select to_regclass(%s)", name)[0][0] is not None:
                self.stores.change(f"delete from {name}")  # noqa: S608 -- a table of ours

    # Looks

    def snapshot(self) -> None:
        """Look at what is committed and, after that, at what is durable."""
        groups = {code: consumer_group(code) for code in self.members}
        with contextlib.suppress(KafkaError, OSError, psycopg.Error):
            committed = self.cluster.committed(list(groups.values()), seconds=5)
            for code, group in groups.items():
                known = known_ids(self.stores, code)
                if known is not None:
                    # One object for each id, however many looks saw it: a full run has millions of them.
                    ids = frozenset(self._ids.setdefault(each, each) for each in known[0])
                    self._snapshots.append(
                        Snapshot(BUS_PLACE if code == BUS else code, committed[group], ids, known[1])
                    )

    def _look_at_probe(self, committed: Mapping[tuple[str, int], int], known: frozenset[UUID]) -> None:
        self._snapshots.append(Snapshot(PROBE, committed, known, frozenset()))

    def snapshot_probe(self) -> None:
        """Look at what the stateless worker committed, and at what it has published."""
        with contextlib.suppress(KafkaError, OSError, RuntimeError, TimeoutError):
            committed = self.cluster.committed([PROBE_GROUP], seconds=5)[PROBE_GROUP]
            records, _ = read_topics(self.cluster.admin, ["lt.einvoice.anomaly_detected"])
            self._look_at_probe(committed, frozenset(each.event_id for each in records if each.event_id))

    # The end

    def settle(self, *, seconds: float = 600) -> float:
        """Wait until every group has read all, outboxes are empty, and nothing moves; give the seconds."""
        began = time.monotonic()
        until("everything at rest", self._at_rest, seconds=seconds, look_seconds=1.0)
        return time.monotonic() - began

    def _at_rest(self) -> bool:
        before = self.stores.effects()
        if before is None or self._unpublished() or self._lag():
            return False
        return not self._parked() and before == self.stores.effects()

    def _unpublished(self) -> int:
        return sum(self._count(code, "outbox", "where published_at is null") for code in self.members)

    def _parked(self) -> int:
        return len(waiting_ids(self.stores, self.members))

    def _count(self, code: str, table: str, where: str) -> int:
        name = f"{database_schema(AgencyCode(code))}.{table}"
        if self.stores.rows("select to_regclass(%s)", name)[0][0] is None:
            return 0
        return int(self.stores.rows(f"select count(*) from {name} {where}")[0][0])  # noqa: S608 -- tables of ours

    def _lag(self) -> int:
        groups = {consumer_group(code): [inbox_topic(code)] for code in self.members if code != BUS}
        groups |= {consumer_group(BUS): event_topics(), PROBE_GROUP: [inbox_topic(PROBE_OWNER)]}
        committed = self.cluster.committed(list(groups))
        ends = self.cluster.ends(sorted({topic for topics in groups.values() for topic in topics}))
        return sum(
            end - committed[group].get(place, 0)
            for group, topics in groups.items()
            for place, end in ends.items()
            if place[0] in topics
        )

    def verdict(self) -> Verdict:
        """Read everything and check it."""
        self.snapshot()
        self.snapshot_probe()
        reading = Reading(self.stores, self.cluster.admin, self.directory, self.since)
        reading.topics()
        return check(
            Observation(
                history=read_history(self.stage / "history.jsonl"),
                seen=reading.seen(),
                recipients=reading.recipients(),
                copies=reading.copies(),
                effects=reading.effects(),
                refused=reading.refused(),
                audited=reading.audited(),
                audit_unpublished=reading.audit_unpublished(),
                snapshots=self._snapshots,
                ends=reading.ends,
                waiting=reading.waiting(),
                stateless={PROBE: _probe_effect(self._derived())},
            )
        )

    def _derived(self) -> Sequence[UUID]:
        return [each for operation, _ in read_history(self.stage / "history.jsonl") for each in operation.derives]


def _probe_effect(derived: Sequence[UUID]) -> Callable[[UUID], UUID | None]:
    """Say which event the stateless worker must have made of another one; None where it makes none."""
    made = frozenset(derived)

    def effect(event_id: UUID) -> UUID | None:
        wanted = derived_id(event_id, PROBE, 0)
        return wanted if wanted in made else None

    return effect
