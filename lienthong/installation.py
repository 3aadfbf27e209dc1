"""An installation: servers, provisioning and workers together, as `lienthong up`, `down` and `status` see them."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

from lienthong.checkup import note_of
from lienthong.directory import LiveDirectory, contradictions
from lienthong.provision import Provisioned, Servers, provision
from lienthong.settings import ProvisionSettings, remember_stack, stack_plan
from lienthong.stack import (
    Progress,
    RegistryRight,
    ServiceStatus,
    StackPlan,
    ensure_readers,
    registry_as,
    server_status,
    start_servers,
    stop_registry,
    stop_servers,
)
from lienthong.stack.certificates import ADMINISTRATOR, ensure_certificates
from lienthong.stack.kafka import node_name
from lienthong.stack.registry import REGISTRY_NAME, write_configuration
from lienthong.supervisor import Program, start_supervisor, stop_supervisor, supervisor_status
from streams.directory_rules import require_sound
from streams.errors import ConfigurationError, TransientError
from streams.kafka import KafkaAddress
from streams.names import BUS, AgencyCode
from streams.registry import RegistryAddress

__all__ = [
    "UNFINISHED",
    "bring_up",
    "members",
    "prepare_servers",
    "require_servers",
    "servers_of",
    "start_empty",
    "status",
    "supervised",
    "take_down",
    "workers",
]

UNFINISHED = "restore-unfinished"
"""File of a data folder into which a backup was not wholly restored."""


def bring_up(data: Path, *, progress: Progress, servers_only: bool = False) -> Provisioned | None:
    """
    Start the servers and, unless told otherwise, provision them and run the workers; a running stack is found.

    Raises:
        ConfigurationError: something that a person must mend; the message says what.
        TransientError: a server did not come up in time.
    """
    if (data / UNFINISHED).exists():
        raise ConfigurationError(f"The restore of {data} did not end well: stop it, remove the folder, restore again.")
    if not servers_only:
        require_sound(contradictions(data))  # provisioning looks, too, and by then the servers would run
    plan = _started(data, progress)
    if servers_only:
        return None
    made = provision(Servers.of_stack(plan), progress=progress)
    progress.step("workers", "starting")
    start_supervisor(data, workers(data))
    progress.done("workers")
    return made


def take_down(data: Path) -> list[ServiceStatus]:
    """Stop the workers and the servers that `bring_up` started, and nothing else."""
    return [*stop_supervisor(data), *stop_servers(stack_plan(data))]


def status(data: Path) -> list[ServiceStatus]:
    """Say what each server and each worker is doing."""
    return [*server_status(stack_plan(data)), *supervised(data)]


def supervised(data: Path) -> list[ServiceStatus]:
    """Say what the supervisor and each worker is doing, where it answers, and how many partitions it reads."""
    return [_with_address(data, _with_assignment(data, each)) for each in supervisor_status(data)]


def workers(data: Path) -> Sequence[Program]:
    """List the workers of an installation: the bus's and one for each agency of the directory."""
    return [
        Program(
            name=agency,
            argv=(sys.executable, "-m", "lienthong", "worker", agency, "--data", str(data.absolute())),
        )
        for agency in members(data)
    ]


def servers_of(data: Path) -> Servers:
    """Give the servers of LIENTHONG_KAFKA__..., _REGISTRY__... and _POSTGRES__..., else those of `lienthong up`."""
    elsewhere = ProvisionSettings()
    if elsewhere.kafka is None and elsewhere.registry is None and elsewhere.postgres is None:
        return Servers.of_stack(stack_plan(data))
    if elsewhere.kafka is None or elsewhere.registry is None or elsewhere.postgres is None:
        raise ConfigurationError(
            "To provision other servers, set LIENTHONG_KAFKA__BOOTSTRAP, LIENTHONG_REGISTRY__URL and "
            "LIENTHONG_POSTGRES__DSN (of an administrator), all three."
        )
    kafka, registry = elsewhere.kafka.address, elsewhere.registry.address
    reader = elsewhere.registry_reader.get_secret_value() if elsewhere.registry_reader else None
    return Servers(
        data=data,
        kafka=kafka,
        kafka_clients=KafkaAddress(bootstrap=elsewhere.kafka_clients or kafka.bootstrap, ca_file=kafka.ca_file),
        registry=_registry_elsewhere(data, registry, reader),
        admin_dsn=elsewhere.postgres.dsn.get_secret_value(),
    )


def _registry_elsewhere(data: Path, registry: RegistryAddress, reader: str | None) -> Callable[[str], RegistryAddress]:
    """Give another registry as its users: those of `prepare`, else one user for all changes and one who reads."""
    if registry.user is None:
        plan = stack_plan(data)
        return lambda name: replace(registry, user=registry_as(plan, name).user)
    rights = {each.value for each in RegistryRight}
    return lambda name: registry if name in rights else replace(registry, user=reader)


def require_servers(data: Path) -> None:
    """
    Look whether the servers of `lienthong up` run, where they are the ones that are meant.

    Raises:
        TransientError: one does not.
    """
    if ProvisionSettings().kafka is None:
        down = [each.service for each in server_status(stack_plan(data)) if each.state != "running"]
        if down:
            raise TransientError(f"Not running: {', '.join(down)}. Start them with `lienthong up --servers`.")


def start_empty(data: Path, *, progress: Progress) -> Servers:
    """Start the servers of a new data folder, or give those of the environment; errors are those of `bring_up`."""
    if ProvisionSettings().kafka is None:
        _started(data, progress)
    return servers_of(data)


def _started(data: Path, progress: Progress) -> StackPlan:
    """Start the servers, with everybody of the directory among the registry's users; it learns of them at its start."""
    plan = stack_plan(data)
    remember_stack(plan)
    if ensure_readers(plan, members(data)):
        stop_registry(plan)
    start_servers(plan, progress=progress)
    return plan


def prepare_servers(data: Path, *, kafka_host: str, registry_host: str) -> None:
    """Make what Kafka and the registry need before they start where others start them: certificates, users."""
    plan = stack_plan(data)
    hosts = {node_name(1): kafka_host, REGISTRY_NAME: registry_host}
    ensure_certificates(plan.tls, node_name(1), ADMINISTRATOR, REGISTRY_NAME, hosts=hosts)
    ensure_readers(plan, members(data))
    write_configuration(plan)


def members(data: Path) -> list[AgencyCode]:
    """List the bus and each agency of the directory."""
    return [BUS, *sorted(LiveDirectory(data)().agencies)]


def _with_assignment(data: Path, service: ServiceStatus) -> ServiceStatus:
    """Add which partitions a running worker reads, as it noted after its last rebalance."""
    path = data / "run" / f"assigned-{service.service}.json"
    if service.state != "running" or not path.is_file():
        return service
    note = json.loads(path.read_text(encoding="utf-8"))
    reads = f"reads {len(note['assigned'])} partitions" if note.get("pid") == service.pid else "joining its group"
    return replace(service, detail="; ".join(each for each in (service.detail, reads) if each))


def _with_address(data: Path, service: ServiceStatus) -> ServiceStatus:
    """Add where a running worker answers, as it noted when it started."""
    path = note_of(data, service.service)
    if service.state != "running" or not path.is_file():
        return service
    note = json.loads(path.read_text(encoding="utf-8"))
    return replace(service, address=note["address"]) if note.get("pid") == service.pid else service
