"""A Kafka cluster of one or three brokers in KRaft mode, whose brokers a test kills, pauses, fills and starts again."""

from __future__ import annotations

import base64
import contextlib
import signal
import subprocess
import time
import uuid
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Self

import psutil
from kafka import KafkaAdminClient, TopicPartition
from kafka.admin import (
    ACL,
    ACLOperation,
    ACLPermissionType,
    ACLResourcePatternType,
    OffsetSpec,
    ResourcePattern,
    ResourceType,
)
from kafka.errors import KafkaError

from lienthong.stack import SilentProgress, StackPlan
from lienthong.stack.certificates import ADMINISTRATOR, AUTHORITY, certificate_file, ensure_certificates
from lienthong.stack.download import fetch_kafka
from lienthong.stack.java import find_java
from lienthong.stack.kafka import LOG4J, node_name, server_properties, super_users
from lienthong.stack.ports import accepts
from lienthong.stack.private_files import make_private_folder, write_private
from lienthong.stack.processes import Launch, is_alive, launch
from lienthong.stack.server import clean_environment, fresh_temporary_folder, properties_text
from streams.kafka import KafkaAddress

__all__ = ["Broker", "KafkaCluster", "until"]

_JVM = ("-Xms128m", "-Xmx384m", "-XX:+UseSerialGC", "-XX:+ExitOnOutOfMemoryError")
_READY_SECONDS = 120.0


def until(what: str, reached: Callable[[], object], *, seconds: float = 60.0, look_seconds: float = 0.1) -> float:
    """Wait for a condition; give the seconds that it took, or fail by its name."""
    began = time.monotonic()
    while not reached():
        if time.monotonic() - began > seconds:
            raise TimeoutError(f"not reached in {seconds:.0f} s: {what}")
        time.sleep(look_seconds)
    return time.monotonic() - began


@dataclass
class Broker:
    """
    One broker, which is a controller, too.

    Args:
        number: its node id, from 1.
        plan: its folders and ports; only the Kafka parts of it are used.
        process: while it runs.
    """

    number: int
    plan: StackPlan
    process: psutil.Process | None = None

    @property
    def address(self) -> str:
        """Where clients find it."""
        return self.plan.kafka_bootstrap

    @property
    def fellow_address(self) -> str:
        """Where the other nodes and the administrator find it."""
        return self.plan.kafka_admin.bootstrap

    @property
    def log_folder(self) -> Path:
        """What the broker keeps; a small file system can be mounted here before the first start."""
        return self.plan.kafka_folder / "log"

    @property
    def runs(self) -> bool:
        """Whether its process lives, paused or not."""
        return self.process is not None and is_alive(self.process)

    def printed(self) -> str:
        """Give what it printed since its last start."""
        path = self.plan.logs / "kafka.log"
        return path.read_text(encoding="utf-8", errors="replace") if path.exists() else ""

    def kill(self) -> None:
        """SIGKILL, and wait until it is gone."""
        self._signal(signal.SIGKILL)
        until(f"broker {self.number} gone", lambda: not self.runs, seconds=20)

    def stop(self) -> None:
        """SIGTERM, and wait until it handed over and ended."""
        self._signal(signal.SIGTERM)
        until(f"broker {self.number} ended", lambda: not self.runs, seconds=60)

    def pause(self) -> None:
        """SIGSTOP."""
        self._signal(signal.SIGSTOP)

    def resume(self) -> None:
        """SIGCONT."""
        self._signal(signal.SIGCONT)

    def _signal(self, number: signal.Signals) -> None:
        if self.process is None:
            raise RuntimeError(f"broker {self.number} was never started")
        self.process.send_signal(number)


