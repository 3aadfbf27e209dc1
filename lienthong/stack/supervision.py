"""
The loop of the supervisor: reads what should run, keeps it running, writes down what does.

Files in `run/`: `programs.json` (what should run), `held.json` (what is held down), `workers.json` (what runs). The
first two are written by commands and looked at five times a second; the last is replaced at each change.
"""

from __future__ import annotations

import contextlib
import ctypes
import json
import os
import select
import signal
import subprocess
import sys
import time
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import psutil
import structlog

from lienthong.stack.private_files import make_private_folder, write_private
from lienthong.stack.processes import ProcessRecord, record_from_json, stop_processes
from lienthong.stack.supervised import END_TIMEOUT_SECONDS, Program, Supervised, describe_exit

__all__ = ["HELD", "PROGRAMS", "WORKERS", "Supervisor", "end_left_over", "read_json"]

PROGRAMS = "programs.json"
HELD = "held.json"
WORKERS = "workers.json"
POLL_SECONDS = 0.2
LOG_MAX_BYTES = 20_000_000
PR_SET_PDEATHSIG = 1


def read_json(path: Path) -> dict[str, Any]:
    """A file's object; empty when there is no file."""
    try:
        found: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return {}
    return found


def end_left_over(run: Path) -> None:
    """
    End the programs that a killed supervisor left behind.

    On Linux they were told to end the moment it died; this waits for those that still finish their work, and kills
    those that do not within 15 seconds.
    """
    rows = read_json(run / WORKERS).get("programs", [])
    found = [record_from_json(row["record"]).process() for row in rows if row["record"]]
    processes = [process for process in found if process is not None]
    stop_processes(processes, signals=(signal.SIGTERM, signal.SIGKILL), timeout_seconds=END_TIMEOUT_SECONDS)


class _OwnChild:
    """A child process in a session of its own."""

    def __init__(self, process: subprocess.Popen[bytes]) -> None:
        self._process = process
        self.pid = process.pid
        self.record: ProcessRecord | None = None
        with contextlib.suppress(psutil.Error):
            self.record = ProcessRecord.of(psutil.Process(process.pid))

    def poll(self) -> int | None:
        return self._process.poll()

    def ask(self) -> None:
        self._process.terminate()

    def kill(self) -> None:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self.pid, signal.SIGKILL)


