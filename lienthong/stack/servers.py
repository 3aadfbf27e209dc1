"""Start, stop and ask the three servers of a stack."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

from lienthong.stack.certificates import ADMINISTRATOR, ensure_certificates
from lienthong.stack.java import find_java
from lienthong.stack.kafka import KAFKA, node_name
from lienthong.stack.plan import StackPlan
from lienthong.stack.ports import require_free_ports
from lienthong.stack.postgres import POSTGRES
from lienthong.stack.private_files import explain_full_disk, locked, make_private_folder, require_free_space
from lienthong.stack.processes import ProcessRecord, adopt, launch, log_tail, read_record, stop_processes
from lienthong.stack.progress import Progress
from lienthong.stack.registry import REGISTRY, REGISTRY_NAME
from lienthong.stack.server import Server
from lienthong.stack.status import ServiceStatus
from streams.errors import ConfigurationError, LienThongError, TransientError

__all__ = ["server_status", "start_servers", "stop_registry", "stop_servers"]

SERVERS = (KAFKA, REGISTRY, POSTGRES)
READY_TIMEOUT_SECONDS = 120.0
STOP_TIMEOUT_SECONDS = 30.0
FORBIDDEN_IN_PATHS = ",;$\"'\n"
"""Characters that mean something in a server's own configuration."""


def start_servers(plan: StackPlan, *, progress: Progress) -> None:
    """
    Start those of Kafka, the registry and PostgreSQL that do not run, and wait until all three answer.

    Called on a running stack it only looks; called after a crash it recovers. Servers that were started before
    another one failed go on running: call it again, or stop them. Two calls at once are safe.

    Args:
        plan: which stack.
        progress: told what goes on.

    Raises:
        ConfigurationError: no Java, no Maven, a port taken, a disk full, a server that ends at once.
        TransientError: a download failed, or a server did not answer in time.
    """
    with _whole_stack(plan, progress):
        absent = [server for server in SERVERS if _find(server, plan) is None]
        java = Path()
        if absent:
            require_free_space(plan.data, setting="LIENTHONG_DATA")
            require_free_ports(port for server in absent for port in server.ports(plan))
            java = find_java()
            ensure_certificates(plan.tls, node_name(1), ADMINISTRATOR, REGISTRY_NAME)
            with explain_full_disk(plan.cache):
                for server in absent:
                    server.fetch(plan, progress)
        with explain_full_disk(plan.data), ThreadPoolExecutor(len(SERVERS)) as threads:
            starts = [threads.submit(_start, server, plan, java, progress) for server in SERVERS]
        for start in starts:
            start.result()


def stop_servers(plan: StackPlan) -> list[ServiceStatus]:
    """
    Stop exactly the processes that this stack's start began; a second call does nothing.

    Returns:
        What is left: `stopped` for each, or `failed` for one that would not end.
    """
    if not plan.run.exists():
        return server_status(plan)
    with locked(plan.run / "stack.lock"), ThreadPoolExecutor(len(SERVERS)) as threads:
        list(threads.map(lambda server: _stop(server, plan), SERVERS))
    return server_status(plan)


def stop_registry(plan: StackPlan) -> None:
    """Stop the registry alone, for instance because it has other users; the next start brings it back."""
    if plan.run.exists():
        with locked(plan.run / "stack.lock"):
            _stop(REGISTRY, plan)


def server_status(plan: StackPlan) -> list[ServiceStatus]:
    """What the three servers are doing, each one asked by a real request."""
    with ThreadPoolExecutor(len(SERVERS)) as threads:
        return list(threads.map(lambda server: _status(server, plan), SERVERS))


@contextlib.contextmanager
def _whole_stack(plan: StackPlan, progress: Progress) -> Iterator[None]:
    bad = sorted(set(FORBIDDEN_IN_PATHS) & set(f"{plan.data}{plan.cache}"))
    if bad:
        raise ConfigurationError(
            f"The folder {plan.data} has the character {bad[0]!r} in its name: choose another one."
        )
    for folder in (plan.data, plan.run, plan.logs):
        make_private_folder(folder)

    def waiting() -> None:
        progress.step("stack", "waiting for another command that starts or stops it")

    with locked(plan.run / "stack.lock", when_waiting=waiting):
        yield


def _record_file(server: Server, plan: StackPlan) -> Path:
    return plan.run / f"{server.name}.json"


def _find(server: Server, plan: StackPlan) -> ProcessRecord | None:
    """The server's process when it lives, by its record or, where that was lost, by its command line."""
    record = read_record(_record_file(server, plan))
    if record is not None and record.process() is not None:
        return record
    return adopt(lambda argv: server.recognise(plan, argv))


def _start(server: Server, plan: StackPlan, java: Path, progress: Progress) -> None:
    record = _find(server, plan)
    if record is None:
        job = server.prepare(plan, java, progress)
        progress.step(server.name, "starting")
        record = launch(job)
    else:
        progress.step(server.name, "found running")
        if record.address not in {"", server.address(plan)}:
            raise ConfigurationError(
                f"{server.name} runs at {record.address} and the settings say {server.address(plan)}: "
                "stop it first (lienthong down), or set the port back."
            )
    record = replace(record, address=server.address(plan))
    record.write(_record_file(server, plan))
    _wait_until_ready(server, plan, record)
    server.settle(plan)
    progress.done(server.name)


def _wait_until_ready(server: Server, plan: StackPlan, record: ProcessRecord) -> None:
    log = plan.logs / f"{server.name}.log"
    deadline = time.monotonic() + READY_TIMEOUT_SECONDS
    while True:
        try:
            server.probe(plan)
        except TransientError as error:
            if record.process() is None:
                raise ConfigurationError(f"{server.name} ended while it started; {log_tail(log)}") from error
            if time.monotonic() > deadline:
                raise TransientError(
                    f"{server.name} did not answer within {READY_TIMEOUT_SECONDS:.0f} s; {log_tail(log)}"
                ) from error
            time.sleep(0.1)
        else:
            return


def _stop(server: Server, plan: StackPlan) -> None:
    record = _find(server, plan)
    process = record.process() if record else None
    if process is not None:
        stop_processes([process], signals=server.stop_signals, timeout_seconds=STOP_TIMEOUT_SECONDS)
    _record_file(server, plan).unlink(missing_ok=True)


def _status(server: Server, plan: StackPlan) -> ServiceStatus:
    address = server.address(plan)
    record = _find(server, plan)
    if record is None:
        if read_record(_record_file(server, plan)) is None:
            return ServiceStatus(service=server.name, state="stopped", address=address)
        detail = f"ended without being stopped: start the stack again; see {plan.logs / f'{server.name}.log'}"
        return ServiceStatus(service=server.name, state="failed", address=address, detail=detail)
    try:
        server.probe(plan)
    except LienThongError as error:
        young = (datetime.now(UTC) - record.since).total_seconds() < READY_TIMEOUT_SECONDS
        return ServiceStatus(
            service=server.name,
            state="starting" if young and isinstance(error, TransientError) else "failed",
            address=address,
            pid=record.pid,
            since=record.since,
            detail=str(error),
        )
    return ServiceStatus(service=server.name, state="running", address=address, pid=record.pid, since=record.since)
