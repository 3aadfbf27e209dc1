"""Faults of workers: killed, paused, and a storm of rebalances."""

from __future__ import annotations

import contextlib
import time
from random import Random

from cluster import until
from failpoints import POINTS, arm, disarm, struck
from load import PROBE
from rig import Rig

from streams.names import BUS

__all__ = ["kill_at_point", "kill_workers", "pause_workers", "storm"]

KILLED_AT_RANDOM = 20
"""Workers killed at random moments in a full run; named points come on top."""

_TARGETS = (BUS, BUS, "tax-hanam", "qltt-hanam", "bcd389-hanam", PROBE)
"""Who is killed: the bus more often than others."""

_POINTED = (
    (BUS, "before_commit"),
    (PROBE, "while_emitting"),
    ("tax-hanam", "before_mark"),
    (BUS, "after_effect"),
    ("tax-hanam", "before_commit"),
    (PROBE, "before_offset"),
    (BUS, "before_offset"),
    ("tax-hanam", "after_effect"),
    ("bcd389-hanam", "before_commit"),
    (BUS, "after_offset"),
    (PROBE, "after_offset"),
    ("bcd389-hanam", "after_effect"),
    ("bcd389-hanam", "before_offset"),
    ("tax-hanam", "after_offset"),
    ("tax-hanam", "after_mark"),
)
"""Who is killed at which named point."""

_PAST_SESSION_SECONDS = 12.0
"""Twice the session timeout of the crew."""

_EVICTED = "has failed, removing it from the group"
_REBALANCED = "Preparing to rebalance group"


def kill_workers(rig: Rig, chance: Random) -> None:
    """SIGKILL to workers, at random moments and at named points."""
    at_random, points = rig.scaled(KILLED_AT_RANDOM), _POINTED[: rig.scaled(len(_POINTED))]
    strokes = [*[None] * at_random, *points]
    chance.shuffle(strokes)
    rig.strikes.want("kills at random", at_random)
    rig.strikes.want("kills at named points", len(points))
    for number, stroke in enumerate(strokes):
        rig.until_done((number + chance.random()) / (len(strokes) + 2))
        if stroke is None:
            _kill_at_random(rig, chance)
        else:
            kill_at_point(rig, *stroke)
        rig.snapshot()


def _kill_at_random(rig: Rig, chance: Random) -> None:
    member = chance.choice(rig.crew.of(chance.choice(_TARGETS)))
    until(f"{member.agency} runs", lambda: member.runs, seconds=30)
    if rig.crew.kill(member):
        rig.strikes.note("kills at random")


def kill_at_point(rig: Rig, agency: str, point: str) -> None:
    """Let a worker of an agency die at a named point; it is started again."""
    before = len(struck(rig.kit))
    arm(rig.kit, agency, point)
    try:
        until(f"{agency} {point}: {POINTS[point]}", lambda: len(struck(rig.kit)) > before, seconds=60)
        rig.strikes.note("kills at named points")
    except TimeoutError as late:
        rig.say(f"      {late}")
    finally:
        disarm(rig.kit, agency)


def pause_workers(rig: Rig, chance: Random) -> None:
    """SIGSTOP to one of two workers, longer than its session; it comes back with work that is no longer its own."""
    agencies = (BUS, "tax-hanam", "bcd389-hanam", PROBE, BUS)[: rig.scaled(5)]
    rig.strikes.want("workers paused", len(agencies))
    rig.strikes.want("workers put out of their group", len(agencies))
    for number, agency in enumerate(agencies):
        rig.until_done((number + chance.random() / 2) / (len(agencies) + 1))
        evicted = rig.broker_said(_EVICTED)
        member = chance.choice(rig.crew.of(agency))
        until(f"{member.agency} runs", lambda member=member: member.runs, seconds=30)
        member.pause()
        rig.strikes.note("workers paused")
        until("put out", lambda evicted=evicted: rig.broker_said(_EVICTED) > evicted, seconds=60)
        rig.strikes.note("workers put out of their group")
        time.sleep(_PAST_SESSION_SECONDS / 2)
        rig.snapshot()
        member.resume()


def storm(rig: Rig, chance: Random) -> None:
    """Start and stop workers of the bus and of an agency every two seconds for a minute."""
    seconds = 60.0 * rig.scale
    began, before = time.monotonic(), rig.broker_said(_REBALANCED)
    rounds = max(10, int(seconds / 2))
    rig.strikes.want("joins and leaves", rounds)
    rig.strikes.want("rebalances", rounds // 2)
    for number in range(rounds):
        agency = (BUS, "tax-hanam", BUS, PROBE)[number % 4]
        present = rig.crew.of(agency)
        if len(present) < 2 or (len(present) < 3 and chance.random() < 0.5):
            rig.crew.add(agency)
        elif chance.random() < 0.5:
            rig.crew.dismiss(chance.choice(present))
        else:
            rig.crew.drop(chance.choice(present))
        rig.strikes.note("joins and leaves")
        time.sleep(max(0.0, began + 2 * (number + 1) - time.monotonic()))
    rig.snapshot()
    # A worker joins some seconds after its start, on a slow machine long after.
    with contextlib.suppress(TimeoutError):
        until("rebalances", lambda: rig.broker_said(_REBALANCED) - before >= rounds // 2, seconds=120)
    rig.strikes.note("rebalances", rig.broker_said(_REBALANCED) - before)
