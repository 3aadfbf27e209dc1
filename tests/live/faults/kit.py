"""
Run faults: `python kit.py [F7 ...] [--events N] [--seed N] [--json]`; all of them where none is named.

Prints what it runs on, one line for each fault as it ends, and `N passed, N failed`; ends with 1 when one failed. With
`--json`, the lines of faults are objects.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import random
import shutil
import signal
import sys
import tempfile
import time
import traceback
from collections.abc import Callable
from pathlib import Path

from faults import FAULTS, Fault
from planted import try_planted
from result import Held, Result, surroundings
from rig import Rig
from watch import Watch

__all__ = ["run_fault"]

FULL = 34_000
"""Records of a full run: 33,333 and some that are refused."""

_LEAST = 0.14
"""Even the smallest run strikes so much of a full one's times."""


def _say(text: str) -> None:
    sys.stdout.write(text + "\n")
    sys.stdout.flush()


def run_fault(fault: Fault, *, events: int, seed: int, folder: Path, say: Callable[[str], None] = _say) -> Result:
    """Run one fault from nothing to its verdict."""
    began = time.monotonic()
    chance = random.Random(seed)  # noqa: S311 -- repeatable, not secret
    rig = Rig(
        folder,
        fault.brokers,
        fault.load(events=events, seed=seed),
        crew_of=fault.crew,
        prepare=fault.prepare,
        scale=min(1.0, max(_LEAST, events / FULL)),
        say=say,
    )
    with rig:
        watch = rig.watched() if fault.most_held_seconds is not None else None
        with watch or contextlib.nullcontext():
            with rig.loaded():
                fault.strike(rig, chance)
            settled = rig.settle()
        fault.prove(rig)
        return Result(
            verdict=rig.verdict(),
            strikes=rig.strikes,
            held=_held(watch, fault.most_held_seconds),
            started_seconds=rig.started_seconds,
            seconds=time.monotonic() - began,
            settled_seconds=settled,
        )


def _held(watch: Watch | None, most_seconds: float | None) -> Held | None:
    if watch is None or most_seconds is None:
        return None
    return Held(
        seconds=watch.most_held_seconds,
        place=watch.held,
        most_seconds=most_seconds,
        look_seconds=watch.longest_look_seconds,
        megabytes=watch.most_megabytes,
    )


def main() -> int:
    """Run what was asked for."""
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # so that servers and workers of a run are stopped, too
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("faults", nargs="*", metavar="FAULT", help=f"of {', '.join(FAULTS)}")
    parser.add_argument("--events", type=int, default=FULL)
    parser.add_argument("--seed", type=int, default=20_261)
    parser.add_argument("--keep", action="store_true", help="keep the folder of a run that failed")
    parser.add_argument("--planted", action="store_true", help="try the planted bugs, too")
    parser.add_argument("--json", action="store_true", help="print an object for each fault")
    asked = parser.parse_args()
    failed = passed = 0
    if not asked.json:
        _say(", ".join(f"{name} {value}" for name, value in surroundings().items()))
    for name in asked.faults or FAULTS:
        fault = FAULTS[name]
        if not asked.json:
            _say(f"{name:5} {fault.title} ...")
        folder = Path(tempfile.mkdtemp(prefix="lt-faults-"))
        try:
            result = run_fault(fault, events=asked.events, seed=asked.seed, folder=folder / "run")
            _say(json.dumps(result.fields(name, asked.seed)) if asked.json else result.line(name, asked.seed))
            good = result.passed
        except Exception as error:  # noqa: BLE001 -- a run that breaks is a failed run; the others go on
            broken = {"fault": name, "passed": False, "seed": asked.seed, "error": repr(error), **surroundings()}
            _say(json.dumps(broken) if asked.json else f"{name:5} FAILED\n{traceback.format_exc()}")
            good = False
        passed, failed = passed + good, failed + (not good)
        if good or not asked.keep:
            shutil.rmtree(folder, ignore_errors=True)
        elif not asked.json:
            _say(f"      kept {folder}")
    if asked.planted:
        good = try_planted([]) == 0
        passed, failed = passed + good, failed + (not good)
    if not asked.json:
        _say(f"{passed} passed, {failed} failed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
