"""
Kafka in KRaft mode: one broker that is its own controller, on loopback, closed to everybody who was not let in.

Clients log in by SCRAM-SHA-512 over TLS. The nodes know each other, and the administrator, by certificate on a listener
of their own: so there is no first password that would stand in a command line, and none between brokers. Nothing is
allowed that no access rule allows, and the rules come from the directory (`streams.rights`).
"""

from __future__ import annotations

import base64
import signal
import subprocess
import uuid
from collections.abc import Sequence
from pathlib import Path

from lienthong.stack.certificates import ADMINISTRATOR, ORGANISATION, certificate_file
from lienthong.stack.download import fetch_kafka
from lienthong.stack.loopback import LOOPBACK
from lienthong.stack.plan import StackPlan
from lienthong.stack.ports import Port, accepts
from lienthong.stack.private_files import make_private_folder, write_private
from lienthong.stack.processes import Launch
from lienthong.stack.progress import Progress
from lienthong.stack.server import Server, clean_environment, fresh_temporary_folder, properties_text
from streams.errors import ConfigurationError, TransientError

__all__ = ["KAFKA", "node_name", "server_properties", "super_users"]

JVM = (
    "-Xms128m",
    "-Xmx384m",
    "-XX:+UseSerialGC",
    "-XX:+ExitOnOutOfMemoryError",
)

LOG4J = """\
rootLogger.level = INFO
appender.console.type = Console
appender.console.name = STDOUT
appender.console.layout.type = PatternLayout
appender.console.layout.pattern = [%d] %p %m (%c)%n
rootLogger.appenderRef.stdout.ref = STDOUT
logger.authorizer.name = kafka.authorizer.logger
logger.authorizer.level = INFO
"""


_SCRAM = "org.apache.kafka.common.security.scram.ScramLoginModule"
_NODE = "broker-[0-9]+"


def node_name(number: int) -> str:
    """Name a node's certificate."""
    return f"broker-{number}"


def super_users(*numbers: int) -> str:
    """Name those whom no access rule binds: nodes by their numbers, and the administrator."""
    return ";".join(f"User:node.{each}" for each in [*map(node_name, numbers), ADMINISTRATOR])


def _names_of(certificates: str) -> str:
    """Map the certificates of some names to principals, and every other one of the authority to nobody."""
    return f"RULE:^CN=({certificates}),O={ORGANISATION}$/node.$1/,RULE:.*/nobody/"


def server_properties(plan: StackPlan) -> dict[str, str]:
    """The whole configuration of the broker, as keys and values of its `server.properties`."""
    return {
        "process.roles": "broker,controller",
        "node.id": "1",
        "controller.quorum.voters": f"1@localhost:{plan.kafka_controller_port}",
        "controller.listener.names": "CONTROLLER",
        "listeners": f"CLIENTS://{LOOPBACK}:{plan.kafka_port},BROKERS://{LOOPBACK}:{plan.kafka_broker_port},"
        f"CONTROLLER://{LOOPBACK}:{plan.kafka_controller_port}",
        "advertised.listeners": f"CLIENTS://{plan.kafka_bootstrap},BROKERS://localhost:{plan.kafka_broker_port}",
        "listener.security.protocol.map": "CLIENTS:SASL_SSL,BROKERS:SSL,CONTROLLER:SSL",
        "inter.broker.listener.name": "BROKERS",
        "sasl.enabled.mechanisms": "SCRAM-SHA-512",
        "listener.name.clients.scram-sha-512.sasl.jaas.config": f"{_SCRAM} required;",
        # A user that was removed is cut off within so long, on connections that are open, too.
        "connections.max.reauth.ms": "60000",
        "ssl.keystore.type": "PEM",
        "ssl.keystore.location": str(certificate_file(plan.tls, node_name(1))),
        "ssl.truststore.type": "PEM",
        "ssl.truststore.location": plan.ca_file,
        "ssl.enabled.protocols": "TLSv1.3",
        "ssl.protocol": "TLSv1.3",
        "listener.name.clients.ssl.client.auth": "none",
        "listener.name.brokers.ssl.client.auth": "required",
        "listener.name.controller.ssl.client.auth": "required",
        # Names with a dot are of certificates alone: no agency's code, hence no user's name, has one.
        "listener.name.brokers.ssl.principal.mapping.rules": _names_of(f"{_NODE}|{ADMINISTRATOR}"),
        "listener.name.controller.ssl.principal.mapping.rules": _names_of(_NODE),
        "authorizer.class.name": "org.apache.kafka.metadata.authorizer.StandardAuthorizer",
        "allow.everyone.if.no.acl.found": "false",
        "super.users": super_users(1),
        # Nobody makes a topic by naming it, and no replica that lost events may lead.
        "auto.create.topics.enable": "false",
        "unclean.leader.election.enable": "false",
        "log.dirs": str(plan.kafka_folder / "log"),
        "num.partitions": "4",
        "default.replication.factor": "1",
        "min.insync.replicas": "1",
        "offsets.topic.replication.factor": "1",
        "offsets.topic.num.partitions": "8",
        "transaction.state.log.replication.factor": "1",
        "transaction.state.log.min.isr": "1",
        "transaction.state.log.num.partitions": "4",
        "share.coordinator.state.topic.replication.factor": "1",
        "share.coordinator.state.topic.min.isr": "1",
        "group.initial.rebalance.delay.ms": "0",
    }