class Supervisor:
    """
    Keeps programs running until it is told to end. One per data folder.

    Args:
        data: the data folder.
        env: what the programs' environments are added to.
    """

    def __init__(self, data: Path, *, env: Mapping[str, str]) -> None:
        self._data = data
        self._run = data / "run"
        self._env = env
        self._workers: dict[str, Supervised] = {}
        self._leaving: list[Supervised] = []
        self._generation = ""
        self._written = ""
        self._ending = False
        self._log = structlog.get_logger()
        # Loaded before any fork: a child may not load libraries between fork and exec.
        self._libc = ctypes.CDLL(None) if sys.platform == "linux" else None

    def run(self) -> None:
        """Work until SIGTERM or SIGINT, then end every program and return."""
        reader, writer = os.pipe()
        os.set_blocking(writer, False)
        signal.set_wakeup_fd(writer, warn_on_full_buffer=False)
        for one in (signal.SIGTERM, signal.SIGINT):
            signal.signal(one, self._on_end)
        signal.signal(signal.SIGCHLD, lambda _number, _frame: None)
        end_left_over(self._run)
        while not (self._ending and not self._alive()):
            self._turn(time.monotonic())
            # A signal, the end of a child above all, wakes us before the time is over.
            if select.select([reader], [], [], POLL_SECONDS)[0]:
                os.read(reader, 4096)
        self._write(frozenset())
        signal.set_wakeup_fd(-1)
        os.close(reader)
        os.close(writer)

    def _on_end(self, number: int, frame: object) -> None:
        del number, frame
        self._ending = True

    def _alive(self) -> bool:
        return any(worker.child is not None for worker in (*self._workers.values(), *self._leaving))

    def _turn(self, now: float) -> None:
        self._reload()
        held = frozenset(read_json(self._run / HELD).get("names", []))
        for name, worker in self._workers.items():
            before = worker.child
            worker.tick(now, wanted=not self._ending and name not in held)
            if before is not None and worker.child is None and worker.last_exit is not None:
                self._log.info("program ended", program=name, how=describe_exit(worker.last_exit))
        for worker in self._leaving:
            worker.tick(now, wanted=False)
        self._leaving = [worker for worker in self._leaving if worker.child is not None]
        self._write(held)

    def _reload(self) -> None:
        raw = read_json(self._run / PROGRAMS)
        if not raw or raw["generation"] == self._generation:
            return
        self._generation = raw["generation"]
        programs = {row["name"]: Program.from_json(row) for row in raw["programs"]}
        self._leaving += [self._workers.pop(name) for name in self._workers.keys() - programs.keys()]
        for name, program in programs.items():
            if name in self._workers:
                self._workers[name].replace(program)
            else:
                self._workers[name] = Supervised(program, start=self._start)
        self._log.info("programs read", programs=sorted(programs))

    def _start(self, program: Program) -> _OwnChild:
        log = make_private_folder(self._data / "logs") / f"worker-{program.name}.log"
        if log.exists() and log.stat().st_size > LOG_MAX_BYTES:
            log.replace(log.with_suffix(".log.1"))
        self._log.info("program starts", program=program.name)
        supervisor = os.getpid()
        with log.open("ab") as output:
            try:
                process = subprocess.Popen(
                    program.argv,
                    cwd=self._data,
                    # Its working folder is ours to choose, so it must not be a place where modules are looked for.
                    env={**self._env, "PYTHONSAFEPATH": "1", **program.env},
                    stdin=subprocess.DEVNULL,
                    stdout=output,
                    stderr=output,
                    start_new_session=True,
                    preexec_fn=lambda: self._die_with(supervisor),  # noqa: PLW1509 -- this process has one thread
                )
            except OSError as error:
                # Where the program's own complaints would stand; the caller tries again later.
                output.write(f"{program.argv[0]}: {error.strerror}\n".encode())
                raise
        return _OwnChild(process)

    def _die_with(self, supervisor: int) -> None:
        """Runs in the child before its program: ask Linux for SIGTERM when the supervisor dies."""
        if self._libc is not None:
            self._libc.prctl(PR_SET_PDEATHSIG, signal.SIGTERM, 0, 0, 0)
            if os.getppid() != supervisor:
                os._exit(1)

    def _write(self, held: frozenset[str]) -> None:
        rows = [self._row(name, worker, held=name in held) for name, worker in sorted(self._workers.items())]
        # What leaves is written, too: should we be killed now, the next supervisor ends it.
        rows += [self._row(worker.program.name, worker, held=False) for worker in self._leaving]
        ended = self._ending and not self._alive()
        state = {"pid": os.getpid(), "generation": self._generation, "ended": ended, "programs": rows}
        text = json.dumps(state)
        if text != self._written:
            write_private(self._run / WORKERS, text)
            self._written = text

    def _row(self, name: str, worker: Supervised, *, held: bool) -> dict[str, Any]:
        child = worker.child if isinstance(worker.child, _OwnChild) else None
        record = child.record if child else None
        state = "stopped" if self._ending and child is None else worker.state(held=held)
        wait_seconds = max(0.0, worker.next_try - time.monotonic())
        # To the second: a file that changed with every look would be written with every look.
        next_try = datetime.now(UTC) + timedelta(seconds=wait_seconds)
        return {
            "name": name,
            "state": state,
            "pid": child.pid if child else None,
            "since": record.since.isoformat() if record else None,
            "restarts": worker.restarts,
            "last_exit": worker.last_exit,
            "next_try": next_try.isoformat(timespec="seconds") if state == "waiting" else None,
            "record": record.as_json() if record else None,
        }
