"""An installation: servers, provisioning and workers together, as `lienthong up`, `down` and `status` see them."""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from lienthong.checkup import note_of
from lienthong.directory import LiveDirectory
from lienthong.provision import Provisioned, Servers, provision
from lienthong.settings import remember_stack, stack_plan
from lienthong.stack import Progress, ServiceStatus, server_status, start_servers, stop_servers
from lienthong.supervisor import Program, start_supervisor, stop_supervisor, supervisor_status
from streams.names import BUS

__all__ = ["bring_up", "status", "supervised", "take_down", "workers"]


def bring_up(data: Path, *, progress: Progress, servers_only: bool = False) -> Provisioned | None:
    """
    Start the servers and, unless told otherwise, provision them and run the workers; a running stack is found.

    Raises:
        ConfigurationError: something that a person must mend; the message says what.
        TransientError: a server did not come up in time.
    """
    plan = stack_plan(data)
    remember_stack(plan)
    start_servers(plan, progress=progress)
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
    agencies = [BUS, *sorted(LiveDirectory(data)().agencies)]
    return [
        Program(
            name=agency,
            argv=(sys.executable, "-m", "lienthong", "worker", agency, "--data", str(data.absolute())),
        )
        for agency in agencies
    ]


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