def _properties_file(plan: StackPlan) -> Path:
    return plan.kafka_folder / "server.properties"


def _cluster_id_file(plan: StackPlan) -> Path:
    return plan.kafka_folder / "cluster-id"


def _fetch(plan: StackPlan, progress: Progress) -> None:
    fetch_kafka(plan.cache, progress=progress)


def _prepare(plan: StackPlan, java: Path, progress: Progress) -> Launch:
    jars = fetch_kafka(plan.cache, progress=progress)
    folder = make_private_folder(plan.kafka_folder)
    log4j = folder / "log4j2.properties"
    write_private(log4j, LOG4J)
    properties = _properties_file(plan)
    write_private(properties, properties_text(server_properties(plan)))
    java_command = [
        str(java),
        fresh_temporary_folder(folder),
        f"-Dlog4j2.configurationFile={log4j}",
        "-cp",
        f"{jars}/*",
    ]
    formatted = folder / "formatted"
    if not formatted.exists():
        progress.step("kafka", "preparing its log")
        _format(plan, [*java_command, "kafka.tools.StorageTool", "format", "-g", "-c", str(properties)])
        formatted.touch(mode=0o600)
    return Launch(
        argv=[java_command[0], *JVM, *java_command[1:], "kafka.Kafka", str(properties)],
        env=clean_environment(),
        cwd=folder,
        log=plan.logs / "kafka.log",
    )


def _format(plan: StackPlan, command: list[str]) -> None:
    # The id is kept before it is used: a format that was killed half-way is repeated with the same id.
    if not _cluster_id_file(plan).exists():
        write_private(_cluster_id_file(plan), base64.urlsafe_b64encode(uuid.uuid4().bytes).decode().rstrip("="))
    cluster_id = _cluster_id_file(plan).read_text(encoding="utf-8")
    # One id in 64 begins with a hyphen, hence the equals sign. The flags only make this second Java start faster.
    quick = [command[0], "-XX:TieredStopAtLevel=1", "-XX:+UseSerialGC", *command[1:], f"--cluster-id={cluster_id}"]
    ran = subprocess.run(quick, env=clean_environment(), capture_output=True, text=True, check=False, umask=0o077)
    if ran.returncode != 0:
        reason = (ran.stderr.strip() or ran.stdout.strip() or "no reason given").splitlines()[-1]
        raise ConfigurationError(f"Kafka could not prepare its log in {plan.kafka_folder}: {reason}")


def _recognise(plan: StackPlan, argv: Sequence[str]) -> bool:
    return "kafka.Kafka" in argv and str(_properties_file(plan)) in argv


def _probe(plan: StackPlan) -> None:
    # A look at the port first: the client would wait and log for every refused connection.
    if not (accepts(plan.kafka_port) and accepts(plan.kafka_broker_port)):
        raise TransientError(f"Kafka does not listen on {plan.kafka_bootstrap} yet.")
    from kafka.admin import KafkaAdminClient
    from kafka.errors import KafkaError

    try:
        admin = KafkaAdminClient(**plan.kafka_admin.kafka_python(), bootstrap_timeout_ms=3000, request_timeout_ms=5000)
        try:
            cluster = admin.describe_cluster()
            admin.describe_metadata_quorum()
        finally:
            admin.close()
    except (KafkaError, OSError) as error:
        raise TransientError(f"Kafka on {plan.kafka_bootstrap} does not answer: {error}") from error
    _check_cluster(plan, cluster)


def _check_cluster(plan: StackPlan, cluster: dict[str, object]) -> None:
    if not cluster.get("brokers"):
        raise TransientError(f"Kafka on {plan.kafka_bootstrap} has no broker in its quorum yet.")
    if cluster.get("cluster_id") != _cluster_id_file(plan).read_text(encoding="utf-8"):
        raise ConfigurationError(
            f"Another Kafka answers on {plan.kafka_bootstrap}: stop it, "
            "or set LIENTHONG_STACK__KAFKA_PORT to a free port."
        )


def _nothing(plan: StackPlan) -> None:
    """Kafka's topics are made by the provisioning, not here."""


KAFKA = Server(
    name="kafka",
    address=lambda plan: plan.kafka_bootstrap,
    ports=lambda plan: (
        Port(plan.kafka_port, "LIENTHONG_STACK__KAFKA_PORT"),
        Port(plan.kafka_broker_port, "LIENTHONG_STACK__KAFKA_BROKER_PORT"),
        Port(plan.kafka_controller_port, "LIENTHONG_STACK__KAFKA_CONTROLLER_PORT"),
    ),
    fetch=_fetch,
    prepare=_prepare,
    recognise=_recognise,
    probe=_probe,
    settle=_nothing,
    stop_signals=(signal.SIGTERM, signal.SIGKILL),
)
"""How the stack runs Kafka."""
