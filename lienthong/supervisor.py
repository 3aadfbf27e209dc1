"""
Keep the workers of an installation running: `python -m lienthong.supervisor --data DIR`.

The supervisor is one detached process per data folder. It starts a program again when it ends, after 1 second, then 2,
4 and so on to 30, and after 1 second again once it lived for 60. On Linux a program gets SIGTERM the moment its
supervisor dies; elsewhere, and for a program that ignores it, the next supervisor ends what was left before it starts
anything.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import signal
import sys
import time
import uuid
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import structlog

from lienthong.stack.private_files import explain_full_disk, locked, make_private_folder, write_private
from lienthong.stack.processes import (
    Launch,
    ProcessRecord,
    adopt,
    launch,
    log_tail,
    read_record,
    record_from_json,
    stop_processes,
)
from lienthong.stack.status import ServiceStatus
from lienthong.stack.supervised import END_TIMEOUT_SECONDS, Program, describe_exit
from lienthong.stack.supervision import HELD, PROGRAMS, WORKERS, Supervisor, end_left_over, read_json
from streams.errors import ConfigurationError, InputError, TransientError

__all__ = ["Program", "hold", "main", "release", "start_supervisor", "stop_supervisor", "supervisor_status"]

ANSWER_TIMEOUT_SECONDS = 30.0
SERVICE = "supervisor"


def start_supervisor(data: Path, programs: Sequence[Program]) -> None:
    """
    Have exactly these programs run, and return when the supervisor has taken them over.

    A running supervisor is given the new list: programs that are the same go on, others are ended, replaced or added.
    Does not wait for the programs themselves to be of use.

    Args:
        data: the data folder; made when absent.
        programs: what should run; names are unique.

    Raises:
        InputError: a name comes twice.
        ConfigurationError: the supervisor ended at once.
        TransientError: it did not answer in time.
    """
    data = data.expanduser().absolute()
    names = [program.name for program in programs]
    if len(set(names)) != len(names):
        raise InputError("Two programs have the same name: give each its own.")
    run = _run(data)
    make_private_folder(data / "logs")
    with explain_full_disk(data), locked(run / f"{SERVICE}.lock"):
        generation = uuid.uuid4().hex
        rows = [program.as_json() for program in programs]
        write_private(run / PROGRAMS, json.dumps({"generation": generation, "programs": rows}))
        record = _find(data) or launch(_launch(data))
        record.write(run / f"{SERVICE}.json")
        _wait(data, record, lambda state: state.get("generation") == generation and state.get("pid") == record.pid)


def stop_supervisor(data: Path) -> list[ServiceStatus]:
    """
    End every program and the supervisor: SIGTERM, up to 15 seconds, then SIGKILL to those it started itself.

    Also ends what a killed supervisor left behind. A second call does nothing.

    Returns:
        What is left.
    """
    data = data.expanduser().absolute()
    run = data / "run"
    if not run.exists():
        return supervisor_status(data)
    with locked(run / f"{SERVICE}.lock"):
        record = _find(data)
        process = record.process() if record else None
        if process is not None:
            ends = (signal.SIGTERM, signal.SIGKILL)
            stop_processes([process], signals=ends, timeout_seconds=END_TIMEOUT_SECONDS + 5)
        end_left_over(run)
        (run / f"{SERVICE}.json").unlink(missing_ok=True)
    return supervisor_status(data)


def supervisor_status(data: Path) -> list[ServiceStatus]:
    """What the supervisor is doing, then each of its programs by name."""
    data = data.expanduser().absolute()
    run = data / "run"
    state = read_json(run / WORKERS)
    record = _find(data)
    if record is not None:
        own = ServiceStatus(service=SERVICE, state="running", pid=record.pid, since=record.since)
    elif read_record(run / f"{SERVICE}.json") is None:
        own = ServiceStatus(service=SERVICE, state="stopped")
    else:
        detail = f"ended without being stopped: start it again; see {data / 'logs' / f'{SERVICE}.log'}"
        own = ServiceStatus(service=SERVICE, state="failed", detail=detail)
    return [own, *(_program_status(data, row, supervisor=own) for row in state.get("programs", []))]


def hold(data: Path, name: str) -> None:
    """
    End one program and keep it down until `release`, also over restarts of the supervisor.

    Returns when it is down; at once when no supervisor runs.

    Raises:
        InputError: there is no such program.
        TransientError: it did not end in time.
    """
    _change_held(data, name, lambda names: names | {name})


def release(data: Path, name: str) -> None:
    """
    Let a held program run again; nothing happens to one that is not held.

    Returns when the supervisor has taken note; at once when none runs.

    Raises:
        InputError: there is no such program.
        TransientError: the supervisor did not answer.
    """
    _change_held(data, name, lambda names: names - {name})


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the supervisor of one data folder until SIGTERM; started by `start_supervisor`, not by people."""
    parser = argparse.ArgumentParser(prog="lienthong.supervisor", description=__doc__)
    parser.add_argument("--data", type=Path, required=True, help="the data folder")
    data: Path = parser.parse_args(arguments).data
    structlog.configure(
        processors=[structlog.processors.TimeStamper(fmt="iso", utc=True), structlog.processors.JSONRenderer()]
    )
    Supervisor(data, env=dict(os.environ)).run()
    return 0


