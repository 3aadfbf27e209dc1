"""The supervisor with real processes."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import stat
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import psutil
import pytest

from lienthong.stack import ServiceStatus
from lienthong.supervisor import Program, hold, release, start_supervisor, stop_supervisor, supervisor_status
from streams.errors import InputError

pytestmark = pytest.mark.live

FOREVER = (sys.executable, "-S", "-c", "import signal; signal.pause()")
DEAF = """
import signal
signal.signal(signal.SIGTERM, signal.SIG_IGN)
print("deaf", flush=True)
while True:
    signal.pause()
"""


@pytest.fixture
def data(tmp_path: Path) -> Iterator[Path]:
    """A data folder whose supervisor is stopped at the end."""
    yield tmp_path
    stop_supervisor(tmp_path)


def _status(data: Path) -> dict[str, ServiceStatus]:
    return {status.service: status for status in supervisor_status(data)}


def _wait(condition: Callable[[], bool], *, seconds: float = 10) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "it did not come to pass"
        time.sleep(0.02)


def _pid(data: Path, name: str) -> int:
    pid = _status(data)[name].pid
    assert pid is not None
    return pid


def _is_gone(pid: int) -> bool:
    with contextlib.suppress(psutil.NoSuchProcess):
        return psutil.Process(pid).status() == psutil.STATUS_ZOMBIE
    return True


def test_a_killed_program_comes_back(data: Path) -> None:
    """SIGKILL to a worker: it waits, then runs again, and the status says how often."""
    start_supervisor(data, [Program("tax-hanam", FOREVER)])
    _wait(lambda: _status(data)["tax-hanam"].state == "running")
    first = _pid(data, "tax-hanam")

    os.kill(first, signal.SIGKILL)
    _wait(lambda: _status(data)["tax-hanam"].state == "waiting")
    waiting = _status(data)["tax-hanam"]
    _wait(lambda: _status(data)["tax-hanam"].state == "running")

    assert "was killed by SIGKILL, next try at" in waiting.detail
    assert _pid(data, "tax-hanam") != first
    assert "started again: 1" in _status(data)["tax-hanam"].detail


def test_the_state_file_says_everything(data: Path) -> None:
    """A program that ends with an error shows its code, its next try and its words; all files are private."""
    start_supervisor(data, [Program("bus", (sys.executable, "-S", "-c", "print('no Kafka'); raise SystemExit(2)"))])
    _wait(lambda: _status(data)["bus"].state == "waiting")

    row = json.loads((data / "run" / "workers.json").read_text())["programs"][0]

    assert (row["name"], row["state"], row["pid"], row["last_exit"]) == ("bus", "waiting", None, 2)
    assert row["next_try"] is not None
    assert "no Kafka" in (data / "logs" / "worker-bus.log").read_text()
    files = [path for folder in ("run", "logs") for path in (data / folder).iterdir()]
    assert {0o600} == {stat.S_IMODE(path.stat().st_mode) for path in files}


def test_a_held_program_stays_down_until_released(data: Path) -> None:
    """Also over a restart of the supervisor; the other one goes on."""
    programs = [Program("bus", FOREVER), Program("sbv-hanam", FOREVER)]
    start_supervisor(data, programs)
    _wait(lambda: _status(data)["bus"].state == "running")
    bus = _pid(data, "bus")

    hold(data, "sbv-hanam")
    assert _status(data)["sbv-hanam"].state == "held"
    assert _pid(data, "bus") == bus
    stop_supervisor(data)
    start_supervisor(data, programs)
    assert _status(data)["sbv-hanam"].state == "held"
    release(data, "sbv-hanam")

    _wait(lambda: _status(data)["sbv-hanam"].state == "running")


def test_an_unknown_name_cannot_be_held(data: Path) -> None:
    """The sentence lists the names that exist."""
    start_supervisor(data, [Program("bus", FOREVER)])

    with pytest.raises(InputError, match="No program is called bank; known are: bus"):
        hold(data, "bank")


def test_a_second_start_changes_only_what_changed(data: Path) -> None:
    """The same program keeps its process, another is added, one that left is ended."""
    start_supervisor(data, [Program("bus", FOREVER), Program("old", FOREVER)])
    _wait(lambda: _status(data)["old"].state == "running")
    supervisor, bus, old = _pid(data, "supervisor"), _pid(data, "bus"), _pid(data, "old")

    start_supervisor(data, [Program("bus", FOREVER), Program("new", FOREVER)])
    _wait(lambda: _status(data).get("new", _status(data)["bus"]).state == "running" and _is_gone(old))

    assert (supervisor, bus) == (_pid(data, "supervisor"), _pid(data, "bus"))


def test_programs_die_with_a_killed_supervisor(data: Path) -> None:
    """The status says that it is gone, and the next start brings all back, never two of one."""
    start_supervisor(data, [Program("bus", FOREVER)])
    _wait(lambda: _status(data)["bus"].state == "running")
    bus = _pid(data, "bus")

    os.kill(_pid(data, "supervisor"), signal.SIGKILL)
    _wait(lambda: _is_gone(bus))
    assert (_status(data)["supervisor"].state, _status(data)["bus"].state) == ("failed", "failed")
    start_supervisor(data, [Program("bus", FOREVER)])

    _wait(lambda: _status(data)["bus"].state == "running")
    assert _pid(data, "bus") != bus


def test_a_deaf_program_is_killed_after_its_time(data: Path) -> None:
    """SIGTERM first, SIGKILL after 15 seconds, and the rest has long ended."""
    start_supervisor(data, [Program("deaf", (sys.executable, "-S", "-c", DEAF)), Program("bus", FOREVER)])
    _wait(lambda: "deaf" in (data / "logs" / "worker-deaf.log").read_text())
    deaf = _pid(data, "deaf")

    started = time.monotonic()
    statuses = stop_supervisor(data)

    assert {status.state for status in statuses} == {"stopped"}
    assert _is_gone(deaf)
    assert 14 < time.monotonic() - started < 25