@dataclass
class KafkaCluster:
    """
    Brokers of one cluster, each in a folder of its own below `folder`.

    Use it as a context manager: leaving it kills what still runs.
    """

    folder: Path
    cache: Path
    size: int
    brokers: list[Broker] = field(default_factory=list)

    def __post_init__(self) -> None:
        """Choose folders and free ports."""
        self._cluster_id = base64.urlsafe_b64encode(uuid.uuid4().bytes).decode().rstrip("=")
        for number in range(1, self.size + 1):
            plan = StackPlan.on_free_ports(self.folder / f"broker-{number}", self.cache)
            self.brokers.append(Broker(number, plan))

    def __enter__(self) -> Self:
        """Nothing is started yet, so that a file system can be mounted first."""
        return self

    def __exit__(self, *_: object) -> None:
        """Kill what still runs, paused or not."""
        for each in self.brokers:
            if each.runs:
                each.kill()

    @property
    def clients(self) -> KafkaAddress:
        """The cluster as everybody finds it, without a name and a password."""
        return KafkaAddress(",".join(each.address for each in self.brokers), ca_file=self._pem(AUTHORITY))

    @property
    def admin(self) -> KafkaAddress:
        """The cluster as its administrator."""
        return self._as_admin(*self.brokers)

    def _as_admin(self, *brokers: Broker) -> KafkaAddress:
        bootstrap = ",".join(each.fellow_address for each in brokers)
        return KafkaAddress(bootstrap, ca_file=self._pem(AUTHORITY), key_file=self._pem(ADMINISTRATOR))

    def _pem(self, name: str) -> str:
        return str(certificate_file(self.folder / "tls", name))

    def start(self, *brokers: Broker) -> None:
        """Start brokers, all of the cluster where none is named, and wait until each listens and is in the quorum."""
        chosen = brokers or tuple(self.brokers)
        ensure_certificates(self.folder / "tls", *(node_name(each.number) for each in self.brokers), ADMINISTRATOR)
        for each in chosen:
            each.process = psutil.Process(launch(self._job(each)).pid)
        for each in chosen:
            until(f"broker {each.number} at work", lambda each=each: self._answers(each), seconds=_READY_SECONDS)

    def _answers(self, broker: Broker) -> bool:
        if not broker.runs:
            raise RuntimeError(f"broker {broker.number} ended at its start: {broker.printed()[-2000:]}")
        if not (accepts(broker.plan.kafka_port) and accepts(broker.plan.kafka_broker_port)):
            return False
        try:
            with self._connected(self._as_admin(broker)) as admin:
                known = {each["broker_id"] for each in admin.describe_cluster()["brokers"]}
        except (KafkaError, OSError):
            return False
        return broker.number in known

    def _job(self, broker: Broker) -> Launch:
        plan = broker.plan
        jars, java = fetch_kafka(plan.cache, progress=SilentProgress()), find_java()
        for folder in (plan.data, plan.logs, plan.run, plan.kafka_folder):
            make_private_folder(folder)
        log4j, properties = plan.kafka_folder / "log4j2.properties", plan.kafka_folder / "server.properties"
        write_private(log4j, LOG4J)
        write_private(properties, properties_text(self.properties(broker)))
        command = [str(java), fresh_temporary_folder(plan.kafka_folder), f"-Dlog4j2.configurationFile={log4j}"]
        command += ["-cp", f"{jars}/*"]
        formatted = plan.kafka_folder / "formatted"
        if not formatted.exists():
            tool = [*command, "kafka.tools.StorageTool", "format", f"--cluster-id={self._cluster_id}"]
            subprocess.run(
                [*tool, "-c", str(properties)], env=clean_environment(), check=True, stdout=subprocess.DEVNULL
            )
            formatted.touch()
        return Launch(
            argv=[command[0], *_JVM, *command[1:], "kafka.Kafka", str(properties)],
            env=clean_environment(),
            cwd=plan.kafka_folder,
            log=plan.logs / "kafka.log",
        )

    def properties(self, broker: Broker) -> dict[str, str]:
        """Give a broker's configuration: the product's own, for several nodes, every record on all of them."""
        voters = (f"{each.number}@localhost:{each.plan.kafka_controller_port}" for each in self.brokers)
        copies, least = str(self.size), str(min(2, self.size))
        several = {
            "node.id": str(broker.number),
            "controller.quorum.voters": ",".join(voters),
            "log.dirs": str(broker.log_folder),
            "default.replication.factor": copies,
            "min.insync.replicas": least,
            "offsets.topic.replication.factor": copies,
            "transaction.state.log.replication.factor": copies,
            "transaction.state.log.min.isr": least,
            "share.coordinator.state.topic.replication.factor": copies,
            "share.coordinator.state.topic.min.isr": least,
            "ssl.keystore.location": self._pem(node_name(broker.number)),
            "ssl.truststore.location": self._pem(AUTHORITY),
            "super.users": super_users(*(each.number for each in self.brokers)),
        }
        return {**server_properties(broker.plan), **several}

    # Who does what

    @contextlib.contextmanager
    def _connected(self, address: KafkaAddress) -> Iterator[KafkaAdminClient]:
        admin = KafkaAdminClient(**address.kafka_python(), bootstrap_timeout_ms=5000, request_timeout_ms=6000)
        try:
            yield admin
        finally:
            admin.close()

    def ask(self, question: Callable[[KafkaAdminClient], Any], *, seconds: float = 60.0) -> Any:
        """Ask the cluster, again and again while nobody answers."""
        deadline = time.monotonic() + seconds
        while True:
            try:
                with self._connected(self.admin) as admin:
                    return question(admin)
            except (KafkaError, OSError):
                if time.monotonic() > deadline:
                    raise
                time.sleep(0.3)

    def broker(self, number: int) -> Broker:
        """Give a broker by its node id."""
        return self.brokers[number - 1]

    def leader(self, topic: str, partition: int = 0) -> Broker:
        """Give the broker that leads a partition."""

        def led(admin: KafkaAdminClient) -> int:
            parts = {each["partition_index"]: each for each in admin.describe_topics([topic])[0]["partitions"]}
            if parts[partition]["leader_id"] < 1:
                raise KafkaError(f"nobody leads {topic} {partition} yet")
            return int(parts[partition]["leader_id"])

        return self.broker(self.ask(led))

    def controller(self) -> Broker:
        """Give the active controller."""

        def active(admin: KafkaAdminClient) -> int:
            (topic,) = admin.describe_metadata_quorum()["topics"]
            (partition,) = topic["partitions"]
            return int(partition["leader_id"])

        return self.broker(self.ask(active))

    def let_read(self, principal: str, group: str) -> None:
        """Grant a consumer group that no directory knows."""
        named = ResourcePattern(ResourceType.GROUP, group, ACLResourcePatternType.LITERAL)
        rule = ACL(f"User:{principal}", "*", ACLOperation.READ, ACLPermissionType.ALLOW, named)
        self.ask(lambda admin: admin.create_acls([rule]))

    def in_sync(self, topics: Sequence[str]) -> bool:
        """Say whether every replica of these topics is in sync."""
        found = self.ask(lambda admin: admin.describe_topics(list(topics)))
        return all(len(part["isr_nodes"]) == self.size for each in found for part in each["partitions"])

    def committed(self, groups: Sequence[str], *, seconds: float = 60.0) -> Mapping[str, Mapping[tuple[str, int], int]]:
        """Give the committed offsets of consumer groups by topic and partition."""

        def offsets(admin: KafkaAdminClient) -> dict[str, dict[tuple[str, int], int]]:
            return {
                group: {
                    (place.topic, place.partition): found.offset
                    for place, found in admin.list_group_offsets(group).get(group, {}).items()
                }
                for group in groups
            }

        answer: Mapping[str, Mapping[tuple[str, int], int]] = self.ask(offsets, seconds=seconds)
        return answer

    def ends(self, topics: Sequence[str]) -> Mapping[tuple[str, int], int]:
        """Give the offset after the last record of each partition."""

        def latest(admin: KafkaAdminClient) -> dict[tuple[str, int], int]:
            known = admin.describe_topics(list(topics))
            places = {
                TopicPartition(each["name"], part["partition_index"]): OffsetSpec.LATEST
                for each in known
                for part in each["partitions"]
            }
            found = admin.list_partition_offsets(places)
            return {(place.topic, place.partition): each.offset for place, each in found.items()}

        answer: Mapping[tuple[str, int], int] = self.ask(latest)
        return answer
