"""
Run faults: `python kit.py [F7 ...] [--events N] [--seed N]`; all of them where none is named.

Prints one line for each fault as it ends, and `N passed, N failed`; ends with 1 when one failed.
"""

from __future__ import annotations

import argparse
import random
import shutil
import sys
import tempfile
import time
import traceback
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from checker import Verdict
from faults import FAULTS, Fault
from load import Mix
from planted import try_planted
from rig import Rig, Strikes

__all__ = ["Result", "run_fault"]

FULL = 34_000
"""Records of a full run: 33,333 and some that are refused."""

_LEAST = 0.14
"""Even the smallest run strikes so much of a full one's times."""


@dataclass(frozen=True, kw_only=True)
class Result:
    """How one run ended."""

    verdict: Verdict
    strikes: Strikes
    seconds: float
    started_seconds: float
    settled_seconds: float

    @property
    def passed(self) -> bool:
        """The checker found nothing, and the fault struck."""
        return self.verdict.good and not self.strikes.missing

    def line(self, name: str, seed: int) -> str:
        """Say it in a line, and what is wrong below it."""
        verdict = self.verdict
        words = (
            f"{name:5} {'ok' if self.passed else 'FAILED':6} n {verdict.n} seed {seed} lost {verdict.lost} "
            f"duplicated {verdict.duplicated} inverted {verdict.inverted} recovered {verdict.recovered} "
            f"events {verdict.events} quarantined {verdict.refused} "
            f"slowest ack {verdict.slowest_seconds:.1f} s, started in {self.started_seconds:.0f} s, "
            f"settled in {self.settled_seconds:.0f} s, {self.seconds:.0f} s in all; struck: {self.strikes}"
        )
        wrong = [f"      not struck: {what} {times}" for what, times in self.strikes.missing.items()]
        wrong += [f"      {line}" for line in self.verdict.explain().splitlines()]
        return "\n".join([words, *wrong])


def _say(text: str) -> None:
    sys.stdout.write(text + "\n")
    sys.stdout.flush()


def run_fault(fault: Fault, *, events: int, seed: int, folder: Path, say: Callable[[str], None] = _say) -> Result:
    """Run one fault from nothing to its verdict."""
    began = time.monotonic()
    mix = Mix(events=events, seed=seed, **fault.mix)  # type: ignore[arg-type] # shares and a rate are floats
    chance = random.Random(seed)  # noqa: S311 -- repeatable, not secret
    rig = Rig(
        folder,
        fault.brokers,
        mix,
        crew_of=fault.crew,
        prepare=fault.prepare,
        scale=min(1.0, max(_LEAST, events / FULL)),
        say=say,
    )
    with rig:
        with rig.loaded():
            fault.strike(rig, chance)
        settled = rig.settle()
        fault.prove(rig)
        return Result(
            verdict=rig.verdict(),
            strikes=rig.strikes,
            started_seconds=rig.started_seconds,
            seconds=time.monotonic() - began,
            settled_seconds=settled,
        )


def main() -> int:
    """Run what was asked for."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("faults", nargs="*", metavar="FAULT", help=f"of {', '.join(FAULTS)}")
    parser.add_argument("--events", type=int, default=FULL)
    parser.add_argument("--seed", type=int, default=20_261)
    parser.add_argument("--keep", action="store_true", help="keep the folder of a run that failed")
    parser.add_argument("--planted", action="store_true", help="try the planted bugs, too")
    asked = parser.parse_args()
    failed = passed = 0
    for name in asked.faults or FAULTS:
        fault = FAULTS[name]
        _say(f"{name:5} {fault.title} ...")
        folder = Path(tempfile.mkdtemp(prefix="lt-faults-"))
        try:
            result = run_fault(fault, events=asked.events, seed=asked.seed, folder=folder / "run")
            _say(result.line(name, asked.seed))
            good = result.passed
        except Exception:  # noqa: BLE001 -- a run that breaks is a failed run; the others go on
            _say(f"{name:5} FAILED\n{traceback.format_exc()}")
            good = False
        passed, failed = passed + good, failed + (not good)
        if good or not asked.keep:
            shutil.rmtree(folder, ignore_errors=True)
        else:
            _say(f"      kept {folder}")
    if asked.planted:
        good = try_planted([]) == 0
        passed, failed = passed + good, failed + (not good)
    _say(f"{passed} passed, {failed} failed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
