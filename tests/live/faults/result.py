"""How one run of a fault ended, for people and for programs; and on what it ran."""

from __future__ import annotations

import os
import platform
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib.metadata import version
from typing import Any

import psutil
from checker import Verdict
from strikes import Strikes

from lienthong.stack.versions import KAFKA_VERSION, POSTGRES_MAJOR, REGISTRY_VERSION

__all__ = ["Held", "Result", "surroundings"]

_PACKAGES = ("faust-streaming", "aiokafka", "confluent-kafka", "fastavro", "psycopg")


def surroundings() -> dict[str, Any]:
    """Give the day, the machine and the versions."""
    return {
        "date": f"{datetime.now(UTC):%Y-%m-%d}",
        "cores": os.cpu_count(),
        "memory_gb": round(psutil.virtual_memory().total / 1e9),
        "python": platform.python_version(),
        "kafka": KAFKA_VERSION,
        "registry": REGISTRY_VERSION,
        "postgresql": POSTGRES_MAJOR,
        **{each: version(each) for each in _PACKAGES},
    }


@dataclass(frozen=True, kw_only=True)
class Held:
    """
    For how long a partition was held, and how large workers were, in a run that was watched.

    Args:
        seconds: the longest time that a partition with something to read stood still.
        place: which one.
        most_seconds: that it may stand still.
        look_seconds: the longest time between two looks; `seconds` is no more exact than that.
        megabytes: the largest resident memory of a worker.
    """

    seconds: float
    place: str
    most_seconds: float
    look_seconds: float
    megabytes: int

    def __str__(self) -> str:
        """Say it in a few words."""
        return (
            f"longest hold {self.seconds:.1f} s of {self.most_seconds:g} s, of {self.place} "
            f"(looked every {self.look_seconds:.1f} s or more often), largest worker {self.megabytes} MiB"
        )


@dataclass(frozen=True, kw_only=True)
class Result:
    """How one run ended."""

    verdict: Verdict
    strikes: Strikes
    seconds: float
    started_seconds: float
    settled_seconds: float
    held: Held | None = None

    @property
    def passed(self) -> bool:
        """The checker found nothing, the fault struck, and no partition was held for too long."""
        in_time = self.held is None or self.held.seconds <= self.held.most_seconds
        return self.verdict.good and not self.strikes.missing and in_time

    def line(self, name: str, seed: int) -> str:
        """Say it in a line, and what is wrong below it."""
        verdict = self.verdict
        words = (
            f"{name:5} {'ok' if self.passed else 'FAILED':6} n {verdict.n} seed {seed} lost {verdict.lost} "
            f"duplicated {verdict.duplicated} inverted {verdict.inverted} recovered {verdict.recovered} "
            f"events {verdict.events} quarantined {verdict.refused} "
            f"slowest ack {verdict.slowest_seconds:.1f} s, started in {self.started_seconds:.0f} s, "
            f"settled in {self.settled_seconds:.0f} s, {self.seconds:.0f} s in all; struck: {self.strikes}"
            f"{f'; {self.held}' if self.held else ''}"
        )
        wrong = [f"      not struck: {what} {times}" for what, times in self.strikes.missing.items()]
        wrong += [f"      {line}" for line in verdict.explain().splitlines()]
        return "\n".join([words, *wrong])

    def fields(self, name: str, seed: int) -> dict[str, Any]:
        """Give it as fields, with what it ran on."""
        verdict = self.verdict
        return {
            "fault": name,
            "passed": self.passed,
            "n": verdict.n,
            "seed": seed,
            "lost": verdict.lost,
            "duplicated": verdict.duplicated,
            "inverted": verdict.inverted,
            "broken": dict(verdict.broken),
            "recovered": verdict.recovered,
            "events": verdict.events,
            "quarantined": verdict.refused,
            "slowest_ack_seconds": round(verdict.slowest_seconds, 1),
            "seconds": round(self.seconds),
            "struck": dict(self.strikes.seen),
            "not_struck": dict(self.strikes.missing),
            "held_seconds": round(self.held.seconds, 1) if self.held else None,
            "largest_worker_mib": self.held.megabytes if self.held else None,
            **surroundings(),
        }
