"""
Processes that outlive the command that started them, and the proof that a process is ours.

A process id alone proves nothing: ids are used again. So a record keeps the id, the moment of start and the command
line, and nothing is signalled whose three do not agree.
"""

from __future__ import annotations

import contextlib
import json
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import psutil

from lienthong.stack.private_files import write_private
from streams.errors import ConfigurationError

__all__ = [
    "Launch",
    "ProcessRecord",
    "adopt",
    "is_alive",
    "launch",
    "log_tail",
    "read_record",
    "record_from_json",
    "stop_processes",
]

START_TOLERANCE_SECONDS = 2.0
EXEC_TIMEOUT_SECONDS = 1.0
COMPLAINT = re.compile(r"\b(ERROR|FATAL|PANIC)\b|Exception|Error:")


@dataclass(frozen=True, kw_only=True)
class Launch:
    """
    How to start one process.

    Args:
        argv: program and arguments.
        env: its whole environment; nothing is inherited, so that no variable of the caller changes a server.
        cwd: its working folder.
        log: gets what it prints, mode 0600; the one of the run before is kept beside it.
        uid: the operating system user to run as; None is the caller's. Needs root.
        gid: its group; given with `uid`.
    """

    argv: Sequence[str]
    env: Mapping[str, str]
    cwd: Path
    log: Path
    uid: int | None = None
    gid: int | None = None


@dataclass(frozen=True, kw_only=True)
class ProcessRecord:
    """
    What is remembered of a process, in order to know it again.

    Args:
        pid: its id.
        started_after_boot_seconds: start as distance from the machine's start, which no change of the clock moves.
        since: start, aware UTC, for people.
        argv: its command line as the system shows it.
        address: where it was told to listen; empty when that was lost or it does not listen.
    """

    pid: int
    started_after_boot_seconds: float
    since: datetime
    argv: tuple[str, ...]
    address: str = ""

    @classmethod
    def of(cls, process: psutil.Process) -> ProcessRecord:
        """
        Describe a living process.

        Raises:
            psutil.NoSuchProcess: it ended.
        """
        created = process.create_time()
        return cls(
            pid=process.pid,
            started_after_boot_seconds=created - psutil.boot_time(),
            since=datetime.fromtimestamp(created, UTC),
            argv=_command_line(process),
        )

    def as_json(self) -> dict[str, Any]:
        """The record as files keep it."""
        return {**asdict(self), "since": self.since.isoformat()}

    def write(self, path: Path) -> None:
        """Remember it in a file of mode 0600."""
        write_private(path, json.dumps(self.as_json()))

    def process(self) -> psutil.Process | None:
        """The process itself when it still lives and is the same one, else None."""
        try:
            process = psutil.Process(self.pid)
            now = ProcessRecord.of(process)
        except psutil.Error:
            return None
        moved_seconds = abs(now.started_after_boot_seconds - self.started_after_boot_seconds)
        same = moved_seconds <= START_TOLERANCE_SECONDS and now.argv == self.argv
        return process if same and is_alive(process) else None


def _command_line(process: psutil.Process) -> tuple[str, ...]:
    """
    The command line, also of a process that was born this moment.

    Linux lets a parent go on an instant before the new program's arguments can be read; until then they are empty.
    """
    deadline = time.monotonic() + EXEC_TIMEOUT_SECONDS
    while not (found := tuple(process.cmdline())) and is_alive(process) and time.monotonic() < deadline:
        time.sleep(0.001)
    return found


def record_from_json(raw: Mapping[str, Any]) -> ProcessRecord:
    """
    Read what `ProcessRecord.write` wrote.

    Raises:
        KeyError, TypeError, ValueError: it is something else.
    """
    return ProcessRecord(
        pid=int(raw["pid"]),
        started_after_boot_seconds=float(raw["started_after_boot_seconds"]),
        since=datetime.fromisoformat(raw["since"]),
        argv=tuple(raw["argv"]),
        address=str(raw.get("address", "")),
    )


def read_record(path: Path) -> ProcessRecord | None:
    """The record in a file; None when there is none, or none that can be read."""
    try:
        return record_from_json(json.loads(path.read_text(encoding="utf-8")))
    except (FileNotFoundError, ValueError, KeyError, TypeError):
        return None


def is_alive(process: psutil.Process) -> bool:
    """Whether it runs; a zombie does not."""
    try:
        return process.is_running() and process.status() != psutil.STATUS_ZOMBIE
    except psutil.Error:
        return False


def adopt(recognise: Callable[[Sequence[str]], bool]) -> ProcessRecord | None:
    """
    Find a process whose record was lost: its starter was killed between start and writing, or the file was deleted.

    Args:
        recognise: tells from a command line that it can only be ours.
    """
    for process in psutil.process_iter():
        with contextlib.suppress(psutil.Error):
            # A worker process of PostgreSQL rewrites its command line, so only main processes can be recognised.
            if recognise(process.cmdline()) and is_alive(process):
                return ProcessRecord.of(process)
    return None


def launch(job: Launch) -> ProcessRecord:
    """
    Start a process in a session of its own and return at once.

    Raises:
        ConfigurationError: the system refused to start it, or it ended at once.
    """
    if job.log.exists():
        # Each run has a log of its own, so that the end of it is the end of this run; the one before is kept.
        job.log.replace(job.log.with_suffix(".log.1"))
    script = Path(__file__).with_name("detach.py")
    text = json.dumps(
        {
            "argv": list(job.argv),
            "env": dict(job.env),
            "cwd": str(job.cwd),
            "log": str(job.log),
            "uid": job.uid,
            "gid": job.gid,
        }
    )
    ran = subprocess.run(
        [sys.executable, "-I", "-S", str(script)], input=text, capture_output=True, text=True, check=False
    )
    if ran.returncode != 0:
        reason = (ran.stderr.strip().splitlines() or ["no reason given"])[-1]
        raise ConfigurationError(f"The system refused to start {job.argv[0]}: {reason}.")
    try:
        return ProcessRecord.of(psutil.Process(int(ran.stdout)))
    except psutil.NoSuchProcess as error:
        raise ConfigurationError(f"{Path(job.argv[0]).name} ended at once; {log_tail(job.log)}") from error


def log_tail(log: Path) -> str:
    """The last complaint in a log, else its last line, as part of a sentence."""
    try:
        text = log.read_text(encoding="utf-8", errors="replace").strip()
    except FileNotFoundError:
        text = ""
    if not text:
        return f"its log {log} is empty."
    lines = text[-20_000:].splitlines()
    complaints = [line for line in lines if COMPLAINT.search(line)]
    return f"its log {log} says: {(complaints or lines)[-1].strip()}"


def stop_processes(
    processes: Sequence[psutil.Process], *, signals: Iterable[signal.Signals], timeout_seconds: float
) -> None:
    """
    Ask processes to end, all at once, each signal harder than the one before.

    Args:
        processes: proved to be ours.
        signals: tried in this order.
        timeout_seconds: how long all of them together are given for each signal.
    """
    left = list(processes)
    for one in signals:
        for process in left:
            with contextlib.suppress(psutil.NoSuchProcess):
                process.send_signal(one)
        deadline = time.monotonic() + timeout_seconds
        # Not `process.wait()`: that waits for a zombie, too, which a careless process 1 may never reap.
        while left and time.monotonic() < deadline:
            left = [process for process in left if is_alive(process)]
            if left:
                time.sleep(0.05)
