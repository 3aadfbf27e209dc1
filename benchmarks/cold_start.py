"""
How long the three servers take to start, and how much memory they hold.

    .venv/bin/python benchmarks/cold_start.py [--rounds 3]

Each round takes an empty data folder and free ports, starts all three (cold), stops them, starts them again on the same
data (warm) and stops them. The download is not counted: it is done first, once. Memory is resident memory (RSS) of the
servers and their children ten seconds after the cold start, so that it counts what they touch when idle; pages that
PostgreSQL's processes share are counted once per process. Ends with 1 when the median cold start takes more than 30 s
or the largest sum is more than 1.2 GB.
"""

from __future__ import annotations

import argparse
import os
import platform
import statistics
import sys
import tempfile
import time
from datetime import UTC, datetime
from pathlib import Path

import psutil

from lienthong.stack import (
    SilentProgress,
    StackPlan,
    default_cache,
    progress_on,
    server_status,
    start_servers,
    stop_servers,
)
from lienthong.stack.download import fetch_kafka, fetch_registry
from lienthong.stack.java import find_java, java_version
from lienthong.stack.versions import KAFKA_VERSION, POSTGRES_MAJOR, REGISTRY_VERSION

COLD_LIMIT_SECONDS = 30.0
MEMORY_LIMIT_BYTES = 1_200_000_000
SETTLE_SECONDS = 10.0


def machine() -> str:
    """The processor, the number of cores and the memory."""
    model = platform.machine()
    for line in Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines():
        if line.startswith("model name"):
            model = line.partition(":")[2].strip()
            break
    return f"{model}, {os.cpu_count()} cores, {psutil.virtual_memory().total / 1e9:.0f} GB, {platform.platform()}"


def timed_start(plan: StackPlan) -> float:
    """Start the servers; how many seconds until all three had answered."""
    started = time.monotonic()
    start_servers(plan, progress=SilentProgress())
    return time.monotonic() - started


def resident_bytes(plan: StackPlan) -> dict[str, int]:
    """Resident memory per server, children included."""
    found = {}
    for status in server_status(plan):
        process = psutil.Process(status.pid)
        found[status.service] = sum(one.memory_info().rss for one in (process, *process.children(recursive=True)))
    return found


def one_round(number: int, cache: Path) -> tuple[float, float, int]:
    """Seconds of a cold and of a warm start, and bytes held in all."""
    with tempfile.TemporaryDirectory(prefix="lienthong-bench-", ignore_cleanup_errors=True) as folder:
        plan = StackPlan.on_free_ports(Path(folder) / "data", cache)
        try:
            cold = timed_start(plan)
            time.sleep(SETTLE_SECONDS)
            memory = resident_bytes(plan)
            stop_servers(plan)
            warm = timed_start(plan)
        finally:
            stop_servers(plan)
    parts = ", ".join(f"{name} {size / 1e6:.0f} MB" for name, size in memory.items())
    total = sum(memory.values())
    print(f"round {number}: cold {cold:.1f} s, warm {warm:.1f} s; {parts}, in all {total / 1e6:.0f} MB", flush=True)
    return cold, warm, total


def main() -> int:
    """Measure, print, compare with the limits."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--cache", type=Path, default=default_cache(), help="where downloads are kept")
    arguments = parser.parse_args()
    with progress_on() as progress:
        fetch_kafka(arguments.cache, progress=progress)
        fetch_registry(arguments.cache, progress=progress)
    print(f"{datetime.now(UTC):%Y-%m-%d %H:%M} UTC; {machine()}; load {os.getloadavg()[0]:.1f}")
    print(
        f"Kafka {KAFKA_VERSION}, Apicurio Registry {REGISTRY_VERSION}, PostgreSQL {POSTGRES_MAJOR}, "
        f"Java {java_version(find_java())}, Python {platform.python_version()}"
    )
    rounds = [one_round(number, arguments.cache) for number in range(1, arguments.rounds + 1)]
    cold = statistics.median(row[0] for row in rounds)
    warm = statistics.median(row[1] for row in rounds)
    most = max(row[2] for row in rounds)
    print(f"median: cold {cold:.1f} s (at most {COLD_LIMIT_SECONDS:.0f}), warm {warm:.1f} s")
    print(f"largest: {most / 1e6:.0f} MB (at most {MEMORY_LIMIT_BYTES / 1e6:.0f})")
    passed = (cold <= COLD_LIMIT_SECONDS) + (most <= MEMORY_LIMIT_BYTES)
    print(f"{passed} passed, {2 - passed} failed")
    return 0 if passed == 2 else 1  # noqa: PLR2004 -- two limits


if __name__ == "__main__":
    sys.exit(main())
