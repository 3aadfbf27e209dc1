"""
Try the planted bugs: `python planted.py [BUG ...]`; all of them where none is named.

One set of servers and workers for all: each bug's worker is started anew with it, a small load flows, what provokes the
bug is done, and the checker looks at what this load left. A load without any bug comes first and must be clean. Prints
a table; ends with 1 when a bug was not caught.
"""

from __future__ import annotations

import argparse
import random
import shutil
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

from checker import Verdict
from failpoints import POINTS
from load import Mix
from plants import PLANTS, Plant
from registry_faults import behind_proxy, evolve
from rig import Rig
from worker_faults import kill_at_point

__all__ = ["try_plant", "try_planted"]

_EVENTS = 240
_ROUNDS = 2
_SELLERS = 6  # few, so that their numbers grow and agencies derive something
_RATE = 60.0  # so that something is still to come when a worker is killed


def try_plant(rig: Rig, name: str, plant: Plant, *, seed: int) -> Verdict:
    """Plant one bug, let a load flow, and give the checker's verdict about it."""
    for table in plant.keys:
        rig.stores.change(f"alter table {table} drop constraint {table.rpartition('.')[2]}_pkey cascade")
    rig.crew.replant(plant.where, name)
    try:
        return run_segment(rig, name, Mix(events=_EVENTS, seed=seed, sellers=_SELLERS, rate=_RATE, **plant.mix), plant)
    finally:
        rig.crew.replant(plant.where, "")
        rig.forget_waiting()


def run_segment(rig: Rig, name: str, mix: Mix, plant: Plant | None) -> Verdict:
    """Publish one load and check what it left."""
    rig.begin_segment(name, mix)
    chance = random.Random(mix.seed)  # noqa: S311 -- repeatable, not secret
    with rig.loaded():
        _provoke(rig, plant, chance)
    rig.settle_or_stall()
    return rig.verdict()


def _provoke(rig: Rig, plant: Plant | None, chance: random.Random) -> None:
    if plant and plant.evolved:
        evolve(rig, f"noted_{rig.mix.seed}")
    for number in range(_ROUNDS):
        rig.until_done((number + 1) / (_ROUNDS + 2), seconds=300)
        rig.snapshot()
        for point in plant.killed if plant else ():
            _kill(rig, plant.where, point, chance)  # type: ignore[union-attr] # as the line above says
        if plant and plant.ended:
            rig.stores.rows("select pg_terminate_backend(pid) from pg_stat_activity where usename = 'lt_bus'")


def _kill(rig: Rig, agency: str, point: str, chance: random.Random) -> None:
    if point in POINTS:
        kill_at_point(rig, agency, point)
    else:
        time.sleep(chance.random() * 0.8)
        for member in rig.crew.of(agency):
            rig.crew.kill(member)


def main() -> int:
    """Try what was asked for."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("bugs", nargs="*", metavar="BUG", help=f"of {', '.join(PLANTS)}")
    return try_planted(parser.parse_args().bugs)


def try_planted(bugs: Sequence[str]) -> int:
    """Try some planted bugs, or all; give 0 when every one was caught and the load without a bug was clean."""
    # Bugs that take keys away come last: the tables keep what they then hold twice.
    names = sorted(bugs or PLANTS, key=lambda name: bool(PLANTS[name].keys))
    folder = Path(tempfile.mkdtemp(prefix="lt-planted-"))
    try:
        with Rig(folder / "run", 1, Mix(events=_EVENTS, seed=1), prepare=behind_proxy) as rig:
            return _try_all(rig, names)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _try_all(rig: Rig, names: list[str]) -> int:
    clean = run_segment(rig, "clean", Mix(events=_EVENTS, seed=2, sellers=_SELLERS, crossed=0.3), None)
    _say(f"{'no bug':24} {'clean' if clean.good else 'NOT CLEAN ' + clean.explain()}")
    caught = 0
    for number, name in enumerate(names):
        plant = PLANTS[name]
        try:
            verdict = try_plant(rig, name, plant, seed=100 + number)
        except Exception as error:  # noqa: BLE001 -- a run that breaks has caught nothing; the others go on
            _say(f"{name:24} NOT CAUGHT: {error!r}")
            continue
        found = {invariant: times for invariant, times in verdict.broken.items() if invariant in plant.caught}
        caught += bool(found)
        words = ", ".join(f"{invariant} {times}" for invariant, times in sorted(found.items()))
        _say(f"{name:24} {'caught by ' + words if found else 'NOT CAUGHT: ' + verdict.explain()}")
    _say(f"{caught} of {len(names)} caught")
    return 0 if clean.good and caught == len(names) else 1


def _say(text: str) -> None:
    sys.stdout.write(text + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main())