def _run(data: Path) -> Path:
    make_private_folder(data)
    return make_private_folder(data / "run")


def _command(data: Path) -> list[str]:
    # -P: the data folder is the working folder, and its `kafka` must not be taken for a package.
    return [sys.executable, "-P", "-m", "lienthong.supervisor", "--data", str(data)]


def _launch(data: Path) -> Launch:
    return Launch(argv=_command(data), env=dict(os.environ), cwd=data, log=data / "logs" / f"{SERVICE}.log")


def _find(data: Path) -> ProcessRecord | None:
    record = read_record(data / "run" / f"{SERVICE}.json")
    if record is not None and record.process() is not None:
        return record
    own = _command(data)[2:]
    return adopt(lambda argv: list(argv[2:]) == own)


def _wait(data: Path, record: ProcessRecord, reached: Callable[[dict[str, Any]], bool]) -> None:
    deadline = time.monotonic() + ANSWER_TIMEOUT_SECONDS
    while not reached(read_json(data / "run" / WORKERS)):
        log = data / "logs" / f"{SERVICE}.log"
        if record.process() is None:
            raise ConfigurationError(f"The supervisor ended; {log_tail(log)}")
        if time.monotonic() > deadline:
            raise TransientError(
                f"The supervisor did not answer within {ANSWER_TIMEOUT_SECONDS:.0f} s; {log_tail(log)}"
            )
        time.sleep(0.05)


def _change_held(data: Path, name: str, change: Callable[[frozenset[str]], frozenset[str]]) -> None:
    data = data.expanduser().absolute()
    known = [row["name"] for row in read_json(data / "run" / PROGRAMS).get("programs", [])]
    if name not in known:
        raise InputError(f"No program is called {name}; known are: {', '.join(sorted(known)) or 'none'}.")
    run = _run(data)
    with locked(run / f"{HELD}.lock"):
        names = change(frozenset(read_json(run / HELD).get("names", [])))
        write_private(run / HELD, json.dumps({"names": sorted(names)}))
    record = _find(data)
    if record is not None:
        held = name in names
        _wait(data, record, lambda state: held == any(_is_held(row, name) for row in state.get("programs", [])))


def _is_held(row: dict[str, Any], name: str) -> bool:
    return bool(row["name"] == name and row["state"] == "held")


def _program_status(data: Path, row: dict[str, Any], *, supervisor: ServiceStatus) -> ServiceStatus:
    record = record_from_json(row["record"]) if row["record"] else None
    alive = record is not None and record.process() is not None
    log = data / "logs" / f"worker-{row['name']}.log"
    if supervisor.state != "running":
        if record is not None and alive:
            detail = "its supervisor is gone; it is ending"
            return ServiceStatus(
                service=row["name"], state="running", pid=record.pid, since=record.since, detail=detail
            )
        detail = "its supervisor is gone" if supervisor.state == "failed" else ""
        return ServiceStatus(service=row["name"], state=supervisor.state, detail=detail)
    return ServiceStatus(
        service=row["name"],
        state=row["state"],
        pid=row["pid"],
        since=record.since if record else None,
        detail="; ".join(_details(row, log)),
    )


def _details(row: dict[str, Any], log: Path) -> Iterator[str]:
    if row["state"] == "held":
        yield "held down; it runs again when it is released"
    if row["restarts"]:
        yield f"ended by itself and was started again: {row['restarts']}"
    if row["state"] == "waiting" and row["last_exit"] is not None:
        next_try = datetime.fromisoformat(row["next_try"]).astimezone(UTC)
        yield f"{describe_exit(row['last_exit'])}, next try at {next_try:%H:%M:%S} UTC; see {log}"


if __name__ == "__main__":
    with contextlib.suppress(KeyboardInterrupt):
        sys.exit(main())
